"""Sparse synapses under a rule that in every step rescales all weights onto a unit, for a loop over units a step.

    w_ij = c_j stored_ij,    c_j = scale_j step_j
    step_j = what all weights onto j are multiplied by,    stored_ij <- stored_ij + d_ij / c_j     at a spike

d_ij is made of the weight before the rescaling, scale_j stored_ij, and a spike travels with c_j stored_ij. The sum of
what is stored onto a unit is kept in float64, where what a synapse gains is known exactly, so that it does not drift.
All that is done between reading a weight and storing it is done in float64.

When a unit fires, all synapses onto it are visited anyway: then they are stored as they are, and c_j is 1 again; so
they are when c_j leaves [2^-20, 2^20]. ``plasticity.mean_weight`` holds the equations. The mean of what units aim at
stays as it was, up to rounding in float64, without being brought back to it.
"""

from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole
from ..network import tables as at
from ..network.arrays import Network, all_of
from ..network.deliver import connection, shares
from .delays import after_of, delays_of, line
from .sparse import Synapses, place_of, visit
from .synapse import Limits

LEAST, MOST = 2.0**-20, 2.0**20


class Stored(NamedTuple):
    """Of a column that is stored: factors of its weights before the step and in it, and the sum of its weights."""

    before: float
    step: float
    total: float


@hole
def aimed(m, y: float, mean: float, a_pre: float) -> float:
    raise NotImplementedError


@hole
def rescale(m: float, mean: float) -> float:
    raise NotImplementedError


@hole
def store_column(rule: int, j: int, c: Synapses) -> None:
    raise NotImplementedError


@hole
def real(x) -> float:
    """Number in the precision of the kernel."""
    return float(x)


def steady(c):
    """True if weights may be stored in units of ``c``."""
    return LEAST <= abs(c) <= MOST


def steer(lo: int, hi: int, rule: int, c: Synapses) -> None:
    """Target means of the units [lo, hi) after a step, and the factors of the weights onto them."""
    lines, Y, m, start = c.units.lines, c.Y, c.spiked.shape[0], c.start
    total, units = np.float64(0), 0
    for j in range(m):
        if start[j + 1] > start[j]:
            total += Y[0, 0, 0, j]
            units += 1
    mean = total / max(units, 1)
    for j in range(lo, hi):
        n, o = start[j + 1] - start[j], c.units.first + j
        if n > 0:
            aim = aimed(lines[o + at.AIM * m], Y[0, 0, 0, j], mean, c.P[1, 0])
            scale = lines[o + at.SCALE * m] * lines[o + at.STEP * m]
            step = rescale(aim, scale * lines[o + at.SUM * m] / n)
            lines[o + at.AIM * m] = aim
            lines[o + at.SCALE * m] = scale
            lines[o + at.STEP * m] = step
            if c.spiked[j] == 0 and not steady(scale * step):
                store_column(rule, j, c)


def after(j: int, c: Synapses) -> float:
    """The factor of the weights onto unit ``j`` after the step."""
    return c.units.lines[place_of(at.SCALE, j, c.units)] * c.units.lines[place_of(at.STEP, j, c.units)]


# What fills the holes of a visit.


def in_row(j: int, c: Synapses) -> bool:
    """Rows leave columns alone that are stored anew in this step."""
    return c.spiked[j] == 0 and steady(after(j, c))


def weight_of(o: int, j: int, c: Synapses) -> float:
    """The weight at ``o`` before the step."""
    return c.units.lines[place_of(at.SCALE, j, c.units)] * c.weights[o]


def store(o: int, j: int, w: float, d: float, limits: Limits, c: Synapses) -> None:
    """Add ``d`` to a weight of a row."""
    stored = c.weights[o]
    c.weights[o] = stored + d / after(j, c)
    c.units.lines[place_of(at.SUM, j, c.units)] += np.float64(c.weights[o]) - np.float64(stored)


def in_column(i: int, c: Synapses) -> bool:
    """All synapses of a column are stored as they are."""
    return True


def weight_of_column(o: int, j: int, c: Synapses, sums: Stored) -> float:
    """The same in a column."""
    return sums.before * c.weights[o]


def add(o: int, j: int, w: float, d: float, limits: Limits, sums: Stored, c: Synapses) -> Stored:
    """Store a weight of a column."""
    c.weights[o] = sums.step * w + d
    return Stored(sums.before, sums.step, sums.total + c.weights[o])


def change_column(j: int, c: Synapses) -> None:
    """All synapses onto target ``j``, be there a spike or not, change and are stored as they are."""
    lines, o, m = c.units.lines, c.units.first + j, c.units.units
    stored = visit(j, c, Stored(lines[o + at.SCALE * m], lines[o + at.STEP * m], np.float64(0)))
    lines[o + at.SUM * m] = stored.total
    lines[o + at.SCALE * m] = 1.0
    lines[o + at.STEP * m] = 1.0


ROWS = {"in_row": in_row, "weight_of": weight_of, "store": store, "widen": np.float64}
COLUMNS = {"visit": {"in_column": in_column, "weight_of_column": weight_of_column, "add": add, "widen": np.float64}}


def deliver_plastic(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """As ``deliver.connection``, with what each weight is stored in, where it is stored without a factor."""
    row = network.plastic.table[k]
    for d in range(delays_of(row)):
        number = line(row, d)
        emitted = t + 1 - after_of(row, number, network)
        if emitted >= network.plastic.tallies[row[at.BEGUN]]:
            deliver_line(part, parts, emitted, number, row, network)


def deliver_line(part: int, parts: int, emitted: int, number: int, row: np.ndarray, network: Network) -> None:
    """Spikes of step ``emitted`` along one line of the table of connections."""
    pops, lists = network.tables.pops, network.spikes
    if row[at.STEERED] < 0:
        connection(emitted, part, parts, number, network)
        return
    wire, lines = network.tables.wires[number], network.plastic.lines
    bounds, index, weights, threads = all_of(network.synapses)
    R, rows, places = all_of(network.ring)
    source, short, shift = wire[at.SOURCE], shares(emitted, number, network.tables), wire[at.SHIFT]
    m = pops[wire[at.TARGET], at.UNITS]
    slot, scale, step = emitted % lists.units.shape[0], row[at.STEERED] + at.SCALE * m, row[at.STEERED] + at.STEP * m
    first = ((emitted + 1 + wire[at.DELAY]) % rows) * places + wire[at.TARGET_ROW]
    for other in range(parts):
        base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
        for k in range(lists.counts[slot, source, other]):
            unit = lists.units[slot, base + k]
            place = wire[at.BOUNDS] + unit * wire[at.BOUNDS_STRIDE] + part % threads
            factor = lists.factors[short + unit] if short >= 0 else weights.dtype.type(1)
            for e in range(bounds[place], bounds[place + 1]):
                j = np.int64(index[e])
                R[first + j] += factor * real(lines[scale + j] * lines[step + j] * weights[e + shift])
