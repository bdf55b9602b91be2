"""A low-pass over time on a GPU: the loops of ``kernels.arrays.trace``, one thread for each lane."""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda


def onward(n0, n1, decay, x, y):
    """Fill y [T, N] from x [T, N]; ``y[0]`` holds the sum before the first step."""
    n = n0 + cuda.grid(1)
    if n < n1:
        s = y[0, n]
        for t in range(x.shape[0]):
            s = decay * s + x[t, n]
            y[t, n] = s


def last(n0, n1, decay, x, y):
    """Variant of ``onward`` for the last step only: y [N] holds the sum before, and after."""
    n = n0 + cuda.grid(1)
    if n < n1:
        s = y[n]
        for t in range(x.shape[0]):
            s = decay * s + x[t, n]
        y[n] = s


def back(n0, n1, decay, z):
    """Turn x [T, N], which is ``z`` before, into z."""
    n = n0 + cuda.grid(1)
    if n < n1:
        s = z[z.shape[0] - 1, n]
        for t in range(z.shape[0] - 2, -1, -1):
            s = z[t, n] + decay * s
            z[t, n] = s


def leaky(n0: int, n1: int, leak: np.ndarray, start: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """As ``onward`` from ``start`` [N], where each unit has a decay of its own, the same in all samples."""
    n = n0 + cuda.grid(1)
    if n < n1:
        s, decay = start[n], leak[n % leak.shape[0]]
        for t in range(x.shape[0]):
            s = x[t, n] + decay * s
            y[t, n] = s
