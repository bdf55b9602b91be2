"""Flatten: images to plain units, for a dense layer to follow."""

from __future__ import annotations

import math
from typing import Any

from ..device.threads import DEVICES
from ..random import Draws
from ..validate import count
from .layer import Array, Nested, Setting
from .spike_trace import LowPass
from .stateless import Stateless


class Flatten(Stateless):
    """Arrange the units of each sample in a row, channel by channel: [T, B, C, H, W] -> [T, B, C H W].

    Parameters
    ----------
    start_dim, end_dim : int, default 0 and -1
        First and last of the axes that become one, counted without those of time and batch; negative from the end.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.Sequential(nbsnn.Flatten(), input_shape=(8, 4, 4)).shape
    (128,)
    >>> nbsnn.Sequential(nbsnn.Flatten(1), input_shape=(8, 4, 4)).shape
    (8, 16)
    """

    kind = "flatten"
    devices = DEVICES
    lowpass = True
    takes_events = None

    def __init__(self, start_dim: int = 0, end_dim: int = -1):
        super().__init__()
        self.start_dim, self.end_dim = (
            count(name, n, least=-9, most=9) for name, n in (("start_dim", start_dim), ("end_dim", end_dim))
        )

    def __repr__(self) -> str:
        return f"Flatten({', '.join(f'{k}={v}' for k, v in self.options().items())})"

    def options(self) -> dict[str, Any]:
        plain = self.start_dim == 0 and self.end_dim == -1
        return {} if plain else {"start_dim": self.start_dim, "end_dim": self.end_dim}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        first, last = (n % len(in_shape) if -len(in_shape) <= n < len(in_shape) else -1 for n in
                       (self.start_dim, self.end_dim))  # fmt: skip
        if not 0 <= first <= last:
            raise ValueError(f"{self!r} does not fit an input of shape {list(in_shape)}")
        middle = math.prod(in_shape[first : last + 1])
        self.in_shape, self.shape = in_shape, (*in_shape[:first], middle, *in_shape[last + 1 :])
        self.settle(setting)

    def tape_bytes(self, steps: int, batch: int) -> int:
        return 0

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return x.reshape(*x.shape[:2], *self.shape)

    def trace(self, x: Array | LowPass, tape: Nested, traces: Nested) -> Array | LowPass:
        return x.reshaped(self.shape) if isinstance(x, LowPass) else self.apply(x, tape, None)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy.reshape(*gy.shape[:2], *self.in_shape)
