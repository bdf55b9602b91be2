"""A population over time on a GPU: the loops of ``kernels.population.loops``, one thread for each unit of each sample.

Time is innermost here: a thread keeps its unit from the first step of the window to the last, with its states,
parameters and gradients in registers, and reads each input and each error one step ahead, while it still computes.
Neighbouring threads read and write neighbouring units.
"""

from typing import Any

from numba import cuda

from ...scalar.hole import hole
from .loops import carry, cotangent, keep, learn, param, state, step, vjp

STATIC = 0
END = 1  # one more than the number of states: those are the results 1 ... END - 1 of step and vjp


@hole
def carried(gS, b, n) -> Any:
    """``gS[:, b, n]`` as a tuple."""
    raise NotImplementedError


@hole
def learned(gP, b, n) -> Any:
    """``gP[:, b, n]`` as a tuple."""
    raise NotImplementedError


@hole
def more(sums, g) -> Any:
    """``sums`` and what ``g`` adds to the gradients of learned parameters."""
    raise NotImplementedError


def forward(t0, t1, b0, b1, n0, n1, x, P, S, y):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        s, p, steps = state(S, t0, b, n), param(P, n), x.shape[0]
        ahead = x[t0 if t0 < steps else 0, b, n]
        for t in range(t0, t1):
            now = ahead
            if t + 1 < t1 and t + 1 < steps:
                ahead = x[t + 1, b, n]
            r = step(now, *s, *p)
            s = r[1:END]
            y[t + 1, b, n] = r[0]
            keep(S, r, t + 1, b, n)


def backward(t0, t1, b0, b1, n0, n1, x, P, S, gy, gradients):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        (gV, gS, gx, gP), steps = gradients, x.shape[0]
        c, q, p = carried(gS, b, n), learned(gP, b, n), param(P, n)
        error, total = gy[t1 - 1, b, n], gx[0, b, n]
        for t in range(t1 - 1, t0 - 1, -1):
            now = error
            if t > t0:
                error = gy[t - 1, b, n]
            g = vjp(x[t if t < steps else 0, b, n], *state(S, t, b, n), *p, now, *cotangent(c, gV, t, b, n))
            c = g[1:END]
            q = more(q, g)
            if STATIC:
                total = g[0] + total
            else:
                gx[t, b, n] = g[0]
        if STATIC:
            gx[0, b, n] = total
        carry(gS, c, b, n)
        learn(gP, q, b, n)


def within(t0, t1, b0, b1, n0, n1, x, P, S, gy, gS, gP):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        c, q, p = carried(gS, b, n), learned(gP, b, n), param(P, n)
        for t in range(t1 - 1, t0 - 1, -1):
            g = vjp(x[t, b, n], *state(S, t, b, n), *p, gy[t, b, n], *cotangent(c, c, t, b, n))
            gy[t, b, n] = g[0]
            c = g[1:END]
            q = more(q, g)
        carry(gS, c, b, n)
        learn(gP, q, b, n)
