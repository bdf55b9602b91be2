"""One step of a block of units of a network: what arrives at them, their equations, and who spiked.

A block is ``n`` units from ``lo`` on. ``x``, ``g``, ``y``, ``bits`` and ``events`` are scratch of a block; S, P, V, R
and C are the flat arrays of the network, with places to begin at that belong to unit ``lo``, and a distance ``w``
between variables. All of these are unsigned, so that no index needs a check for its sign, and loops are vectorised.
"""

from typing import Any

import numpy as np

from ...hole import hole
from ...random import counter, squares32

GROUP = 64  # units that are looked at together when spikes are collected


@hole
def synapse(a, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def variables(s, o, w, k) -> Any:
    raise NotImplementedError


@hole
def numbers(p, o) -> Any:
    raise NotImplementedError


@hole
def remember(s, r, o, w, k) -> Any:
    raise NotImplementedError


@hole
def step(x, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def inputs(x, g, key, t, i, k) -> Any:
    raise NotImplementedError


@hole
def state(s, o, w, k) -> Any:
    raise NotImplementedError


@hole
def shared(p, o) -> Any:
    raise NotImplementedError


@hole
def param(q, s, o, w, k) -> Any:
    raise NotImplementedError


@hole
def keep(s, r, o, w, k) -> Any:
    raise NotImplementedError


def clear(n, x):
    """Set the first ``n`` elements to zero."""
    for k in range(n):
        x[k] = 0


def current(n, R, row, S, o, w, P, place, v, x, g):
    """A synapse that passes a current: x += out. What has arrived in the ring is taken."""
    q = numbers(P, place + 1)
    for k in range(n):
        r = synapse(R[row + k], *variables(S, o, w, k), *q)
        R[row + k] = 0
        x[k] += r[0]
        remember(S, r, o, w, k)


def conductance(n, R, row, S, o, w, P, place, v, x, g):
    """A synapse that is a conductance, for neurons that integrate conductances: g += out, x += out E."""
    reversal, q = P[place], numbers(P, place + 1)
    for k in range(n):
        r = synapse(R[row + k], *variables(S, o, w, k), *q)
        R[row + k] = 0
        g[k] += r[0]
        x[k] += r[0] * reversal
        remember(S, r, o, w, k)


def driving(n, R, row, S, o, w, P, place, v, x, g):
    """A synapse that is a conductance, for neurons that take currents: x += out (E - v), with v before the step."""
    reversal, q = P[place], numbers(P, place + 1)
    for k in range(n):
        r = synapse(R[row + k], *variables(S, o, w, k), *q)
        R[row + k] = 0
        x[k] += r[0] * (reversal - S[v + k])
        remember(S, r, o, w, k)


def inject(n, factor, C, place, each, x):
    """A current from an array: one number for all units, or one for ``each``."""
    if each:
        for k in range(n):
            x[k] += factor * C[place + k]
    else:
        for k in range(n):
            x[k] += factor * C[place]


def poisson(n, lo, t, key, thresholds, first, last, weight, R, row, bits, events):
    """Add ``weight`` times a Poisson number to the ring: as many as the table has entries that 32 random bits reach.

    thresholds[first + j] is 2^32 times the probability of at most j events.
    """
    for k in range(n):
        bits[k] = squares32(counter(t, lo + k), key)
        events[k] = 0
    for j in range(first, last):
        for k in range(n):
            events[k] += np.uint32(1) if bits[k] >= thresholds[j] else np.uint32(0)
    for k in range(n):
        R[row + k] += weight * events[k]


def advance(n, lo, key, t, S, o, w, P, place, V, own, x, g, y):
    """The neurons' equations; ``y`` gets their output. Returns how many spiked."""
    count, one, none = np.uint32(0), np.uint32(1), np.uint32(0)
    q = shared(P, place)  # before the loop, so that the compiler knows that they do not change in it
    for k in range(n):
        r = step(*inputs(x, g, key, t, lo + k, k), *state(S, o, w, k), *param(q, V, own, w, k))
        y[k] = r[0]
        keep(S, r, o, w, k)
        count = np.uint32(count + (one if r[0] > 0.5 else none))
    return count


def collect(lo, n, y, line, base, count):
    """Append the units that spiked to ``line``, whose places from ``base`` on hold ``count`` already."""
    for a in range(0, n, GROUP):
        b = min(a + GROUP, n)
        found = np.uint32(0)
        for k in range(np.uintp(a), np.uintp(b)):
            found += np.uint32(1) if y[k] > 0.5 else np.uint32(0)
        if found:
            for k in range(a, b):
                if y[k] > 0.5:
                    line[base + count] = lo + k
                    count += 1
    return count
