"""A delay: y[t] = x[t - steps], what is on the way being part of the state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..random import Draws
from ..validate import UNITS, affordable, count
from .layer import Array, Layer, Nested, Setting, is_static


class Delay(Layer):
    """Delay by a whole number of steps.

    Parameters
    ----------
    steps : int
        At least 1.

    Notes
    -----
    The state "queue" [steps, B, ...] holds what is on the way, oldest first; a run starts with zeros.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Delay(2), input_shape=1)
    >>> net.run(np.arange(4.0).reshape(4, 1, 1)).output.ravel()
    array([0., 0., 0., 1.], dtype=float32)
    """

    kind = "delay"

    def __init__(self, steps: int):
        super().__init__()
        self.steps = count("steps", steps, most=UNITS)

    def __repr__(self) -> str:
        return f"Delay({self.steps})"

    def options(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        affordable(f"a delay of {self.steps} steps", self.steps * math.prod(in_shape) * setting.dtype.itemsize)
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.delay import DelayOnGpu

        return DelayOnGpu(self)

    def initial(self, batch: int) -> Nested:
        return {"queue": np.zeros((self.steps, batch, *self.shape), self.setting.dtype)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        whole = np.concatenate([state["queue"], x])
        tape["static"] = is_static(x)
        return whole[: len(x)], {"queue": whole[len(x) :].copy()}

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        queue = traces.setdefault("queue", np.zeros((self.steps, *x.shape[1:]), x.dtype))
        whole = np.concatenate([queue, x])
        traces["queue"] = whole[1:]
        return whole[:1]

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
        tail = after["queue"] if after else np.zeros((self.steps, *gy.shape[1:]), gy.dtype)
        whole = np.concatenate([gy, tail])
        gx = whole[self.steps :]
        if tape["static"]:
            gx = gx.sum(axis=0, keepdims=True)
        return gx, {"queue": whole[: self.steps].copy()}
