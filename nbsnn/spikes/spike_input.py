"""Spikes as the input of a network, given by the positions of the ones.

Layers that add up chosen rows of their weights take them as they are, and no array [T, B, N] is made; for all others
they are an array when they are asked to be one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..validate import affordable, float_dtype, shape_of

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class SpikeInput:
    """Spikes [T, B, N...], 0 or 1, as a list.

    Attributes
    ----------
    start : uintp array [B T + 1]
        Where the spikes of each row begin in ``index``. Row ``b T + t`` is step t of sample b.
    index : uint32 array [spikes]
        Unit of each spike, row by row, ascending: the flat index in [N...].
    shape : tuple of int
        (T, B, N...).
    merged, dropped : int
        Events that fell on a spike that was there already, and events that lie outside the T steps.

    Notes
    -----
    ``np.asarray`` makes the dense array, float32.

    Examples
    --------
    >>> x = SpikeInput.of(sample=[0, 0, 1], step=[0, 2, 2], unit=[1, 0, 1], shape=(3, 2, 2))
    >>> x.rate
    0.25
    >>> x.dense()[:, 0]
    array([[0., 1.],
           [0., 0.],
           [1., 0.]], dtype=float32)
    """

    start: Array
    index: Array
    shape: tuple[int, ...]
    merged: int = 0
    dropped: int = 0

    @classmethod
    def of(
        cls, sample: ArrayLike, step: ArrayLike, unit: ArrayLike, shape: tuple[int, ...], *, dropped: int = 0
    ) -> SpikeInput:
        """The spikes at these places; of several at one place the first counts, the others are ``merged``.

        Parameters
        ----------
        sample, step, unit : int array [events]
            In any order; ``unit`` is the flat index in [N...].
        shape : tuple of int
            (T, B, N...).
        dropped : int
            Handed on.

        Raises
        ------
        ValueError
            If a place lies outside the shape, or the lists differ in length.
        """
        shape = shape_of("shape", shape)
        if len(shape) < 3:
            raise ValueError(f"shape must be (T, B, N...), not {shape}")
        steps, batch, units = shape[0], shape[1], math.prod(shape[2:])
        if steps * batch * units >= 2**62 or units >= 2**32:
            raise ValueError(f"no input has shape {list(shape)}")
        affordable(f"an input of {batch} samples and {steps} steps", 24.0 * steps * batch)
        places = _places([("sample", sample, batch), ("step", step, steps), ("unit", unit, units)])
        found = np.sort((places[0] * steps + places[1]) * units + places[2])  # quicker than np.unique
        if (twice := found[1:] == found[:-1]).any():
            found = np.concatenate([found[:1], found[1:][~twice]])
        start = np.zeros(steps * batch + 1, np.uintp)
        np.cumsum(np.bincount(found // units, minlength=steps * batch), out=start[1:])
        return cls(start, (found % units).astype(np.uint32), shape, len(places[0]) - len(found), dropped)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def dtype(self) -> np.dtype:
        """That of the array that this would be."""
        return np.dtype(np.float32)

    @property
    def units(self) -> int:
        """Number of units, N."""
        return math.prod(self.shape[2:])

    @property
    def rate(self) -> float:
        """Share of ones."""
        return len(self.index) / math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Memory that the lists take."""
        return self.start.nbytes + self.index.nbytes

    def reshape(self, *shape: int) -> SpikeInput:
        """The same spikes with the axes of units arranged otherwise."""
        if tuple(shape[:2]) != self.shape[:2] or math.prod(shape) != math.prod(self.shape):
            raise ValueError(f"spikes {list(self.shape)} cannot take the shape {list(shape)}")
        return replace(self, shape=tuple(shape))

    def fitting(self, units: tuple[int, ...]) -> SpikeInput:
        """For a network that takes flat units [N], with its axes of units made one; else as it is."""
        return self.reshape(*self.shape[:2], *units) if units == (self.units,) else self

    def __getitem__(self, window: slice) -> SpikeInput:
        """Some of the steps, ``x[t0:t1]``."""
        if not isinstance(window, slice) or window.step not in (None, 1):
            raise TypeError(f"spikes are cut in time by a slice, x[t0:t1], not by {window!r}")
        t0, t1, _ = window.indices(len(self))
        steps, batch = max(0, t1 - t0), self.shape[1]
        first = np.arange(batch)[:, None] * len(self) + np.arange(t0, t0 + steps)
        start, index = chosen(self.start, self.index, first.reshape(-1))
        return SpikeInput(start, index, (steps, *self.shape[1:]))

    def by_step(self) -> tuple[Array, Array]:
        """``start`` and ``index`` with rows in the order of an array [T, B, N]: step by step."""
        return chosen(self.start, self.index, np.arange(len(self.start) - 1).reshape(self.shape[1], -1).T.reshape(-1))

    def dense(self, dtype: DTypeLike = np.float32) -> Array:
        """The spikes as numbers [T, B, N...]."""
        dtype = float_dtype(dtype)
        affordable(f"the dense array of spikes {list(self.shape)}", math.prod(self.shape) * dtype.itemsize)
        y = np.zeros((len(self.start) - 1, self.units), dtype)
        start, index = self.by_step()
        y[np.repeat(np.arange(len(y)), np.diff(start.astype(np.int64))), index] = 1.0
        return y.reshape(self.shape)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("spikes given as a list have no array yet: it must be made")
        return self.dense() if dtype is None else self.dense().astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"SpikeInput({list(self.shape)}, {len(self.index)} spikes, {self.merged} merged, {self.dropped} dropped)"

    # What a connection asks, as it asks the spikes of a population (``packed.PackedSpikes``).

    def find(self, limit: float = 1.0, listed: bool = True) -> bool:
        """True if the ones are no larger share than ``limit``."""
        return self.rate <= limit

    def rows(self, first: int, last: int) -> tuple[Array, Array]:
        """``start`` and ``index`` of rows [first, last)."""
        return self.start[first : last + 1], self.index

    def spread(self, first: int, y: Array) -> None:
        """Fill y [R, N] with rows ``first``, ``first + 1``, ... as numbers."""
        start = self.start[first : first + len(y) + 1].astype(np.int64)
        y[...] = 0.0
        y[np.repeat(np.arange(len(y)), np.diff(start)), self.index[start[0] : start[-1]]] = 1.0


def chosen(start: Array, index: Array, rows: Array) -> tuple[Array, Array]:
    """``start`` and ``index`` of some rows, in this order."""
    counts = np.diff(start.astype(np.int64))[rows]
    first = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(counts, out=first[1:])
    source = np.repeat(start.astype(np.int64)[rows] - first[:-1], counts) + np.arange(first[-1])
    return first.astype(np.uintp), index[source]


def _places(lists: list[tuple[str, Any, int]]) -> list[Array]:
    """Lists of whole numbers, of one length, each from 0 to below its size."""
    found = []
    for name, values, size in lists:
        values = np.asarray(values)
        if values.ndim != 1 or (values.size and values.dtype.kind not in "iu"):
            raise TypeError(f"{name} must be a list of integers, not {values.dtype} {list(values.shape)}")
        if found and len(values) != len(found[0]):
            raise ValueError(f"{name} has {len(values)} numbers, but {lists[0][0]} has {len(found[0])}")
        if values.size and (values.min() < 0 or values.max() >= size):
            raise ValueError(f"{name} must be from 0 to {size - 1}, not {values.min()} to {values.max()}")
        found.append(values.astype(np.int64))
    return found
