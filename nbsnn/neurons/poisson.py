"""Poisson source: spikes at random, independent of each other.

    s[t] = 1 with probability (rate + x[t]) dt

At most one spike in a step: (rate + x) dt is small where the count of a true Poisson process is meant.
"""

from __future__ import annotations

from ..neuron import Neuron
from .units_and_refractory import need


def step(x: float, uniform: float, dt: float, rate: float) -> tuple[float]:
    return (1.0 if uniform < rate + 0.001 * dt * x else 0.0,)


def PoissonNeuron(rate: float = 10.0) -> Neuron:
    """Source of Poisson spikes.

    Parameters
    ----------
    rate : float or array, Hz
        Of each unit, with ``dt`` in ms; at most one spike per step. The input adds to it, in Hz; below 0 is silence.

    Returns
    -------
    Neuron
        Without state. It needs a uniform random number per step, so it runs in ``nbsnn.Network`` only.

    Raises
    ------
    ValueError
        If rate is below 0, or when it is used with a ``dt`` of more than 1000 / rate.

    Examples
    --------
    >>> from nbsnn.neurons import PoissonNeuron
    >>> PoissonNeuron(rate=5.0)
    PoissonNeuron(rate=5.0)
    """
    need("PoissonNeuron", least={"rate": rate})
    return Neuron(
        step,
        params={"dt": 1.0, "rate": rate},
        per_step={"dt": "dt", "rate": "hz"},
        inputs=("current", "uniform"),
        membrane="input",
        kind="PoissonNeuron",
        options={"rate": rate},
    )
