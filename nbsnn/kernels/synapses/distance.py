"""Loops over pairs of units that are near each other.

Targets are sorted into cells: those of cell ``c`` are ``order[first[c]:first[c + 1]]``, with coordinates ``x`` in the
same order. A source looks at the cells that ``offsets`` [offsets, D] lead to from its own, ``home`` [n_pre, D]. Where
``period`` is above 0, cells and distances go round. The number that decides about the pair (u, j) is
``squares32(counter(u, j), key)``, whatever the cells are; j = u + own is left out. No pair in the cells of offset ``m``
has a probability above ``bound[m]``: where the number is above it, as for most pairs that are far apart, the distance
need not be known.
"""

import math
from typing import Any

import numpy as np

from ...random import counter, squares32
from ...scalar.hole import hole


def gaussian(d, peak, std) -> Any:
    return peak * math.exp(-0.5 * (d / std) * (d / std))


def decay(d, peak, length) -> Any:
    return peak * math.exp(-d / length)


def disc(d, peak, radius) -> Any:
    return peak if d <= radius else 0.0


@hole
def profile(d, a, b) -> Any:
    raise NotImplementedError


def cell(home, u, offsets, m, cells, period) -> Any:
    """The cell that an offset leads to, or -1 if it lies outside."""
    place = 0
    for k in range(cells.shape[0]):
        at = home[u, k] + offsets[m, k]
        if period[k] > 0.0:
            at = at % cells[k]
        elif at < 0 or at >= cells[k]:
            return -1
        place = place * cells[k] + at
    return place


def distance(source, u, x, e, period) -> Any:
    """Between source ``u`` and target ``e``, the short way round."""
    total = 0.0
    for k in range(period.shape[0]):
        d = abs(source[u, k] - x[e, k])
        if period[k] > 0.0:
            d = min(d, period[k] - d)
        total += d * d
    return math.sqrt(total)


def choose(u0, u1, source, home, offsets, bound, cells, period, first, order, x, reach, a, b, own, key, begin, degree,
           out):  # fmt: skip
    """Count the targets of each source in ``degree``, and fill ``out`` with them unless it is empty.

    Returns how many probabilities were none.
    """
    filling, wrong = out.shape[0] > 0, 0
    for u in range(u0, u1):
        n = 0
        for m in range(offsets.shape[0]):
            c = cell(home, u, offsets, m, cells, period)
            if c < 0:
                continue
            highest = bound[m] * 2.0**32
            for e in range(first[c], first[c + 1]):
                number = np.float64(squares32(counter(np.uint64(u), np.uint64(order[e])), key))
                if number >= highest:
                    continue
                d = distance(source, u, x, e, period)
                if d > reach or order[e] == u + own:
                    continue
                p = profile(d, a, b)
                wrong += not (p >= 0.0 and p <= 1.0)
                if number < p * 2.0**32:
                    if filling:
                        out[begin[u] + n] = order[e]
                    n += 1
        degree[u] = n
    return wrong


def expect(some, source, home, offsets, bound, cells, period, first, order, x, reach, a, b, own, expected):
    """The expected number of targets of ``some`` sources; returns how many probabilities were none."""
    wrong = 0
    for k in range(some.shape[0]):
        u = some[k]
        for m in range(offsets.shape[0]):
            c = cell(home, u, offsets, m, cells, period)
            if c < 0:
                continue
            for e in range(first[c], first[c + 1]):
                d = distance(source, u, x, e, period)
                if d <= reach and order[e] != u + own:
                    p = profile(d, a, b)
                    wrong += not (p >= 0.0 and p <= 1.0)
                    expected[k] += p
    return wrong
