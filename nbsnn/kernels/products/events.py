"""Spikes as events, and products with matrices of which only some rows are needed.

Events are the positions of the ones in a 0/1 matrix x [R, N], row by row: those of row ``r`` are
``index[start[r]:start[r + 1]]``. All bounds and indices are unsigned, so that the inner loops over columns vectorise.
"""

ADD = 0


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
