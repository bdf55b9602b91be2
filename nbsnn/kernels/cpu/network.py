"""A network of populations and sparse synapses over time, in one loop.

In step t a population takes what the ring holds for it, adds its drives and currents, and steps; its spikes are listed.
At the end of a window, which is as long as the shortest delay allows, all spikes of the window travel along their
synapses into later rows of the ring. ``parts`` threads run this loop at once, each for its own units of every
population; they meet once in a window.

Everything that varies in number lies in one flat array: tables of integers say where a population's state, parameters
and synapses are. So one compiled kernel serves all networks that are made of the same models.
"""

from typing import Any

import numpy as np

from ...hole import hole
from . import tables as at
from .adapt import adapt, change_all
from .deliver import connection
from .short_term import release
from .units import clear, collect, inject, poisson

BLOCK = 1024  # units that are updated together, so that what passes between the loops stays in the first cache


@hole
def arrive(model, lo, hi, a, s, p, reversal, v, x, g) -> Any:
    raise NotImplementedError


@hole
def advance(model, lo, hi, key, t, s, p, v, x, g, y) -> Any:
    raise NotImplementedError


@hole
def meet(cells, parts) -> Any:
    raise NotImplementedError


def simulate(part, parts, t0, t1, window, model, values, ring, scratch, out, plastic, record, cells):
    """Steps [t0, t1) for the units of thread ``part``; returns the step reached, earlier if a record is full.

    ``model`` are the tables of ``tables.py``; ``values`` the flat arrays they point into; ``ring`` [rows, places];
    ``scratch`` five arrays of a block for each thread; ``out`` the latest spikes, as ``deliver.connection`` reads them,
    and the factors of short-term plasticity; ``plastic``: a table, traces, columns of synapses (``adapt``); ``record`` as
    in ``sample`` and ``note``.
    """
    pops, wires, short, rows = model[0], model[4], model[5], plastic[0]
    mine = (scratch[0][part], scratch[1][part], scratch[2][part], scratch[3][part], scratch[4][part])
    spikes, counts, factors = out
    t = t0
    turn = 0
    while t < t1:
        end = min(t + window, t1)
        for now in range(t, end):
            slot = now % spikes.shape[0]
            for k in range(pops.shape[0]):
                counts[slot, k, part] = population(part, parts, now, pops[k], model, values, ring, mine, spikes[slot])
            sample(part, now, record, values[0])
        note(part, parts, t, end, turn % 2, pops, spikes, counts, record)
        for k in range(short.shape[0]):
            release(part, t, pops, wires, short[k], spikes, counts, values, factors)
        if parts > 1:
            meet(cells, parts)
        for now in range(t, end):
            for k in range(wires.shape[0]):
                if wires[k, at.RULE] < 0:
                    connection(now, now + 1, part, parts, wires[k], pops, spikes, counts, factors, values, ring)
        for k in range(rows.shape[0]):
            if rows[k, at.LEARNS]:
                adapt(part, parts, t, rows[k], pops, wires, spikes, counts, values[1], plastic[1])
        if parts > 1 and rows.shape[0] > 0:
            meet(cells, parts)
        for k in range(rows.shape[0]):
            if rows[k, at.LEARNS]:
                change_all(part, parts, t, rows[k], pops, wires, spikes, counts, values, plastic[1], plastic[2])
            wire = wires[rows[k, at.WIRE]]
            emitted = t - wire[at.DELAY]  # the weight is that of the arrival, so such spikes wait here, not in the ring
            connection(emitted, emitted + 1, part, parts, wire, pops, spikes, counts, factors, values, ring)
        if parts > 1 and short.shape[0] > 0:
            meet(cells, parts)
        t = end
        if full(turn % 2, parts, window, record):
            break
        turn += 1
    return t


def share(units, part, parts):
    """The units of one thread: from, to."""
    return units * part // parts, units * (part + 1) // parts


def population(part, parts, t, pop, model, values, ring, scratch, line):
    """One step of a thread's units of one population; lists those that spiked, and returns their number."""
    lo, hi = share(pop[at.UNITS], part, parts)
    line = line[pop[at.FIRST] + lo : pop[at.FIRST] + hi]
    if pop[at.MODEL] < 0:
        return listed(lo, hi, t, pop, values, line)
    count = 0
    for a in range(lo, hi, BLOCK):
        count = block(a, min(a + BLOCK, hi), t, pop, model, values, ring, scratch, line, count)
    return count


def listed(lo, hi, t, pop, values, line):
    """The spikes of a list at step t; lists are sorted by step, then by unit."""
    steps, units = values[6], values[7]
    first, last = pop[at.STATE], pop[at.STATE] + pop[at.VARIABLES]
    a = first + np.searchsorted(steps[first:last], t)
    count = 0
    while a < last and steps[a] == t:
        if lo <= units[a] < hi:
            line[count] = units[a]
            count += 1
        a += 1
    return count


def block(lo, hi, t, pop, model, values, ring, scratch, line, count):
    """One step of units [lo, hi), a block; appends those that spiked to ``line``."""
    ports, drives, currents = model[1], model[2], model[3]
    S, P, V, C, keys, thresholds = values[0], values[1], values[2], values[3], values[4], values[5]
    x, g, y, bits, events = scratch
    width, n = pop[at.STRIDE], np.uintp(hi - lo)
    first, last, step = np.uintp(lo), np.uintp(hi), np.uint64(t)
    v = S[pop[at.MEMBRANE] :]
    now = ring[t % ring.shape[0]]
    clear(n, x)
    if pop[at.CONDUCTANCE]:
        clear(n, g)
    for k in range(pop[at.CURRENT], pop[at.CURRENT] + pop[at.CURRENTS]):
        inject(first, last, t, currents[k], C, P, x)
    for k in range(pop[at.PORT], pop[at.PORT] + pop[at.PORTS]):
        port = ports[k]
        a = now[port[at.ROW] : port[at.ROW] + width]
        for d in range(port[at.DRIVE], port[at.DRIVE] + port[at.DRIVES]):
            table = thresholds[drives[d, at.TABLE] : drives[d, at.TABLE_END]]
            weight = P[drives[d, at.DRIVE_WEIGHT]]
            poisson(first, last, step, keys[drives[d, at.DRIVE_KEY]], table, weight, a, bits, events)
        s = S[port[at.STATE] : port[at.STATE] + port[at.VARIABLES] * width].reshape(port[at.VARIABLES], width)
        p = P[port[at.SCALARS] :]
        arrive(port[at.MODEL], first, last, a, s, p[1:], p[0], v, x, g)
    s = S[pop[at.STATE] : pop[at.STATE] + pop[at.VARIABLES] * width].reshape(pop[at.VARIABLES], width)
    own = V[pop[at.VECTORS] : pop[at.VECTORS] + pop[at.OWN] * width].reshape(pop[at.OWN], width)
    if advance(pop[at.MODEL], first, last, keys[pop[at.KEY]], step, s, P[pop[at.SCALARS] :], own, x, g, y):
        return collect(lo, hi, y, line, count)
    return count


def sample(part, t, record, S):
    """Record the chosen variables after step t, if it is due: ``places`` of this thread's, into ``rows``."""
    places, starts, rows, every, first = record[0], record[1], record[2], record[3], record[4]
    if places.shape[0] > 0 and (t + 1) % every == 0:
        row = (t + 1) // every - first
        for k in range(starts[part], starts[part + 1]):
            rows[row, k] = S[places[k]]


def note(part, parts, t0, t1, turn, pops, spikes, counts, record):
    """Record the spikes of a window: step and unit. ``used`` has two rows, as others may still read the last one."""
    steps, units, used, position = record[5], record[6], record[7], record[8]
    count = position[part]
    for t in range(t0, t1):
        slot = t % spikes.shape[0]
        for k in range(pops.shape[0]):
            if pops[k, at.RECORDED]:
                base = pops[k, at.FIRST] + share(pops[k, at.UNITS], part, parts)[0]
                for e in range(counts[slot, k, part]):
                    steps[part, count] = t
                    units[part, count] = pops[k, at.FIRST] + spikes[slot, base + e]
                    count += 1
    position[part] = count
    used[turn, part] = count


def full(turn, parts, window, record):
    """Whether the next window might not fit into the record of some thread."""
    steps, used, most = record[5], record[7], record[9]
    for part in range(parts):
        if used[turn, part] + window * most > steps.shape[1]:
            return True
    return False
