"""Pooling over the windows of planes, and the reverse.

    total:    y[p, h, w] = SCALE * sum_ij x[p, h * SH + i, w * SW + j]
    largest:  y[p, h, w] = max_ij x[p, h * SH + i * DH, w * SW + j * DW],    at[p, h, w] = i * KW + j of the first one

A plane is one channel of one image, padded already; windows may overlap. The loops cover planes [p0, p1), which do
not touch each other. Window and stride are constants: the loops over a window are then unrolled. Bounds are unsigned
(about a tenth faster than signed). The reverse loops add to ``gx``.
"""

import numpy as np

KH, KW, SH, SW = 2, 2, 2, 2  # window and stride
DH, DW = 1, 1  # distance between the places of a window
SCALE = 1.0  # of a sum; one over the window's size makes it a mean


def total(p0: int, p1: int, height: int, width: int, x: np.ndarray, y: np.ndarray) -> None:
    """Fill ``y`` [P, H', W'] with the windows' sums."""
    for p in range(p0, p1):
        for h in range(height):
            for w in range(width):
                s = 0.0
                for i in range(KH):
                    for j in range(KW):
                        s += x[p, h * SH + i, w * SW + j]
                y[p, h, w] = s * SCALE


def total_reverse(p0: int, p1: int, height: int, width: int, gy: np.ndarray, gx: np.ndarray) -> None:
    """Add each window's ``gy`` to all of its places."""
    for p in range(p0, p1):
        for h in range(height):
            for i in range(KH):
                for w in range(width):
                    for j in range(KW):
                        gx[p, h * SH + i, w * SW + j] += gy[p, h, w] * SCALE


def largest(p0: int, p1: int, height: int, width: int, x: np.ndarray, y: np.ndarray, at: np.ndarray) -> None:
    """Fill ``y`` and ``at`` with the windows' maxima and where they are."""
    for p in range(p0, p1):
        for h in range(height):
            for w in range(width):
                best, where = x[p, h * SH, w * SW], 0
                for i in range(KH):
                    for j in range(KW):
                        value = x[p, h * SH + i * DH, w * SW + j * DW]
                        if value > best:
                            best, where = value, i * KW + j
                y[p, h, w] = best
                at[p, h, w] = where


def largest_reverse(p0: int, p1: int, height: int, width: int, gy: np.ndarray, at: np.ndarray, gx: np.ndarray) -> None:
    """Add each window's ``gy`` to the place of its maximum."""
    for p in range(p0, p1):
        for h in range(height):
            for w in range(width):
                where = at[p, h, w]
                gx[p, h * SH + where // KW * DH, w * SW + where % KW * DW] += gy[p, h, w]
