"""Matrix products on a GPU: Y [R, C] = A [R, K] B [K, C], where holes say what A, B and Y are.

A block makes a tile of SIDE EACH rows and as many columns: it fetches DEEP columns of A and rows of B into shared
memory, and each of its SIDE^2 threads keeps EACH x EACH sums in registers. ``left`` and ``right`` may read a matrix,
its transpose, or what a convolution's window sees; the way in which threads share the fetching (LEFT_DOWN,
RIGHT_DOWN) keeps neighbouring threads at neighbouring numbers. Where tiles are few and K is large, K is cut into
parts that are summed afterwards.

On the CPU, BLAS does the work.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOptionalSubscript=false, reportOperatorIssue=false

from typing import Any

import numpy as np
from numba import cuda

from ...scalar.hole import hole

SIDE, EACH, DEEP = 16, 4, 16
SPAN = 64  # SIDE EACH
WIDE = 65  # SPAN + 1: columns of a tile then lie in different banks
ROOM = 1040  # DEEP WIDE
LEFT_DOWN = 0  # whether A is contiguous along its rows' number, not along K
RIGHT_DOWN = 0  # whether B is contiguous along K, not along its columns' number


@hole
def left(a, r, k) -> Any:
    raise NotImplementedError


@hole
def right(b, k, c) -> Any:
    raise NotImplementedError


@hole
def none() -> Any:
    """EACH^2 zeros."""
    raise NotImplementedError


@hole
def some(tile, at) -> Any:
    """tile[at], tile[at + SIDE], ...: EACH numbers."""
    raise NotImplementedError


@hole
def outer(sums, a, b) -> Any:
    """``sums`` and all products of a number of ``a`` with one of ``b``."""
    raise NotImplementedError


@hole
def finish(sums, y, bias, part, r, c, rows, columns) -> Any:
    """Put each sum in its place, as far as that is in Y."""
    raise NotImplementedError


def tiles(lo, hi, rows, depth, columns, share, a, b, bias, y):
    """All tiles of Y, for each of the parts of K that are ``share`` long."""
    tile = cuda.shared.array(0, a.dtype)  # of A, and ROOM further on of B
    across, down = (columns + SPAN - 1) // SPAN, (rows + SPAN - 1) // SPAN
    block, thread = cuda.blockIdx.x, cuda.threadIdx.x
    part, r0, c0 = block // (across * down), block // across % down * SPAN, block % across * SPAN
    ty, tx = thread // SIDE, thread % SIDE
    sums = none()
    end = min(depth, (part + 1) * share)
    for k0 in range(part * share, end, DEEP):
        for e in range(thread, SPAN * DEEP, SIDE * SIDE):
            if LEFT_DOWN:
                i, k = e % SPAN, e // SPAN
            else:
                i, k = e // DEEP, e % DEEP
            tile[k * WIDE + i] = left(a, r0 + i, k0 + k) if r0 + i < rows and k0 + k < end else 0.0
        for e in range(thread, SPAN * DEEP, SIDE * SIDE):
            if RIGHT_DOWN:
                i, k = e // DEEP, e % DEEP
            else:
                i, k = e % SPAN, e // SPAN
            tile[ROOM + k * WIDE + i] = right(b, k0 + k, c0 + i) if c0 + i < columns and k0 + k < end else 0.0
        cuda.syncthreads()
        for k in range(DEEP):
            sums = outer(sums, some(tile, k * WIDE + ty), some(tile, ROOM + k * WIDE + tx))
        cuda.syncthreads()
    finish(sums, y, bias, part, r0 + ty, c0 + tx, rows, columns)


def at_row(a: np.ndarray, r: int, k: int) -> Any:
    """Of a matrix as it stands."""
    return a[r, k]


def at_column(a, r, k):
    """Of a transpose."""
    return a[k, r]


def put(y, bias, part, r, c, value):
    """y = value"""
    y[part, r, c] = value


def put_biased(y, bias, part, r, c, value):
    """y = value + bias"""
    y[part, r, c] = value + bias[c]


def put_more(y, bias, part, r, c, value):
    """y += value"""
    y[part, r, c] += value
