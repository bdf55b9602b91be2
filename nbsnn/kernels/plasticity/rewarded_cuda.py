"""Sparse synapses that wait for a reward, on a GPU: all of a connection brought up to date."""

import numpy as np
from numba import cuda

from .rewarded import catch_up, with_numbers


def catch_up_all(lo: int, hi: int, now: int, numbers: np.ndarray, weights: np.ndarray, E: np.ndarray, U: np.ndarray):
    """Bring a connection's synapses [lo, hi) to the end of step ``now``; ``numbers`` as in ``tables``."""
    e = lo + cuda.grid(1)  # type: ignore[call-arg]
    if e < hi:
        catch_up(e, with_numbers(E, U, 0, now, numbers), weights)
