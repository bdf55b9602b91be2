"""The backward pass of a connection and its population: gradients with respect to currents, and to weights.

States are recomputed from the nearest checkpoint, which takes less time than to write and read them; a row of errors
becomes a row of gradients with respect to the current, and when a line of these is done it goes into the weights'
gradient, while it is in a near cache. Arrays are arranged as in ``kernels.population.fused``; ``H`` and ``gS`` hold
lines of states: those before each step since the last checkpoint, and their cotangents.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy import uintp

from ...compile.prefetch import fetch, fetch_to_read
from ...scalar.hole import hole
from ..arrays.least import least
from ..arrays.wide import widest
from ..products.gather import LINE, collect, currents, gather, product
from . import fused
from .fused import DEPTH, LOOPED, STATES, add_entry, common, keep, param, put, state, step, take

COTANGENTS = 0  # the first line of the cotangents


class Errors(NamedTuple):
    """The gradient with respect to the outputs: as given, and by way of the currents after them.

    gy: row ``t step + (b + first) sample``, or no rows; narrow [rows, 64]: the gradient with respect to the currents
    after, times across [Q M, 64], the transposed weights of the next connection.
    """

    gy: np.ndarray
    step: np.uintp
    sample: np.uintp
    first: np.uintp
    narrow: np.ndarray
    across: np.ndarray


class Gradients(NamedTuple):
    """What the backward pass fills: the gradient with respect to the currents, G [Q rows, 64], to the states before the
    first step, gS [B, .], and to parameters, gP [B, .].

    If the events before the connection are given by input (``first`` and ``row``, in sections), the weights' gradient
    is added to ``weight``.
    """

    G: np.ndarray
    gS: np.ndarray
    gP: np.ndarray
    first: np.ndarray
    row: np.ndarray
    weight: np.ndarray


@hole
def vjp(x, *rest) -> Any:
    raise NotImplementedError


@hole
def cotangent(Z, z, j) -> Any:
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


def replay(t0, t1, b, q0, q1, steps, given, x0, loop, lanes, z0, h0):
    """Recompute steps [t0, t1) of sample b from ``Z[z0:]``, noting the state before each of them in ``H[h0:]``; row
    ``x0`` of ``X`` is that of t0, or if the currents are ``whole`` that of the first sample's first step."""
    widest()
    start, index, weight, bias, X, _, whole, made = given
    back, _, entry, back_start, back_index = loop
    P, Z, _, H = lanes
    shared, blocks = common(P), uintp(bias.shape[0])
    apart, n_pre = uintp(X.shape[0]) // blocks, uintp(weight.shape[0]) // blocks
    units = uintp(back.shape[0]) // blocks
    for t in range(t0, t1):
        r = b * steps + t
        at = x0 + r if whole else x0 + t - t0
        if not made and start.shape[0]:
            currents(r, at, q0, q1, start, index, weight, n_pre, bias, X, apart)
        if LOOPED and not made:
            if t == 0:
                add_entry(entry, b, X, at, apart, q0, q1)
            else:
                gather(back_start[r - uintp(1)], back_start[r], back_index, back, units, X, at, apart, q0, q1)
        for q in range(q0, q1):
            z, x = z0 + q * uintp(DEPTH * LINE), q * apart + at
            h = h0 + (t - t0) * uintp(STATES * LINE) * blocks + q * uintp(STATES * LINE)
            for j in range(uintp(LINE)):
                values = state(Z, z, j)
                note(H, values, h, j)
                keep(Z, step(X[x, j], *values, *param(Z, z, j, shared)), z, j)


def ask(q0, q1, X, at, apart, G, r, g_apart):
    """Ask for row ``at`` of the currents and row ``r`` of the errors, which come next."""
    for q in range(q0, q1):
        for j in range(uintp(0), uintp(LINE), uintp(16)):
            fetch_to_read(X, (q * apart + at) * uintp(LINE) + j)
            fetch(G, (q * g_apart + r) * uintp(LINE) + j)


def errors(r, count, b, t0, q0, q1, blocks, after, G):
    """Fill ``count`` rows of ``G`` from r on, the steps from t0 on of sample b, with the gradient with respect to the
    output."""
    gy, gy_step, gy_sample, gy_first, narrow, across = after
    apart = uintp(G.shape[0]) // blocks
    for q in range(q0, q1):
        c = q * uintp(LINE)
        for k in range(count):
            at = q * apart + r + k
            for j in range(uintp(LINE)):
                G[at, j] = 0.0
            if gy.shape[0]:
                row = (t0 + k) * gy_step + (b + gy_first) * gy_sample
                for j in range(least(uintp(LINE), uintp(gy.shape[1]) - c)):
                    G[at, j] = gy[row, c + j]
    if narrow.shape[0]:
        product(r, count, uintp(1), narrow, r, across, G, q0, q1, blocks)


def backward_lines(b0, b1, q0, q1, group, sizes, given, loop, lanes, after, gradients):
    """``backward`` for lines that go through all samples together, without the weights' gradient."""
    widest()
    steps, every, _ = sizes
    _, _, _, bias, X, x_first, whole, _ = given
    back_across, (P, Z, S, H), (G, gS, gP, _, _, _) = loop.across, lanes, gradients
    marks, shared = (steps + every - uintp(1)) // every + uintp(1), common(P)
    blocks = uintp(bias.shape[0])
    width = blocks * uintp(LINE)
    far, size = every * uintp(STATES) * width, blocks * uintp(DEPTH * LINE)
    apart, g_apart = uintp(X.shape[0]) // blocks, uintp(G.shape[0]) // blocks
    for g0 in range(b0, b1, group):
        g1 = least(g0 + group, b1)
        for b in range(g0, g1):
            put(Z, (b - g0) * size, COTANGENTS, blocks, gS, b, q0, q1)
            put(Z, (b - g0) * size, COTANGENTS + STATES, blocks, gP, b, q0, q1)
        t1 = steps
        while t1 > 0:
            t0 = (t1 - uintp(1)) // every * every
            for b in range(g0, g1):
                z0, h0, x0 = (b - g0) * size, (b - g0) * far, x_first if whole else (b - g0) * every
                put(Z, z0, 0, blocks, S, b * marks + t0 // every, q0, q1)
                replay(t0, t1, b, q0, q1, steps, given, x0, loop, lanes, z0, h0)
                errors(b * steps + t0, t1 - t0, b, t0, q0, q1, blocks, after, G)
            t = t1
            while t > t0:
                t -= uintp(1)
                if LOOPED and t + uintp(1) < steps:
                    r = g0 * steps + t
                    product(r, g1 - g0, steps, G, r + uintp(1), back_across, G, q0, q1, blocks)
                for b in range(g0, g1):
                    r = b * steps + t
                    at = x_first + r if whole else (b - g0) * every + t - t0
                    for q in range(q0, q1):
                        z, x, g = (b - g0) * size + q * uintp(DEPTH * LINE), q * apart + at, q * g_apart + r
                        h = (b - g0) * far + (t - t0) * uintp(STATES) * width + q * uintp(STATES * LINE)
                        for j in range(uintp(LINE)):
                            back = vjp(X[x, j], *state(H, h, j), *param(Z, z, j, shared), G[g, j], *cotangent(Z, z, j))
                            G[g, j] = back[0]
                            carry(Z, back, z, j)
                            learn(Z, back, z, j)
                    if LOOPED and t >= every:
                        ask(q0, q1, X, at - every, apart, G, b * steps + t - every, g_apart)
            t1 = t0
        for b in range(g0, g1):
            take(Z, (b - g0) * size, COTANGENTS, blocks, gS, b, q0, q1)
            take(Z, (b - g0) * size, COTANGENTS + STATES, blocks, gP, b, q0, q1)


def backward(
    b0: int, b1: int, q0: int, q1: int, group: int, sizes: fused.Sizes, given: fused.Currents,
    loop: fused.Feedback, lanes: fused.Lanes, after: Errors, gradients: Gradients,
) -> None:  # fmt: skip
    """Fill ``gradients.G``, carry ``gS`` back to the first step, and add to the others.

    ``group`` samples go back in step, so that a loop's weights serve all of them while in the nearest cache; ``Z`` and
    ``H`` have room for that many. ``sizes.together`` lines at a time, the weights' gradient after each.
    """
    blocks = uintp(given.bias.shape[0])
    for p0 in range(q0, q1, sizes.together):
        p1 = least(p0 + sizes.together, q1)
        backward_lines(b0, b1, p0, p1, group, sizes, given, loop, lanes, after, gradients)
        if gradients.first.shape[0]:
            first, row, G = gradients.first, gradients.row, gradients.G
            n_pre = uintp(first.shape[1]) - uintp(1)
            collect(uintp(0), n_pre, first, row, G, uintp(0), gradients.weight, blocks, p0, p1)
