"""Transposed convolution of images: every place of the input writes a window of the output, windows add up.

    y[n, o, h * stride_h + i * dilation_h - padding_h, w * stride_w + j * dilation_w - padding_w]
        = b[o] + sum over c, h, w, i, j that meet there of x[n, c, h, w] W[c, i, j, o]

It is the reverse of a convolution from y to x, whose patches P and blocks it takes (``conv2d.py``); group by group,

    P = W X,   dX = W^T P(dy),   dW = P(dy) X^T
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import init
from ..device.buffers import block_buffer
from ..device.products import matmul
from ..random import Draws
from ..validate import UNITS, count, switch
from .conv2d import Conv2d
from .initial import initializer, weight_and_bias
from .layer import Array, Nested, Setting, buffer
from .padding import Pair, pair
from .parameters import Learned
from .presynaptic import Presynaptic
from .stateless import Stateless


class ConvTranspose2d(Stateless):
    """Transposed convolution over the last two axes: images become larger.

    Parameters
    ----------
    c_pre, c_post : int
        Channels before and after.
    kernel_size : int or (int, int)
        Height and width of the window.
    stride : int or (int, int), default 1
        Distance between the windows that neighbouring places of the input write.
    padding : int or (int, int), default 0
        What is cut off from the output on each side.
    output_padding : int or (int, int), default 0
        What is added to the output at its end; less than stride or dilation.
    dilation : int or (int, int), default 1
        Distance between the places of a window.
    groups : int, default 1
        Into how many parts the channels are cut, each part after seeing only its part before.
    bias : bool, default True
        Whether each channel after gets a constant current of its own.
    weight, bias_init : callable, optional
        Initial values, from ``nbsnn.init``; both are uniform within 1/sqrt(fan-in) by default, where the fan-in is
        c_post KH KW / groups, as in PyTorch.

    Notes
    -----
    Input is [T, B, C, H, W], output [T, B, C', H', W'] with
    ``H' = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1``.

    ``params["weight"]`` is [c_pre, KH, KW, c_post / groups], presynaptic first; PyTorch's [c_pre, c_post / groups, KH,
    KW] is ``weight.transpose(0, 3, 1, 2)``, and back ``.transpose(0, 2, 3, 1)``. ``params["bias"]`` is [c_post].

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.ConvTranspose2d(8, 1, 4, stride=2, padding=1), input_shape=(8, 14, 14))
    >>> net["convtranspose2d1"].params["weight"].shape, net.shape
    ((8, 4, 4, 1), (1, 28, 28))
    """

    kind = "convtranspose2d"

    weight = Learned()

    def __init__(
        self,
        c_pre: int,
        c_post: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        output_padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        super().__init__()
        self.c_pre, self.c_post = count("c_pre", c_pre, most=UNITS), count("c_post", c_post, most=UNITS)
        self.stride, self.output_padding = pair("stride", stride), pair("output_padding", output_padding, least=0)
        padding = pair("padding", padding, least=0)  # "same" and "valid" have no meaning here
        more: dict[str, Any] = {"padding": padding, "dilation": dilation, "groups": groups}
        self.back = Conv2d(self.c_post, self.c_pre, kernel_size, stride=self.stride, bias=False, **more)
        self.kernel_size, self.padding, self.dilation = self.back.kernel_size, padding, self.back.dilation
        self.groups, self.bias = self.back.groups, switch("bias", bias)
        if any(o >= max(s, d) for o, s, d in zip(self.output_padding, self.stride, self.dilation, strict=True)):
            raise ValueError(
                f"output_padding must be less than stride {list(self.stride)} or dilation {list(self.dilation)}, not "
                f"{output_padding!r}"
            )
        bound = self.back.fan_in**-0.5
        self.weight_init = initializer("weight", weight, init.kaiming_uniform())
        self.bias_init = initializer("bias_init", bias_init, init.uniform(-bound, bound))

    __repr__ = Conv2d.__repr__

    def options(self) -> dict[str, Any]:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        more = {"output_padding": self.output_padding, "dilation": self.dilation}
        return {"c_pre": self.c_pre, "c_post": self.c_post, **sizes, **more, "groups": self.groups, "bias": self.bias}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 3 or in_shape[0] != self.c_pre:
            raise ValueError(
                f"{self!r} needs an input of shape [{self.c_pre}, height, width], but is given {list(in_shape)}"
            )
        self.in_shape, self.shape = in_shape, (self.c_post, *self.arrange(in_shape[1:]))
        self.draw((self.c_pre, *self.kernel_size, self.c_post // self.groups), setting, draws)

    def arrange(self, places: tuple[int, ...]) -> tuple[int, ...]:
        """Take the height and width of the input; returns those of the output."""
        steps = zip(places, self.stride, self.padding, self.back.window, self.output_padding, strict=True)
        image = tuple((n - 1) * s - 2 * p + w + more for n, s, p, w, more in steps)
        if min(image) < 1:
            raise ValueError(f"{self!r}: of an image of {list(places)} the padding leaves nothing")
        self.back.image, self.back.places = (self.c_post, *image), (places[0], places[1])
        return image

    def draw(self, shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        """Make the parameters, of weights of this shape, and settle."""
        fan_out = math.prod(shape) // self.c_post
        fans: dict[str, Any] = {"fan_in": self.back.fan_in, "fan_out": fan_out, "dtype": setting.dtype}
        self.params = weight_and_bias(self, shape, self.c_post, draws, **fans)
        self.settle(setting)
        self.back.setting = setting

    def offer(self, x: Array, tape: Nested) -> None:
        images = np.require(x, self.setting.dtype, ["C", "W"]).reshape(-1, self.c_pre, self.back.area)
        tape["pre"] = Presynaptic(images)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        self.offer(x, tape)
        pre: Presynaptic[Array, None] = tape["pre"]
        back, images, matrix = self.back, pre.x, self.matrix
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        out = y.reshape(-1, *back.image)
        for n0, n1 in back.blocks(len(images)):
            columns = self.columns(images[n0:n1], tape)
            patches = block_buffer(tape, "patches", (*matrix.shape[:2], columns.shape[-1]), self.setting.dtype)
            back.spread(matmul(matrix, columns, out=patches), out[n0:n1], tape)
        if self.bias:
            out += self.params["bias"][:, None, None]
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        pre: Presynaptic[Array, None] = tape["pre"]
        back, images, matrix = self.back, pre.x, self.matrix
        g = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, *back.image)
        gx = buffer(tape, "gx", images.shape, self.setting.dtype) if wanted else None
        total = np.zeros_like(matrix)
        for n0, n1 in back.blocks(len(images)):
            patches = back.patches(g[n0:n1], tape)
            total += matmul(patches, self.columns(images[n0:n1], tape).transpose(0, 2, 1))
            if gx is not None:
                product = matmul(matrix.transpose(0, 2, 1), patches)
                gx[n0:n1] = product.reshape(self.c_pre, n1 - n0, -1).transpose(1, 0, 2)
        shape = (-1, *self.kernel_size, self.c_pre)
        grads["weight"] += total.transpose(1, 0, 2).reshape(shape).transpose(3, 1, 2, 0).reshape(grads["weight"].shape)
        if self.bias:
            grads["bias"] += g.sum(axis=(0, 2, 3))
        return None if gx is None else gx.reshape(*gy.shape[:2], *self.in_shape)

    def tape_bytes(self, steps: int, batch: int) -> int:
        block, area = next(self.back.blocks(steps * batch))[1], self.back.area
        numbers = block * (self.groups * self.back.fan_in + 2 * self.c_pre) * area + 3 * self.params["weight"].size
        numbers += (math.prod(self.in_shape) + math.prod(self.shape)) * steps * batch
        return numbers * self.setting.dtype.itemsize

    @property
    def matrix(self) -> Array:
        """The weights of each group as [groups, C' KH KW, C]."""
        weight = self.params["weight"].reshape(self.c_pre, *self.kernel_size, -1).transpose(3, 1, 2, 0)
        return np.ascontiguousarray(weight.reshape(self.back.fan_in, self.groups, -1).transpose(1, 0, 2))

    def columns(self, images: Array, tape: Nested) -> Array:
        """A block of inputs, channel first: [groups, C, images H W]."""
        columns = self.back.columns(len(images), tape)
        columns[...] = images.transpose(1, 0, 2)
        return columns.reshape(self.groups, -1, len(images) * self.back.area)
