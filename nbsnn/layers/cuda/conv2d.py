"""Convolution of images on a GPU: three matrix products that fetch what windows see as they go."""

from __future__ import annotations

from typing import Any

from ...device import gpu, gpu_products, gpu_sums
from ...device.buffers import GpuArray
from ...kernels.products import convolution_cuda as loops
from ...kernels.products import tiles_cuda
from ...random import Draws
from ..layer import Nested
from ..presynaptic import Presynaptic
from .ops import CudaOps


class CudaConv2d(CudaOps):
    """Convolution over the last two axes."""

    def apply(self, x: GpuArray, tape: Nested, draws: Draws | None) -> Any:
        """See ``Conv2d.apply``."""
        layer = self.layer
        self.offer(x, tape)
        pre: Presynaptic[GpuArray, None] = tape["pre"]
        y = gpu.buffer(tape, "y", (*x.shape[:2], *layer.shape), self.dtype)
        out, images = self._out(y), pre.x
        put = loops.place_biased if layer.bias else loops.place
        lengths = (len(images) * layer.area, layer.fan_in, layer.c_post)
        gpu_products.tiled(loops.seen, tiles_cuda.at_row, put, images, self._matrix(layer.params["weight"]), out,
                           lengths,
                           layer.params.get("bias"), LEFT_DOWN=1, **self._sizes())  # fmt: skip
        return y

    def reverse(self, gy: GpuArray, tape: Nested, grads: Nested, wanted: bool) -> Any:
        """See ``Conv2d.reverse``."""
        pre: Presynaptic[GpuArray, None] = tape["pre"]
        layer, images, g = self.layer, pre.x, self._out(gy)
        places = len(images) * layer.area
        lengths = (layer.fan_in, places, layer.c_post)
        weight = self._matrix(grads["weight"])
        gpu_products.add_product(loops.seen_across, loops.error, images, g, weight, lengths, tape,
                                 RIGHT_DOWN=1, **self._sizes())  # fmt: skip
        if layer.bias:
            sums = gpu.buffer(tape, "g places", (layer.c_post, layer.area), self.dtype)
            gpu.fill(sums, 0)
            gpu_sums.add_columns(g.reshape(len(g), sums.size), gpu.flat(sums), tape)
            gpu_sums.add_rows(sums, grads["bias"])
        if not wanted:
            return None
        gx = gpu.buffer(tape, "gx", (*gy.shape[:2], *layer.in_shape), self.dtype)
        lengths = (images.size // layer.c_pre, layer.c_post * layer.kernel_size[0] * layer.kernel_size[1], layer.c_pre)
        gpu_products.tiled(loops.reached, loops.through, loops.place_before, g, self._matrix(layer.params["weight"]),
                           gx.reshape(images.shape), lengths, LEFT_DOWN=1, RIGHT_DOWN=1, **self._sizes())  # fmt: skip
        return gx

    def offer(self, x: GpuArray, tape: Nested) -> None:
        """See ``Conv2d.offer``."""
        steps, batch = x.shape[:2]
        tape["pre"] = Presynaptic(x.reshape(steps * batch, *self.layer.image))

    def _out(self, y: GpuArray) -> Any:
        """Outputs as [N, C', H' W']."""
        layer = self.layer
        return y.reshape(y.size // (layer.c_post * layer.area), layer.c_post, layer.area)

    def _matrix(self, weight: GpuArray) -> Any:
        return weight.reshape(self.layer.fan_in, self.layer.c_post)

    def _sizes(self) -> dict[str, int]:
        """The constants of ``kernels.products.convolution_cuda``."""
        layer = self.layer
        pairs = (("H", layer.image[1:]), ("OH", layer.places), ("KH", layer.kernel_size), ("SH", layer.stride))
        sizes = {"C": layer.c_pre, "O": layer.c_post}
        for name, (height, width) in (*pairs, ("DH", layer.dilation), ("PH", layer.before)):
            sizes |= {name: int(height), name.replace("H", "W"): int(width)}
        return sizes
