"""A matrix product with few rows in the middle, eight of them at a time.

Each sum is read and written once for eight, and the eight rows stay in the nearest cache.
"""

import numpy as np
from numpy import uintp


def add_product(r0: int, r1: int, x: np.ndarray, weight: np.ndarray, y: np.ndarray) -> None:
    """y += x W for rows [r0, r1); x [R, K], W [K, M], y [R, M]."""
    k, end, eight, columns = uintp(0), uintp(weight.shape[0]), uintp(8), uintp(y.shape[1])
    while k + eight <= end:
        k1, k2, k3, k4 = k + uintp(1), k + uintp(2), k + uintp(3), k + uintp(4)
        k5, k6, k7 = k + uintp(5), k + uintp(6), k + uintp(7)
        for r in range(r0, r1):
            x0, x1, x2, x3, x4, x5, x6, x7 = (
                x[r, k],
                x[r, k1],
                x[r, k2],
                x[r, k3],
                x[r, k4],
                x[r, k5],
                x[r, k6],
                x[r, k7],
            )
            for c in range(columns):
                low = (x0 * weight[k, c] + x1 * weight[k1, c]) + (x2 * weight[k2, c] + x3 * weight[k3, c])
                high = (x4 * weight[k4, c] + x5 * weight[k5, c]) + (x6 * weight[k6, c] + x7 * weight[k7, c])
                y[r, c] += low + high
        k += eight
    while k < end:
        for r in range(r0, r1):
            x0 = x[r, k]
            for c in range(columns):
                y[r, c] += x0 * weight[k, c]
        k += uintp(1)
