"""Pooling of images on a GPU: one launch forward, one in reverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...device import gpu
from ...device.buffers import GpuArray
from ...random import Draws
from ..layer import Nested
from .ops import CudaOps


class CudaPool2d(CudaOps):
    """Sum, mean or maximum over each window; a layer without ``scale`` takes the maximum."""

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Pool2d.apply``."""
        y = gpu.buffer(tape, "y", (*x.shape[:2], *self.layer.shape), self.dtype)
        self._run("", self._out(y), self._in(x), self._out(y), *self._at(y.shape, tape))
        return y

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Pool2d.reverse``."""
        if not wanted:
            return None
        gx = gpu.buffer(tape, "gx", (*gy.shape[:2], *self.layer.in_shape), self.dtype)
        self._run("_reverse", self._in(gx), self._out(gy), *self._at(gy.shape, tape), self._in(gx))
        return gx

    def _at(self, shape: tuple[int, ...], tape: Nested) -> list[Any]:
        """Place of each window's maximum, if that is what is taken."""
        return [] if hasattr(self.layer, "scale") else [self._out(gpu.buffer(tape, "at", tuple(shape), np.int32))]

    def _run(self, way: str, written: GpuArray, *arrays: GpuArray) -> None:
        layer = self.layer
        pairs = {"K": layer.kernel_size, "S": layer.stride, "P": layer.padding}
        pairs |= {} if hasattr(layer, "scale") else {"D": layer.dilation}
        constants = {f"{k}{axis}": int(n) for k, pair in pairs.items() for axis, n in zip("HW", pair, strict=True)}
        name = ("total" if hasattr(layer, "scale") else "largest") + way
        if hasattr(layer, "scale"):
            constants["SCALE"] = layer.scale
        gpu.launch("products.pool_cuda", name, self.dtype, written.size, *arrays, **constants)

    def _in(self, x: GpuArray) -> GpuArray:
        """Images [T, B, C, H, W] as planes [T B C, H, W], before pooling."""
        return _planes(x, self.layer.image[1:])

    def _out(self, y: GpuArray) -> GpuArray:
        return _planes(y, self.layer.places)


def _planes(x: GpuArray, size: tuple[int, ...]) -> GpuArray:
    return x.reshape(x.size // (size[0] * size[1]), *size)
