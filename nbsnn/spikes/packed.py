"""Spikes of a whole run, as bits and as positions, and products with them.

Bits are a 32nd of the float32 numbers; positions are what sums of chosen rows are made from: where spikes are few, the
work of x W grows with them instead of with the size of x. Rows are ordered by sample first, so that those of some
samples lie together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..compile import prefetch
from ..compile.fill import kernel
from ..device.buffers import Array, Nested, buffer
from ..device.profile import Work
from ..device.threads import balanced, run_kernel, run_threaded
from ..kernels.products import bits, events
from .spike_input import chosen

LOOKED_AT = 64
"""About this many rows are looked at before all are packed."""

EVENTS = "events"
"""What a profile calls the search for them."""

NEAR = 2**23
"""Bytes of a factor whose rows are chosen here and there: this many stay in a cache."""


class PackedSpikes:
    """Spikes [T, B, N], packed.

    Attributes
    ----------
    bits : array [B T, words], uint64
        64 units to a word; row ``b T + t``.
    start, index : arrays
        Positions of the ones of row ``r``: ``index[start[r]:start[r + 1]]``; made by ``find``. Without ``index``,
        ``rows`` lists those of some rows when they are needed.
    as_numbers : bool
        Whether they are judged as if they came as numbers, which ``of`` packs.
    """

    as_numbers = False

    def __init__(self, steps: int, batch: int, units: int, tape: Nested):
        self.steps, self.batch, self.units, self._tape = steps, batch, units, tape
        self.bits = buffer(tape, "bits", (batch * steps, -(-units // bits.WORD)), np.uint64)
        self._counts = buffer(tape, "counts", (batch * steps,), np.uintp)
        self._room = buffer(tape, "start", (batch * steps + 1,), np.uintp)
        self.start = np.empty(0, np.uintp)
        self.index: Array | None = None

    @staticmethod
    def of(x: Array, tape: Nested, limit: float = 1.0, listed: bool = True) -> PackedSpikes | None:
        """The spikes ``x`` [T, B, N]; None if it holds other numbers than 0 and 1, or a larger share of ones.

        >>> packed = PackedSpikes.of(np.eye(3, dtype=np.float32)[None], {})
        >>> packed.index
        array([0, 1, 2], dtype=uint32)
        """
        steps, batch, units = x.shape
        sample = x.reshape(steps * batch, units)[:: max(1, steps * batch // LOOKED_AT)]
        ones, zeros = np.count_nonzero(sample == 1), np.count_nonzero(sample == 0)
        # Twice the limit, because a sample may be unlucky; the exact count follows.
        if ones + zeros < sample.size or ones > 2.0 * limit * sample.size:
            return None
        packed = PackedSpikes(steps, batch, units, tape)
        return packed if packed._pack(x) and packed.find(limit, listed) else None

    def _pack(self, x: Array) -> bool:
        """Take the ones of ``x`` [T, B, N]; False if it holds other numbers than 0 and 1."""
        part, pack = (EVENTS, float(x.nbytes), 0.0), _compiled(bits.pack, x.dtype, **prefetch.filling())
        return not any(run_kernel(pack, self.batch, x.size // 8, x, self.bits, part=part))

    @staticmethod
    def listed(start: Array, index: Array, units: int, steps: int = 1) -> PackedSpikes:
        """Spikes of rows, by their positions alone, for products; samples have so many rows each."""
        packed = PackedSpikes.__new__(PackedSpikes)
        packed.steps, packed.batch, packed.units, packed._tape = steps, (len(start) - 1) // steps, units, {}
        packed.bits, packed.start, packed.index = np.empty((len(start) - 1, 0), np.uint64), start, index
        return packed

    @property
    def shape(self) -> tuple[int, int, int]:
        """(T, B, N)."""
        return self.steps, self.batch, self.units

    def __len__(self) -> int:
        return self.steps

    def some(self, samples: Array, tape: Nested) -> PackedSpikes:
        """Those of some samples, listed."""
        if self.index is not None:
            rows = samples[:, None] * self.steps + np.arange(self.steps)
            return PackedSpikes.listed(*chosen(self.start, self.index, rows.reshape(-1)), self.units, self.steps)
        found = PackedSpikes(self.steps, len(samples), self.units, tape)
        np.take(self.by_sample, samples, 0, found.by_sample)
        found.find()
        return found

    def put(self, samples: Array, x: Array, tape: Nested) -> None:
        """Make ``x`` [T, b, N], zeros and ones, the spikes of these samples."""
        found = PackedSpikes(self.steps, len(samples), self.units, tape)
        found._pack(x)
        self.by_sample[samples] = found.by_sample

    @property
    def by_sample(self) -> Array:
        """The bits as [B, T, words]."""
        return self.bits.reshape(self.batch, self.steps, -1)

    def find(self, limit: float = 1.0, listed: bool = True) -> bool:
        """Count the ones, and list their positions if ``listed``; False if they are a larger share than ``limit``."""
        rows = len(self.bits)
        if not len(self.start):
            part = EVENTS, float(self.bits.nbytes), 0.0
            run_kernel(_compiled(bits.tally), rows, self.bits.size, self.bits, self._counts, part=part)
            self._room[0] = 0
            np.cumsum(self._counts, out=self._room[1:])
            self.start = self._room
        if self.rate > limit or (self.as_numbers and self._crowded(limit)):
            return False
        if listed and self.index is None:
            self.index = self._list(0, rows, self.start)
        return True

    def unlist(self) -> None:
        """Give back what the list of positions took in an earlier run."""
        if self.index is None:
            self._tape.pop("index", None)

    def _crowded(self, limit: float) -> bool:
        """Whether those rows that ``of`` looks at have too many ones to look at the others."""
        counts = np.diff(self.start).reshape(self.batch, self.steps).T.reshape(-1)
        some = counts[:: max(1, len(counts) // LOOKED_AT)]
        return int(some.sum()) > 2.0 * limit * len(some) * self.units

    def rows(self, first: int, last: int) -> tuple[Array, Array]:
        """``start`` and ``index`` of rows [first, last); listed now if not before, and valid until the next call."""
        start = self.start[first : last + 1]
        if self.index is None:
            start = start - start[0]
            return start, self._list(first, last, start)
        return start, self.index

    def _list(self, first: int, last: int, start: Array) -> Array:
        total, room = int(start[-1]), self._tape.get("index")
        if room is None or len(room) < total or len(room) > 2 * total + 2**16:
            room = self._tape["index"] = np.empty(total + total // 8, np.uint32)
        index, work = room[:total], (total + self.bits.size) // 2
        part = EVENTS, float(index.nbytes), 0.0
        run_kernel(_compiled(bits.fill, whole=True), last - first, work, self.bits[first:last], start, index, part=part)
        return index

    @property
    def rate(self) -> float:
        """Share of ones."""
        return float(self.start[-1]) / (len(self.bits) * self.units)

    def spread(self, first: int, y: Array) -> None:
        """Fill y [R, N] with rows ``first``, ``first + 1``, ... as numbers."""
        run_kernel(_compiled(bits.spread, y.dtype, whole=True), len(y), y.size, self.bits, _u(first), y)

    def at(self, t: int) -> Array:
        """The spikes of step ``t``, [B, N], as small integers."""
        words = np.ascontiguousarray(self.bits[t :: self.steps]).astype("<u8", copy=False)
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=self.units)

    def dense(self, dtype: DTypeLike) -> Array:
        """All spikes as numbers [T, B, N]."""
        y = np.empty((self.batch, self.steps, self.units), dtype)
        self.spread(0, y.reshape(-1, self.units))
        return np.ascontiguousarray(y.transpose(1, 0, 2))

    def product(self, weight: Array, y: Array) -> None:
        """y = x W, for W [N, M] and y [B T, M]."""
        start, index = self.rows(0, len(y))
        gather = _compiled(events.gather, y.dtype, ADD=0)
        run_kernel(gather, len(y), len(index) * weight.shape[1], start, index, weight, y)

    def add_outer(self, g: Array, weight: Array) -> None:
        """W += x^T g, for g [B T, M] and W [N, M]: the gradient of ``product`` with respect to its weight."""
        size = max(1, NEAR // (g.shape[1] * g.itemsize))
        for r in range(0, len(g), size):
            first, row = self.transposed(r, min(r + size, len(g)))
            self._add_rows(first, row, g, weight)

    def transposed(self, r0: int, r1: int) -> tuple[Array, Array]:
        """The rows of each unit's spikes, of those in rows [r0, r1): ``row[first[i]:first[i + 1]]``."""
        start, index = self.rows(0, len(self.bits))
        start, first = start[r0 : r1 + 1], np.empty((1, self.units + 1), np.uintp)
        row = np.empty(int(start[-1] - start[0]), np.uint32)
        transpose(np.array([0, r1 - r0], np.uintp), r1 - r0, start, index, first, row)
        return first[0], row + np.uint32(r0)

    def _add_rows(self, first: Array, row: Array, g: Array, weight: Array) -> None:
        """Add to each row of ``weight`` its rows of ``g``; threads get equal numbers of spikes."""
        compiled, edges = _compiled(events.gather, g.dtype, ADD=1), balanced(first, len(weight))

        def part(lo: int, hi: int) -> None:
            compiled(edges[lo], edges[hi], first, row, g, weight)

        run_threaded(part, len(edges) - 1, len(row) * weight.shape[1])


def transpose(
    edges: Array, together: int, start: Array, index: Array, first: Array, row: Array, *, loop: int = 0,
    part: Work | None = None,
) -> None:  # fmt: skip
    """Fill ``first`` [S, N + 1] and ``row`` with the spikes of each section of rows, from ``edges[s]`` to
    ``edges[s + 1]``, by unit: ``row[first[s, i]:first[s, i + 1]]``, counted from the first of ``together`` rows.

    ``loop``: leave out the last of every ``loop`` rows, whose spikes nothing comes after.
    """
    compiled, work = _compiled(bits.transpose, np.uint32), 8 * len(row)
    given = edges, _u(together), _u(loop > 0), _u(max(loop, 1)), start, index, first, row
    run_kernel(compiled, len(first), work, *given, part=part)


_u = np.uintp


@functools.cache
def _compiled(loop: Callable, dtype: DTypeLike = np.float32, **constants: Any) -> Callable:
    return kernel(loop, dtype=dtype, **constants)
