"""Random numbers made on the GPU: the bits of ``nbsnn.random`` at the same places."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import gpu
from .random import Draws


def survivors(draws: Draws, shape: tuple[int, ...], p: float, value: float, dtype: Any) -> Any:
    """``value`` where ``draws.uniform(shape)`` is at least ``p``, elsewhere 0: an array on the GPU."""
    mask = gpu.empty(shape, dtype)
    if mask.size > 1 << 32:
        raise ValueError(f"a step of a stream has 2**32 numbers, not the {mask.size} of shape {list(shape)}")
    limit = math.ceil(float(np.float32(p)) * 2.0**24)  # as whole numbers: a uniform number has 24 bits
    zero, one = mask.dtype.type(0.0), mask.dtype.type(value)
    words = np.uint64(limit), np.uint64(draws.key)
    gpu.launch("encode", "choose", mask.dtype, mask.size, gpu.flat(mask), *words, 0, zero, one)
    return mask
