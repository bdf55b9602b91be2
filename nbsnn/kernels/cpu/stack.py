"""A connection and its population in one pass over time, sample by sample, forward and in reverse.

The current of a step is a row, added up from the weights' rows that events choose, and goes into the neurons while it
is in the nearest cache; spikes leave as bits. In reverse, states are made again from the nearest checkpoint, which
takes less time than to write and read them, and a row of errors becomes a row of gradients by the current.

All that belongs to 64 neighbouring units lies together in ``Z``, one line of 64 numbers for each variable:

    states | parameters that differ between units | output | cotangents of the states | sums for learned parameters

Lines lie at distances that the compiler knows, so it need not ask whether they overlap, and vectorises for any number
of variables. ``z`` is where a block of lines begins, ``j`` a unit in it. ``S``, ``H`` and ``gS`` hold the same lines
of states: checkpoints, the states before each step since the last checkpoint, and their cotangents.

``P`` holds the parameters that all units share; they stay in registers.

Loops cover samples [b0, b1) and blocks of 64 units [q0, q1). Row ``b T + t`` is step t of sample b.
"""

from typing import Any

from numpy import uint64, uintp

from ...hole import hole
from .bits import equals, listed
from .rows import begin, gather, product

LINE = 64
BLOCK = 256  # columns of the next connection's weights that stay in the nearest cache
DEPTH = 0  # lines of a block
STATES = 0  # lines of states, the first of a block
OUTPUT = 0  # which line is the output
COTANGENTS = 0  # the first line of the cotangents


@hole
def step(x, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def vjp(x, *rest) -> Any:
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
def cotangent(Z, z, j) -> Any:
    raise NotImplementedError


@hole
def keep(Z, r, z, j) -> Any:
    raise NotImplementedError


@hole
def note(H, values, h, j) -> Any:
    raise NotImplementedError


@hole
def carry(Z, g, z, j) -> Any:
    raise NotImplementedError


@hole
def learn(Z, g, z, j) -> Any:
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


def add_row(array, row, X, at, c0, c1):
    """X[at] += array[row]"""
    for c in range(c0, c1):
        X[at, c] += array[row, c]


def emit(Z, r, bits, q0, q1):
    """Write the outputs of a step as bits; returns in how many words something is neither
    0 nor 1."""
    other = 0
    for q in range(q0, q1):
        z = q * uintp(DEPTH * LINE) + uintp(OUTPUT * LINE)
        word = equals(Z, z, 1.0)
        bits[r, q] = word
        other += (word ^ equals(Z, z, 0.0)) != ~uint64(0)
    return other


def show(Z, y, row, q0, q1):
    """Write the outputs of a step as numbers."""
    for q in range(q0, q1):
        z, c = q * uintp(DEPTH * LINE) + uintp(OUTPUT * LINE), q * uintp(LINE)
        for j in range(min(uintp(LINE), uintp(y.shape[1]) - c)):
            y[row, c + j] = Z[z + j]


def forward(
    b0, b1, q0, q1, steps, every,
    start, index, weight, bias, back, entry, own, X, whole, P, Z, S, bits, y, y_step, y_first,
):  # fmt: skip
    """Run ``steps`` steps; returns how many outputs are neither 0 nor 1.

    start, index: the events before the connection, none if ``X`` holds the currents already. back [N, .]: weights of
    a loop, ``entry`` [B, .] what they bring at the first step, ``own`` room for positions. X [B T, .] if ``whole``,
    else one row for each sample. S [B checkpoints, .]: the first is given, the last is the final state. bits [B T, .]
    and y [T B, N]: the outputs, either may have no rows.
    """
    other, c0, c1, shared = 0, q0 * uintp(LINE), q1 * uintp(LINE), common(P)
    marks, blocks = (steps + every - uintp(1)) // every + uintp(1), uintp(bias.shape[0]) // uintp(LINE)
    for b in range(b0, b1):
        count = uintp(0)
        put(Z, uintp(0), 0, blocks, S, b * marks, q0, q1)
        for t in range(steps):
            r = b * steps + t
            at = r if whole else b
            if start.shape[0]:
                begin(bias, X, at, c0, c1)
                gather(start[r], start[r + uintp(1)], index, weight, X, at, c0, c1)
            if back.shape[0]:
                gather(uintp(0), count, own, back, X, at, c0, c1)
                if t == 0:
                    add_row(entry, b, X, at, c0, c1)
            if t % every == 0:
                take(Z, uintp(0), 0, blocks, S, b * marks + t // every, q0, q1)
            for q in range(q0, q1):
                z, c = q * uintp(DEPTH * LINE), q * uintp(LINE)
                for j in range(uintp(LINE)):
                    result = step(X[at, c + j], *state(Z, z, j), *param(Z, z, j, shared))
                    Z[z + uintp(OUTPUT * LINE) + j] = result[0]
                    keep(Z, result, z, j)
            if bits.shape[0]:
                other += emit(Z, r, bits, q0, q1)
            if back.shape[0]:
                count = listed(bits, r, own, uintp(0))
            if y.shape[0]:
                show(Z, y, t * y_step + y_first + b, q0, q1)
        take(Z, uintp(0), 0, blocks, S, b * marks + marks - uintp(1), q0, q1)
    return other


def replay(t0, t1, b, q0, q1, steps, events, loop, weight, bias, X, x0, whole, made, shared, Z, z0, H, h0):
    """Make steps [t0, t1) of sample b again from ``Z[z0:]``, noting the state before each of them in ``H[h0:]``."""
    start, index = events
    back_start, back_index, back, entry = loop
    c0, c1 = q0 * uintp(LINE), q1 * uintp(LINE)
    for t in range(t0, t1):
        r = b * steps + t
        at = r if whole else x0 + t - t0
        if not made and start.shape[0]:
            begin(bias, X, at, c0, c1)
            gather(start[r], start[r + uintp(1)], index, weight, X, at, c0, c1)
        if not made and back.shape[0]:
            if t == 0:
                add_row(entry, b, X, at, c0, c1)
            else:
                gather(back_start[r - uintp(1)], back_start[r], back_index, back, X, at, c0, c1)
        for q in range(q0, q1):
            z, c = z0 + q * uintp(DEPTH * LINE), q * uintp(LINE)
            h = h0 + (t - t0) * uintp(STATES) * uintp(bias.shape[0]) + q * uintp(STATES * LINE)
            for j in range(uintp(LINE)):
                values = state(Z, z, j)
                note(H, values, h, j)
                keep(Z, step(X[at, c + j], *values, *param(Z, z, j, shared)), z, j)


def errors(r0, r1, b, t0, q0, q1, gy, gy_step, gy_sample, gy_first, narrow, across, G):
    """Fill rows [r0, r1) of ``G``, the steps from t0 on of sample b, with the loss's derivative by the output: as
    given, and from the layer after."""
    end = q1 * uintp(LINE)
    for c0 in range(q0 * uintp(LINE), end, uintp(BLOCK)):
        c1 = min(c0 + uintp(BLOCK), end)
        for r in range(r0, r1):
            for c in range(c0, c1):
                G[r, c] = 0.0
            if gy.shape[0]:
                row = (t0 + r - r0) * gy_step + (b + gy_first) * gy_sample
                for c in range(c0, min(c1, uintp(gy.shape[1]))):
                    G[r, c] = gy[row, c]
        if narrow.shape[0]:
            product(r0, r1, uintp(1), narrow, across, G, uintp(0), c0, c1)


def backward(
    b0, b1, q0, q1, steps, every, group,
    start, index, weight, bias, back_start, back_index, back, entry, X, whole, made, P, Z, S, H,
    gy, gy_step, gy_sample, gy_first, narrow, across, back_across, G, gS, gP,
):  # fmt: skip
    """Fill ``G`` [B T, .] with the gradient by the current, carry ``gS`` [B, .] back, and fill ``gP`` [B, .].

    gy: the loss's derivative by the output, row ``t gy_step + (b + gy_first) gy_sample``, or no rows; in addition,
    that by the currents after, narrow [B T, M], times across [M, .], the transposed weights of the next connection,
    and those of the loop, back_across [N, .]. ``group`` samples go back in step, so that a loop's weights serve all of
    them while in the nearest cache; ``Z`` and ``H`` have room for as many. X has a row for each step (``whole``), or
    ``every`` rows for each sample of a group; ``made``: it holds the currents, else what the loop and, if there are,
    events bring is added.
    """
    marks, shared = (steps + every - uintp(1)) // every + uintp(1), common(P)
    width, c0, c1 = uintp(bias.shape[0]), q0 * uintp(LINE), q1 * uintp(LINE)
    blocks, lanes = width // uintp(LINE), every * uintp(STATES) * width
    size = blocks * uintp(DEPTH * LINE)
    events, loop = (start, index), (back_start, back_index, back, entry)
    for g0 in range(b0, b1, group):
        g1 = min(g0 + group, b1)
        for b in range(g0, g1):
            put(Z, (b - g0) * size, COTANGENTS, blocks, gS, b, q0, q1)
            put(Z, (b - g0) * size, COTANGENTS + STATES, blocks, gP, b, q0, q1)
        t1 = steps
        while t1 > 0:
            t0 = (t1 - uintp(1)) // every * every
            for b in range(g0, g1):
                z0, h0, x0, first = (b - g0) * size, (b - g0) * lanes, (b - g0) * every, b * steps
                put(Z, z0, 0, blocks, S, b * marks + t0 // every, q0, q1)
                replay(t0, t1, b, q0, q1, steps, events, loop, weight, bias, X, x0, whole, made, shared, Z, z0, H, h0)
                errors(first + t0, first + t1, b, t0, q0, q1, gy, gy_step, gy_sample, gy_first, narrow, across, G)
            t = t1
            while t > t0:
                t -= uintp(1)
                if back_across.shape[0] and t + uintp(1) < steps:
                    r0, r1 = g0 * steps + t, (g1 - uintp(1)) * steps + t + uintp(1)
                    product(r0, r1, steps, G, back_across, G, uintp(1), c0, c1)
                for b in range(g0, g1):
                    r = b * steps + t
                    at = r if whole else (b - g0) * every + t - t0
                    for q in range(q0, q1):
                        z, c = (b - g0) * size + q * uintp(DEPTH * LINE), q * uintp(LINE)
                        h = (b - g0) * lanes + (t - t0) * uintp(STATES) * width + q * uintp(STATES * LINE)
                        for j in range(uintp(LINE)):
                            g = vjp(
                                X[at, c + j], *state(H, h, j), *param(Z, z, j, shared), G[r, c + j],
                                *cotangent(Z, z, j),
                            )  # fmt: skip
                            G[r, c + j] = g[0]
                            carry(Z, g, z, j)
                            learn(Z, g, z, j)
            t1 = t0
        for b in range(g0, g1):
            take(Z, (b - g0) * size, COTANGENTS, blocks, gS, b, q0, q1)
            take(Z, (b - g0) * size, COTANGENTS + STATES, blocks, gP, b, q0, q1)
