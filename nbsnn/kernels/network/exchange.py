"""Spikes of a window between processes: a number for each, made of its step and its unit among those of its process.

Numbers count the units of a process through, population after population, and the steps of the window; they ascend as
spikes are listed. Thread ``part`` of all ``parts`` belongs to a process that has ``threads`` of them from ``first`` on.
"""

import numpy as np

from . import tables as at


def packed_row(unit: int, first: int, extent: int, bounds: np.ndarray, threads: int) -> int:
    """The row of a source, where only sources that have synapses here have one: the last row is empty.

    Behind the bounds are these sources, ascending, and their number; -1: all sources have rows.
    """
    end = first + extent - 1
    rows = bounds[end]
    if rows < 0:
        return unit
    a, z = end - rows, end
    while a < z:
        middle = (a + z) // 2
        if bounds[middle] < unit:
            a = middle + 1
        else:
            z = middle
    return a - end + rows if a < end and bounds[a] == unit else rows


def pack(
    t0: int, t1: int, first: int, threads: int, parts: int, pops: np.ndarray, units: np.ndarray, counts: np.ndarray,
    out: np.ndarray,
) -> int:  # fmt: skip
    """The spikes of this process in steps [t0, t1); returns how many."""
    n, base = 0, 0
    for t in range(t0, t1):
        slot = t % units.shape[0]
        for k in range(pops.shape[0]):
            for part in range(first, first + threads):
                lo, hi = pops[k, at.UNITS] * part // parts, pops[k, at.UNITS] * (part + 1) // parts
                for e in range(counts[slot, k, part]):
                    out[n] = base + units[slot, pops[k, at.FIRST] + lo + e] - lo
                    n += 1
                base += hi - lo
    return n


def unpack(
    t0: int, t1: int, first: int, threads: int, parts: int, pops: np.ndarray, units: np.ndarray, counts: np.ndarray,
    packed: np.ndarray,
) -> None:  # fmt: skip
    """List the spikes that another process has packed."""
    e, base = 0, 0
    for t in range(t0, t1):
        slot = t % units.shape[0]
        for k in range(pops.shape[0]):
            for part in range(first, first + threads):
                lo, hi = pops[k, at.UNITS] * part // parts, pops[k, at.UNITS] * (part + 1) // parts
                count = 0
                while e < packed.shape[0] and np.int64(packed[e]) < base + hi - lo:
                    units[slot, pops[k, at.FIRST] + lo + count] = lo + np.int64(packed[e]) - base
                    count += 1
                    e += 1
                counts[slot, k, part] = count
                base += hi - lo
