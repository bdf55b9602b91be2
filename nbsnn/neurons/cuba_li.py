"""Current-based leaky integrator: a readout behind an exponential synapse.

    i[t] = decay_syn i[t-1] + x[t]
    v[t] = v_rest + decay (v[t-1] - v_rest) + gain i[t]

The current of a step acts in the same step, as in ``CubaLIF``.
"""

from __future__ import annotations

from ..neuron import Neuron
from .leak import charge, charge_vjp, gain_holes, start


def step(x, i, v, decay_syn, decay, v_rest):
    i = decay_syn * i + x
    u = charge(i, v, decay, v_rest)
    return u, i, u


def vjp(x, i, v, decay_syn, decay, v_rest, gy, gi, gv):
    current = decay_syn * i + x
    g_current, gv, g_decay, g_rest = charge_vjp(current, v, decay, v_rest, gy + gv)
    g_current = g_current + gi
    return g_current, g_current * decay_syn, gv, g_current * i, g_decay, g_rest


def CubaLI(
    tau: float = 10.0,
    tau_syn: float = 5.0,
    *,
    v_rest: float = 0.0,
    v_start: float | None = None,
    decay: str = "exp",
    decay_input: bool = False,
    learn: tuple[str, ...] | str = (),
) -> Neuron:
    """Current-based leaky integrator; its output is its membrane.

    Parameters
    ----------
    tau, tau_syn : float or array
        Time constants of membrane and synaptic current, in the unit of ``dt``.
    v_rest, v_start, decay, decay_input
        As in ``CubaLIF``.
    learn : tuple of str
        Which of "tau_syn", "tau", "v_rest" are trained.

    Returns
    -------
    Neuron
        With the state variables "i" and "v".

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import CubaLI
    >>> run = nbsnn.Population(CubaLI(2.0, 2.0, decay="euler"), 1).run(np.float32([1, 0, 0]).reshape(3, 1, 1))
    >>> run["v"].ravel()
    array([1.  , 1.  , 0.75], dtype=float32)
    """
    options = dict(locals())
    state, follows = start(v_rest, v_start)
    return Neuron(
        step,
        vjp,
        state={"i": 0.0, **state},
        params={"tau_syn": tau_syn, "tau": tau, "v_rest": v_rest},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau_syn": decay, "tau": decay},
        output="output",
        leak="tau",
        holes=gain_holes(decay_input),
        membrane="input",
        kind="CubaLI",
        options=options,
        starts_at=follows,
    )
