"""A connection and its population in one pass over time, sample by sample.

The current of a step is a row, added up from the weights' rows that events choose, and goes into the neurons while it
is in the nearest cache; spikes leave as bits. The backward pass is in ``kernels.population.fused_backward``.

All that belongs to 64 neighbouring units lies together in ``Z``, one line of 64 numbers for each variable:

    states | parameters that differ between units | output | cotangents of the states | sums for learned parameters

Lines lie at distances that the compiler knows, so it need not ask whether they overlap, and vectorises for any number
of variables. ``z`` is where a block of lines begins, ``j`` a unit in it. ``S`` holds the same lines of states, at
checkpoints; ``P`` the parameters that all units share, which stay in registers.

Weights and currents ``X`` lie in lines too, as in ``kernels.products.gather``: without a loop, one line after the other
goes through all samples, so that its weights stay in a near cache.

Loops cover samples [b0, b1) and blocks of 64 units [q0, q1). Row ``b T + t`` is step t of sample b.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy import uint64, uintp

from ...scalar.hole import hole
from ..arrays.least import least
from ..arrays.wide import widest
from ..products.bits import equals, listed
from ..products.gather import LINE, currents, gather

DEPTH = 0  # lines of a block
STATES = 0  # lines of states, the first of a block
OUTPUT = 0  # which line is the output
LOOPED = True  # whether the population has a connection to itself; without, nothing of that is compiled


class Sizes(NamedTuple):
    """Steps of a run, steps from one checkpoint to the next, and how many lines go through all samples together."""

    steps: np.uintp
    every: np.uintp
    together: np.uintp


class Currents(NamedTuple):
    """The connection before the population: events (none if ``X`` holds the currents already) and weights [Q M, 64].

    X [Q rows, 64]: if ``whole``, with a row for each step, those of the first sample from ``row`` on, else one row for
    each sample (in the backward pass ``every`` rows). ``made``: the backward pass finds all currents in ``X``.
    """

    start: np.ndarray
    index: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    X: np.ndarray
    row: np.uintp
    whole: bool
    made: bool


class Feedback(NamedTuple):
    """The population's connection to itself: weights [Q N, 64] and their transpose, or no rows; what they bring at the
    first step, [B, .]; and, for the backward pass, the events of the outputs."""

    weight: np.ndarray
    across: np.ndarray
    entry: np.ndarray
    start: np.ndarray
    index: np.ndarray


class Lanes(NamedTuple):
    """Parameters that all units share, lines of what units have of their own, checkpoints [B checkpoints, .] of which
    the first is given and the last is the final state, and states between checkpoints."""

    P: np.ndarray
    Z: np.ndarray
    S: np.ndarray
    H: np.ndarray


class Outputs(NamedTuple):
    """The outputs as bits [B T, .] and as numbers [T B, N]: either may have no rows, but N is the number of units. Step
    t of sample b is row ``t step + first + b`` of the latter."""

    bits: np.ndarray
    y: np.ndarray
    step: np.uintp
    first: np.uintp


@hole
def step(x, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def state(array, at, j) -> Any:
    raise NotImplementedError


@hole
def common(P) -> Any:
    raise NotImplementedError


@hole
def param(Z, z, j, shared) -> Any:
    raise NotImplementedError


@hole
def keep(Z, r, z, j) -> Any:
    raise NotImplementedError


def put(Z, z0, first, blocks, array, row, q0, q1):
    """Copy a row of ``array`` to the lines of each block in ``Z[z0:]``, from ``first`` on.

    The row has as many numbers for each of ``blocks``; if the compiler knew how many, it would copy one by one.
    """
    many = uintp(array.shape[1]) // blocks
    for q in range(q0, q1):
        z, s = z0 + q * uintp(DEPTH * LINE) + uintp(first * LINE), q * many
        for j in range(many):
            Z[z + j] = array[row, s + j]


def take(Z, z0, first, blocks, array, row, q0, q1):
    """The reverse of ``put``."""
    many = uintp(array.shape[1]) // blocks
    for q in range(q0, q1):
        z, s = z0 + q * uintp(DEPTH * LINE) + uintp(first * LINE), q * many
        for j in range(many):
            array[row, s + j] = Z[z + j]


def add_entry(entry, b, X, at, apart, q0, q1):
    """Add row b of ``entry``, for lines [q0, q1), to row ``at`` of each line of ``X``."""
    for q in range(q0, q1):
        for j in range(uintp(LINE)):
            X[q * apart + at, j] += entry[b, q * uintp(LINE) + j]


def emit(Z, r, bits, q0, q1, units):
    """Write the outputs of a step as bits; returns in how many words something is neither 0 nor 1.

    Lanes beyond the last of ``units`` are stepped like all others, and may fire; they leave no bits.
    """
    other = 0
    for q in range(q0, q1):
        z, left = q * uintp(DEPTH * LINE) + uintp(OUTPUT * LINE), units - q * uintp(LINE)
        inside = ~uint64(0) if left >= uintp(LINE) else (uint64(1) << uint64(left)) - uint64(1)
        word = equals(Z, z, 1.0)
        bits[r, q] = word & inside
        other += ((word ^ equals(Z, z, 0.0)) & inside) != inside
    return other


def show(Z, y, row, q0, q1):
    """Write the outputs of a step as numbers."""
    for q in range(q0, q1):
        z, c = q * uintp(DEPTH * LINE) + uintp(OUTPUT * LINE), q * uintp(LINE)
        for j in range(least(uintp(LINE), uintp(y.shape[1]) - c)):
            y[row, c + j] = Z[z + j]


def forward_lines(b0, b1, q0, q1, sizes, given, loop, own, lanes, out):
    """``forward`` for lines that go through all samples together."""
    widest()
    steps, every, _ = sizes
    start, index, weight, bias, X, row, whole, _ = given
    back, _, entry, _, _ = loop
    P, Z, S, _ = lanes
    bits, y, y_step, y_first = out
    other, shared, blocks = 0, common(P), uintp(bias.shape[0])
    marks, apart = (steps + every - uintp(1)) // every + uintp(1), uintp(X.shape[0]) // blocks
    n_pre, units = uintp(weight.shape[0]) // blocks, uintp(y.shape[1])
    before = LOOPED and whole
    if before and start.shape[0]:
        for q in range(q0, q1):  # of all steps, while a line of weights is in a near cache
            for r in range(b0 * steps, b1 * steps):
                currents(r, row + r, q, q + uintp(1), start, index, weight, n_pre, bias, X, apart)
    for b in range(b0, b1):
        count, mark, left = uintp(0), b * marks, uintp(0)
        put(Z, uintp(0), 0, blocks, S, mark, q0, q1)
        for t in range(steps):
            r = b * steps + t
            at = row + r if whole else b
            if start.shape[0] and not before:
                currents(r, at, q0, q1, start, index, weight, n_pre, bias, X, apart)
            if LOOPED:
                gather(uintp(0), count, own, back, units, X, at, apart, q0, q1)
                if t == 0:
                    add_entry(entry, b, X, at, apart, q0, q1)
            if t > 0 and bits.shape[0] and not LOOPED:  # by now, what was written in parts can be read whole
                other += emit(Z, r - uintp(1), bits, q0, q1, units)
            if left == 0:
                take(Z, uintp(0), 0, blocks, S, mark, q0, q1)
                mark, left = mark + uintp(1), every
            left -= uintp(1)
            for q in range(q0, q1):
                z, x = q * uintp(DEPTH * LINE), q * apart + at
                for j in range(uintp(LINE)):
                    result = step(X[x, j], *state(Z, z, j), *param(Z, z, j, shared))
                    Z[z + uintp(OUTPUT * LINE) + j] = result[0]
                    keep(Z, result, z, j)
            if bits.shape[0] and (LOOPED or t + uintp(1) == steps):
                other += emit(Z, r, bits, q0, q1, units)
            if LOOPED:
                count = listed(bits, r, own, uintp(0), uintp(own.shape[0]))
            if y.shape[0]:
                show(Z, y, t * y_step + y_first + b, q0, q1)
        take(Z, uintp(0), 0, blocks, S, b * marks + marks - uintp(1), q0, q1)
    return other


def forward(
    b0: int, b1: int, q0: int, q1: int, sizes: Sizes, given: Currents, loop: Feedback, own: np.ndarray, lanes: Lanes,
    out: Outputs,
) -> int:  # fmt: skip
    """Run all steps; returns how many outputs are neither 0 nor 1. ``own`` is room for the positions of a step's
    spikes, and a few more, where there is a ``loop``."""
    other = 0
    for p0 in range(q0, q1, sizes.together):
        other += forward_lines(b0, b1, p0, least(p0 + sizes.together, q1), sizes, given, loop, own, lanes, out)
    return other
