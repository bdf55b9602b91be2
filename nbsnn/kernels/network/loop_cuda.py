"""A network of populations and sparse synapses over time on a GPU: ``kernels.network.loop`` in one launch.

All threads of the launch stay for all steps. In a window, which is as long as the shortest delay allows, a thread takes
its units through all steps; then all threads meet; then they deliver the spikes of the window, and meet again. A
network with plastic synapses meets more often: see ``simulate``. Tables and arrays are those of the CPU's loop, with
one list of spikes for each step and population.
"""

from typing import Any

import numpy as np
from numba import cuda

from ...random import lasting
from ...scalar.hole import hole
from ..plasticity.step_cuda import HOMEOSTASIS, apply_homeostasis, deliver_plastic, update_synapses, update_traces
from . import tables as at
from .arrays import GpuRecord, Network, SpikeLists, network_of
from .course import row_at
from .deliver_cuda import connection
from .units_cuda import collect, inject, listed, poisson

PLASTIC = 0  # whether synapses learn
SHORT = 0  # whether some have short-term plasticity


@hole
def update(model: int, i: int, pop: int, t, row: int, key: int, x: float, network: Network) -> float:
    """One step of unit ``i`` of a population into which the currents ``x`` flow; returns its output."""
    raise NotImplementedError


@hole
def release(i, t: int, k: int, network: Network) -> None:
    raise NotImplementedError


def simulate(lanes: int, t0: int, t1: int, window: int, arrays: tuple[Any, ...], record: tuple[Any, ...]):
    """Steps [t0, t1) of all units; fewer if the record of spikes is full.

    ``lanes`` threads serve the synapses of one spike; the rest is as in the CPU's loop, but for ``record``, which is a
    ``GpuRecord``. With plastic synapses a window is one step.
    """
    part, parts = cuda.grid(1), cuda.gridsize(1)  # type: ignore[call-arg]
    network, record = network_of(arrays), GpuRecord(*record)
    grid, cells = cuda.cg.this_grid(), record.cells
    t = t0
    while t < t1:
        end = min(t + window, t1)
        fire(part, parts, t, end, network, record)
        grid.sync()
        # Everybody reads this between two meetings, and nobody writes it: so all threads agree.
        full = cells[0] + window * record.most > record.capacity
        forget(part, parts, end, end + window, network.spikes)
        deliver(part, parts, lanes, t, end, network)
        if PLASTIC:
            update_traces(part, parts, t, network)
            grid.sync()
            update_synapses(part, parts, lanes, t, network)
            if HOMEOSTASIS:
                grid.sync()
                apply_homeostasis(part, parts, t, network)
            grid.sync()
            deliver_plastic(part, parts, lanes, t, network)
        grid.sync()
        t = end
        if full:
            break
    if part == 0:
        cells[1] = t


def fire(part: int, parts: int, t0: int, t1: int, network: Network, record: GpuRecord):
    """Steps [t0, t1) of the units ``part``, ``part + parts``, ...: what arrives, the neurons, their spikes."""
    pops, spikes, rows = network.tables.pops, network.spikes.units, network.ring.rows
    steps, units = network.values.steps, network.values.units
    k = 0
    for u in range(part, spikes.shape[1], parts):
        while u >= pops[k, at.FIRST] + pops[k, at.UNITS]:
            k += 1
        i = u - pops[k, at.FIRST]
        slot, row = t0 % spikes.shape[0], t0 % rows
        for t in range(t0, t1):
            if pops[k, at.MODEL] < 0:
                fired = listed(i, t, k, pops, steps, units)
            else:
                fired = i if unit(i, t, k, row * network.ring.places, network) > 0.5 else -1
            if fired >= 0:
                collect(fired, t, slot, k, network, record)
                if PLASTIC:
                    network.spikes.marks[slot, pops[k, at.FIRST] + fired] = 1
                if SHORT:
                    release(fired, t, k, network)
            sample(u, t, record, network.values.states)
            slot = slot + 1 if slot + 1 < spikes.shape[0] else 0
            row = row + 1 if row + 1 < rows else 0


def unit(i: int, t: int, k: int, row: int, network: Network):
    """One step of unit ``i`` of population ``k``; returns its output."""
    pops, ports, drives, currents, _, _ = network.tables
    C, keys, R = network.values.currents, network.values.keys, network.ring.arriving
    x = inject(i, t, k, pops, currents, C)
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        for d in range(ports[q, at.DRIVE], ports[q, at.DRIVE] + ports[q, at.DRIVES]):
            line = row_at(drives, d, t)
            if line >= 0:
                key = lasting(keys[drives[d, at.DRIVE_KEY]], np.uint64(t))
                e = drives[d, at.FIRST_ROW] + line
                events = poisson(i, t, key, network.values.thresholds, drives[e, at.TABLE], drives[e, at.TABLE_END])
                own = i if drives[d, at.DRIVE_EACH] else 0
                R[row + ports[q, at.ROW] + i] += C[drives[d, at.DRIVE_WEIGHT] + own] * events
    key = lasting(keys[pops[k, at.KEY]], np.uint64(t))
    return update(pops[k, at.MODEL], i, k, np.uint64(t), row, key, x, network)


def sample(u: int, t: int, record: GpuRecord, S: np.ndarray):
    """Record the chosen variables of unit ``u`` after step t, if it is due."""
    starts = record.starts
    if u + 1 < starts.shape[0] and (t + 1) % record.every == 0:
        line = (t + 1) // record.every - record.first
        for c in range(starts[u], starts[u + 1]):
            record.rows[line, record.columns[c]] = S[record.places[c]]


def forget(part: int, parts: int, t0: int, t1: int, spikes: SpikeLists):
    """Empty the lists of the steps [t0, t1), which come next, and their marks."""
    depth, groups = spikes.units.shape[0], spikes.counts.shape[1]
    for e in range(part, (t1 - t0) * groups, parts):
        spikes.counts[(t0 + e // groups) % depth, e % groups] = 0
    if PLASTIC:
        for u in range(part, spikes.units.shape[1], parts):
            spikes.marks[t0 % depth, u] = 0


def deliver(part: int, parts: int, lanes: int, t0: int, t1: int, network: Network):
    """All spikes of the steps [t0, t1) along all synapses whose weights stay."""
    wires = network.tables.wires
    turn = part // lanes
    for t in range(t0, t1):
        for c in range(wires.shape[0]):
            if wires[c, at.RULE] < 0:
                turn = connection(t, turn, parts // lanes, part % lanes, lanes, c, network)
