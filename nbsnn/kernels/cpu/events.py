"""Spikes as events, and products with matrices of which only some rows are needed.

Events are the positions of the ones in a 0/1 matrix x [R, N], row by row: those of row ``r`` are
``index[start[r]:start[r + 1]]``. All bounds and indices are unsigned, so that the inner loops over columns vectorise.
"""

ONE = 1


def tally(r0, r1, x, counts):
    """Fill ``counts[r]`` with the ones of row ``r``; returns how many numbers are neither 0 nor 1."""
    others = 0
    for r in range(r0, r1):
        ones = 0
        for i in range(x.shape[1]):
            ones += x[r, i] == ONE
            others += (x[r, i] != 0) & (x[r, i] != ONE)
        counts[r] = ones
    return others


def collect(r0, r1, x, start, index):
    """Fill ``index`` with the positions of the ones."""
    for r in range(r0, r1):
        e = start[r]
        for i in range(x.shape[1]):
            if x[r, i] != 0:
                index[e] = i
                e += start.dtype.type(1)


def gather(r0, r1, start, index, weight, y):
    """y = x W: add up the rows of ``weight`` that the events of each row choose, four at a time."""
    for r in range(r0, r1):
        e, end = start[r], start[r + 1]
        for c in range(y.shape[1]):
            y[r, c] = 0
        while e + 4 <= end:
            i, j, k, m = index[e], index[e + 1], index[e + 2], index[e + 3]
            for c in range(y.shape[1]):
                y[r, c] += (weight[i, c] + weight[j, c]) + (weight[k, c] + weight[m, c])
            e += start.dtype.type(4)
        while e < end:
            i = index[e]
            for c in range(y.shape[1]):
                y[r, c] += weight[i, c]
            e += start.dtype.type(1)


def scatter(c0, c1, start, index, g, weight):
    """W += x^T g for columns [c0, c1): add each row of ``g`` to the rows that its events choose."""
    for r in range(g.shape[0]):
        for e in range(start[r], start[r + 1]):
            i = index[e]
            for c in range(c0, c1):
                weight[i, c] += g[r, c]
