"""LIF with adaptive threshold: each spike raises the threshold, which relaxes with its own time constant.

    u[t]     = v_rest + decay (v[t-1] - v_rest) + gain x[t]
    theta[t] = v_threshold + beta a[t-1]
    s[t]     = spike(u[t] - theta[t])
    v[t]     = reset(u[t], s[t]), a soft reset subtracting theta[t]
    a[t]     = decay_adapt a[t-1] + s[t]

Bellec et al. 2018 (arXiv:1803.09574), 2020 (doi:10.1038/s41467-020-17236-y).
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan
from .leak import charge, charge_vjp, gain_holes
from .reset import fire, fire_vjp, reset_holes


def step(x, v, a, decay, decay_adapt, beta, v_threshold, v_reset, v_rest):
    s, v = fire(charge(x, v, decay, v_rest), v_threshold + beta * a, v_reset)
    return s, v, decay_adapt * a + s


def vjp(x, v, a, decay, decay_adapt, beta, v_threshold, v_reset, v_rest, gs, gv, ga):
    u = charge(x, v, decay, v_rest)
    gu, g_theta, g_reset = fire_vjp(u, v_threshold + beta * a, v_reset, gs + ga, gv)
    gx, gv, g_decay, g_rest = charge_vjp(x, v, decay, v_rest, gu)
    return (gx, gv, ga * decay_adapt + g_theta * beta, g_decay, ga * a, g_theta * a, g_theta, g_reset, g_rest)


def ALIF(
    tau: float = 20.0,
    tau_adapt: float = 200.0,
    beta: float = 0.2,
    v_threshold: float = 1.0,
    v_reset: float | None = None,
    *,
    v_rest: float = 0.0,
    reset: str | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron with adaptive threshold.

    Parameters
    ----------
    tau, tau_adapt : float or array
        Time constants of membrane and threshold, in the unit of ``dt``.
    beta : float or array
        How much each recent spike raises the threshold.
    v_threshold : float or array
        Threshold of a neuron that has not spiked.
    v_reset, v_rest, reset, decay, decay_input, detach_reset, compare, surrogate
        As in ``LIF``; here the default is a soft reset.
    learn : tuple of str
        Which of "tau", "tau_adapt", "beta", "v_threshold", "v_reset", "v_rest" are trained.

    Returns
    -------
    Neuron
        With the state variables "v" and "a".

    Examples
    --------
    >>> from nbsnn.neurons import ALIF
    >>> list(ALIF().state)
    ['v', 'a']
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    value, holes = reset_holes(v_reset, reset, detach_reset)
    params = {"tau": tau, "tau_adapt": tau_adapt, "beta": beta}
    return Neuron(
        step,
        vjp,
        state={"v": v_rest, "a": 0.0},
        params={**params, "v_threshold": v_threshold, "v_reset": value, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay, "tau_adapt": decay},
        surrogate=surrogate,
        compare=compare,
        leak="tau",
        holes={**holes, **gain_holes(decay_input)},
        kind="ALIF",
        options=options,
        starts_at={"v": "v_rest"},
    )
