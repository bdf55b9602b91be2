"""Convolution of images: every place of the output sees a window of the input through the same weights.

    y[n, o, h, w] = b[o] + sum_cij x[n, c, h * stride_h + i - padding_h, w * stride_w + j - padding_w] W[c, i, j, o]

(cross-correlation, as everywhere in the field). As a matrix product: ``kernels/products/patches.py`` lays out what each
weight sees as P [C KH KW, N H' W'], and then

    Y = W^T P,   dW = P dY^T,   dP = W dY

P is far larger than the input, so it is made for a block of images at a time, and recomputed in the backward pass.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import init
from ..compile.fill import kernel
from ..device.threads import DEVICES, run_threaded
from ..kernels.products import patches as loops
from ..random import Draws
from ..validate import UNITS, count, switch
from .initial import initial, initializer
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless

BLOCK = 4 * 2**20
"""Bytes of patches in a block: few enough to be in the cache still when BLAS reads them. Measured on two cores, 640
images of 12x12x12 to 64 channels by 5x5, forward and backward: 4 MB 36 ms, 16 MB 44 ms; the products alone 27 ms."""

Pair = int | tuple[int, int]


class Conv2d(Stateless):
    """Convolution over the last two axes.

    Parameters
    ----------
    c_pre, c_post : int
        Channels before and after.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), default 1
        Distance between windows.
    padding : int or (int, int), default 0
        Zeros on each side of the image.
    bias : bool, default True
        Whether each channel after gets a constant current of its own.
    weight, bias_init : callable, optional
        Initial values, from ``nbsnn.init``; both are uniform within 1/sqrt(c_pre KH KW) by default.

    Notes
    -----
    Input is [T, B, C, H, W], output [T, B, C', H', W'] with ``H' = (H + 2 padding - KH) // stride + 1``.

    ``params["weight"]`` is [c_pre, KH, KW, c_post], presynaptic first as in ``Dense``: ``weight.reshape(-1, c_post)``
    is the matrix from all that one place sees to its channels. PyTorch's [c_post, c_pre, KH, KW] is
    ``weight.transpose(3, 0, 1, 2)``, and back ``.transpose(1, 2, 3, 0)``. ``params["bias"]`` is [c_post].

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Conv2d(1, 8, 5, padding=2), nbsnn.neurons.LIF(), input_shape=(1, 28, 28))
    >>> net["conv2d1"].params["weight"].shape, net.shape
    ((1, 5, 5, 8), (8, 28, 28))
    """

    kind = "conv2d"
    devices = DEVICES

    def __init__(
        self,
        c_pre: int,
        c_post: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        bias: bool = True,
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        super().__init__()
        self.c_pre, self.c_post = count("c_pre", c_pre, most=UNITS), count("c_post", c_post, most=UNITS)
        self.kernel_size, self.stride = pair("kernel_size", kernel_size), pair("stride", stride)
        self.padding = pair("padding", padding, least=0)
        self.bias = switch("bias", bias)
        self.fan_in = self.c_pre * self.kernel_size[0] * self.kernel_size[1]
        bound = self.fan_in**-0.5
        self.weight = initializer("weight", weight, init.kaiming_uniform())
        self.bias_init = initializer("bias_init", bias_init, init.uniform(-bound, bound))

    def __repr__(self) -> str:
        options = f", stride={self.stride}" * (self.stride != (1, 1)) + f", padding={self.padding}" * any(self.padding)
        bias = "" if self.bias else ", bias=False"
        return f"Conv2d({self.c_pre}, {self.c_post}, {self.kernel_size}{options}{bias})"

    def options(self) -> dict[str, Any]:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        return {"c_pre": self.c_pre, "c_post": self.c_post, **sizes, "bias": self.bias}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 3 or in_shape[0] != self.c_pre:
            raise ValueError(
                f"{self!r} needs an input of shape [{self.c_pre}, height, width], but is given {list(in_shape)}"
            )
        self.places = places(repr(self), in_shape[1:], self.kernel_size, self.stride, self.padding)
        self.in_shape, self.shape = in_shape, (self.c_post, *self.places)
        area = self.kernel_size[0] * self.kernel_size[1]
        fans: dict[str, Any] = {"fan_in": self.fan_in, "fan_out": self.c_post * area, "dtype": setting.dtype}
        shape = (self.c_pre, *self.kernel_size, self.c_post)
        self.params = {"weight": initial("weight", self.weight, shape, draws=draws.fold("weight"), **fans)}
        if self.bias:
            self.params["bias"] = initial("bias_init", self.bias_init, (self.c_post,), draws=draws.fold("bias"), **fans)
        self.settle(setting)

    def on_gpu(self) -> Any:
        from .cuda.conv2d import CudaConv2d

        return CudaConv2d(self)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        self.offer(x, tape)
        images = tape["pre"]
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        out = y.reshape(-1, self.c_post, self.area)
        for n0, n1 in self.blocks(len(images)):
            product = self.columns(n1 - n0, tape)
            np.matmul(self.matrix.T, self.patches(images[n0:n1], tape), out=product.reshape(self.c_post, -1))
            if self.bias:
                np.add(product.transpose(1, 0, 2), self.params["bias"][:, None], out=out[n0:n1])
            else:
                out[n0:n1] = product.transpose(1, 0, 2)
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        images = tape["pre"]
        g = gy.reshape(-1, self.c_post, self.area)
        gx = buffer(tape, "gx", images.shape, self.setting.dtype) if wanted else None
        product = buffer(tape, "gW", self.matrix.shape, self.setting.dtype)
        for n0, n1 in self.blocks(len(images)):
            columns = self.columns(n1 - n0, tape)
            columns[...] = g[n0:n1].transpose(1, 0, 2)
            columns = columns.reshape(self.c_post, -1)
            patches = self.patches(images[n0:n1], tape)
            grads["weight"] += np.matmul(patches, columns.T, out=product).reshape(grads["weight"].shape)
            if self.bias:
                grads["bias"] += columns.sum(axis=1)
            if gx is not None:
                self.spread(np.matmul(self.matrix, columns, out=patches), gx[n0:n1], tape)
        return None if gx is None else gx.reshape(*gy.shape[:2], *self.in_shape)

    def tape_bytes(self, steps: int, batch: int) -> int:
        block = min(steps * batch, next(self.blocks(steps * batch))[1])
        numbers = block * (self.fan_in + 2 * self.c_post) * self.area + 3 * self.matrix.size
        numbers += (math.prod(self.in_shape) + math.prod(self.shape)) * steps * batch
        return numbers * self.setting.dtype.itemsize

    def offer(self, x: Array, tape: Nested) -> None:
        tape["pre"] = np.require(x, self.setting.dtype, ["C", "W"]).reshape(-1, *self.in_shape)

    @property
    def matrix(self) -> Array:
        """The weights as [C KH KW, C']."""
        return self.params["weight"].reshape(-1, self.c_post)

    @property
    def area(self) -> int:
        """Places in an output image."""
        return self.places[0] * self.places[1]

    def blocks(self, images: int) -> Iterator[tuple[int, int]]:
        """The images, cut into blocks."""
        size = max(1, BLOCK // (self.fan_in * self.area * self.setting.dtype.itemsize))
        return ((n, min(n + size, images)) for n in range(0, images, size))

    def columns(self, images: int, tape: Nested) -> Array:
        """Room for a block of outputs, channel first: [C', images, H' W']."""
        return work(tape, "columns", (self.c_post, images, self.area), self.setting.dtype)

    def patches(self, images: Array, tape: Nested) -> Array:
        """The patches of a block of images, [C KH KW, images H' W']; overwritten by the next call."""
        shape = (self.c_pre, *self.kernel_size, len(images), *self.places)
        patches = work(tape, "patches", shape, self.setting.dtype)
        if any(self.padding):
            padded = self.padded(len(images), tape)
            inner(padded, self.padding)[...] = images
            images = padded
        self.run_loop("gather", images, patches)
        return patches.reshape(self.fan_in, -1)

    def spread(self, patches: Array, gx: Array, tape: Nested) -> None:
        """Fill ``gx`` with the reverse of ``patches``."""
        patches = patches.reshape(self.c_pre, *self.kernel_size, len(gx), *self.places)
        if any(self.padding):
            padded = self.padded(len(gx), tape)
            self.run_loop("scatter", padded, patches)
            gx[...] = inner(padded, self.padding)
        else:
            gx[...] = 0.0
            self.run_loop("scatter", gx, patches)

    def padded(self, images: int, tape: Nested) -> Array:
        """Zeros of the size of a block of padded images."""
        height, width = (n + 2 * p for n, p in zip(self.in_shape[1:], self.padding, strict=True))
        padded = work(tape, "padded", (images, self.c_pre, height, width), self.setting.dtype)
        padded[...] = 0.0
        return padded

    def run_loop(self, name: str, images: Array, patches: Array) -> None:
        """``gather`` or ``scatter`` over a block of images."""
        u, compiled = np.uintp, _compiled(name, self.setting.device, self.setting.dtype, self.stride[1])
        sizes = tuple(map(u, (self.c_pre, *self.kernel_size, *self.places, self.stride[0])))
        run_threaded(lambda lo, hi: compiled(u(lo), u(hi), sizes, images, patches), len(images), patches.size)


@functools.cache
def _compiled(name: str, device: str, dtype: np.dtype, stride: int) -> Callable:
    return kernel(getattr(loops, name), device="python" if device == "python" else "cpu", dtype=dtype, STRIDE=stride)


def work(tape: Nested, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """As ``buffer``, for the blocks of one run: the last, smaller one is a part of the others' array."""
    size = int(np.prod(shape))
    array = tape.get(name)
    if array is None or array.size < size or array.dtype != dtype:
        array = tape[name] = np.empty(size, dtype)
    return array[:size].reshape(shape)


def inner(padded: Array, padding: tuple[int, int]) -> Array:
    """The part of padded images that is not padding, as a view."""
    top, left = padding
    return padded[..., top : padded.shape[-2] - top, left : padded.shape[-1] - left]


def pair(name: str, value: Any, *, least: int = 1) -> tuple[int, int]:
    """Height and width, of which one number makes both."""
    if not isinstance(value, (tuple, list)):
        value = (value, value)
    if len(value) != 2:
        raise ValueError(f"{name} must be an integer or a pair (height, width), not {value!r}")
    return count(name, value[0], least=least, most=UNITS), count(name, value[1], least=least, most=UNITS)


def places(
    layer: str, image: tuple[int, ...], kernel_size: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int]
) -> tuple[int, int]:
    """Rows and columns of places that a window has on a padded image."""
    spare = [n + 2 * p - k for n, p, k in zip(image, padding, kernel_size, strict=True)]
    if min(spare) < 0:
        raise ValueError(f"{layer}: a window of {list(kernel_size)} does not fit an image of {list(image)}")
    return spare[0] // stride[0] + 1, spare[1] // stride[1] + 1
