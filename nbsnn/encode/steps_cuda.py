"""Decoding of codes to spikes over time on a GPU: one launch each.

``codes`` [B, N...] lie on the GPU; so do the results, [T, B, N...].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..device import gpu
from ..device.buffers import Array


def bernoulli(thresholds: Array, T: int, dtype: DTypeLike, key: int, start: int = 0) -> Array:
    """Spikes at random; ``thresholds`` are uint64, 2^32 times the probability."""
    units = thresholds.size
    return _over_time("bernoulli", thresholds, T, dtype, lambda y, x: (y, x, np.uint64(key), start, T, units))


def first_spikes(times: Array, T: int, dtype: DTypeLike) -> Array:
    """One spike per value, at the step ``times``; none where that is T or more."""
    return _over_time("first_spikes", times, T, dtype, lambda y, x: (x, y))


def digits(codes: Array, shifts: np.ndarray, weights: np.ndarray, dtype: DTypeLike) -> Array:
    """At step t, ``weights[t]`` where binary digit ``shifts[t]`` of the code is 1."""
    lines = gpu.put(shifts), gpu.put(weights.astype(dtype))
    return _over_time("digits", codes, len(shifts), dtype, lambda y, x: (x, *lines, y))


def rows(x: Array, index: np.ndarray) -> Array:
    """Rows of an array on the GPU."""
    y = gpu.empty((len(index), *x.shape[1:]), x.dtype)
    width = x.size // x.shape[0]
    flat = x.reshape(x.shape[0], width), y.reshape(len(index), width)
    gpu.launch("arrays.encode_cuda", "rows", x.dtype, y.size, gpu.put(index), *flat)
    return y


def _over_time(
    name: str, codes: Array, T: int, dtype: DTypeLike, arguments: Callable[[Array, Array], tuple[Any, ...]]
) -> Array:
    """Launch a loop over time, in which a thread has a piece of the steps of one value."""
    from ..kernels.arrays.encode_cuda import PIECE

    spikes = gpu.empty((T, *codes.shape), dtype)
    given = arguments(spikes.reshape(T, codes.size), gpu.flat(codes))
    gpu.launch("arrays.encode_cuda", name, spikes.dtype, codes.size * -(-T // PIECE), *given)
    return spikes
