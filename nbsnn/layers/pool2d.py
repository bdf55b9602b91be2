"""Pooling of images: one number for each window of each channel.

    sum:   y = sum_ij x_ij          dx_ij = dy
    mean:  y = sum_ij x_ij / n      dx_ij = dy / n          n = the window's places that count
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
from ..device.threads import DEVICES, run_kernel
from ..kernels.products import pool as loops
from ..random import Draws
from ..validate import count, switch
from .conv2d import places
from .layer import Array, Nested, Setting, buffer
from .padding import Pair, inner, pair
from .stateless import Stateless


class Pool2d(Stateless):
    """Base of the pooling layers; see ``SumPool2d``, ``AvgPool2d`` and ``MaxPool2d``."""

    kind = "pool2d"
    devices = DEVICES
    outside = 0.0  # what padding consists of
    dilation = (1, 1)

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, *, ceil_mode: bool = False):
        super().__init__()
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = self.kernel_size if stride is None else pair("stride", stride)
        self.padding, self.ceil_mode = pair("padding", padding, least=0), switch("ceil_mode", ceil_mode)
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size, strict=True)):
            raise ValueError(
                f"padding must be at most half of kernel_size {list(self.kernel_size)}, not {list(self.padding)}"
            )

    def __repr__(self) -> str:
        options = self.options()
        size = options.pop("kernel_size")
        usual = {"stride": size, "padding": 0, "dilation": 1, "ceil_mode": False, "count_include_pad": True}
        usual["divisor_override"] = None
        said = "".join(f", {k}={v!r}" for k, v in options.items() if v not in (usual[k], (usual[k], usual[k])))
        return f"{type(self).__name__}({size}{said})"

    def options(self) -> dict[str, Any]:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        return {**sizes, "ceil_mode": self.ceil_mode}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 3:
            raise ValueError(f"{self!r} needs an input of shape [channels, height, width], not {list(in_shape)}")
        self.arrange(in_shape)
        self.in_shape, self.shape = in_shape, (in_shape[0], *self.places)
        self.settle(setting)

    def arrange(self, image: tuple[int, ...]) -> None:
        """Take [C, H, W] as the shape of the images that the loops see."""
        window = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))
        found = places(repr(self), image[1:], window, self.stride, tuple(2 * p for p in self.padding))
        if self.ceil_mode:  # also windows that hang over, unless they begin behind the image
            sizes = zip(image[1:], self.padding, window, self.stride, strict=True)
            more = [-(-(n + 2 * p - w) // s) + 1 for n, p, w, s in sizes]
            lengths = zip(more, image[1:], self.padding, self.stride, strict=True)
            found = tuple(m - ((m - 1) * s >= n + p) for m, n, p, s in lengths)
        self.image, self.places = image, (found[0], found[1])
        sizes = zip(self.places, self.stride, window, image[1:], self.padding, strict=True)
        self.after = tuple(max(p, (m - 1) * s + w - n - p) for m, s, w, n, p in sizes)

    def on_gpu(self) -> Any:
        from .cuda.pool2d import CudaPool2d

        return CudaPool2d(self)

    def planes(self, x: Array) -> Array:
        """Images [T, B, C, H, W] as padded planes [T B C, H, W]."""
        x = np.require(x, self.setting.dtype, ["C", "W"]).reshape(-1, *self.image[1:])
        around = tuple(zip(self.padding, self.after, strict=True))
        if any(map(any, around)):
            x = np.pad(x, ((0, 0), *around), constant_values=self.outside)
        return x

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        self.pool(self.planes(x), y.reshape(-1, *self.places), tape)
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        if not wanted:
            return None
        height, width = self.padded_size
        gx = buffer(tape, "gx", (*gy.shape[:2], self.image[0], height, width), self.setting.dtype)
        gx[...] = 0.0
        gy = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, *self.places)
        self.spread(gy, gx.reshape(-1, height, width), tape)
        found = inner(gx, self.padding, self.image[1:]).reshape(*gx.shape[:2], *self.in_shape)
        return np.ascontiguousarray(found)

    @property
    def padded_size(self) -> tuple[int, int]:
        """Height and width of a padded plane."""
        (height, width), (top, left), (below, right) = self.image[1:], self.padding, self.after
        return height + top + below, width + left + right

    def tape_bytes(self, steps: int, batch: int) -> int:
        padded = math.prod(self.padded_size) * self.image[0]
        many = (1 + 2 * (padded != math.prod(self.image))) * padded + 2 * math.prod(self.shape)
        return many * steps * batch * self.setting.dtype.itemsize

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        """Fill ``y`` from the planes ``x``."""
        raise NotImplementedError

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        """Add to ``gx`` what comes back from ``gy``."""
        raise NotImplementedError

    def run_loop(self, name: str, *arrays: Array, scale: float = 1.0) -> None:
        """A loop over all planes."""
        window = (*self.kernel_size, *self.stride, *self.dilation)
        compiled = _compiled(name, self.setting.device, self.setting.dtype, window, scale)
        run_kernel(compiled, len(arrays[0]), arrays[0].size, *map(np.uintp, self.places), *arrays)


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
    ceil_mode : bool, default False
        Whether windows that hang over the end count, too, if they begin on the image or the padding before it.

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
    """Mean over each window.

    Parameters
    ----------
    kernel_size, stride, padding, ceil_mode
        As in ``SumPool2d``; what hangs over the padding never counts.
    count_include_pad : bool, default True
        Whether padding counts as zeros; if not, a mean is one of places on the image.
    divisor_override : int, optional
        What sums are divided by, in place of the number of places.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.AvgPool2d(2), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[2.5, 4.5]]]]], dtype=float32)
    """

    kind = "avgpool2d"

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        *,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode)
        self.count_include_pad = switch("count_include_pad", count_include_pad)
        self.divisor_override = divisor_override
        if divisor_override is not None:
            self.divisor_override = count("divisor_override", divisor_override)

    def options(self) -> dict[str, Any]:
        more = {"count_include_pad": self.count_include_pad, "divisor_override": self.divisor_override}
        return {**super().options(), **more}

    def arrange(self, image: tuple[int, ...]) -> None:
        super().arrange(image)
        whole = self.kernel_size[0] * self.kernel_size[1]
        self.scale, self.factors = 1.0 / (self.divisor_override or whole), None
        counts = np.outer(*(self._counted(axis, length) for axis, length in enumerate(image[1:])))
        if self.divisor_override is None and (counts != whole).any():
            self.scale, self.factors = 1.0, 1.0 / counts

    def _counted(self, axis: int, length: int) -> Array:
        """How many places of each window along an axis count."""
        padding = self.padding[axis] if self.count_include_pad else 0
        start = np.arange(self.places[axis]) * self.stride[axis] - self.padding[axis]
        return np.minimum(start + self.kernel_size[axis], length + padding) - np.maximum(start, -padding)

    def on_gpu(self) -> Any:
        if self.factors is not None:
            raise NotImplementedError(
                f'{self!r}: means of different numbers of places have no counterpart on a GPU yet: use device="cpu"'
            )
        return super().on_gpu()

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        super().pool(x, y, tape)
        if self.factors is not None:
            y *= self.factors.astype(y.dtype)

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        super().spread(gy if self.factors is None else gy * self.factors.astype(gy.dtype), gx, tape)


class MaxPool2d(Pool2d):
    """Largest of each window; of spikes, whether there is one. The gradient goes to the first maximum.

    Parameters
    ----------
    kernel_size, stride
        As in ``SumPool2d``.
    padding : int or (int, int), default 0
        Places on each side of the image that are never the largest, at most half a window.
    dilation : int or (int, int), default 1
        Distance between the places of a window.
    ceil_mode : bool, default False
        As in ``SumPool2d``.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.MaxPool2d(2), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[5., 7.]]]]], dtype=float32)
    """

    kind = "maxpool2d"
    outside = -np.inf

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        *,
        dilation: Pair = 1,
        ceil_mode: bool = False,
    ):
        super().__init__(kernel_size, stride, padding, ceil_mode=ceil_mode)
        self.dilation = pair("dilation", dilation)

    @property
    def fuses_as(self) -> str:
        apart = self.stride == self.kernel_size and self.dilation == (1, 1) and not any(self.padding)
        return "maximum" if type(self) is MaxPool2d and apart else ""

    def options(self) -> dict[str, Any]:
        return {**super().options(), "dilation": self.dilation}

    def arrange(self, image: tuple[int, ...]) -> None:
        super().arrange(image)
        for axis, length in enumerate(image[1:]):
            first = np.arange(self.places[axis]) * self.stride[axis] - self.padding[axis]
            seen = first[:, None] + np.arange(self.kernel_size[axis]) * self.dilation[axis]
            if not ((seen >= 0) & (seen < length)).any(axis=1).all():
                raise ValueError(f"{self!r}: a window sees padding alone on an image of {list(image[1:])}")

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        self.run_loop("largest", x, y, buffer(tape, "at", y.shape, np.uint32))

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        self.run_loop("largest_reverse", gy, tape["at"], gx)


@functools.cache
def _compiled(name: str, device: str, dtype: np.dtype, window: tuple[int, ...], scale: float) -> Callable[..., None]:
    constants: dict[str, Any] = dict(zip(("KH", "KW", "SH", "SW", "DH", "DW"), window, strict=True), SCALE=scale)
    device = "python" if device == "python" else "cpu"
    return kernel(getattr(loops, name), device=device, dtype=dtype, **constants)
