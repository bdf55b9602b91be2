"""External input of the units of a block, and the list of those that spiked.

A block is ``n`` units from ``lo`` on. ``x``, ``y``, ``bits`` and ``events`` are scratch of a block. The places in the
flat arrays are unsigned, so that no index needs a check for its sign, and the loops are vectorised.
"""

import numpy as np

from ...random import counter, squares32
from ..arrays.wide import widest
from ..products.bits import WORD, equals, ones


def clear(n, x):
    """Set the first ``n`` elements to zero."""
    for k in range(n):
        x[k] = 0


def inject(n, factor, C, place, each, x):
    """A current from an array: one number for all units, or one for ``each``."""
    if each:
        for k in range(n):
            x[k] += factor * C[place + k]
    else:
        for k in range(n):
            x[k] += factor * C[place]


def poisson(n, lo, t, key, thresholds, first, last, bits, events):
    """Draw Poisson numbers into ``events``: as many as the table has entries that 32 random bits reach.

    thresholds[first + j] is 2^32 times the probability of at most j events.
    """
    widest()
    for k in range(n):
        bits[k] = np.uint32(squares32(counter(t, lo + k), key))
        events[k] = 0
    for j in range(first, last):
        least = thresholds[j]
        for k in range(n):
            events[k] += np.uint32(1) if bits[k] >= least else np.uint32(0)


def arrive(n, C, place, each, events, R, row):
    """Add events times their weight to the ring: one weight for all units, or one for ``each``."""
    if each:
        for k in range(n):
            R[row + k] += C[place + k] * events[k]
    else:
        weight = C[place]
        for k in range(n):
            R[row + k] += weight * events[k]


def collect(lo, n, y, line, base, count):
    """Append the units that spiked to ``line``, whose places from ``base`` on hold ``count`` already.

    What is behind the ``n`` outputs in ``y`` is read, but left out.
    """
    for a in range(0, n, WORD):
        word = ~equals(y, np.uintp(a), 0.0)
        if a + WORD > n:
            word &= (np.uint64(1) << np.uint64(n - a)) - np.uint64(1)
        while word != np.uint64(0):
            k = a + np.int64(ones((word & (~word + np.uint64(1))) - np.uint64(1)))
            word &= word - np.uint64(1)
            if y[k] > 0.5:
                line[base + count] = lo + k
                count += 1
    return count
