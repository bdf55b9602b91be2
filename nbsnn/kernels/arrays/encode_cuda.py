"""Loops that turn samples into spikes on a GPU.

In loops over time a thread takes one unit through ``PIECE`` steps, so neighbouring threads write neighbouring units
and a unit's code is read once for all of these steps. Counters are those of the CPU: so are all bits.
"""

import numpy as np
from numba import cuda

from ...random import counter, squares32

PIECE = 16


def bernoulli(
    lo: int, hi: int, spikes: np.ndarray, threshold: np.ndarray, key: np.uint64, start: int, steps: int, units: int
) -> None:
    """spikes[t, i] = 1 where squares32(counter(start + t, i), key) < threshold[i], else 0.

    ``key`` and ``threshold`` are uint64, the others are not; threads: pieces of units.
    """
    i = lo + cuda.grid(1)  # type: ignore[call-arg]
    if i < hi:
        unit, first = i % units, i // units * PIECE
        limit = threshold[unit]
        for t in range(first, min(steps, first + PIECE)):
            bits = squares32(counter(np.uint64(start + t), np.uint64(unit)), key)
            spikes[t, unit] = 1.0 if bits < limit else 0.0


def first_spikes(lo: int, hi: int, times: np.ndarray, spikes: np.ndarray) -> None:
    """spikes[t, i] = 1 at t = times[i], else 0; threads: pieces of units."""
    i = lo + cuda.grid(1)  # type: ignore[call-arg]
    if i < hi:
        unit, first = i % spikes.shape[1], i // spikes.shape[1] * PIECE
        time = times[unit]
        for t in range(first, min(spikes.shape[0], first + PIECE)):
            spikes[t, unit] = 1.0 if t == time else 0.0


def digits(lo: int, hi: int, codes: np.ndarray, shift: np.ndarray, weight: np.ndarray, spikes: np.ndarray) -> None:
    """spikes[t, i] = weight[t] where binary digit shift[t] of codes[i] is 1, else 0; threads: pieces of units."""
    i = lo + cuda.grid(1)  # type: ignore[call-arg]
    if i < hi:
        unit, first = i % spikes.shape[1], i // spikes.shape[1] * PIECE
        code = codes[unit]
        for t in range(first, min(spikes.shape[0], first + PIECE)):
            spikes[t, unit] = weight[t] if (code >> shift[t]) & 1 else 0.0


def rows(lo: int, hi: int, index: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
    """y[r] = x[index[r]]; threads: elements of y [rows, units]."""
    i = lo + cuda.grid(1)  # type: ignore[call-arg]
    if i < hi:
        row, unit = i // y.shape[1], i % y.shape[1]
        y[row, unit] = x[index[row], unit]
