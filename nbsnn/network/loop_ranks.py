"""A network's loop on several processes: their threads are parts of one loop, exchanging spikes once in a window."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile import callback
from ..compile.fill import kernel
from ..kernels.network import exchange
from ..kernels.network.arrays import GpuRecord, Record
from ..ranks import Ranks, abort_on_error
from .connection import Connection
from .estimate import FIRST
from .home import Home
from .loop import Loop, Tape

Array = np.ndarray

PIECE = 512  # steps after which Python looks in, at most
HEAD = 3  # numbers before the spikes of a block: the step, how many spikes, and what all ranks must agree on


class RankTape(Tape):
    """A tape of the columns of all processes: each fills those of its own units."""

    loop: RankLoop

    @classmethod
    def of(cls, loop: RankLoop, places: Array, owners: Array, firsts: Array, sizes: Array, every: int, dtype: np.dtype):
        """A tape for a loop; see ``Tape``."""
        made = cls(places, owners, firsts, sizes, every, dtype)
        made.loop = loop
        return made

    def room(self, parts: int, capacity: int) -> None:
        """See ``Tape.room``; all spikes are noted by one thread of each process."""
        super().room(parts, capacity)
        self.deal(self.loop.parts, self.loop.part, self.loop.threads)

    def fetch(self, t0: int, reached: int) -> None:
        """See ``Tape.fetch``; then variables are those of all units, in the rows and in the network."""
        a, b = self.starts[0], self.starts[-1]
        if len(self.places):
            self.block = self.loop.ranks.joined(self.block[:, a:b].T).T
        super().fetch(t0, reached)
        self.loop.shares.complete("states")


class RankLoop(Loop):
    """Counterpart of ``Loop``."""

    def __init__(self, network: Home):
        assert isinstance(network.ranks, Ranks)
        self.ranks = network.ranks
        self.shares = network.layout.shares
        super().__init__(network)
        self.function = callback.Function(abort_on_error(self.ranks, self._exchange))
        self.cells = np.zeros(16, np.int64)
        self.cells[callback.ADDRESS] = callback.address_of(self.function)
        width = self.window * sum(np.diff(self.ranks.share(int(n)))[0] for n in self.layout.sizes)
        if width >= 1 << 32:
            raise ValueError(f"a window of {self.window} steps has {width} places for spikes on a rank, 2^32 at most")
        self.packed, self.exchanges = np.zeros(max(width, 1), np.uint32), 0
        self._blocks(FIRST)

    @property
    def tape(self) -> Callable:  # type: ignore[override]
        """What the loop writes into."""

        return functools.partial(RankTape.of, self)

    def _deal(self, threads: int) -> None:
        self.threads = min(self.ranks.every(threads))
        self.parts, self.part = self.ranks.size * self.threads, self.ranks.rank * self.threads
        self.most = self.layout.units

    def _rows(self, c: Connection) -> Array:
        return np.append(c.senders, len(c.senders)) if len(c.senders) else np.array([-1])

    def _short(self, steps: int, seconds: float) -> bool:
        """Ask the number of steps and not the clock, so that all ranks decide alike."""
        return steps < PIECE

    def advance(self, t1: int, tape: Tape, look: Callable[[int], Any]) -> None:
        """See ``Loop.advance``; parameters, rewards and what learns travel as one number with the spikes."""
        layout = self.layout
        flags = np.array([c.learning for c in layout.learning.connections])
        self.block[2] = zlib.crc32(flags.tobytes(), zlib.crc32(layout.memory.read("numbers").tobytes()))
        super().advance(t1, tape, look)

    def _arguments(self, t0: int, t1: int, record: Record | GpuRecord) -> tuple[Any, ...]:
        self.cells[0] = 0
        return (*super()._arguments(t0, t1, record)[:-1], self.cells)

    def _blocks(self, room: int) -> None:
        """Room for the head and so many spikes of each process."""
        self.block, self.blocks = np.zeros(HEAD + room, np.uint32), np.zeros((self.ranks.size, HEAD + room), np.uint32)

    def _exchange(self) -> None:
        """Hand the spikes of a window to all ranks, and list theirs."""
        ranks, threads = self.ranks, self.threads
        t0, t1 = int(self.cells[2]), int(self.cells[3])
        lists = self.parts, self.layout.pops, self.spikes, self.counts
        n, room = int(_loop("pack")(t0, t1, self.part, threads, *lists, self.packed)), len(self.block) - HEAD
        self.block[:2] = t0 & 0xFFFFFFFF, n
        self.block[HEAD : HEAD + min(n, room)] = self.packed[: min(n, room)]
        with ranks.wait(f"spikes of step {t0}"):
            ranks.comm.Allgather(self.block, self.blocks)
            if (self.blocks[:, 0] != self.block[0]).any():
                ranks.end(f"ranks are at different steps: {self.blocks[:, 0].tolist()}")
            if (self.blocks[:, 2] != self.block[2]).any():
                ranks.end(f"ranks have different parameters, rewards or connections that learn, at step {t0}")
            counts = self.blocks[:, 1].astype(np.int64)
            more = np.maximum(counts - room, 0)
            rest, ends = np.empty(int(more.sum()), np.uint32), np.cumsum(more)
            if len(rest):
                kind = ranks.MPI.UINT32_T
                ranks.comm.Allgatherv([self.packed[room : max(n, room)], kind], [rest, more, ends - more, kind])
        for rank, (count, after, end) in enumerate(zip(counts, more, ends, strict=True)):
            if rank != ranks.rank:
                packed = np.concatenate([self.blocks[rank, HEAD : HEAD + min(count, room)], rest[end - after : end]])
                _loop("unpack")(t0, t1, rank * threads, threads, *lists, packed)
        if len(rest):
            agreed = self.block[2]
            self._blocks(2 * int(counts.max()))
            self.block[2] = agreed
        self.exchanges += 1


@functools.cache
def _loop(name: str) -> Callable[..., Any]:
    return kernel(getattr(exchange, name), dtype=np.float64)
