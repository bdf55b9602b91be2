"""Dense connection: y = x W + b, from every unit to every unit."""
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import init
from ..device.products import FEW, add_product, matmul
from ..device.profile import span
from ..device.threads import DEVICES, SERIAL
from ..random import Draws
from ..spikes.break_even import largest_rate, worth_counting
from ..spikes.packed import PackedSpikes
from ..spikes.spike_input import SpikeInput
from ..validate import UNITS, choice, count, switch
from .initial import initializer, weight_and_bias
from .layer import Array, Nested, Setting, aligned, buffer
from .parameters import Learned
from .presynaptic import Presynaptic
from .spike_trace import LowPass
from .stateless import Stateless


class Dense(Stateless):
    """Dense connection.

    Parameters
    ----------
    n_pre, n_post : int
        Units before and after.
    bias : bool
        Whether each unit after gets a constant current of its own.
    path : {"auto", "dense", "events"}
        How to multiply: with BLAS; by adding up the weights' rows that spikes choose; or whichever is faster at the
        activity that is counted in each batch. Results agree to rounding. Inputs that are no spikes are dense. On a
        GPU "auto" is dense, as counting would mean to wait, and "events" takes any input that is mostly zero.
    weight, bias_init : callable, optional
        Initial values, from ``nbsnn.init``; both are uniform within 1/sqrt(n_pre) by default.

    Notes
    -----
    ``params["weight"]`` is [n_pre, n_post], ``params["bias"]`` [n_post].

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(64, 10), nbsnn.neurons.LIF(), seed=0)
    >>> net["dense1"].params["weight"].shape
    (64, 10)
    """

    kind = "dense"
    devices = DEVICES
    weight = Learned()
    lowpass = True

    def __init__(
        self,
        n_pre: int,
        n_post: int,
        *,
        bias: bool = True,
        path: str = "auto",
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        super().__init__()
        self.in_shape, self.shape = (count("n_pre", n_pre, most=UNITS),), (count("n_post", n_post, most=UNITS),)
        self.bias, self.path = switch("bias", bias), choice("path", path, ("auto", "dense", "events"))
        self.weight_init = initializer("weight", weight, init.kaiming_uniform())
        self.bias_init = initializer("bias_init", bias_init, init.uniform(-(n_pre**-0.5), n_pre**-0.5))

    def __repr__(self) -> str:
        return f"Dense({self.in_shape[0]}, {self.shape[0]}{'' if self.bias else ', bias=False'})"

    def options(self) -> dict[str, Any]:
        return {"n_pre": self.in_shape[0], "n_post": self.shape[0], "bias": self.bias, "path": self.path}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if in_shape != self.in_shape:
            more = f": Flatten() makes {math.prod(in_shape)} units of them" if len(in_shape) > 1 else ""
            raise ValueError(
                f"{self!r} needs an input of {self.in_shape[0]} units, but is given {list(in_shape)}{more}"
            )
        n_pre, n_post = self.in_shape[0], self.shape[0]
        fans: dict[str, Any] = {"fan_in": n_pre, "fan_out": n_post, "dtype": setting.dtype}
        self.params = weight_and_bias(self, (n_pre, n_post), n_post, draws, **fans)
        weight = self.params["weight"]
        self.params["weight"] = aligned(weight.shape, weight.dtype)
        self.params["weight"][...] = weight
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.dense import CudaDense

        return CudaDense(self)

    @property
    def fuses_as(self) -> str:
        own = type(self) is not Dense  # a subclass has an ``apply`` of its own
        return "" if own or self.setting.device != "cpu" or self.setting.smooth else "dense"

    @property
    def matrix(self) -> Array:
        """The weights as they are used."""
        return self.params["weight"]

    @property
    def offset(self) -> Array | None:
        """The bias as it is used."""
        return self.params.get("bias")

    @property
    def takes_events(self) -> bool:
        return type(self).apply is Dense.apply and self.setting.device == "cpu" and not self.setting.smooth

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        self.offer(x, tape)
        pre: Presynaptic[Array, LowPass] = tape["pre"]
        x, weight = pre.x, self.matrix
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        out = y.reshape(-1, *self.shape)
        with span("products"):
            if pre.events is None:
                matmul(x.reshape(-1, *self.in_shape), weight, out=out)
            else:
                pre.events.product(weight, out)
        if self.bias:
            y += self.offset  # type: ignore[operator]
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        with span("products, reverse"):
            gx = self.pull(gy, tape) if wanted else None
        with span("weight gradients"):
            self.accumulate(gy, tape, grads)  # after it, as errors of a trace are changed in place
        return gx

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        signal = x.signal if isinstance(x, LowPass) else x
        if "pre" not in tape or not _same(tape["pre"].x, signal):  # else the forward pass has offered it
            self.ops.offer(signal, tape)
        tape["pre"].trace = x if isinstance(x, LowPass) else None
        return tape["y"]

    def offer(self, x: Array, tape: Nested) -> None:
        with span("events"):
            tape["pre"] = self._look(x, tape)

    def _look(self, x: Array, tape: Nested) -> Presynaptic[Array, LowPass]:
        if isinstance(x, SpikeInput):
            if x.rate <= largest_rate(self.path, x.shape[0] * x.shape[1], x.units, self.shape[0]):
                return Presynaptic(x, PackedSpikes.listed(*x.by_step(), x.units))
            return Presynaptic(x.dense(self.setting.dtype))
        rows = x.reshape(-1, *self.in_shape)
        possible = self.setting.device == "cpu" and not self.setting.smooth and rows.flags.c_contiguous
        sizes = len(rows), self.in_shape[0], self.shape[0]
        if possible and (self.path == "events" or (self.path == "auto" and worth_counting(*sizes))):
            # One step with as many samples: rows stay in the order of ``x``.
            room, limit = tape.setdefault("packed", {}), largest_rate(self.path, *sizes)
            return Presynaptic(x, PackedSpikes.of(rows[None], room, limit))
        return Presynaptic(x)

    def accumulate(self, gy: Array, tape: Nested, grads: Nested) -> None:
        """Add the parameters' gradients, given what the presynaptic side offered and what comes back."""
        g = gy.reshape(-1, *self.shape)
        if self.bias:
            grads["bias"] += g.sum(axis=0)
        pre: Presynaptic[Array, LowPass] = tape["pre"]
        if (trace := pre.trace) is not None:
            trace.spread(gy)
            if trace.before is not None:
                self._carry(trace.before * self.setting.dtype.type(trace.decay), gy[0], tape, grads)
        if pre.events is None:
            self._add_product(pre.x.reshape(-1, *self.in_shape), g, tape, grads)
        else:
            pre.events.add_outer(g, grads["weight"])

    def _carry(self, x: Array, g: Array, tape: Nested, grads: Nested) -> None:
        """Add what a trace from before the window brings."""
        if self.setting.device == "cpu":
            add_product(x.T, g, grads["weight"])
        else:
            self._add_product(x, g, tape, grads)

    def _add_product(self, x: Array, g: Array, tape: Nested, grads: Nested) -> None:
        product = buffer(tape, "gW", self.params["weight"].shape, self.setting.dtype)
        grads["weight"] += matmul(x.T, g, out=product)

    def pull(self, gy: Array, tape: Nested) -> Array:
        """Gradient with respect to the input."""
        gx = buffer(tape, "gx", (*gy.shape[:2], *self.in_shape), self.setting.dtype)
        g, rows = gy.reshape(-1, *self.shape), gx.reshape(-1, *self.in_shape)
        if self.setting.device == "cpu" and self.shape[0] <= FEW and gx.size > SERIAL:
            gx[...] = 0.0
            add_product(g, self.matrix.T, rows)
        else:
            matmul(g, self.matrix.T, out=rows)
        return gx


def _same(a: Array | SpikeInput, b: Array | SpikeInput) -> bool:
    """True if two arrays are the same numbers at the same place; known of NumPy's only."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray) or a.dtype != b.dtype:
        return False
    return a is b or (a.shape, a.strides, a.ctypes.data) == (b.shape, b.strides, b.ctypes.data)
