"""Sparse synapses whose increments wait for a reward, carried from event to event.

A synapse keeps c, its eligibility in the step after its last visit, and the number of that step. While no event meets
it and the reward r stays the same, n steps change it by

    w += g r c (1 + q + ... + q^(n-1)) = g r c (1 - q^n) / (1 - q),      c <- q^n c

The sum grows in one direction, so that bounds at its end are bounds in every step. A synapse is brought up to date when
a spike travels along it, for that needs its weight, and when the rule visits it. Steps are counted modulo 2^32.
"""

from typing import Any

import numpy as np

from ...compile.prefetch import AHEAD, fetch
from ...scalar.exponential import expm1
from ...scalar.hole import hole
from ..network import tables as at
from .synapse import COINCIDENCE, SIGN, change, constants, traces_post, traces_pre, weigh


@hole
def real(x) -> Any:
    """In the precision of the kernel."""
    return float(x)


def waiting(t, row, P, late):
    """What synapses need at step t: arrays, their distance to the weight, now, share of an increment, numbers.

    Last what ``steered`` needs: the mean weights that units aim at, and the place of this connection's.
    """
    place = max(row[at.REWARD], 0)
    gain = P[place + at.REWARD_VALUE] * P[place + at.REWARD_FACTOR]
    numbers = gain, P[place + at.FALL], P[place + at.REWARD_LOW], P[place + at.REWARD_HIGH]
    E, U = late[0]
    return E, U, row[at.GAP], np.uint32(t & 4294967295), P[place + at.SHARE], numbers, late[2], row[at.STEERED]


def later(w, c, steps, gain, fall, low, high):
    """Weight and eligibility after ``steps`` without an event."""
    lost = expm1(-(real(steps) * fall))
    d = -(gain * (c * lost))
    return (min(max(w + d, low), high) if d != 0.0 else w), c + c * lost


def bring(o, waits, weights):
    """Bring the synapse whose weight is at place ``o`` up to date."""
    E, U, gap, now, (gain, fall, low, high) = waits[0], waits[1], waits[2], waits[3], waits[5]
    e = o + gap
    r = later(weights[o], E[e], np.uint32(now - U[e]), gain, fall, low, high)
    weights[o] = r[0]
    E[e] = r[1]
    U[e] = now


def bring_range(o, n, waits, weights):
    """Bring ``n`` synapses whose weights lie at ``o`` and after it up to date: a loop that is vectorised."""
    E, U, now, (gain, fall, low, high) = waits[0], waits[1], waits[3], waits[5]
    a, e = np.uintp(o), np.uintp(o + waits[2])
    for k in range(np.uintp(n)):
        r = later(weights[a + k], E[e + k], np.uint32(now - U[e + k]), gain, fall, low, high)
        weights[a + k] = r[0]
        E[e + k] = r[1]
        U[e + k] = now


def row_change(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """As in ``sparse_plasticity``, for increments that wait."""
    p = constants(P, 0)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    E, gap, share = late[0], late[2], late[4]
    a, z = bounds[i * (parts + 1) + part], bounds[i * (parts + 1) + part + 1]
    bring_range(a + shift, z - a, late, weights)
    for e in range(a, z):
        j = index[e]
        if COINCIDENCE or spiked[j] == 0:
            w = weights[e + shift]
            r = change(w, arrived[i], spiked[j], *traces_pre(X, 0, 0, i), *traces_post(Y, 0, 0, j), *p)
            d = weigh(w, scale * r[0], low, high, mu) + weigh(w, scale * r[1], low, high, mu)
            E[e + shift + gap] += share * d


def column_change(j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """As in ``sparse_plasticity``, for increments that wait."""
    p = constants(P, 0)
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    E, gap, share = late[0], late[2], late[4]
    for c in range(start[j], start[j + 1]):
        soon = base + synapse[min(c + AHEAD, start[j + 1] - 1)]
        fetch(weights, soon)
        fetch(E, soon + gap)
        fetch(late[1], soon + gap)
        i = source[c]
        if arrived[i] == 0:
            e = base + synapse[c]
            bring(e, late, weights)
            w = weights[e]
            r = change(w, arrived[i], spiked[j], *traces_pre(X, 0, 0, i), *traces_post(Y, 0, 0, j), *p)
            d = weigh(w, scale * r[0], low, high, mu) + weigh(w, scale * r[1], low, high, mu)
            E[e + gap] += share * d


def bring_rows(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, late):
    """Bring the synapses up to date along which spikes are about to travel, onto a thread's own units."""
    source, shift, waits = wire[at.SOURCE], wire[at.SHIFT], waiting(t, row, P, late)
    slot = (t + 1 - row[at.AFTER]) % spikes.shape[0]
    for other in range(parts):
        base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
        for k in range(counts[slot, source, other]):
            place = wire[at.BOUNDS] + spikes[slot, base + k] * (parts + 1) + part
            bring_range(bounds[place] + shift, bounds[place + 1] - bounds[place], waits, weights)


def bring_column(j, t, row, P, start, synapse, base, weights, late):
    """Bring the synapses onto unit ``j`` up to date."""
    waits = waiting(t, row, P, late)
    for c in range(start[j], start[j + 1]):
        bring(base + synapse[c], waits, weights)


def bring_all(lo, hi, now, numbers, weights, E, U):
    """Bring a connection's synapses [lo, hi) to the end of step ``now``; ``numbers`` as in ``tables``."""
    gain = numbers[at.REWARD_VALUE] * numbers[at.REWARD_FACTOR]
    rest = gain, numbers[at.FALL], numbers[at.REWARD_LOW], numbers[at.REWARD_HIGH]
    bring_range(lo, hi - lo, (E, U, 0, now, numbers[at.SHARE], rest), weights)


def no_rows(part, parts, t, row, wire, pops, spikes, counts, P, bounds, weights, late):
    """In the place of ``bring_rows`` where no rule waits."""


def no_column(j, t, row, P, start, synapse, base, weights, late):
    """In the place of ``bring_column`` where no rule waits."""
