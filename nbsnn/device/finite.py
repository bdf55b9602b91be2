"""A quick look at large inputs, on several threads."""

from __future__ import annotations

import numpy as np

from ..compile.fill import kernel
from ..kernels.arrays.finite import unfinite
from ..validate import finite
from .threads import run_kernel

LARGE = 2**20
"""Inputs of at least this many numbers are checked by a kernel; for smaller ones compiling it does not pay."""


def finite_input(name: str, x: np.ndarray, device: str = "cpu") -> np.ndarray:
    """``x``; raises if it holds NaN or infinity."""
    return x if device == "cpu" and quickly_finite(x) else finite(name, x)


def quickly_finite(x: np.ndarray) -> bool:
    """True if a large ``x`` is known to be all finite; False says nothing."""
    if x.size < LARGE:
        return False
    return not any(run_kernel(kernel(unfinite, dtype=x.dtype), x.size, x.size, x.reshape(-1)))
