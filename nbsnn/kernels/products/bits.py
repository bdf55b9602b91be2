"""Spikes in small: 64 units of a step to a word, and the positions of the ones, by row and by unit.

Row ``b T + t`` belongs to step t of sample b, so that a sample's steps lie together. Bit ``j`` of word ``q`` is unit
``64 q + j``. Positions of row ``r`` are ``index[start[r]:start[r + 1]]``, ascending.
"""

from numpy import uint64, uintp

from ...compile.prefetch import fetch_to_read
from ...compile.simd import equals as equals_instruction
from ...scalar.hole import instruction
from ..arrays.wide import widest

WORD = 64
AT_ONCE = 6  # positions of a word that are written together
AHEAD = 3072  # numbers between asking for memory and using it


@instruction(equals_instruction)
def equals(x, place, value):
    """A word whose bit ``j`` says whether x[place + j] is ``value``."""
    word = uint64(0)
    for j in range(WORD):
        word |= uint64(x[place + uintp(j)] == value) << uint64(j)
    return word


def ones(word):
    """Number of set bits, added up in pairs, fours and so on; compiled, this is one instruction."""
    word = word - ((word >> uint64(1)) & uint64(0x5555555555555555))
    word = (word & uint64(0x3333333333333333)) + ((word >> uint64(2)) & uint64(0x3333333333333333))
    word = (word + (word >> uint64(4))) & uint64(0x0F0F0F0F0F0F0F0F)
    return (word * uint64(0x0101010101010101)) >> uint64(56)


def lowest(word):
    """Place of the lowest set bit; of none, 64."""
    return ones(~word & (word - uint64(1)))


def listed(bits, r, index, e, end):
    """Write the positions of row ``r`` to ``index[e], index[e + 1], ...``; returns where the next would stand.

    Where there is room before ``end``, ``AT_ONCE`` of a word are written without asking how many there are, as the
    processor could not guess; those too many are overwritten by the next.
    """
    for q in range(bits.shape[1]):
        word, first, place = bits[r, q], uintp(q) * uintp(WORD), e
        e += uintp(ones(word))
        if place + uintp(AT_ONCE) <= end:
            for k in range(uintp(AT_ONCE)):
                index[place + k] = first + uintp(lowest(word))
                word &= word - uint64(1)
            place += uintp(AT_ONCE)
        while word != uint64(0):
            index[place] = first + uintp(lowest(word))
            word &= word - uint64(1)
            place += uintp(1)
    return e


def pack(b0, b1, x, bits):
    """Fill ``bits`` from x [T, B, N]; returns in how many words something is neither 0 nor 1. A step at a time, as
    ``x`` lies in memory."""
    widest()
    other, n, steps, batch = 0, uintp(x.shape[2]), uintp(x.shape[0]), uintp(x.shape[1])
    flat = x.reshape(x.size)
    for t in range(steps):
        for b in range(b0, b1):
            first, r = (t * batch + b) * n, b * steps + t
            for q in range(uintp(bits.shape[1])):
                c = q * uintp(WORD)
                for j in range(uintp(0), uintp(WORD), uintp(16)):  # numbers of a cache line
                    fetch_to_read(flat, first + c + j + uintp(AHEAD))
                if c + uintp(WORD) <= n:
                    word = equals(flat, first + c, 1.0)
                    other += (word ^ equals(flat, first + c, 0.0)) != ~uint64(0)
                else:
                    word = uint64(0)
                    for j in range(n - c):
                        word |= uint64(flat[first + c + j] == 1.0) << uint64(j)
                        other += (flat[first + c + j] != 0.0) != (flat[first + c + j] == 1.0)
                bits[r, q] = word
    return other


def tally(r0, r1, bits, counts):
    """Fill ``counts`` with the ones of rows [r0, r1)."""
    for r in range(r0, r1):
        total = uint64(0)
        for q in range(bits.shape[1]):
            total += ones(bits[r, q])
        counts[r] = total


def fill(r0, r1, bits, start, index):
    """Fill ``index`` with the positions of the ones of rows [r0, r1)."""
    for r in range(r0, r1):
        listed(bits, r, index, start[r], start[r1])


def spread(r0, r1, bits, first, y):
    """Rows ``first + r`` of ``bits`` as numbers y [R, N]."""
    for r in range(r0, r1):
        for n in range(uintp(y.shape[1])):
            y[r, n] = (bits[first + r, n // uintp(WORD)] >> uint64(n % uintp(WORD))) & uint64(1)


def transpose(s0, s1, edges, together, ahead, steps, start, index, first, row):
    """The events of sections [s0, s1) of rows by column: those of column ``i`` in rows [edges[s], edges[s + 1]) are in
    ``row[first[s, i]:first[s, i + 1]]``, counted from the first of the ``together`` rows that they belong to.

    With ``ahead`` 1, each last of ``steps`` rows is left out. On the way, ``first[s, i]`` is where the next event of
    column ``i`` goes; all events are counted in one loop, as rows have few.
    """
    one = first.dtype.type(1)
    for s in range(s0, s1):
        r0, r1, total = edges[s], edges[s + one], start[edges[s]] - start[0]
        before = r0 // together * together
        for i in range(first.shape[1]):
            first[s, i] = 0
        for e in range(start[r0], start[r1]):
            first[s, index[e]] += one
        if ahead:
            for r in range(r0 + (steps - ahead - r0 % steps) % steps, r1, steps):
                for e in range(start[r], start[r + one]):
                    first[s, index[e]] -= one
        for i in range(first.shape[1]):
            count, first[s, i] = first[s, i], total
            total += count
        for r in range(r0, r1):
            if not ahead or (r + ahead) % steps != 0:
                for e in range(start[r], start[r + one]):
                    place = first[s, index[e]]
                    row[place] = r - before
                    first[s, index[e]] = place + one
        for i in range(first.shape[1] - 1, 0, -1):
            first[s, i] = first[s, i - 1]
        first[s, 0] = start[r0] - start[0]
