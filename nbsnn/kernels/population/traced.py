"""Traces of a connection's input over a window of steps, whose decay acts on the errors: see ``layers.spike_trace``.

Rows of errors are arranged as in ``kernels.population.fused``, row ``b T + t`` of each line.
"""

from numpy import uintp

from ..products.gather import LINE


def spread(q0, q1, blocks, samples, steps, decay, G):
    """h[t] = g[t] + decay h[t + 1] for every sample, in place, lines [q0, q1)."""
    apart = uintp(G.shape[0]) // blocks
    for q in range(q0, q1):
        for b in range(samples):
            for back in range(uintp(1), steps):
                r = q * apart + (b + uintp(1)) * steps - uintp(1) - back
                for j in range(uintp(LINE)):
                    G[r, j] += decay * G[r + uintp(1), j]


def after(b0, b1, steps, decay, start, index, y):
    """a[t] = decay a[t - 1] + s[t] over a window, for samples [b0, b1); y [B, N] is a before it, and after."""
    for b in range(b0, b1):
        for t in range(steps):
            for n in range(y.shape[1]):
                y[b, n] *= decay
            for e in range(start[b * steps + t], start[b * steps + t + uintp(1)]):
                y[b, index[e]] += y.dtype.type(1)
