"""A network of populations and sparse synapses over time, in one loop.

In step t a population takes what the ring holds for it, adds its drives and currents, and steps; its spikes are listed.
At the end of a window, which is as long as the shortest delay allows, all spikes of the window travel along their
synapses into later rows of the ring. ``parts`` threads run this loop at once, each for its own units of every
population; they meet once in a window.

Everything that varies in number lies in one flat array: tables of integers say where a population's state, parameters
and synapses are. So one compiled kernel serves all networks that are made of the same models. No part of an array is
taken as an array of its own here, since that would cost more than the work on it.
"""

from typing import Any

import numpy as np

from ...random import lasting
from ...scalar.hole import hole
from . import tables as at
from .deliver import connection
from .units import clear, collect, inject, poisson

BLOCK = 1024  # units that are updated together, so that what passes between the loops stays in the first cache


@hole
def update(model, n, lo, i0, key, t, S, o, w, P, place, V, own, R, row, ports, first, v, x, y, bits) -> Any:
    raise NotImplementedError


@hole
def adapt(part, parts, t, table, k, pops, wires, spikes, counts, P, traces, late) -> Any:
    raise NotImplementedError


@hole
def change_all(part, parts, t, table, k, pops, wires, spikes, counts, P, synapses, traces, columns, late) -> Any:
    raise NotImplementedError


@hole
def arrive(
    row, aims, emitted, part, parts, wires, c, pops, spikes, counts, factors, P, bounds, index, weights, R, rows, places
) -> Any:  # fmt: skip
    raise NotImplementedError


@hole
def release(part, t, pops, wires, short, k, spikes, counts, resources, factors) -> Any:
    raise NotImplementedError


@hole
def meet(cells, parts) -> Any:
    raise NotImplementedError


def simulate(part, parts, t0, t1, window, model, values, synapses, ring, scratch, out, plastic, record, cells):
    """Steps [t0, t1) for the units of thread ``part``, fewer if a record is full.

    ``model`` are the tables of ``tables.py``; ``values`` and ``synapses`` the flat arrays they point into; ``ring``
    (flat, rows, places in a row); ``scratch`` four arrays of a block for each thread; ``out`` the latest spikes, as
    ``deliver.connection`` reads them, and the factors of short-term plasticity; ``plastic``: a table, traces, columns
    of synapses, and what else plastic synapses keep (see ``adapt.py``); ``record`` as in ``sample`` and ``note``, and
    last the steps done, which are set at the end, and t0.
    """
    pops, ports, drives, currents, wires, short = model
    S, P, V, C, keys, thresholds, steps, units, resources = values
    bounds, index, weights = synapses
    R, rows, places = ring
    x, y, bits, events = scratch[0][part], scratch[1][part], scratch[2][part], scratch[3][part]
    spikes, counts, factors = out
    table, traces, columns, late = plastic
    depth = spikes.shape[0]
    t = t0
    turn = 0
    while t < t1:
        end = min(t + window, t1)
        for now in range(t, end):
            line = spikes[now % depth]
            for k in range(pops.shape[0]):
                lo, hi = share(pops[k, at.UNITS], part, parts)
                base = pops[k, at.FIRST] + lo
                if pops[k, at.MODEL] < 0:
                    count = listed(lo, hi, now, k, pops, steps, units, line, base)
                else:
                    count = np.int64(0)
                    for a in range(lo, hi, BLOCK):
                        n = min(BLOCK, hi - a)
                        if block(
                            a, n, now, k, pops, ports, drives, currents,
                            S, P, V, C, keys, thresholds, R, (now % rows) * places, x, y, bits, events,
                        ):  # fmt: skip
                            count = collect(a, n, y, line, base, count)
                counts[now % depth, k, part] = count
            sample(part, now, record, S)
        note(part, parts, t, end, turn % 2, pops, spikes, counts, record)
        for k in range(short.shape[0]):
            release(part, t, pops, wires, short, k, spikes, counts, resources, factors)
        if parts > 1:
            meet(cells, parts)
        for now in range(t, end):
            for k in range(wires.shape[0]):
                if wires[k, at.RULE] < 0:
                    connection(
                        now, part, parts, wires, k, pops, spikes, counts, factors, P, bounds, index, weights,
                        R, rows, places,
                    )  # fmt: skip
        for k in range(table.shape[0]):
            adapt(part, parts, t, table, k, pops, wires, spikes, counts, P, traces, late)
        if parts > 1 and table.shape[0] > 0:
            meet(cells, parts)
        for k in range(table.shape[0]):
            change_all(part, parts, t, table, k, pops, wires, spikes, counts, P, synapses, traces, columns, late)
            wire = table[k, at.WIRE]
            # The weight is that of the arrival, in step t + 1, so such spikes wait here and not in the ring.
            arrive(
                table[k], late[2], t + 1 - table[k, at.AFTER], part, parts, wires, wire, pops, spikes, counts, factors,
                P, bounds, index, weights, R, rows, places,
            )  # fmt: skip
        if parts > 1 and short.shape[0] > 0:
            meet(cells, parts)
        t = end
        if full(turn % 2, parts, window, record):
            break
        turn += 1
    if part == 0:
        record[10][0] = t


def share(units, part, parts):
    """The units of one thread: from, to."""
    return units * part // parts, units * (part + 1) // parts


def listed(lo, hi, t, k, pops, steps, units, line, base):
    """The spikes of a list at step t; lists are sorted by step, then by unit. Returns their number."""
    a, last = pops[k, at.STATE], pops[k, at.STATE] + pops[k, at.VARIABLES]
    z = last
    while a < z:
        middle = (a + z) // 2
        if steps[middle] < t:
            a = middle + 1
        else:
            z = middle
    count = np.int64(0)
    while a < last and steps[a] == t:
        if lo <= units[a] < hi:
            line[base + count] = units[a]
            count += 1
        a += 1
    return count


def block(
    lo, n, t, k, pops, ports, drives, currents, S, P, V, C, keys, thresholds, R, row, x, y, bits, events
):  # fmt: skip
    """One step of the units [lo, lo + n) of population k; returns how many spiked."""
    number, first, width, step = np.uintp(n), np.uintp(lo), np.uintp(pops[k, at.STRIDE]), np.uint64(t)
    if pops[k, at.CURRENTS]:
        clear(number, x)
    for c in range(pops[k, at.CURRENT], pops[k, at.CURRENT] + pops[k, at.CURRENTS]):
        line = (t - currents[c, at.BEGIN]) // currents[c, at.EVERY]
        if t >= currents[c, at.BEGIN] and line < currents[c, at.ROWS]:
            each = currents[c, at.WIDTH] > 1
            place = currents[c, at.VALUES] + line * currents[c, at.WIDTH] + (lo if each else 0)
            inject(number, P[currents[c, at.FACTOR]], C, np.uintp(place), each, x)
    for q in range(pops[k, at.PORT], pops[k, at.PORT] + pops[k, at.PORTS]):
        a = np.uintp(row + ports[q, at.ROW] + lo)
        for d in range(ports[q, at.DRIVE], ports[q, at.DRIVE] + ports[q, at.DRIVES]):
            poisson(
                number, first, step, lasting(keys[drives[d, at.DRIVE_KEY]], step), thresholds, drives[d, at.TABLE],
                drives[d, at.TABLE_END], P[drives[d, at.DRIVE_WEIGHT]], R, a, bits, events,
            )  # fmt: skip
    o, own, v = (
        np.uintp(pops[k, at.STATE] + lo),
        np.uintp(pops[k, at.VECTORS] + lo),
        np.uintp(pops[k, at.MEMBRANE] + lo),
    )
    key = lasting(keys[pops[k, at.KEY]], step)
    return update(
        pops[k, at.MODEL], number, lo, first, key, step, S, o, width, P, pops[k, at.SCALARS], V, own,
        R, row, ports, pops[k, at.PORT], v, x, y, bits,
    )  # fmt: skip


def sample(part, t, record, S):
    """Record the chosen variables after step t, if it is due: ``places`` of this thread's, into ``rows``."""
    places, starts, rows, every, first = record[0], record[1], record[2], record[3], record[4]
    if places.shape[0] > 0 and (t + 1) % every == 0:
        row = (t + 1) // every - first
        for k in range(starts[part], starts[part + 1]):
            rows[row, k] = S[places[k]]


def note(part, parts, t0, t1, turn, pops, spikes, counts, record):
    """Record the spikes of a window: steps since the piece began, and units.

    ``used`` has two rows, as others may still read the last one.
    """
    steps, units, used, position, begin = record[5], record[6], record[7], record[8], record[10][1]
    count = position[part]
    for t in range(t0, t1):
        slot = t % spikes.shape[0]
        for k in range(pops.shape[0]):
            if pops[k, at.RECORDED]:
                base = pops[k, at.FIRST] + share(pops[k, at.UNITS], part, parts)[0]
                for e in range(counts[slot, k, part]):
                    steps[part, count] = t - begin
                    units[part, count] = pops[k, at.FIRST] + spikes[slot, base + e]
                    count += 1
    position[part] = count
    used[turn, part] = count


def full(turn, parts, window, record):
    """Whether the next window might not fit into the record of some thread."""
    steps, used, most = record[5], record[7], record[9]
    for part in range(parts):  # noqa: SIM110 (Numba compiles no generator here)
        if used[turn, part] + window * most > steps.shape[1]:
            return True
    return False


# What stands in the holes of a network without plastic synapses: code that is not there need not be compiled.


def no_traces(part, parts, t, table, k, pops, wires, spikes, counts, P, traces, late):
    """In the place of ``adapt``."""


def no_change(part, parts, t, table, k, pops, wires, spikes, counts, P, synapses, traces, columns, late):
    """In the place of ``change_all``."""


def no_release(part, t, pops, wires, short, k, spikes, counts, resources, factors):
    """In the place of ``release``."""
