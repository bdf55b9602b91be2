"""Connection whose delays are learned: the kernel over time of each synapse is a Gaussian at a trained place.

    y[t] = b + sum_k x[t - k] W[k],    W[k] = w g[k],    g[k] = exp(-(k - d)^2 / (2 sigma^2)) / sum over k of the same

with a weight w and a delay d of each synapse, k = 0 ... max_delay. As sigma shrinks, g becomes a point at the step next
to d. With the gradient G[k] of W[k] and a[k] = (k - d) / sigma^2,

    dw = sum_k G[k] g[k],    dd = w sum_k G[k] g[k] (a[k] - sum_j g[j] a[j])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import init
from ..random import Draws
from ..validate import UNITS, affordable, count, number, scale
from .initial import initial, initializer, weight_and_bias
from .layer import Array, Nested, Setting
from .temporal_conv import TemporalConv


class LearnedDelays(TemporalConv):
    """Dense connection with a learned delay of each synapse.

    Parameters
    ----------
    n_pre, n_post : int
        Units before and after.
    max_delay : int
        The longest delay, in steps; delays stay within 0 ... max_delay.
    sigma : float, optional
        Width of the Gaussian, in steps, with which training begins: half of ``max_delay`` by default. 0 is a point.
    bias : bool, default True
        Whether each unit after gets a constant current of its own.
    weight, delay, bias_init : callable, optional
        Initial values, from ``nbsnn.init``: weights and biases are uniform within 1/sqrt(n_pre) by default, delays
        over their whole range.

    Attributes
    ----------
    sigma : float
        The width as it is, also in ``buffers``; assign to it to shrink the kernel as training goes on.

    Notes
    -----
    ``params["weight"]`` and ``params["delay"]`` are [n_pre, n_post], ``params["bias"]`` [n_post]. The state "past"
    [max_delay, B, n_pre] holds the last inputs, oldest first. A point has no gradient with respect to its delay. Time
    and memory are those of a ``TemporalConv`` of max_delay + 1 steps.

    References
    ----------
    Hammouamri, Khalfaoui-Hassani and Masquelier 2023, "Learning delays in spiking neural networks using dilated
    convolutions with learnable spacings" (DCLS), arXiv:2306.17670.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.LearnedDelays(1, 1, 3, bias=False, weight=nbsnn.init.constant(1.0)))
    >>> layer = net["learneddelays1"]
    >>> layer.params["delay"][...] = 2.2
    >>> layer.sigma = 0.0
    >>> net.run(np.arange(4.0).reshape(4, 1, 1)).output.ravel()
    array([0., 0., 0., 1.], dtype=float32)
    """

    kind = "learneddelays"
    devices = ("cpu", "python")

    def __init__(
        self, n_pre: int, n_post: int, max_delay: int, *, sigma: float | None = None, bias: bool = True,
        weight: Callable[..., Array] | None = None, delay: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):  # fmt: skip
        self.max_delay = count("max_delay", max_delay, most=UNITS - 1)
        bias_init = init.uniform(-(count("n_pre", n_pre) ** -0.5), n_pre**-0.5) if bias_init is None else bias_init
        super().__init__(n_pre, n_post, self.max_delay + 1, bias=bias, weight=weight, bias_init=bias_init)
        self.delay_init = initializer("delay", delay, init.uniform(0.0, self.max_delay))
        self.start = _width(0.5 * self.max_delay if sigma is None else sigma)

    def __repr__(self) -> str:
        sigma = "" if self.start == 0.5 * self.max_delay else f", sigma={self.start!r}"
        bias = "" if self.bias else ", bias=False"
        return f"LearnedDelays({self.in_shape[0]}, {self.shape[0]}, {self.max_delay}{sigma}{bias})"

    def options(self) -> dict[str, Any]:
        sizes = {"n_pre": self.in_shape[0], "n_post": self.shape[0], "max_delay": self.max_delay}
        return {**sizes, "sigma": self.start, "bias": self.bias}

    def draw(self, setting: Setting, draws: Draws) -> None:
        (n_pre,), (n_post,) = self.in_shape, self.shape
        affordable(f"the kernels of {self!r}", 8 * (self.max_delay + 1) * n_pre * n_post)
        fans: dict[str, Any] = {"fan_in": n_pre, "fan_out": n_post, "dtype": setting.dtype}
        self.params = weight_and_bias(self, (n_pre, n_post), n_post, draws, **fans)
        self.params["delay"] = initial("delay", self.delay_init, (n_pre, n_post), draws=draws.fold("delay"), **fans)
        self.buffers = {"sigma": np.array(self.start)}
        self.limits = {"delay": (0.0, float(self.max_delay))}
        self.confine()

    @property
    def sigma(self) -> float:
        """Width of the Gaussian, in steps."""
        return float(self.buffers["sigma"]) if self.buffers else self.start

    @sigma.setter
    def sigma(self, value: float) -> None:
        if not self.buffers:
            raise AttributeError(f"{self!r} is not built yet: give sigma to the layer when it is made")
        self.buffers["sigma"][...] = _width(value)

    @property
    def kernel(self) -> Array:
        return (self.params["weight"] * self._places()[0]).astype(self.setting.dtype)

    def _places(self) -> tuple[Array, Array]:
        """The Gaussians g, [max_delay + 1, n_pre, n_post], and their slopes by the delay."""
        steps = np.arange(self.max_delay + 1.0)[:, None, None]
        delay, sigma = self.params["delay"].astype(np.float64), self.sigma
        if not (delay.min() >= 0.0 and delay.max() <= self.max_delay):
            given = f"{delay.min():g} to {delay.max():g}"
            raise ValueError(f"delays of {self!r} must be from 0 to {self.max_delay}, not {given}")
        if sigma == 0.0:
            g = (steps == np.rint(delay)).astype(np.float64)
            return g, np.zeros_like(g)
        g = -0.5 * np.square((steps - delay) / sigma)
        g = np.exp(g - g.max(axis=0))
        g /= g.sum(axis=0)
        a = (steps - delay) / sigma**2
        return g, g * (a - (g * a).sum(axis=0))

    def spread(self, gy: Array, whole: Array, back: Array, tape: Nested, grads: Nested) -> None:
        own = {**grads, "weight": np.zeros((self.kernel_size, *self.params["weight"].shape), self.setting.dtype)}
        super().spread(gy, whole, back, tape, own)
        g, slope = self._places()
        grads["weight"] += (own["weight"] * g).sum(axis=0).astype(gy.dtype)
        grads["delay"] += (self.params["weight"] * (own["weight"] * slope).sum(axis=0)).astype(gy.dtype)

    def tape_bytes(self, steps: int, batch: int) -> int:
        kernels = 6 * self.kernel_size * self.params["weight"].size * 8
        return super().tape_bytes(steps, batch) + kernels


def _width(value: object) -> float:
    """A width of the Gaussian: 0, or a number whose inverse is finite."""
    return 0.0 if number("sigma", value, least=0.0) == 0.0 else scale("sigma", value, most=1e6)
