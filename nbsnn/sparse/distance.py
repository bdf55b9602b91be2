"""Connections that depend on how far apart units are: p = profile(distance), each pair on its own.

Units have coordinates in any number of dimensions. With a period the space is a torus, and the distance is the
shortest way round.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..compile.fill import kernel
from ..device.threads import run_threaded
from ..kernels.synapses import distance as loops
from ..random import Draws
from ..validate import affordable, finite, number, real, shape_of, shown, switch
from .cells import sort_into_cells
from .distance_profile import Profile
from .rows import Array, Rows, turn
from .rule import NOWHERE, Coordinates, Rule, above

SAMPLE = 256  # sources from which the number of synapses is estimated


@dataclass(frozen=True)
class Distance(Rule):
    """Each pair is connected with a probability that depends on its distance.

    Parameters
    ----------
    profile : Gaussian, Decay, Disc, or a custom Profile
        Probability as a function of distance.
    cutoff : float, optional
        No synapses beyond this distance: fewer pairs to look at. Beyond four standard deviations lie 0.03 % of the
        synapses of a Gaussian in the plane, but two thirds of the pairs within its reach.
    period : float or tuple of float, optional
        Length of the space along each dimension, at whose end it begins anew.
    autapses : bool, default True
        Whether a unit may be connected to itself, where it is on both sides.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range; by ``build`` and ``count``, if coordinates are missing or not one row per unit.

    Examples
    --------
    >>> from nbsnn.sparse import Disc
    >>> places = grid((10, 10))
    >>> Distance(Disc(1.0), period=10.0, autapses=False).build(100, 100, same=True, coordinates=places).outdegree()[:3]
    array([4, 4, 4])
    """

    profile: Profile
    cutoff: float | None = None
    period: float | tuple[float, ...] | None = None
    autapses: bool = True

    def __post_init__(self) -> None:
        parts = ("function", "parameters", "reach")
        if isinstance(self.profile, type) or not all(hasattr(self.profile, name) for name in parts):
            raise TypeError(f"profile must be like Gaussian, Decay or Disc, not {shown(self.profile)}")
        switch("autapses", self.autapses)
        if self.cutoff is not None:
            number("cutoff", self.cutoff, above=0.0)
        for length in self.period if isinstance(self.period, tuple) else (self.period,):
            if length is not None:
                number("period", length, above=0.0)

    def _build(
        self, n_pre: int, n_post: int, draws: Draws, own: int, coordinates: Coordinates, lo: int, hi: int
    ) -> Rows:
        pre, post, period = self._coordinates(n_pre, n_post, own, coordinates)
        start, degree, wrong = np.zeros(n_pre + 1, np.int64), np.zeros(n_pre, np.int64), []
        if not n_pre or lo == hi:
            return Rows(start, np.empty(0, np.int32), n_post)
        fixed = self._arguments(pre, post, period, own, lo, hi)
        choose, key = _kernel("choose", self.profile.function), np.uint64(draws.key)
        near = fixed[1]
        work = n_pre * (hi - lo) * len(near.offsets) // int(near.cells.prod())  # pairs in the cells looked at

        def run(out: Array) -> None:
            def part(lo: int, hi: int) -> None:
                with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap
                    wrong.append(choose(lo, hi, *fixed, key, start, degree, out))

            run_threaded(part, n_pre, work)

        run(np.empty(0, np.int32))
        self._probabilities(sum(wrong))
        np.cumsum(degree, out=start[1:])
        found = np.empty(start[-1], np.int32)
        if len(found):
            run(found)
        found -= np.int32(lo)
        start, found = turn(*turn(start, found, hi - lo), n_pre)
        return Rows(start, found + np.int32(lo), n_post)

    def _count(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> int:
        pre, post, period = self._coordinates(n_pre, n_post, own, coordinates)
        if not n_pre or not n_post:
            return 0
        some = np.unique(np.linspace(0, n_pre - 1, SAMPLE).astype(np.int64))
        expected = np.zeros(len(some))
        fixed = self._arguments(pre, post, period, own, 0, n_post)
        self._probabilities(_kernel("expect", self.profile.function)(some, *fixed, expected))
        mean = n_pre * expected.mean()
        sampling = n_pre**2 * expected.var() / len(some) if len(some) < n_pre else 0.0
        return min(n_pre * n_post, above(mean, mean + sampling))

    def _arguments(
        self, pre: Array, post: Array, period: Array, own: int, lo: int, hi: int
    ) -> tuple[Array, loops.Cells, Array, loops.Reach]:
        """Arguments of kernels between the sources and the results, for the targets [lo, hi)."""
        reach = min(float(self.profile.reach), math.inf if self.cutoff is None else self.cutoff)
        cells = sort_into_cells(pre, post[lo:hi], max(reach, 1e-300), period)
        cells = cells._replace(order=cells.order + np.int32(lo))
        function, parameters = self.profile.function, self.profile.parameters
        falling = getattr(self.profile, "falling", False)
        bound = np.array([function(gap, *parameters) if falling else 1.0 for gap in cells.gaps.tolist()])
        return pre, cells, bound, loops.Reach(reach, *parameters, NOWHERE if self.autapses else own)

    def _probabilities(self, wrong: int) -> None:
        if wrong:
            raise ValueError(f"{self.profile!r} must give probabilities from 0 to 1; for {wrong} pairs it does not")

    def _coordinates(self, n_pre: int, n_post: int, own: int, coordinates: Coordinates) -> tuple[Array, Array, Array]:
        """Positions of sources and targets, and the period along each dimension, 0 for none."""
        if coordinates is None:
            raise ValueError("Distance needs the units' coordinates: arrays [units, dimensions]")
        same = own == 0 and n_pre == n_post
        pair = coordinates if isinstance(coordinates, tuple) and not same else (coordinates,) * 2
        if len(pair) != 2:
            raise ValueError(f"coordinates must be a pair of arrays, for sources and for targets, not {len(pair)}")
        found = []
        for name, given, n in (("sources", pair[0], n_pre), ("targets", pair[1], n_post)):
            array = real(f"coordinates of {name}", given).astype(np.float64)
            array = array[:, None] if array.ndim == 1 else array
            if array.ndim != 2 or len(array) != n or array.shape[1] < 1:
                raise ValueError(f"coordinates of {name} must have shape [{n}, dimensions], not {list(array.shape)}")
            found.append(finite(f"coordinates of {name}", array))
        dimensions = found[0].shape[1]
        if found[1].shape[1] != dimensions:
            given = f"{dimensions} and {found[1].shape[1]}"
            raise ValueError(f"coordinates of sources and targets must have as many dimensions, not {given}")
        period = np.zeros(dimensions)
        if self.period is not None:
            if isinstance(self.period, tuple) and len(self.period) != dimensions:
                raise ValueError(f"period must be one number or one for each of {dimensions} dimensions: {self.period}")
            period[:] = self.period
            found = [np.where(array % period < period, array % period, 0.0) for array in found]
        return found[0], found[1], period


def grid(shape: tuple[int, ...], spacing: float = 1.0) -> Array:
    """Coordinates of a regular grid.

    Parameters
    ----------
    shape : tuple of int
        Units along each dimension.
    spacing : float, default 1.0
        Distance of neighbours.

    Returns
    -------
    float64 array [units, D]
        The last dimension fastest, in the middle of cells of size ``spacing``.

    Examples
    --------
    >>> grid((2, 2))
    array([[0.5, 0.5],
           [0.5, 1.5],
           [1.5, 0.5],
           [1.5, 1.5]])
    """
    number("spacing", spacing, above=0.0)
    shape = shape_of("shape", shape)
    if not shape:
        raise ValueError("shape must have at least one length, not ()")
    affordable(f"a grid of shape {shape}", 8.0 * math.prod(shape) * max(1, len(shape)))
    axes = [(np.arange(n) + 0.5) * spacing for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))


@functools.cache
def _kernel(loop: str, profile: Callable) -> Callable:
    return kernel(getattr(loops, loop), dtype=np.float64, profile=profile)
