"""A logarithm that a loop over units computes several at a time: the companion of ``nbsnn.scalar.exponential``.

    x = 2^k m,  sqrt(1/2) <= m < sqrt(2),       f = m - 1,  s = f / (2 + f),
    log(x) = k ln 2 + f - (f^2 / 2 - s (f^2 / 2 + R)),        R = log(m) / s - 2 = s^2 (2/3 + 2/5 s^2 + ...),

with a polynomial for R whose largest error is least (Remez; degree 3 in float32: 1e-11, degree 7 in float64: 2e-20).
k and m are read from the bits of x, without branch and call.
"""

from typing import Any

import numpy as np

from .hole import narrow

INFINITY, NOT_A_NUMBER = float("inf"), float("nan")


def _parts32(x):
    bits = np.float32(abs(x)).view(np.int32)
    k = np.int32(np.int32(bits - np.int32(0x3F3504F3)) >> np.int32(23))
    return np.float32(k), np.int32(bits - np.int32(k << np.int32(23))).view(np.float32)


@narrow(_parts32)
def _parts(x):
    """k and m. The constants are the bits of sqrt(1/2)."""
    bits = np.float64(abs(x)).view(np.int64)
    k = np.int64(np.int64(bits - np.int64(0x3FE6A09E667F3BCD)) >> np.int64(52))
    return float(k), float(np.int64(bits - np.int64(k << np.int64(52))).view(np.float64))


def _ends32(x, y):
    y = y if x <= 3.4028234663852886e38 else x
    y = -INFINITY if x < 1.1754943508222875e-38 else y
    return NOT_A_NUMBER if x < 0.0 else y


@narrow(_ends32)
def _ends(x, y):
    """The logarithm ``y`` of ``x``, and what it is of infinity, of what is no number or no normal one, and below 0."""
    y = y if x <= 1.7976931348623157e308 else x
    y = -INFINITY if x < 2.2250738585072014e-308 else y
    return NOT_A_NUMBER if x < 0.0 else y


def _series32(z):
    return z * (0.6666666564127861 + z * (0.4000033622166640 + z * (0.2853723820385088 + z * 0.2358357077097924)))


@narrow(_series32)
def _series(z):
    """R, for z = s^2."""
    r = 0.1324996206421776157 + z * 0.1325275435822098166
    r = 0.2222222264875179164 + z * (0.1818177550849845718 + z * (0.1538709765020287247 + z * r))
    return z * (0.6666666666666666093 + z * (0.4000000000000628724 + z * (0.2857142856907294271 + z * r)))


def _ln2_32(k):
    return k * 0.693359375, k * -2.1219444005469057e-4


@narrow(_ln2_32)
def _ln2(k):
    """k ln 2 in two parts, the greater one exact."""
    return k * 0.6931471803691238, k * 1.9082149292705877e-10


def log(x: float) -> Any:
    """The natural logarithm.

    In kernels of either precision: relative error below 2.4e-7 in float32 and 4.5e-16 in float64. Minus infinity of 0
    and of what is less than the least normal number, not a number below 0.

    >>> round(log(10.0), 12)
    2.302585092994
    """
    k, m = _parts(x)
    f = m - 1.0
    s = f / (2.0 + f)
    half = 0.5 * f * f
    great, small = _ln2(k)
    return _ends(x, great - ((half - (s * (half + _series(s * s)) + small)) - f))
