"""Layers without a state on a GPU; and those that only pass on what they are given."""

from __future__ import annotations

from typing import Any

from ... import gpu
from ...gpu import sums as gpu_sums
from ..layer import Nested
from ..low_pass import as_array
from .counterpart import Leaf
from .low_pass import LowPassOnGpu
from .still import Still


class StatelessOnGpu(Leaf):
    """A layer that maps each step by itself: ``apply`` and ``reverse``, as in ``layers.stateless``."""

    def apply(self, x: Any, tape: Nested, draws: Any) -> Any:
        """Output of ``x`` [T, B, ...]."""
        raise NotImplementedError

    def reverse(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """The reverse of ``apply``: adds to ``grads``, returns the derivative by ``x`` if ``wanted``."""
        raise NotImplementedError

    def offer(self, x: Any, tape: Nested) -> None:
        """Take ``x`` as the presynaptic factor of the weights' gradient."""
        raise NotImplementedError

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        tape["static"] = isinstance(x, Still)
        if isinstance(x, Still):
            return Still(self.apply(x.array, tape, draws), x.steps), {}
        return self.apply(x, tape, draws), {}

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        if tape["static"] and len(gy) > 1:
            gy = over_time(gy, tape)
        return self.reverse(gy, tape, grads, wanted), {}

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        if not self.layer.params:
            return self.apply(as_array(x), tape.setdefault("trace", {}), None)
        self.offer(x, tape)
        return tape["y"]

    def backward_within(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """As ``Layer.backward_within``."""
        return self.reverse(gy, tape, grads, wanted)


class FlattenOnGpu(StatelessOnGpu):
    """The same memory in another shape."""

    def apply(self, x: Any, tape: Nested, draws: Any) -> Any:
        return x.reshape(*x.shape[:2], *self.layer.shape)

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        return x.reshaped(self.layer.shape) if isinstance(x, LowPassOnGpu) else self.apply(x, tape, None)

    def reverse(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        return gy.reshape(*gy.shape[:2], *self.layer.in_shape)


class IdentityOnGpu(StatelessOnGpu):
    """The input as it is."""

    def apply(self, x: Any, tape: Nested, draws: Any) -> Any:
        return x

    def reverse(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        return gy if wanted else None


def over_time(gy: Any, tape: Nested) -> Any:
    """The sum of ``gy`` [T, ...] over all steps, as one step."""
    sums = gpu.buffer(tape, "g over time", (1, *gy.shape[1:]), gy.dtype)
    gpu.fill(sums, 0)
    gpu_sums.add_columns(gy.reshape(len(gy), sums.size), gpu.flat(sums), tape)
    return sums
