"""The rectified linear unit, of networks that compute with numbers: y = max(x, 0).

dx = dy where x > 0, else 0
"""

from __future__ import annotations

import numpy as np

from ..random import Draws
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless


class ReLU(Stateless):
    """What is positive, and zero for the rest: makes networks of numbers, which ``nbsnn.to_spiking`` converts.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> nbsnn.Sequential(nbsnn.ReLU(), input_shape=3).run(np.array([[[-1.0, 0.0, 2.0]]])).output.ravel()
    array([0., 0., 2.], dtype=float32)
    """

    kind = "relu"

    def __repr__(self) -> str:
        return "ReLU()"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = tape["y"] = buffer(tape, "y", x.shape, self.setting.dtype)
        return np.maximum(x, 0.0, out=y)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy * (tape["y"] > 0.0) if wanted else None
