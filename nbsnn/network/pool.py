"""Flat arrays in the making: what the tables of a network point into."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray

ALIGN = 16  # units: rows of variables begin at multiples, so that vectors do not straddle cache lines


class Numbers:
    """A flat array in the making: ``put`` returns the place of what it appends."""

    def __init__(self, dtype: Any):
        self.dtype, self.parts, self.size = dtype, list[Array](), 0

    def put(self, values: ArrayLike) -> int:
        """Append values; returns the place of the first."""
        array = np.asarray(values, self.dtype).reshape(-1)
        self.parts.append(array)
        self.size += array.size
        return self.size - array.size

    def array(self) -> Array:
        """All that was put, one after the other."""
        return np.concatenate(self.parts) if self.parts else np.zeros(0, self.dtype)


class Pool:
    """The arrays of a network in the making, and the ``place`` and length of each owner's variables among the states.

    ``numbers`` are parameters that are shared.
    """

    def __init__(self, dtype: np.dtype):
        self.numbers, self.keys = Numbers(dtype), Numbers(np.uint64)
        self.place: dict[tuple[Any, str], tuple[int, int]] = {}
        self.size = 0

    def variable(self, owner: Hashable, name: str, n: int) -> int:
        """Make room for a variable of ``n`` units; returns its place."""
        place = self.size
        self.place[owner, name] = (place, n)
        self.size += padded(n)
        return place


def padded(n: int) -> int:
    """``n`` rounded up to a multiple of ``ALIGN``."""
    return -(-n // ALIGN) * ALIGN


def table(rows: Sequence[Sequence[float] | Array], columns: int) -> Array:
    """A table of integers [rows, columns], which may have no row."""
    return np.array(rows, np.int64).reshape(len(rows), columns)


def room(array: Array, size: int) -> Array:
    """``array`` with room for ``size`` elements."""
    return array if size <= len(array) else np.concatenate([array, np.empty(size - len(array), array.dtype)])
