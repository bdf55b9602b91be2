"""Dense connection on a GPU.

``path="events"`` adds up the weights' rows that spikes choose, in kernels that find them as they go; "dense" and
"auto" multiply, for counting the activity would mean to wait for the GPU.
"""

from __future__ import annotations

from typing import Any

from ... import gpu
from ...gpu import products as gpu_products
from ...gpu import spikes as gpu_spikes
from ...gpu import sums as gpu_sums
from ..layer import Nested
from .low_pass import LowPassOnGpu
from .stateless import StatelessOnGpu


class DenseOnGpu(StatelessOnGpu):
    """Dense connection."""

    def apply(self, x: Any, tape: Nested, draws: Any) -> Any:
        layer = self.layer
        self.offer(x, tape)
        y = gpu.buffer(tape, "y", (*x.shape[:2], *layer.shape), self._dtype)
        rows, out, bias = _rows(x, layer.in_shape[0]), _rows(y, layer.shape[0]), layer.params.get("bias")
        if self._events:
            gpu_spikes.multiply(rows, layer.params["weight"], out, self._zeros() if bias is None else bias)
        else:
            gpu_products.multiply(rows, layer.params["weight"], out, bias)
        return y

    def reverse(self, gy: Any, tape: Nested, grads: Nested, wanted: bool) -> Any:
        gx = self.pull(gy, tape) if wanted else None
        self.accumulate(gy, tape, grads)  # after it, as errors of a trace are changed in place
        return gx

    def offer(self, x: Any, tape: Nested) -> None:
        window = isinstance(x, LowPassOnGpu)
        tape["pre"], tape["trace"] = (x.signal, x) if window else (x, None)

    def accumulate(self, gy: Any, tape: Nested, grads: Nested) -> None:
        """As ``Dense.accumulate``."""
        layer, trace = self.layer, tape["trace"]
        g = _rows(gy, layer.shape[0])
        if layer.bias:
            gpu_sums.add_columns(g, grads["bias"], tape)
        if trace is not None:
            trace.spread(gy)
            if trace.before is not None:
                carried = gpu.buffer(tape, "carried", trace.before.shape, self._dtype)
                gpu.launch("arrays", "multiply", self._dtype, carried.size, self._dtype.type(trace.decay),
                           gpu.flat(trace.before), gpu.flat(carried))  # fmt: skip
                gpu_products.add_outer(_rows(carried, layer.in_shape[0]), _rows(gy[:1], layer.shape[0]),
                                       grads["weight"], tape)  # fmt: skip
        add_outer = gpu_spikes.add_outer if self._events else gpu_products.add_outer
        add_outer(_rows(tape["pre"], layer.in_shape[0]), g, grads["weight"], tape)

    def pull(self, gy: Any, tape: Nested) -> Any:
        """The derivative by the input."""
        layer = self.layer
        gx = gpu.buffer(tape, "gx", (*gy.shape[:2], *layer.in_shape), self._dtype)
        gpu_products.multiply_back(_rows(gy, layer.shape[0]), layer.params["weight"], _rows(gx, layer.in_shape[0]))
        return gx

    @property
    def _events(self) -> bool:
        layer = self.layer
        return layer.path == "events" and gpu_spikes.fits(layer.in_shape[0], self._dtype)

    def _zeros(self) -> Any:
        if "zeros" not in self.cache:
            self.cache["zeros"] = gpu.zeros(self.layer.shape, self._dtype)
        return self.cache["zeros"]


def _rows(x: Any, width: int) -> Any:
    return x.reshape(x.size // width, width)
