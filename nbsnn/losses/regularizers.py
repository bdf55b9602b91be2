"""Penalties on the activity of one population: neither silent nor always on.

They act on the spikes ``[T, B, N]`` of a hidden population and need no target: ``value, gradient = penalty(spikes)``.
Both measure how far a number ``n`` lies outside a band and punish that distance; inside the band they are silent:

    outside(n) = max(n - upper, 0) + max(lower - n, 0)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device.buffers import Array
from ..validate import choice, number
from . import checks, on_gpu
from .equations import penalty
from .readouts import MEAN, TOTAL


@dataclass(frozen=True)
class SpikeCount:
    """Penalty on spike counts outside a band: ``strength * mean(outside(n) ** power)``.

    ``n`` is the count over time of each unit in each sample (``over="unit"``; mean over batch and units), or in each
    sample the mean count of all units (``over="population"``; mean over the batch). With the default band ``[0, 0]``
    every spike is punished: plain L1 or L2.

    In the manner of Zenke and Vogels (Neural Computation 33, 2021) a population is bounded from above and each unit
    from below: ``SpikeCount(s, upper=100.0, over="population")`` together with
    ``SpikeCount(s, lower=1.0, upper=float("inf"), power=2)``.

    Parameters
    ----------
    strength : float
        Factor on the penalty.
    lower, upper : float, spikes per sample, default 0
        The band; ``upper`` may be infinite.
    power : {1, 2}, default 1
        L1 or L2.
    over : {"unit", "population"}, default "unit"
        What is counted.

    Examples
    --------
    >>> spikes = np.zeros((10, 1, 2), np.float32)
    >>> spikes[:6, 0, 0] = 1.0                                 # counts 6 and 0
    >>> SpikeCount(1.0, upper=4.0, power=2)(spikes)[0]         # (2^2 + 0) / 2
    2.0
    >>> SpikeCount(1.0, upper=4.0, power=2, over="population")(spikes)[0]
    0.0
    """

    strength: float
    lower: float = 0.0
    upper: float = 0.0
    power: int = 1
    over: str = "unit"

    def __post_init__(self) -> None:
        number("strength", self.strength, least=0.0)
        _check_band(self.lower, self.upper)
        choice("power", self.power, (1, 2))
        choice("over", self.over, ("unit", "population"))

    def __call__(self, spikes: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``spikes`` ``[T, B, N]``, the same number at every step.

        Raises
        ------
        TypeError, ValueError
            ``spikes`` is no finite float array of three axes.
        """
        _, batch, units = checks.output(type(self).__name__, spikes).shape
        n = TOTAL(spikes)
        if self.over == "population":
            n = n.mean(axis=1, keepdims=True)
        weight, factor = self.strength / n.size, self.strength / (batch * units)
        values, g = penalty(n, self.lower, self.upper, self.power, weight, factor)
        return float(values.sum()), TOTAL.back(spikes, g)

    def on_gpu(self, spikes: Array, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for spikes on a GPU; see ``losses.on_gpu``."""
        return on_gpu.spike_count(self.strength, (self.lower, self.upper), self.power, self.over, spikes, total, room)


@dataclass(frozen=True)
class Rate:
    """Quadratic pull of each unit's mean rate into a band: ``strength * mean_i(outside(rate_i) ** 2)``.

    ``rate_i`` is the mean of a unit's spikes over time and batch, so a unit may specialise: silent for one sample,
    busy for the next. With one target instead of a band it is the rate regularisation of Bellec et al. (Nature
    Communications 11, 2020), there with a factor 1/2 and a sum over units.

    Parameters
    ----------
    target : float or (float, float), spikes per step
        The wanted rate, or the lowest and the highest.
    strength : float, default 1
        Factor on the penalty.

    Examples
    --------
    >>> spikes = np.zeros((10, 1, 2))
    >>> spikes[:5, 0, 0] = 1.0                                 # rates 0.5 and 0
    >>> round(Rate((0.1, 0.3))(spikes)[0], 12)                 # (0.2^2 + 0.1^2) / 2
    0.025
    """

    target: float | tuple[float, float]
    strength: float = 1.0

    def __post_init__(self) -> None:
        number("strength", self.strength, least=0.0)
        _check_band(*self.band, "target: ")

    @property
    def band(self) -> tuple[float, float]:
        """The lowest and the highest wanted rate."""
        if not isinstance(self.target, tuple):
            return self.target, self.target
        if len(self.target) != 2:
            raise ValueError(f"target must be a rate or (lowest, highest), not {self.target!r}")
        return self.target

    def __call__(self, spikes: np.ndarray) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``spikes`` ``[T, B, N]``, the same at every step and for every sample.

        Raises
        ------
        TypeError, ValueError
            ``spikes`` is no finite float array of three axes.
        """
        rates = MEAN(checks.output(type(self).__name__, spikes)).mean(axis=0)
        values, g = penalty(rates, *self.band, 2, self.strength / rates.size, self.strength / spikes.size)
        return float(values.sum()), TOTAL.back(spikes, g)

    def on_gpu(self, spikes: Array, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for spikes on a GPU; see ``losses.on_gpu``."""
        return on_gpu.rate(self.strength, self.band, spikes, total, room)


def _check_band(lower: float, upper: float, name: str = "") -> None:
    number(f"{name}the lower bound", lower, least=0.0)
    if not (isinstance(upper, float) and upper == float("inf")):
        number(f"{name}the upper bound", upper, least=0.0)
    if lower > upper:
        raise ValueError(f"the lower bound must not exceed the upper bound, but {lower!r} > {upper!r}")
