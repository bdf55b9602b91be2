"""Reshape: plain units to images, say, for a convolution to follow; ``Flatten`` goes the other way."""

from __future__ import annotations

import math
from typing import Any

from ..device.threads import DEVICES
from ..random import Draws
from ..validate import shape_of
from .layer import Array, Nested, Setting
from .spike_trace import LowPass
from .stateless import Stateless


class Reshape(Stateless):
    """Arrange the units of each sample in another shape, in the same order.

    Parameters
    ----------
    shape : int or tuple of int
        Of as many units as come in, without the axes of time and batch.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Sequential(nbsnn.Dense(16, 32), nbsnn.Reshape((8, 2, 2)), nbsnn.ConvTranspose2d(8, 1, 2)).shape
    (1, 3, 3)
    """

    kind = "reshape"
    devices = DEVICES
    lowpass = True

    def __init__(self, shape: int | tuple[int, ...]):
        super().__init__()
        self.shape = shape_of("shape", shape)
        if not self.shape:
            raise ValueError("shape must have at least one length, not ()")

    def __repr__(self) -> str:
        return f"Reshape({self.shape})"

    def options(self) -> dict[str, Any]:
        return {"shape": self.shape}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if math.prod(in_shape) != math.prod(self.shape):
            raise ValueError(f"{self!r} does not fit an input of shape {list(in_shape)}: the numbers of units differ")
        self.in_shape = in_shape
        self.settle(setting)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return 0

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return x.reshape(*x.shape[:2], *self.shape)

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        return x.reshaped(self.shape) if isinstance(x, LowPass) else self.apply(x, tape, None)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy.reshape(*gy.shape[:2], *self.in_shape)
