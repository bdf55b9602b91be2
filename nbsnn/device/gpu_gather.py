"""Products with rows of spikes on a GPU, whose work grows with the spikes: what ``path="events"`` uses there.

y = x W + b,    dW += x^T g
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..kernels.products.gather_cuda import WORD
from . import gpu
from .buffers import GpuArray

BLOCK = 256
SHARED = 48 * 1024
"""Bytes of shared memory that every GPU has for a block."""


def fits(width: int, dtype: DTypeLike) -> bool:
    """True if a row of this many numbers, and its bits, fit into shared memory."""
    return width * np.dtype(dtype).itemsize + 4 * -(-width // WORD) <= SHARED


def multiply(x: GpuArray, weight: GpuArray, y: GpuArray, bias: GpuArray) -> None:
    """y [R, M] = x [R, K] W [K, M] + bias [M]: one launch."""
    rows, width = x.shape
    block, first = min(BLOCK, y.shape[1]), width * x.dtype.itemsize // 4
    compiled = gpu.compiled("products.gather_cuda", "gather", x.dtype)
    gpu.start(compiled, rows * block, first, x, weight, bias, y, block=block, shared=4 * (first + -(-width // WORD)))


def add_outer(x: GpuArray, g: GpuArray, total: GpuArray, room: dict[str, Any]) -> None:
    """total [K, M] += x [R, K]^T g [R, M]: two launches; ``room`` keeps what is needed in between."""
    rows, width = x.shape
    words = gpu.buffer(room, "words", (-(-rows // WORD), width), np.uint32)
    gpu.launch("products.gather_cuda", "pack", x.dtype, words.size, x, words)
    block = min(BLOCK, g.shape[1])
    gpu.start(gpu.compiled("products.gather_cuda", "scatter", x.dtype), width * block, words, x, g, total, block=block)
