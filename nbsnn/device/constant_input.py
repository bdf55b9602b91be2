"""An input that does not change over time, of which one step lies on the GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from . import gpu
from .buffers import GpuArray


@dataclass(frozen=True, eq=False)
class ConstantInput:
    """One step [1, B, ...] that stands for ``steps`` of them.

    Attributes
    ----------
    array : array [1, B, ...]
        On the GPU.
    steps : int
        How often it is repeated.
    """

    array: GpuArray
    steps: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Attribute of the array that this stands for."""
        return (self.steps, *self.array.shape[1:])

    @property
    def dtype(self) -> np.dtype:
        """Precision."""
        return self.array.dtype

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, window: slice) -> ConstantInput:
        """Some of the steps."""
        return ConstantInput(self.array, len(range(*window.indices(self.steps))))


def fetched(x: Any) -> np.ndarray:
    """A copy for NumPy, of an array or of one step that stands for many. What lies on the CPU is returned as it is."""
    return np.broadcast_to(gpu.get(x.array), x.shape) if isinstance(x, ConstantInput) else gpu.get(x)


def stored(x: GpuArray | ConstantInput, tape: dict[str, Any], name: str) -> Any:
    """``x`` with all of its steps, in a buffer of the tape if they have to be written out."""
    if not isinstance(x, ConstantInput):
        return x
    y = gpu.buffer(tape, name, x.shape, x.array.dtype)
    gpu.launch("arrays.elementwise_cuda", "repeat", y.dtype, y.size, gpu.flat(x.array), gpu.flat(y))
    return y
