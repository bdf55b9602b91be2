"""Leaky integrate-and-fire neuron whose threshold is subtracted one step after the spike.

    r[t] = spike(v[t-1] - v_threshold)
    v[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t] - r[t] v_threshold
    s[t] = spike(v[t] - v_threshold)

With a synapse, a current i[t] = decay_syn i[t-1] + x[t] stands in the place of x[t]. The membrane of a spike is
recorded as it was. These are snnTorch's ``Leaky`` and ``Synaptic`` with their defaults (``reset_mechanism="subtract"``,
``reset_delay=True``) by time constants; all its resets, by its factors, are in ``nbsnn.presets.snntorch``.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan, dspike, spike
from .leak import charge, charge_vjp, gain_holes, start
from .reset import dthrough, through, through_hole


def step(x, v, decay, v_threshold, v_rest):
    u = charge(x, v, decay, v_rest) - through(spike(v - v_threshold)) * v_threshold
    return spike(u - v_threshold), u


def vjp(x, v, decay, v_threshold, v_rest, gs, gv):
    r = through(spike(v - v_threshold))
    u = charge(x, v, decay, v_rest) - r * v_threshold
    gd = gs * dspike(u - v_threshold)
    gu = gd + gv
    gr = dthrough(-gu * v_threshold) * dspike(v - v_threshold)
    gx, gv, g_decay, g_rest = charge_vjp(x, v, decay, v_rest, gu)
    return gx, gv + gr, g_decay, -gd - gr - gu * r, g_rest


def current_step(x, i, v, decay_syn, decay, v_threshold, v_rest):
    i = decay_syn * i + x
    s, v = step(i, v, decay, v_threshold, v_rest)
    return s, i, v


def current_vjp(x, i, v, decay_syn, decay, v_threshold, v_rest, gs, gi, gv):
    g_current, gv, g_decay, g_threshold, g_rest = vjp(decay_syn * i + x, v, decay, v_threshold, v_rest, gs, gv)
    g_current = g_current + gi
    return g_current, g_current * decay_syn, gv, g_current * i, g_decay, g_threshold, g_rest


def LateReset(
    tau: float = 20.0,
    v_threshold: float = 1.0,
    *,
    tau_syn: float | None = None,
    v_rest: float = 0.0,
    v_start: float | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron with a soft reset one step late.

    Parameters
    ----------
    tau, v_threshold
        As in ``LIF``.
    tau_syn : float, array or None
        Time constant of the synaptic current, as in ``CubaLIF``; None: input charges the membrane itself.
    v_rest, v_start, decay, decay_input, detach_reset, compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "tau_syn", "v_threshold", "v_rest", "initial_v" are trained.

    Returns
    -------
    Neuron
        With the state "v", or with a synapse "i" and "v".

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import LateReset
    >>> run = nbsnn.Population(LateReset(tau=2.0, decay="euler"), 1).run(np.float32([2, 0, 0]).reshape(3, 1, 1))
    >>> run["v"].ravel(), run["spikes"].ravel()
    (array([2., 0., 0.], dtype=float32), array([1., 0., 0.], dtype=float32))
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    direct = tau_syn is None
    synapse = {} if direct else {"tau_syn": tau_syn}
    return Neuron(
        step if direct else current_step,
        vjp if direct else current_vjp,
        state={**({} if direct else {"i": 0.0}), **state},
        params={**synapse, "tau": tau, "v_threshold": v_threshold, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step=dict.fromkeys([*synapse, "tau"], decay),
        surrogate=surrogate,
        compare=compare,
        leak="tau",
        holes={**through_hole(detach_reset), **gain_holes(decay_input)},
        membrane="" if direct else "input",
        kind="LateReset",
        options=options,
        starts_at=follows,
    )
