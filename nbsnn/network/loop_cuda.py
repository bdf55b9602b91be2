"""A network's loop on a GPU: one launch for a piece of a run, and what it leaves behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device import gpu
from ..kernels.network import tables as at
from ..kernels.network.arrays import GpuRecord, Network, Plastic, Ring, SpikeLists, Synapses, Tables, Values, plain
from .bounds import bounds
from .layout import Layout
from .loop import Loop, Tape

Array = np.ndarray

ROOM = 1 << 20  # spikes that are noted before Python fetches them
LANES = 32  # threads that serve the synapses of one spike


class GpuTape(Tape):
    """A tape on a GPU, where a column belongs to a unit of the whole network."""

    def room(self, parts: int, capacity: int) -> None:
        """Make room for ``capacity`` spikes between two fetches."""
        self.parts, self.capacity = parts, capacity
        self.noted = gpu.empty(capacity, np.int32), gpu.empty(capacity, np.int32)
        owners = self.owners + self.firsts
        order = np.argsort(owners, kind="stable")
        starts = np.searchsorted(owners[order], np.arange(int(owners.max(initial=-1)) + 2))
        self.order = np.arange(len(order))
        self.columns = gpu.put(starts), gpu.put(order), gpu.put(self.places[order])
        self.cells = gpu.put(np.zeros(2, np.int64))

    def arrays(self, t0: int, t1: int, own: int) -> GpuRecord:
        """Buffers that the kernel fills between steps t0 and t1; in a step at most ``own`` units spike."""
        first = t0 // self.every + 1
        count = max(0, t1 // self.every - first + 1) if len(self.places) else 0
        self.lines = gpu.empty((max(count, 1), max(len(self.places), 1)), self.dtype)
        self.cells.copy_to_device(np.array([0, t0]))
        return GpuRecord(
            *self.columns, self.lines, self.every, first, t0, *self.noted, self.cells, self.capacity, own
        )  # fmt: skip

    def fetch(self, t0: int, reached: int) -> None:
        """Take what the loop has written in steps [t0, reached)."""
        n = int(gpu.get(self.cells)[0])
        steps, units = (gpu.get(array[:n]) if n else np.zeros(0, np.int32) for array in self.noted)
        order = np.lexsort((units, steps))
        self.steps, self.units, self.position = steps[order][None], units[order][None], np.array([n])
        self.block = gpu.get(self.lines)
        super().fetch(t0, reached)


class GpuLoop(Loop):
    """Counterpart of ``Loop``; threads are those of the GPU, and share all lists."""

    tape, put = GpuTape, staticmethod(gpu.put)

    @staticmethod
    def longest_window(layout: Layout) -> int:
        """One step where synapses are plastic, as all threads meet in each anyway."""
        return 1 if layout.learning.connections else layout.window

    def read(self, name: str) -> Array:
        """A copy, which cannot be written to."""
        return self.layout.memory.read(name)

    def renew(self) -> None:
        """Take inputs, and parameters of single units, that have been changed."""
        before = self.models
        super().renew()
        self.pops.copy_to_device(self.layout.pops)
        self.ready = self.ready and before is self.models

    def _placed(self, given: tuple[Any, ...]) -> Any:
        return plain(given)

    def _make(self) -> None:
        layout, put = self.layout, gpu.put
        self._deal(1)
        self.synapses = Synapses(bounds(layout, 0, 1, 1, self._rows), layout.index, layout.weights, 1)
        self.spikes = gpu.empty((self.depth, max(layout.units, 1)), np.int32)
        self.counts = gpu.empty((self.depth, len(layout.pops)), np.int32)
        self.marks = gpu.empty(self.spikes.shape if layout.learning.connections else (1, 1), np.uint8)
        self.table, self.pops = put(layout.learning.table), put(layout.pops)
        self.ready, self.interpreted = False, gpu.simulated()

    def _arrays(self) -> Network:
        layout, put, arrays = self.layout, gpu.put, self.layout.memory.arrays
        changing = {name: arrays[name] for name in ("states", "numbers", "resources")}
        values = Values(
            **{name: changing[name] if name in changing else put(a) for name, a in layout.values._asdict().items()}
        )
        tables = Tables(self.pops, *map(put, layout.tables[1:]))
        synapses = Synapses(put(self.synapses.bounds), put(layout.index), arrays["weights"], 1)
        ring = Ring(gpu.flat(arrays["ring"]), *layout.ring.shape)
        spikes = SpikeLists(self.spikes, self.counts, arrays["factors"], self.marks)
        changing = (arrays[name] for name in ("eligible", "since", "rates", "tallies", "aims", "integers"))
        room = put(layout.plastic.room)
        plastic = Plastic(
            self.table,
            arrays["traces"],
            arrays["traces"],
            *map(put, layout.learning.columns),
            *changing,
            room=room,
        )
        return Network(tables, values, synapses, ring, spikes, plastic)

    def load(self, history: list[tuple[Array, Array]], step: int) -> None:
        """Put the latest spikes, (population, unit) of the steps before ``step``, into the lists."""
        spikes, counts = np.zeros(self.spikes.shape, np.int32), np.zeros(self.counts.shape, np.int32)
        marks = np.zeros(self.spikes.shape, np.uint8)
        for back, (pops, units) in enumerate(reversed(history), 1):
            slot = (step - back) % self.depth
            for pop in np.unique(pops):
                mine, first = units[pops == pop], int(self.layout.pops[pop, at.FIRST])
                spikes[slot, first : first + len(mine)] = mine
                counts[slot, pop] = len(mine)
                marks[slot, first + mine] = 1
        self.spikes.copy_to_device(spikes)
        self.counts.copy_to_device(counts)
        if self.layout.learning.connections:
            self.marks.copy_to_device(marks)

    def _fired(self, slot: int) -> tuple[Array, Array]:
        line, counts = gpu.get(self.spikes[slot]), gpu.get(self.counts[slot])
        firsts = self.layout.pops[:, at.FIRST]
        units = [np.sort(line[a : a + n]).astype(np.int64) for a, n in zip(firsts, counts, strict=True)]
        return np.repeat(np.arange(len(counts)), counts), np.concatenate(units)

    def prepare(self, tape: Tape, t: int) -> None:
        """Make room for what is recorded, and compile the loop if that has not been done: no time passes."""
        layout = self.layout
        tape.room(1, max(ROOM, 4 * self.window * self.most))
        self.pops.copy_to_device(layout.pops)  # whose spikes are recorded
        if not self.ready:
            self._call(t, t, tape.arrays(t, t, 0))
            self.ready = True

    def _call(self, t0: int, t1: int, record: Any) -> None:
        """One launch."""
        if self.layout.learning.connections:
            self.table.copy_to_device(self.layout.learning.table)  # who learns
        gpu.together(
            self.call, max(self.layout.units, 64 * LANES), min(LANES, gpu.threads_together()), t0, t1, self.window,
            self.arrays, tuple(record),
        )  # fmt: skip

    def _reached(self, record: Any) -> int:
        """The step to which the arrays belong, which the network counts from now on."""
        self.clock[0] = gpu.get(record.cells)[1]
        return int(self.clock[0])
