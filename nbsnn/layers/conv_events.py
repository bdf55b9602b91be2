"""Convolution of spikes on the CPU, by adding up windows of weights, where spikes are few (see
``kernels.products.conv_events``)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from functools import partial

import numpy as np

from ..compile.fill import kernel
from ..device.buffers import block_buffer
from ..device.products import matmul
from ..device.threads import run_threaded, windows
from ..kernels.products import conv_events as loops
from ..spikes.break_even import SMALLEST
from ..spikes.packed import PackedSpikes
from .layer import Array, Nested

BREAK_EVEN = 0.4
"""Share of ones up to which windows of weights take no longer than patches and BLAS, forward and backward. Measured for
800 images, by 5x5: 12x12x12 to 64 channels equally long at 0.4 on two threads; shorter there on one, and from 28x28 to
12 channels."""

PIECES = 8
"""Into how many parts images are cut for the gradients of weights, which are then added in order: sums must not depend
on the number of threads."""

u = np.uintp


class SpikeWindows:
    """The products of one convolution with a stride and a dilation of 1, over images padded with zeros.

    Parameters
    ----------
    image : (C, H, W)
    weight : (C, KH, KW, C')
        Shape of the weights.
    places : (H', W')
    before : (int, int)
        Rows and columns of zeros in front.
    dtype : float32 or float64
    path : {"auto", "events"}
    """

    def __init__(
        self, image: tuple[int, ...], weight: tuple[int, ...], places: tuple[int, int], before: tuple[int, ...],
        dtype: np.dtype, path: str,
    ):  # fmt: skip
        self.units, self.shape, self.dtype, self.path = math.prod(image), weight, dtype, path
        self.sizes = tuple(map(u, (*image[1:], *weight[1:3], *places, weight[3], *before)))
        self.places, self.area = places, places[0] * places[1]
        self.window = math.prod(weight[1:])  # additions of a spike

    @property
    def limit(self) -> float:
        """Up to which share of ones spikes are few."""
        return 1.0 if self.path == "events" else BREAK_EVEN

    def find(self, images: Array, tape: Nested, steps: int = 1) -> PackedSpikes | None:
        """The spikes of ``images`` [N, C, H, W], in order of so many steps, if they are such, and few enough."""
        if self.path == "auto" and images.size * self.window < SMALLEST:
            return None
        return PackedSpikes.of(images.reshape(steps, -1, self.units), tape.setdefault("packed", {}), self.limit)

    def forward(self, spikes: PackedSpikes, weight: Array, bias: Array | None, y: Array) -> None:
        """Fill y [N, C', H' W']."""
        start, index = spikes.rows(0, len(y))
        turned = np.ascontiguousarray(weight[:, :, ::-1]).reshape(-1)
        bias = np.zeros(y.shape[1], self.dtype) if bias is None else bias

        def part(lo: int, hi: int) -> None:
            place = np.empty(self.area * self.shape[3], self.dtype)
            _compiled("forward", self.dtype)(u(lo), u(hi), start, index, turned, bias, self.sizes, place, y)

        run_threaded(part, len(y), len(index) * self.window + y.size)

    def backward(self, spikes: PackedSpikes, g: Array) -> tuple[Array, Array]:
        """Gradients with respect to weights and biases, given that of the output, [N, C', H' W']."""
        start, index = spikes.rows(0, len(g))
        pieces = windows(len(g), PIECES)
        total = np.zeros((len(pieces), math.prod(self.shape)), self.dtype)
        bias = np.zeros((len(pieces), 2, self.shape[3]), self.dtype)

        def part(lo: int, hi: int) -> None:
            place = np.empty(self.area * self.shape[3], self.dtype)
            for k in range(lo, hi):
                n0, n1 = map(u, pieces[k])
                _compiled("backward", self.dtype)(n0, n1, start, index, total[k], bias[k], self.sizes, place, g)

        run_threaded(part, len(pieces), len(index) * self.window + g.size)
        return total.sum(axis=0).reshape(self.shape)[:, :, ::-1], bias[:, 0].sum(axis=0)

    def pull(self, g: Array, weight: Array, gx: Array, blocks: Iterable[tuple[int, int]], tape: Nested) -> None:
        """Fill ``gx`` [N, C, H, W] with the gradient of the images, by BLAS and a block at a time."""
        before, kh, kw, after = self.shape
        turned = np.ascontiguousarray(weight.transpose(3, 1, 2, 0)).reshape(after, -1)
        size = (self.places[0] + kh - 1) * (self.places[1] + kw - 1) * before
        for n0, n1 in blocks:
            errors = block_buffer(tape, "errors", (n1 - n0, self.area, after), self.dtype)
            errors[...] = g[n0:n1].transpose(0, 2, 1)
            seen = block_buffer(tape, "patches", ((n1 - n0) * self.area, turned.shape[1]), self.dtype)
            matmul(errors.reshape(-1, after), turned, out=seen)
            part = partial(self._fold, seen, gx[n0:n1], size)
            run_threaded(part, n1 - n0, seen.size)

    def _fold(self, seen: Array, gx: Array, size: int, lo: int, hi: int) -> None:
        _compiled("fold", self.dtype)(u(lo), u(hi), seen, gx, self.sizes, np.empty(size, self.dtype))


@functools.cache
def _compiled(name: str, dtype: np.dtype) -> Callable[..., None]:
    if name == "fold":
        return kernel(loops.fold, dtype=dtype)
    return kernel(getattr(loops, name), dtype=dtype, meet=loops.give if name == "forward" else loops.take)
