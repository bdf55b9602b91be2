"""Random numbers of a unit in a step, for neurons that ask for one.

A loop over units with such a neuron is vectorised: the normal number is Wichura's quotient of polynomials for the
middle of the distribution or the one for its sides. Both numerators and both denominators are computed, and one
division is done. (32 bits never reach his third quotient, for the far tails.) The distance to the nearer end, which the
sides hang on, is taken from the whole number, so that float32 loses none of its digits.

PPND7 in float32, relative error below 5e-7, PPND16 in float64, below 2e-15: M. Wichura (1988), Algorithm AS 241,
Applied Statistics 37:477-484, doi:10.2307/2347330.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np

from ..kernels.synapses.values import CENTRE, SHOULDER
from ..random import counter, squares32
from ..scalar.hole import hole, narrow
from ..scalar.logarithm import log


@hole
def real(x: float | np.int32) -> Any:
    """Number in the precision of the kernel."""
    return float(x)


def uniform_of(key: np.uint64, t: np.uint64, i: np.uint64) -> Any:
    """A number from 0 to 1, 1 excluded: 24 bits."""
    return real(np.int32(squares32(counter(t, i), key) >> np.uint64(8))) * 5.9604644775390625e-08


def bits_of(key: np.uint64, t: np.uint64, i: np.uint64) -> Any:
    """Thirty-two random bits."""
    return np.uint32(squares32(counter(t, i), key))


def _parts32(x: float, r: float) -> tuple[float, ...]:
    top = ((59.109374720 * x + 159.29113202) * x + 50.434271938) * x + 3.3871327179
    low = ((67.187563600 * x + 78.757757664) * x + 17.895169469) * x + 1.0
    side = ((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777
    return top, low, side, (0.12021132975 * r + 0.73700164250) * r + 1.0


@narrow(_parts32)
def _parts(x: float, r: float) -> tuple[float, ...]:
    """Numerator and denominator of both quotients, for the middle at ``x`` and for the sides at ``r``."""
    return _top(x, CENTRE[0]), _low(x, CENTRE[1]), _top(r, SHOULDER[0]), _low(r, SHOULDER[1])


def _top(x: float, p: Sequence[float]) -> float:
    return ((((((p[7] * x + p[6]) * x + p[5]) * x + p[4]) * x + p[3]) * x + p[2]) * x + p[1]) * x + p[0]


def _low(x: float, q: Sequence[float]) -> float:
    return ((((((q[6] * x + q[5]) * x + q[4]) * x + q[3]) * x + q[2]) * x + q[1]) * x + q[0]) * x + 1.0


def normal_from(bits: np.uint32) -> Any:
    """A standard normal number, from 32 bits."""
    middle = np.uint32(bits ^ np.uint32(2147483648)).view(np.int32)  # from -2^31 to 2^31 - 1
    nearest = np.int32(np.int32(2147483647) - np.int32(middle ^ np.int32(middle >> np.int32(31))))
    q = (real(middle) + 0.5) * 2.3283064365386963e-10  # from -1/2 to 1/2
    r = sqrt(-log((real(nearest) + 0.5) * 2.3283064365386963e-10))
    top, low, side, under = _parts(0.180625 - q * q, r - 1.6)
    central = abs(q) <= 0.425
    return (q * top if central else (-side if q < 0.0 else side)) / (low if central else under)
