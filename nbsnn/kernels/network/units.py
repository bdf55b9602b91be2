"""External input of the units of a block, the spikes of lists, and the list of those that spiked.

``add_currents``, ``add_drives`` and ``listed`` are compiled where a network has such input.

A block is ``n`` units from ``lo`` on. ``x``, ``y``, ``bits`` and ``events`` are scratch of a block. The places in the
flat arrays are unsigned, so that no index needs a check for its sign, and the loops are vectorised.
"""

import numpy as np

from ...random import counter, lasting, squares32
from ..arrays.wide import widest
from ..products.bits import WORD, equals, ones
from . import tables as at
from .arrays import Network, Scratch
from .course import first_at, row_at


def listed(lo: int, hi: int, t: int, k: int, network: Network, line: np.ndarray, base: int) -> int:
    """The spikes of a list at step t; lists are sorted by step, then by unit. Returns their number."""
    pops, steps, units = network.tables.pops, network.values.steps, network.values.units
    a, last = pops[k, at.STATE], pops[k, at.STATE] + pops[k, at.VARIABLES]
    a = first_at(steps, a, last, t)
    count = np.int64(0)
    while a < last and steps[a] == t:
        if lo <= units[a] < hi:
            line[base + count] = units[a]
            count += 1
        a += 1
    return count  # type: ignore[return-value]


def add_currents(n: np.ndarray, lo: int, t: int, k: int, network: Network, room: Scratch) -> None:
    """Add up the currents injected into units of population ``k``."""
    pops, currents, C = network.tables.pops, network.tables.currents, network.values.currents
    if pops[k, at.CURRENTS]:
        clear(n, room.x)
    for c in range(pops[k, at.CURRENT], pops[k, at.CURRENT] + pops[k, at.CURRENTS]):
        line = row_at(currents, c, t)
        if line >= 0:
            each = currents[c, at.WIDTH] > 1
            place = currents[c, at.VALUES] + line * currents[c, at.WIDTH] + (lo if each else 0)
            inject(n, C[currents[c, at.FACTOR]], C, np.uintp(place), each, room.x)


def add_drives(n: np.ndarray, lo: int, t: int, k: int, row: int, network: Network, room: Scratch) -> None:
    """Add Poisson input of units of population ``k`` to what arrives in step t, whose row begins at ``row``."""
    pops, ports, drives, C = network.tables.pops, network.tables.ports, network.tables.drives, network.values.currents
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        a = np.uintp(row + ports[q, at.ROW] + lo)
        for d in range(ports[q, at.DRIVE], ports[q, at.DRIVE] + ports[q, at.DRIVES]):
            line = row_at(drives, d, t)
            if line >= 0:
                e, step = drives[d, at.FIRST_ROW] + line, np.uint64(t)
                key = lasting(network.values.keys[drives[d, at.DRIVE_KEY]], step)
                poisson(
                    n, np.uintp(lo), step, key, network.values.thresholds, drives[e, at.TABLE],
                    drives[e, at.TABLE_END], room.bits, room.events,
                )  # fmt: skip
                own = drives[d, at.DRIVE_EACH] != 0
                weights = np.uintp(drives[d, at.DRIVE_WEIGHT] + (lo if own else 0))
                arrive(n, C, weights, own, room.events, network.ring.arriving, a)


def clear(n, x):
    """Set the first ``n`` elements to zero."""
    for k in range(n):
        x[k] = 0


def inject(n, factor, C, place, each, x):
    """A current from an array: one number for all units, or one for ``each``."""
    if each:
        for k in range(n):
            x[k] += factor * C[place + k]
    else:
        for k in range(n):
            x[k] += factor * C[place]


def poisson(n, lo, t, key, thresholds, first, last, bits, events):
    """Draw Poisson numbers into ``events``: as many as the table has entries that 32 random bits reach.

    thresholds[first + j] is 2^32 times the probability of at most j events.
    """
    widest()
    for k in range(n):
        bits[k] = np.uint32(squares32(counter(t, lo + k), key))
        events[k] = 0
    for j in range(first, last):
        least = thresholds[j]
        for k in range(n):
            events[k] += np.uint32(1) if bits[k] >= least else np.uint32(0)


def arrive(n, C, place, each, events, R, row):
    """Add events times their weight to the ring: one weight for all units, or one for ``each``."""
    if each:
        for k in range(n):
            R[row + k] += C[place + k] * events[k]
    else:
        weight = C[place]
        for k in range(n):
            R[row + k] += weight * events[k]


def collect(lo, n, y, line, base, count):
    """Append the units that spiked to ``line``, whose places from ``base`` on hold ``count`` already.

    What is behind the ``n`` outputs in ``y`` is read, but left out.
    """
    for a in range(0, n, WORD):
        word = ~equals(y, np.uintp(a), 0.0)
        if a + WORD > n:
            word &= (np.uint64(1) << np.uint64(n - a)) - np.uint64(1)
        while word != np.uint64(0):
            k = a + np.int64(ones((word & (~word + np.uint64(1))) - np.uint64(1)))
            word &= word - np.uint64(1)
            if y[k] > 0.5:
                line[base + count] = lo + k
                count += 1
    return count
