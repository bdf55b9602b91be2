"""External input of a unit, and its spike into a list: ``kernels.network.units`` for one thread and unit."""

from typing import Any

import numpy as np
from numba import cuda

from ...random import counter, squares32
from ...scalar.hole import hole
from . import tables as at
from .arrays import GpuRecord, Network
from .course import first_at, row_at


@hole
def real(x) -> Any:
    """Number in the precision of the kernel."""
    return float(x)


def inject(i, t, k, pops, currents, C) -> float:
    """The sum of the currents into unit ``i`` of population ``k`` at step t."""
    x = 0.0
    for c in range(pops[k, at.CURRENT], pops[k, at.CURRENT] + pops[k, at.CURRENTS]):
        line = row_at(currents, c, t)
        if line >= 0:
            width = currents[c, at.WIDTH]
            x += C[currents[c, at.FACTOR]] * C[currents[c, at.VALUES] + line * width + (i if width > 1 else 0)]
    return x


def poisson(i, t, key, thresholds, first, last):
    """A Poisson number: as many as the table has entries that 32 random bits reach; most often none."""
    bits = squares32(counter(np.uint64(t), np.uint64(i)), key)
    e = first
    while e < last and bits >= thresholds[e]:
        e += 1
    return real(e - first)


def listed(i, t, k, pops, steps, units):
    """The unit of a list's spike number ``i`` at step t, or -1; lists are sorted by step."""
    a, last = pops[k, at.STATE], pops[k, at.STATE] + pops[k, at.VARIABLES]
    a = first_at(steps, a, last, t)
    return units[a + i] if a + i < last and steps[a + i] == t else -1


def collect(i, t: int, slot: int, k: int, network: Network, record: GpuRecord):
    """Append unit ``i`` to the list of population ``k`` at step t, and to what is recorded; in any order."""
    pops = network.tables.pops
    first = pops[k, at.FIRST]
    place = cuda.atomic.add(network.spikes.counts, (slot, k), 1)  # type: ignore[call-arg]
    network.spikes.units[slot, first + place] = i
    if pops[k, at.RECORDED]:
        place = cuda.atomic.add(record.cells, 0, 1)  # type: ignore[call-arg]
        record.steps[place] = t - record.begin  # type: ignore[call-overload]
        record.units[place] = first + i  # type: ignore[call-overload]
