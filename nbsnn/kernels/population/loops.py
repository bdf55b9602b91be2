"""A population over time, forward and backward, for any neuron.

The loops cover a window: steps [t0, t1), samples [b0, b1), units [n0, n1). A window of steps serves recurrent loops,
one of samples or units serves threads. Time is outermost: the innermost loop then runs over contiguous units.
All bounds of samples and units are unsigned: Numba then knows that no index is negative, and vectorises.

``x`` holds one step only when the input does not change over time.
"""

from typing import Any, NamedTuple

import numpy as np

from ...scalar.hole import hole
from ..arrays.wide import widest

STATIC = 0  # whether the gradient with respect to the input is summed over time, as the input does not change


class Gradients(NamedTuple):
    """Gradients with respect to states, input and parameters.

    gV [K, T, B, N]: the loss's own with respect to the states after each step, or empty. gS [K, B, N] is carried back
    through the window, gx [T, B, N] is filled, and gP [Q, B, N] is added to.
    """

    gV: np.ndarray
    gS: np.ndarray
    gx: np.ndarray
    gP: np.ndarray


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
    """Fill ``y[t + 1]`` and ``S[:, t + 1]`` from ``x[t]`` and ``S[:, t]``.

    x [T or 1, B, N], P [params, N], S [K, T + 1, B, N], y [T + 1, B, N].
    """
    widest()
    for t in range(t0, t1):
        tx = t if t < x.shape[0] else 0
        for b in range(b0, b1):
            for n in range(n0, n1):
                r = step(x[tx, b, n], *state(S, t, b, n), *param(P, n))
                y[t + 1, b, n] = r[0]
                keep(S, r, t + 1, b, n)


def backward(t0, t1, b0, b1, n0, n1, x, P, S, gy, gradients):
    """The backward pass of the window, from ``gy`` [T, B, N]."""
    widest()
    gV, gS, gx, gP = gradients
    for t in range(t1 - 1, t0 - 1, -1):
        tx = t if t < x.shape[0] else 0
        for b in range(b0, b1):
            for n in range(n0, n1):
                g = vjp(x[tx, b, n], *state(S, t, b, n), *param(P, n), gy[t, b, n], *cotangent(gS, gV, t, b, n))
                gx[tx, b, n] = g[0] + gx[tx, b, n] if STATIC else g[0]
                carry(gS, g, b, n)
                learn(gP, g, b, n)


def within(t0, t1, b0, b1, n0, n1, x, P, S, gy, gS, gP):
    """As ``backward`` on each step by itself: no gradient comes from the step after. ``gx`` is written over ``gy``.

    ``cotangent`` is zero here, and ``gS`` is left with the gradient with respect to the states before step ``t0``.
    """
    widest()
    for t in range(t1 - 1, t0 - 1, -1):
        for b in range(b0, b1):
            for n in range(n0, n1):
                g = vjp(x[t, b, n], *state(S, t, b, n), *param(P, n), gy[t, b, n], *cotangent(gS, gS, t, b, n))
                gy[t, b, n] = g[0]
                carry(gS, g, b, n)
                learn(gP, g, b, n)
