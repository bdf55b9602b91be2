"""One step of all synapses' eligibility on a GPU: ``kernels.arrays.eligibility``, one thread for each synapse.

``work`` holds what a thread works out for one sample, in places of its own.
"""

import numpy as np
from numba import cuda


def eligibility(
    i0: int,
    i1: int,
    kappa: float,
    pre: np.ndarray,
    D: np.ndarray,
    eps: np.ndarray,
    traced: np.ndarray,
    signal: np.ndarray,
    work: np.ndarray,
    g: np.ndarray,
) -> None:
    """Go one step on. pre [B, I], D [1 + K, 1 + K, B, N], eps [I, B, K, N], traced [I, B, N], work [I, 1 + K, N]."""
    rows, batch, units = D.shape[0], D.shape[2], D.shape[3]
    synapse = cuda.grid(1)  # type: ignore[call-arg]
    i, n = i0 + synapse // units, synapse % units
    if i < i1:
        total = g[i, n]
        for b in range(batch):
            p = pre[b, i]
            for r in range(rows):
                w = D[r, 0, b, n] * p
                for m in range(rows - 1):
                    w += D[r, 1 + m, b, n] * eps[i, b, m, n]
                work[i, r, n] = w
            e = kappa * traced[i, b, n] + work[i, 0, n]
            traced[i, b, n] = e
            total += signal[b, n] * e
            for m in range(rows - 1):
                eps[i, b, m, n] = work[i, 1 + m, n]
        g[i, n] = total
