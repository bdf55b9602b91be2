"""The tape of a network's loop on a GPU."""

from __future__ import annotations

import numpy as np

from .. import gpu
from .tape import Tape


class GpuTape(Tape):
    """A tape on a GPU; ``owners`` are counted through all populations."""

    def room(self, parts: int, capacity: int) -> None:
        """Make room for ``capacity`` spikes between two fetches."""
        self.parts, self.capacity = parts, capacity
        self.noted = gpu.empty(capacity, np.int32), gpu.empty(capacity, np.int32)
        order = np.argsort(self.owners, kind="stable")
        units = int(self.owners.max(initial=-1)) + 1
        starts = np.searchsorted(self.owners[order], np.arange(units + 1))
        self.order = np.arange(len(order))
        self.columns = gpu.put(starts), gpu.put(order), gpu.put(self.places[order])
        self.cells = gpu.put(np.zeros(2, np.int64))

    def arrays(self, t0: int, t1: int, own: int) -> tuple:
        """What the kernel writes into between steps t0 and t1; in a step at most ``own`` units spike."""
        first = t0 // self.every + 1
        count = max(0, t1 // self.every - first + 1) if len(self.places) else 0
        self.lines = gpu.empty((max(count, 1), max(len(self.places), 1)), self.dtype)
        self.cells.copy_to_device(np.array([0, t0]))
        return (*self.columns, self.lines, (self.every, first, t0), *self.noted, self.cells, self.capacity, own)

    def fetch(self, t0: int, reached: int) -> None:
        """Take what the loop has written in steps [t0, reached)."""
        n = int(gpu.get(self.cells)[0])
        steps, units = (gpu.get(array[:n]) if n else np.zeros(0, np.int32) for array in self.noted)
        order = np.lexsort((units, steps))
        self.steps, self.units, self.position = steps[order][None], units[order][None], np.array([n])
        self.block = gpu.get(self.lines)
        super().fetch(t0, reached)
