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

from typing import Any

import numpy as np

from ...compile.prefetch import AHEAD, fetch
from ...scalar.hole import hole
from ..network import tables as at
from .mean_weight import steady, store_column
from .synapse import COINCIDENCE, SIGN, change, clip, constants, traces_post, traces_pre, weigh

NEAR = 2.0**-44
FALLEN = 2.0**-10  # of the largest sum since the last visit of all, below which rounding shows

ROWS, WHOLE, REST = range(3)  # how a unit's synapses are visited: along rows, all of them, not at all


@hole
def row_sum(rule, i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights) -> Any:
    raise NotImplementedError


def terms(t, row, P):
    """Of a rule, at step t: total, whether it normalises before it clips, bounds of all weights, whether it is due.

    Last whether there are such bounds.
    """
    k = max(row[at.BALANCED], 0)
    least, most = P[k + at.ALL_LOW], P[k + at.ALL_HIGH]
    return P[k + at.TOTAL], P[k + at.BEFORE_CLIP] != 0, least, most, t >= row[at.DUE], -np.inf < least or most < np.inf


def asked(w, s, q, x, y, p, low, high, mu, scale):
    """What the rule adds to a weight."""
    if not ((s != 0 or q != 0) and (COINCIDENCE or s == 0 or q == 0)):
        return np.float64(0)
    r = change(w, s, q, *x, *y, *p)
    on_post, on_pre = np.float64(scale * r[0]), np.float64(scale * r[1])
    return np.float64(weigh(w, on_post, low, high, mu) + weigh(w, on_pre, low, high, mu))


def bounded(w, d, low, high, least, most):
    """A weight within its bounds: [low, high] if it has changed, and [least, most] in any case."""
    inside = np.float64(clip(w, low, high)) if d != 0 else w
    return min(max(inside, np.float64(least)), np.float64(most))


def factor(total, whole, due):
    """By what weights are multiplied whose absolute values add up to ``whole``; a unit without any is left alone."""
    f = np.float64(total) / whole if due and whole > 0 else np.float64(1)
    return f if abs(f - 1) > NEAR else np.float64(1)


def add_row(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """A spike of source ``i`` has arrived: what it adds to the sums of units that do not fire."""
    p, x = constants(P, 0), traces_pre(X, 0, 0, i)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    aims, place, m = late[6], late[7], spiked.shape[0]
    first, cut = late[8][1], late[8][5]
    for e in range(bounds[i * (parts + 1) + part], bounds[i * (parts + 1) + part + 1]):
        j = index[e]
        if spiked[j] == 0:
            o = place + np.int64(j)
            w = aims[o + at.SCALE * m] * aims[o + at.STEP * m] * weights[e + shift]
            d = asked(w, arrived[i], spiked[j], x, traces_post(Y, 0, 0, j), p, low, high, mu, scale)
            if d != 0:
                u = w + d
                if not first:
                    u = np.float64(clip(u, low, high))
                aims[o + at.SUM * m] += abs(u) - abs(w)
                aims[o + at.VISITED * m] = ROWS
                if cut:
                    aims[o + at.TOP * m] = max(aims[o + at.TOP * m], u)
                    aims[o + at.BOTTOM * m] = min(aims[o + at.BOTTOM * m], u)


def balance(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """The factors of the units [lo, hi), from sums that are complete; who must be visited as a whole is so."""
    aims, place, m = late[6], late[7], spiked.shape[0]
    total, first, least, most, due, cut = late[8]
    for j in range(lo, hi):
        o = place + j
        if start[j + 1] == start[j] or (spiked[j] == 0 and aims[o + at.VISITED * m] == REST):
            continue
        scale, whole = aims[o + at.SCALE * m] * aims[o + at.STEP * m], aims[o + at.SUM * m]
        largest, f = max(aims[o + at.LARGEST * m], whole), factor(total, whole, due)
        aims[o + at.SCALE * m] = scale
        aims[o + at.STEP * m] = f
        aims[o + at.LARGEST * m] = largest
        aims[o + at.VISITED * m] = WHOLE
        if spiked[j] != 0:
            continue
        g = f if first else np.float64(1)
        beyond = cut and (g * aims[o + at.TOP * m] > most or g * aims[o + at.BOTTOM * m] < least)
        if beyond or whole < FALLEN * largest or not steady(scale * f):
            store_column(rule, j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights)
            continue
        aims[o + at.VISITED * m] = ROWS
        aims[o + at.SUM * m] = f * whole
        aims[o + at.LARGEST * m] = f * largest
        aims[o + at.TOP * m] *= f
        aims[o + at.BOTTOM * m] *= f


def row_change(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """As in ``sparse_plasticity``, but for synapses onto units that are visited as a whole in this step."""
    p, x = constants(P, 0), traces_pre(X, 0, 0, i)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    aims, place, m, first = late[6], late[7], spiked.shape[0], late[8][1]
    for e in range(bounds[i * (parts + 1) + part], bounds[i * (parts + 1) + part + 1]):
        j = index[e]
        o = place + np.int64(j)
        if aims[o + at.VISITED * m] == ROWS:
            before, f = aims[o + at.SCALE * m], aims[o + at.STEP * m]
            w, after = before * weights[e + shift], before * f
            d = asked(w, arrived[i], spiked[j], x, traces_post(Y, 0, 0, j), p, low, high, mu, scale)
            if d != 0:
                u = f * (w + d) if first else f * np.float64(clip(w + d, low, high))
                weights[e + shift] = (np.float64(clip(u, low, high)) if first else u) / after
                aims[o + at.SUM * m] += abs(after * weights[e + shift]) - abs(u)


def column_change(j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """All synapses onto target ``j``, be there a spike or not, change and are stored as they are."""
    p, y, q = constants(P, 0), traces_post(Y, 0, 0, j), spiked[j]
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    aims, o, m = late[6], late[7] + j, spiked.shape[0]
    total, first, least, most, due, _ = late[8]
    before, whole, changed = aims[o + at.SCALE * m], aims[o + at.SUM * m], aims[o + at.SCALE * m] != 1
    known = first and q == 0 and whole >= FALLEN * aims[o + at.LARGEST * m]  # rows have added up all there is to add
    if not known:
        whole = np.float64(0)
    for c in range(start[j], start[j] if known else start[j + 1]):
        fetch(weights, base + synapse[min(c + AHEAD, start[j + 1] - 1)])
        i = source[c]
        w = before * weights[base + synapse[c]]
        d = asked(w, arrived[i], q, traces_pre(X, 0, 0, i), y, p, low, high, mu, scale)
        whole += abs(w + d) if first else abs(bounded(w + d, d, low, high, least, most))
    numerator = np.float64(total) if due and whole > 0 else np.float64(1)
    denominator = whole if due and whole > 0 else np.float64(1)
    whole, top, bottom = np.float64(0), np.float64(-np.inf), np.float64(np.inf)
    for c in range(start[j], start[j + 1]):
        fetch(weights, base + synapse[min(c + AHEAD, start[j + 1] - 1)])
        i, e = source[c], base + synapse[c]
        stored = weights[e]
        w = before * stored
        d = asked(w, arrived[i], q, traces_pre(X, 0, 0, i), y, p, low, high, mu, scale)
        u = w + d if first else bounded(w + d, d, low, high, least, most)
        v = numerator * u / denominator
        weights[e] = bounded(v, d, low, high, least, most) if first else v
        v = np.float64(weights[e])
        whole, top, bottom = whole + abs(v), max(top, v), min(bottom, v)
        changed = changed or d != 0 or weights[e] != stored
    aims[o + at.SUM * m], aims[o + at.LARGEST * m] = whole, whole
    aims[o + at.TOP * m], aims[o + at.BOTTOM * m] = top, bottom
    aims[o + at.SCALE * m], aims[o + at.STEP * m] = 1, 1
    aims[o + at.VISITED * m] = REST if due and not changed else WHOLE


# What stands in the holes of a network without such a rule.


def no_sum(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """In the place of ``add_row``."""


def no_balance(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """In the place of ``balance``."""
