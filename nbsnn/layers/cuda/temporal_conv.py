"""Convolution over time on a GPU: a product for each step that is seen."""

from __future__ import annotations

from typing import Any

from ... import gpu
from ...gpu import products as gpu_products
from ...gpu import sums as gpu_sums
from ..layer import Nested
from .counterpart import Leaf
from .delay import behind
from .stateless import over_time
from .still import Still, stored


class TemporalConvOnGpu(Leaf):
    """Convolution over time, dense between units."""

    def initial(self, batch: int) -> Nested:
        """As ``Layer.initial``; nobody may write into this array."""
        if batch not in self.cache:
            self.cache[batch] = gpu.zeros((self.layer.kernel_size - 1, batch, *self.layer.in_shape), self._dtype)
        return {"past": self.cache[batch]}

    def forward(self, x: Any, state: Nested, tape: Nested, draws: Any = None) -> tuple[Any, Nested]:
        """As ``Layer.forward``."""
        layer, params = self.layer, self.layer.params
        tape["static"] = isinstance(x, Still)
        x = stored(x, tape, "x")
        tape["whole"] = whole = behind(state["past"], x, tape, "room")
        y = tape["y"] = gpu.buffer(tape, "y", (*x.shape[:2], *layer.shape), self._dtype)
        for k in range(layer.kernel_size):
            bias = params.get("bias") if k == 0 else None
            gpu_products.multiply(self._rows(whole, k), params["weight"][k], _flat(y), bias, add=k > 0)
        rest = gpu.buffer(tape, "rest", state["past"].shape, self._dtype)
        if len(rest):
            gpu.copy(whole[len(x) :], rest)
        return y, {"past": rest}

    def trace(self, x: Any, tape: Nested, traces: Nested) -> Any:
        """As ``Layer.trace``."""
        past = traces.get("past", self.initial(x.shape[1])["past"])
        tape["whole"] = behind(past, x, tape, "trace room")
        if len(past):
            traces["past"] = gpu.buffer(tape, "trace rest", past.shape, self._dtype)
            gpu.copy(tape["whole"][1:], traces["past"])
        return tape["y"]

    def backward(
        self, gy: Any, tape: Nested, grads: Nested, *, after: Any = None, inject: Any = None, wanted: bool = True
    ) -> tuple[Any, Nested]:
        """As ``Layer.backward``."""
        layer, whole, past = self.layer, tape["whole"], self.layer.kernel_size - 1
        back = gpu.buffer(tape, "gwhole", whole.shape, self._dtype)
        gpu.fill(back, 0)
        if after and past:
            gpu.add(after["past"], back[len(gy) :])
        for k in range(layer.kernel_size):
            gpu_products.add_outer(self._rows(whole, k), _flat(gy), grads["weight"][k], tape)
            gpu_products.multiply_back(_flat(gy), layer.params["weight"][k], self._rows(back, k), add=True)
        if layer.bias:
            gpu_sums.add_columns(_flat(gy), grads["bias"], tape)
        gx = back[past:]
        if tape["static"] and len(gx) > 1:
            gx = over_time(gx, tape)
        return (gx if wanted else None), {"past": back[:past] if past else self.initial(gy.shape[1])["past"]}

    def _rows(self, whole: Any, k: int) -> Any:
        """What weight k sees, [T B, n_pre]: the input k steps before each."""
        past = self.layer.kernel_size - 1
        return _flat(whole[past - k : len(whole) - k])


def _flat(x: Any) -> Any:
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])
