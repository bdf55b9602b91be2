"""A network of populations and sparse synapses over time, in one loop.

In step t a population takes what the ring holds for it, adds its drives and currents, and steps; its spikes are listed.
At the end of a window, which is as long as the shortest delay allows, all spikes of the window travel along their
synapses into later rows of the ring. ``parts`` threads run this loop at once, each for its own units of every
population; they meet once in a window, and once in a step where synapses are plastic. Spikes of a window arrive after
it, or in its last step, so plastic synapses need no others in the steps before. Threads may be those of several
processes; then each process lists the spikes of all, one of its threads records all, and arrays hold what belongs to
its own units.

Everything that varies in number lies in one flat array: tables of integers say where a population's state, parameters
and synapses are. So one compiled kernel serves all networks that are made of the same models. No part of an array is
taken as an array of its own here, since that would cost more than the work on it.
"""

from typing import Any

import numpy as np

from ...random import lasting
from ...scalar.hole import hole, optional
from . import tables as at
from .arrays import Network, Record, Scratch, SpikeLists, laid_out
from .units import collect

BLOCK = 4096  # units that are updated together: what passes between the loops stays in cache; 1024 took 5 % longer


@hole
def update(model: int, n, lo: int, pop: int, t, row: int, key: int, network: Network, scratch: Scratch) -> int:
    """One step of the units [lo, lo + n) of a population; returns how many spiked."""
    raise NotImplementedError


@optional
def listed(lo: int, hi: int, t: int, k: int, network: Network, line: np.ndarray, base: int) -> int:
    """The spikes of population ``k`` if it is a list, if there are any; see ``units``."""
    return np.int64(0)  # type: ignore[return-value]


@optional
def add_currents(n, lo: int, t: int, k: int, network: Network, room: Scratch) -> None:
    """Currents injected into units of population ``k``, if there are any; see ``units``."""


@optional
def add_drives(n, lo: int, t: int, k: int, row: int, network: Network, room: Scratch) -> None:
    """Poisson input of units of population ``k``, if there is any; see ``units``."""


@optional
def deliver_fixed(emitted: int, part: int, parts: int, c: int, network: Network) -> None:
    """Spikes of a step along connection ``c``, whose weights stay, if there are any such; see ``deliver``."""


@optional
def open_gates(t: int, part: int, parts: int, network: Network, cells: np.ndarray) -> None:
    """What gates of sources let through in step t, if there are any; see ``gates``."""


@hole
def update_traces(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Traces of plastic connection ``k``, if there are any; see ``plasticity.step``."""


@hole
def update_synapses(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Synapses of plastic connection ``k``, if there are any; see ``plasticity.step``."""


@hole
def deliver_plastic(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Spikes that arrive after step t through plastic connection ``k``, if there are any."""


@hole
def release(part: int, t: int, k: int, network: Network) -> None:
    """Short-term plasticity, if there is any."""


@hole
def wait_for_all(cells: np.ndarray, threads: int) -> None:
    raise NotImplementedError


@optional
def share_with_others(
    part: int, parts: int, t0: int, t1: int, turn: int, network: Network, record: Record, cells: np.ndarray
) -> None:
    """Spikes of the steps [t0, t1) from and to other processes, if there are any; see ``exchange``."""


def simulate(
    part: int,
    parts: int,
    t0: int,
    t1: int,
    window: int,
    network: Network,
    scratch: tuple[Any, ...],
    record: tuple[Any, ...],
    cells: np.ndarray,
):
    """Steps [t0, t1) for the units of thread ``part``, fewer if a record is full.

    ``scratch`` are the four arrays of a ``Scratch``, a block for each thread; ``record`` the items of a ``Record``.
    """
    record = laid_out(Record(*record))
    x, y, bits, events = scratch
    threads = network.synapses.threads
    here = part % threads
    room = laid_out(Scratch(x[here], y[here], bits[here], events[here]))
    pops = network.tables.pops
    spikes, counts, table = network.spikes.units, network.spikes.counts, network.plastic.table
    depth = spikes.shape[0]
    t = t0
    turn = 0
    while t < t1:
        end = t + window if t + window < t1 else t1
        for now in range(t, end):
            open_gates(now, part, parts, network, cells)
            line = spikes[now % depth]
            for k in range(pops.shape[0]):
                lo, hi = share(pops[k, at.UNITS], part, parts)
                base = pops[k, at.FIRST] + lo
                if pops[k, at.MODEL] < 0:
                    count = listed(lo, hi, now, k, network, line, base)
                else:
                    count = np.int64(0)
                    for a in range(lo, hi, BLOCK):
                        n = hi - a if hi - a < BLOCK else BLOCK
                        if block(a, n, now, k, network, room):
                            count = collect(a, n, room.y, line, base, count)
                counts[now % depth, k, part] = count
            sample(here, now, record, network.values.states)
            if now == end - 1:
                share_spikes(part, parts, t, end, turn % 2, network, record, cells)
                travel(part, parts, t, end, network, cells)
            for k in range(table.shape[0]):
                update_traces(part, parts, now, k, network)
            if threads > 1 and table.shape[0] > 0:
                wait_for_all(cells, threads)
            for k in range(table.shape[0]):
                update_synapses(part, parts, now, k, network)
                deliver_plastic(part, parts, now, k, network)
            if threads > 1 and network.plastic.integers.shape[0] > 0:  # of which there are no two, as of traces
                wait_for_all(cells, threads)
        t = end
        if full(turn % 2, threads, window, record):
            break
        turn += 1
    if here == 0:
        record.clock[0] = t


def share_spikes(
    part: int, parts: int, t0: int, t1: int, turn: int, network: Network, record: Record, cells: np.ndarray
):
    """Let every thread, of every process, have the spikes of the steps [t0, t1), and record them."""
    pops, threads = network.tables.pops, network.synapses.threads
    if parts == threads:
        note(part, part, part + 1, parts, t0, t1, turn, pops, network.spikes, record)
    if threads > 1:
        wait_for_all(cells, threads)
    if parts > threads:
        share_with_others(part, parts, t0, t1, turn, network, record, cells)


def travel(part: int, parts: int, t0: int, t1: int, network: Network, cells: np.ndarray):
    """All spikes of the steps [t0, t1), which all threads have listed, along synapses whose weights stay."""
    wires, short = network.tables.wires, network.tables.short
    for t in range(t0, t1):
        for k in range(short.shape[0]):
            release(part, t, k, network)
    threads = network.synapses.threads
    if threads > 1 and short.shape[0] > 0:
        wait_for_all(cells, threads)
    for t in range(t0, t1):
        for k in range(wires.shape[0]):
            if wires[k, at.RULE] < 0:
                deliver_fixed(t, part, parts, k, network)


def share(units, part, parts):
    """The units of one thread: from, to."""
    return units * part // parts, units * (part + 1) // parts


def block(lo: int, n: int, t: int, k: int, network: Network, room: Scratch):
    """One step of the units [lo, lo + n) of population k; returns how many spiked."""
    pops, ring, number, step = network.tables.pops, network.ring, np.uintp(n), np.uint64(t)
    row = (t % ring.rows) * ring.places
    add_currents(number, lo, t, k, network, room)
    add_drives(number, lo, t, k, row, network, room)
    key = lasting(network.values.keys[pops[k, at.KEY]], step)
    return update(pops[k, at.MODEL], number, lo, k, step, row, key, network, room)


def sample(here: int, t: int, record: Record, S: np.ndarray):
    """Record the chosen variables after step t, if it is due: those of this thread's units."""
    places, starts = record.places, record.starts
    if places.shape[0] > 0 and (t + 1) % record.every == 0:
        row = (t + 1) // record.every - record.first
        for k in range(starts[here], starts[here + 1]):
            record.rows[row, k] = S[places[k]]


def note(
    here: int, first: int, last: int, parts: int, t0: int, t1: int, turn: int, pops: np.ndarray, spikes: SpikeLists,
    record: Record,
):  # fmt: skip
    """Record the spikes of a window of the parts [first, last): steps since the piece began, and units.

    ``used`` has two rows, as others may still read the last one.
    """
    count, begin = record.position[here], record.clock[1]
    for t in range(t0, t1):
        slot = t % spikes.units.shape[0]
        for k in range(pops.shape[0]):
            if pops[k, at.RECORDED]:
                for part in range(first, last):
                    base = pops[k, at.FIRST] + share(pops[k, at.UNITS], part, parts)[0]
                    for e in range(spikes.counts[slot, k, part]):
                        record.steps[here, count] = t - begin
                        record.units[here, count] = pops[k, at.FIRST] + spikes.units[slot, base + e]
                        count += 1
    record.position[here] = count
    record.used[turn, here] = count


def full(turn: int, threads: int, window: int, record: Record):
    """True if the next window might not fit into the record of some thread."""
    for here in range(threads):  # noqa: SIM110 (Numba compiles no generator here)
        if record.used[turn, here] + window * record.most > record.steps.shape[1]:
            return True
    return False
