"""The integer rule on sparse synapses, whose weights are floats that hold integers.

    trace <- decayed(trace) in every step;    w <- synapse(w) at spikes, and in steps in which the threshold is too high

``plasticity.integer`` holds the equations. The synapses of a pair round with the numbers of the counter generator at
(step, number of the pair), as in the dense loop. Integers that the rule keeps lie in one flat array: its
numbers, the traces of the source, those of the target.
"""

import numpy as np

from ...compile.prefetch import AHEAD, fetch
from ..network import tables as at
from ..network.arrays import Network, all_of
from ..network.deliver import row_of, sources
from .step import sent, turned
from .synapse import decayed, integer_rule, synapse, top_bits


def decay_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Traces of a thread's own units after a step."""
    wire, pops = network.tables.wires[row[at.WIRE]], network.tables.pops
    traces, integers = network.plastic.traces, network.plastic.integers
    n, m = pops[wire[at.SOURCE], at.UNITS], pops[wire[at.TARGET], at.UNITS]
    first = row[at.INTEGERS]
    rule, a = integer_rule(integers[first : first + at.INTEGER_NUMBERS]), first + at.INTEGER_NUMBERS
    lo, hi = sources(part, n, network)
    now = network.plastic.others if turned(t, network) else traces
    for i in range(lo, hi):
        integers[a + i] = decayed(integers[a + i], now[row[at.ARRIVED] + i], rule)
    for j in range(m * part // parts, m * (part + 1) // parts):
        integers[a + n + j] = decayed(integers[a + n + j], traces[row[at.SPIKED] + j], rule)


def pair(i, j, m):
    """Number of a pair of units, where there are ``m`` targets."""
    return (np.int64(i) * m + np.int64(j)) & 4294967295


def rounds(bits, key, t, number, s):
    """The random integer with which a synapse rounds at a spike."""
    return top_bits(bits, key, t, number) if s != 0 else 0


def change_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Synapses onto a thread's own units after step t."""
    wire, pops, plastic = network.tables.wires[row[at.WIRE]], network.tables.pops, network.plastic
    bounds, index, weights, threads = all_of(network.synapses)
    keys, S = network.values.keys, network.values.states
    traces, integers = plastic.traces, plastic.integers
    source, target = wire[at.SOURCE], wire[at.TARGET]
    n, m = pops[source, at.UNITS], pops[target, at.UNITS]
    now = plastic.others if turned(t, network) else traces
    arrived, spiked = now[row[at.ARRIVED] : row[at.ARRIVED] + n], traces[row[at.SPIKED] : row[at.SPIKED] + m]
    first = row[at.INTEGERS] + at.INTEGER_NUMBERS
    rule = integer_rule(integers[row[at.INTEGERS] : first])
    a, c = integers[first : first + n], integers[first + n : first + n + m]
    place, threshold = wire[at.SHIFT], row[at.THRESHOLD]
    key_pre, key_post, begin = keys[row[at.ROUNDING]], keys[row[at.ROUNDING] + 1], bounds[wire[at.BOUNDS]]
    for other in range(parts):
        slot, from_, to = sent(other, parts, t - row[at.AFTER], row, network)
        for k in range(from_, to):
            i = network.spikes.units[slot, k]
            at_row = wire[at.BOUNDS] + part % threads
            at_row += row_of(i, wire[at.BOUNDS], wire[at.EXTENT], bounds, threads) * threads
            for e in range(bounds[at_row], bounds[at_row + 1]):
                j = index[e]
                weights[place + e] = synapse(
                    weights[place + e], 1, spiked[j], a[i], c[j], rounds(rule.shift, key_pre, t, pair(i, j, m), 1),
                    rounds(rule.shift, key_post, t, pair(i, j, m), spiked[j]),
                    1 if threshold >= 0 and S[threshold + j] > rule.max_threshold else 0, rule,
                )  # fmt: skip
    start = plastic.starts[row[at.COLUMN_BOUNDS] : row[at.COLUMN_BOUNDS] + m + 1]
    entering, numbers = plastic.sources[row[at.COLUMNS] :], plastic.numbered[row[at.COLUMNS] :]
    place += begin
    for j in range(m * part // parts, m * (part + 1) // parts):
        halve = 1 if threshold >= 0 and S[threshold + j] > rule.max_threshold else 0
        if spiked[j] != 0 or halve:
            for k in range(start[j], start[j + 1]):
                fetch(weights, place + numbers[min(k + AHEAD, start[j + 1] - 1)])
                i, e = entering[k], numbers[k]
                if arrived[i] == 0:
                    weights[place + e] = synapse(
                        weights[place + e], 0, spiked[j], a[i], c[j], 0,
                        rounds(rule.shift, key_post, t, pair(i, j, m), spiked[j]), halve, rule,
                    )  # fmt: skip
