"""Flatten: images to plain units, for a dense layer to follow."""

from __future__ import annotations

import math

from ..device.threads import DEVICES
from ..random import Draws
from .layer import Array, Nested, Setting
from .spike_trace import LowPass
from .stateless import Stateless


class Flatten(Stateless):
    """Arrange the units of each sample in a row, channel by channel: [T, B, C, H, W] -> [T, B, C H W].

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Sequential(nbsnn.Flatten(), input_shape=(8, 4, 4)).shape
    (128,)
    """

    kind = "flatten"
    devices = DEVICES
    lowpass = True

    def __repr__(self) -> str:
        return "Flatten()"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape, self.shape = in_shape, (math.prod(in_shape),)
        self.settle(setting)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return 0

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return x.reshape(*x.shape[:2], *self.shape)

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        return x.reshaped(self.shape) if isinstance(x, LowPass) else self.apply(x, tape, None)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy.reshape(*gy.shape[:2], *self.in_shape)
