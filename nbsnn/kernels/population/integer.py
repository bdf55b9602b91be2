"""Neurons in integers: a membrane v stands for v 2^-fraction.

Q(n, k) = clip(n / 2^k to the nearest integer, of two the even one, low, high)
u = Q(x, shift) + Q(decay v, decay_bits),    s = u >= threshold,    v = Q(reset(u), 0)
"""

import numpy as np

SOFT, HARD, NONE, LEAKY = 0, 1, 2, 3  # resets; of a leaky integrator, none and no spike


def scaled(n, k, low, high):
    """Q(n, k); a negative k multiplies."""
    if k > 0:
        n = (n + (1 << (k - 1)) - 1 + ((n >> k) & 1)) >> k
    elif k < 0:
        n = n << -k
    return min(max(n, low), high)


def run(
    lo: int, hi: int, numbers: tuple[int, ...], decay: np.ndarray, threshold: np.ndarray, to: np.ndarray, x: np.ndarray,
    v: np.ndarray, y: np.ndarray, record: np.ndarray,
) -> None:  # fmt: skip
    """All steps of samples [lo, hi): x [T, B, N] becomes spikes, or membranes, y; v [B, N] is the state.

    ``numbers`` are shift, decay_bits, low, high, reset and whether a membrane at its threshold spikes.
    """
    shift, decay_bits, low, high, reset, equal = numbers
    for b in range(lo, hi):
        for t in range(x.shape[0]):
            for n in range(x.shape[2]):
                u = scaled(x[t, b, n], shift, low, high) + scaled(decay[n] * v[b, n], decay_bits, low, high)
                s = 1 if reset != LEAKY and (u > threshold[n] or (equal != 0 and u == threshold[n])) else 0
                if s != 0 and reset == SOFT:
                    u -= threshold[n]
                elif s != 0 and reset == HARD:
                    u = to[n]
                v[b, n] = record[t, b, n] = min(max(u, low), high)
                y[t, b, n] = record[t, b, n] if reset == LEAKY else s
