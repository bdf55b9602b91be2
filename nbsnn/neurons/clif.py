"""Kernel-based LIF in its three-trace form: a double-exponential postsynaptic potential and a reset trace.

    m[t] = decay_m m[t-1] + v0 x[t]
    q[t] = decay_q q[t-1] + v0 x[t]
    v[t] = m[t] - q[t] - e[t-1]
    s[t] = spike(v[t] - v_threshold)
    e[t] = decay_e e[t-1] + v_threshold s[t]

The spike response model of Gerstner and Kistler 2002, as used by the Tempotron (Guetig and Sompolinsky 2006).
"""

from __future__ import annotations

import numpy as np

from ..neuron import Neuron
from ..surrogates import Surrogate, atan, dspike, spike
from ..validate import filled
from .reset import dthrough, through, through_hole
from .units_and_refractory import broadcast


def step(x, m, q, e, v0, decay_m, decay_q, decay_e, v_threshold):
    m = decay_m * m + v0 * x
    q = decay_q * q + v0 * x
    s = spike(m - q - e - v_threshold)
    return s, m, q, decay_e * e + v_threshold * through(s)


def vjp(x, m, q, e, v0, decay_m, decay_q, decay_e, v_threshold, gs, gm, gq, ge):
    u = decay_m * m + v0 * x - (decay_q * q + v0 * x) - e - v_threshold
    gu = (gs + dthrough(ge * v_threshold)) * dspike(u)
    gm = gm + gu
    gq = gq - gu
    g_input = gm + gq
    g_threshold = ge * spike(u) - gu
    return (g_input * v0, gm * decay_m, gq * decay_q, ge * decay_e - gu,
            g_input * x, gm * m, gq * q, ge * e, g_threshold)  # fmt: skip


def CLIF(
    tau: float = 20.0,
    tau_p: float = 12.0,
    tau_q: float = 8.0,
    v_threshold: float = 1.0,
    *,
    v0: float | None = None,
    decay: str = "exp",
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Kernel-based leaky integrate-and-fire neuron with a double-exponential potential.

    Parameters
    ----------
    tau : float or array
        Time constant of the reset trace, in the unit of ``dt``.
    tau_p, tau_q : float or array
        Slow and fast time constant of the potential; ``tau_p`` > ``tau_q``.
    v_threshold : float or array
        Threshold, and size of the reset.
    v0 : float or array, optional
        Gain of the input. By default the one that makes the potential of a unit input peak at 1:
        b^(b/(b-1)) / (b-1) with b = tau_p/tau_q.
    decay, detach_reset, compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        Which of "v0", "tau_p", "tau_q", "tau", "v_threshold" are trained.

    Returns
    -------
    Neuron
        With the state variables "m", "q" and "e"; the membrane is m - q minus the previous e.

    Examples
    --------
    >>> from nbsnn.neurons import CLIF
    >>> round(CLIF(tau_p=12.0, tau_q=8.0).params["v0"], 3)
    6.75
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    slow, fast = filled("tau_p", tau_p), filled("tau_q", tau_q)
    broadcast("CLIF", {"tau_p": tau_p, "tau_q": tau_q})
    if not np.all((slow > fast) & (fast > 0.0)):
        raise ValueError(f"tau_p must be longer than tau_q, but tau_p = {tau_p!r} and tau_q = {tau_q!r}")
    if v0 is None:
        b = slow / fast if slow.ndim or fast.ndim else float(tau_p) / float(tau_q)
        gain = b ** (b / (b - 1.0)) / (b - 1.0)
        if not np.isfinite(gain).all():
            raise ValueError(f"tau_p and tau_q are too far apart for a gain: {tau_p!r} and {tau_q!r}; give v0")
        v0 = gain  # type: ignore[assignment]
    return Neuron(
        step,
        vjp,
        state={"m": 0.0, "q": 0.0, "e": 0.0},
        params={"v0": v0, "tau_p": tau_p, "tau_q": tau_q, "tau": tau, "v_threshold": v_threshold},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau_p": decay, "tau_q": decay, "tau": decay},
        surrogate=surrogate,
        compare=compare,
        holes=through_hole(detach_reset),
        membrane="input",
        kind="CLIF",
        options=options,
    )
