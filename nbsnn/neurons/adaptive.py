"""LIF with adaptive threshold, whose distance from the threshold is measured in units of the threshold.

    theta = v_threshold + b[t-1]
    u[t] = decay v[t-1] + x[t]
    s[t] = spike((m - theta) / theta),  m = u[t], or v[t-1] with delayed
    v[t] = u[t] - s[t] theta
    b[t] = decay_adapt b[t-1] + beta s[t]

It spikes as ``ALIF`` does; the surrogate's width, though, grows with the threshold. Bellec et al. 2018
(arXiv:1803.09574), as in rnnbuilder (Quickblink, 2021).
"""

from __future__ import annotations

from ..neuron import Neuron, Value
from ..surrogates import Surrogate, atan, dspike, spike
from .compare_before import delayed_holes, seen, seen_after, seen_before
from .reset import dthrough, first_of, through, through_hole
from .units_and_refractory import need

SMALLEST = 1e-3
"""Training keeps the threshold at this or above."""


def step(x, v, b, decay, decay_adapt, beta, v_threshold):
    theta = v_threshold + b
    u = decay * v + x
    s = spike((seen(v, u) - theta) / theta)
    return s, u - through(s) * theta, decay_adapt * b + beta * s


def vjp(x, v, b, decay, decay_adapt, beta, v_threshold, gs, gv, gb):
    theta = v_threshold + b
    m = seen(v, decay * v + x)
    distance = (m - theta) / theta
    s = spike(distance)
    gm = (gs + gb * beta + dthrough(-gv * theta)) * dspike(distance) / theta
    g_theta = -gm * m / theta - gv * s
    gu = gv + seen_after(gm)
    return gu, gu * decay + seen_before(gm), gb * decay_adapt + g_theta, gu * v, gb * b, gb * s, g_theta


def Adaptive(
    tau: float = 20.0,
    tau_adapt: float = 200.0,
    beta: float = 0.2,
    v_threshold: float = 1.0,
    *,
    delayed: bool = False,
    decay: str = "exp",
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    first: Value | str = 0.0,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron with adaptive threshold and a surrogate scaled by it.

    Parameters
    ----------
    tau, tau_adapt : float or array
        Time constants of membrane and threshold, in the unit of ``dt``.
    beta : float or array
        How much each spike raises the threshold, at least 0.
    v_threshold : float or array
        Threshold of a neuron that has not spiked, greater than 0.
    delayed : bool
        Whether the spike is decided by the membrane before the step; the input then acts one step later.
    decay, detach_reset, compare, surrogate, first
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "tau_adapt", "beta", "v_threshold", "initial_v", "initial_b" are trained. Training keeps
        ``beta`` at 0 or more, ``v_threshold`` at 0.001.

    Returns
    -------
    Neuron
        With the state variables "v" and "b", the latter being by how much the threshold is raised.

    Raises
    ------
    ValueError
        If the threshold is not above 0, or ``beta`` is below 0: distances are divided by the threshold.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import Adaptive
    >>> run = nbsnn.Population(Adaptive(beta=1.0), 1).run(np.full((8, 1, 1), 0.6, np.float32))
    >>> run["spikes"].ravel()
    array([0., 1., 0., 0., 0., 1., 0., 0.], dtype=float32)
    """
    need("an Adaptive", above={"v_threshold": v_threshold}, least={"beta": beta})
    surrogate = atan() if surrogate is None else surrogate
    options = {
        "tau": tau, "tau_adapt": tau_adapt, "beta": beta, "v_threshold": v_threshold, "delayed": delayed,
        "decay": decay, "detach_reset": detach_reset, "compare": compare, "surrogate": surrogate,
        "first": first, "learn": learn,
    }  # fmt: skip
    return Neuron(
        step,
        vjp,
        state={"v": 0.0, "b": 0.0},
        params={"tau": tau, "tau_adapt": tau_adapt, "beta": beta, "v_threshold": v_threshold},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay, "tau_adapt": decay},
        surrogate=surrogate,
        compare=compare,
        first=first_of(first),
        leak="tau",
        holes={**delayed_holes(delayed), **through_hole(detach_reset)},
        kind="Adaptive",
        options=options,
        least={"v_threshold": SMALLEST, "beta": 0.0},
    )
