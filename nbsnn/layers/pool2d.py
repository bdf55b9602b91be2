"""Pooling of images: one number for each window of each channel.

    sum:   y = sum_ij x_ij          dx_ij = dy
    mean:  y = sum_ij x_ij / n      dx_ij = dy / n          n = the window's places, padding included
    max:   y = max_ij x_ij          dx_ij = dy at the first maximum, row by row, else 0

Where windows overlap, their gradients add. The loops are in ``kernels/products/pool.py``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.threads import DEVICES, run_threaded
from ..kernels.products import pool as loops
from ..random import Draws
from .conv2d import places
from .layer import Array, Nested, Setting, buffer
from .padding import Pair, inner, pair
from .stateless import Stateless


class Pool2d(Stateless):
    """Base of the pooling layers; see ``SumPool2d``, ``AvgPool2d`` and ``MaxPool2d``."""

    kind = "pool2d"
    devices = DEVICES
    outside = 0.0  # what padding consists of

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0):
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding must be at most half of kernel_size {list(self.kernel_size)}, not {list(self.padding)}"
            )

    def __repr__(self) -> str:
        stride = f", stride={self.stride}" * (self.stride != self.kernel_size)
        return f"{type(self).__name__}({self.kernel_size}{stride}{f', padding={self.padding}' * any(self.padding)})"

    def options(self) -> dict[str, Any]:
        return {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 3:
            raise ValueError(f"{self!r} needs an input of shape [channels, height, width], not {list(in_shape)}")
        around = tuple(2 * p for p in self.padding)
        self.places = places(repr(self), in_shape[1:], self.kernel_size, self.stride, around)
        self.in_shape, self.shape = in_shape, (in_shape[0], *self.places)
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.pool2d import CudaPool2d

        return CudaPool2d(self)

    def planes(self, x: Array) -> Array:
        """Images [T, B, C, H, W] as padded planes [T B C, H, W]."""
        x = np.require(x, self.setting.dtype, ["C", "W"]).reshape(-1, *x.shape[-2:])
        if any(self.padding):
            x = np.pad(x, ((0, 0), *((p, p) for p in self.padding)), constant_values=self.outside)
        return x

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        self.pool(self.planes(x), y.reshape(-1, *self.places), tape)
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        if not wanted:
            return None
        height, width = (n + 2 * p for n, p in zip(self.in_shape[1:], self.padding, strict=True))
        gx = buffer(tape, "gx", (*gy.shape[:2], self.in_shape[0], height, width), self.setting.dtype)
        gx[...] = 0.0
        gy = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, *self.places)
        self.spread(gy, gx.reshape(-1, height, width), tape)
        return np.ascontiguousarray(inner(gx, self.padding, self.in_shape[1:]))

    def tape_bytes(self, steps: int, batch: int) -> int:
        padded = math.prod(n + 2 * p for n, p in zip(self.in_shape[1:], self.padding, strict=True)) * self.in_shape[0]
        many = (1 + 2 * any(self.padding)) * padded + 2 * math.prod(self.shape)
        return many * steps * batch * self.setting.dtype.itemsize

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        """Fill ``y`` from the planes ``x``."""
        raise NotImplementedError

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        """Add to ``gx`` what comes back from ``gy``."""
        raise NotImplementedError

    def run_loop(self, name: str, *arrays: Array, scale: float = 1.0) -> None:
        """A loop over all planes."""
        u, device = np.uintp, self.setting.device
        compiled = _compiled(name, device, self.setting.dtype, (*self.kernel_size, *self.stride), scale)
        rows, columns = map(u, self.places)
        work = arrays[0].size
        run_threaded(lambda lo, hi: compiled(u(lo), u(hi), rows, columns, *arrays), len(arrays[0]), work)


class SumPool2d(Pool2d):
    """Sum over each window.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), optional
        Distance between windows; by default they lie side by side.
    padding : int or (int, int), default 0
        Zeros on each side of the image, at most half a window.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.SumPool2d(2), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[10., 18.]]]]], dtype=float32)
    """

    kind = "sumpool2d"
    scale = 1.0

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        self.run_loop("total", x, y, scale=self.scale)

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        self.run_loop("total_reverse", gy, gx, scale=self.scale)


class AvgPool2d(SumPool2d):
    """Mean over each window; padding counts as zeros.

    Parameters
    ----------
    kernel_size, stride, padding
        As in ``SumPool2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.AvgPool2d(2), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[2.5, 4.5]]]]], dtype=float32)
    """

    kind = "avgpool2d"

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0):
        super().__init__(kernel_size, stride, padding)
        self.scale = 1.0 / (self.kernel_size[0] * self.kernel_size[1])


class MaxPool2d(Pool2d):
    """Largest of each window; of spikes, whether there is one. The gradient goes to the first maximum.

    Parameters
    ----------
    kernel_size, stride
        As in ``SumPool2d``.
    padding : int or (int, int), default 0
        Places on each side of the image that are never the largest, at most half a window.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.MaxPool2d(2), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[5., 7.]]]]], dtype=float32)
    """

    kind = "maxpool2d"
    outside = -np.inf

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        self.run_loop("largest", x, y, buffer(tape, "at", y.shape, np.uint32))

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        self.run_loop("largest_reverse", gy, tape["at"], gx)


@functools.cache
def _compiled(name: str, device: str, dtype: np.dtype, window: tuple[int, int, int, int], scale: float) -> Callable:
    constants: dict[str, Any] = dict(zip(("KH", "KW", "SH", "SW"), window, strict=True), SCALE=scale)
    device = "python" if device == "python" else "cpu"
    return kernel(getattr(loops, name), device=device, dtype=dtype, **constants)
