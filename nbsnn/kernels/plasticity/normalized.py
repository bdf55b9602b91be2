"""Sparse synapses under a rule that normalises in every step, for a loop over units a step and visits at spikes alone.

    w <- clip(f (w + d)),  f = total / sum |w + d|              if weights are normalised before they are clipped
    w <- f clip(w + d),    f = total / sum |clip(w + d)|        otherwise

d is not zero at the synapses of spikes alone, so that all others onto a unit change by one factor. As in ``steered``,
weights are stored without it, w_ij = scale_j step_j stored_ij; of each unit the sum of its absolute weights is known,
to which spikes add what they change. They visit a synapse twice: to add up, and when the factor is known.

All synapses onto a unit are visited when it fires, and then stored as they are, as also when the factor leaves
[2^-20, 2^20] or the sum has fallen so far that rounding shows in it. If the bounds hold for all weights, they are
visited too in every step in which a weight onto the unit could be beyond them: where weights lie at their bound, in
nearly every step in which others weaken. Such steps follow each other without spikes too, since clipped weights leave
a sum below the total, from which the others grow in the next step, and so on. A unit whose weights such a step leaves
as they are rests until one of its synapses changes.

Sums are kept in float64, as is all between reading a weight and storing it. A factor nearer to 1 than 2^-44 is taken
for 1: so much is rounding. The sum over all synapses onto a unit runs in the order of sources, as in the dense loop.
"""

from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole
from ..network import tables as at
from .mean_weight import after, in_column, steady, store_column
from .sparse import Normalization, Synapses, place_of
from .synapse import Limits, clip

NEAR = 2.0**-44
FALLEN = 2.0**-10  # of the largest sum since the last visit of all, below which rounding shows

ROWS_ALONE, WHOLE, REST = range(3)  # how a unit's synapses are visited: along rows, all of them, not at all


class Sums(NamedTuple):
    """Of a column: factor of its weights before the step; their new factor as a quotient; the sum of their absolute
    values, their largest and their least; whether one has changed.
    """

    before: float
    numerator: float
    denominator: float
    whole: float
    top: float
    bottom: float
    changed: bool


@hole
def row_sum(rule: int, row, known: int, c: Synapses) -> None:
    """What a spike that has arrived adds to the sums of units that do not fire."""
    raise NotImplementedError


@hole
def measure(j: int, c: Synapses, sums: Sums) -> Sums:
    raise NotImplementedError


@hole
def renew(j: int, c: Synapses, sums: Sums) -> Sums:
    raise NotImplementedError


def normalization(t: int, row: np.ndarray, P: np.ndarray) -> Normalization:
    """Filling of ``step.normalization``; any where a connection's own rule does not normalise."""
    k = max(row[at.BALANCED], 0)
    numbers = P[k : k + 4]
    least, most = numbers[at.ALL_LOW], numbers[at.ALL_HIGH]
    cut = -np.inf < least or most < np.inf
    return Normalization(numbers[at.TOTAL], numbers[at.BEFORE_CLIP] != 0, least, most, t >= row[at.DUE], cut)


def bounded(w: float, d: float, limits: Limits, n: Normalization) -> float:
    """A weight within its bounds: those of the rule if it has changed, and those of all weights in any case."""
    inside = np.float64(clip(w, limits.low, limits.high)) if d != 0 else w
    return min(max(inside, np.float64(n.least)), np.float64(n.most))


def factor(total: float, whole: float, due: bool) -> float:
    """Factor of weights whose absolute values add up to ``whole``; a unit without any is left alone."""
    f = np.float64(total) / whole if due and whole > 0 else np.float64(1)
    return f if abs(f - 1) > NEAR else np.float64(1)


def balance(lo: int, hi: int, rule: int, c: Synapses) -> None:
    """The factors of the units [lo, hi), from sums that are complete; who must be visited as a whole is so."""
    lines, m, n = c.units.lines, c.units.units, c.normalization
    for j in range(lo, hi):
        o = c.units.first + j
        if c.start[j + 1] == c.start[j] or (c.spiked[j] == 0 and lines[o + at.VISITED * m] == REST):
            continue
        scale, whole = lines[o + at.SCALE * m] * lines[o + at.STEP * m], lines[o + at.SUM * m]
        largest, f = max(lines[o + at.LARGEST * m], whole), factor(n.total, whole, n.due)
        lines[o + at.SCALE * m] = scale
        lines[o + at.STEP * m] = f
        lines[o + at.LARGEST * m] = largest
        lines[o + at.VISITED * m] = WHOLE
        if c.spiked[j] != 0:
            continue
        g = f if n.before_clip else np.float64(1)
        beyond = n.cut and (g * lines[o + at.TOP * m] > n.most or g * lines[o + at.BOTTOM * m] < n.least)
        if beyond or whole < FALLEN * largest or not steady(scale * f):
            store_column(rule, j, c)
            continue
        lines[o + at.VISITED * m] = ROWS_ALONE
        lines[o + at.SUM * m] = f * whole
        lines[o + at.LARGEST * m] = f * largest
        lines[o + at.TOP * m] *= f
        lines[o + at.BOTTOM * m] *= f


def change_column(j: int, c: Synapses) -> None:
    """All synapses onto target ``j``, be there a spike or not, change and are stored as they are."""
    lines, o, m, n = c.units.lines, c.units.first + j, c.units.units, c.normalization
    before, whole, changed = lines[o + at.SCALE * m], lines[o + at.SUM * m], lines[o + at.SCALE * m] != 1
    one, top, bottom = np.float64(1), np.float64(-np.inf), np.float64(np.inf)
    # Rows have added up all there is to add, unless the unit fires.
    if not (n.before_clip and c.spiked[j] == 0 and whole >= FALLEN * lines[o + at.LARGEST * m]):
        whole = measure(j, c, Sums(before, one, one, np.float64(0), top, bottom, changed)).whole
    scaled = n.due and whole > 0
    numerator, denominator = np.float64(n.total) if scaled else one, whole if scaled else one
    sums = renew(j, c, Sums(before, numerator, denominator, np.float64(0), top, bottom, changed))
    lines[o + at.SUM * m], lines[o + at.LARGEST * m] = sums.whole, sums.whole
    lines[o + at.TOP * m], lines[o + at.BOTTOM * m] = sums.top, sums.bottom
    lines[o + at.SCALE * m], lines[o + at.STEP * m] = 1, 1
    lines[o + at.VISITED * m] = REST if n.due and not sums.changed else WHOLE


# What fills the holes of visits: of rows to add up, of rows, of columns to add up, of columns.


def silent(j: int, c: Synapses) -> bool:
    """True if a unit does not fire."""
    return c.spiked[j] == 0


def weight_before(o: int, j: int, c: Synapses) -> float:
    """The weight at ``o`` before the step whose factor is not known yet."""
    return after(j, c) * c.weights[o]


def add_up(o: int, j: int, w: float, d: float, limits: Limits, c: Synapses) -> None:
    """Add what a weight gains to the sum of its unit."""
    lines, units = c.units.lines, c.units
    if d != 0:
        u = w + d
        if not c.normalization.before_clip:
            u = np.float64(clip(u, limits.low, limits.high))
        lines[place_of(at.SUM, j, units)] += abs(u) - abs(w)
        lines[place_of(at.VISITED, j, units)] = ROWS_ALONE
        if c.normalization.cut:
            top, bottom = place_of(at.TOP, j, units), place_of(at.BOTTOM, j, units)
            lines[top] = max(lines[top], u)
            lines[bottom] = min(lines[bottom], u)


def in_row(j: int, c: Synapses) -> bool:
    """Rows leave columns alone that are visited as a whole in this step."""
    return c.units.lines[place_of(at.VISITED, j, c.units)] == ROWS_ALONE


def weight_of(o: int, j: int, c: Synapses) -> float:
    """The weight at ``o`` before the step."""
    return c.units.lines[place_of(at.SCALE, j, c.units)] * c.weights[o]


def store(o: int, j: int, w: float, d: float, limits: Limits, c: Synapses) -> None:
    """Add ``d`` to a weight of a row, and normalise."""
    if d != 0:
        low, high, first = limits.low, limits.high, c.normalization.before_clip
        f, scale = c.units.lines[place_of(at.STEP, j, c.units)], after(j, c)
        u = f * (w + d) if first else f * np.float64(clip(w + d, low, high))
        c.weights[o] = (np.float64(clip(u, low, high)) if first else u) / scale
        c.units.lines[place_of(at.SUM, j, c.units)] += abs(scale * c.weights[o]) - abs(u)


def weight_of_column(o: int, j: int, c: Synapses, sums: Sums) -> float:
    """The same in a column."""
    return sums.before * c.weights[o]


def add_up_column(o: int, j: int, w: float, d: float, limits: Limits, sums: Sums, c: Synapses) -> Sums:
    """Add up what the weights of a column will be before they are normalised."""
    b, n = sums, c.normalization
    whole = b.whole + (abs(w + d) if n.before_clip else abs(bounded(w + d, d, limits, n)))
    return Sums(b.before, b.numerator, b.denominator, whole, b.top, b.bottom, b.changed)


def add(o: int, j: int, w: float, d: float, limits: Limits, sums: Sums, c: Synapses) -> Sums:
    """Change and normalise a weight of a column."""
    b, n, stored = sums, c.normalization, c.weights[o]
    u = w + d if n.before_clip else bounded(w + d, d, limits, n)
    v = b.numerator * u / b.denominator
    c.weights[o] = bounded(v, d, limits, n) if n.before_clip else v
    v = np.float64(c.weights[o])
    changed = b.changed or d != 0 or c.weights[o] != stored
    return Sums(b.before, b.numerator, b.denominator, b.whole + abs(v), max(b.top, v), min(b.bottom, v), changed)


COLUMN = {"in_column": in_column, "weight_of_column": weight_of_column, "widen": np.float64}

SUMS = {"in_row": silent, "weight_of": weight_before, "store": add_up, "widen": np.float64}
ROWS = {"in_row": in_row, "weight_of": weight_of, "store": store, "widen": np.float64}
COLUMNS = {"measure": {**COLUMN, "add": add_up_column}, "renew": {**COLUMN, "add": add}}
