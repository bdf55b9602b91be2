"""A factor of its own for every unit: y = scale x, elementwise.

dx = scale dy,    dscale = sum over steps and samples of x dy
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..device.threads import DEVICES
from ..random import Draws
from ..scalar.words import Values
from ..validate import number
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless


def scaled(x: Values, scale: Values) -> tuple[Any]:
    """The output."""
    return (scale * x,)


def scaled_back(x: Values, scale: Values, g: Values) -> tuple[Any, Any]:
    """Gradients with respect to input and factor."""
    return scale * g, x * g


class Scale(Stateless):
    """A trained factor for every unit.

    Parameters
    ----------
    value : float, default 1.0
        Where all factors start.

    Notes
    -----
    ``params["scale"]`` has the shape of the input without the axes of time and batch.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Scale(0.5), input_shape=3)
    >>> net["scale1"].params["scale"][1] = 2.0
    >>> net.run(np.ones((1, 1, 3))).output.ravel()
    array([0.5, 2. , 0.5], dtype=float32)
    """

    kind = "scale"
    devices = DEVICES

    def __init__(self, value: float = 1.0):
        super().__init__()
        self.value = number("value", value)

    def __repr__(self) -> str:
        return f"Scale({self.value})"

    def options(self) -> dict[str, Any]:
        return {"value": self.value}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        self.in_shape = self.shape = in_shape
        self.params = {"scale": np.full(in_shape, self.value, setting.dtype)}
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.elementwise import CudaElementwise

        return CudaElementwise(self, scaled, scaled_back)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        self.offer(x, tape)
        y = tape["y"] = buffer(tape, "y", x.shape, self.setting.dtype)
        return np.multiply(x, self.params["scale"], out=y)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        grads["scale"] += np.einsum("tb...,tb...->...", tape["pre"], gy)
        return gy * self.params["scale"] if wanted else None

    def offer(self, x: Array, tape: Nested) -> None:
        tape["pre"] = x
