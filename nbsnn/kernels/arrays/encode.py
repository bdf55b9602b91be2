"""Loops that turn samples into spikes."""

from typing import Any

import numpy as np

from ...random import counter, squares32


def bernoulli(spikes: np.ndarray, threshold: Any, key: Any, start: Any, steps: Any, units: Any) -> None:
    """spikes[t, i] = 1 where squares32(counter(start + t, i), key) < threshold[i], else 0.

    ``threshold[i]`` is 2^32 times the probability: integers are compared, nothing is converted. All arguments are
    uint64, because Numba mixes uint64 and int64 to float64.
    """
    for t in range(steps):
        for i in range(units):
            spikes[t, i] = 1.0 if squares32(counter(start + t, i), key) < threshold[i] else 0.0
