"""Pooling over the windows of planes on a GPU, and the reverse, with a thread for each element that is written.

What ``kernels.products.pool`` does, except that padding is left out of sums and maxima instead of being stored, and
that the reverse fills ``gx`` by asking for each place which windows see it: nothing is added from two sides.
"""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda

KH, KW, SH, SW = 2, 2, 2, 2  # window and stride
DH, DW = 1, 1  # distance between the places of a window, of maxima alone
PH, PW = 0, 0  # padding
SCALE = 1.0  # of a sum; one over the window's size makes it a mean


def total(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """Fill ``y`` [P, H', W'] with the windows' sums."""
    e = lo + cuda.grid(1)
    if e < hi:
        p, h, w = e // (y.shape[1] * y.shape[2]), e // y.shape[2] % y.shape[1], e % y.shape[2]
        s = 0.0
        for i in range(KH):
            for j in range(KW):
                a, b = h * SH + i - PH, w * SW + j - PW
                if a >= 0 and a < x.shape[1] and b >= 0 and b < x.shape[2]:
                    s += x[p, a, b]
        y[p, h, w] = s * SCALE


def total_reverse(lo: int, hi: int, gy: np.ndarray, gx: np.ndarray) -> None:
    """Fill ``gx`` [P, H, W]: each place gets the ``gy`` of all windows that see it."""
    e = lo + cuda.grid(1)
    if e < hi:
        p, h, w = e // (gx.shape[1] * gx.shape[2]), e // gx.shape[2] % gx.shape[1], e % gx.shape[2]
        s = 0.0
        for i in range(KH):
            for j in range(KW):
                a, b = h + PH - i, w + PW - j
                inside = a >= 0 and b >= 0 and a < gy.shape[1] * SH and b < gy.shape[2] * SW
                if inside and a % SH == 0 and b % SW == 0:
                    s += gy[p, a // SH, b // SW] * SCALE
        gx[p, h, w] = s


def largest(lo: int, hi: int, x: np.ndarray, y: np.ndarray, at: np.ndarray) -> None:
    """Fill ``y`` and ``at`` with the windows' maxima and where they are."""
    e = lo + cuda.grid(1)
    if e < hi:
        p, h, w = e // (y.shape[1] * y.shape[2]), e // y.shape[2] % y.shape[1], e % y.shape[2]
        best, where = 0.0, -1
        for i in range(KH):
            for j in range(KW):
                a, b = h * SH + i * DH - PH, w * SW + j * DW - PW
                if a >= 0 and a < x.shape[1] and b >= 0 and b < x.shape[2]:
                    value = x[p, a, b]
                    if where < 0 or value > best:
                        best, where = value, i * KW + j
        y[p, h, w] = best
        at[p, h, w] = where


def largest_reverse(lo: int, hi: int, gy: np.ndarray, at: np.ndarray, gx: np.ndarray) -> None:
    """Fill ``gx``: each place gets the ``gy`` of the windows whose maximum it is."""
    e = lo + cuda.grid(1)
    if e < hi:
        p, h, w = e // (gx.shape[1] * gx.shape[2]), e // gx.shape[2] % gx.shape[1], e % gx.shape[2]
        s = 0.0
        for i in range(KH):
            for j in range(KW):
                a, b = h + PH - i * DH, w + PW - j * DW
                inside = a >= 0 and b >= 0 and a < gy.shape[1] * SH and b < gy.shape[2] * SW
                if inside and a % SH == 0 and b % SW == 0 and at[p, a // SH, b // SW] == i * KW + j:
                    s += gy[p, a // SH, b // SW]
        gx[p, h, w] = s
