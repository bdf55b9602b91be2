"""Spikes along synapses: the rows of targets of the units that spiked, added into the ring of what is to arrive.

``index`` holds the targets of all synapses, sorted by source, then by target; thread ``part`` of ``parts`` serves the
targets among its own units, which lie between two of the ``bounds`` [rows x threads + 1]. So no two threads write to
one place, and every target adds up its spikes in the same order, whatever the number of threads.
"""

from typing import Any

import numpy as np

from ...compile.prefetch import fetch
from ...scalar.hole import optional
from . import tables as at
from .arrays import Network, Tables, all_of

STEP, MOST = 32, 640  # targets from one request to the next, and from the first of a row to the last


@optional
def row_of(unit: Any, first: int, extent: int, bounds: np.ndarray, threads: int) -> int:
    """Which of the rows whose bounds begin at ``first`` holds the synapses of a source; see ``exchange.packed_row``."""
    return unit


def same(R, row, index, a, z, weight):
    """All synapses have one weight and one delay."""
    for e in range(a, z):
        R[row + index[e]] += weight


def own(R, row, index, weights, a, z, shift, factor):
    """Every synapse has its own weight."""
    for e in range(a, z):
        R[row + index[e]] += factor * weights[e + shift]


def late_same(R, size, row, index, a, z, weight):
    """Every synapse has its own delay: ``index`` is the place in the ring, counted from the row at ``row``."""
    for e in range(a, z):
        place = row + index[e]
        R[place - size if place >= size else place] += weight


def late_own(R, size, row, index, weights, a, z, shift, factor):
    """Every synapse has its own delay and weight."""
    for e in range(a, z):
        place = row + index[e]
        R[place - size if place >= size else place] += factor * weights[e + shift]


def late(
    R: np.ndarray, size: int, row: int, index: np.ndarray, weights: np.ndarray, a: int, z: int, shift: int,
    shared: bool, factor: float, weight: float,
) -> None:  # fmt: skip
    """Filling of ``add_late``."""
    if shared:
        late_same(R, size, row, index, a, z, factor * weight)
    else:
        late_own(R, size, row, index, weights, a, z, shift, factor)


@optional
def add_late(R, size, row, index, weights, a, z, shift, shared, factor, weight):
    """``add_row`` for synapses with delays of their own, if there are any."""


def add_row(R, size, row, index, weights, a, z, shift, delay, shared, factor, weight):
    """Add ``factor`` times the weights of the synapses [a, z), or the one that they share, to the ring."""
    if delay < 0:
        add_late(R, size, row, index, weights, a, z, shift, shared, factor, weight)
    elif shared:
        same(R, row, index, a, z, factor * weight)
    else:
        own(R, row, index, weights, a, z, shift, factor)


def ask(index, a, z):
    """Ask for the first targets of a row: they come while those of the row before are added to."""
    most = a + np.uintp(MOST)
    for e in range(a, z if z < most else most, np.uintp(STEP)):
        fetch(index, e)


def shares(emitted: int, c: int, tables: Tables):
    """Place of what the synapses of each source have released at its spike of step ``emitted``; -1: always all."""
    wires = tables.wires
    first = wires[c, at.SHORT]
    return first + emitted % wires[c, at.KEPT] * tables.pops[wires[c, at.SOURCE], at.UNITS] if first >= 0 else first


@optional
def released_at(emitted: int, c: int, tables: Tables):
    """``shares``, if any source has short-term plasticity."""
    return np.int64(-1)


def sources(part: int, n: int, network: Network):
    """Those of the ``n`` units of a source of which a thread keeps account, whoever steps them: from, to."""
    threads = network.synapses.threads
    return n * (part % threads) // threads, n * (part % threads + 1) // threads


def connection(emitted: int, part: int, parts: int, c: int, network: Network):
    """Deliver all spikes of step ``emitted`` along connection ``c``; without delay they arrive in the next step."""
    pops, wires, P = network.tables.pops, network.tables.wires, network.values.numbers
    spikes, counts, factors = network.spikes.units, network.spikes.counts, network.spikes.factors
    bounds, index, weights, threads = all_of(network.synapses)
    R, rows, places = all_of(network.ring)
    source, delay, short = wires[c, at.SOURCE], wires[c, at.DELAY], released_at(emitted, c, network.tables)
    slot = emitted % spikes.shape[0]
    shared = wires[c, at.WEIGHT] >= 0
    weight = P[wires[c, at.WEIGHT]] if shared else P.dtype.type(1)
    shift, size = np.uintp(wires[c, at.SHIFT]), np.uintp(rows * places)
    after, target = (delay, wires[c, at.TARGET_ROW]) if delay >= 0 else (np.int64(0), np.int64(0))
    row = np.uintp(((emitted + 1 + after) % rows) * places + target)
    first, stride, extent = wires[c, at.BOUNDS], wires[c, at.BOUNDS_STRIDE], wires[c, at.EXTENT]
    lo, hi, here = wires[c, at.FROM], wires[c, at.TO], first + part % threads
    for other in range(parts):
        base, count = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts, counts[slot, source, other]
        a = z = np.uintp(0)
        factor = P.dtype.type(1)
        for k in range(count + 1):  # each row is added one turn after it has been asked for
            begin, end, share = a, a, factor
            if k < count:
                unit = spikes[slot, base + k]
                if unit < lo or unit >= hi:
                    continue
                place = np.uintp(here + row_of(unit, first, extent, bounds, threads) * stride)
                begin, end = np.uintp(bounds[place]), np.uintp(bounds[place + np.uintp(1)])
                ask(index, begin, end)
                if short >= 0:
                    share = factors[short + unit]
            add_row(R, size, row, index, weights, a, z, shift, delay, shared, factor, weight)
            a, z, factor = begin, end, share
