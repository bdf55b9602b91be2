"""A population over time on a GPU: the loops of ``kernels.cpu.neurons``, one thread for each unit of each sample.

Time is innermost here: a thread keeps its unit from the first step of the window to the last.
"""

from typing import Any

from numba import cuda

from ...hole import hole

STATIC = 0


@hole
def step(x, *state_and_params) -> Any:
    raise NotImplementedError


@hole
def vjp(x, *rest) -> Any:
    raise NotImplementedError


@hole
def state(array, t, b, n) -> Any:
    raise NotImplementedError


@hole
def param(array, n) -> Any:
    raise NotImplementedError


@hole
def cotangent(gS, gV, t, b, n) -> Any:
    raise NotImplementedError


@hole
def keep(S, r, t, b, n) -> Any:
    raise NotImplementedError


@hole
def carry(gS, g, b, n) -> Any:
    raise NotImplementedError


@hole
def learn(gP, g, b, n) -> Any:
    raise NotImplementedError


def forward(t0, t1, b0, b1, n0, n1, x, P, S, y):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        for t in range(t0, t1):
            tx = t if t < x.shape[0] else 0
            r = step(x[tx, b, n], *state(S, t, b, n), *param(P, n))
            y[t + 1, b, n] = r[0]
            keep(S, r, t + 1, b, n)


def backward(t0, t1, b0, b1, n0, n1, x, P, S, gy, gV, gS, gx, gP):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        for t in range(t1 - 1, t0 - 1, -1):
            tx = t if t < x.shape[0] else 0
            g = vjp(x[tx, b, n], *state(S, t, b, n), *param(P, n), gy[t, b, n], *cotangent(gS, gV, t, b, n))
            gx[tx, b, n] = g[0] + gx[tx, b, n] if STATIC else g[0]
            carry(gS, g, b, n)
            learn(gP, g, b, n)


def within(t0, t1, b0, b1, n0, n1, x, P, S, gy, gS, gP):
    lane = cuda.grid(1)  # type: ignore[call-arg]
    b = b0 + lane // (n1 - n0)
    n = n0 + lane % (n1 - n0)
    if b < b1:
        for t in range(t1 - 1, t0 - 1, -1):
            g = vjp(x[t, b, n], *state(S, t, b, n), *param(P, n), gy[t, b, n], *cotangent(gS, gS, t, b, n))
            gy[t, b, n] = g[0]
            carry(gS, g, b, n)
            learn(gP, g, b, n)
