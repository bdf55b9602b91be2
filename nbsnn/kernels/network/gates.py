"""Gates of synapses: what each source puts out in a step, and the weighted sums of it that arrive at the targets.

At the beginning of a step each thread moves the gates of its own units on, all threads meet, and each sums up for its
own targets what is then added into the ring, in the order of the sources. Gates stand in the table of ports, after
these. Where all sources end at all targets with one weight, their sum is taken once.
"""

import numpy as np

from ...scalar.hole import hole
from ..arrays.wide import widest
from . import tables as at
from .arrays import Network, all_of
from .deliver import add_row


@hole
def open_units(model: int, lo: int, hi: int, row: np.ndarray, pop: np.ndarray, network: Network) -> None:
    """``units_of`` of a kind of gates."""
    raise NotImplementedError


@hole
def wait_for_all(cells: np.ndarray, parts: int) -> None:
    raise NotImplementedError


@hole
def step(spike, *arguments) -> tuple:
    raise NotImplementedError


@hole
def seen(S: np.ndarray, o, w, k: int) -> tuple:
    """The source's variables that a gate reads."""
    raise NotImplementedError


@hole
def state(S: np.ndarray, o, w, k: int) -> tuple:
    raise NotImplementedError


@hole
def params(P: np.ndarray, o: int) -> tuple:
    raise NotImplementedError


@hole
def keep(S: np.ndarray, r: tuple, o, w, k: int) -> None:
    raise NotImplementedError


@hole
def put_out(S: np.ndarray, r: tuple, o, w, k: int) -> None:
    raise NotImplementedError


def units_of(lo: int, hi: int, row: np.ndarray, pop: np.ndarray, network: Network) -> None:
    """One step of the gates of units [lo, hi); their outputs begin with the marks of those that have spiked."""
    widest()
    S, P = network.values.states, network.values.numbers
    o, v, out = np.uintp(row[at.STATE] + lo), np.uintp(pop[at.STATE] + lo), np.uintp(row[at.ROW] + lo)
    w, q = np.uintp(pop[at.STRIDE]), params(P, row[at.SCALARS])
    for k in range(np.uintp(hi - lo)):
        r = step(S[out + k], *seen(S, v, w, k), *state(S, o, w, k), *q)
        put_out(S, r, out, w, k)
        keep(S, r, o, w, k)


def open_gates(t: int, part: int, parts: int, network: Network, cells: np.ndarray) -> None:
    """All gates in step t, and what they let through into the ring."""
    pops, ports, wires = network.tables.pops, network.tables.ports, network.tables.wires
    S, spikes, counts = network.values.states, network.spikes.units, network.spikes.counts
    slot = (t + spikes.shape[0] - 1) % spikes.shape[0]
    for g in range(ports.shape[0]):
        if ports[g, at.OPENS] < 0:
            continue
        pop = ports[g, at.OPENS]
        n, out = pops[pop, at.UNITS], ports[g, at.ROW]
        lo, hi = n * part // parts, n * (part + 1) // parts
        for k in range(lo, hi):
            S[out + k] = 0
        base = pops[pop, at.FIRST] + lo
        for k in range(counts[slot, pop, part]):
            S[out + spikes[slot, base + k]] = 1
        open_units(ports[g, at.MODEL], lo, hi, ports[g], pops[pop], network)
    if parts > 1:
        wait_for_all(cells, parts)
    for c in range(wires.shape[0]):
        if wires[c, at.RULE] == at.GATED:
            pass_through(t, part, parts, c, network)


def pass_through(t: int, part: int, parts: int, c: int, network: Network) -> None:
    """Add what connection ``c`` lets through in step t into the ring."""
    pops, wires, P, S = network.tables.pops, network.tables.wires, network.values.numbers, network.values.states
    bounds, index, weights, threads = all_of(network.synapses)
    R, rows, places = all_of(network.ring)
    gate = network.tables.ports[wires[c, at.GATE]]
    source, target, delay = pops[wires[c, at.SOURCE]], pops[wires[c, at.TARGET]], wires[c, at.DELAY]
    shared = wires[c, at.WEIGHT] >= 0
    weight = P[wires[c, at.WEIGHT]] if shared else P.dtype.type(1)
    shift, size = np.uintp(wires[c, at.SHIFT]), np.uintp(rows * places)
    for m in range(gate[at.VARIABLES]):
        out = gate[at.ROW] + m * source[at.STRIDE]
        first = ((t + max(delay, 0)) % rows) * places + (wires[c, at.TARGET_ROW] if delay >= 0 else 0)
        row = np.uintp(first + m * target[at.STRIDE])
        if wires[c, at.SPREAD] >= 0:
            spread(part, parts, c, out, row, weight, network)
            continue
        for i in range(wires[c, at.FROM], wires[c, at.TO]):
            factor = S[out + i]
            if factor == 0:
                continue
            place = wires[c, at.BOUNDS] + i * threads + part % threads
            a, z = np.uintp(bounds[place]), np.uintp(bounds[place + 1])
            add_row(R, size, row, index, weights, a, z, shift, delay, shared, factor, weight)


def sum_of(S, first, last):
    """The sum of S[first:last], in four parts of which none waits for another."""
    a = b = c = d = np.float64(0.0)
    fours = last - (last - first) % np.uintp(4)
    for i in range(first, fours, np.uintp(4)):
        a += S[i]
        b += S[i + np.uintp(1)]
        c += S[i + np.uintp(2)]
        d += S[i + np.uintp(3)]
    for i in range(fours, last):
        a += S[i]
    return (a + b) + (c + d)


def spread(
    part: int, parts: int, c: int, out: int, row: np.uintp, weight: float | np.ndarray, network: Network
) -> None:
    """Sources that all end at all targets: one sum, from which a target that is a source takes itself out."""
    wire, S, R = network.tables.wires[c], network.values.states, network.ring.arriving
    n = network.tables.pops[wire[at.TARGET], at.UNITS]
    lo = max(n * part // parts, wire[at.SPREAD])
    hi = min(n * (part + 1) // parts, wire[at.SPREAD_END])
    total = sum_of(S, np.uintp(out + wire[at.FROM]), np.uintp(out + wire[at.TO]))
    a = min(max(lo, wire[at.FROM]), hi) if wire[at.APART] else hi  # from here to z targets are sources
    z = max(min(hi, wire[at.TO]), a)
    whole = S.dtype.type(weight * total)
    for j in range(np.uintp(lo), np.uintp(a)):
        R[row + j] += whole
    for j in range(np.uintp(a), np.uintp(z)):
        R[row + j] += S.dtype.type(weight * (total - S[np.uintp(out) + j]))
    for j in range(np.uintp(z), np.uintp(hi)):
        R[row + j] += whole
