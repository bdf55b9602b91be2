"""A firing pattern: a neuron, and the current under which its paper shows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..neuron import Neuron


@dataclass(frozen=True, eq=False)
class Pattern:
    """A neuron, the current that it is shown with, and the step of the simulation.

    Parameters
    ----------
    neuron : Neuron
        The model, with its state at the start.
    current : callable
        Times in ms, an array, to input currents.
    duration, dt : float, ms
        Length of the simulation and of a step.

    Examples
    --------
    >>> import nbsnn
    >>> pattern = nbsnn.neurons.izhikevich_patterns()["tonic spiking"]
    >>> run = nbsnn.Population(pattern.neuron, 1, dt=pattern.dt).run(pattern.input())
    >>> int(run["spikes"].sum())
    5
    """

    neuron: Neuron
    current: Callable[[np.ndarray], np.ndarray]
    duration: float
    dt: float

    @property
    def times(self) -> np.ndarray:
        """The beginning of each step in ms, [T]."""
        return np.arange(round(self.duration / self.dt)) * self.dt

    def input(self) -> np.ndarray:
        """The current of each step, [T, 1, 1]: what ``Population.run`` takes for one unit."""
        return np.asarray(self.current(self.times), np.float64).reshape(-1, 1, 1)


def steps(*levels: Sequence[float], base: float = 0.0) -> Callable[[np.ndarray], np.ndarray]:
    """A current of ``base``, and of ``level`` while start < t < stop, for each (start, stop, level).

    >>> steps((1.0, 3.0, 5.0))(np.arange(5.0))
    array([0., 0., 5., 0., 0.])
    """

    def current(t: np.ndarray) -> np.ndarray:
        result = np.full(np.shape(t), base)
        for start, stop, level in levels:
            result[(t > start) & (t < stop)] = level
        return result

    return current
