"""One step of the plastic connections of a network: traces first, then, when all threads have theirs, synapses.

A rule sees the source's spikes as they arrive, together with the target's spikes of that step, whatever a synapse does
with them from then on. Traces go on while a connection does not learn. ``traces`` is one flat array that holds what
``sparse_plasticity`` calls seen, carried and used, of both sides of every plastic connection. ``late`` is what synapses
keep beside their weights: eligibility and the step of its last visit, mean rates and tallies of units, mean weights
that units aim at, and what integer rules need: their integers, keys, the network's variables.
"""

from typing import Any

from ...scalar.hole import hole
from ..network import tables as at
from .normalized import row_sum, terms
from .rewarded import waiting
from .sparse import mark


@hole
def follow_source(rule, lo, hi, seen, carried, used, factors) -> Any:
    raise NotImplementedError


@hole
def follow_target(rule, lo, hi, seen, carried, used, factors) -> Any:
    raise NotImplementedError


@hole
def row_change(rule, i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights) -> Any:
    raise NotImplementedError


@hole
def column_change(rule, j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights) -> Any:
    raise NotImplementedError


@hole
def bring_rows(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, late) -> Any:
    raise NotImplementedError


@hole
def tend(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, columns, late) -> Any:
    raise NotImplementedError


@hole
def steer(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights) -> Any:
    raise NotImplementedError


@hole
def balance(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights) -> Any:
    raise NotImplementedError


@hole
def decay_integers(part, parts, row, wire, pops, traces, integers) -> Any:
    raise NotImplementedError


@hole
def change_integers(part, parts, t, row, wire, pops, spikes, counts, synapses, traces, columns, late) -> Any:
    raise NotImplementedError


def stretch(part, parts, t, k, pops, spikes, counts):
    """The units of population ``k`` in a thread's share that spiked in step t."""
    slot = t % spikes.shape[0]
    base = pops[k, at.FIRST] + pops[k, at.UNITS] * part // parts
    return spikes[slot, base : base + counts[slot, k, part]]


def side(place, count, units, traces):
    """Traces of one side: [count, units]."""
    return traces[place : place + count * units].reshape(count, units)


def adapt(part, parts, t, table, k, pops, wires, spikes, counts, P, traces, late):
    """Traces of a thread's own units after step t."""
    row = table[k]
    wire = wires[row[at.WIRE]]
    source, target = wire[at.SOURCE], wire[at.TARGET]
    n, m = pops[source, at.UNITS], pops[target, at.UNITS]
    lo, hi = n * part // parts, n * (part + 1) // parts
    seen = traces[row[at.ARRIVED] : row[at.ARRIVED] + n]
    mark(seen, lo, hi, stretch(part, parts, t - row[at.AFTER], source, pops, spikes, counts))
    count = row[at.PRE_TRACES]
    carried, used = side(row[at.PRE_CARRIED], count, n, traces), side(row[at.PRE_USED], count, n, traces)
    factors = P[row[at.PRE_FACTORS] : row[at.PRE_FACTORS] + 2 * count].reshape(count, 2)
    follow_source(row[at.RULE_MODEL], lo, hi, seen, carried, used.reshape(count, 1, n), factors)
    lo, hi = m * part // parts, m * (part + 1) // parts
    seen = traces[row[at.SPIKED] : row[at.SPIKED] + m]
    mark(seen, lo, hi, stretch(part, parts, t, target, pops, spikes, counts))
    count = row[at.POST_TRACES]
    carried, used = side(row[at.POST_CARRIED], count, m, traces), side(row[at.POST_USED], count, m, traces)
    factors = P[row[at.POST_FACTORS] : row[at.POST_FACTORS] + 2 * count].reshape(count, 2)
    follow_target(row[at.RULE_MODEL], lo, hi, seen, carried, used.reshape(count, 1, m), factors)
    if row[at.INTEGERS] >= 0:
        decay_integers(part, parts, row, wire, pops, traces, late[3][0])


def change_all(part, parts, t, table, entry, pops, wires, spikes, counts, P, synapses, traces, columns, late):
    """Synapses onto a thread's own units after step t."""
    row = table[entry]
    wire = wires[row[at.WIRE]]
    learns, waits = row[at.LEARNS], row[at.REWARD] >= 0  # eligibility goes on as traces do, for no reward
    if row[at.CHANGES] and (learns or waits):
        change(part, parts, t, row, wire, pops, spikes, counts, P, synapses, traces, columns, late)
    if row[at.INTEGERS] >= 0 and learns:
        change_integers(part, parts, t, row, wire, pops, spikes, counts, synapses, traces, columns, late[3])
    if row[at.TENDED]:
        tend(part, parts, t, row, wire, pops, spikes, counts, P, synapses[0], synapses[2], columns, late)
    if waits and learns:
        bring_rows(part, parts, t, row, wire, pops, spikes, counts, P, synapses[0], synapses[2], late)


def change(part, parts, t, row, wire, pops, spikes, counts, P, synapses, traces, columns, late):
    """What spikes do to synapses."""
    bounds, index, weights = synapses
    starts, sources, numbered = columns
    source, target = wire[at.SOURCE], wire[at.TARGET]
    n, m = pops[source, at.UNITS], pops[target, at.UNITS]
    arrived, spiked = traces[row[at.ARRIVED] : row[at.ARRIVED] + n], traces[row[at.SPIKED] : row[at.SPIKED] + m]
    X = side(row[at.PRE_USED], row[at.PRE_TRACES], n, traces).reshape(row[at.PRE_TRACES], 1, 1, n)
    Y = side(row[at.POST_USED], row[at.POST_TRACES], m, traces).reshape(row[at.POST_TRACES], 1, 1, m)
    numbers = P[row[at.PARAMS] : row[at.PARAMS] + row[at.PARAM_COUNT]].reshape(row[at.PARAM_COUNT], 1)
    limits = P[row[at.LIMITS] : row[at.LIMITS] + 4]
    own = bounds[wire[at.BOUNDS] : wire[at.BOUNDS] + n * (parts + 1)]
    model, shift, waits = row[at.RULE_MODEL], wire[at.SHIFT], (*waiting(t, row, P, late), terms(t, row, P))
    start = starts[row[at.COLUMN_BOUNDS] : row[at.COLUMN_BOUNDS] + m + 1]
    entering, synapse = sources[row[at.COLUMNS] :], numbered[row[at.COLUMNS] :]
    first, lo, hi = own[0] + shift, m * part // parts, m * (part + 1) // parts
    if row[at.BALANCED] >= 0:
        for other in range(parts):
            came = stretch(other, parts, t - row[at.AFTER], source, pops, spikes, counts)
            for k in range(came.shape[0]):
                row_sum(
                    model, came[k], part, parts, arrived, spiked, X, Y, numbers, limits, waits, own, index, shift,
                    weights,
                )  # fmt: skip
        balance(
            lo, hi, model, arrived, spiked, X, Y, numbers, limits, waits, start, entering, synapse, first, weights
        )  # fmt: skip
    elif row[at.STEERED] >= 0:
        steer(
            lo, hi, model, arrived, spiked, X, Y, numbers, limits, waits, start, entering, synapse, first, weights
        )  # fmt: skip
    for other in range(parts):
        came = stretch(other, parts, t - row[at.AFTER], source, pops, spikes, counts)
        for k in range(came.shape[0]):
            row_change(
                model, came[k], part, parts, arrived, spiked, X, Y, numbers, limits, waits, own, index, shift, weights
            )  # fmt: skip
    fired = stretch(part, parts, t, target, pops, spikes, counts)
    for k in range(fired.shape[0]):
        column_change(
            model, fired[k], arrived, spiked, X, Y, numbers, limits, waits, start, entering, synapse, first, weights
        )  # fmt: skip
