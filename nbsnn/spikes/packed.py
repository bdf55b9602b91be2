"""Spikes of a whole run, as bits and as positions.

Bits are a 32nd of the float32 numbers; positions are what sums of chosen rows are made from. Rows are ordered by
sample first, so that those of some samples lie together.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.buffers import Array, Nested, buffer
from ..device.threads import run_threaded
from ..kernels.products import bits as loops


class Packed:
    """Spikes [T, B, N] in small.

    Attributes
    ----------
    bits : array [B T, words], uint64
        64 units to a word; row ``b T + t``.
    start, index : arrays
        Positions of the ones of row ``r``: ``index[start[r]:start[r + 1]]``; made by ``find``. Without ``index``,
        ``rows`` lists those of some rows when they are needed.
    """

    def __init__(self, steps: int, batch: int, units: int, tape: Nested):
        self.steps, self.batch, self.units, self._tape = steps, batch, units, tape
        self.bits = buffer(tape, "bits", (batch * steps, -(-units // loops.WORD)), np.uint64)
        self.start = np.empty(0, np.uintp)
        self.index: Array | None = None

    @staticmethod
    def of(x: Array, tape: Nested, limit: float = 1.0, listed: bool = True) -> Packed | None:
        """The spikes ``x`` [T, B, N]; None if it holds other numbers than 0 and 1, or a larger share of ones.

        >>> packed = Packed.of(np.eye(3, dtype=np.float32)[None], {})
        >>> packed.index
        array([0, 1, 2], dtype=uint32)
        """
        steps, batch, units = x.shape
        sample = x.reshape(steps * batch, units)[:: max(1, steps * batch // 64)]
        # Twice the limit, because a sample may be unlucky; the exact count follows.
        if np.count_nonzero(sample) > 2.0 * limit * sample.size or not np.isin(sample, (0, 1)).all():
            return None
        packed, other = Packed(steps, batch, units, tape), []
        compiled = _compiled("pack", x.dtype)
        run_threaded(lambda lo, hi: other.append(compiled(_u(lo), _u(hi), x, packed.bits)), batch, x.size // 8)
        return packed if not any(other) and packed.find(limit, listed) else None

    def find(self, limit: float = 1.0, listed: bool = True) -> bool:
        """Count the ones, and list their positions if ``listed``; False if they are a larger share than ``limit``."""
        rows = len(self.bits)
        if not len(self.start):
            counts, tally = buffer(self._tape, "counts", (rows,), np.uintp), _compiled("tally")
            run_threaded(lambda lo, hi: tally(_u(lo), _u(hi), self.bits, counts), rows, self.bits.size * 4)
            self.start = buffer(self._tape, "start", (rows + 1,), np.uintp)
            self.start[0] = 0
            np.cumsum(counts, out=self.start[1:])
        if self.rate > limit:
            return False
        if listed and self.index is None:
            self.index = self._list(0, rows, self.start)
        return True

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
        index, bits, fill = room[:total], self.bits[first:last], _compiled("fill")
        work = 4 * total + self.bits.size
        run_threaded(lambda lo, hi: fill(_u(lo), _u(hi), bits, start, index), last - first, work)
        return index

    @property
    def rate(self) -> float:
        """Share of ones."""
        return float(self.start[-1]) / (len(self.bits) * self.units)

    def spread(self, first: int, y: Array) -> None:
        """Fill y [R, N] with rows ``first``, ``first + 1``, ... as numbers."""
        compiled = _compiled("spread", y.dtype)
        run_threaded(lambda lo, hi: compiled(_u(lo), _u(hi), self.bits, _u(first), y), len(y), y.size)

    def at(self, t: int) -> Array:
        """The spikes of step ``t``, [B, N], as small integers."""
        words = np.ascontiguousarray(self.bits[t :: self.steps]).astype("<u8", copy=False)
        return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little", count=self.units)

    def dense(self, dtype: Any) -> Array:
        """All spikes as numbers [T, B, N]."""
        y = np.empty((self.batch, self.steps, self.units), dtype)
        self.spread(0, y.reshape(-1, self.units))
        return np.ascontiguousarray(y.transpose(1, 0, 2))


_u = np.uintp


@functools.cache
def _compiled(name: str, dtype: Any = np.float32) -> Callable:
    return kernel(getattr(loops, name), dtype=dtype)
