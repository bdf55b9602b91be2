"""Windows of a convolution over images whose channels are last, one after the other.

An image is a flat array [H, W, C], in which a row of a window lies together; ``C`` is filled up to a multiple of
``CHUNK``, so that every row is one of whole vectors.
"""

from typing import NamedTuple

import numpy as np
from numpy import uint64, uintp

from ...compile.simd import CHUNK, LINE
from ...compile.simd_windows import add_scaled as scaled_instruction
from ...compile.simd_windows import add_weighted as weighted_instruction
from ...compile.simd_windows import add_weighted_twice as twice_instruction
from ...compile.simd_windows import equals_few as few_instruction
from ...compile.simd_windows import select as select_instruction
from ...scalar.hole import instruction


class Met(NamedTuple):
    """What each input unit meets (see ``spread_windows``); how far rows of a window are apart in the output, and in
    the weights."""

    table: np.ndarray
    apart: np.uintp
    ahead: np.uintp


class Source(NamedTuple):
    """Where errors of the input go, if anybody asks for them; else ``gx`` has no rows.

    Weights [Q C', 64] (see ``pull_windows``); how many rows of a window there are, and how long they are, filled up to
    whole vectors by zeros; the corner of each window in a padded image [., ., C]; how far lines of that are apart, and
    where the image itself begins in it; gradients [., C, H, W].
    """

    weight: np.ndarray
    rows: np.uintp
    length: np.uintp
    corners: np.ndarray
    apart: np.uintp
    start: np.uintp
    gx: np.ndarray


class Scratch(NamedTuple):
    """What an image's errors need on their way back: windows and image of the input, and which errors there are, words
    of bits for each place."""

    seen: np.ndarray
    padded: np.ndarray
    words: np.ndarray


@instruction(scaled_instruction)
def add_scaled(x, a, row, b, count, factor):
    """x[a:a + count] += factor * row[b:b + count], for a multiple of ``CHUNK``."""
    for k in range(count):
        x[a + k] += factor * row[b + k]


@instruction(select_instruction)
def select(x, a, row, b, mask):
    """x[a + k] = row[b + k] where bit k of ``mask`` is set, else 0, for ``CHUNK`` numbers."""
    for k in range(CHUNK):
        x[a + k] = row[b + k] if (mask >> uint64(k)) & uint64(1) else 0.0


def spread_windows(first, last, index, met, x, begin, weight):
    """Add the windows of weights of the spikes ``index[first:last]`` to the image ``x[begin:]``.

    ``met.table[s]`` says of input unit s where the first row that sees it begins in ``x`` and in ``weight``, how many
    rows there are, ``apart`` back in ``x`` and ``ahead`` on in ``weight``, and how long they are.
    """
    table, apart, ahead = met
    for e in range(first, last):
        s = uintp(index[e])
        a, b, rows, count = begin + uintp(table[s, 0]), uintp(table[s, 1]), uintp(table[s, 2]), uintp(table[s, 3])
        for i in range(rows):
            add_scaled(x, a - i * apart, weight, b + i * ahead, count, 1.0)


def collect_windows(first, last, index, met, g, weight, begin):
    """In reverse: add the windows of errors ``g`` to the gradient ``weight[begin:]`` of the weights that made them."""
    table, apart, ahead = met
    for e in range(first, last):
        s = uintp(index[e])
        a, b, rows, count = uintp(table[s, 0]), begin + uintp(table[s, 1]), uintp(table[s, 2]), uintp(table[s, 3])
        for i in range(rows):
            add_scaled(weight, b + i * ahead, g, a - i * apart, count, 1.0)


@instruction(few_instruction)
def equals_few(x, place, value):
    """A word whose bit ``j`` says whether x[place + j] is ``value``, for ``CHUNK`` numbers."""
    word = uint64(0)
    for j in range(CHUNK):
        word |= uint64(x[place + uintp(j)] == value) << uint64(j)
    return word


@instruction(weighted_instruction)
def add_weighted(x, r, weight, first, apart, g, a, words, k, end):
    """x[r] = the sum of g[a + i] weight[first + i] over all i whose bits are set in words[k:end]"""
    x[r] = 0.0
    for i in range((end - k) * uintp(LINE)):
        i = uintp(i)
        if (words[k + i // uintp(LINE)] >> uint64(i % uintp(LINE))) & uint64(1):
            x[r] += g[a + i] * weight[first + i]


@instruction(twice_instruction)
def add_weighted_twice(x, r, weight, first, apart, g, a, words, k, end):
    """The same of the next row of x, too, with weights that are ``apart`` rows further on."""
    add_weighted(x, r, weight, first, apart, g, a, words, k, end)
    add_weighted(x, r + uintp(1), weight, first + apart, apart, g, a, words, k, end)


def pull_windows(g, channels, weight, seen, words):
    """Fill ``seen``, the window of each place of the input in lines [H' W' Q, 64], from the errors ``g`` [H' W', C'].

    ``weight`` [Q C', 64] has the windows of all channels, one line after the other: what is summed up stays in
    registers, and what it is summed from in the nearest cache. Errors that are zero, as most are behind a maximum, cost
    nothing. ``words`` is room for the bits of the others.
    """
    each = (channels + uintp(LINE - 1)) // uintp(LINE)
    places, lines, line = uintp(words.shape[0]) // each, uintp(weight.shape[0]) // channels, uintp(LINE)
    for p in range(places):
        for k in range(each):
            words[p * each + k] = uint64(0)
        for o in range(uintp(0), channels, uintp(CHUNK)):
            some = equals_few(g, p * channels + o, 0.0) ^ uint64((1 << CHUNK) - 1)
            words[p * each + o // line] |= some << uint64(o % line)
    for q in range(uintp(0), lines - lines % uintp(2), uintp(2)):
        for p in range(places):
            at, k = p * channels, p * each
            add_weighted_twice(seen, p * lines + q, weight, q * channels, channels, g, at, words, k, k + each)
    if lines % uintp(2):
        q = lines - uintp(1)
        for p in range(places):
            at, k = p * channels, p * each
            add_weighted(seen, p * lines + q, weight, q * channels, channels, g, at, words, k, k + each)


def return_to(row, g, source, scratch):
    """Fill a row of ``source.gx`` with what comes back from the errors ``g`` of an image."""
    weight, rows, length, corners, apart, start, gx = source
    seen, padded, words = scratch
    places, channels = uintp(corners.shape[0]), uintp(gx.shape[1])
    lines = uintp(seen.shape[0]) // places
    pull_windows(g, uintp(weight.shape[0]) // lines, weight, seen, words)
    flat = seen.reshape(seen.size)
    for k in range(uintp(padded.shape[0])):
        padded[k] = 0.0
    for p in range(places):
        for i in range(rows):
            add_scaled(padded, uintp(corners[p]) + i * apart, flat, p * lines * uintp(LINE) + i * length, length, 1.0)
    for c in range(channels):
        for h in range(uintp(gx.shape[2])):
            for w in range(uintp(gx.shape[3])):
                gx[row, c, h, w] = padded[start + h * apart + w * channels + c]
