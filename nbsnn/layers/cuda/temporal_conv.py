"""Convolution over time on a GPU: a product for each step that is seen."""

from __future__ import annotations

from typing import Any

from ...device import gpu_products, gpu_sums
from ...device.buffers import GpuArray
from ..layer import Nested
from .ops import CudaOps


class CudaTemporalConv(CudaOps):
    """Convolution over time, dense between units."""

    def convolve(self, whole: GpuArray, y: GpuArray) -> None:
        """See ``TemporalConv.convolve``."""
        params = self.layer.params
        for k, seen in enumerate(self.layer.lags(whole)):
            bias = params.get("bias") if k == 0 else None
            gpu_products.multiply(_flat(seen), params["weight"][k], _flat(y), bias, add=k > 0)

    def spread(self, gy: GpuArray, whole: GpuArray, back: GpuArray, tape: Nested, grads: Nested) -> None:
        """See ``TemporalConv.spread``."""
        layer = self.layer
        for k, (seen, g) in enumerate(zip(layer.lags(whole), layer.lags(back), strict=True)):
            gpu_products.add_outer(_flat(seen), _flat(gy), grads["weight"][k], tape)
            gpu_products.multiply_back(_flat(gy), layer.params["weight"][k], _flat(g), add=True)
        if layer.bias:
            gpu_sums.add_columns(_flat(gy), grads["bias"], tape)


def _flat(x: GpuArray) -> Any:
    return x.reshape(x.shape[0] * x.shape[1], x.shape[2])
