"""Running a network's loop: on how many threads, in what pieces, and what comes out of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FunctionType
from typing import Any

import numpy as np

from ..device import gpu
from ..device.buffers import zeros
from ..kernels.network import tables as at
from ..kernels.network.arrays import GpuRecord, Network, Record, Ring, SpikeLists, Synapses
from ..kernels.network.loop import BLOCK
from ..kernels.plasticity.delays import ROOM as LISTED
from .arrays import ARRAYS
from .bounds import bounds
from .connection import Connection
from .home import Home
from .kernel import needed
from .layout import Layout
from .outside import GIVEN
from .signals import HeldBack

Array = np.ndarray

SHARE = 40_000  # variables that a window updates, beyond which another thread is worth its meetings
PIECE = 0.25  # seconds after which Python looks in: at Ctrl-C, at progress
LONGEST = 1 << 30  # steps of a piece, whose spikes are noted in 32 bits
ROOM = 1 << 16  # spikes that a thread notes before Python fetches them
NUMBERS = 1 << 23  # and of recorded variables


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


class Loop:
    """The compiled loop over a network that is built, for a number of threads; ``tape`` is what it writes into."""

    tape: type[Tape] = Tape

    def __init__(self, network: Home):
        self.layout: Layout = network.layout
        self.clock = network.clock
        layout = self.layout
        self.window = self.longest_window(layout)
        wait = network.connections if network.off_grid else layout.learning.connections
        self.longest = max((c.last - 1 for c in wait), default=0)
        self.depth = 2 * self.window + self.longest + 2
        self.models, self.given = layout.models, needed(layout.tables)
        self.call = self.models.kernel(self.given)
        self._make()
        self._hand_over(self._arrays())

    @staticmethod
    def longest_window(layout: Layout) -> int:
        """Steps between two exchanges of spikes."""
        return layout.window

    @staticmethod
    def put(array: Array) -> Any:
        """The array where the kernel reads it."""
        return array

    def read(self, name: str) -> Array:
        """One of the ``ARRAYS`` that the loop changes, as it is now."""
        return self.layout.memory.host[name]

    def finite(self, name: str) -> bool:
        """True if all elements of such an array are finite; False also where their sum overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            return bool(np.isfinite(self.read(name).sum()))

    def renew(self) -> None:
        """Take inputs, and parameters of single units, that have been changed."""
        layout, old = self.layout, self.handed_over
        tables = {name: self.put(getattr(layout.tables, name)) for name in ("ports", "drives", "currents")}
        values = {name: self.put(getattr(layout.values, name)) for name in ("own", *GIVEN)}
        self._hand_over(old._replace(tables=old.tables._replace(**tables), values=old.values._replace(**values)))
        given = needed(layout.tables)
        if self.models is not layout.models or not given <= self.given:
            self.models, self.given, self.ready = layout.models, given, self.interpreted
            self.call = self.models.kernel(given)

    def _hand_over(self, arrays: Network) -> None:
        """Let the kernel have these arrays."""
        self.handed_over, self.arrays = arrays, self._placed(arrays)

    def _placed(self, given: tuple[Any, ...]) -> Any:
        """A named tuple as the kernel takes it."""
        if self.interpreted:
            return given
        from ..compile.reference import Placed

        return Placed(given)

    def _make(self) -> None:
        """Scratch and lists of spikes, for as many threads as the work is worth."""
        layout = self.layout
        work = len(layout.states) * self.window
        compiled = not isinstance(self.call, FunctionType)  # interpreted code has no way to let its threads meet
        self._deal(min(layout.network.threads, 1 + work // SHARE) if compiled else 1)
        self.ready = self.interpreted = not compiled
        made = bounds(layout, self.part, self.parts, self.threads, self._rows)
        self.synapses = Synapses(made, layout.index, layout.weights, self.threads)
        kinds = layout.dtype, layout.dtype, np.uint32, np.uint32
        self.scratch = tuple(zeros((self.threads, BLOCK), kind) for kind in kinds)
        self.spikes = np.zeros((self.depth, max(layout.units, 1)), np.int64)
        self.counts = np.zeros((self.depth, len(layout.pops), self.parts), np.int64)

    def _deal(self, threads: int) -> None:
        """Say which of all parts the threads of this process are, and how many units they have at most."""
        self.threads = self.parts = threads
        self.part = 0
        self.most = self.layout.units // threads + len(self.layout.pops)

    def _arrays(self) -> Network:
        """The arrays of the kernel."""
        layout = self.layout
        spikes = SpikeLists(self.spikes, self.counts, layout.factors, np.zeros((1, 1), np.uint8))
        ring = Ring(layout.ring.reshape(-1), *layout.ring.shape)
        plastic = layout.plastic._replace(room=np.zeros((self.threads, 2, LISTED), np.uintp))
        return Network(layout.tables, layout.values, self.synapses, ring, spikes, plastic)

    def _rows(self, c: Connection) -> Array:
        """Which rows there are, if not those of all sources."""
        return np.zeros(0, np.int64)

    def load(self, history: list[tuple[Array, Array]], step: int) -> None:
        """Put the latest spikes, (population, unit) of the steps before ``step``, into the lists of the threads."""
        self.counts[...] = 0
        for back, (pops, units) in enumerate(reversed(history), 1):
            slot = (step - back) % self.depth
            for pop in np.unique(pops):
                row = self.layout.pops[pop]
                for part in range(self.parts):
                    lo, hi = (int(row[at.UNITS]) * k // self.parts for k in (part, part + 1))
                    mine = units[(pops == pop) & (units >= lo) & (units < hi)]
                    first = int(row[at.FIRST]) + lo
                    self.spikes[slot, first : first + len(mine)] = mine
                    self.counts[slot, pop, part] = len(mine)

    def history(self, step: int) -> list[tuple[Array, Array]]:
        """The latest spikes that plastic synapses with a delay, or off the grid all, still wait for, oldest first."""
        return [self._fired((step - back) % self.depth) for back in range(min(self.longest + 1, step), 0, -1)]

    def _fired(self, slot: int) -> tuple[Array, Array]:
        """Populations and units of the spikes of a step."""
        pops, units = list[Array](), list[Array]()
        for pop, row in enumerate(self.layout.pops):
            for part in range(self.parts):
                first = int(row[at.FIRST]) + int(row[at.UNITS]) * part // self.parts
                units.append(self.spikes[slot, first : first + self.counts[slot, pop, part]])
                pops.append(np.full(len(units[-1]), pop))
        return np.concatenate(pops), np.concatenate(units)

    def prepare(self, tape: Tape, t: int) -> None:
        """Make room for what is recorded, and compile the loop if that has not been done: no time passes."""
        tape.room(self.threads, max(ROOM, 4 * self.window * self.most))
        if not self.ready:
            self.call(self.part, *self._arguments(t, t, tape.arrays(t, t, 0)))
            self.ready = True

    def advance(self, t1: int, tape: Tape, look: Callable[[int], Any]) -> None:
        """Run up to step ``t1``, in pieces after which ``look`` is called with the step reached."""
        layout = self.layout
        for k, c in enumerate(layout.learning.connections):
            layout.learning.table[k, at.LEARNS] = c.learning
        t, piece = int(self.clock[0]), -(-64 // self.window) * self.window
        while t < t1:
            start, goal = time.perf_counter(), min(t1, t + piece, t + tape.most, t + LONGEST)
            record = tape.arrays(t, goal, self.most)
            before = self._kept() if self.interpreted else None
            try:
                self._call(t, goal, record)
            except BaseException:
                if before:
                    self._back(t, *before)
                raise
            finally:  # a signal comes when the loop has returned: what it has done is noted like all else
                with HeldBack():
                    reached = self._reached(record)
                    if layout.learning.connections:
                        layout.learning.turned(reached, self.threads)
                    if reached > t:
                        tape.fetch(t, reached)
            if reached == goal and self._short(piece, time.perf_counter() - start):
                piece *= 2
            t = reached
            look(t)

    def _short(self, steps: int, seconds: float) -> bool:
        """True if pieces may be longer."""
        return seconds < PIECE

    def _kept(self) -> tuple[dict[str, Array], list[Array]]:
        """State and lists with which an interpreted loop begins: a signal or an error may end it within a step."""
        lists = [np.array(gpu.get(array)) for array in self.handed_over.spikes]
        return {name: self.layout.memory.read(name).copy() for name in ARRAYS}, lists

    def _back(self, t: int, arrays: dict[str, Array], lists: list[Array]) -> None:
        """Return to the beginning of a piece."""
        for name, array in arrays.items():
            self.layout.memory.write(name, array)
        for array, kept in zip(self.handed_over.spikes, lists, strict=True):
            gpu.assign(array, kept)
        self.clock[...] = t

    def _reached(self, record: Record | GpuRecord) -> int:
        """The step to which the arrays belong."""
        return int(self.clock[0])

    def _arguments(self, t0: int, t1: int, record: Record | GpuRecord) -> tuple[Any, ...]:
        """Arguments of the kernel after the number of the thread."""
        return self.parts, t0, t1, self.window, self.arrays, self.scratch, tuple(record), np.zeros(16, np.int64)

    def _call(self, t0: int, t1: int, record: Record | GpuRecord) -> None:
        """One piece on all threads."""
        arguments = self._arguments(t0, t1, record)
        if self.threads > 1:
            self._together(t0, arguments)
        elif self.interpreted:
            with np.errstate(over="ignore"):  # NumPy warns of products that wrap
                self.call(self.part, *arguments)
        else:
            self.call(self.part, *arguments)

    def _together(self, t0: int, arguments: tuple[Any, ...]) -> None:
        """One piece on several threads, to its end even if a signal interrupts this one, which runs the first."""
        todo, done = list(range(self.part + 1, self.part + self.threads)), list[int]()

        def work() -> None:
            with suppress(IndexError):
                part = todo.pop()
                self.call(part, *arguments)
                done.append(part)

        try:
            others = [threading.Thread(target=work) for _ in todo]
            for other in others:
                other.start()
            self.call(self.part, *arguments)
            for other in others:
                other.join()
        except BaseException:
            for _ in range(1, self.threads):  # in the place of those that have not begun
                threading.Thread(target=work).start()
            if self.clock[0] == t0:
                self.call(self.part, *arguments)
            while len(done) < self.threads - 1:
                with suppress(KeyboardInterrupt):
                    time.sleep(0.001)
            raise
