"""Windows of a convolution where spikes are many: sums of chosen rows of 64 numbers, which stay in registers.

An output place sees the spikes of a row of its window one after the other once they are ordered by their place, so
that its sum is one of rows of weights; and the gradients of the weights of a row of a window are sums of rows of
errors, those of the places beside each other that see the spikes of its channel. ``windows`` adds in memory instead,
spike by spike, which is less work as long as there are few. Weights get the same sums in the same order either way.
"""

from typing import NamedTuple

import numpy as np
from numpy import int64, uintp

from ...compile.simd import LINE
from ...compile.simd_windows import add_rows_beside as beside_instruction
from ...scalar.hole import instruction
from .gather import add_rows

WHOLE = True  # whether the channels after fill whole lines; if not, nothing of this is compiled


class Rows(NamedTuple):
    """A convolution as sums of rows.

    Weights [Q KH KW C, 64], which only ``gather_windows`` needs; for each input unit, its place among the errors of
    ``Lists`` where its window begins, and its row of those of all channels; Q, how many lines the channels after fill;
    channels, rows and columns of the input; rows and columns of a window, and of the output; zeros above and to the
    left.
    """

    weight: np.ndarray
    table: np.ndarray
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
    """Room for an image's spikes in another order: where the parts of the list begin, and the list; and for its errors
    with KW - 1 places of zeros around each row, [., 64]."""

    begin: np.ndarray
    index: np.ndarray
    errors: np.ndarray


@instruction(beside_instruction)
def add_rows_beside(x, r, apart, count, weight, first, index, e, end):
    """x[r + m apart] += the sum of weight[first + m apart + i] over all i in index[e:end], for all m in range(count)"""
    for m in range(count):
        for k in range(e, end):
            x[r + m * apart] += weight[int64(first) + int64(m * apart) + int64(index[k])]


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
    weight, _, lines, channels, high, wide, kh, kw, after_high, after_wide, up, left = rows
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


def by_row(first, last, index, rows, lists):
    """List the places of the spikes [C, H, W] among the errors; those of row k of all channels' begin at
    ``begin[k]``."""
    begin, places, _ = lists
    all_rows = rows.channels * rows.high
    for k in range(all_rows + uintp(1)):
        begin[k] = uintp(0)
    for e in range(first, last):
        s = uintp(index[e])
        places[e - first] = rows.table[s, 0]
        begin[uintp(rows.table[s, 1]) + uintp(1)] = e - first + uintp(1)
    for k in range(all_rows):
        begin[k + uintp(1)] = max(begin[k + uintp(1)], begin[k])


def sum_windows(first, last, index, rows, g, weight, begin, lists):
    """As ``windows.collect_windows``, for ``begin`` at the beginning of a line."""
    _, _, lines, channels, high, _, kh, kw, after_high, after_wide, up, _ = rows
    by_row(first, last, index, rows, lists)
    into, errors, apart = weight.reshape(weight.size // LINE, LINE), lists.errors, after_wide + kw - uintp(1)
    for h in range(after_high):
        for k in range(after_wide * lines):
            for j in range(uintp(LINE)):
                at = (h * after_wide * lines + k) * uintp(LINE)
                errors[(h * apart + kw - uintp(1)) * lines + k, j] = g[at + j]
    for c in range(channels):
        for i in range(kh):
            e = lists.begin[c * high + max(i, up) - up]
            end = lists.begin[c * high + min(high, max(after_high + i, up) - up)]
            if e < end:
                for q in range(lines):
                    r = begin // uintp(LINE) + (c * kh + i) * kw * lines + q
                    seen = (int64(up) - int64(i)) * int64(apart * lines) + int64(q)
                    add_rows_beside(into, r, lines, kw, errors, seen, lists.index, e, end)
