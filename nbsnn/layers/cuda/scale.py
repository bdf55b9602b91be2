"""A factor for every unit, on a GPU."""

from __future__ import annotations

from typing import Any

from ...device import gpu, gpu_sums
from ...device.buffers import GpuArray
from ...random import Draws
from ..layer import Nested
from .ops import CudaOps


class CudaScale(CudaOps):
    """Elementwise products with one row of factors."""

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Scale.apply``."""
        self.offer(x, tape)
        tape["y"] = self._scaled(x, tape, "y")
        return tape["y"]

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Scale.reverse``."""
        terms = gpu.buffer(tape, "terms", gy.shape, self.dtype)
        gpu.launch(
            "arrays.elementwise_cuda", "scale_rows", self.dtype, gy.size, *map(gpu.flat, (tape["pre"], gy, terms))
        )
        total = gpu.flat(grads["scale"])
        gpu_sums.add_columns(terms.reshape(terms.size // total.size, total.size), total, tape)
        return self._scaled(gy, tape, "gx") if wanted else None

    def offer(self, x: GpuArray, tape: Nested) -> None:
        """See ``Scale.offer``."""
        tape["pre"] = x

    def _scaled(self, x: GpuArray, tape: Nested, name: str) -> Any:
        y = gpu.buffer(tape, name, x.shape, self.dtype)
        factors = gpu.flat(self.layer.params["scale"])
        gpu.launch("arrays.elementwise_cuda", "scale_rows", self.dtype, x.size, factors, gpu.flat(x), gpu.flat(y))
        return y
