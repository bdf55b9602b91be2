"""Neurons in fixed point: all that they hold is a whole number of 2^-fraction, of ``bits`` bits with the sign.

    Q(y) = clip(round(2^fraction y), -2^(bits-1), 2^(bits-1) - 1) 2^-fraction
    d = round(2^decay_bits decay) 2^-decay_bits
    u[t] = Q(x[t]) + Q(d v[t-1])
    s[t] = spike(u[t] - Q(v_threshold)),    v[t] = Q(reset(u[t], s[t]))

Gradients are those without rounding (straight-through; Bengio et al. 2013, arXiv:1308.3432), and 0 where Q clips. In
integers a step is a product, a shift, a sum and a comparison, which give the same spikes: see ``nbsnn.to_integer``.
"""

from __future__ import annotations

import functools

from ..neuron import Neuron
from ..scalar.hole import hole
from ..scalar.rounding import rounded
from ..surrogates import Surrogate, atan
from ..validate import count
from .reset import fire, fire_vjp, reset_holes


@hole
def on_grid(y):
    """The nearest number that can be held."""
    return y


@hole
def in_range(y):
    """The derivative of ``on_grid``: 1, or 0 where it clips."""
    return 1.0


@hole
def used_decay(decay):
    """The factor of a step as it is used."""
    return decay


def step(x, v, decay, v_threshold, v_reset):
    s, v = fire(on_grid(x) + on_grid(used_decay(decay) * v), on_grid(v_threshold), on_grid(v_reset))
    return s, on_grid(v)


def vjp(x, v, decay, v_threshold, v_reset, gs, gv):
    d, threshold, to = used_decay(decay), on_grid(v_threshold), on_grid(v_reset)
    u = on_grid(x) + on_grid(d * v)
    _, after = fire(u, threshold, to)
    gu, g_threshold, g_reset = fire_vjp(u, threshold, to, gs, gv * in_range(after))
    gx, gd = gu * in_range(x), gu * in_range(d * v)
    return gx, gd * d, gd * v, g_threshold * in_range(v_threshold), g_reset * in_range(v_reset)


def step_li(x, v, decay):
    u = on_grid(on_grid(x) + on_grid(used_decay(decay) * v))
    return u, u


def vjp_li(x, v, decay, gy, gv):
    d = used_decay(decay)
    g = (gy + gv) * in_range(on_grid(x) + on_grid(d * v))
    gd = g * in_range(d * v)
    return g * in_range(x), gd * d, gd * v


def QuantLIF(
    tau: float = 2.0,
    v_threshold: float = 1.0,
    v_reset: float | None = 0.0,
    *,
    decay: str = "exp",
    reset: str | None = None,
    detach_reset: bool = False,
    compare: str = ">=",
    surrogate: Surrogate | None = None,
    learn: tuple[str, ...] | str = (),
    bits: int = 16,
    fraction: int = 12,
    decay_bits: int = 8,
) -> Neuron:
    """Leaky integrate-and-fire neuron in fixed point, trained with straight-through gradients.

    Parameters
    ----------
    tau, v_threshold, v_reset, decay, reset, detach_reset, compare, surrogate, learn
        As in ``LIF``. With a ``tau`` of 1e4 steps there is no leak, up to 12 ``decay_bits``.
    bits : int, default 16
        Bits of membrane and current, with the sign, at least 2.
    fraction : int, default 12
        How many of them come after the point: membranes are whole numbers of 2^-fraction.
    decay_bits : int, default 8
        The factor of a step is a whole number of 2^-decay_bits. With ``bits`` at most 24, so that float32 is exact.

    Returns
    -------
    Neuron

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> neuron = nbsnn.neurons.QuantLIF(tau=20.0, v_threshold=10.0, bits=8, fraction=4)
    >>> run = nbsnn.Population(neuron, 1).run(np.full((3, 1, 1), 0.33, np.float32))
    >>> (16.0 * run["v"]).ravel()
    array([ 5., 10., 15.], dtype=float32)
    """
    surrogate = atan() if surrogate is None else surrogate
    options = dict(locals())
    value, holes = reset_holes(v_reset, reset, detach_reset)
    return Neuron(
        step, vjp,
        state={"v": 0.0},
        params={"tau": tau, "v_threshold": v_threshold, "v_reset": value},
        learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay}, surrogate=surrogate, compare=compare, leak="tau",
        holes={**holes, **grid_holes(bits, fraction, decay_bits)}, kind="QuantLIF", options=options,
    )  # fmt: skip


def QuantLI(
    tau: float = 2.0,
    *,
    decay: str = "exp",
    learn: tuple[str, ...] | str = (),
    bits: int = 16,
    fraction: int = 12,
    decay_bits: int = 8,
) -> Neuron:
    """Leaky integrator in fixed point; its output is its membrane.

    Parameters
    ----------
    tau, decay, learn
        As in ``LI``.
    bits, fraction, decay_bits
        As in ``QuantLIF``.

    Returns
    -------
    Neuron

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> neuron = nbsnn.neurons.QuantLI(decay="euler", bits=8, fraction=2)
    >>> nbsnn.Population(neuron, 1).run(np.ones((3, 1, 1), np.float32))["v"].ravel()
    array([1.  , 1.5 , 1.75], dtype=float32)
    """
    options = dict(locals())
    return Neuron(
        step_li, vjp_li,
        state={"v": 0.0}, params={"tau": tau}, learn=learn,  # type: ignore[arg-type]
        per_step={"tau": decay}, output="output", leak="tau", holes=grid_holes(bits, fraction, decay_bits),
        kind="QuantLI", options=options,
    )  # fmt: skip


def grid_holes(bits, fraction, decay_bits):
    """The filling of this file's holes; the same functions for the same numbers, which share a kernel."""
    bits, decay_bits = count("bits", bits, least=2, most=22), count("decay_bits", decay_bits, most=22)
    if bits + decay_bits > 24:
        raise ValueError(f"bits and decay_bits must be at most 24 together, not {bits} and {decay_bits}")
    return _grid_holes(bits, count("fraction", fraction, least=-32, most=32), decay_bits)


@functools.cache
def _grid_holes(bits, fraction, decay_bits):
    low, high, many, one = -(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1.0, 2.0**fraction, 2.0**-fraction
    parts, part = 2.0**decay_bits, 2.0**-decay_bits

    def on_grid(y):
        return rounded(min(max(y * many, low), high)) * one

    def in_range(y):
        return 1.0 if low <= y * many <= high else 0.0

    def used_decay(decay):
        return rounded(decay * parts) * part

    return {"on_grid": on_grid, "in_range": in_range, "used_decay": used_decay}
