"""Leaky integrate-and-fire neuron.

    u[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t]
    s[t] = spike(u[t] - v_threshold)
    v[t] = reset(u[t], s[t])

Lapicque 1907; in discrete time as in Wu et al. 2018 (arXiv:1706.02609) and Fang et al. 2023 (arXiv:2310.16620).
"""

from __future__ import annotations

from ..neuron import Neuron, Value
from ..surrogates import Surrogate, atan
from ..validate import filled
from .leak import charge, charge_vjp, gain_holes, start
from .refractory import refractory_lif
from .reset import fire, fire_vjp, first_of, reset_holes


def step(x, v, decay, v_threshold, v_reset, v_rest):
    u = charge(x, v, decay, v_rest)
    return fire(u, v_threshold, v_reset)


def vjp(x, v, decay, v_threshold, v_reset, v_rest, gs, gv):
    u = charge(x, v, decay, v_rest)
    gu, g_threshold, g_reset = fire_vjp(u, v_threshold, v_reset, gs, gv)
    gx, gv, g_decay, g_rest = charge_vjp(x, v, decay, v_rest, gu)
    return gx, gv, g_decay, g_threshold, g_reset, g_rest


def LIF(
    tau: float = 2.0,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    *,
    v_rest: float = 0.0,
    v_start: float | None = None,
    refractory: float = 0.0,
    reset: str | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    first: Value | str = 0.0,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrate-and-fire neuron: the default choice for hidden layers and for simulation.

    Parameters
    ----------
    tau : float or array
        Membrane time constant, in the unit of ``dt`` (steps when ``dt`` is 1).
    v_threshold : float or array
        Membrane at which the neuron spikes.
    v_reset : float, array or None
        Membrane after a spike; None subtracts the threshold instead (soft reset).
    v_rest : float or array
        Membrane to which the leak pulls.
    v_start : float or array, optional
        Membrane at which a run starts; ``v_rest`` by default, the trained one if it is trained.
    refractory : float or array
        Time after a spike, in the unit of ``dt``, during which the membrane is held and input is lost, rounded to n
        steps: those of the n steps after the spike's, so that the edge of the period belongs to it.
    reset : {"soft", "hard", "none"}, optional
        Overrules what follows from ``v_reset``.
    decay : {"exp", "euler"}
        Factor per step: exp(-dt/tau), or 1 - dt/tau.
    decay_input : bool
        Scale the input by 1 - factor (for Euler: dt/tau).
    detach_reset : bool
        Let no gradient flow through the reset.
    compare : {">=", ">"}
        Whether a membrane that equals its threshold spikes.
    surrogate : Surrogate, optional
        Derivative of the spike in learning; ``surrogates.atan()`` by default.
    first : float, array or "spike"
        Output before the first step, which only feedback sees; "spike": where the initial membrane is above the
        threshold, with the surrogate's derivative.
    learn : tuple of str
        Which of "tau", "v_threshold", "v_reset", "v_rest" are trained: shared when given as a number, per unit
        when given as an array. A trained ``tau`` stays at a tenth of ``dt`` or more (``dt`` with "euler"), and runs
        start at the trained ``v_rest``. "initial_v" trains the membrane at which a run starts: one per unit.

    Returns
    -------
    Neuron

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import LIF
    >>> run = nbsnn.Population(LIF(tau=20.0), 1).run(np.full((100, 1, 1), 0.06, np.float32))
    >>> int(run["spikes"].sum())
    2
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    value, holes = reset_holes(v_reset, reset, detach_reset)
    neuron = Neuron(
        step,
        vjp,
        state=state,
        params={"tau": tau, "v_threshold": v_threshold, "v_reset": value, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay},
        surrogate=surrogate,
        compare=compare,
        first=first_of(first),
        leak="tau",
        holes={**holes, **gain_holes(decay_input)},
        kind="LIF",
        options=options,
        starts_at=follows,
    )
    held = filled("refractory", refractory)
    return refractory_lif(neuron, refractory) if held.ndim or held else neuron
