"""Windows of a convolution where spikes are many: sums of chosen rows of 64 numbers, which stay in registers.

An output place sees the spikes of a row of its window one after the other once they are ordered by their place, so
that its sum is one of rows of weights; and the gradient of a weight is a sum of rows of errors, those of the places
that see the spikes of its channel. ``windows`` adds in memory instead, spike by spike, which is less work as long as
there are few. Weights get the same sums in the same order either way.
"""

from typing import NamedTuple

import numpy as np
from numpy import int64, uintp

from ...compile.simd import LINE
from .gather import add_rows

WHOLE = True  # whether the channels after fill whole lines; if not, nothing of this is compiled


class Rows(NamedTuple):
    """A convolution as sums of rows.

    Weights [Q KH KW C, 64], which only ``gather_windows`` needs; Q, how many lines the channels after fill; channels,
    rows and columns of the input; rows and columns of a window, and of the output; zeros above and to the left.
    """

    weight: np.ndarray
    lines: np.uintp
    channels: np.uintp
    high: np.uintp
    wide: np.uintp
    kh: np.uintp
    kw: np.uintp
    after_high: np.uintp
    after_wide: np.uintp
    up: np.uintp
    left: np.uintp


class Lists(NamedTuple):
    """Room for an image's spikes in another order: where the parts of the list begin, the list, and how many there are
    of each kind."""

    begin: np.ndarray
    index: np.ndarray
    count: np.ndarray


def many(spikes, rows):
    """Whether this many spikes of an image cost less this way.

    Measured for 12 channels to 64 by 5x5: equal at 1.1 to 1.6 spikes for each place of the output.
    """
    return uintp(4) * spikes > uintp(5) * rows.after_high * rows.after_wide


def by_place(first, last, index, rows, lists):
    """List the spikes [C, H, W] in the order [H, W, C]; those of place p begin at ``begin[p]``."""
    begin, order, _ = lists
    channels, places = rows.channels, rows.high * rows.wide
    for p in range(places + uintp(1)):
        begin[p] = uintp(0)
    e = first
    for c in range(channels):
        before = c * places
        while e < last and uintp(index[e]) < before + places:
            begin[uintp(index[e]) - before + uintp(1)] += uintp(1)
            e += uintp(1)
    total = uintp(0)
    for p in range(places):
        count = begin[p + uintp(1)]
        begin[p + uintp(1)] = total
        total += count
    e = first
    for c in range(channels):
        before = c * places
        while e < last and uintp(index[e]) < before + places:
            p = uintp(index[e]) - before
            order[begin[p + uintp(1)]] = p * channels + c
            begin[p + uintp(1)] += uintp(1)
            e += uintp(1)


def gather_windows(first, last, index, rows, x, begin, lists):
    """As ``windows.spread_windows``, for ``begin`` at the beginning of a line; of a sum, the spikes come by row, column
    and channel."""
    weight, lines, channels, high, wide, kh, kw, after_high, after_wide, up, left = rows
    by_place(first, last, index, rows, lists)
    into = x.reshape(x.size // LINE, LINE)
    for q in range(lines):
        for i in range(kh):
            for h in range(max(up, i) - i, min(after_high, max(up + high, i) - i)):
                row = (h + i - up) * wide
                for w in range(after_wide):
                    a, b = min(max(w, left) - left, wide), min(max(w + kw, left) - left, wide)
                    r = begin // uintp(LINE) + (h * after_wide + w) * lines + q
                    seen = int64((q * kh + i) * kw * channels) - (int64(row + w) - int64(left)) * int64(channels)
                    add_rows(into, r, into, r, weight, seen, lists.index, lists.begin[row + a], lists.begin[row + b])


def by_column(first, last, index, rows, lists):
    """For each column j of a window, list where the places of the output lie that see a spike in it, j columns and a
    whole window too far. Those of row k of the input, of all channels' rows, begin at ``begin[j (C H + 1) + k]``."""
    begin, found, count = lists
    wide, left, all_rows = rows.wide, rows.left, rows.channels * rows.high
    for j in range(rows.kw):
        count[j] = uintp(0)
    e = first
    for k in range(all_rows):
        for j in range(rows.kw):
            begin[j * (all_rows + uintp(1)) + k] = count[j]
        while e < last and uintp(index[e]) < (k + uintp(1)) * wide:
            w = uintp(index[e]) - k * wide + left
            for j in range(rows.kw):
                found[j * all_rows * wide + count[j]] = (k % rows.high * rows.after_wide + w) * rows.lines
                count[j] += uintp((w >= j) & (w < j + rows.after_wide))
            e += uintp(1)
    for j in range(rows.kw):
        begin[j * (all_rows + uintp(1)) + all_rows] = count[j]


def sum_windows(first, last, index, rows, g, weight, begin, lists):
    """As ``windows.collect_windows``, for ``begin`` at the beginning of a line."""
    _, lines, channels, high, wide, kh, kw, after_high, after_wide, up, _ = rows
    by_column(first, last, index, rows, lists)
    into, errors = weight.reshape(weight.size // LINE, LINE), g.reshape(g.size // LINE, LINE)
    for j in range(kw):
        apart = j * channels * high * wide
        for c in range(channels):
            for i in range(kh):
                k = j * (channels * high + uintp(1)) + c * high
                e = lists.begin[k + max(i, up) - up]
                end = lists.begin[k + min(high, max(after_high + i, up) - up)]
                if e < end:
                    for q in range(lines):
                        r = begin // uintp(LINE) + (((c * kh + i) * kw + kw - uintp(1) - j) * lines + q)
                        seen = ((int64(up) - int64(i)) * int64(after_wide) - int64(j)) * int64(lines) + int64(q)
                        add_rows(into, r, into, r, errors, seen, lists.index, apart + e, apart + end)
