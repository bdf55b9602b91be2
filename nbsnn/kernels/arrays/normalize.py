"""Sums over samples and steps, and linear maps, of numbers [S, N, K]: what batch normalisation takes and gives.

Row s belongs to steps that share statistics, and all columns to their own factors [S, K]: channels with the places of
an image repeat theirs, so that every loop runs along memory. Sums are in float64 and in the order of n, whatever
columns a thread has. Bounds are unsigned.
"""

NEAR = 1024  # columns whose sums stay in the nearest cache


def sums(k0, k1, g, shift, x, m, total):
    """total[:, s] = the sums over n of (g - shift) and of (g - shift) (x - m), for columns [k0, k1)."""
    for a in range(k0, k1, NEAR):
        b = min(a + NEAR, k1)
        for s in range(g.shape[0]):
            for k in range(a, b):
                total[0, s, k] = 0.0
                total[1, s, k] = 0.0
            for n in range(g.shape[1]):
                for k in range(a, b):
                    value = g[s, n, k] - shift[s, k]
                    total[0, s, k] += value
                    total[1, s, k] += value * (x[s, n, k] - m[s, k])


def scaled(n0, n1, x, m, factor, offset, y):
    """y = (x - m) factor + offset, for samples [n0, n1)."""
    for s in range(x.shape[0]):
        for n in range(n0, n1):
            for k in range(x.shape[2]):
                y[s, n, k] = (x[s, n, k] - m[s, k]) * factor[s, k] + offset[s, k]


def combined(n0, n1, g, along, x, m, across, offset, gx):
    """gx = g along + (x - m) across + offset."""
    for s in range(x.shape[0]):
        for n in range(n0, n1):
            for k in range(x.shape[2]):
                gx[s, n, k] = g[s, n, k] * along[s, k] + ((x[s, n, k] - m[s, k]) * across[s, k] + offset[s, k])
