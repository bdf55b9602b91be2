"""What one step of an optimiser does with one parameter: the arrays and numbers that its rule reads and writes."""

from __future__ import annotations

from typing import NamedTuple

from ..device import gpu
from ..device.buffers import Array


class Move(NamedTuple):
    """A parameter and its gradient, of one shape; its slots [K, size]; the constants of the rule in this step."""

    p: Array
    g: Array
    memory: Array
    hyper: tuple[float, ...]

    def copied(self) -> Move:
        """The same with copies of what a step writes, on the same device."""
        return self._replace(p=_copy(self.p), memory=_copy(self.memory))


def _copy(array: Array) -> Array:
    return gpu.put(gpu.get(array)) if gpu.on_gpu(array) else array.copy()
