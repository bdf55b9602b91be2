"""Conversion of spike times to each sample's events in the order of time.

Sample ``b`` has the entries ``first[b] ... first[b + 1] - 1`` of the flat array ``given``. An entry that is negative
or infinite is no spike. Loops cover the samples [b0, b1).

The order is found by a radix sort (Knuth, The Art of Computer Programming 3, 5.2.5) on the bits of the times: those of
floats that are not negative are ordered as the floats are. It takes linear time whatever the times are, keeps the
order of equal ones, and skips digits that all entries share, as whole-numbered times have.
"""

import numpy as np

DIGIT = 11  # bits


def tally(
    b0: int, b1: int, T: float, first: np.ndarray, given: np.ndarray, count: np.ndarray, wrong: np.ndarray
) -> None:
    """Fill ``count`` with each sample's number of spikes, and ``wrong`` with that of times that are NaN or above T."""
    for b in range(b0, b1):
        n, fine = 0, 0
        for j in range(first[b], first[b + 1]):
            t = given[j]
            n += (t >= 0.0) & (t <= T)
            fine += (t <= T) | (t == np.inf)
        count[b], wrong[b] = n, first[b + 1] - first[b] - fine


def arrange(
    b0: int, b1: int, T: float, first: np.ndarray, given: np.ndarray, bits: np.ndarray, of: np.ndarray, per_input: int,
    begin: np.ndarray, time: np.ndarray, pre: np.ndarray, place: np.ndarray,
) -> None:  # fmt: skip
    """Fill ``time``, ``pre`` and ``place`` (the entry's index in ``given``) of the events from ``begin[b]`` on.

    ``bits`` are ``given`` as integers of the same size. Entry ``j`` is of input ``of[j]``, or if ``of`` is empty
    of input ``(j - first[b]) // per_input``.
    """
    counts = np.empty(1 << DIGIT, np.int64)
    for b in range(b0, b1):
        n = 0
        entry = np.empty(first[b + 1] - first[b] + 1, np.int64)
        for j in range(first[b], first[b + 1]):
            entry[n] = j  # overwritten unless it is a spike: no branch, as half of them would be mispredicted
            n += (given[j] >= 0.0) & (given[j] <= T)
        other = np.empty(n, np.int64)
        varied = np.int64(0)
        for k in range(1, n):
            varied |= np.int64(bits[entry[k]] ^ bits[entry[0]])
        for shift in range(0, 8 * bits.itemsize - 1, DIGIT):  # all but the sign: minus zero is zero
            mask = min((1 << DIGIT) - 1, (1 << (8 * bits.itemsize - 1 - shift)) - 1)
            if not (varied >> shift) & mask:
                continue
            counts[:] = 0
            for k in range(n):
                counts[(np.int64(bits[entry[k]]) >> shift) & mask] += 1
            total = 0
            for digit in range(mask + 1):
                counts[digit], total = total, total + counts[digit]
            for k in range(n):
                digit = (np.int64(bits[entry[k]]) >> shift) & mask
                other[counts[digit]] = entry[k]
                counts[digit] += 1
            entry, other = other, entry
        for k in range(n):
            j, e = entry[k], begin[b] + k
            time[e], place[e] = given[j], j
            pre[e] = of[j] if of.shape[0] else (j - first[b]) // per_input
