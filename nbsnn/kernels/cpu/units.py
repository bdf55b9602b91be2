"""One step of a block of units of a network: what arrives at them, their equations, and who spiked.

The loops cover units [lo, hi) of one population. ``x``, ``g``, ``y`` and ``bits`` are scratch of a block, whose first
element belongs to unit ``lo``; all other arrays are of the population. Bounds are unsigned, so that loops vectorise.
"""

from typing import Any

import numpy as np

from ...hole import hole
from ...random import counter, squares32
from . import tables as at

GROUP = 64  # units that are looked at together when spikes are collected


@hole
def synapse(a, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def variables(s, i) -> Any:
    raise NotImplementedError


@hole
def numbers(p) -> Any:
    raise NotImplementedError


@hole
def remember(s, r, i) -> Any:
    raise NotImplementedError


@hole
def step(x, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def inputs(x, g, key, t, i, k) -> Any:
    raise NotImplementedError


@hole
def state(s, i) -> Any:
    raise NotImplementedError


@hole
def shared(p) -> Any:
    raise NotImplementedError


@hole
def param(q, v, i) -> Any:
    raise NotImplementedError


@hole
def keep(s, r, i) -> Any:
    raise NotImplementedError


def clear(n, x):
    """Set the first ``n`` elements to zero."""
    for k in range(n):
        x[k] = 0


def current(lo, hi, a, s, p, reversal, v, x, g):
    """A synapse that passes a current: x += out. What has arrived, ``a``, is taken."""
    q = numbers(p)
    for i in range(lo, hi):
        r = synapse(a[i], *variables(s, i), *q)
        a[i] = 0
        x[i - lo] += r[0]
        remember(s, r, i)


def conductance(lo, hi, a, s, p, reversal, v, x, g):
    """A synapse that is a conductance, for neurons that integrate conductances: g += out, x += out E."""
    q = numbers(p)
    for i in range(lo, hi):
        r = synapse(a[i], *variables(s, i), *q)
        a[i] = 0
        g[i - lo] += r[0]
        x[i - lo] += r[0] * reversal
        remember(s, r, i)


def driving(lo, hi, a, s, p, reversal, v, x, g):
    """A synapse that is a conductance, for neurons that take currents: x += out (E - v), with v before the step."""
    q = numbers(p)
    for i in range(lo, hi):
        r = synapse(a[i], *variables(s, i), *q)
        a[i] = 0
        x[i - lo] += r[0] * (reversal - v[i])
        remember(s, r, i)


def inject(lo, hi, t, current, values, numbers, x):
    """A current from an array of rows: one number for all units in a row, or one for each."""
    row = (t - current[at.BEGIN]) // current[at.EVERY]
    if row < 0 or row >= current[at.ROWS]:
        return
    factor, width = numbers[current[at.FACTOR]], current[at.WIDTH]
    line = values[current[at.VALUES] + row * width : current[at.VALUES] + (row + 1) * width]
    if width == 1:
        for i in range(lo, hi):
            x[i - lo] += factor * line[0]
    else:
        for i in range(lo, hi):
            x[i - lo] += factor * line[i]


def poisson(lo, hi, t, key, table, weight, a, bits, events):
    """Add ``weight`` times a Poisson number to ``a``: as many as ``table`` has entries that do not exceed 32 random bits.

    ``table[k]`` is 2^32 times the probability of at most k events.
    """
    for i in range(lo, hi):
        bits[i - lo] = squares32(counter(t, i), key)
        events[i - lo] = 0
    for k in range(table.shape[0]):
        for j in range(hi - lo):
            events[j] += bits[j] >= table[k]
    for i in range(lo, hi):
        a[i] += weight * events[i - lo]


def advance(lo, hi, key, t, s, p, v, x, g, y):
    """The neurons' equations; ``y`` gets their output. Returns how many spiked."""
    count, one, none = np.uint32(0), np.uint32(1), np.uint32(0)
    q = shared(p)  # before the loop, so that the compiler knows that they do not change in it
    for i in range(lo, hi):
        r = step(*inputs(x, g, key, t, i, i - lo), *state(s, i), *param(q, v, i))
        y[i - lo] = r[0]
        keep(s, r, i)
        count += one if r[0] > 0.5 else none
    return count


def collect(lo, hi, y, out, count):
    """Append the units that spiked to ``out``, of which ``count`` elements are taken."""
    for a in range(lo, hi, GROUP):
        b = min(a + GROUP, hi)
        found = np.uint32(0)
        for k in range(np.uintp(a - lo), np.uintp(b - lo)):
            found += np.uint32(1) if y[k] > 0.5 else np.uint32(0)
        if found:
            for k in range(a - lo, b - lo):
                if y[k] > 0.5:
                    out[count] = lo + k
                    count += 1
    return count
