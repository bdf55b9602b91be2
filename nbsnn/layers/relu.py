"""The rectified linear unit, of networks that compute with numbers: y = max(x, 0).

dx = dy where x > 0, else 0
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device.threads import DEVICES
from ..random import Draws
from ..scalar.words import Values, where
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless


def rectified(x: Values) -> tuple[Any]:
    """The output."""
    return (where(x < 0.0, 0.0, x),)


def rectified_back(x: Values, g: Values) -> tuple[Any]:
    """The gradient with respect to the input."""
    return (where(x > 0.0, g, 0.0),)


class ReLU(Stateless):
    """What is positive, and zero for the rest: makes networks of numbers, which ``nbsnn.to_spiking`` converts.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> nbsnn.Sequential(nbsnn.ReLU(), input_shape=3).run(np.array([[[-1.0, 0.0, 2.0]]])).output.ravel()
    array([0., 0., 2.], dtype=float32)
    """

    kind = "relu"
    devices = DEVICES

    def __repr__(self) -> str:
        return "ReLU()"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.elementwise import CudaElementwise

        return CudaElementwise(self, rectified, rectified_back)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = tape["y"] = buffer(tape, "y", x.shape, self.setting.dtype)
        return np.maximum(x, 0.0, out=y)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return gy * (tape["y"] > 0.0) if wanted else None
