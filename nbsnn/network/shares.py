"""What of a network's arrays belongs to which rank, and the arrays of the whole network.

A unit's variables, what arrives at it, its traces as a target and the synapses onto it belong to the rank that steps
it; the rest is the same on all ranks. Synapses of the whole network are by source, then by target, so those of a
source are the ranks' one after another. They pass through in blocks, so that no rank has all of them at once.
"""
# pyright: reportPrivateUsage=false

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from ..files.npz import Entries, Stream
from ..kernels.network import tables as at
from .connection import Connection
from .home import Home

Array = np.ndarray

T = TypeVar("T")

BLOCK = 1 << 18  # synapses of all ranks that are on their way at once, unless one source has more
BY_SYNAPSE = "weights", "eligible", "since"


class Shares:
    """All arrays of a network that is laid out, in one process."""

    def __init__(self, network: Home):
        self.network, self.ranks = network, network.ranks

    def count(self, c: Connection) -> int:
        """Number of synapses of a connection on all ranks."""
        return len(c)

    def rows(self, c: Connection) -> Array:
        """Where the synapses of each source begin among those of all ranks."""
        return c.start

    def of_all(self, c: Connection, values: Array) -> Array:
        """Values of the synapses of this rank, in the order of its rows, as those of all in the order of rows."""
        return values

    def blocks(self, c: Connection, values: Array) -> Iterator[Array]:
        """Likewise, block after block, on the first rank; others, which must ask for all blocks too, get none."""
        yield values

    def listed(self, c: Connection) -> Iterator[Array]:
        """Sources, targets and weights of the synapses of all ranks in the order of rows, as ``blocks`` are."""
        for values in (c.sources_by_row, c.targets_by_row):
            yield from self.blocks(c, values)
        weight = c.stored.read()
        yield from self.blocks(c, weight) if c.own_weights else [np.asarray(weight)]

    def first(self, make: Callable[[], T], *streams: Iterator[Array]) -> T | None:
        """What the first rank makes of ``streams`` of blocks; None on others."""
        return make()

    def held(self, name: str) -> Array:
        """A copy of an array as a state has it: of the whole network, or of the synapses of this rank."""
        return self.network.layout.memory.read(name).copy()

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array of the whole network."""
        return self.network.layout.memory.host[name].shape

    def same(self, apart: Shares | None) -> None:
        """``ValueError`` if a state has synapses ``apart``, of ranks whose shares are others."""
        if apart and (apart.ranks.rank, apart.ranks.size) != (self.ranks.rank, self.ranks.size):
            raise ValueError(
                f"this state has the synapses of rank {apart.ranks.rank} of {apart.ranks.size} alone: save it on all "
                "of them, and restore the file"
            )

    def own(self, name: str, whole: Array) -> Array:
        """This rank's part of an array of the whole network."""
        return whole

    def loaded(self, entries: Entries, name: str) -> Array:
        """An array of a file of the whole network, as a state has it."""
        return entries[name]


class RankShares(Shares):
    """Shares of the arrays of a network on ranks."""

    def __init__(self, network: Home):
        super().__init__(network)
        self._places: dict[str, tuple[Array, Array]] = {}
        self._counts: dict[Connection, int] = {}

    def stretches(self, name: str) -> list[tuple[int, int]]:
        """Where the array of this name has a number for each unit of a population: place and units, again and again."""
        layout, learning = self.network.layout, self.network.layout.learning
        if name == "states":
            return [place for (owner, _), place in layout.place.items() if not isinstance(owner, Connection)]
        if name == "ring":
            rows, width = layout.ring.shape
            return [(k * width + row, port.group.n) for k in range(rows) for port, row in layout.rows.items()]
        found = list[tuple[int, int]]()
        for row, c in zip(learning.table, learning.connections, strict=True):
            m, n = c.target.n, c.source.n
            k = int(row[at.POST_TRACES])
            first, lines = {
                "traces": (int(row[at.SPIKED]), 1 + 2 * k),
                "rates": (int(row[at.RATES]), int(c.homeostasis is not None)),
                "tallies": (int(row[at.RATES]), int(c.homeostasis is not None)),
                "aims": (int(row[at.STEERED]), c.kind.lines),
                "integers": (int(row[at.INTEGERS]) + at.INTEGER_NUMBERS + n, int(c.integer is not None)),
            }.get(name, (0, 0))
            found += [(first + line * m, m) for line in range(lines)]
        return found

    def places(self, name: str) -> tuple[Array, Array]:
        """Places of the numbers of this rank's units, and of those of all ranks', rank after rank."""
        if name in self._places:
            return self._places[name]
        stretches, found = self.stretches(name), list[Array]()
        for rank in range(self.ranks.size):
            cuts = [(place, self.ranks.share(n, rank)) for place, n in stretches]
            found.append(np.concatenate([np.zeros(0, np.int64), *(p + np.arange(lo, hi) for p, (lo, hi) in cuts)]))
        self._places[name] = found[self.ranks.rank], np.concatenate(found)
        return self._places[name]

    def complete(self, name: str) -> None:
        """Bring the numbers of other ranks' units into the array of this name."""
        flat = self.network.layout.memory.read(name).reshape(-1)
        own, every = self.places(name)
        if len(every):
            flat[every] = self.ranks.joined(flat[own])

    def degrees(self, c: Connection) -> Array:
        """How many synapses of each source this rank has."""
        found = np.zeros(c.source.n, np.int64)
        found[c.senders if len(c.senders) else slice(None)] = np.diff(c.start)[: len(c.senders) or None]
        return found

    def count(self, c: Connection) -> int:
        if c not in self._counts:
            self._counts[c] = int(self.ranks.sums(np.array([len(c)]))[1][0])
        return self._counts[c]

    def rows(self, c: Connection) -> Array:
        return _starts(self.ranks.sums(self.degrees(c))[1])

    def of_all(self, c: Connection, values: Array) -> Array:
        order = np.argsort(self.ranks.joined(c.sources_by_row), kind="stable")
        return self.ranks.joined(values)[order]

    def blocks(self, c: Connection, values: Array) -> Iterator[Array]:
        degrees, start = self.degrees(c), self.rows(c)
        first = _starts(degrees)
        for lo, hi in _cuts(start):
            parts = self.ranks.gathered((degrees[lo:hi], values[first[lo] : first[hi]]))
            if parts:
                sources = np.concatenate([np.repeat(np.arange(hi - lo), each) for each, _ in parts])
                yield np.concatenate([part for _, part in parts])[np.argsort(sources, kind="stable")]

    def among(self, c: Connection) -> Array:
        """Which of the synapses of all ranks, as users count them, those of this rank are, ascending."""
        if c._pair is not None:
            return np.sort(c._given)
        return np.repeat(self._shift(c)[0], self.degrees(c)) + np.arange(len(c))

    def _shift(self, c: Connection) -> tuple[Array, Array]:
        """How far the synapses of a source are from their place on this rank, and where those of all ranks begin."""
        degrees = self.degrees(c)
        before, every = self.ranks.sums(degrees)
        start = _starts(every)
        return start[:-1] + before - _starts(degrees)[:-1], start

    def first(self, make: Callable[[], T], *streams: Iterator[Array]) -> T | None:
        def drain() -> None:
            for stream in streams:
                for _ in stream:
                    pass

        def made() -> T:
            try:
                return make()
            finally:  # also after an error, as the others wait
                drain()

        if self.ranks.rank:
            drain()
        return self.ranks.first(made)

    def holders(self, name: str) -> list[Connection]:
        """The connections that have a number for each synapse in the array of this name."""
        return [c for c in self.network.connections if c.own_weights and (name == "weights" or c.kind.waits)]

    def held(self, name: str) -> Array:
        if name not in BY_SYNAPSE:
            self.complete(name)
        return super().held(name)

    def shape(self, name: str) -> tuple[int, ...]:
        return (sum(map(self.count, self.holders(name))),) if name in BY_SYNAPSE else super().shape(name)

    def write(self, write: Callable[[Mapping[str, Stream]], None], arrays: Mapping[str, Array]) -> None:
        """Let the first rank ``write`` what states of all ranks have of their synapses, as of the whole network."""
        streams = dict[str, Stream]()
        for name in BY_SYNAPSE:
            mine, given = self.network.layout.memory.host[name], arrays[name]
            if given.shape != mine.shape:
                raise ValueError(f"{name} of rank {self.ranks.rank} is {list(mine.shape)}, not {list(given.shape)}")
            streams[name] = Stream(given.dtype, self.shape(name)[0], self._blocks(name, given))
        self.first(lambda: write(streams), *(stream.parts for stream in streams.values()))

    def _blocks(self, name: str, array: Array) -> Iterator[Array]:
        first = 0
        for c in self.holders(name):
            yield from self.blocks(c, array[first : first + len(c)])
            first += len(c)

    def own(self, name: str, whole: Array) -> Array:
        if name not in BY_SYNAPSE:
            return whole
        left = [whole]

        def take(n: int) -> Array:
            part, left[0] = left[0][:n], left[0][n:]
            return part

        return self._own(name, whole.dtype, take)

    def loaded(self, entries: Entries, name: str) -> Array:
        if name not in BY_SYNAPSE:
            return entries[name]
        dtype = self.network.layout.memory.host[name].dtype
        with entries.pieces(name, dtype, *self.shape(name)) as take:
            return self._own(name, dtype, take)

    def _own(self, name: str, dtype: np.dtype, take: Callable[[int], Array]) -> Array:
        """Numbers of this rank's synapses, of all that ``take`` gives one after another."""
        found = [np.zeros(0, dtype)]
        for c in self.holders(name):
            degrees, (shift, start) = self.degrees(c), self._shift(c)
            first = _starts(degrees)
            for lo, hi in _cuts(start):
                block = take(int(start[hi] - start[lo]))
                places = np.repeat(shift[lo:hi] - start[lo], degrees[lo:hi])
                found.append(block[places + np.arange(first[lo], first[hi])])
        return np.concatenate(found)


def _starts(degrees: Array) -> Array:
    """Where each row begins, and the last ends."""
    return np.concatenate([[0], np.cumsum(degrees)])


def _cuts(start: Array) -> Iterator[tuple[int, int]]:
    """Stretches of rows that have a block of synapses: from, to."""
    lo = 0
    while lo < len(start) - 1:
        hi = max(lo + 1, int(np.searchsorted(start, start[lo] + BLOCK, "right")) - 1)
        yield lo, hi
        lo = hi
