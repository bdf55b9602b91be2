"""Products with few rows in the middle, without BLAS: for one thread it is no faster there, and several of its threads
wait busily for more where the package's own should run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.buffers import Array
from ..device.threads import run_threaded
from ..kernels.products import small as loops

FEW = 16
"""Most rows in the middle. Measured on one thread, 12800 rows, 10 to 800 columns: 2.0 ms, BLAS 2.4; 784 rows,
128 to 800 columns: 1.1 ms, BLAS 1.5."""


def add_product(x: Array, weight: Array, y: Array) -> None:
    """y += x W, for x [R, K], W [K, M] and contiguous y [R, M].

    >>> y = np.ones((1, 1))
    >>> add_product(np.full((1, 2), 3.0), np.full((2, 1), 2.0), y)
    >>> y
    array([[13.]])
    """
    x, weight = (np.require(a, y.dtype, ["C", "W"]) for a in (x, weight))
    u, compiled = np.uintp, _compiled(y.dtype)
    run_threaded(lambda lo, hi: compiled(u(lo), u(hi), x, weight, y), len(y), y.size * len(weight))


@functools.cache
def _compiled(dtype: Any) -> Callable:
    return kernel(loops.add_product, dtype=dtype)
