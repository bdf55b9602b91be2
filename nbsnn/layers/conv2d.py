"""Convolution of images: every place of the output sees a window of the input through the same weights.

    y[n, o, h, w] = b[o] + sum_cij x[n, c, h * stride_h + i * dilation_h - padding_h,
                                     w * stride_w + j * dilation_w - padding_w] W[c, i, j, o]

(cross-correlation, as everywhere in the field). In groups, the sum runs over the channels c of o's own group. As a
matrix product: ``kernels/products/patches.py`` lays out what each weight sees as P [C KH KW, N H' W'], and then, group
by group,

    Y = W^T P,   dW = P dY^T,   dP = W dY

P is far larger than the input, so it is made for a block of images at a time, and recomputed in the backward pass. With
a stride and a dilation of 1, one group and zeros around, the CPU makes the same sums without it (``conv_direct``), and
of few spikes by adding up windows of weights (``conv_events``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import init
from ..compile.fill import kernel
from ..device.buffers import block_buffer
from ..device.products import matmul
from ..device.threads import DEVICES, run_kernel, threads
from ..kernels.products import patches as loops
from ..random import Draws
from ..validate import UNITS, choice, count, switch
from .conv_direct import DirectProducts
from .conv_events import PIECES, SpikeWindows
from .initial import initializer, weight_and_bias
from .layer import Array, Nested, Setting, buffer
from .padding import MODES, Pair, check_fits, inner, padded_by, pair, surround, surround_reverse
from .parameters import Learned
from .presynaptic import Presynaptic
from .stateless import Stateless

BLOCK = 4 * 2**20
"""Bytes of patches in a block: few enough to be in the cache still when BLAS reads them. Measured on two cores, 640
images of 12x12x12 to 64 channels by 5x5, forward and backward: 4 MB 36 ms, 16 MB 44 ms; the products alone 27 ms."""


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
    padding : int, (int, int), "same" or "valid", default 0
        Places on each side of the image; "same" adds as many as keep its size, an odd one at the end, and needs a
        stride of 1; "valid" is 0.
    dilation : int or (int, int), default 1
        Distance between the places of a window.
    groups : int, default 1
        Into how many parts the channels are cut, each part after seeing only its part before.
    bias : bool, default True
        Whether each channel after gets a constant current of its own.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}
        What stands there: zeros; the image mirrored at its edge, which is not repeated; its edge; its other end.
    path : {"auto", "dense", "events"}
        How to multiply: all numbers; for inputs of spikes, by adding up the windows of weights that they choose, which
        needs a stride and a dilation of 1, one group and zeros around; or whichever is faster at the activity that is
        counted in each batch. Results agree to rounding. On a GPU "auto" is dense.
    weight, bias_init : callable, optional
        Initial values, from ``nbsnn.init``; both are uniform within 1/sqrt(fan-in) by default, the
        fan-in being c_pre KH KW / groups.

    Notes
    -----
    Input is [T, B, C, H, W], output [T, B, C', H', W'] with
    ``H' = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1``.

    ``params["weight"]`` is [c_pre / groups, KH, KW, c_post], presynaptic first as in ``Dense``:
    ``weight.reshape(-1, c_post)`` is the matrix from all that one place sees to its channels. PyTorch's
    [c_post, c_pre / groups, KH, KW] is ``weight.transpose(3, 0, 1, 2)``, and back ``.transpose(1, 2, 3, 0)``.
    ``params["bias"]`` is [c_post].

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Conv2d(1, 8, 5, padding=2), nbsnn.neurons.LIF(), input_shape=(1, 28, 28))
    >>> net["conv2d1"].params["weight"].shape, net.shape
    ((1, 5, 5, 8), (8, 28, 28))
    """

    kind = "conv2d"
    devices = DEVICES
    weight = Learned()

    def __init__(
        self,
        c_pre: int,
        c_post: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair | str = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        path: str = "auto",
        weight: Callable[..., Array] | None = None,
        bias_init: Callable[..., Array] | None = None,
    ):
        super().__init__()
        self.c_pre, self.c_post = count("c_pre", c_pre, most=UNITS), count("c_post", c_post, most=UNITS)
        self.kernel_size, self.stride = pair("kernel_size", kernel_size), pair("stride", stride)
        self.dilation, self.groups = pair("dilation", dilation), count("groups", groups, most=UNITS)
        for name, channels in (("c_pre", self.c_pre), ("c_post", self.c_post)):
            if channels % self.groups:
                raise ValueError(f"{name} must be a multiple of groups, which is {groups}, not {channels}")
        self.window = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel_size, strict=True))
        self.padding, self.before, self.after = padded_by(padding, self.window, self.stride)
        self.bias, self.padding_mode = switch("bias", bias), choice("padding_mode", padding_mode, MODES)
        self.path = choice("path", path, ("auto", "dense", "events"))
        self.ordinary = self.stride == self.dilation == (1, 1) and self.groups == 1 and padding_mode == "zeros"
        if path == "events" and not self.ordinary:
            raise ValueError('path="events" needs a stride and a dilation of 1, one group and padding with zeros')
        self.fan_in = self.c_pre // self.groups * self.kernel_size[0] * self.kernel_size[1]
        bound = self.fan_in**-0.5
        self.weight_init = initializer("weight", weight, init.kaiming_uniform())
        self.bias_init = initializer("bias_init", bias_init, init.uniform(-bound, bound))

    def __repr__(self) -> str:
        options = self.options()
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1, "groups": 1, "bias": True}
        usual |= {"padding_mode": "zeros"}
        said = "".join(f", {k}={options[k]!r}" for k, v in usual.items() if options.get(k, v) not in (v, (v, v)))
        return f"{type(self).__name__}({self.c_pre}, {self.c_post}, {options['kernel_size']}{said})"

    def options(self) -> dict[str, Any]:
        sizes = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        more = {"dilation": self.dilation, "groups": self.groups, "bias": self.bias, "padding_mode": self.padding_mode}
        return {"c_pre": self.c_pre, "c_post": self.c_post, **sizes, **more, "path": self.path}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) != 3 or in_shape[0] != self.c_pre:
            raise ValueError(
                f"{self!r} needs an input of shape [{self.c_pre}, height, width], but is given {list(in_shape)}"
            )
        self.arrange(in_shape)
        self.in_shape, self.shape = in_shape, (self.c_post, *self.places)
        self.draw((self.c_pre // self.groups, *self.kernel_size, self.c_post), setting, draws)

    def arrange(self, image: tuple[int, ...]) -> None:
        """Take [C, H, W] as the shape of the images that the loops see."""
        around = tuple(a + b for a, b in zip(self.before, self.after, strict=True))
        self.places = places(repr(self), image[1:], self.window, self.stride, around)
        self.image = image
        check_fits(repr(self), self.padding_mode, image[1:], self.before, self.after)

    def draw(self, shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        """Make the parameters, of weights of this shape, and settle."""
        fan_out = self.fan_in * self.c_post // self.c_pre
        fans: dict[str, Any] = {"fan_in": self.fan_in, "fan_out": fan_out, "dtype": setting.dtype}
        self.params = weight_and_bias(self, shape, self.c_post, draws, **fans)
        self.by_spikes = self.direct = None
        if self.ordinary and setting.device == "cpu":
            sizes = self.image, (self.c_pre, *self.kernel_size, self.c_post), self.places, self.before, setting.dtype
            if all(max(pair) < k for *pair, k in zip(self.before, self.after, self.kernel_size, strict=True)):
                self.direct = DirectProducts(*sizes)
            if self.path != "dense" and not setting.smooth:
                self.by_spikes = SpikeWindows(*sizes, self.path)
        self.settle(setting)

    @property
    def fuses_as(self) -> str:
        return "convolution" if type(self) is Conv2d and self.by_spikes is not None else ""

    def on_gpu(self) -> Any:
        from .cuda.conv2d import CudaConv2d

        if self.path == "events":
            raise NotImplementedError(f'{self!r}: path="events" has no counterpart on a GPU yet: use path="auto"')
        if self.groups > 1 or self.padding_mode != "zeros":
            what = "groups have" if self.groups > 1 else f"padding_mode={self.padding_mode!r} has"
            raise NotImplementedError(f'{self!r}: {what} no counterpart on a GPU yet: use device="cpu"')

        return CudaConv2d(self)

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        self.offer(x, tape)
        pre: Presynaptic[Array, None] = tape["pre"]
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        out = y.reshape(-1, self.c_post, self.area)
        if self.by_spikes is not None and pre.events is not None:
            weight = self.matrix.reshape(self.by_spikes.shape)
            self.by_spikes.forward(pre.events, weight, self.offset, out, tape)
            return y
        if self.direct is not None:
            self.direct.forward(pre.x, self.matrix.reshape(self.direct.shape), self.offset, out)
            return y
        for n0, n1 in self.blocks(len(pre.x)):
            product = self.columns(n1 - n0, tape)
            patches = self.patches(pre.x[n0:n1], tape)
            matmul(self.matrix.transpose(0, 2, 1), patches, out=product.reshape(self.groups, -1, patches.shape[-1]))
            if (offset := self.offset) is not None:
                np.add(product.transpose(1, 0, 2), offset[:, None], out=out[n0:n1])
            else:
                out[n0:n1] = product.transpose(1, 0, 2)
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        pre: Presynaptic[Array, None] = tape["pre"]
        images, events = pre.x, pre.events
        g = np.require(gy, self.setting.dtype, ["C", "W"]).reshape(-1, self.c_post, self.area)
        gx = buffer(tape, "gx", images.shape, self.setting.dtype) if wanted else None
        found, by = None, self.direct
        if self.by_spikes is not None and events is not None:
            found = self.by_spikes.backward(events, g)
        elif self.direct is not None:
            found = self.direct.backward(images, g)
        if found is not None:
            grads["weight"] += found[0].reshape(grads["weight"].shape)
            if self.bias:
                grads["bias"] += found[1]
            if gx is None:
                return None
            if self.by_spikes is not None and (by is None or self.by_spikes.pulls_faster(g, by.work)):
                by = self.by_spikes
            if by is not None:
                by.pull(g, self.matrix.reshape(by.shape), gx)
            return gx.reshape(*gy.shape[:2], *self.in_shape)
        product = buffer(tape, "gW", self.matrix.shape, self.setting.dtype)
        for n0, n1 in self.blocks(len(images)):
            columns = self.columns(n1 - n0, tape)
            columns[...] = g[n0:n1].transpose(1, 0, 2)
            if self.bias:
                grads["bias"] += columns.reshape(self.c_post, -1).sum(axis=1)
            patches = self.patches(images[n0:n1], tape)
            columns = columns.reshape(self.groups, -1, patches.shape[-1])
            matmul(patches, columns.transpose(0, 2, 1), out=product)
            grads["weight"] += product.transpose(1, 0, 2).reshape(grads["weight"].shape)
            if gx is not None:
                self.spread(matmul(self.matrix, columns, out=patches), gx[n0:n1], tape)
        return None if gx is None else gx.reshape(*gy.shape[:2], *self.in_shape)

    def tape_bytes(self, steps: int, batch: int) -> int:
        if self.direct is not None:
            numbers = min(threads(), steps * batch) * self.direct.room + (PIECES + 3) * self.params["weight"].size
        else:
            block = min(steps * batch, next(self.blocks(steps * batch))[1])
            numbers = block * (self.groups * self.fan_in + 2 * self.c_post) * self.area + 3 * self.params["weight"].size
        numbers += (math.prod(self.in_shape) + math.prod(self.shape)) * steps * batch
        return numbers * self.setting.dtype.itemsize

    def offer(self, x: Array, tape: Nested) -> None:
        images = np.require(x, self.setting.dtype, ["C", "W"]).reshape(-1, *self.image)
        events = None if self.by_spikes is None else self.by_spikes.find(images, tape, alone=True)
        tape["pre"] = Presynaptic(images, events)

    @property
    def matrix(self) -> Array:
        """The weights of each group as [groups, C KH KW, C'], a view."""
        return self.params["weight"].reshape(self.fan_in, self.groups, -1).transpose(1, 0, 2)

    @property
    def offset(self) -> Array | None:
        """The bias as it is used."""
        return self.params.get("bias")

    @property
    def area(self) -> int:
        """Places in an output image."""
        return self.places[0] * self.places[1]

    def blocks(self, images: int) -> Iterator[tuple[int, int]]:
        """The images, cut into blocks."""
        size = max(1, BLOCK // (self.groups * self.fan_in * self.area * self.setting.dtype.itemsize))
        return ((n, min(n + size, images)) for n in range(0, images, size))

    def columns(self, images: int, tape: Nested) -> Array:
        """Room for a block of outputs, channel first: [C', images, H' W']."""
        return block_buffer(tape, "columns", (self.c_post, images, self.area), self.setting.dtype)

    def patches(self, images: Array, tape: Nested) -> Array:
        """The patches of a block of images, [groups, C KH KW, images H' W']; overwritten by the next call."""
        shape = (self.c_pre, *self.kernel_size, len(images), *self.places)
        patches = block_buffer(tape, "patches", shape, self.setting.dtype)
        if self.is_padded:
            padded = self.padded(len(images), tape)
            self.within(padded)[...] = images
            if self.padding_mode != "zeros":
                surround(padded, self.before, self.image[1:], self.after, self.padding_mode)
            images = padded
        self.run_loop("gather", images, patches)
        return patches.reshape(self.groups, self.fan_in, -1)

    def spread(self, patches: Array, gx: Array, tape: Nested) -> None:
        """Fill ``gx`` with the reverse of ``patches``."""
        patches = patches.reshape(self.c_pre, *self.kernel_size, len(gx), *self.places)
        if self.is_padded:
            padded = self.padded(len(gx), tape)
            self.run_loop("scatter", padded, patches)
            if self.padding_mode != "zeros":
                surround_reverse(padded, self.before, self.image[1:], self.after, self.padding_mode)
            gx[...] = self.within(padded)
        else:
            gx[...] = 0.0
            self.run_loop("scatter", gx, patches)

    @property
    def is_padded(self) -> bool:
        """True if there is something around the images."""
        return any(self.before) or any(self.after)

    def within(self, padded: Array) -> Array:
        """The part of padded images that is not padding, as a view."""
        return inner(padded, self.before, self.image[1:])

    def padded(self, images: int, tape: Nested) -> Array:
        """Zeros of the size of a block of padded images."""
        height, width = (n + a + b for n, a, b in zip(self.image[1:], self.before, self.after, strict=True))
        padded = block_buffer(tape, "padded", (images, self.c_pre, height, width), self.setting.dtype)
        padded[...] = 0.0
        return padded

    def run_loop(self, name: str, images: Array, patches: Array) -> None:
        """``gather`` or ``scatter`` over a block of images."""
        compiled = _compiled(name, self.setting.device, self.setting.dtype, self.stride[1])
        sizes = tuple(map(np.uintp, (self.c_pre, *self.kernel_size, *self.places, self.stride[0], *self.dilation)))
        run_kernel(compiled, len(images), patches.size, sizes, images, patches)


@functools.cache
def _compiled(name: str, device: str, dtype: np.dtype, stride: int) -> Callable[..., None]:
    return kernel(getattr(loops, name), device="python" if device == "python" else "cpu", dtype=dtype, STRIDE=stride)


def places(
    layer: str, image: tuple[int, ...], window: tuple[int, ...], stride: tuple[int, int], around: tuple[int, ...]
) -> tuple[int, int]:
    """Rows and columns of places that a window has on an image with zeros ``around``, those of both sides together."""
    spare = [n + p - k for n, p, k in zip(image, around, window, strict=True)]
    if min(spare) < 0:
        raise ValueError(f"{layer}: a window of {list(window)} does not fit an image of {list(image)}")
    return spare[0] // stride[0] + 1, spare[1] // stride[1] + 1
