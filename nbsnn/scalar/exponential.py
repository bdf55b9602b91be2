"""Exponentials that a loop over units computes several at a time.

The C library's ``exp`` takes one argument per call, so a loop that calls it is not vectorised. Here

    x = k ln 2 + r,  k whole, |r| <= ln(2) / 2,        exp(x) = 2^k (1 + r + r^2 q(r)),

with q the polynomial that minimises the largest relative error of r + r^2 q(r) = exp(r) - 1 (Remez; degree 4 in
float32: 1.4e-8, degree 9 in float64: 1.8e-17). k is found without a conversion to integer: in x / ln(2) + 1.5 * 2^23
(float64: 2^52) it stands in the last bits, from where a shift moves it into the exponent. There is no branch and no
call, so that neurons and surrogates which use these functions keep their loops vectorised; and there is nothing but
IEEE additions, products and quotients, so that compiled and interpreted results are equal bit for bit.

Results that are not normal numbers are 0: ``exp`` of less than -86.98 in float32 and of less than -708.05 in float64.
"""

from typing import Any

import numpy as np

from .hole import narrow


def _split32(x):
    x = np.float32(
        x
    )  # in a float64, which a whole number in a product or quotient brings, k would not be in the last bits
    c = -87.0 if x < -87.0 else x  # not a number: neither comparison holds, and r is not a number
    c = 89.0 if c > 89.0 else c
    t = c * 1.4426950408889634 + 12582912.0
    k = t - 12582912.0
    return (c - k * 0.693359375) + k * 2.1219444005469057e-4, t


@narrow(_split32)
def _split(x):
    """r, and a number with k in its last bits. ln 2 is split so that k times its greater part is exact."""
    c = -708.3 if x < -708.3 else x
    c = 710.0 if c > 710.0 else c
    t = c * 1.4426950408889634 + 6755399441055744.0
    k = t - 6755399441055744.0
    return (c - k * 0.6931471803691238) - k * 1.9082149292705877e-10, t


def _half_power32(t):
    bits = np.int32(np.float32(t).view(np.int32) << np.int32(23))
    return np.int32(bits + np.int32(126 << 23)).view(np.float32)


@narrow(_half_power32)
def _half_power(t):
    """2^(k - 1), k from the last bits of ``t``: half, so that neither end of the range leaves the exponent's bits."""
    bits = np.int64(np.float64(t).view(np.int64) << np.int64(52))
    return float(np.int64(bits + np.int64(1022 << 52)).view(np.float64))  # plain Python gets a plain float back


def _series32(r, m):
    q = m * 0.00836724703 + r * (m * 0.001394760569)
    q = m * 0.1666653801 + r * (m * 0.04166626639 + r * q)
    return m * r + (r * r) * (m * 0.5000000066 + r * q)


@narrow(_series32)
def _series(r, m):
    """m (exp(r) - 1) for |r| <= ln(2) / 2 and m = 1 or 2, which costs nothing: coefficients are doubled exactly."""
    q = m * 2.762645109028472072e-7 + r * (m * 2.511459321641941038e-8)
    q = m * 2.480150414662495279e-5 + r * (m * 2.755722760522346007e-6 + r * q)
    q = m * 1.388888893261478297e-3 + r * (m * 1.98412699033825579e-4 + r * q)
    q = m * 0.04166666666657294998 + r * (m * 8.333333333314449982e-3 + r * q)
    return m * r + (r * r) * (m * 0.5000000000000005601 + r * (m * 0.1666666666666668617 + r * q))


def exp(x):
    """The exponential function.

    In kernels of either precision: relative error below 1.2e-7 (1 ulp) in float32 and 2.3e-16 in float64, over the
    whole range. Infinite above 88.72 (709.78), 0 below -86.98 (-708.05). What is not a number stays so.

    >>> round(exp(1.0), 12)
    2.718281828459
    """
    r, t = _split(x)
    return (2.0 + _series(r, 2.0)) * _half_power(t)


def expm1(x):
    """exp(x) - 1, also precise near 0; -1 where ``exp`` is 0, infinite where it is.

    Relative error below 2.4e-7 in float32 and 4.5e-16 in float64.

    >>> round(expm1(1e-10), 22)
    1.00000000005e-10
    """
    r, t = _split(x)
    power = _half_power(t)
    y = power * _series(r, 1.0) + (power - 0.5)
    return y + y


def linoid(x: float) -> Any:
    """x / (exp(x) - 1), the voltage dependence of many rates of Hodgkin and Huxley; 1 at 0, -x far below, 0 far above.

    Relative error below 3e-7 in float32 and 6e-16 in float64.

    >>> linoid(0.0), round(linoid(-50.0), 12)
    (1.0, 50.0)
    """
    small = abs(x) < 1e-30
    x = 1e-30 if small else x  # 0 / 0 otherwise
    x = 1000.0 if x > 1000.0 else x  # inf / inf otherwise
    return x / expm1(x)


def logistic(x):
    """1 / (1 + exp(-x)).

    Relative error below 3e-7 in float32 and 6e-16 in float64 where it is not 0.

    >>> logistic(0.0)
    0.5
    """
    return 1.0 / (1.0 + exp(-x))
