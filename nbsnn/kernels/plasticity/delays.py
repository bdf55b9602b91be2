"""Plastic synapses with delays of their own, whose sources are known for as long as delays differ.

Synapses lie by source, then by delay, then by target: a spike finds those of its next delays beside those of the last
ones, in the same lines of the cache. Each delay has a line in the table of connections, the least first. Traces are
followed once, as spikes arrive after the least delay, and kept in a ring of steps: synapses whose delay is d steps
longer see them as they were d steps ago. The holes are those of networks in which delays are equal, where nothing of
this is compiled.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...compile.prefetch import fetch, fetch_to_read
from ...scalar.hole import hole, optional
from ..network import tables as at
from ..network.arrays import Network, all_of
from ..network.deliver import connection, row_of
from .sparse import Synapses

ROOM, TOGETHER = 256, 12  # synapses of a list, and how many of a row are listed without a branch
KNOWN = 1  # whether where sources are known is listed, too


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
def kept(t: int, n: int, row: np.ndarray) -> tuple[int, int, int, int]:
    """Places of spikes and traces of ``n`` sources, where in them those of step t are, and how many there are."""
    return row[at.ARRIVED], row[at.PRE_USED], 0, n


def line(row: np.ndarray, k: int) -> int:
    """The line of the k-th delay in the table of connections."""
    return row[at.WIRE] if k == 0 else row[at.MORE] + k - 1


# What fills the holes where delays differ, and holes of its own.


@hole
def use(adding: bool, count, t: int, row: np.ndarray, c: Synapses | int, network: Network) -> None:
    """What is to be done with synapses that are listed."""
    raise NotImplementedError


@hole
def list_to_deliver(
    part: int, parts: int, t: int, adding: bool, row: np.ndarray, c: Synapses | int, network: Network
) -> None:  # fmt: skip
    """``list_rows`` for spikes on their way."""
    raise NotImplementedError


@hole
def change_list(rule: int, count, c: Synapses) -> None:
    raise NotImplementedError


@hole
def sum_list(rule: int, count, c: Synapses) -> None:
    raise NotImplementedError


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
    place = np.uintp(row[at.PAST_SEEN] + now)
    for i in range(np.uintp(lo), np.uintp(hi)):
        traces[place + i] = seen[i]
    for k in range(used.shape[0]):
        for back in range(span if first else 1):  # before the first step all was as after it
            place = np.uintp(row[at.PAST_USED] + k * span * n + (now + back * n) % (span * n))
            for i in range(np.uintp(lo), np.uintp(hi)):
                traces[place + i] = used[k, i]


def kept_in_ring(t, n, row):
    span = row[at.SPAN]
    if span == 0:
        return row[at.ARRIVED], row[at.PRE_USED], 0, n
    return row[at.PAST_SEEN], row[at.PAST_USED], t % span * n, span * n


def place_in_ring(i, c):
    """Where what is known of a source is: of ``i`` along rows; along columns ``i`` holds the delay too."""
    place = c.turn + i
    return place - c.size if place >= c.size else place


def list_rows(
    part: int, parts: int, t: int, adding: bool, row: np.ndarray, c: Synapses | int, network: Network
) -> None:  # fmt: skip
    """List the synapses onto a thread's own units along which spikes arrive in step t; use the list when it is full.

    Each of many delays has a short row, and a loop along it ends in a branch that no processor foresees: rows of 2 or
    3 synapses, one by one, take twice as long.
    """
    wires, pops, spikes, counts = network.tables.wires, network.tables.pops, network.spikes.units, network.spikes.counts
    bounds, index, weights, threads = all_of(network.synapses)
    begun, main, here, count = network.plastic.tallies[row[at.BEGUN]], row[at.WIRE], part % threads, np.uintp(0)
    source, extent, stride = wires[main, at.SOURCE], wires[main, at.EXTENT], wires[main, at.BOUNDS_STRIDE]
    n, first_unit, shift = pops[source, at.UNITS], pops[source, at.FIRST], np.uintp(wires[main, at.SHIFT])
    room, (_, _, now, size) = network.plastic.room[here], kept_in_ring(t, n, row)
    for d in range(several(row)):
        number = line(row, d)
        late, first = longer(row, number, network), wires[number, at.BOUNDS]
        emitted, turn = t - row[at.AFTER] - late, now - late * n
        if emitted < begun:
            continue
        slot, turn = np.uintp(emitted % spikes.shape[0]), turn if turn >= 0 else turn + size
        for other in range(parts):
            a = np.uintp(first_unit + n * other // parts)
            for k in range(a, a + np.uintp(counts[slot, source, other])):
                i = spikes[slot, k]
                at_row = np.uintp(first + here + row_of(i, first, extent, bounds, threads) * stride)
                e, z, known = np.uintp(bounds[at_row]), np.uintp(bounds[at_row + np.uintp(1)]), np.uintp(turn + i)
                if KNOWN:  # ask for some places beyond, as the same spike is about to travel along its next delay
                    fetch_to_read(bounds, at_row + np.uintp(4))
                    fetch_to_read(index, z + np.uintp(8))
                    fetch(weights, z + shift + np.uintp(8))
                while True:  # a row without synapses goes through it once, too
                    if count > np.uintp(ROOM - TOGETHER):
                        use(adding, count, t, row, c, network)
                        count = np.uintp(0)
                    for q in range(np.uintp(TOGETHER)):
                        room[0, count + q] = e + q
                    if KNOWN:
                        for q in range(np.uintp(TOGETHER)):
                            room[1, count + q] = known
                    count += min(z - e, np.uintp(TOGETHER))
                    e += np.uintp(TOGETHER)
                    if e >= z:
                        break
    use(adding, count, t, row, c, network)


# Fillings of ``use``: along rows ``c`` are the synapses of the connection, for spikes on their way the thread's number.


def use_along(adding: bool, count: int, t: int, row: np.ndarray, c: Synapses, network: Network) -> None:
    if adding:
        sum_list(row[at.RULE_MODEL], count, c)
    else:
        change_list(row[at.RULE_MODEL], count, c)


def use_to_deliver(adding: bool, count: int, t: int, row: np.ndarray, c: int, network: Network) -> None:
    R, rows, places = all_of(network.ring)
    wire, index, weights = network.tables.wires[row[at.WIRE]], network.synapses.index, network.synapses.weights
    room = network.plastic.room[c]
    row_of_ring = np.uintp((t - row[at.AFTER] + 1 + wire[at.DELAY]) % rows * places + wire[at.TARGET_ROW])
    shift = np.uintp(wire[at.SHIFT])
    for k in range(count):
        e = room[0, k]
        R[row_of_ring + index[e]] += weights[e + shift]


def deliver_lists(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Counterpart of ``step.deliver_plain``."""
    row = network.plastic.table[k]
    if network.tables.wires[row[at.WIRE], at.SHORT] < 0:
        list_to_deliver(part, parts, t + 1, False, row, part % network.synapses.threads, network)
        return
    for d in range(several(row)):
        number = line(row, d)
        emitted = t + 1 - after_its_own(row, number, network)
        if emitted >= network.plastic.tallies[row[at.BEGUN]]:
            connection(emitted, part, parts, number, network)


FILLING: dict[str, Callable[..., Any]] = {
    "delays_of": several, "after_of": after_its_own, "keep_past": keep_in_ring, "kept": kept_in_ring,
    "known_at": place_in_ring, "deliver_plastic": deliver_lists,
}  # fmt: skip
