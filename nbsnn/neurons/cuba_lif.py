"""Current-based LIF: input passes through an exponential synapse before it charges the membrane.

    i[t] = decay_syn i[t-1] + x[t]
    u[t] = v_rest + decay (v[t-1] - v_rest) + gain i[t]
    s[t] = spike(u[t] - v_threshold)
    v[t] = reset(u[t], s[t])

Zenke and Ganguli 2018 (arXiv:1705.11146); the current of a step acts in the same step.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan
from .leak import charge, charge_vjp, gain_holes, start
from .reset import fire, fire_vjp, reset_holes


def step(x, i, v, decay_syn, decay, v_threshold, v_reset, v_rest):
    i = decay_syn * i + x
    s, v = fire(charge(i, v, decay, v_rest), v_threshold, v_reset)
    return s, i, v


def vjp(x, i, v, decay_syn, decay, v_threshold, v_reset, v_rest, gs, gi, gv):
    current = decay_syn * i + x
    u = charge(current, v, decay, v_rest)
    gu, g_threshold, g_reset = fire_vjp(u, v_threshold, v_reset, gs, gv)
    g_current, gv, g_decay, g_rest = charge_vjp(current, v, decay, v_rest, gu)
    g_current = g_current + gi
    return (g_current, g_current * decay_syn, gv, g_current * i, g_decay, g_threshold, g_reset, g_rest)


def CubaLIF(
    tau: float = 10.0,
    tau_syn: float = 5.0,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    *,
    v_rest: float = 0.0,
    v_start: float | None = None,
    reset: str | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Current-based leaky integrate-and-fire neuron.

    Parameters
    ----------
    tau, tau_syn : float or array
        Time constants of membrane and synaptic current, in the unit of ``dt``.
    v_threshold, v_reset, v_rest, v_start, reset, decay, decay_input, detach_reset, compare, surrogate
        As in ``LIF``; ``decay_input`` scales the current where it charges the membrane.
    learn : tuple of str
        Which of "tau_syn", "tau", "v_threshold", "v_reset", "v_rest" are trained.

    Returns
    -------
    Neuron
        With the state variables "i" and "v".

    Examples
    --------
    >>> from nbsnn.neurons import CubaLIF
    >>> list(CubaLIF().state)
    ['i', 'v']
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    value, holes = reset_holes(v_reset, reset, detach_reset)
    return Neuron(
        step,
        vjp,
        state={"i": 0.0, **state},
        params={"tau_syn": tau_syn, "tau": tau, "v_threshold": v_threshold, "v_reset": value, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau_syn": decay, "tau": decay},
        surrogate=surrogate,
        compare=compare,
        leak="tau",
        holes={**holes, **gain_holes(decay_input)},
        membrane="input",
        kind="CubaLIF",
        options=options,
        starts_at=follows,
    )
