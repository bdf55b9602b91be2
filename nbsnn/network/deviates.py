"""Random numbers of a unit in a step, for neurons that ask for one.

A loop over units with such a neuron is vectorised: the normal number is Wichura's quotient of polynomials for the
middle of the distribution and the one for its sides, of which one is taken. (32 bits never reach his third, for the
far tails.) The distance to the nearer end, which the sides hang on, is taken from the whole number, so that float32
loses none of its digits: the error is below 1e-6, that of float64 below 1e-15.
"""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np

from ..hole import hole
from ..kernels.cpu.values import CENTRE, SHOULDER, ratio
from ..logarithm import log
from ..random import counter, squares32


@hole
def real(x) -> Any:
    """In the precision of the kernel."""
    return float(x)


def uniform_of(key, t, i) -> Any:
    """A number from 0 to 1, 1 excluded: 24 bits."""
    return real(np.int32(squares32(counter(t, i), key) >> np.uint64(8))) * 5.9604644775390625e-08


def normal_of(key, t, i) -> Any:
    """A standard normal number, from 32 bits."""
    bits = np.int64(squares32(counter(t, i), key))
    nearest = bits if bits < np.int64(2147483648) else np.int64(4294967295) - bits
    q = (real(bits - np.int64(2147483648)) + 0.5) * 2.3283064365386963e-10  # from -1/2 to 1/2
    r = sqrt(-log((real(nearest) + 0.5) * 2.3283064365386963e-10))
    middle = q * ratio(0.180625 - q * q, CENTRE[0], CENTRE[1])
    side = ratio(r - 1.6, SHOULDER[0], SHOULDER[1])
    return middle if abs(q) <= 0.425 else (-side if q < 0.0 else side)
