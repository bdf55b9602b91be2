"""Probability as a function of the distance between two units.

    Gaussian  p = peak exp(-d^2 / (2 std^2))
    Decay     p = peak exp(-d / length)
    Disc      p = peak where d <= radius, else 0

Beyond its reach a profile is below 2^-32, the smallest probability that a draw can meet: pairs further apart are left
out, and nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from ..kernels.synapses import distance as loops
from ..validate import number

LEAST = 2.0**-32


class Profile(Protocol):
    """Interface of a custom profile of ``Distance``.

    If it also has ``falling = True``, the probability never grows with distance, and far pairs are looked at faster.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> def ring(d, a, b):
    ...     return a if 1.0 <= d <= b else 0.0
    >>> class Ring:
    ...     function = staticmethod(ring)
    ...     parameters = (0.5, 2.0)
    ...     reach = 2.0
    >>> rule = nbsnn.Distance(Ring())
    >>> places = nbsnn.sparse.grid((5, 5))
    >>> rows = rule.build(25, 25, coordinates=places)
    >>> distance = np.linalg.norm(places[rows.pre()] - places[rows.post], axis=1)
    >>> bool(distance.min() >= 1.0 and distance.max() <= 2.0)
    True
    """

    function: Any
    """``function(d, a, b)``: the probability at distance d, in scalar code that can be compiled."""

    @property
    def parameters(self) -> tuple[float, float]:
        """The numbers ``a`` and ``b``."""
        ...

    @property
    def reach(self) -> float:
        """The distance from which on the probability is nil."""
        ...


def _peak(peak: float) -> None:
    if not number("peak", peak, above=0.0) <= 1.0:
        raise ValueError(f"peak must be a probability, at most 1, not {peak!r}")


@dataclass(frozen=True)
class Gaussian:
    """A profile that falls like a Gaussian: ``peak exp(-d^2 / (2 std^2))``.

    Parameters
    ----------
    peak : float
        Probability at distance 0, above 0 and at most 1.
    std : float
        In the unit of the coordinates.

    Examples
    --------
    >>> Gaussian(0.8, std=2.0)
    Gaussian(peak=0.8, std=2.0)
    """

    peak: float
    std: float
    function: ClassVar[Callable] = staticmethod(loops.gaussian)
    falling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("std", self.std, above=0.0)

    @property
    def parameters(self) -> tuple[float, float]:
        """Peak and standard deviation."""
        return float(self.peak), float(self.std)

    @property
    def reach(self) -> float:
        """Up to 6.7 standard deviations."""
        return self.std * math.sqrt(2.0 * max(0.0, math.log(self.peak / LEAST)))


@dataclass(frozen=True)
class Decay:
    """A profile that falls exponentially: ``peak exp(-d / length)``.

    Parameters
    ----------
    peak : float
        Probability at distance 0, above 0 and at most 1.
    length : float
        In the unit of the coordinates.

    Examples
    --------
    >>> Decay(1.0, length=2.0)
    Decay(peak=1.0, length=2.0)
    """

    peak: float
    length: float
    function: ClassVar[Callable] = staticmethod(loops.decay)
    falling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("length", self.length, above=0.0)

    @property
    def parameters(self) -> tuple[float, float]:
        """Peak and length."""
        return float(self.peak), float(self.length)

    @property
    def reach(self) -> float:
        """Up to 22 lengths."""
        return self.length * max(0.0, math.log(self.peak / LEAST))


@dataclass(frozen=True)
class Disc:
    """A profile that is ``peak`` up to ``radius``, and 0 beyond.

    Parameters
    ----------
    radius : float
        In the unit of the coordinates; included, with 1e-9 of it to spare for rounding.
    peak : float, default 1.0
        Probability within the radius, above 0 and at most 1.

    Examples
    --------
    >>> Disc(1.5)
    Disc(radius=1.5, peak=1.0)
    """

    radius: float
    peak: float = 1.0
    function: ClassVar[Callable] = staticmethod(loops.disc)
    falling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("radius", self.radius, above=0.0)

    @property
    def parameters(self) -> tuple[float, float]:
        """Peak and radius."""
        return float(self.peak), self.reach

    @property
    def reach(self) -> float:
        """The radius."""
        return self.radius * (1.0 + 1e-9)
