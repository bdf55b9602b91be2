"""Matrices in lines: 64 neighbouring columns of all rows, then the next 64 columns of all rows.

A matrix of R rows and Q lines is an array [Q R, 64], which is how ``kernels.products.gather`` sums rows. Values of each
unit of each sample lie in lines sample by sample.
"""

from __future__ import annotations

import numpy as np

from ..compile.simd import LINE as LINE
from ..device.threads import SERIAL, run_threaded

Array = np.ndarray


def blocks(columns: int) -> int:
    """Number of lines that hold ``columns`` columns."""
    return -(-columns // LINE)


def lines_of(array: Array, count: int, first: int = 0, last: int | None = None) -> Array:
    """Rows [first, last) of a matrix in ``count`` lines: a view [count, rows, 64]."""
    return array.reshape(count, -1, LINE)[:, first:last]


def as_lines(matrix: Array, count: int) -> Array:
    """A matrix [R, 64 count] seen as lines: a view [count, R, 64].

    >>> as_lines(np.arange(256).reshape(2, 128), 2)[1, :, 0]
    array([ 64, 192])
    """
    return matrix.reshape(-1, count, LINE).transpose(1, 0, 2)


def rows_of(array: Array, count: int, first: int = 0, last: int | None = None) -> Array:
    """Rows [first, last) of a matrix in ``count`` lines, [rows, 64 count]; a copy if there are several lines."""
    part = lines_of(array, count, first, last)
    return part.transpose(1, 0, 2).reshape(part.shape[1], -1)


def add_in_lines(matrix: Array, count: int, out: Array) -> None:
    """Add a matrix [R, 64 count] to ``out``, which lies in ``count`` lines."""
    lines = lines_of(out, count)
    lines += as_lines(matrix, count)


def in_lines(matrix: Array, out: Array | None = None) -> Array:
    """A matrix [R, N] in its lines [Q R, 64], copied to ``out`` if that is given; the last ends with what is there,
    or zeros."""
    if out is None:
        out = np.zeros((blocks(matrix.shape[1]) * len(matrix), LINE), matrix.dtype)
    lines = out.reshape(-1, len(matrix), LINE)

    def copy(first: int, last: int) -> None:
        for q in range(first, last):
            part = matrix[:, q * LINE : (q + 1) * LINE]
            lines[q, :, : part.shape[1]] = part

    if matrix.size > 4 * SERIAL:  # below that a copy takes less time than it takes to wake a thread
        run_threaded(copy, len(lines), matrix.size, ("arrange", 2.0 * matrix.nbytes, 0.0))
    else:
        copy(0, len(lines))
    return out


def add_from_lines(lines: Array, out: Array) -> None:
    """Add a matrix in its lines [Q R, 64] to ``out`` [R, N]."""
    lines = lines.reshape(-1, len(out), LINE)

    def add(first: int, last: int) -> None:
        for q in range(first, last):
            part = out[:, q * LINE : (q + 1) * LINE]
            part += lines[q, :, : part.shape[1]]

    if out.size > SERIAL:
        run_threaded(add, len(lines), out.size, ("arrange", 3.0 * out.nbytes, 0.0))
    else:
        add(0, len(lines))


def to_lines(values: Array, out: Array) -> None:
    """Values [K, B, N] into ``out`` [B, Q, K, 64]; lanes without a unit repeat the last one's values."""
    for q in range(out.shape[1]):
        part = values[:, :, q * LINE : (q + 1) * LINE].transpose(1, 0, 2)
        out[:, q, :, : part.shape[2]] = part
        out[:, q, :, part.shape[2] :] = part[:, :, -1:]


def from_lines(array: Array, units: int) -> Array:
    """The reverse of ``to_lines``, as a new array."""
    batch, number, count, length = array.shape
    lanes = array.transpose(2, 0, 1, 3).reshape(count, batch, number * length)  # a view if there is one state, say
    return lanes[:, :, :units].copy()
