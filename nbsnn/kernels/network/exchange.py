"""Spikes of a window between processes: a number for each, made of its step and its unit among those of its process.

Numbers count the units of a process through, population after population, and the steps of the window; they ascend as
spikes are listed. Thread ``part`` of all ``parts`` belongs to a process that has ``threads`` of them from ``first`` on.
"""

import numpy as np

from ...scalar.hole import hole
from . import tables as at
from .arrays import Network, Record
from .loop import note


@hole
def wait_for_all(cells: np.ndarray, threads: int) -> None:
    raise NotImplementedError


@hole
def exchange(cells: np.ndarray) -> None:
    """Spikes of the window between cells[2] and cells[3] from and to other processes."""
    raise NotImplementedError


def share_with_others(
    part: int, parts: int, t0: int, t1: int, turn: int, network: Network, record: Record, cells: np.ndarray
) -> None:
    """One thread of this process lets it have the spikes of all, and records them."""
    threads = network.synapses.threads
    if part % threads == 0:
        cells[2], cells[3] = t0, t1
        exchange(cells)
        note(0, 0, parts, parts, t0, t1, turn, network.tables.pops, network.spikes, record)
    if threads > 1:
        wait_for_all(cells, threads)


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
