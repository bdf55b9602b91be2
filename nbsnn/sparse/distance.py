"""Connections that depend on how far apart units are: p = profile(distance), each pair on its own.

    Gaussian  p = peak exp(-d^2 / (2 std^2))
    Decay     p = peak exp(-d / length)
    Disc      p = peak where d <= radius, else 0

Units have coordinates in any number of dimensions. With a period the space is a torus, and the distance is the
shortest way round. Beyond its reach a profile is below 2^-32, the smallest probability that a draw can meet, so that
a k-d tree may leave those pairs out and nothing is lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ..random import Draws, counter, squares32
from ..validate import count, finite, number
from .rows import Array, Rows
from .rule import Rule, above

CHUNK = 2**22  # pairs looked at together: 24 bytes each
LEAST = 2.0**-32


class Profile(Protocol):
    """Probability as a function of distance, and the distance from which on it is nil."""

    @property
    def reach(self) -> float:
        """From here on the probability is below 2^-32."""
        ...

    def __call__(self, d: Array) -> Array:
        """The probability at distances ``d``."""
        ...


def _peak(peak: float) -> None:
    if not number("peak", peak, above=0.0) <= 1.0:
        raise ValueError(f"peak must be a probability, at most 1, not {peak!r}")


@dataclass(frozen=True)
class Gaussian:
    """``peak exp(-d^2 / (2 std^2))``.

    >>> Gaussian(0.8, std=2.0)(np.array([0.0, 2.0])).round(3)
    array([0.8  , 0.485])
    """

    peak: float
    std: float

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("std", self.std, above=0.0)

    @property
    def reach(self) -> float:
        """About 6.6 standard deviations."""
        return self.std * math.sqrt(2.0 * max(0.0, math.log(self.peak / LEAST)))

    def __call__(self, d: Array) -> Array:
        """The probability at distances ``d``."""
        return self.peak * np.exp(-0.5 * (d / self.std) ** 2)


@dataclass(frozen=True)
class Decay:
    """``peak exp(-d / length)``.

    >>> Decay(1.0, length=2.0)(np.array([0.0, 2.0])).round(3)
    array([1.   , 0.368])
    """

    peak: float
    length: float

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("length", self.length, above=0.0)

    @property
    def reach(self) -> float:
        """About 22 lengths."""
        return self.length * max(0.0, math.log(self.peak / LEAST))

    def __call__(self, d: Array) -> Array:
        """The probability at distances ``d``."""
        return self.peak * np.exp(-d / self.length)


@dataclass(frozen=True)
class Disc:
    """``peak`` up to ``radius``, which is included, and 0 beyond.

    >>> Disc(1.5)(np.array([1.0, 1.5, 2.0]))
    array([1., 1., 0.])
    """

    radius: float
    peak: float = 1.0

    def __post_init__(self) -> None:
        _peak(self.peak)
        number("radius", self.radius, above=0.0)

    @property
    def reach(self) -> float:
        """The radius."""
        return self.radius

    def __call__(self, d: Array) -> Array:
        """The probability at distances ``d``."""
        return np.where(d <= self.radius, self.peak, 0.0)


@dataclass(frozen=True)
class Distance(Rule):
    """Each pair is connected with a probability that depends on its distance.

    Parameters
    ----------
    profile : Gaussian, Decay, Disc, or anything like them
        Probability as a function of distance.
    cutoff : float, optional
        No synapses beyond this distance.
    period : float or tuple of float, optional
        Length of the space along each dimension, at whose end it begins anew.
    autapses : bool, default True
        Whether a unit may be connected to itself, where source and target are one population.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range; by ``build`` and ``count``, if coordinates are missing or not one row per unit.

    >>> places = grid((10, 10))
    >>> Distance(Disc(1.0), period=10.0, autapses=False).build(100, 100, same=True, coordinates=places).outdegree()[:3]
    array([4, 4, 4])
    """

    profile: Profile
    cutoff: float | None = None
    period: float | tuple[float, ...] | None = None
    autapses: bool = True

    def __post_init__(self) -> None:
        if not callable(self.profile) or not hasattr(self.profile, "reach"):
            raise TypeError(f"profile must be like Gaussian, Decay or Disc, not {self.profile!r}")
        if self.cutoff is not None:
            number("cutoff", self.cutoff, least=0.0)
        for length in self.period if isinstance(self.period, tuple) else (self.period,):
            if length is not None:
                number("period", length, above=0.0)

    def _build(self, n_pre: int, n_post: int, draws: Draws, same: bool, coordinates: Any) -> Rows:
        pre, post = self._coordinates(n_pre, n_post, same, coordinates)
        degree, targets = np.zeros(n_pre + 1, np.int64), []
        with np.errstate(over="ignore"):
            for i, j, d in self._pairs(pre, post, np.arange(n_pre)):
                place = counter(i.astype(np.uint64), j.astype(np.uint64))
                chosen = squares32(place, draws.key) < self.profile(d) * 2.0**32
                if same and not self.autapses:
                    chosen &= i != j
                i, j = i[chosen], j[chosen]
                order = np.lexsort((j, i))
                np.add.at(degree, i + 1, 1)
                targets.append(j[order].astype(np.int32))
        return Rows(np.cumsum(degree), np.concatenate([np.empty(0, np.int32), *targets]), n_post)

    def _count(self, n_pre: int, n_post: int, same: bool, coordinates: Any) -> int:
        pre, post = self._coordinates(n_pre, n_post, same, coordinates)
        some = np.unique(np.linspace(0, n_pre - 1, min(n_pre, 256)).astype(np.int64))
        expected = np.zeros(n_pre)
        for i, _, d in self._pairs(pre, post, some):
            np.add.at(expected, i, self.profile(d))
        if not len(some):
            return 0
        sampling = n_pre**2 * expected[some].var() / len(some) if len(some) < n_pre else 0.0
        mean = n_pre * expected[some].mean()
        return min(n_pre * n_post, above(mean, mean + sampling))

    def _coordinates(self, n_pre: int, n_post: int, same: bool, coordinates: Any) -> tuple[Array, Array]:
        if coordinates is None:
            raise ValueError("Distance needs the units' coordinates: arrays [units, dimensions]")
        pair = coordinates if isinstance(coordinates, (tuple, list)) and len(coordinates) == 2 else (coordinates,) * 2
        found = []
        for name, given, n in (("sources", pair[0], n_pre), ("targets", pair[1], n_post)):
            array = np.asarray(given, np.float64)
            array = array[:, None] if array.ndim == 1 else array
            if array.ndim != 2 or len(array) != n or array.shape[1] < 1:
                raise ValueError(f"coordinates of {name} must have shape [{n}, dimensions], not {list(array.shape)}")
            found.append(finite(f"coordinates of {name}", array))
        if found[0].shape[1] != found[1].shape[1]:
            dimensions = f"{found[0].shape[1]} and {found[1].shape[1]}"
            raise ValueError(f"coordinates of sources and targets must have as many dimensions, not {dimensions}")
        if self.period is not None:
            try:
                period = np.broadcast_to(np.asarray(self.period, np.float64), found[0].shape[1:])
            except ValueError:
                wanted = f"{found[0].shape[1]} dimensions"
                raise ValueError(f"period must be one number or one for each of {wanted}, not {self.period}") from None
            found = [np.minimum(array % period, np.nextafter(period, 0.0)) for array in found]
        return found[0], found[1]

    def _pairs(self, pre: Array, post: Array, units: Array) -> Iterator[tuple[Array, Array, Array]]:
        """Sources, targets and distances of all pairs within reach, a few million at a time, by ascending source."""
        from scipy.spatial import KDTree

        reach = min(float(self.profile.reach), math.inf if self.cutoff is None else self.cutoff)
        if not len(units) or not len(post):
            return
        tree = KDTree(post, boxsize=self.period)
        near = tree.query_ball_point(pre[units], reach, return_length=True)
        ends = np.searchsorted(np.cumsum(near), np.arange(CHUNK, near.sum(), CHUNK))
        for some in np.split(units, np.unique(ends)):
            if len(some):
                part = KDTree(pre[some], boxsize=self.period)
                found = part.sparse_distance_matrix(tree, reach, output_type="ndarray")
                yield some[found["i"]], found["j"].astype(np.int64), found["v"]


def grid(shape: tuple[int, ...], spacing: float = 1.0) -> Array:
    """Coordinates [units, D] of a regular grid, the last dimension fastest, in the middle of cells of size ``spacing``.

    >>> grid((2, 2))
    array([[0.5, 0.5],
           [0.5, 1.5],
           [1.5, 0.5],
           [1.5, 1.5]])
    """
    number("spacing", spacing, above=0.0)
    axes = [(np.arange(count("a length in shape", n)) + 0.5) * spacing for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
