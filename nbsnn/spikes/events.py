"""Spikes as events: where they are few, a product with them is a sum of chosen rows.

The work of x W grows with the spikes in x instead of its size. Where they are many, a dense product wins, and the
path is chosen by counting: ``Events.of`` looks at a few rows first, and gives up if they are too active or hold other
numbers than 0 and 1.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.threads import run_threaded
from ..kernels.products import bits as packing
from ..kernels.products import events as loops

Array = np.ndarray

BREAK_EVEN = 0.2
"""Up to this activity, events beat the dense product; measured, 784 -> 800, 12800 rows: 172 against 294 ms at 0.2."""

SMALLEST = 2**22
"""Products of fewer multiplications are dense: there is nothing to save."""

NARROWEST = 8
"""Products with fewer columns are dense: a row is too short to be worth finding."""

LOOKED_AT = 16  # rows

NEAR = 2**23
"""Bytes of a factor whose rows are chosen here and there: so much stays in a cache."""


@dataclass(frozen=True)
class Events:
    """The ones of a 0/1 matrix.

    Attributes
    ----------
    start : array [R + 1]
        Where each row's events begin in ``index``.
    index : array [events]
        Column of each event, row by row, ascending.
    shape : (R, N)
        Of the matrix.
    """

    start: Array
    index: Array
    shape: tuple[int, int]

    @staticmethod
    def of(x: Array, limit: float = 1.0) -> Events | None:
        """The events of ``x`` [R, N]; None if it holds other numbers than 0 and 1, or a larger share of ones.

        >>> events = Events.of(np.eye(3, dtype=np.float32))
        >>> events.index
        array([0, 1, 2], dtype=uint32)
        """
        sample = x[:: max(1, len(x) // LOOKED_AT)]
        found = np.count_nonzero(sample)
        # Twice the limit, because a sample may be unlucky; the exact count follows.
        if found > 2.0 * limit * sample.size or np.count_nonzero(sample == 1) != found:
            return None
        u, rows = np.uintp, len(x)
        bits, counts = np.empty((rows, -(-x.shape[1] // packing.WORD)), np.uint64), np.empty(rows, np.uintp)
        pack = _compiled(packing.pack, x.dtype)
        tally, fill = (_compiled(loop, np.dtype(np.float32)) for loop in (packing.tally, packing.fill))
        given, others = np.ascontiguousarray(x)[None], []  # one step of as many samples
        run_threaded(lambda lo, hi: others.append(pack(u(lo), u(hi), given, bits)), rows, x.size // 8)
        run_threaded(lambda lo, hi: tally(u(lo), u(hi), bits, counts), rows, x.size // 16)
        start = np.zeros(rows + 1, np.uintp)
        np.cumsum(counts, out=start[1:])
        if any(others) or start[-1] > limit * x.size:
            return None
        index = np.empty(int(start[-1]), np.uint32)
        run_threaded(lambda lo, hi: fill(u(lo), u(hi), bits, start, index), rows, 4 * len(index) + bits.size)
        return Events(start, index, (rows, x.shape[1]))

    def product(self, weight: Array, y: Array) -> None:
        """y = x W, for W [N, M] and y [R, M]."""
        u, compiled = np.uintp, _compiled(loops.gather, y.dtype, ADD=0)
        work = len(self.index) * weight.shape[1]
        run_threaded(lambda lo, hi: compiled(u(lo), u(hi), self.start, self.index, weight, y), self.shape[0], work)

    def add_outer(self, g: Array, weight: Array) -> None:
        """W += x^T g, for g [R, M] and W [N, M]: the gradient of ``product`` by its weight."""
        size = max(1, NEAR // (g.shape[1] * g.itemsize))
        for r in range(0, len(g), size):
            first, row = self.turned(r, min(r + size, len(g)))
            self._add_rows(first, row, g, weight)

    def turned(self, r0: int, r1: int) -> tuple[Array, Array]:
        """The rows of each column's events, of those in rows [r0, r1): ``row[first[i]:first[i + 1]]``."""
        first = np.empty(self.shape[1] + 1, np.uintp)
        row = np.empty(int(self.start[r1] - self.start[r0]), np.uint32)
        turn(r0, r1, self.start, self.index, first, row)
        return first, row

    def _add_rows(self, first: Array, row: Array, g: Array, weight: Array) -> None:
        """Add to each row of ``weight`` its rows of ``g``; threads get equal numbers of events."""
        compiled = _compiled(loops.gather, g.dtype, ADD=1)

        def part(lo: int, hi: int) -> None:
            n0, n1 = np.searchsorted(first, (lo, hi)).astype(np.uintp)
            compiled(n0, min(n1, np.uintp(len(weight))), first, row, g, weight)

        run_threaded(part, len(row), len(row) * weight.shape[1])


def turn(r0: int, r1: int, start: Array, index: Array, first: Array, row: Array, *, loop: int = 0) -> None:
    """Fill ``first`` and ``row`` with the events of rows [r0, r1) by column, as ``Events.turned`` has them.

    ``loop``: leave out each last of so many rows, whose events nothing comes after.
    """
    u = np.uintp
    compiled = _compiled(loops.turn, np.dtype(np.uint32))
    compiled(u(r0), u(r1), u(loop > 0), u(max(loop, 1)), start, index, first, row)


def worth(rows: int, n_pre: int, n_post: int) -> bool:
    """Whether a product is so large that looking for events may pay."""
    return n_post >= NARROWEST and rows * n_pre * n_post >= SMALLEST


@functools.cache
def _compiled(loop: Callable, dtype: Any, **constants: Any) -> Callable:
    return kernel(loop, dtype=dtype, **constants)
