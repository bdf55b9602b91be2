"""The kernels of ``limits.py``: as fast as Numba makes them, free to reorder sums."""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np

f, u = np.float32, np.uintp
compiled = numba.njit(nogil=True, fastmath=True, error_model="numpy")


@compiled
def copy(x, y, again):
    for _ in range(again):
        for i in range(x.size):
            y[i] = x[i]


@compiled
def read(x, again):
    total = f(0.0)
    for k in range(again):
        part = f(0.0)
        for i in range(x.size):
            part += x[i]
        total += part * f(k + 1)  # not the same in every round, or one would do
    return total


@compiled
def triad(x, y, z, again):
    for _ in range(again):
        for i in range(x.size):
            z[i] = x[i] + f(0.5) * y[i]


def _rows(at_once: int, add: Callable) -> Callable:
    """Sums of the rows of ``weight`` [blocks, N, M] that the events choose, ``at_once`` at a time."""
    step = u(at_once)

    @compiled
    def kernel(r0, r1, start, index, weight, y):
        width = u(weight.shape[2])
        for b in range(weight.shape[0]):
            first = b * weight.shape[2]
            for r in range(r0, r1):
                out = y[r, first : first + weight.shape[2]]
                e, end = start[r], start[r + 1]
                for c in range(width):
                    out[c] = f(0.0)
                while e + step <= end:
                    add(weight[b], index, e, out, width)
                    e += step
                while e < end:
                    row = weight[b, index[e]]
                    for c in range(width):
                        out[c] += row[c]
                    e += u(1)

    return kernel


@compiled
def _add1(w, index, e, out, width):
    row = w[index[e]]
    for c in range(width):
        out[c] += row[c]


@compiled
def _add4(w, index, e, out, width):
    i, j, k, m = w[index[e]], w[index[e + u(1)]], w[index[e + u(2)]], w[index[e + u(3)]]
    for c in range(width):
        out[c] += (i[c] + j[c]) + (k[c] + m[c])


@compiled
def _add8(w, index, e, out, width):
    i, j, k, m = w[index[e]], w[index[e + u(1)]], w[index[e + u(2)]], w[index[e + u(3)]]
    n, o, p, q = w[index[e + u(4)]], w[index[e + u(5)]], w[index[e + u(6)]], w[index[e + u(7)]]
    for c in range(width):
        out[c] += ((i[c] + j[c]) + (k[c] + m[c])) + ((n[c] + o[c]) + (p[c] + q[c]))


rows1, rows4, rows8 = _rows(1, _add1), _rows(4, _add4), _rows(8, _add8)


@compiled
def lif(v, ge, gi, left, steps):
    """CUBA's neuron: exponential currents, refractory steps left, all in cache."""
    spikes = 0
    for _ in range(steps):
        for i in range(v.size):
            now = v[i] * f(0.995012) + ge[i] * f(0.0049) + gi[i] * f(0.0049) - f(0.2445)
            now = now if left[i] <= 0 else f(-60.0)
            spike = now > f(-50.0)
            v[i] = f(-60.0) if spike else now
            left[i] = 50 if spike else left[i] - 1
            ge[i] = ge[i] * f(0.980199) + f(0.02)
            gi[i] = gi[i] * f(0.990050)
            spikes += spike
    return spikes


@compiled
def polynomial_exp(x):
    """2^k times a Taylor polynomial on [-log(2)/2, log(2)/2]; log(2) in two parts."""
    x = min(max(x, f(-86.0)), f(86.0))
    k = np.floor(x * f(1.4426950408889634) + f(0.5))
    r = (x - k * f(0.693359375)) + k * f(2.12194440e-4)
    y = f(1 / 720) * r + f(1 / 120)
    y = y * r + f(1 / 24)
    y = y * r + f(1 / 6)
    y = ((y * r + f(0.5)) * r + f(1.0)) * r + f(1.0)
    return y * np.int32((np.int32(k) + np.int32(127)) << np.int32(23)).view(np.float32)


@compiled
def libm_exp(x):
    return np.exp(x)


def hodgkin_huxley(exp: Callable) -> Callable:
    """COBAHH's neuron by exponential Euler; in stages of few arrays, so that each vectorises."""

    @compiled
    def gate(x, a, b):
        settled = a / (a + b)
        return settled + (x - settled) * exp(f(-0.1) * (a + b))

    @compiled
    def membrane(v, m, n, h, ge, gi, before):
        for i in range(v.size):
            sodium, potassium = f(20000.0) * m[i] * m[i] * m[i] * h[i], f(6000.0) * n[i] * n[i] * n[i] * n[i]
            g = f(10.0) + sodium + potassium + ge[i] + gi[i]
            settled = (f(-600.0) + sodium * f(50.0) - potassium * f(90.0) - gi[i] * f(80.0)) / g
            before[i] = settled + (v[i] - settled) * exp(f(-0.0005) * g)

    @compiled
    def gate_m(v, m):
        for i in range(v.size):
            p, q = f(-50.0001) - v[i], v[i] + f(23.0001)
            m[i] = gate(m[i], f(0.32) * p / (exp(p * f(0.25)) - f(1.0)), f(0.28) * q / (exp(q * f(0.2)) - f(1.0)))

    @compiled
    def gate_n(v, n):
        for i in range(v.size):
            p = f(-48.0001) - v[i]
            n[i] = gate(n[i], f(0.032) * p / (exp(p * f(0.2)) - f(1.0)), f(0.5) * exp((f(-53.0) - v[i]) * f(0.025)))

    @compiled
    def gate_h(v, h):
        for i in range(v.size):
            a = f(0.128) * exp((f(-46.0) - v[i]) * f(1 / 18))
            h[i] = gate(h[i], a, f(4.0) / (f(1.0) + exp((f(-23.0) - v[i]) * f(0.2))))

    @compiled
    def decay(v, new, ge, gi):
        for i in range(v.size):
            v[i] = new[i]
        for i in range(v.size):
            ge[i] *= f(0.980199)
        for i in range(v.size):
            gi[i] *= f(0.990050)

    @compiled
    def kernel(v, m, n, h, ge, gi, steps):
        new = np.empty(256, v.dtype)
        for _ in range(steps):
            for a in range(0, v.size, 256):
                b = min(a + 256, v.size)
                membrane(v[a:b], m[a:b], n[a:b], h[a:b], ge[a:b], gi[a:b], new)
                gate_m(v[a:b], m[a:b])
                gate_n(v[a:b], n[a:b])
                gate_h(v[a:b], h[a:b])
                decay(v[a:b], new, ge[a:b], gi[a:b])

    return kernel


@compiled
def scatter(targets, weight, sums):
    for s in range(targets.shape[0]):
        for e in range(u(targets.shape[1])):
            sums[targets[s, e]] += weight
