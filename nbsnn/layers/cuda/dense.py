"""Dense connection on a GPU.

``path="events"`` adds up the weights' rows that spikes choose, in kernels that find them as they go; "dense" and
"auto" multiply, for counting the activity would mean to wait for the GPU.
"""

from __future__ import annotations

from typing import Any

from ...device import gpu, gpu_products, gpu_sums
from ...device import gpu_gather as gpu_spikes
from ...device.buffers import GpuArray
from ...random import Draws
from ..layer import Nested
from ..presynaptic import Presynaptic
from .ops import CudaOps


class CudaDense(CudaOps):
    """Dense connection."""

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Dense.apply``."""
        layer = self.layer
        self.offer(x, tape)
        y = gpu.buffer(tape, "y", (*x.shape[:2], *layer.shape), self.dtype)
        rows, out, bias = _rows(x, layer.in_shape[0]), _rows(y, layer.shape[0]), layer.params.get("bias")
        if self._events:
            gpu_spikes.multiply(
                rows,
                layer.params["weight"],
                out,
                layer.arrays.shared_zeros(layer.shape, self.dtype) if bias is None else bias,
            )
        else:
            gpu_products.multiply(rows, layer.params["weight"], out, bias)
        return y

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Dense.reverse``."""
        gx = self.pull(gy, tape) if wanted else None
        self.accumulate(gy, tape, grads)
        return gx

    def offer(self, x: GpuArray, tape: Nested) -> None:
        """See ``Dense.offer``."""
        tape["pre"] = Presynaptic(x)

    def accumulate(self, gy: GpuArray, tape: Nested, grads: Nested) -> None:
        """See ``Dense.accumulate``."""
        layer, pre = self.layer, tape["pre"]
        trace = pre.trace
        g = _rows(gy, layer.shape[0])
        if layer.bias:
            gpu_sums.add_columns(g, grads["bias"], tape)
        if trace is not None:
            trace.spread(gy)
            if trace.before is not None:
                carried = gpu.buffer(tape, "carried", trace.before.shape, self.dtype)
                gpu.launch("arrays.elementwise_cuda", "multiply", self.dtype, carried.size,
                           self.dtype.type(trace.decay), gpu.flat(trace.before), gpu.flat(carried))  # fmt: skip
                gpu_products.add_outer(_rows(carried, layer.in_shape[0]), _rows(gy[:1], layer.shape[0]),
                                       grads["weight"], tape)  # fmt: skip
        add_outer = gpu_spikes.add_outer if self._events else gpu_products.add_outer
        add_outer(_rows(pre.x, layer.in_shape[0]), g, grads["weight"], tape)

    def pull(self, gy: GpuArray, tape: Nested) -> Any:
        """Gradient with respect to the input."""
        layer = self.layer
        gx = gpu.buffer(tape, "gx", (*gy.shape[:2], *layer.in_shape), self.dtype)
        gpu_products.multiply_back(_rows(gy, layer.shape[0]), layer.params["weight"], _rows(gx, layer.in_shape[0]))
        return gx

    @property
    def _events(self) -> bool:
        layer = self.layer
        return layer.path == "events" and gpu_spikes.fits(layer.in_shape[0], self.dtype)


def _rows(x: GpuArray, width: int) -> Any:
    return x.reshape(x.size // width, width)
