"""Layers without a state: each step's output depends on that step's input alone."""

from __future__ import annotations

import numpy as np

from ..random import Draws
from .layer import Array, Layer, Nested, is_static


class Stateless(Layer):
    """A layer that maps each step by itself; subclasses implement ``apply`` and ``reverse``.

    An input that does not change over time is mapped once, and its gradient is summed over time before the way back.
    """

    at_once = True

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        """Output of ``x`` [T, B, ...]."""
        raise NotImplementedError

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        """The reverse of ``apply``: adds to ``grads``, returns the derivative by ``x`` if ``wanted``."""
        raise NotImplementedError

    def offer(self, x: Array, tape: Nested) -> None:
        """Take ``x`` as the presynaptic factor of the weights' gradient; for layers that have weights."""
        raise NotImplementedError

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        if not self.params:
            return self.apply(x, tape.setdefault("trace", {}), None)
        if not _same(tape.get("pre"), x):  # else the forward pass has offered it
            self.offer(x, tape)
        return tape["y"]

    def backward_within(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return self.reverse(gy, tape, grads, wanted)

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        tape["static"] = is_static(x)
        if not tape["static"]:
            return self.apply(x, tape, draws), {}
        y = self.apply(x[:1], tape, draws)
        return np.broadcast_to(y, (len(x), *y.shape[1:])), {}

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
        if tape["static"] and len(gy) > 1:
            gy = gy.sum(axis=0, keepdims=True)
        return self.reverse(gy, tape, grads, wanted), {}


def _same(a: Array | None, b: Array) -> bool:
    """Whether two arrays are the same numbers at the same place."""
    if a is None or a.dtype != b.dtype:
        return False
    return a is b or (a.shape, a.strides, a.ctypes.data) == (b.shape, b.strides, b.ctypes.data)
