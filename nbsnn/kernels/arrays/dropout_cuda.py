"""Dropout over time on a GPU, each bit worked out where it is used; on the CPU, NumPy multiplies by a mask."""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda

from ...random import counter, squares32


def drop(
    lo: int, hi: int, units: int, key: np.uint64, threshold: np.uint64, scale: float, x: np.ndarray, y: np.ndarray
) -> None:
    """y[i] = scale x[i], or 0 where the 24 leading bits of the draw of unit ``i mod units`` are below the threshold."""
    i = lo + cuda.grid(1)
    if i < hi:
        word = squares32(counter(np.uint64(0), np.uint64(i % units)), key)
        y[i] = scale * x[i] if (word >> np.uint64(8)) >= threshold else 0.0
