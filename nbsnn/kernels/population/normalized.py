"""Batch normalisation, its population and the maxima over windows in one pass over time, channel by channel.

A channel's moments, what it is normalised to, its neurons and their maxima follow each other while its numbers are in a
near cache; no states are kept but the first. The backward pass is in ``normalized_backward``.

Samples go through in groups, whose windows are lanes in lines of 64, the last of which may have none. ``Z`` holds lines
as in ``kernels.population.fused``: a block for each place of a window, one place after the other, for each line of
windows; so a maximum is one of whole lines at distances that the compiler knows.

Row ``t B + b`` of an array is step t of sample b, [., C, units of a channel].
"""

from typing import NamedTuple

import numpy as np
from numpy import uintp

from ...compile.simd import LINE
from ..arrays.wide import widest
from .fused import DEPTH, OUTPUT, STATES, common, keep, param, state, step

HIGH, WIDE = 1, 1  # rows and columns of a window
SPAN = 16  # windows in a row that are copied together
OWN = 0  # parameters that differ between units
CURRENT = 0  # which line is the input


class Images(NamedTuple):
    """The input, [B, C, .] if it is the same at all steps; steps and samples; rows and columns of windows; how many
    samples make a group, and how many lines their windows take."""

    x: np.ndarray
    steps: np.uintp
    batch: np.uintp
    high: np.uintp
    wide: np.uintp
    together: np.uintp
    lines: np.uintp


class Norm(NamedTuple):
    """Mean and variance of each channel, worked out if they are the input's ``own``; what is added to variances; weight
    and bias; the same as ``y = (x - table[0]) table[1] + table[2]``, and in the other rows the reverse."""

    mean: np.ndarray
    variance: np.ndarray
    own: bool
    eps: float
    weight: np.ndarray
    bias: np.ndarray
    table: np.ndarray


class Units(NamedTuple):
    """Parameters that all units share; those of their own [., 1, C, .]; states before the first step [., B, C, .], of
    which one sample or one number may stand for all."""

    P: np.ndarray
    own: np.ndarray
    start: np.ndarray


class Room(NamedTuple):
    """What a thread works in: lines of units; states, outputs and currents of all steps; a number of each unit, or of
    each window twice, place by place; sums for each unit of a channel."""

    Z: np.ndarray
    H: np.ndarray
    flat: np.ndarray
    sums: np.ndarray


def apart(images):
    """How far places lie apart in ``Room.flat``."""
    return images.lines * uintp(LINE)


def turn(values, row, c, images, g, flat, back):
    """Copy a channel's units from ``values[row, c]`` to the places of sample g in ``flat``, or ``back``.

    ``SPAN`` windows together as long as what that copies too much is copied over.
    """
    windows, columns, far = images.high * images.wide, images.wide * uintp(WIDE), apart(images)
    for h in range(images.high):
        for i in range(uintp(HIGH)):
            w = uintp(0)
            while w < images.wide:
                p, a = h * images.wide + w, (h * uintp(HIGH) + i) * columns + w * uintp(WIDE)
                at = i * uintp(WIDE) * far + g * windows + p
                if p + uintp(SPAN) <= windows:
                    for k in range(uintp(SPAN)):
                        for j in range(uintp(WIDE)):
                            if back:
                                values[row, c, a + k * uintp(WIDE) + j] = flat[at + j * far + k]
                            else:
                                flat[at + j * far + k] = values[row, c, a + k * uintp(WIDE) + j]
                    w += uintp(SPAN)
                else:
                    for j in range(uintp(WIDE)):
                        if back:
                            values[row, c, a + j] = flat[at + j * far]
                        else:
                            flat[at + j * far] = values[row, c, a + j]
                    w += uintp(1)


def put_line(Z, line, flat, images):
    """Copy the places in ``flat`` to a line of each block."""
    for q in range(images.lines):
        for k in range(uintp(HIGH * WIDE)):
            z, a = (q * uintp(HIGH * WIDE) + k) * uintp(DEPTH * LINE) + line * uintp(LINE), k * apart(images)
            for j in range(uintp(LINE)):
                Z[z + j] = flat[a + q * uintp(LINE) + j]


def take_line(Z, line, flat, images):
    """The reverse of ``put_line``."""
    for q in range(images.lines):
        for k in range(uintp(HIGH * WIDE)):
            z, a = (q * uintp(HIGH * WIDE) + k) * uintp(DEPTH * LINE) + line * uintp(LINE), k * apart(images)
            for j in range(uintp(LINE)):
                flat[a + q * uintp(LINE) + j] = Z[z + j]


def fill(Z, line, value, images):
    """Set a line of each block."""
    for q in range(images.lines * uintp(HIGH * WIDE)):
        z = q * uintp(DEPTH * LINE) + line * uintp(LINE)
        for j in range(uintp(LINE)):
            Z[z + j] = value


def begin(c, b0, count, images, units, room):
    """Put the states before the first step."""
    start = units.start
    for k in range(uintp(STATES)):
        if start.shape[1] * start.shape[3] == 1:
            fill(room.Z, k, start[k, 0, 0, 0], images)
        else:
            for g in range(count):
                turn(start[k], min(b0 + g, uintp(start.shape[1]) - uintp(1)), c, images, g, room.flat, False)
            put_line(room.Z, k, room.flat, images)


def settle(c, images, units, room):
    """Put the parameters that units have of their own, for all samples of a group."""
    for k in range(uintp(OWN)):
        for g in range(images.together):
            turn(units.own[k], uintp(0), c, images, g, room.flat, False)
        put_line(room.Z, uintp(STATES) + k, room.flat, images)


def moments(c, x, norm, sums):
    """Work out a channel's mean and variance, if they are its own, and its row of the table."""
    mean, variance, own, eps, weight, bias, table = norm
    rows, units = uintp(x.shape[0]), uintp(x.shape[2])
    if own:
        for square in range(2):
            for p in range(units):
                sums[0, p] = 0.0
            for n in range(rows):
                if square:
                    for p in range(units):
                        value = x[n, c, p] - table[0, c]
                        sums[0, p] += value * value
                else:
                    for p in range(units):
                        sums[0, p] += x[n, c, p]
            total = sums[0, 0]
            for p in range(uintp(1), units):
                total += sums[0, p]
            if square:
                variance[c] = total / (rows * units)
            else:
                mean[c] = total / (rows * units)
                table[0, c] = mean[c]
    table[0, c] = mean[c]
    table[1, c] = weight[c] / np.sqrt(variance[c] + eps)
    table[2, c] = bias[c]


def normalized(c, row, count, images, table, room):
    """Put the currents of a group, whose first row is ``row``: what it is normalised to."""
    flat, far, m, factor, offset = room.flat, apart(images), table[0, c], table[1, c], table[2, c]
    for g in range(count):
        turn(images.x, row + g, c, images, g, flat, False)
    for q in range(images.lines):
        for k in range(uintp(HIGH * WIDE)):
            z, a = (q * uintp(HIGH * WIDE) + k) * uintp(DEPTH * LINE) + uintp(CURRENT * LINE), k * far
            for j in range(uintp(LINE)):
                room.Z[z + j] = (flat[a + q * uintp(LINE) + j] - m) * factor + offset


def maxima(c, row, count, images, room, y):
    """Fill the windows' largest in y, and add up all outputs."""
    Z, _, flat, sums = room
    windows, far = images.high * images.wide, apart(images)
    for q in range(images.lines):
        z, a = q * uintp(HIGH * WIDE * DEPTH * LINE) + uintp(OUTPUT * LINE), q * uintp(LINE)
        for j in range(uintp(LINE)):
            best = Z[z + j]
            total = best
            for k in range(uintp(1), uintp(HIGH * WIDE)):
                value = Z[z + k * uintp(DEPTH * LINE) + j]
                best = value if value > best else best
                total += value
            flat[a + j], flat[far + a + j] = best, total
    for g in range(count):
        for p in range(windows):
            y[row + g, c, p] = flat[g * windows + p]
        for p in range(windows):
            sums[0, p] += flat[far + g * windows + p]


def forward(
    c0: int, c1: int, images: Images, norm: Norm, units: Units, room: Room, y: np.ndarray, final: np.ndarray,
    fired: np.ndarray,
) -> None:  # fmt: skip
    """Run all steps of channels [c0, c1); ``final`` gets states and outputs after the last step [., B, C, .], or has
    none, and ``fired`` the sum of a channel's outputs."""
    widest()
    x, steps, batch, high, wide, together, lines = images
    Z, _, flat, sums = room
    constant, shared = uintp(x.shape[0]) < steps * batch, common(units.P)
    for c in range(c0, c1):
        moments(c, x, norm, sums)
        settle(c, images, units, room)
        for p in range(high * wide):
            sums[0, p] = 0.0
        for b0 in range(uintp(0), batch, together):
            count = min(together, batch - b0)
            begin(c, b0, count, images, units, room)
            for t in range(steps):
                if t == uintp(0) or not constant:
                    normalized(c, b0 if constant else t * batch + b0, count, images, norm.table, room)
                for q in range(lines * uintp(HIGH * WIDE)):
                    z = q * uintp(DEPTH * LINE)
                    for j in range(uintp(LINE)):
                        result = step(Z[z + uintp(CURRENT * LINE) + j], *state(Z, z, j), *param(Z, z, j, shared))
                        Z[z + uintp(OUTPUT * LINE) + j] = result[0]
                        keep(Z, result, z, j)
                maxima(c, t * batch + b0, count, images, room, y)
            for k in range(uintp(final.shape[0])):
                take_line(Z, k if k < uintp(STATES) else uintp(OUTPUT), flat, images)
                for g in range(count):
                    turn(final[k], b0 + g, c, images, g, flat, True)
        fired[c] = 0.0
        for p in range(high * wide):
            fired[c] += sums[0, p]
