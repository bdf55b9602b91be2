"""Arrays into which the loop of a network writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.network.arrays import GpuRecord, Record

Array = np.ndarray

NUMBERS = 1 << 23  # of variables that are recorded before Python fetches them


class Tape:
    """The arrays into which the loop writes, and what has been fetched from them.

    ``places`` are those of the variables to record, ``owners`` the units they belong to, in populations of ``sizes``
    that begin at ``firsts``. Spikes go to ``sink`` if there is one, and rows of variables to ``keep``.
    """

    def __init__(self, places: Array, owners: Array, firsts: Array, sizes: Array, every: int, dtype: np.dtype):
        self.places, self.owners, self.firsts, self.sizes = places, owners, firsts, sizes
        self.every, self.dtype = every, dtype
        self.spikes: list[tuple[Array, Array]] = []
        self.rows: list[Array] = []
        self.sink: Callable[[Array, Array], Any] | None = None
        self.keep: Callable[[Array], Any] = self.rows.append
        self.kept: Array | None = None  # of which units spikes are kept, if not of all
        self.ears: list[list[tuple[Array, Array]]] = []  # of callbacks
        self.clock = np.zeros(2, np.int64)  # steps done, and where the piece began
        self.count = 0

    @property
    def most(self) -> int:
        """The most steps between two fetches: blocks of variables have bounds too."""
        return self.every * max(1, NUMBERS // max(1, len(self.places)))

    def taken(self) -> list[Array]:
        """The rows that are kept here, which are forgotten."""
        rows = self.rows.copy()
        self.rows.clear()
        return rows

    def room(self, parts: int, capacity: int) -> None:
        """Make room for ``capacity`` spikes of each of ``parts`` threads between two fetches."""
        self.parts = parts
        self.steps, self.units = np.empty((parts, capacity), np.int32), np.empty((parts, capacity), np.int32)
        self.used, self.position = np.zeros((2, parts), np.int64), np.zeros(parts, np.int64)
        self.deal(parts, 0, parts)

    def deal(self, parts: int, first: int, threads: int) -> None:
        """Deal columns to threads: to that in whose share of the population a unit lies."""
        owner = ((self.owners + 1) * parts - 1) // self.sizes
        self.order = np.argsort(owner, kind="stable")
        self.starts = np.searchsorted(owner[self.order], np.arange(first, first + threads + 1))
        self.sorted_places = self.places[self.order]

    def arrays(self, t0: int, t1: int, own: int) -> Record | GpuRecord:
        """Buffers that the kernel fills between steps t0 and t1; a thread has at most ``own`` units."""
        self.used[...], self.position[...], self.clock[1] = 0, 0, t0
        first = t0 // self.every + 1
        count = max(0, t1 // self.every - first + 1) if len(self.places) else 0
        self.block = np.empty((count, len(self.places)), self.dtype)
        return Record(
            self.sorted_places, self.starts, self.block, self.every, first, self.steps, self.units, self.used,
            self.position, own, self.clock,
        )  # fmt: skip

    def fetch(self, t0: int, reached: int) -> None:
        """Take what the loop has written in steps [t0, reached)."""
        found = self.position.tolist()
        if any(found):
            self._take(t0, reached, found)
        rows = reached // self.every - t0 // self.every
        if rows and len(self.places):
            block = np.empty((rows, len(self.places)), self.dtype)
            block[:, self.order] = self.block[:rows]
            self.keep(block)

    def _in_order(self, found: list[int], t0: int | np.int64) -> tuple[Array, Array]:
        """Steps, and units, of as many spikes as each thread has ``found`` since step t0."""
        if self.parts == 1:
            return self.steps[0, : found[0]] + t0, self.units[0, : found[0]].copy()
        steps, units = (np.concatenate([a[k, :n] for k, n in enumerate(found)]) for a in (self.steps, self.units))
        order = np.lexsort((units, steps))
        return steps[order] + t0, units[order]

    def _take(self, t0: int, reached: int, found: list[int]) -> None:
        """Take the spikes of these steps, as many as each thread has ``found``."""
        steps, units = self._in_order(found, t0 if reached < 2**31 - 1 else np.int64(t0))
        for ear in self.ears:
            ear.append((steps, units))
        if self.kept is not None:
            mine = self.kept[units]
            steps, units = steps[mine], units[mine]
        self.count += len(steps)
        if self.sink is not None:
            self.sink(steps, units)
        elif len(steps):
            self.spikes.append((steps, units))
