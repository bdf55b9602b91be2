"""Leaky integrate-and-fire neuron that spikes as often in a step as its membrane holds its threshold.

    u[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t]
    n[t] = sum_k spike(u[t] - k v_threshold),    k = 1 ... most
    v[t] = u[t] - n[t] v_threshold

With steps that are long beside the time between two spikes, none is lost: this is Sinabs' default.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..surrogates import Surrogate, atan, dspike, spike
from ..validate import count
from .leak import charge, charge_vjp, gain_holes, start
from .units_and_refractory import need


def spikes(u, v_threshold, most):
    """How many thresholds ``u`` holds; those above one that it does not reach need no look."""
    k, s = 1.0, spike(u - v_threshold)
    n = s
    while s > 0.0 and k < most:
        k = k + 1.0
        s = spike(u - k * v_threshold)
        n = n + s
    return n


def slopes(u, v_threshold, most):
    """The derivative of ``spikes`` with respect to ``u``, and minus that with respect to ``v_threshold``, from the
    multiples that are reached and the next."""
    k, s, total, weighted = 0.0, 1.0, 0.0, 0.0
    while s > 0.0 and k < most:
        k = k + 1.0
        s, d = spike(u - k * v_threshold), dspike(u - k * v_threshold)
        total, weighted = total + d, weighted + k * d
    return total, weighted


def step(x, v, decay, v_threshold, v_rest, most):
    u = charge(x, v, decay, v_rest)
    n = spikes(u, v_threshold, most)
    return n, u - n * v_threshold


def vjp(x, v, decay, v_threshold, v_rest, most, gs, gv):
    u = charge(x, v, decay, v_rest)
    total, weighted = slopes(u, v_threshold, most)
    gn = gs - gv * v_threshold
    gx, gw, g_decay, g_rest = charge_vjp(x, v, decay, v_rest, gv + gn * total)
    return gx, gw, g_decay, -gv * spikes(u, v_threshold, most) - gn * weighted, g_rest, 0.0


def MultiSpike(
    tau: float | None = 20.0,
    v_threshold: float = 1.0,
    *,
    v_rest: float = 0.0,
    v_start: float | None = None,
    most: int = 16,
    decay: str = "exp",
    decay_input: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Integrate-and-fire neuron with several spikes a step; each subtracts the threshold.

    Parameters
    ----------
    tau : float, array or None
        Membrane time constant, in the unit of ``dt``; None: no leak.
    v_threshold : float or array
        What a spike takes of the membrane; above 0.
    v_rest, v_start
        As in ``LIF``.
    most : int
        Spikes of one step at most; what is more stays in the membrane.
    decay, decay_input, compare, surrogate
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "v_threshold", "v_rest", "initial_v" are trained.

    Returns
    -------
    Neuron
        With the state "v". Its output is the number of spikes and is called "count".

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import MultiSpike
    >>> run = nbsnn.Population(MultiSpike(tau=None), 1).run(np.float32([3.5, 0, 0.5]).reshape(3, 1, 1))
    >>> run["count"].ravel(), run["v"].ravel()
    (array([3., 0., 1.], dtype=float32), array([0.5, 0.5, 0. ], dtype=float32))
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    need("MultiSpike", above={"v_threshold": v_threshold})
    count("most", most, most=1000)
    if tau is None and decay_input:
        raise ValueError("without a leak (tau=None) decay_input=True would let no input in")
    leak = "decay" if tau is None else "tau"
    return Neuron(
        step,
        vjp,
        state=state,
        params={leak: 1.0 if tau is None else tau, "v_threshold": v_threshold, "v_rest": v_rest, "most": float(most)},
        learn=learn,  # type: ignore[arg-type]
        per_step={} if tau is None else {"tau": decay},
        surrogate=surrogate,
        compare=compare,
        output="count",
        leak="" if tau is None else "tau",
        holes=gain_holes(decay_input),
        kind="MultiSpike",
        options=options,
        starts_at=follows,
    )
