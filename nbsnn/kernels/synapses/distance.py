"""Loops over pairs of units that are near each other.

The number that decides about the pair (u, j) is ``squares32(counter(u, j), key)``, whatever the cells are;
j = u + own is left out. No pair in the cells of offset ``m`` has a probability above ``bound[m]``: where the number is
above it, as for most pairs that are far apart, the distance need not be known.
"""

import math
from typing import NamedTuple

import numpy as np

from ...random import counter, squares32
from ...scalar.hole import hole


class Cells(NamedTuple):
    """Targets sorted into cells, and where a source must look.

    Those of cell ``c`` are ``order[first[c]:first[c + 1]]``, with coordinates ``x`` in the same order. A source looks
    at the cells that ``offsets`` [offsets, D] lead to from its own, ``home`` [n_pre, D]; ``gaps`` [offsets] is how far
    away these are at least. Where ``period`` [D] is above 0, ``cells`` [D] and distances go round.
    """

    home: np.ndarray
    offsets: np.ndarray
    gaps: np.ndarray
    cells: np.ndarray
    period: np.ndarray
    first: np.ndarray
    order: np.ndarray
    x: np.ndarray


class Reach(NamedTuple):
    """How far a source reaches, the parameters of the profile, and the difference between a target's number and that of
    the source that it is."""

    distance: float
    a: float
    b: float
    own: int


def gaussian(d: float, peak: float, std: float) -> float:
    return peak * math.exp(-0.5 * (d / std) * (d / std))


def decay(d: float, peak: float, length: float) -> float:
    return peak * math.exp(-d / length)


def disc(d: float, peak: float, radius: float) -> float:
    return peak if d <= radius else 0.0


@hole
def profile(d: float, a: float, b: float) -> float:
    raise NotImplementedError


def cell(u: int, m: int, near: Cells) -> int:
    """The cell that an offset leads to, or -1 if it lies outside."""
    home, offsets, cells, period = near.home, near.offsets, near.cells, near.period
    place = 0
    for k in range(cells.shape[0]):
        at = home[u, k] + offsets[m, k]
        if period[k] > 0.0:
            at = at % cells[k]
        elif at < 0 or at >= cells[k]:
            return -1
        place = place * cells[k] + at
    return place


def distance(source: np.ndarray, u: int, x: np.ndarray, e: int, period: np.ndarray) -> float:
    """Between source ``u`` and target ``e``, the short way round."""
    total = 0.0
    for k in range(period.shape[0]):
        d = abs(source[u, k] - x[e, k])
        if period[k] > 0.0:
            d = min(d, period[k] - d)
        total += d * d
    return math.sqrt(total)


def choose(
    u0: int, u1: int, source: np.ndarray, near: Cells, bound: np.ndarray, reach: Reach, key: np.uint64,
    begin: np.ndarray, degree: np.ndarray, out: np.ndarray,
) -> int:  # fmt: skip
    """Count the targets of each source in ``degree``, and fill ``out`` with them unless it is empty.

    Returns how many probabilities were none.
    """
    first, order = near.first, near.order
    filling, wrong = out.shape[0] > 0, 0
    for u in range(u0, u1):
        n = 0
        for m in range(near.offsets.shape[0]):
            c = cell(u, m, near)
            if c < 0:
                continue
            highest = bound[m] * 2.0**32
            for e in range(first[c], first[c + 1]):
                number = np.float64(squares32(counter(np.uint64(u), np.uint64(order[e])), key))
                if number >= highest:
                    continue
                d = distance(source, u, near.x, e, near.period)
                if d > reach.distance or order[e] == u + reach.own:
                    continue
                p = profile(d, reach.a, reach.b)
                wrong += not (p >= 0.0 and p <= 1.0)
                if number < p * 2.0**32:
                    if filling:
                        out[begin[u] + n] = order[e]
                    n += 1
        degree[u] = n
    return wrong


def expect(
    some: np.ndarray, source: np.ndarray, near: Cells, bound: np.ndarray, reach: Reach, expected: np.ndarray
) -> int:
    """The expected number of targets of ``some`` sources; returns how many probabilities were none."""
    first, order, wrong = near.first, near.order, 0
    for k in range(some.shape[0]):
        u = some[k]
        for m in range(near.offsets.shape[0]):
            c = cell(u, m, near)
            if c < 0:
                continue
            for e in range(first[c], first[c + 1]):
                d = distance(source, u, near.x, e, near.period)
                if d <= reach.distance and order[e] != u + reach.own:
                    p = profile(d, reach.a, reach.b)
                    wrong += not (p >= 0.0 and p <= 1.0)
                    expected[k] += p
    return wrong
