"""Convolution over time: each step sees the last steps of its input, each through weights of its own.

    y[t] = b + sum_k x[t - k] W[k],    k = 0 ... kernel_size - 1

It is causal: nothing depends on a later input. The last kernel_size - 1 inputs are the state, zeros at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import init
from ..random import Draws
from ..validate import UNITS, count, switch
from .initial import initial, initializer
from .layer import Array, Layer, Nested, Setting, buffer, is_static


class TemporalConv(Layer):
    """Convolution over time, dense between units.

    Parameters
    ----------
    n_pre, n_post : int
        Units before and after.
    kernel_size : int
        How many steps are seen, the present one included; 1 is a ``Dense``.
    bias : bool, default True
        Whether each unit after gets a constant current of its own.
    weight, bias_init : callable, optional
        Initial values, from ``nbsnn.init``; both are uniform within 1/sqrt(n_pre kernel_size) by default.

    Notes
    -----
    ``params["weight"]`` is [kernel_size, n_pre, n_post], the present step first; ``params["bias"]`` [n_post]. The
    state "past" [kernel_size - 1, B, n_pre] holds the last inputs, oldest first. For images, stack frames with
    ``Parallel`` and ``Delay`` before a ``Conv2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.TemporalConv(1, 1, 3, bias=False, weight=nbsnn.init.constant(1.0)))
    >>> net.run(np.arange(4.0).reshape(4, 1, 1)).output.ravel()
    array([0., 1., 3., 6.], dtype=float32)
    """

    kind = "temporalconv"

    def __init__(
        self,
        n_pre: int,
        n_post: int,
        kernel_size: int,
        *,
        bias: bool = True,
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        super().__init__()
        self.in_shape, self.shape = (count("n_pre", n_pre, most=UNITS),), (count("n_post", n_post, most=UNITS),)
        self.kernel_size, self.bias = count("kernel_size", kernel_size, most=UNITS), switch("bias", bias)
        bound = (n_pre * kernel_size) ** -0.5
        self.weight = initializer("weight", weight, init.kaiming_uniform())
        self.bias_init = initializer("bias_init", bias_init, init.uniform(-bound, bound))

    def __repr__(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"TemporalConv({self.in_shape[0]}, {self.shape[0]}, {self.kernel_size}{bias})"

    def options(self) -> dict[str, Any]:
        sizes = {"n_pre": self.in_shape[0], "n_post": self.shape[0], "kernel_size": self.kernel_size}
        return {**sizes, "bias": self.bias}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if in_shape != self.in_shape:
            raise ValueError(f"{self!r} needs an input of {self.in_shape[0]} units, but is given {list(in_shape)}")
        (n_pre,), (n_post,), steps = self.in_shape, self.shape, self.kernel_size
        fans: dict[str, Any] = {"fan_in": n_pre * steps, "fan_out": n_post * steps, "dtype": setting.dtype}
        self.params = {
            "weight": initial("weight", self.weight, (steps, n_pre, n_post), draws=draws.fold("weight"), **fans)
        }
        if self.bias:
            self.params["bias"] = initial("bias_init", self.bias_init, (n_post,), draws=draws.fold("bias"), **fans)
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.temporal_conv import TemporalConvOnGpu

        return TemporalConvOnGpu(self)

    def initial(self, batch: int) -> Nested:
        return {"past": np.zeros((self.kernel_size - 1, batch, *self.in_shape), self.setting.dtype)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        tape["static"] = is_static(x)
        tape["whole"] = whole = np.concatenate([state["past"], x])
        y = np.zeros((*x.shape[:2], *self.shape), self.setting.dtype)
        for weight, seen in zip(self.params["weight"], self._lags(whole), strict=True):
            y += seen @ weight
        if self.bias:
            y += self.params["bias"]
        tape["y"] = y
        return y, {"past": whole[len(x) :].copy()}

    def _lags(self, whole: Array) -> Iterator[Array]:
        """What each weight sees: the input of every step, of the step before each, and so on."""
        past = self.kernel_size - 1
        return (whole[past - k : len(whole) - k] for k in range(self.kernel_size))

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        past = traces.setdefault("past", np.zeros((self.kernel_size - 1, *x.shape[1:]), x.dtype))
        tape["whole"] = np.concatenate([past, x])
        traces["past"] = tape["whole"][1:]
        return tape["y"]

    def backward(
        self,
        gy: Array,
        tape: Nested,
        grads: Nested,
        *,
        after: Nested | None = None,
        inject: Nested | None = None,
        wanted: bool = True,
    ) -> tuple[Array | None, Nested]:
        whole, flat = tape["whole"], gy.reshape(-1, *self.shape)
        back = buffer(tape, "gwhole", whole.shape, self.setting.dtype)
        back[...] = 0.0
        if after:
            back[len(gy) :] += after["past"]
        lags = zip(self.params["weight"], grads["weight"], self._lags(whole), self._lags(back), strict=True)
        for weight, gradient, seen, g in lags:
            gradient += seen.reshape(-1, *self.in_shape).T @ flat
            g += gy @ weight.T
        if self.bias:
            grads["bias"] += flat.sum(axis=0)
        gx = back[self.kernel_size - 1 :]
        if tape["static"]:
            gx = gx.sum(axis=0, keepdims=True)
        return (gx if wanted else None), {"past": back[: self.kernel_size - 1].copy()}
