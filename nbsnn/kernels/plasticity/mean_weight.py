"""Sparse synapses under a rule that in every step rescales all weights onto a unit, for a loop over units a step.

    w_ij = c_j stored_ij,    c_j = scale_j step_j
    step_j = what all weights onto j are multiplied by,    stored_ij <- stored_ij + d_ij / c_j     at a spike

d_ij is made of the weight before the rescaling, scale_j stored_ij, and a spike travels with c_j stored_ij. The sum of
what is stored onto a unit is kept in float64, where what a synapse gains is known exactly, so that it does not drift.
All that is done between reading a weight and storing it is done in float64.

When a unit fires, all synapses onto it are visited anyway: then they are stored as they are, and c_j is 1 again; so
they are when c_j leaves [2^-20, 2^20]. ``plasticity.meta`` holds the equations. The mean of what units aim at stays as
it was, up to rounding in float64, without being brought back to it.
"""

from typing import Any

import numpy as np

from ...compile.prefetch import AHEAD, fetch
from ...scalar.hole import hole
from ..network import tables as at
from ..network.deliver import connection, shares
from .synapse import COINCIDENCE, SIGN, change, constants, traces_post, traces_pre, weigh

LEAST, MOST = 2.0**-20, 2.0**20


@hole
def aimed(m, y, mean, a_pre) -> Any:
    raise NotImplementedError


@hole
def rescale(m, mean) -> Any:
    raise NotImplementedError


@hole
def store_column(rule, j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights) -> Any:
    raise NotImplementedError


@hole
def real(x) -> Any:
    """In the precision of the kernel."""
    return float(x)


def steady(c):
    """Whether weights may be stored in units of ``c``."""
    return LEAST <= abs(c) <= MOST


def steer(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """What the units [lo, hi) aim at after a step, and what the weights onto them are multiplied by."""
    aims, place, m = late[6], late[7], spiked.shape[0]
    total, units = np.float64(0), 0
    for j in range(m):
        if start[j + 1] > start[j]:
            total += Y[0, 0, 0, j]
            units += 1
    mean = total / max(units, 1)
    for j in range(lo, hi):
        n, o = start[j + 1] - start[j], place + j
        if n > 0:
            aim = aimed(aims[o + at.AIM * m], Y[0, 0, 0, j], mean, P[1, 0])
            scale = aims[o + at.SCALE * m] * aims[o + at.STEP * m]
            step = rescale(aim, scale * aims[o + at.SUM * m] / n)
            aims[o + at.AIM * m] = aim
            aims[o + at.SCALE * m] = scale
            aims[o + at.STEP * m] = step
            if spiked[j] == 0 and not steady(scale * step):
                store_column(rule, j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights)


def row_change(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """As in ``sparse_plasticity``, but for synapses whose column is stored anew in this step."""
    p = constants(P, 0)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    aims, place, m = late[6], late[7], spiked.shape[0]
    for e in range(bounds[i * (parts + 1) + part], bounds[i * (parts + 1) + part + 1]):
        j = index[e]
        o = place + np.int64(j)
        before = aims[o + at.SCALE * m]
        after = before * aims[o + at.STEP * m]
        if spiked[j] == 0 and steady(after):
            stored = weights[e + shift]
            w = before * stored
            r = change(w, arrived[i], spiked[j], *traces_pre(X, 0, 0, i), *traces_post(Y, 0, 0, j), *p)
            on_post, on_pre = np.float64(scale * r[0]), np.float64(scale * r[1])
            d = weigh(w, on_post, low, high, mu) + weigh(w, on_pre, low, high, mu)
            weights[e + shift] = stored + d / after
            aims[o + at.SUM * m] += np.float64(weights[e + shift]) - np.float64(stored)


def column_change(j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """All synapses onto target ``j``, be there a spike or not, change and are stored as they are."""
    p = constants(P, 0)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    aims, place, m = late[6], late[7] + j, spiked.shape[0]
    before, step, total = aims[place + at.SCALE * m], aims[place + at.STEP * m], np.float64(0)
    for c in range(start[j], start[j + 1]):
        fetch(weights, base + synapse[min(c + AHEAD, start[j + 1] - 1)])
        i, e = source[c], base + synapse[c]
        s, q = arrived[i], spiked[j]
        w = before * weights[e]
        d = np.float64(0)
        if (s != 0 or q != 0) and (COINCIDENCE or s == 0 or q == 0):
            r = change(w, s, q, *traces_pre(X, 0, 0, i), *traces_post(Y, 0, 0, j), *p)
            on_post, on_pre = np.float64(scale * r[0]), np.float64(scale * r[1])
            d += weigh(w, on_post, low, high, mu) + weigh(w, on_pre, low, high, mu)
        weights[e] = step * w + d
        total += weights[e]
    aims[place + at.SUM * m] = total
    aims[place + at.SCALE * m] = 1.0
    aims[place + at.STEP * m] = 1.0


def arrive(
    row, aims, emitted, part, parts, wires, c, pops, spikes, counts, factors, P, bounds, index, weights, R, rows, places
):  # fmt: skip
    """As ``deliver.connection``, with what each weight is stored in."""
    if row[at.STEERED] < 0:
        connection(
            emitted, part, parts, wires, c, pops, spikes, counts, factors, P, bounds, index, weights, R, rows, places
        )  # fmt: skip
        return
    wire = wires[c]
    source, short, shift = wire[at.SOURCE], shares(wires, c, pops, emitted), wire[at.SHIFT]
    m = pops[wire[at.TARGET], at.UNITS]
    slot, scale, step = emitted % spikes.shape[0], row[at.STEERED] + at.SCALE * m, row[at.STEERED] + at.STEP * m
    first = ((emitted + 1 + wire[at.DELAY]) % rows) * places + wire[at.TARGET_ROW]
    for other in range(parts):
        base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
        for k in range(counts[slot, source, other]):
            unit = spikes[slot, base + k]
            place = wire[at.BOUNDS] + unit * (parts + 1) + part
            factor = factors[short + unit] if short >= 0 else P.dtype.type(1)
            for e in range(bounds[place], bounds[place + 1]):
                j = np.int64(index[e])
                R[first + j] += factor * real(aims[scale + j] * aims[step + j] * weights[e + shift])


# What stands in the holes of a network without such a rule.


def no_steer(lo, hi, rule, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """In the place of ``steer``."""


def plain_arrive(
    row, aims, emitted, part, parts, wires, c, pops, spikes, counts, factors, P, bounds, index, weights, R, rows, places
):  # fmt: skip
    """In the place of ``arrive``."""
    connection(
        emitted, part, parts, wires, c, pops, spikes, counts, factors, P, bounds, index, weights, R, rows, places
    )  # fmt: skip
