"""Loops that turn samples into spikes."""

import numpy as np

from ...random import counter, squares32


def bernoulli(
    spikes: np.ndarray, threshold: np.ndarray, key: np.uint64, start: np.uint64, steps: np.uint64, units: np.uint64
) -> None:
    """spikes[t, i] = 1 where squares32(counter(start + t, i), key) < threshold[i], else 0.

    ``threshold[i]`` is 2^32 times the probability: integers are compared, nothing is converted. All arguments are
    uint64, because Numba mixes uint64 and int64 to float64.
    """
    for t in range(steps):
        for i in range(units):
            spikes[t, i] = 1.0 if squares32(counter(start + t, i), key) < threshold[i] else 0.0
