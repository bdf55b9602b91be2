"""Integrator: a readout without a leak, which adds up its input.

v[t] = v[t-1] + x[t]
"""

from __future__ import annotations

from ..neuron import Neuron
from .units_and_refractory import need


def step(x, v):
    u = v + x
    return u, u


def vjp(x, v, gy, gv):
    return gy + gv, gy + gv


def Integrator(*, v_start: float = 0.0, learn: tuple[str, ...] | str = ()) -> Neuron:
    """Integrator; its output is its membrane.

    Parameters
    ----------
    v_start : float or array
        Membrane at which a run starts.
    learn : tuple of str
        May name "initial_v".

    Returns
    -------
    Neuron

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import Integrator
    >>> run = nbsnn.Population(Integrator(), 1).run(np.ones((3, 1, 1), np.float32))
    >>> run["v"].ravel()
    array([1., 2., 3.], dtype=float32)
    """
    options = dict(locals())
    need("Integrator", real={"v_start": v_start})
    return Neuron(
        step,
        vjp,
        state={"v": v_start},
        learn=learn,  # type: ignore[arg-type]
        output="output",
        kind="Integrator",
        options=options,
    )
