"""A convolution of spikes, its population and the maxima over windows of it in one pass over time, sample by sample.

As in ``kernels.population.fused``, the current of a step goes into the neurons while it is in the nearest cache, spikes
leave as bits, and only checkpoints of states are kept. Units are the places of an output image with all their channels,
[H', W', C'], filled up to a multiple of ``CHUNK`` channels and then to whole lines of 64 units, as they lie in ``Z``.
Of spikes, a maximum is whether there is one, for as many channels at once as a word of bits holds.

Row ``b T + t`` of the events and bits is step t of sample b, and row ``t B + b`` of what comes in and goes out as
numbers, [T B, C', H', W'] as everywhere else.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy import uint32, uint64, uintp

from ...compile.simd import CHUNK, LINE
from ..arrays.wide import widest
from ..products.window_rows import WHOLE, Lists, Rows, gather_windows, many, sum_windows
from ..products.windows import Met, Scratch, Source, collect_windows, return_to, select, spread_windows
from .fused import DEPTH, OUTPUT, STATES, common, emit, keep, param, put, state, step, take
from .fused_backward import COTANGENTS, carry, cotangent, learn, note, vjp

HIGH, WIDE = 2, 2  # rows and columns of the windows whose maxima leave


class Spikes(NamedTuple):
    """Those of the input: ``index[start[r]:start[r + 1]]`` are the positions of row r. Steps of a run, steps from one
    checkpoint to the next, and samples."""

    start: np.ndarray
    index: np.ndarray
    steps: np.uintp
    every: np.uintp
    batch: np.uintp


class Image(NamedTuple):
    """The convolution.

    What each input unit meets; weights [C, KH, KW, C'] with channels filled up, the last of a row of the window first;
    the same as rows of lines; biases, of as many lines of units as there are before they repeat; rows and columns of
    the output, and how many channels it has.
    """

    met: Met
    weight: np.ndarray
    lines: Rows
    bias: np.ndarray
    rows: np.uintp
    columns: np.uintp
    after: np.uintp


class Errors(NamedTuple):
    """The gradient with respect to the maxima [T B, C', .], and to the population's outputs, [T B, C', H' W'] or no
    rows."""

    gy: np.ndarray
    extra: np.ndarray


class Sums(NamedTuple):
    """Gradients with respect to initial states and parameters, [B, .], and for each piece of the batch, samples
    [edges[k], edges[k + 1]), with respect to weights, one piece behind the other, and biases, as they are given,
    [pieces, 0, .]; [pieces, 1, .] are those of a step."""

    gS: np.ndarray
    gP: np.ndarray
    edges: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


class Room(NamedTuple):
    """What one thread works in: lines of units, currents and states of the steps between checkpoints, errors of a step
    and of its maxima, and what these need in the backward pass; the input's spikes in another order; which channels
    have fired in a window."""

    Z: np.ndarray
    X: np.ndarray
    H: np.ndarray
    G: np.ndarray
    turned: np.ndarray
    scratch: Scratch
    lists: Lists
    seen: np.ndarray


def next_line(s, bias):
    """Where the line of biases begins that follows the one at ``s``."""
    s += uintp(LINE)
    return s if s < uintp(bias.shape[0]) else uintp(0)


def current(r, x, blocks, spikes, image, X, lists):
    """X[x:] = b + the windows of weights of the spikes of row r."""
    start, index, _, _, _ = spikes
    met, weight, lines, bias, _, _, _ = image
    s = uintp(0)
    for q in range(blocks):
        for j in range(uintp(0), uintp(LINE), uintp(CHUNK)):
            select(X, x + q * uintp(LINE) + j, bias, s + j, uint64((1 << CHUNK) - 1))
        s = next_line(s, bias)
    if WHOLE and many(start[r + uintp(1)] - start[r], lines):
        gather_windows(start[r], start[r + uintp(1)], index, lines, X, x, lists)
    else:
        spread_windows(start[r], start[r + uintp(1)], index, met, X, x, weight)


def fired(bits, r, k):
    """The spikes of chunk k of the image in row r, as the lowest bits of a word; above them, those of chunks after."""
    line = uintp(LINE // CHUNK)
    return bits[r, k // line] >> uint64(k % line * uintp(CHUNK))


def maxima(bits, r, y, row, image, seen):
    """Fill a row of y [T B, C', .] with whether any place of each window has fired; ``seen`` has room for a word for
    each chunk of a window."""
    columns, windows, p = image.columns, uintp(y.shape[2]), uintp(0)
    chunks = (image.after + uintp(CHUNK - 1)) // uintp(CHUNK)
    for h in range(image.rows // uintp(HIGH)):
        for w in range(columns // uintp(WIDE)):
            for c in range(chunks):
                word, first = uint64(0), (h * uintp(HIGH) * columns + w * uintp(WIDE)) * chunks + c
                for i in range(HIGH):
                    for j in range(WIDE):
                        word |= fired(bits, r, first + (uintp(i) * columns + uintp(j)) * chunks)
                seen[c * windows + p] = word
            p += uintp(1)
    for o in range(image.after):
        for p in range(windows):
            y[row, o, p] = (seen[o // uintp(CHUNK) * windows + p] >> uint32(o % uintp(CHUNK))) & uint32(1)


def forward(
    b0: int, b1: int, spikes: Spikes, image: Image, P: np.ndarray, S: np.ndarray, room: Room, bits: np.ndarray,
    y: np.ndarray,
) -> Any:  # fmt: skip
    """Run all steps of samples [b0, b1); returns how many words of outputs are neither 0 nor 1."""
    widest()
    _, _, steps, every, batch = spikes
    Z, X = room.Z, room.X
    other, shared, blocks = 0, common(P), uintp(bits.shape[1])
    marks = (steps + every - uintp(1)) // every + uintp(1)
    for b in range(b0, b1):
        mark, left = b * marks, uintp(0)
        put(Z, uintp(0), 0, blocks, S, mark, uintp(0), blocks)
        for t in range(steps):
            r = b * steps + t
            current(r, uintp(0), blocks, spikes, image, X, room.lists)
            if left == 0:
                take(Z, uintp(0), 0, blocks, S, mark, uintp(0), blocks)
                mark, left = mark + uintp(1), every
            left -= uintp(1)
            for q in range(blocks):
                z, x = q * uintp(DEPTH * LINE), q * uintp(LINE)
                for j in range(uintp(LINE)):
                    result = step(X[x + j], *state(Z, z, j), *param(Z, z, j, shared))
                    Z[z + uintp(OUTPUT * LINE) + j] = result[0]
                    keep(Z, result, z, j)
                other += emit(Z, r, bits, q, q + uintp(1), blocks * uintp(LINE))
            maxima(bits, r, y, t * batch + b, image, room.seen)
        take(Z, uintp(0), 0, blocks, S, b * marks + marks - uintp(1), uintp(0), blocks)
    return other


def replay(t0, t1, b, spikes, image, shared, room, blocks):
    """Recompute steps [t0, t1) of sample b: their currents, and the states before each."""
    widest()
    Z, X, H = room.Z, room.X, room.H
    for t in range(t0, t1):
        x0, h0 = (t - t0) * blocks * uintp(LINE), (t - t0) * blocks * uintp(STATES * LINE)
        current(b * spikes.steps + t, x0, blocks, spikes, image, X, room.lists)
        for q in range(blocks):
            z, x, h = q * uintp(DEPTH * LINE), x0 + q * uintp(LINE), h0 + q * uintp(STATES * LINE)
            for j in range(uintp(LINE)):
                values = state(Z, z, j)
                note(H, values, h, j)
                keep(Z, step(X[x + j], *values, *param(Z, z, j, shared)), z, j)


def errors(bits, r, row, after, image, G, turned):
    """Fill ``G`` with the gradient with respect to the outputs of row r: each maximum's goes to the first place of its
    window that has fired, or to the first of all. ``turned`` has room for the maxima's, channels last and filled up by
    zeros."""
    gy, extra = after
    columns, at = image.columns, uintp(0)
    chunks = (image.after + uintp(CHUNK - 1)) // uintp(CHUNK)
    channels = chunks * uintp(CHUNK)
    rest = image.after % uintp(4)
    for o in range(uintp(0), image.after - rest, uintp(4)):
        for p in range(uintp(gy.shape[2])):
            for k in range(4):  # fewer lines are written again
                turned[p * channels + o + uintp(k)] = gy[row, o + uintp(k), p]
    for o in range(image.after - rest, image.after):
        for p in range(uintp(gy.shape[2])):
            turned[p * channels + o] = gy[row, o, p]
    whole = image.rows % uintp(HIGH) == uintp(0) and columns % uintp(WIDE) == uintp(0)
    for k in range(image.rows * columns * channels if whole else uintp(0), uintp(G.shape[0])):
        G[k] = 0.0
    for h in range(image.rows // uintp(HIGH)):
        for w in range(columns // uintp(WIDE)):
            for c in range(chunks):
                first, left = (h * uintp(HIGH) * columns + w * uintp(WIDE)) * chunks + c, ~uint64(0)
                for i in range(HIGH):
                    for j in range(WIDE):
                        place = first + (uintp(i) * columns + uintp(j)) * chunks
                        word = fired(bits, r, place)
                        if i + j > 0:
                            select(G, place * uintp(CHUNK), turned, at, word & left)
                        left &= ~word
                select(G, first * uintp(CHUNK), turned, at, left | fired(bits, r, first))
                at += uintp(CHUNK)
    if extra.shape[0]:
        for o in range(image.after):
            for p in range(uintp(extra.shape[2])):
                G[p * channels + o] += extra[row, o, p]


def backward(
    k0: int, k1: int, spikes: Spikes, image: Image, P: np.ndarray, S: np.ndarray, room: Room, bits: np.ndarray,
    after: Errors, source: Source, sums: Sums,
) -> None:  # fmt: skip
    """The backward pass of the pieces [k0, k1) of the batch, which adds to ``sums``."""
    widest()
    start, index, steps, every, batch = spikes
    Z, X, H, G, turned, scratch, lists, _ = room
    gS, gP, edges, weights, biases = sums
    shared, blocks = common(P), uintp(bits.shape[1])
    marks, width = (steps + every - uintp(1)) // every + uintp(1), blocks * uintp(LINE)
    size = uintp(weights.shape[0]) // uintp(biases.shape[0])
    for piece in range(k0, k1):
        for b in range(edges[piece], edges[piece + uintp(1)]):
            put(Z, uintp(0), COTANGENTS, blocks, gS, b, uintp(0), blocks)
            put(Z, uintp(0), COTANGENTS + STATES, blocks, gP, b, uintp(0), blocks)
            t1 = steps
            while t1 > 0:
                t0 = (t1 - uintp(1)) // every * every
                put(Z, uintp(0), 0, blocks, S, b * marks + t0 // every, uintp(0), blocks)
                replay(t0, t1, b, spikes, image, shared, room, blocks)
                t = t1
                while t > t0:
                    t -= uintp(1)
                    r, row = b * steps + t, t * batch + b
                    errors(bits, r, row, after, image, G, turned)
                    x0, h0, s = (t - t0) * width, (t - t0) * width * uintp(STATES), uintp(0)
                    for k in range(uintp(biases.shape[2])):
                        biases[piece, 1, k] = 0.0
                    for q in range(blocks):
                        z, g, h = q * uintp(DEPTH * LINE), q * uintp(LINE), h0 + q * uintp(STATES * LINE)
                        for j in range(uintp(LINE)):
                            x = X[x0 + g + j]
                            back = vjp(x, *state(H, h, j), *param(Z, z, j, shared), G[g + j], *cotangent(Z, z, j))
                            G[g + j] = back[0]
                            biases[piece, 1, s + j] += back[0]
                            carry(Z, back, z, j)
                            learn(Z, back, z, j)
                        s = next_line(s, image.bias)
                    for k in range(uintp(biases.shape[2])):
                        biases[piece, 0, k] += biases[piece, 1, k]
                    if WHOLE and many(start[r + uintp(1)] - start[r], image.lines):
                        sum_windows(start[r], start[r + uintp(1)], index, image.lines, G, weights, piece * size, lists)
                    else:
                        collect_windows(start[r], start[r + uintp(1)], index, image.met, G, weights, piece * size)
                    if source.gx.shape[0]:
                        return_to(row, G, source, scratch)
                t1 = t0
            take(Z, uintp(0), COTANGENTS, blocks, gS, b, uintp(0), blocks)
            take(Z, uintp(0), COTANGENTS + STATES, blocks, gP, b, uintp(0), blocks)
