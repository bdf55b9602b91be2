"""Plastic synapses with delays of their own, whose sources are known for as long as delays differ.

Synapses lie by delay, then by source, then by target, and those of each delay have a line in the table of connections,
the least first. Traces are followed once, as spikes arrive after the least delay, and kept in a ring of steps: synapses
whose delay is d steps longer see them as they were d steps ago. The holes are those of networks in which delays are
equal, where nothing of this is compiled.
"""

import numpy as np

from ...scalar.hole import optional
from ..network import tables as at
from ..network.arrays import Network
from .sparse import Synapses


@optional
def delays_of(row: np.ndarray) -> int:
    """How many delays a plastic connection has."""
    return 1


@optional
def after_of(row: np.ndarray, number: int, network: Network) -> int:
    """Steps from a spike to its arrival along line ``number`` of the table of connections."""
    return row[at.AFTER]


@optional
def keep_past(t: int, lo: int, hi: int, seen: np.ndarray, used: np.ndarray, row: np.ndarray, network: Network) -> None:
    """Keep what is known of the sources [lo, hi) in step t."""


@optional
def view(t: int, row: np.ndarray, number: int, c: Synapses, network: Network) -> Synapses:
    """The connection as the synapses of line ``number`` see it in step t."""
    return c


def line(row: np.ndarray, k: int) -> int:
    """The line of the k-th delay in the table of connections."""
    return row[at.WIRE] if k == 0 else row[at.MORE] + k - 1


# What fills the holes where delays differ.


def several(row: np.ndarray) -> int:
    """How many delays there are."""
    return 1 + row[at.MORES]


def longer(row: np.ndarray, number: int, network: Network) -> int:
    """Steps by which the delay of a line exceeds the least."""
    wires = network.tables.wires
    return wires[number, at.DELAY] - wires[row[at.WIRE], at.DELAY]


def after_its_own(row: np.ndarray, number: int, network: Network) -> int:
    return row[at.AFTER] + longer(row, number, network)


def keep_in_ring(t, lo, hi, seen, used, row, network):
    span, n, traces = row[at.SPAN], seen.shape[0], network.plastic.traces
    if span == 0:
        return
    now = t % span * n
    first = t == network.plastic.tallies[row[at.BEGUN]]
    for i in range(lo, hi):
        traces[row[at.PAST_SEEN] + now + i] = seen[i]
    for k in range(used.shape[0]):
        for back in range(span if first else 1):  # before the first step all was as after it
            place = row[at.PAST_USED] + k * span * n + (now + back * n) % (span * n)
            for i in range(lo, hi):
                traces[place + i] = used[k, i]


def view_of_past(t, row, number, c, network):
    span, wires, traces = row[at.SPAN], network.tables.wires, network.plastic.traces
    if span == 0:
        return c
    bounds = network.synapses.bounds
    n, count = network.tables.pops[wires[number, at.SOURCE], at.UNITS], row[at.PRE_TRACES]
    size, used = span * n, row[at.PAST_USED]
    turn = (t - longer(row, number, network)) % span * n
    own = bounds[wires[number, at.BOUNDS] : wires[number, at.BOUNDS] + wires[number, at.EXTENT]]
    return Synapses(
        traces[row[at.PAST_SEEN] : row[at.PAST_SEEN] + size], c.spiked,
        traces[used : used + count * size].reshape(count, 1, 1, size), c.Y, c.P, c.L, own, c.index, c.shift, c.start,
        c.source, c.synapse, c.first, c.weights, c.rewarded, c.units, c.normalization, turn, size,
    )  # fmt: skip


def place_in_ring(i, c):
    """Where what is known of a source is: of ``i`` along rows; along columns ``i`` holds the delay too."""
    place = c.turn + i
    return place - c.size if place >= c.size else place


FILLING = {
    "delays_of": several, "after_of": after_its_own, "keep_past": keep_in_ring, "view": view_of_past,
    "known_at": place_in_ring,
}  # fmt: skip
