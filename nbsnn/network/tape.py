"""The arrays into which a network's loop writes what is recorded, and what Python has fetched from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray

BLOCK = 1 << 23  # numbers of variables that the loop notes before Python fetches them


class Tape:
    """The arrays into which the loop writes, and what has been fetched from them.

    ``places`` are those of the variables to record, ``owners`` the units they belong to, in populations of ``sizes``
    that begin at ``firsts``. Spikes go to ``sink`` if there is one, and rows of variables to ``keep``.
    """

    def __init__(self, places: Array, owners: Array, firsts: Array, sizes: Array, every: int, dtype: Any):
        self.places, self.owners, self.firsts, self.sizes = places, owners, firsts, sizes
        self.every, self.dtype = every, dtype
        self.spikes: list[tuple[Array, Array]] = []
        self.rows: list[Array] = []
        self.sink: Callable[[Array, Array], Any] | None = None
        self.keep: Callable[[Array], Any] = self.rows.append
        self.kept: Array | None = None  # of which units spikes are kept, if not of all
        self.clock = np.zeros(2, np.int64)  # steps done, and where the piece began
        self.count = 0

    @property
    def most(self) -> int:
        """The most steps between two fetches: blocks of variables have bounds too."""
        return self.every * max(1, BLOCK // max(1, len(self.places)))

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
        # A column belongs to the thread in whose share of the population its unit lies.
        owner = ((self.owners + 1) * parts - 1) // self.sizes
        self.order = np.argsort(owner, kind="stable")
        self.starts = np.searchsorted(owner[self.order], np.arange(parts + 1))
        self.sorted_places = self.places[self.order]

    def arrays(self, t0: int, t1: int, own: int) -> tuple:
        """What the kernel writes into between steps t0 and t1; a thread has at most ``own`` units."""
        self.used[...], self.position[...], self.clock[1] = 0, 0, t0
        first = t0 // self.every + 1
        count = max(0, t1 // self.every - first + 1) if len(self.places) else 0
        self.block = np.empty((count, len(self.places)), self.dtype)
        return (
            self.sorted_places, self.starts, self.block, self.every, first, self.steps, self.units, self.used,
            self.position, own, self.clock,
        )  # fmt: skip

    def fetch(self, t0: int, reached: int) -> None:
        """Take what the loop has written in steps [t0, reached)."""
        steps = np.concatenate([self.steps[k, :n] for k, n in enumerate(self.position)])
        units = np.concatenate([self.units[k, :n] for k, n in enumerate(self.position)])
        if self.parts > 1:
            order = np.lexsort((units, steps))
            steps, units = steps[order], units[order]
        if self.kept is not None:
            mine = self.kept[units]
            steps, units = steps[mine], units[mine]
        steps = (steps if reached < 2**31 - 1 else steps.astype(np.int64)) + t0
        self.count += len(steps)
        if self.sink is not None:
            self.sink(steps, units)
        elif len(steps):
            self.spikes.append((steps, units))
        rows = reached // self.every - t0 // self.every
        if rows and len(self.places):
            block = np.empty((rows, len(self.places)), self.dtype)
            block[:, self.order] = self.block[:rows]
            self.keep(block)
