"""Homeostasis of sparse synapses: at intervals, all weights onto a unit change together.

    scaling          r <- r + k (spikes of the interval in Hz - r),   w <- clip(w (1 + beta (target - r)))
    normalisation    w <- total w / sum |w|

A thread tends its own units. The sum runs along the column of a unit, whose order does not depend on threads.
"""

from typing import Any

from ...compile.prefetch import fetch
from ...scalar.hole import hole
from ..network import tables as at


@hole
def bring_column(j, t, row, P, start, synapse, base, weights, late) -> Any:
    raise NotImplementedError


@hole
def real(x) -> Any:
    """In the precision of the kernel."""
    return float(x)


def scaling(r, tally, numbers):
    """The mean rate after an interval with ``tally`` spikes, and the factor of the weights."""
    r += numbers[at.SMOOTHING] * (tally * numbers[at.HERTZ] - r)
    return r, real(max(1.0 + numbers[at.STRENGTH] * (numbers[at.TARGET_VALUE] - r), 0.0))


def balanced(total, numbers):
    """The factor of the weights whose absolute values add up to ``total``."""
    return numbers[at.TARGET_VALUE] / total if total > 0.0 else real(1.0)


def bounded(w, numbers):
    """A weight within its bounds."""
    return min(max(w, numbers[at.LOWEST]), numbers[at.HIGHEST])


def tend(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, columns, late):
    """Count the spikes of step t; at the end of an interval, change the weights onto a thread's own units."""
    starts, _, numbered = columns
    target, slot, first = wire[at.TARGET], t % spikes.shape[0], row[at.RATES]
    m = pops[target, at.UNITS]
    lo, hi = m * part // parts, m * (part + 1) // parts
    rates, tallies = late[1]
    for k in range(counts[slot, target, part]):
        tallies[first + spikes[slot, pops[target, at.FIRST] + lo + k]] += 1
    if (t + 1) % row[at.INTERVAL] != 0:
        return
    numbers, learns = P[row[at.TARGETS] : row[at.TARGETS] + 6], row[at.LEARNS]
    start, synapse = starts[row[at.COLUMN_BOUNDS] : row[at.COLUMN_BOUNDS] + m + 1], numbered[row[at.COLUMNS] :]
    base = bounds[wire[at.BOUNDS]] + wire[at.SHIFT]
    for j in range(lo, hi):
        if not learns:  # rates go on as traces do
            if row[at.TENDED] == at.SCALED:
                rates[first + j] = scaling(rates[first + j], tallies[first + j], numbers)[0]
            tallies[first + j] = 0
            continue
        for c in range(start[j], start[j + 1]):
            fetch(weights, base + synapse[c])
        if row[at.REWARD] >= 0:
            bring_column(j, t, row, P, start, synapse, base, weights, late)
        if row[at.TENDED] == at.SCALED:
            r, factor = scaling(rates[first + j], tallies[first + j], numbers)
            rates[first + j] = r
        else:
            total = real(0.0)
            for c in range(start[j], start[j + 1]):
                total += abs(weights[base + synapse[c]])
            factor = balanced(total, numbers)
        tallies[first + j] = 0
        for c in range(start[j], start[j + 1]):
            e = base + synapse[c]
            weights[e] = bounded(weights[e] * factor, numbers)


def no_tend(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, columns, late):
    """In the place of ``tend`` where nothing needs it."""
