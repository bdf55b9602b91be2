"""Leaky integrator: a readout that does not spike, and the trace of every learning rule.

v[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t]
"""

from __future__ import annotations

from ..neuron import Neuron
from .leak import charge, charge_vjp, gain_holes, start


def step(x, v, decay, v_rest):
    u = charge(x, v, decay, v_rest)
    return u, u


def vjp(x, v, decay, v_rest, gy, gv):
    return charge_vjp(x, v, decay, v_rest, gy + gv)


def LI(
    tau: float = 2.0,
    *,
    v_rest: float = 0.0,
    v_start: float | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Leaky integrator; its output is its membrane.

    Parameters
    ----------
    tau : float or array
        Time constant, in the unit of ``dt``.
    v_rest : float or array
        Where the leak pulls.
    v_start
        As in ``LIF``.
    decay, decay_input
        As in ``LIF``.
    learn : tuple of str
        Which of "tau", "v_rest" are trained.

    Returns
    -------
    Neuron

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import LI
    >>> run = nbsnn.Population(LI(tau=2.0, decay="euler"), 1).run(np.ones((3, 1, 1), np.float32))
    >>> run["v"].ravel()
    array([1.  , 1.5 , 1.75], dtype=float32)
    """
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    return Neuron(
        step,
        vjp,
        state=state,
        params={"tau": tau, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay},
        output="output",
        leak="tau",
        holes=gain_holes(decay_input),
        kind="LI",
        options=options,
        starts_at=follows,
    )
