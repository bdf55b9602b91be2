"""Layers without a state: each step's output depends on that step's input alone."""

from __future__ import annotations

from ..device.profile import span
from ..random import Draws
from .layer import Array, Layer, Nested
from .spike_trace import LowPass


class Stateless(Layer):
    """A layer that maps each step by itself; a subclass implements ``apply`` and ``reverse``.

    They are called as methods of ``ops``: on a GPU those of an object from ``layers/cuda``, if the subclass has one. An
    input that does not change over time is mapped once, and its gradient is summed over time before the backward pass.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> class Square(nbsnn.layers.Stateless):
    ...     kind = "square"
    ...     def build(self, in_shape, setting, draws):
    ...         self.in_shape = self.shape = in_shape
    ...         self.settle(setting)
    ...     def apply(self, x, tape, draws):
    ...         tape["x"] = x
    ...         return x * x
    ...     def reverse(self, gy, tape, grads, wanted):
    ...         return 2.0 * tape["x"] * gy
    >>> nbsnn.Sequential(Square(), input_shape=1).run(np.full((1, 1, 1), 3.0)).output.item()
    9.0
    """

    at_once = True

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        """Output of ``x`` [T, B, ...]."""
        raise NotImplementedError

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        """The backward pass of ``apply``: adds to ``grads``, returns the gradient of ``x`` if ``wanted``."""
        raise NotImplementedError

    def offer(self, x: Array, tape: Nested) -> None:
        """Take ``x`` as the presynaptic factor of the weights' gradient; for layers that have weights."""
        raise NotImplementedError

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array | LowPass:
        if not self.params:
            return self.ops.apply(x, tape.setdefault("trace", {}), None)
        self.ops.offer(x, tape)
        return tape["y"]

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        with span(f"{self.kind}, reverse"):
            return self.ops.reverse(gy, tape, grads, wanted)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        arrays = self.arrays
        tape["static"] = arrays.constant(x)
        with span(self.kind):
            if not tape["static"]:
                return self.ops.apply(x, tape, draws), {}
            return arrays.repeated(self.ops.apply(arrays.one_step(x), tape, draws), len(x)), {}

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
        with span(f"{self.kind}, reverse"):
            if tape["static"] and len(gy) > 1:
                gy = self.arrays.over_time(gy, tape)
            return self.ops.reverse(gy, tape, grads, wanted), {}
