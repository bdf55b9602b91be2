"""A low-pass over time, forward and in reverse: each lane is a leaky sum with one decay for all.

y[t] = decay y[t-1] + x[t],    z[t] = x[t] + decay z[t+1]
"""


def onward(n0, n1, decay, x, y):
    """Fill y [T, N] from x [T, N], lanes [n0, n1); ``y[0]`` holds the sum before the first step."""
    for n in range(n0, n1):
        y[0, n] = decay * y[0, n] + x[0, n]
    for t in range(1, x.shape[0]):
        for n in range(n0, n1):
            y[t, n] = decay * y[t - 1, n] + x[t, n]


def last(n0, n1, decay, x, y):
    """Variant of ``onward`` for the last step only: y [N] holds the sum before, and after."""
    for t in range(x.shape[0]):
        for n in range(n0, n1):
            y[n] = decay * y[n] + x[t, n]


def back(n0, n1, decay, z):
    """Turn x [T, N], which is ``z`` before, into z, lanes [n0, n1)."""
    for t in range(z.shape[0] - 2, -1, -1):
        for n in range(n0, n1):
            z[t, n] += decay * z[t + 1, n]
