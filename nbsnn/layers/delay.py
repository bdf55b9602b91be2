"""A delay: y[t] = x[t - steps], what is on the way being part of the state."""

from __future__ import annotations

import math
from typing import Any

from ..device.threads import DEVICES
from ..random import Draws
from ..validate import UNITS, affordable, count
from .layer import Array, Layer, Nested, Setting


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
    devices = DEVICES

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

    def initial(self, batch: int) -> Nested:
        return {"queue": self.arrays.shared_zeros((self.steps, batch, *self.shape), self.setting.dtype)}

    def forward(self, x: Array, state: Nested, tape: Nested, draws: Draws | None = None) -> tuple[Array, Nested]:
        arrays = self.arrays
        tape["static"] = arrays.constant(x)
        whole = arrays.behind(state["queue"], arrays.stored(x, tape, "x"), tape, "whole")
        return whole[: len(x)], {"queue": arrays.rest(whole, len(x), tape, "rest")}

    def trace(self, x: Array, tape: Nested, traces: Nested) -> Array:
        start = traces if "queue" in traces else self.initial(x.shape[1])
        y, after = self.forward(x, start, tape.setdefault("trace", {}))
        traces |= after
        return y

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
        tail = after if after else self.initial(gy.shape[1])
        whole = self.arrays.behind(gy, tail["queue"], tape, "gwhole")
        gx = whole[self.steps :]
        if tape["static"]:
            gx = self.arrays.over_time(gx, tape)
        return gx, {"queue": self.arrays.as_result(whole[: self.steps])}
