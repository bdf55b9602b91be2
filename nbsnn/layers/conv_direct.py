"""Convolution on the CPU without patches (see ``kernels.products.direct``)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

from ..compile.fill import kernel
from ..compile.simd import CHUNK
from ..compile.simd_direct import PLACES, SEEN, SIDES
from ..device.buffers import zeros
from ..device.threads import run_threaded, windows
from ..kernels.products import direct as loops
from .conv_events import PIECES
from .layer import Array

NEAR = 2**15
"""Bytes of errors of ``SIDES`` channels that lie together, which should stay in the nearest cache."""

u = np.uintp


class DirectProducts:
    """The products of a convolution with a stride and a dilation of 1, over images padded with zeros.

    Parameters
    ----------
    image : (C, H, W)
    weight : (C, KH, KW, C')
        Shape of the weights.
    places : (H', W')
    before : (int, int)
        Rows and columns of zeros in front.
    dtype : float32 or float64

    Attributes
    ----------
    work, room : int
        Products of each image in ``pull``; numbers that a thread needs.
    """

    def __init__(
        self, image: tuple[int, ...], weight: tuple[int, ...], places: tuple[int, int], before: tuple[int, ...],
        dtype: np.dtype,
    ):  # fmt: skip
        self.shape, self.dtype, self.area = weight, dtype, places[0] * places[1]
        (self.channels, *size), (_, *window, self.after) = image, weight
        back = [k - 1 - p for k, p in zip(window, before, strict=True)]
        forth, back = self._plane(size, before, places, window), self._plane(places, back, size, window)
        images = max(1, NEAR // (SIDES * int(max(forth.size, back.size)) * dtype.itemsize))
        self.plane, self.around = (plane._replace(images=u(images)) for plane in (forth, back))
        self.errors = self.plane._replace(high=u(places[0]), wide=u(places[1]), first=u(0))
        self.seen = self._seen(self.plane, self.channels, turned=False)
        self.seen_back = self._seen(self.around, self.after, turned=True)
        self.room = images * int(filled(self.channels) * forth.size + filled(self.after) * max(forth.size, back.size))
        self.work = filled(self.channels) * self.after * math.prod(window) * size[0] * int(self.around.columns)

    def _plane(
        self, size: Sequence[int], before: Sequence[int], seeing: Sequence[int], window: list[int]
    ) -> loops.Plane:
        """The room of an image of this size, with zeros where others of the size ``seeing`` see beyond it."""
        rows, columns = (m + k - 1 for m, k in zip(seeing, window, strict=True))
        most = -(-max(seeing[0] * columns, rows * columns) // CHUNK) * CHUNK
        return loops.Plane(*map(u, (*size, 1, most, columns, before[0] * columns + before[1])))

    def _seen(self, plane: loops.Plane, channels: int, turned: bool) -> Array:
        """Where a place sees the weights' inputs, or an input the errors."""
        _, kh, kw, _ = self.shape
        c, i, j = np.indices((channels, kh, kw)).reshape(3, -1)
        if turned:
            i, j = kh - 1 - i, kw - 1 - j
        found = c * int(plane.images * plane.size) + i * int(plane.columns) + j
        return np.pad(found, (0, -len(found) % SEEN)).astype(np.uint32)

    def _weights(self, weight: Array, seen: Array) -> loops.Seen:
        """Weights [K, C'] by ``SIDES`` channels."""
        k, after = weight.shape
        found = zeros((-(-after // SIDES), len(seen), SIDES), self.dtype)
        turned = np.pad(weight, ((0, 0), (0, -after % SIDES))).reshape(k, -1, SIDES)
        found[:, :k] = turned.swapaxes(0, 1)
        return loops.Seen(seen, found.reshape(-1))

    def _room(self, channels: int, plane: loops.Plane) -> Array:
        """Room for some images, zeros."""
        return zeros((filled(channels) * int(plane.images * plane.size) + 2 * int(plane.size) + PLACES,), self.dtype)

    def forward(self, x: Array, weight: Array, bias: Array | None, y: Array) -> None:
        """Fill y [N, C', H' W'] from x [N, C, H, W]."""
        offset = zeros((filled(self.after),), self.dtype)
        if bias is not None:
            offset[: self.after] = bias
        seen = self._weights(weight.reshape(-1, self.after), self.seen)
        self._see(x.reshape(len(x), self.channels, -1), self.plane, self.around, seen, offset, y)

    def pull(self, g: Array, weight: Array, gx: Array) -> None:
        """Fill ``gx`` [N, C, H, W] with the gradient of the images."""
        seen = self._weights(weight.transpose(3, 1, 2, 0).reshape(-1, self.channels), self.seen_back)
        nothing = zeros((filled(self.channels),), self.dtype)
        self._see(g, self.around, self.plane, seen, nothing, gx.reshape(len(gx), self.channels, -1))

    def _see(self, x: Array, plane: loops.Plane, into: loops.Plane, seen: loops.Seen, bias: Array, y: Array) -> None:
        """Fill images ``y``, which lie in a room like ``into``, from images ``x``."""
        sizes, compiled = (u(y.shape[1]), into.high, into.wide), _compiled("forward", self.dtype)
        place = SIDES * (int(into.high * plane.columns) + PLACES)

        def part(lo: int, hi: int) -> None:
            room = self._room(x.shape[1], plane)
            compiled(u(lo), u(hi), x, plane, sizes, seen, bias, room, zeros((place,), self.dtype), y)

        run_threaded(part, len(x), y.size * len(seen.seen))

    def backward(self, x: Array, g: Array) -> tuple[Array, Array]:
        """Gradients with respect to weights and biases, given that of the output, [N, C', H' W']."""
        pieces, after = windows(len(x), PIECES), filled(self.after)
        edges, images = np.array([0, *(b for _, b in pieces)], u), x.reshape(len(x), self.channels, -1)
        total = zeros((len(pieces), after * len(self.seen)), self.dtype)
        bias = zeros((len(pieces), self.after, CHUNK), self.dtype)
        compiled, given = _compiled("backward", self.dtype), (images, g, self.plane, self.errors, self.seen)

        def part(lo: int, hi: int) -> None:
            rooms = self._room(self.channels, self.plane), self._room(after, self.errors)
            compiled(u(lo), u(hi), edges, *given, *rooms, total, bias)

        run_threaded(part, len(pieces), g.size * len(self.seen))
        found = total.sum(axis=0).reshape(-1, len(self.seen), SIDES)[:, : math.prod(self.shape[:3])]
        weights = found.swapaxes(0, 1).reshape(-1, after)[:, : self.after]
        return weights.reshape(self.shape), bias.sum(axis=(0, 2))


def filled(channels: int) -> int:
    """As many channels, or more, as make whole tiles."""
    return -(-channels // SIDES) * SIDES


@functools.cache
def _compiled(name: str, dtype: np.dtype) -> Callable[..., None]:
    return kernel(getattr(loops, name), dtype=dtype)
