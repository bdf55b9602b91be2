"""Draws of one value per synapse, each from a uniform number by the inverse of its distribution function.

    u         two words of squares32, 52 bits, at counter(64 k + attempt, target) for the k-th synapse of a target
    normal    mean + std Phi^-1(u)                   lognormal    exp(mu + sigma Phi^-1(u))
    uniform   low + (high - low) u                   exponential  -mean log(u)

A value outside its bounds is drawn again, at the next attempt. Phi^-1 is Wichura's algorithm AS 241 (PPND16, relative
error 1e-16): M. Wichura (1988), Applied Statistics 37:477-484, doi:10.2307/2347330.
"""

import math
from typing import Any

import numpy as np

from ...random import counter, squares32
from ...scalar.hole import hole


def ratio(x, p, q) -> Any:
    """The quotient of two polynomials of degree 7, the denominator's constant term being 1."""
    top = ((((((p[7] * x + p[6]) * x + p[5]) * x + p[4]) * x + p[3]) * x + p[2]) * x + p[1]) * x + p[0]
    return top / (((((((q[6] * x + q[5]) * x + q[4]) * x + q[3]) * x + q[2]) * x + q[1]) * x + q[0]) * x + 1.0)


CENTRE = (
    (3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727),
    (42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
     39307.89580009271061, 28729.085735721942674, 5226.495278852854561),
)  # fmt: skip
SHOULDER = (
    (1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
     1.27045825245236838258, 0.24178072517745061177, 0.0227238449892691845833, 7.7454501427834140764e-4),
    (2.05319162663775882187, 1.6763848301838038494, 0.68976733498510000455, 0.14810397642748007459,
     0.0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9),
)  # fmt: skip
TAIL = (
    (6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, 0.29656057182850489123,
     0.026532189526576123093, 0.0012426609473880784386, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (0.59983220655588793769, 0.13692988092273580531, 0.0148753612908506148525, 7.868691311456132591e-4,
     1.8463183175100546818e-5, 1.4215117583164458887e-7, 2.04426310338993978564e-15),
)  # fmt: skip


def inverse_normal(u) -> Any:
    """The x below which a standard normal number lies with probability u, 0 < u < 1."""
    q = u - 0.5
    if abs(q) <= 0.425:
        return q * ratio(0.180625 - q * q, CENTRE[0], CENTRE[1])
    r = math.sqrt(-math.log(u if q < 0.0 else 1.0 - u))
    if r <= 5.0:
        x = ratio(r - 1.6, SHOULDER[0], SHOULDER[1])
    else:
        x = ratio(r - 5.0, TAIL[0], TAIL[1])
    return -x if q < 0.0 else x


def normal(u, mean, std) -> Any:
    return mean + std * inverse_normal(u)


def lognormal(u, mu, sigma) -> Any:
    return math.exp(mu + sigma * inverse_normal(u))


def uniform(u, low, high) -> Any:
    return low + (high - low) * u


def exponential(u, mean, other) -> Any:
    return -mean * math.log(u)


@hole
def shape(u, a, b) -> Any:
    raise NotImplementedError


def uniform_at(attempt, k, unit, key, low_key) -> Any:
    """A number between 0 and 1, neither of them, of 52 bits; other keys from the 64th attempt on."""
    turn, step = np.uint64(attempt >> 6 << 1), np.uint64(k) << np.uint64(6) | np.uint64(attempt & 63)
    place = counter(step, np.uint64(unit))
    word = squares32(place, key ^ turn) << np.uint64(20) | squares32(place, low_key ^ turn) >> np.uint64(12)
    return (np.float64(word) + 0.5) * 2.0**-52


def draw(i0, i1, unit, number, key, low_key, a, b, low, high, out):
    """``out[i]`` is the value of synapse ``number[i]`` of ``unit[i]``: drawn again until it lies in [low, high]."""
    for i in range(i0, i1):
        attempt = 0
        x = shape(uniform_at(attempt, number[i], unit[i], key, low_key), a, b)
        while not (x >= low and x <= high):
            attempt += 1
            x = shape(uniform_at(attempt, number[i], unit[i], key, low_key), a, b)
        out[i] = x
