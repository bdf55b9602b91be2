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
from .bits import ones
from .gather import add_products

TOGETHER = 16  # places that get their sums as one product


class Met(NamedTuple):
    """What each input unit meets (see ``spread_windows``); how far rows of a window are apart in the output, and in
    the weights."""

    table: np.ndarray
    apart: np.uintp
    ahead: np.uintp


class Source(NamedTuple):
    """Where errors of the input go, if anybody asks for them; else ``gx`` has no rows.

    Weights [Q C', 64] (see ``pull_windows``); how many rows of a window there are, and how many lines each of them
    takes, the last filled up by zeros; the corner of each window in a padded image [., ., C]; how far rows of that are
    apart, and where the image itself begins in it; gradients [., C, H, W].
    """

    weight: np.ndarray
    rows: np.uintp
    length: np.uintp
    corners: np.ndarray
    apart: np.uintp
    start: np.uintp
    gx: np.ndarray


class Scratch(NamedTuple):
    """What an image's errors need in the backward pass: the padded image of the input; which errors there are, in words
    of bits for each place, and how many; the errors of places that have nearly all, in lines; two lines of sums of
    ``TOGETHER`` of these."""

    padded: np.ndarray
    words: np.ndarray
    count: np.ndarray
    filled: np.ndarray
    sums: np.ndarray


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
def add_weighted(x, a, weight, first, g, at, words, k, end):
    """x[a:a + 64] += the sum of g[at + i] weight[first + i] over all i whose bits are set in words[k:end]"""
    for c in range(LINE):
        total = 0.0
        for i in range((end - k) * uintp(LINE)):
            i = uintp(i)
            if (words[k + i // uintp(LINE)] >> uint64(i % uintp(LINE))) & uint64(1):
                total += g[at + i] * weight[first + i, c]
        x[a + uintp(c)] += total


@instruction(twice_instruction)
def add_weighted_twice(x, a, b, weight, first, second, g, at, words, k, end):
    """The same for two places in x, and two lines of weights."""
    add_weighted(x, a, weight, first, g, at, words, k, end)
    add_weighted(x, b, weight, second, g, at, words, k, end)


def look(g, channels, scratch):
    """Find out which errors ``g`` [H' W', C'] are not zero, and list those of places that have nearly all."""
    _, words, count, filled, _ = scratch
    places, line = uintp(count.shape[0]), uintp(LINE)
    each, listed = uintp(words.shape[0]) // places, uintp(0)
    for p in range(places):
        count[p] = uint64(0)
        for k in range(each):
            word, left = uint64(0), min(channels - k * line, line)
            for o in range(uintp(0), left, uintp(CHUNK)):
                some = equals_few(g, p * channels + k * line + o, 0.0) ^ uint64((1 << CHUNK) - 1)
                word |= some << uint64(o)
            words[p * each + k] = word
            count[p] += ones(word)
        if nearly_all(count[p], channels):
            for k in range(each):
                for o in range(min(channels - k * line, line)):
                    filled[k * places + listed, o] = g[p * channels + k * line + o]
            listed += uintp(1)
    return listed


def nearly_all(count, channels):
    """Whether it takes no longer to sum up all errors of a place than to look for those that are not zero."""
    return uint64(8) * count >= uint64(5) * uint64(channels)


def sum_filled(d, count, channels, first, r, weight, scratch):
    """Fill ``count`` rows of ``scratch.sums`` from r on with the sums for a line of weights, of listed places from d
    on."""
    filled, sums = scratch.filled, scratch.sums
    places, line = uintp(scratch.count.shape[0]), uintp(LINE)
    for k in range(count):
        for j in range(line):
            sums[r + k, j] = 0.0
    for k in range(uintp(filled.shape[0]) // places):
        many = min(channels - k * line, line)
        add_products(sums, r, count, uintp(1), filled, k * places + d, weight, first + k * line, many)


def pull_windows(g, source, scratch):
    """Add to ``scratch.padded`` the window of the input of each place, from the errors ``g`` [H' W', C'].

    The weights have the windows of all channels, one line after the other: what is summed up stays in registers, and
    what it is summed from in the nearest cache. Errors that are zero, as most are behind a maximum, cost nothing; where
    nearly none is, they are looked at no more. Either way sums have the same order.
    """
    weight, rows, length, corners, apart, _, _ = source
    padded, words, count, _, sums = scratch
    places, lines, line, together = uintp(corners.shape[0]), rows * length, uintp(LINE), uintp(TOGETHER)
    channels, each = uintp(weight.shape[0]) // lines, uintp(words.shape[0]) // places
    listed, flat = look(g, channels, scratch), sums.reshape(sums.size)
    for q in range(uintp(0), lines, uintp(2)):
        a, b = (
            q // length * apart + q % length * line,
            (q + uintp(1)) // length * apart + (q + uintp(1)) % length * line,
        )
        first, second, both, d = q * channels, (q + uintp(1)) * channels, q + uintp(1) < lines, uintp(0)
        for p in range(places):
            x, at, k = uintp(corners[p]), p * channels, p * each
            if nearly_all(count[p], channels):
                s = d % together
                if s == uintp(0):
                    sum_filled(d, min(together, listed - d), channels, first, uintp(0), weight, scratch)
                    if both:
                        sum_filled(d, min(together, listed - d), channels, second, together, weight, scratch)
                add_scaled(padded, x + a, flat, s * line, line, 1.0)
                if both:
                    add_scaled(padded, x + b, flat, (together + s) * line, line, 1.0)
                d += uintp(1)
            elif count[p] != uint64(0):
                if both:
                    add_weighted_twice(padded, x + a, x + b, weight, first, second, g, at, words, k, k + each)
                else:
                    add_weighted(padded, x + a, weight, first, g, at, words, k, k + each)


def return_to(row, g, source, scratch):
    """Fill a row of ``source.gx`` with what comes back from the errors ``g`` of an image."""
    padded, gx, channels = scratch.padded, source.gx, uintp(source.gx.shape[1])
    for k in range(uintp(padded.shape[0])):
        padded[k] = 0.0
    pull_windows(g, source, scratch)
    for c in range(channels):
        for h in range(uintp(gx.shape[2])):
            for w in range(uintp(gx.shape[3])):
                gx[row, c, h, w] = padded[source.start + h * source.apart + w * channels + c]
