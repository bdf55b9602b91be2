"""The backward pass of ``normalized``, channel by channel: states are recomputed for a group of samples, then the
gradient with respect to what is normalised goes to its place and into two sums, of which that with respect to the input
is made while it is in a near cache.

``H`` holds for each step, line and place: the states before it, the output, the current.
"""

from typing import NamedTuple

import numpy as np
from numpy import uintp

from ...compile.simd import LINE
from ..arrays.wide import widest
from . import normalized as there
from .fused import DEPTH, STATES, common, keep, param, state, step
from .fused_backward import COTANGENTS, carry, cotangent, learn, note, vjp
from .normalized import CURRENT, HIGH, WIDE, apart, begin, fill, normalized, settle, take_line, turn

LEARNED = 0  # sums for learned parameters
ERROR, SUM = 0, 0  # which lines are the gradients with respect to the output, and to the current


class Errors(NamedTuple):
    """The gradient with respect to the maxima, and to the population's outputs, or no rows."""

    gy: np.ndarray
    extra: np.ndarray


class Gradients(NamedTuple):
    """With respect to the input, if ``wanted``; sums over a channel of those with respect to what is normalised, and of
    these times x - mean; with respect to the states before the first step [., B, C, .], or none, and to parameters
    [., 1, C, .]."""

    gx: np.ndarray
    wanted: bool
    total: np.ndarray
    along: np.ndarray
    gS: np.ndarray
    gP: np.ndarray


def replay(c, b0, count, images, norm, units, room, shared):
    """Recompute a group's states before each step, outputs and currents."""
    widest()
    x, steps, batch, _, _, _, lines = images
    Z, H = room.Z, room.H
    constant = uintp(x.shape[0]) < steps * batch
    begin(c, b0, count, images, units, room)
    for t in range(steps):
        if t == uintp(0) or not constant:
            normalized(c, b0 if constant else t * batch + b0, count, images, norm.table, room)
        for q in range(lines * uintp(HIGH * WIDE)):
            z, h = q * uintp(DEPTH * LINE), (t * lines * uintp(HIGH * WIDE) + q) * uintp((STATES + 2) * LINE)
            for j in range(uintp(LINE)):
                values, current = state(Z, z, j), Z[z + uintp(CURRENT * LINE) + j]
                note(H, values, h, j)
                result = step(current, *values, *param(Z, z, j, shared))
                H[h + uintp(STATES * LINE) + j] = result[0]
                H[h + uintp(STATES * LINE + LINE) + j] = current
                keep(Z, result, z, j)


def errors(c, t, b0, count, images, after, room):
    """Put the gradient with respect to a group's outputs: each maximum's goes to the first place of its window that has
    it."""
    gy, extra = after
    Z, H, flat, _ = room
    windows, row = images.high * images.wide, t * images.batch + b0
    for g in range(count):
        for p in range(windows):
            flat[g * windows + p] = gy[row + g, c, p]
    for q in range(images.lines):
        z = q * uintp(HIGH * WIDE * DEPTH * LINE) + uintp(ERROR * LINE)
        h = (t * images.lines + q) * uintp(HIGH * WIDE * (STATES + 2) * LINE) + uintp(STATES * LINE)
        for j in range(uintp(LINE)):
            left, best = flat[q * uintp(LINE) + j], H[h + j]
            for k in range(uintp(1), uintp(HIGH * WIDE)):
                value = H[h + k * uintp((STATES + 2) * LINE) + j]
                best = value if value > best else best
            for k in range(uintp(HIGH * WIDE)):
                found = H[h + k * uintp((STATES + 2) * LINE) + j] == best
                Z[z + k * uintp(DEPTH * LINE) + j] = left if found else 0.0
                left = 0.0 if found else left
    if extra.shape[0]:
        for g in range(count):
            turn(extra, row + g, c, images, g, flat, False)
        for q in range(images.lines):
            for k in range(uintp(HIGH * WIDE)):
                z, a = (q * uintp(HIGH * WIDE) + k) * uintp(DEPTH * LINE) + uintp(ERROR * LINE), k * apart(images)
                for j in range(uintp(LINE)):
                    Z[z + j] += flat[a + q * uintp(LINE) + j]


def returned(c, row, count, images, m, room, gx):
    """Put a group's gradients into their rows of gx, and add them up, alone and times x - m."""
    x, sums = images.x, room.sums
    take_line(room.Z, uintp(SUM), room.flat, images)
    for g in range(count):
        turn(gx, row + g, c, images, g, room.flat, True)
        for p in range(uintp(x.shape[2])):
            value = gx[row + g, c, p]
            sums[0, p] += value
            sums[1, p] += value * (x[row + g, c, p] - m)


def combined(c, images, norm, gradients):
    """The gradient with respect to the input from that with respect to what is normalised, in place."""
    x, gx, table = images.x, gradients.gx, norm.table
    r, n = 1.0 / np.sqrt(norm.variance[c] + norm.eps), uintp(x.shape[0]) * uintp(x.shape[2])
    share = -norm.weight[c] * r / n if norm.own else 0.0 * r
    table[3, c], table[4, c] = share * r * r * gradients.along[c], share * gradients.total[c]
    table[5, c] = norm.weight[c] * r
    m, across, offset, factor = table[0, c], table[3, c], table[4, c], table[5, c]
    for row in range(uintp(x.shape[0])):
        for p in range(uintp(x.shape[2])):
            gx[row, c, p] = gx[row, c, p] * factor + ((x[row, c, p] - m) * across + offset)


def add_learned(c, count, images, room, gP):
    """Add the sums for learned parameters, of all samples of a group."""
    for k in range(uintp(LEARNED)):
        take_line(room.Z, uintp(COTANGENTS + STATES) + k, room.flat, images)
        far, columns = apart(images), images.wide * uintp(WIDE)
        for g in range(count):
            for h in range(images.high * uintp(HIGH)):
                for w in range(columns):
                    place = h % uintp(HIGH) * uintp(WIDE) + w % uintp(WIDE)
                    p = (g * images.high + h // uintp(HIGH)) * images.wide + w // uintp(WIDE)
                    gP[k, 0, c, h * columns + w] += room.flat[place * far + p]


def backward(
    c0: int, c1: int, images: there.Images, norm: there.Norm, units: there.Units, room: there.Room, after: Errors,
    gradients: Gradients,
) -> None:  # fmt: skip
    """The backward pass of channels [c0, c1)."""
    widest()
    x, steps, batch, _, _, together, lines = images
    Z, H, flat, sums = room
    gx, wanted, total, along, gS, gP = gradients
    constant, shared, channel = uintp(x.shape[0]) < steps * batch, common(units.P), uintp(x.shape[2])
    for c in range(c0, c1):
        settle(c, images, units, room)
        for p in range(channel):
            sums[0, p] = 0.0
            sums[1, p] = 0.0
        for b0 in range(uintp(0), batch, together):
            count = min(together, batch - b0)
            replay(c, b0, count, images, norm, units, room, shared)
            for k in range(uintp(STATES + LEARNED)):
                fill(Z, uintp(COTANGENTS) + k, 0.0, images)
            fill(Z, uintp(SUM), 0.0, images)
            t = steps
            while t > uintp(0):
                t -= uintp(1)
                errors(c, t, b0, count, images, after, room)
                for q in range(lines * uintp(HIGH * WIDE)):
                    z, h = q * uintp(DEPTH * LINE), (t * lines * uintp(HIGH * WIDE) + q) * uintp((STATES + 2) * LINE)
                    for j in range(uintp(LINE)):
                        current, error = H[h + uintp(STATES * LINE + LINE) + j], Z[z + uintp(ERROR * LINE) + j]
                        back = vjp(current, *state(H, h, j), *param(Z, z, j, shared), error, *cotangent(Z, z, j))
                        before = Z[z + uintp(SUM * LINE) + j] if constant else 0.0
                        Z[z + uintp(SUM * LINE) + j] = before + back[0]
                        carry(Z, back, z, j)
                        learn(Z, back, z, j)
                if t == uintp(0) or not constant:
                    returned(c, b0 if constant else t * batch + b0, count, images, norm.table[0, c], room, gx)
            for k in range(uintp(gS.shape[0])):
                take_line(Z, uintp(COTANGENTS) + k, flat, images)
                for g in range(count):
                    turn(gS[k], b0 + g, c, images, g, flat, True)
            add_learned(c, count, images, room, gP)
        total[c], along[c] = 0.0, 0.0
        for p in range(channel):
            total[c] += sums[0, p]
            along[c] += sums[1, p]
        if wanted:
            combined(c, images, norm, gradients)
