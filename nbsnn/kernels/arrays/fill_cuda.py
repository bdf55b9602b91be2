"""Numbers into arrays that lie on the GPU; on the CPU, NumPy does it."""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda


def fill(lo: int, hi: int, y: np.ndarray, value: float) -> None:
    """y[i] = value, one thread for each element of [lo, hi)."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = value


def copy(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] = x[i]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = x[i]
