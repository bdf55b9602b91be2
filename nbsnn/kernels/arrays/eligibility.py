"""One step of all synapses' eligibility, given the derivatives of one step of the neurons behind them.

    e        = D[0, 0] pre[b, i] + sum_m D[0, 1 + m] eps[m]
    eps[k]   = D[1 + k, 0] pre[b, i] + sum_m D[1 + k, 1 + m] eps[m]
    traced   = kappa traced + e
    g[i, n] += sum_b signal[b, n] traced

for each synapse i -> n and sample b, with D = D[:, :, b, n] and eps = eps[i, b, :, n]. ``D[r, c]`` is the derivative of
a neuron's output (r = 0) and states after the step by its input current (c = 0) and states before the step. The loop
covers presynaptic units [i0, i1), which do not touch each other. Units are innermost and contiguous, in loops of their
own for each pair of states, so that they vectorise for any number of states.
"""

import numpy as np


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
    for i in range(i0, i1):
        for b in range(batch):
            p = pre[b, i]
            for r in range(rows):
                for n in range(units):
                    work[i, r, n] = D[r, 0, b, n] * p
                for m in range(rows - 1):
                    for n in range(units):
                        work[i, r, n] += D[r, 1 + m, b, n] * eps[i, b, m, n]
            for n in range(units):
                traced[i, b, n] = kappa * traced[i, b, n] + work[i, 0, n]
                g[i, n] += signal[b, n] * traced[i, b, n]
            for m in range(rows - 1):
                for n in range(units):
                    eps[i, b, m, n] = work[i, 1 + m, n]
