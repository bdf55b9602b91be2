"""Loops that draw who is connected to whom, and the counting sort that turns lists by target into rows by source.

    pairs with probability p    the gap to the next synapse is geometric: floor(log(u) / log(1 - p))
    with repetition             squares32 n / 2^32, of a unit's k-th draw
    without                     Floyd's method: for t = n - k ... n - 1, draw r from 0 ... t, take r, or t if r is taken

Every number is ``squares32(counter(unit, k), key)``, the k-th draw of a unit, so that threads can share units.
Unit u must not draw the place u + own, if that is one of the n: then it draws from the n - 1 others, and a choice at or
above its own place moves up by one. Where nobody is barred, ``own`` is far below 0.

A list of synapses by unit is ``index[begin[u]:begin[u + 1]]``. All integers are signed, except those that the hash
works on.

References: V. Batagelj and U. Brandes (2005), doi:10.1103/PhysRevE.71.036113 (gaps); J. Bentley and R. Floyd (1987),
doi:10.1145/30401.315746.
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


def bernoulli(u0, u1, n, own, scale, key, begin, degree, out):
    """Visit each of n places with probability p, where ``scale`` = 1 / log(1 - p); fills ``out`` unless it is empty.

    ``degree[u]`` becomes the number of visits.
    """
    filling = out.shape[0] > 0
    for u in range(u0, u1):
        at, k, e, same = 0, 0, begin[u], barred(u, own, n)
        while True:
            gap = math.log((np.float64(bits(u, k, key)) + 0.5) * 2.0**-32) * scale
            if gap >= n - same - at:
                break
            at += np.int64(gap)
            if filling:
                out[e + k] = at + (same & (at >= u + own))
            at += 1
            k += 1
        degree[u] = k


def tally_draws(total, n, m, own, key, degree):
    """Deal ``total`` draws out to n units: ``degree[u]`` grows by what unit u gets.

    All pairs of a unit and one of m places are equally likely, so a unit that is barred from its own is passed over
    with probability 1 / m if others are not.
    """
    uneven = barred(0, own, m) == 0 or barred(n - 1, own, m) == 0
    for k in range(total):
        draw = k
        u = below(n, draw >> 32, draw & 0xFFFFFFFF, key)
        while uneven and barred(u, own, m) and below(m, (draw >> 32) + (1 << 31), draw & 0xFFFFFFFF, key) == 0:
            draw += total
            u = below(n, draw >> 32, draw & 0xFFFFFFFF, key)
        degree[u] += 1


def repeated(u0, u1, n, own, key, begin, out):
    """Each unit draws from n others, with repetition."""
    for u in range(u0, u1):
        first, same = begin[u], barred(u, own, n)
        for e in range(first, begin[u + 1]):
            choice = below(n - same, u, e - first, key)
            out[e] = choice + (same & (choice >= u + own))


def distinct(u0, u1, n, own, key, begin, out):
    """Each unit draws from n others, without repetition."""
    taken = np.zeros(n, np.uint8)
    for u in range(u0, u1):
        first, end, same = begin[u], begin[u + 1], barred(u, own, n)
        t = n - same - (end - first)
        for e in range(first, end):
            choice = below(t + 1, u, e - first, key)
            if taken[choice]:
                choice = t
            taken[choice] = 1
            out[e] = choice
            t += 1
        for e in range(first, end):
            taken[out[e]] = 0
            out[e] += same & (out[e] >= u + own)


def tally(e0, e1, index, count):
    """``count[i]`` grows by the entries equal to i."""
    for e in range(e0, e1):
        count[index[e]] += 1


def turn(u0, u1, begin, index, cursor, out, place):
    """Counting sort: append unit u to the list of each entry of its own, and unless ``place`` is empty the entry's."""
    placing = place.shape[0] > 0
    for u in range(u0, u1):
        for e in range(begin[u], begin[u + 1]):
            c = cursor[index[e]]
            cursor[index[e]] = c + 1
            out[c] = u
            if placing:
                place[c] = e


def cut(start, first, index, cuts, modulus, bounds):
    """Places in each row at which the targets pass each of ``cuts``: bounds [rows, cuts], places in ``index``.

    The row of unit i is index[first + start[i]:first + start[i + 1]], ascending; if ``modulus`` is not 0, what ascends
    is the remainder.
    """
    for i in range(bounds.shape[0]):
        end = first + start[i + 1]
        bounds[i, 0] = first + start[i]
        bounds[i, cuts.shape[0] - 1] = end
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
