"""What of a network's arrays belongs to which rank, and the arrays of the whole network.

A unit's variables, what arrives at it, its traces as a target and the synapses onto it belong to the rank that steps
it; the rest is the same on all ranks. Synapses of the whole network are by source, then by target, so those of a
source are the ranks' one after another.
"""

from __future__ import annotations

import numpy as np

from ..kernels.network import tables as at
from .connection import Connection
from .home import Home

Array = np.ndarray

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

    def whole(self, name: str) -> Array:
        """A copy of an array, of the whole network."""
        return self.network.layout.memory.read(name).copy()

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array of the whole network."""
        return self.network.layout.memory.host[name].shape

    def own(self, name: str, whole: Array) -> Array:
        """This rank's part of an array of the whole network."""
        return whole


class RankShares(Shares):
    """Shares of the arrays of a network on ranks."""

    def __init__(self, network: Home):
        super().__init__(network)
        self._places: dict[str, tuple[Array, Array]] = {}
        self._synapses: dict[Connection, tuple[Array, Array]] = {}

    def stretches(self, name: str) -> list[tuple[int, int]]:
        """Where the array of this name has a number for each unit of a population: place and units, again and again."""
        layout, learning = self.network.layout, self.network.layout.learning
        if name == "states":
            return [place for (owner, _), place in layout.place.items() if not isinstance(owner, Connection)]
        if name == "ring":
            rows, width = layout.ring.shape
            return [(k * width + row, port.group.n) for k in range(rows) for port, row in layout.rows.items()]
        found = []
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
        stretches, found = self.stretches(name), []
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

    def synapses(self, c: Connection) -> tuple[Array, Array]:
        """Rows of the synapses of all ranks, and places of this rank's among them."""
        if c not in self._synapses:
            mine = c.sources_by_row
            degree = np.stack(self.ranks.every(np.bincount(mine, minlength=c.source.n)))
            start = np.concatenate([[0], np.cumsum(degree.sum(axis=0))])
            before = start[:-1] + degree[: self.ranks.rank].sum(axis=0)
            first = np.searchsorted(mine, np.arange(c.source.n))
            self._synapses[c] = start, np.arange(len(c)) + (before - first)[mine]
        return self._synapses[c]

    def count(self, c: Connection) -> int:
        return int(self.rows(c)[-1])

    def rows(self, c: Connection) -> Array:
        return self.synapses(c)[0]

    def of_all(self, c: Connection, values: Array) -> Array:
        found = np.empty(self.count(c), values.dtype)
        found[self.ranks.joined(self.synapses(c)[1])] = self.ranks.joined(values)
        return found

    def holders(self, name: str) -> list[Connection]:
        """The connections that have a number for each synapse in the array of this name."""
        return [c for c in self.network.connections if c.own_weights and (name == "weights" or c.kind.waits)]

    def whole(self, name: str) -> Array:
        array = self.network.layout.memory.read(name)
        if name not in BY_SYNAPSE:
            self.complete(name)
            return array.copy()
        parts, first = [np.zeros(0, array.dtype)], 0
        for c in self.holders(name):
            parts.append(self.of_all(c, array[first : first + len(c)]))
            first += len(c)
        return np.concatenate(parts)

    def shape(self, name: str) -> tuple[int, ...]:
        return (sum(map(self.count, self.holders(name))),) if name in BY_SYNAPSE else super().shape(name)

    def own(self, name: str, whole: Array) -> Array:
        if name not in BY_SYNAPSE:
            return whole
        parts, first = [np.zeros(0, whole.dtype)], 0
        for c in self.holders(name):
            parts.append(whole[first : first + self.count(c)][self.synapses(c)[1]])
            first += self.count(c)
        return np.concatenate(parts)
