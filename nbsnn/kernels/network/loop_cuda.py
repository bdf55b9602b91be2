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
from ..plasticity.step_cuda import TENDED, adapt, change_all, tend, travel
from . import tables as at
from .deliver_cuda import connection
from .units_cuda import collect, inject, listed, poisson

PLASTIC = 0  # whether synapses learn
SHORT = 0  # whether some have short-term plasticity


@hole
def update(model, i, key, t, S, o, w, P, place, V, own, R, row, ports, first, v, x) -> Any:
    raise NotImplementedError


@hole
def release(i, t, k, pops, wires, short, resources, factors) -> Any:
    raise NotImplementedError


def simulate(lanes, t0, t1, window, model, values, synapses, ring, out, plastic, record):
    """Steps [t0, t1) of all units; fewer if the record of spikes is full.

    ``lanes`` threads serve the synapses of one spike; the rest is as in the CPU's loop, but for ``record``: where the
    columns of each unit begin, columns, places, rows, (interval, number of the first row, t0); steps since t0 and units
    of spikes, two numbers that are returned, that of spikes and the step reached; how many spikes fit in, and most of a
    step.
    With plastic synapses a window is one step.
    """
    part, parts = cuda.grid(1), cuda.gridsize(1)  # type: ignore[call-arg]
    grid, cells = cuda.cg.this_grid(), record[7]
    t = t0
    while t < t1:
        end = min(t + window, t1)
        fire(part, parts, t, end, model, values, ring, out, plastic, record)
        grid.sync()
        # Everybody reads this between two meetings, and nobody writes it: so all threads agree.
        full = cells[0] + window * record[9] > record[8]
        forget(part, parts, end, end + window, out, plastic)
        deliver(part, parts, lanes, t, end, model, values, synapses, ring, out)
        if PLASTIC:
            pops, wires, P = model[0], model[4], values[1]
            adapt(part, parts, t, pops, wires, P, plastic)
            grid.sync()
            change_all(part, parts, lanes, t, pops, wires, P, synapses, out, plastic)
            if TENDED:
                grid.sync()
                tend(part, parts, t, pops, wires, P, synapses, plastic)
            grid.sync()
            travel(part, parts, lanes, t, pops, wires, P, synapses, ring, out, plastic)
        grid.sync()
        t = end
        if full:
            break
    if part == 0:
        cells[1] = t


def fire(part, parts, t0, t1, model, values, ring, out, plastic, record):
    """Steps [t0, t1) of the units ``part``, ``part + parts``, ...: what arrives, the neurons, their spikes."""
    pops, ports, drives, currents, wires, short = model
    S, P, V, C, keys, thresholds, list_steps, list_units, resources = values
    R, rows, places = ring
    spikes, counts, factors = out
    k = 0
    for u in range(part, spikes.shape[1], parts):
        while u >= pops[k, at.FIRST] + pops[k, at.UNITS]:
            k += 1
        i = u - pops[k, at.FIRST]
        slot, row = t0 % spikes.shape[0], t0 % rows
        for t in range(t0, t1):
            if pops[k, at.MODEL] < 0:
                fired = listed(i, t, k, pops, list_steps, list_units)
            else:
                y = unit(
                    i, t, k, pops, ports, drives, currents, S, P, V, C, keys, thresholds, R, row * places
                )  # fmt: skip
                fired = i if y > 0.5 else -1
            if fired >= 0:
                collect(fired, t, slot, k, pops, spikes, counts, record)
                if PLASTIC:
                    plastic[4][slot, pops[k, at.FIRST] + fired] = 1
                if SHORT:
                    release(fired, t, k, pops, wires, short, resources, factors)
            sample(u, t, record, S)
            slot = slot + 1 if slot + 1 < spikes.shape[0] else 0
            row = row + 1 if row + 1 < rows else 0


def unit(i, t, k, pops, ports, drives, currents, S, P, V, C, keys, thresholds, R, row):
    """One step of unit ``i`` of population ``k``; returns its output."""
    x = inject(i, t, k, pops, currents, P, C)
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        for d in range(ports[q, at.DRIVE], ports[q, at.DRIVE] + ports[q, at.DRIVES]):
            key = lasting(keys[drives[d, at.DRIVE_KEY]], np.uint64(t))
            first, last = drives[d, at.TABLE], drives[d, at.TABLE_END]
            R[row + ports[q, at.ROW] + i] += P[drives[d, at.DRIVE_WEIGHT]] * poisson(i, t, key, thresholds, first, last)
    key = lasting(keys[pops[k, at.KEY]], np.uint64(t))
    return update(
        pops[k, at.MODEL], i, key, np.uint64(t), S, pops[k, at.STATE] + i, pops[k, at.STRIDE], P,
        pops[k, at.SCALARS], V, pops[k, at.VECTORS] + i, R, row, ports, pops[k, at.PORT], pops[k, at.MEMBRANE] + i, x,
    )  # fmt: skip


def sample(u, t, record, S):
    """Record the chosen variables of unit ``u`` after step t, if it is due."""
    starts, columns, places, rows, (every, first, _) = record[0], record[1], record[2], record[3], record[4]
    if u + 1 < starts.shape[0] and (t + 1) % every == 0:
        line = (t + 1) // every - first
        for c in range(starts[u], starts[u + 1]):
            rows[line, columns[c]] = S[places[c]]


def forget(part, parts, t0, t1, out, plastic):
    """Empty the lists of the steps [t0, t1), which come next, and their marks."""
    spikes, counts = out[0], out[1]
    groups = counts.shape[1]
    for e in range(part, (t1 - t0) * groups, parts):
        counts[(t0 + e // groups) % spikes.shape[0], e % groups] = 0
    if PLASTIC:
        for u in range(part, spikes.shape[1], parts):
            plastic[4][t0 % spikes.shape[0], u] = 0


def deliver(part, parts, lanes, t0, t1, model, values, synapses, ring, out):
    """All spikes of the steps [t0, t1) along all synapses whose weights stay."""
    pops, wires, P = model[0], model[4], values[1]
    bounds, index, weights = synapses
    R, rows, places = ring
    spikes, counts, factors = out
    turn = part // lanes
    for t in range(t0, t1):
        for c in range(wires.shape[0]):
            if wires[c, at.RULE] < 0:
                turn = connection(
                    t, turn, parts // lanes, part % lanes, lanes, wires, c, pops, spikes, counts, factors, P, bounds,
                    index, weights, R, rows, places,
                )  # fmt: skip
