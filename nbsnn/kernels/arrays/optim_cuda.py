"""One step of an optimiser on a GPU: ``kernels.arrays.optim``, one thread for each element.

``hyper`` is a tuple of numbers here, not an array: a kernel's arguments need no copy of their own.
"""

# pyright: reportCallIssue=false

import numpy as np
from numba import cuda

from .optim import constants, keep, rule, slots


def update(lo: int, hi: int, p: np.ndarray, g: np.ndarray, memory: np.ndarray, hyper: tuple[float, ...]) -> None:
    """Apply ``rule`` to ``p[lo:hi]`` in place."""
    i = lo + cuda.grid(1)
    if i < hi:
        result = rule(p[i], g[i], *slots(memory, i), *constants(hyper, 0))
        p[i] = result[0]
        keep(memory, result, i)
