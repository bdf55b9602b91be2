"""Numbers into arrays that lie on the GPU; on the CPU, NumPy does it."""

# pyright: reportCallIssue=false

from typing import Any

from numba import cuda


def fill(lo: int, hi: int, y: Any, value: Any) -> None:
    """y[i] = value, one thread for each element of [lo, hi)."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = value


def copy(lo: int, hi: int, x: Any, y: Any) -> None:
    """y[i] = x[i]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = x[i]
