"""What follows from events: products with matrices of which only some rows are needed, and traces.

Events are the positions of the ones in a 0/1 matrix x [R, N], row by row: those of row ``r`` are
``index[start[r]:start[r + 1]]``. All bounds and indices are unsigned, so that the inner loops over columns vectorise.
"""

ADD = 0


def gather(r0, r1, start, index, weight, y):
    """y = x W, or with ADD y += x W: add up the rows of ``weight`` that the events of each row choose.

    Several at a time, as each sum is read and written once: with ADD, where there are many, eight.
    """
    for r in range(r0, r1):
        e, end = start[r], start[r + 1]
        if not ADD:
            for c in range(y.shape[1]):
                y[r, c] = 0
        while ADD and e + 8 <= end:
            i, j, k, m = index[e], index[e + 1], index[e + 2], index[e + 3]
            n, o, p, q = index[e + 4], index[e + 5], index[e + 6], index[e + 7]
            for c in range(y.shape[1]):
                low = (weight[i, c] + weight[j, c]) + (weight[k, c] + weight[m, c])
                y[r, c] += low + ((weight[n, c] + weight[o, c]) + (weight[p, c] + weight[q, c]))
            e += start.dtype.type(8)
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


def trace(b0, b1, steps, decay, start, index, y):
    """a[t] = decay a[t - 1] + x[t] over all steps, for samples [b0, b1); y [B, N] is a before the first, and after the
    last."""
    for b in range(b0, b1):
        for t in range(steps):
            for n in range(y.shape[1]):
                y[b, n] *= decay
            for e in range(start[b * steps + t], start[b * steps + t + start.dtype.type(1)]):
                y[b, index[e]] += y.dtype.type(1)
