"""Plastic connections of a network on a GPU, one step: traces, then synapses, then what is done at intervals.

As ``kernels.plasticity.step``; between these functions all threads meet.
"""

from ...scalar.hole import hole
from ..network import tables as at
from ..network.arrays import Network
from ..network.deliver_cuda import connection
from .homeostasis import balanced, bounded, scaling
from .rewarded import catch_up, rewarded
from .sparse_cuda import Place

HOMEOSTASIS = 0  # whether there is any
WAITS = 0  # whether a rule waits for a reward


@hole
def follow_source(rule: int, i: int, n: int, s: float, carried: int, used: int, factors: int, network: Network) -> None:
    raise NotImplementedError


@hole
def follow_target(rule: int, i: int, n: int, s: float, carried: int, used: int, factors: int, network: Network) -> None:
    raise NotImplementedError


@hole
def change(rule: int, s: Place, t: int, network: Network) -> None:
    raise NotImplementedError


def update_traces(part: int, parts: int, t: int, network: Network) -> None:
    """Spikes that arrive and those of the targets, and the traces of both, of a thread's own units after step t."""
    pops, wires, marks = network.tables.pops, network.tables.wires, network.spikes.marks
    table, traces, begun = network.plastic.table, network.plastic.traces, network.plastic.tallies
    for k in range(table.shape[0]):
        wire, rule = table[k, at.WIRE], table[k, at.RULE_MODEL]
        source, target = wires[wire, at.SOURCE], wires[wire, at.TARGET]
        n, m = pops[source, at.UNITS], pops[target, at.UNITS]
        slot, first = (t - table[k, at.AFTER]) % marks.shape[0], pops[source, at.FIRST]
        known = t - table[k, at.AFTER] >= begun[table[k, at.BEGUN]]
        for i in range(part, n, parts):
            s = 1.0 if known and marks[slot, first + i] else 0.0
            traces[table[k, at.ARRIVED] + i] = s
            carried, used, factors = table[k, at.PRE_CARRIED], table[k, at.PRE_USED], table[k, at.PRE_FACTORS]
            follow_source(rule, i, n, s, carried, used, factors, network)
        slot, first = t % marks.shape[0], pops[target, at.FIRST]
        for j in range(part, m, parts):
            s = 1.0 if marks[slot, first + j] else 0.0
            traces[table[k, at.SPIKED] + j] = s
            carried, used, factors = table[k, at.POST_CARRIED], table[k, at.POST_USED], table[k, at.POST_FACTORS]
            follow_target(rule, j, m, s, carried, used, factors, network)


def update_synapses(part: int, parts: int, lanes: int, t: int, network: Network) -> None:
    """Synapses whose source's spike arrives or whose target fires; neighbouring threads have those of one spike."""
    pops, wires, plastic, traces = network.tables.pops, network.tables.wires, network.plastic, network.plastic.traces
    spikes, counts, table = network.spikes.units, network.spikes.counts, network.plastic.table
    bounds, index, _, _ = network.synapses
    lane, rows_at_once, turn = part % lanes, parts // lanes, part // lanes
    for k in range(table.shape[0]):
        if table[k, at.CHANGES] and (table[k, at.LEARNS] or table[k, at.REWARD] >= 0):
            row, wire = table[k], wires[table[k, at.WIRE]]
            source, target, rule = wire[at.SOURCE], wire[at.TARGET], row[at.RULE_MODEL]
            n, m, place = pops[source, at.UNITS], pops[target, at.UNITS], wire[at.BOUNDS]
            slot = (t - row[at.AFTER]) % spikes.shape[0]
            came = counts[slot, source] if t - row[at.AFTER] >= plastic.tallies[row[at.BEGUN]] else 0
            while turn < came:
                i = spikes[slot, pops[source, at.FIRST] + turn]
                for e in range(bounds[place + i] + lane, bounds[place + i + 1], lanes):
                    change(rule, Place(i, index[e], n, m, e + wire[at.SHIFT], row), t, network)  # type: ignore[arg-type]
                turn += rows_at_once
            turn -= came
            slot, base = t % spikes.shape[0], bounds[place] + wire[at.SHIFT]
            while turn < counts[slot, target]:
                j = spikes[slot, pops[target, at.FIRST] + turn]
                start, first = row[at.COLUMN_BOUNDS] + j, row[at.COLUMNS]
                for c in range(first + plastic.starts[start] + lane, first + plastic.starts[start + 1], lanes):
                    i = plastic.sources[c]
                    if traces[row[at.ARRIVED] + i] == 0.0:  # else its row has been visited
                        change(rule, Place(i, j, n, m, base + plastic.numbered[c], row), t, network)  # type: ignore[arg-type]
                turn += rows_at_once
            turn -= counts[slot, target]


def apply_homeostasis(part: int, parts: int, t: int, network: Network) -> None:
    """Count the spikes of step t; at the end of an interval, change the weights onto a thread's own units."""
    pops, wires, marks, P = network.tables.pops, network.tables.wires, network.spikes.marks, network.values.numbers
    bounds, _, weights, _ = network.synapses
    table, starts, numbered = network.plastic.table, network.plastic.starts, network.plastic.numbered
    rates, tallies = network.plastic.rates, network.plastic.tallies
    for k in range(table.shape[0]):
        if table[k, at.TENDED]:
            row, wire = table[k], wires[table[k, at.WIRE]]
            target, first = wire[at.TARGET], row[at.RATES]
            due, slot = (t + 1) % row[at.INTERVAL] == 0, t % marks.shape[0]
            base, numbers = bounds[wire[at.BOUNDS]] + wire[at.SHIFT], P[row[at.TARGETS] : row[at.TARGETS] + 6]
            for j in range(part, pops[target, at.UNITS], parts):
                tallies[first + j] += marks[slot, pops[target, at.FIRST] + j]
                if due and not row[at.LEARNS]:
                    if row[at.TENDED] == at.SCALED:
                        rates[first + j] = scaling(rates[first + j], tallies[first + j], numbers)[0]
                    tallies[first + j] = 0
                elif due:
                    start = row[at.COLUMN_BOUNDS] + j
                    a, z = row[at.COLUMNS] + starts[start], row[at.COLUMNS] + starts[start + 1]
                    if WAITS and row[at.REWARD] >= 0:
                        r = rewarded(t, row, network)
                        for c in range(a, z):
                            catch_up(base + numbered[c], r, weights)
                    if row[at.TENDED] == at.SCALED:
                        rate, factor = scaling(rates[first + j], tallies[first + j], numbers)
                        rates[first + j] = rate
                    else:
                        total = 0.0
                        for c in range(a, z):
                            total += abs(weights[base + numbered[c]])
                        factor = balanced(total, numbers)
                    tallies[first + j] = 0
                    for c in range(a, z):
                        e = base + numbered[c]
                        weights[e] = bounded(weights[e] * factor, numbers)


def deliver_plastic(part: int, parts: int, lanes: int, t: int, network: Network) -> None:
    """Deliver along plastic synapses: the weight is that of the arrival, so such spikes wait here, not in the ring."""
    pops, wires, table = network.tables.pops, network.tables.wires, network.plastic.table
    spikes, counts, bounds = network.spikes.units, network.spikes.counts, network.synapses.bounds
    turn = part // lanes
    for k in range(table.shape[0]):
        wire = table[k, at.WIRE]
        emitted = t + 1 - table[k, at.AFTER]
        if emitted < network.plastic.tallies[table[k, at.BEGUN]]:
            continue
        if WAITS and table[k, at.LEARNS] and table[k, at.REWARD] >= 0:
            r, source, place = rewarded(t, table[k], network), wires[wire, at.SOURCE], wires[wire, at.BOUNDS]
            slot, shift = emitted % spikes.shape[0], wires[wire, at.SHIFT]
            for s in range(turn, counts[slot, source], parts // lanes):
                row = place + spikes[slot, pops[source, at.FIRST] + s]
                for e in range(bounds[row] + part % lanes, bounds[row + 1], lanes):
                    catch_up(e + shift, r, network.synapses.weights)  # the same thread delivers it
        turn = connection(emitted, turn, parts // lanes, part % lanes, lanes, wire, network)
