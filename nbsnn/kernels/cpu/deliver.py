"""Spikes along synapses: the rows of targets of the units that spiked, added into the ring of what is to arrive.

``index`` holds the targets of all synapses, sorted by source, then by target; thread ``part`` of ``parts`` serves the
targets among its own units, ``bounds[row + part]`` to ``bounds[row + part + 1]``. So no two threads write to one place,
and every target adds up its spikes in the same order, whatever the number of threads.
"""

import numpy as np

from . import tables as at


def same(row, index, a, z, weight):
    """All synapses have one weight and one delay."""
    for e in range(a, z):
        row[index[e]] += weight


def own(row, index, weights, a, z, shift, factor):
    """Every synapse has its own weight."""
    for e in range(a, z):
        row[index[e]] += factor * weights[e + shift]


def late_same(ring, index, a, z, base, weight):
    """Every synapse has its own delay: ``index`` is the place in the ring, counted from the row at ``base``."""
    size = np.uintp(ring.shape[0])
    for e in range(a, z):
        place = base + np.uintp(index[e])
        ring[place - size if place >= size else place] += weight


def late_own(ring, index, weights, a, z, shift, base, factor):
    """Every synapse has its own delay and weight."""
    size = np.uintp(ring.shape[0])
    for e in range(a, z):
        place = base + np.uintp(index[e])
        ring[place - size if place >= size else place] += factor * weights[e + shift]


def one_spike(unit, factor, after, part, parts, wire, values, ring):
    """Deliver one spike along one connection; ``after`` is the step at which a spike without delay arrives."""
    P, bounds, index, weights = values[1], values[8], values[9], values[10]
    place = wire[at.BOUNDS] + unit * (parts + 1) + part
    a, z = np.uintp(bounds[place]), np.uintp(bounds[place + 1])
    if wire[at.DELAY] >= 0:
        row = ring[(after + wire[at.DELAY]) % ring.shape[0], wire[at.TARGET_ROW] :]
        if wire[at.WEIGHT] >= 0:
            same(row, index, a, z, factor * P[wire[at.WEIGHT]])
        else:
            own(row, index, weights, a, z, np.uintp(wire[at.SHIFT]), factor)
    else:
        base, flat = np.uintp((after % ring.shape[0]) * ring.shape[1]), ring.reshape(ring.size)
        if wire[at.WEIGHT] >= 0:
            late_same(flat, index, a, z, base, factor * P[wire[at.WEIGHT]])
        else:
            late_own(flat, index, weights, a, z, np.uintp(wire[at.SHIFT]), base, factor)


def connection(emitted, after, part, parts, wire, pops, spikes, counts, factors, values, ring):
    """Deliver all spikes of step ``emitted`` along one connection.

    ``spikes`` [steps, units] lists the units of each population, in the places of its own units, a stretch for each
    thread; ``counts`` [steps, populations, threads].
    """
    source = wire[at.SOURCE]
    slot = emitted % spikes.shape[0]
    factor = values[1].dtype.type(1)
    for other in range(parts):
        base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
        for k in range(counts[slot, source, other]):
            unit = spikes[slot, base + k]
            if wire[at.SHORT] >= 0:
                factor = factors[wire[at.SHORT] + unit]
            one_spike(unit, factor, after, part, parts, wire, values, ring)
