"""Sums on the GPU in an order that is always the same, and checks.

Each thread adds up every ``parts``-th row of a column, so that neighbouring threads read neighbouring numbers; a
second launch adds up what the parts have.

On the CPU, NumPy sums.
"""

# pyright: reportCallIssue=false

import math

import numpy as np
from numba import cuda

ADD = 0  # whether the sum is added to what is there


def columns(lo: int, hi: int, parts: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[p, c] = sum of x[r, c] over r = p, p + parts, ...; x [R, C], y [parts, C], a thread for each element of y."""
    i = lo + cuda.grid(1)
    if i < hi:
        p, c = i // x.shape[1], i % x.shape[1]
        s = y[p, c] if ADD else 0.0
        for r in range(p, x.shape[0], parts):
            s += x[r, c]
        y[p, c] = s


def squares(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[p, 0] = sum of the squares of x[p], x[p + parts], ...; y [parts, 1]. Literals of float64 widen x."""
    i = lo + cuda.grid(1)
    if i < hi:
        s = 0.0
        for k in range(i, x.shape[0], y.shape[0]):
            s += (1.0 * x[k]) * (1.0 * x[k])
        y[i, 0] = s


def large(lo: int, hi: int, limit: float, x: np.ndarray, flag: np.ndarray) -> None:
    """flag[0] = 1 if an element of ``x`` is not within ``limit``: too large, infinite or NaN."""
    i = lo + cuda.grid(1)
    if i < hi and not abs(x[i]) <= limit:
        flag[0] = 1


def shrinking(lo: int, hi: int, limit: float, total: np.ndarray, factor: np.ndarray) -> None:
    """factor[0] = limit / norm where the norm, the root of total[0], is above it, else 1."""
    i = lo + cuda.grid(1)
    if i < hi:
        norm = math.sqrt(total[0])
        factor[0] = limit / norm if norm > limit else 1.0


def rows(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[r] += sum of x[r]; x [R, C]."""
    r = lo + cuda.grid(1)
    if r < hi:
        s = 0.0
        for c in range(x.shape[1]):
            s += x[r, c]
        y[r] += s
