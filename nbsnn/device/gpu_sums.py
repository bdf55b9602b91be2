"""Sums of what lies on a GPU: over rows, of squares; and whether all numbers are finite.

Nothing waits for the GPU here: results stay there. The order of additions depends on the shape alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import gpu
from .buffers import Array, GpuArray

THREADS = 2**15
"""Threads that share a sum of long columns: they fill a large GPU, and each still has some rows."""

LEAST = 16
"""Rows that a thread adds up at least."""

LARGE = 1e14
"""Larger numbers are looked at, as their squares come near the end of float32."""


def add_columns(x: Array | GpuArray, total: Array | GpuArray, room: dict[str, Any]) -> None:
    """total += the sum over the rows of ``x``: [R, C] to [C]; ``room`` keeps what is needed in between."""
    rows, width = x.shape[0], x.shape[1]
    parts = max(1, min(THREADS // width, rows // LEAST))
    if parts > 1:
        some = gpu.buffer(room, f"sums {parts} {width}", (parts, width), x.dtype)
        gpu.launch("arrays.sums_cuda", "columns", x.dtype, parts * width, parts, x, some, ADD=0)
        x = some
    gpu.launch("arrays.sums_cuda", "columns", x.dtype, width, 1, x, total.reshape(1, width), ADD=1)


def squares(x: Array | GpuArray, total: Array | GpuArray, room: dict[str, Any]) -> None:
    """total [1], float64, += the sum of the squares of ``x`` [N]."""
    parts = max(1, min(THREADS, x.size // LEAST))
    some = gpu.buffer(room, f"squares {parts}", (parts, 1), np.float64)
    gpu.launch("arrays.sums_cuda", "squares", np.float64, parts, x, some)
    add_columns(some, total, room)


def flag_large(x: Array | GpuArray, flag: Array | GpuArray) -> None:
    """flag[0] = 1 if ``x`` holds NaN, infinity, or numbers beyond ``LARGE``."""
    gpu.launch("arrays.sums_cuda", "large", x.dtype, x.size, x.dtype.type(LARGE), gpu.flat(x), flag)


def add_rows(x: Array | GpuArray, total: Array | GpuArray) -> None:
    """total += the sum of each row of ``x``: [R, C] to [R], for few columns."""
    gpu.launch("arrays.sums_cuda", "rows", x.dtype, x.shape[0], x, total)
