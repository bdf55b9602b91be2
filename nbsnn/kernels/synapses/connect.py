"""Loops that draw who is connected to whom, and the counting sort that turns lists by target into rows by source.

    pairs with probability p    the gap to the next synapse is geometric: floor(log(u) / log(1 - p))
    with repetition             squares32 n / 2^32, of a unit's k-th draw
    without                     Floyd's method: for t = n - k ... n - 1, draw r from 0 ... t, take r, or t if r is taken
    a total                     halves of the units share it binomially, down to each unit

Every number is ``squares32(counter(unit, k), key)``, the k-th draw of a unit, so that threads can share units.
Unit u must not draw the place u + own, if that is one of the n: then it draws from the n - 1 others, and a choice at or
above its own place moves up by one. Where nobody is barred, ``own`` is far below 0.

A unit is a target, but where out-degrees are fixed; the loops take some units alone, with the same numbers. A list of
synapses by unit is ``index[begin[u]:begin[u + 1]]``. All integers are signed, except those that the hash
works on.

References: V. Batagelj and U. Brandes (2005), doi:10.1103/PhysRevE.71.036113 (gaps); J. Bentley and R. Floyd (1987),
doi:10.1145/30401.315746; W. Hormann (1993), doi:10.1080/00949659308811496 (binomial numbers).
"""

import math
from typing import Any

import numpy as np

from ...random import counter, squares32


def bits(unit, k, key) -> Any:
    """Thirty-two random bits, the k-th of a unit, as uint64."""
    return squares32(counter(np.uint64(unit), np.uint64(k)), key)


def below(n, unit, k, key) -> Any:
    """An integer from 0 to n - 1; n < 2^31, so the bias is below n / 2^32."""
    return np.int64((bits(unit, k, key) * np.uint64(n)) >> np.uint64(32))


def barred(u, own, n) -> Any:
    """1 if the unit's own place is among the n, 0 otherwise."""
    return 1 if u + own >= 0 and u + own < n else 0


def bernoulli(u0, u1, first, n, own, scale, key, begin, degree, out):
    """Visit each of n places with probability p, where ``scale`` = 1 / log(1 - p); fills ``out`` unless it is empty.

    ``degree[i]`` becomes the number of visits of unit ``first + i``, for i from u0 to u1.
    """
    filling = out.shape[0] > 0
    for i in range(u0, u1):
        u = first + i
        at, k, e, same = 0, 0, begin[i], barred(u, own, n)
        while True:
            gap = math.log(even(u, k, key)) * scale
            if gap >= n - same - at:
                break
            at += np.int64(gap)
            if filling:
                out[e + k] = at + (same & (at >= u + own))
            at += 1
            k += 1
        degree[i] = k


def pairs(a, b, n, own) -> Any:
    """Pairs of the units [a, b) and n places."""
    return (b - a) * n - max(0, min(b, n - own) - max(a, -own))


def deal(total, n, u0, u1, m, own, key, degree):
    """Deal ``total`` draws, all pairs of one of n units and one of m places being equally likely, out to units.

    ``degree`` becomes what each of the units [u0, u1) gets. Units are halved again and again, and a half's share of the
    draws is binomial: a number of its own for each place of a cut, so that a branch can be followed without the others.
    """
    stack, depth = np.zeros((64, 3), np.int64), 1
    stack[0, 1], stack[0, 2] = n, total
    while depth > 0:
        depth -= 1
        a, b, count = stack[depth, 0], stack[depth, 1], stack[depth, 2]
        if count == 0 or b <= u0 or a >= u1:
            continue
        if b - a == 1:
            degree[a - u0] = count
            continue
        middle = (a + b) // 2
        left = binomial(count, pairs(a, middle, m, own) / pairs(a, b, m, own), middle, key)
        stack[depth, 1], stack[depth, 2] = middle, left
        stack[depth + 1, 0], stack[depth + 1, 1], stack[depth + 1, 2] = middle, b, count - left
        depth += 2


def even(unit, k, key) -> Any:
    """A number between 0 and 1, neither of them, the k-th of a unit."""
    return (np.float64(bits(unit, k, key)) + 0.5) * 2.0**-32


def binomial(n, p, unit, key) -> Any:
    """Successes in n trials of probability p: by adding up probabilities where few are expected, else by rejection."""
    if p > 0.5:
        return n - binomial_below(n, 1.0 - p, unit, key)
    return binomial_below(n, p, unit, key)


def binomial_below(n, p, unit, key) -> Any:
    """The same for p up to 1/2; the rejection is Hormann's algorithm BTRS."""
    if n * p < 10.0:
        k, odds, u = 0, p / (1.0 - p), even(unit, 0, key)
        share = math.exp(n * math.log1p(-p))
        while u > share and k < n:
            u -= share
            share *= odds * (n - k) / (k + 1)
            k += 1
        return np.int64(k)
    deviation = math.sqrt(n * p * (1.0 - p))
    b = 1.15 + 2.53 * deviation
    a, alpha, odds = -0.0873 + 0.0248 * b + 0.01 * p, (2.83 + 5.1 / b) * deviation, p / (1.0 - p)
    mode, at = math.floor((n + 1) * p), 0
    while True:
        u, v = even(unit, at, key) - 0.5, even(unit, at + 1, key)
        at += 2
        edge = 0.5 - abs(u)
        found = math.floor((2.0 * a / edge + b) * u + n * p + 0.5)
        if found < 0 or found > n:
            continue
        if edge >= 0.07 and v <= 0.92 - 4.2 / b:
            return np.int64(found)
        height = (mode + 0.5) * math.log((mode + 1) / (odds * (n - mode + 1)))
        height += (n + 1) * math.log((n - mode + 1) / (n - found + 1))
        height += (found + 0.5) * math.log(odds * (n - found + 1) / (found + 1))
        height += beyond(mode) + beyond(n - mode) - beyond(found) - beyond(n - found)
        if math.log(v * alpha / (a / (edge * edge) + b)) <= height:
            return np.int64(found)


def beyond(k) -> Any:
    """What Stirling's formula for log k! leaves out."""
    z = 1.0 / ((k + 1.0) * (k + 1.0))
    return (1 / 12 - (1 / 360 - (1 / 1260 - z / 1680) * z) * z) / (k + 1.0)


def repeated(u0, u1, first, n, own, key, begin, out):
    """Each unit ``first + i``, for i from u0 to u1, draws from n others, with repetition."""
    for i in range(u0, u1):
        u = first + i
        start, same = begin[i], barred(u, own, n)
        for e in range(start, begin[i + 1]):
            choice = below(n - same, u, e - start, key)
            out[e] = choice + (same & (choice >= u + own))


def distinct(u0, u1, first, n, own, key, begin, out):
    """Each unit ``first + i``, for i from u0 to u1, draws from n others, without repetition."""
    taken = np.zeros(n, np.uint8)
    for i in range(u0, u1):
        u = first + i
        start, end, same = begin[i], begin[i + 1], barred(u, own, n)
        t = n - same - (end - start)
        for e in range(start, end):
            choice = below(t + 1, u, e - start, key)
            if taken[choice]:
                choice = t
            taken[choice] = 1
            out[e] = choice
            t += 1
        for e in range(start, end):
            taken[out[e]] = 0
            out[e] += same & (out[e] >= u + own)


def turn(u0, u1, begin, index, cursor, out, place):
    """Counting sort: append unit u to the list of each entry of its own, and unless ``place`` is empty the entry's.

    If ``out`` is empty, entries are only counted: ``cursor[i]`` grows by those equal to i.
    """
    filling, placing = out.shape[0] > 0, place.shape[0] > 0
    for u in range(u0, u1):
        for e in range(begin[u], begin[u + 1]):
            c = cursor[index[e]]
            cursor[index[e]] = c + 1
            if filling:
                out[c] = u
            if placing:
                place[c] = e


def number(post, next_, out):
    """``out[e]`` is how many synapses onto the same target come before synapse e; ``next_`` begins at 0."""
    for e in range(post.shape[0]):
        out[e] = next_[post[e]]
        next_[post[e]] += 1


def cut(index: np.ndarray, cuts: np.ndarray, modulus: int, bounds: np.ndarray) -> None:
    """Places in each row at which the targets pass each of ``cuts``: bounds [rows, cuts], places in ``index``.

    The first and the last are there, where a row begins and ends. Its targets ascend; if ``modulus`` is not 0, what
    ascends is the remainder.
    """
    for i in range(bounds.shape[0]):
        end = bounds[i, cuts.shape[0] - 1]
        for k in range(1, cuts.shape[0] - 1):
            a, z = bounds[i, k - 1], end
            while a < z:
                middle = (a + z) // 2
                target = np.int64(index[middle])
                if (target % modulus if modulus > 0 else target) < cuts[k]:
                    a = middle + 1
                else:
                    z = middle
            bounds[i, k] = a
