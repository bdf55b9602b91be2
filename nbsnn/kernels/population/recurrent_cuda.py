"""A population with dense feedback to itself on a GPU: all steps in one launch, forward and in reverse.

    z[t] = x[t] + y[t-1] V + c,    y[t], v[t] = step(z[t], v[t-1])

A block has a sample, a thread a unit, whose states it keeps in registers. What a step puts out, the threads tell each
other in shared memory: spikes as bits, so that a thread adds up the rows of V that spiking units choose; other outputs,
and errors in the backward pass, as numbers. Three sets of bits take turns, one is read, one written and one cleared;
two sets of numbers do: so the threads of a block wait for each other once in each step.

The CPU has a loop over steps in Python, with the kernels of ``population.loops``.
"""

# pyright: reportCallIssue=false, reportArgumentType=false, reportOptionalSubscript=false, reportOperatorIssue=false

import numpy as np
from numba import cuda, uint32

from .loops_cuda import carried, carry, cotangent, keep, learn, learned, more, param, state, step, vjp

END = 1  # as in ``neurons``
SPIKES = 1  # whether all outputs are 0 or 1
WORD = 32  # units to a word of bits


def forward(steps, units, x, V, c, z, P, S, y):
    """Fill z [T, B, N], and y and S [., T + 1, B, N] from their first step; x [T or 1, B, N]."""
    b, n = cuda.blockIdx.x, cuda.threadIdx.x
    bits, numbers = cuda.shared.array(0, uint32), cuda.shared.array(0, x.dtype)
    words = (units + WORD - 1) // WORD
    if SPIKES:
        for k in range(n, 3 * words, units):
            bits[k] = 0
    cuda.syncthreads()
    s, p = state(S, 0, b, n), param(P, n)
    fed = c[n]
    for i in range(units):
        before = y[0, b, i]
        if before != 0.0:
            fed += before * V[i, n]
    for t in range(steps):
        if t > 0:
            fed = c[n]
            if SPIKES:
                for w in range(words):
                    left = np.int64(bits[t % 3 * words + w])
                    while left != 0:
                        fed += V[w * WORD + cuda.ffs(left) - 1, n]
                        left &= left - 1
            else:
                for i in range(units):
                    fed += numbers[t % 2 * units + i] * V[i, n]
        now = x[t if t < x.shape[0] else 0, b, n] + fed
        r = step(now, *s, *p)
        s = r[1:END]
        z[t, b, n] = now
        y[t + 1, b, n] = r[0]
        keep(S, r, t + 1, b, n)
        if SPIKES:
            if r[0] != 0.0:
                cuda.atomic.or_(bits, (t + 1) % 3 * words + n // WORD, np.uint32(1 << (n % WORD)))
            for k in range(n, words, units):
                bits[(t + 2) % 3 * words + k] = 0
        else:
            numbers[(t + 1) % 2 * units + n] = r[0]
        cuda.syncthreads()


def backward(steps, units, z, P, S, across, gy, gV, gS, gx, gP, gfed):
    """As ``neurons.backward``, with the feedback's errors; ``across`` is V^T, gfed [B, N] what goes to y[0]."""
    b, n = cuda.blockIdx.x, cuda.threadIdx.x
    numbers = cuda.shared.array(0, z.dtype)
    k, q, p = carried(gS, b, n), learned(gP, b, n), param(P, n)
    back = 0.0
    for t in range(steps - 1, -1, -1):
        g = vjp(z[t, b, n], *state(S, t, b, n), *p, gy[t, b, n] + back, *cotangent(k, gV, t, b, n))
        k = g[1:END]
        q = more(q, g)
        gx[t, b, n] = g[0]
        numbers[t % 2 * units + n] = g[0]
        cuda.syncthreads()
        back = 0.0
        for j in range(units):
            error = numbers[t % 2 * units + j]
            if error != 0.0:
                back += error * across[j, n]
    gfed[b, n] = back
    carry(gS, k, b, n)
    learn(gP, q, b, n)
