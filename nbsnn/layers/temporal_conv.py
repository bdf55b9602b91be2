"""Convolution over time: each step sees the last steps of its input, each through weights of its own.

    y[t] = b + sum_k x[t - k] W[k],    k = 0 ... kernel_size - 1

It is causal: nothing depends on a later input. The last kernel_size - 1 inputs are the state, zeros at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from .. import init
from ..device.products import matmul
from ..device.threads import DEVICES
from ..random import Draws
from ..validate import UNITS, count, switch
from .initial import initializer, weight_and_bias
from .layer import Array, Layer, Nested, Setting
from .parameters import Learned


@dataclass
class Course:
    """What a forward pass leaves.

    Attributes
    ----------
    whole : array [kernel_size - 1 + T, B, n_pre]
        The past and the input.
    y : array [T, B, n_post]
        The output.
    constant : bool
        Whether the input does not change over time.
    """

    whole: Array
    y: Array
    constant: bool


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
    devices = DEVICES
    weight = Learned()

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
        self.weight_init = initializer("weight", weight, init.kaiming_uniform())
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
        self.draw(setting, draws)
        self.settle(setting)

    def draw(self, setting: Setting, draws: Draws) -> None:
        """Make the parameters."""
        (n_pre,), (n_post,), steps = self.in_shape, self.shape, self.kernel_size
        fans: dict[str, Any] = {"fan_in": n_pre * steps, "fan_out": n_post * steps, "dtype": setting.dtype}
        self.params = weight_and_bias(self, (steps, n_pre, n_post), n_post, draws, **fans)

    def on_gpu(self) -> Any:
        from .cuda.temporal_conv import CudaTemporalConv

        return CudaTemporalConv(self)

    def initial(self, batch: int) -> Nested:
        shape = (self.kernel_size - 1, batch, *self.in_shape)
        return {"past": self.arrays.shared_zeros(shape, self.setting.dtype)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        arrays = self.arrays
        whole = arrays.behind(state["past"], arrays.stored(x, tape, "x"), tape, "room")
        y = arrays.buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        tape["run"] = Course(whole, y, arrays.constant(x))
        self.ops.convolve(whole, y)
        return y, {"past": arrays.rest(whole, len(x), tape, "rest")}

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        past = traces["past"] if "past" in traces else self.initial(x.shape[1])["past"]
        run: Course = tape["run"]
        run.whole = self.arrays.behind(past, x, tape, "trace room")
        traces["past"] = self.arrays.rest(run.whole, 1, tape, "trace rest")
        return run.y

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
        arrays, past, run = self.arrays, self.kernel_size - 1, cast(Course, tape["run"])
        back = arrays.buffer(tape, "gwhole", run.whole.shape, self.setting.dtype)
        arrays.fill(back, 0)
        if after and past:
            arrays.add(after["past"], back[len(gy) :])
        self.ops.spread(gy, run.whole, back, tape, grads)
        gx = back[past:]
        if run.constant:
            gx = arrays.over_time(gx, tape)
        before = arrays.as_result(back[:past]) if past else self.initial(gy.shape[1])["past"]
        return (gx if wanted else None), {"past": before}

    @property
    def kernel(self) -> Array:
        """The weights as they are used, [kernel_size, n_pre, n_post]."""
        return self.params["weight"]

    def tape_bytes(self, steps: int, batch: int) -> int:
        numbers = 2 * (steps + self.kernel_size) * self.in_shape[0] + 2 * steps * self.shape[0]
        return numbers * batch * self.setting.dtype.itemsize

    def lags(self, whole: Any) -> Iterator[Any]:
        """Input that each weight sees: that of every step, of the step before each, and so on."""
        past = self.kernel_size - 1
        return (whole[past - k : len(whole) - k] for k in range(self.kernel_size))

    # With NumPy's arrays; ``layers.cuda.temporal_conv`` has the same for a GPU.

    def convolve(self, whole: Array, y: Array) -> None:
        """Fill ``y`` with what all weights make of ``whole``, the past and the input."""
        y[...] = 0.0
        for weight, seen in zip(self.kernel, self.lags(whole), strict=True):
            y += matmul(seen, weight)
        if self.bias:
            y += self.params["bias"]

    def spread(self, gy: Array, whole: Array, back: Array, tape: Nested, grads: Nested) -> None:
        """The reverse: adds to ``back``, the gradient with respect to ``whole``, and to ``grads``."""
        flat = gy.reshape(-1, *self.shape)
        lags = zip(self.kernel, grads["weight"], self.lags(whole), self.lags(back), strict=True)
        for weight, gradient, seen, g in lags:
            gradient += matmul(seen.reshape(-1, *self.in_shape).T, flat)
            g += matmul(gy, weight.T)
        if self.bias:
            grads["bias"] += flat.sum(axis=0)
