"""Homeostasis of sparse synapses: at intervals, all weights onto a unit change together.

    scaling          r <- r + k (spikes of the interval in Hz - r),   w <- clip(w (1 + beta (target - r)))
    normalisation    w <- total w / sum |w|

A thread has its own units. The sum runs along the column of a unit, whose order does not depend on threads.
"""

import numpy as np

from ...compile.prefetch import fetch
from ...scalar.hole import hole, optional
from ..network import tables as at
from ..network.arrays import Network


@optional
def catch_up_column(start: int, stop: int, first: int, t: int, row: np.ndarray, network: Network) -> None:
    """Bring synapses up to date that wait for a reward, if there are any."""


@hole
def real(x) -> float:
    """Number in the precision of the kernel."""
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


def apply_homeostasis(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Count the spikes of step t; at the end of an interval, change the weights onto a thread's own units."""
    wire, pops, plastic = network.tables.wires[row[at.WIRE]], network.tables.pops, network.plastic
    spikes, counts, weights = network.spikes.units, network.spikes.counts, network.synapses.weights
    target, slot, first = wire[at.TARGET], t % spikes.shape[0], row[at.RATES]
    m = pops[target, at.UNITS]
    lo, hi = m * part // parts, m * (part + 1) // parts
    rates, tallies = plastic.rates, plastic.tallies
    for k in range(counts[slot, target, part]):
        tallies[first + spikes[slot, pops[target, at.FIRST] + lo + k]] += 1
    if (t + 1) % row[at.INTERVAL] != 0:
        return
    numbers, learns = network.values.numbers[row[at.TARGETS] : row[at.TARGETS] + 6], row[at.LEARNS]
    start = plastic.starts[row[at.COLUMN_BOUNDS] : row[at.COLUMN_BOUNDS] + m + 1]
    synapse, base = plastic.numbered[row[at.COLUMNS] :], network.synapses.bounds[wire[at.BOUNDS]] + wire[at.SHIFT]
    for j in range(lo, hi):
        if not learns:  # rates continue as traces do
            if row[at.TENDED] == at.SCALED:
                rates[first + j] = scaling(rates[first + j], tallies[first + j], numbers)[0]
            tallies[first + j] = 0
            continue
        for c in range(start[j], start[j + 1]):
            fetch(weights, base + synapse[c])
        if row[at.REWARD] >= 0:
            a = row[at.COLUMNS]
            catch_up_column(a + start[j], a + start[j + 1], base, t, row, network)
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
