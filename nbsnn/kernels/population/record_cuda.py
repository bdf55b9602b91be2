"""Copies into and out of a population's record [V, T + 1, lanes], one thread for each number; NumPy on the CPU."""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda


def enter(lo: int, hi: int, source: np.ndarray, t: int, record: np.ndarray) -> None:
    """record[k, 0, lane] = source[k, t, lane] for all variables k."""
    i = lo + cuda.grid(1)
    if i < hi:
        lanes = record.shape[2]
        k, lane = i // lanes, i % lanes
        record[k, 0, lane] = source[k, t, lane]


def fold(lo: int, hi: int, order: np.ndarray, x: np.ndarray, factor: np.ndarray, y: np.ndarray) -> None:
    """y[j] += factor[j] times the sum of x over the units that share value j: order[j], one after the other."""
    j = lo + cuda.grid(1)
    if j < hi:
        s = 0.0
        for k in range(order.shape[1]):
            s += x[order[j, k]]
        y[j] += s * factor[j]
