"""Convolution of spikes on the CPU, by adding up windows of weights, where spikes are few (see
``kernels.products.conv_events``)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ..compile.fill import kernel
from ..compile.simd import CHUNK, LINE
from ..device.buffers import aligned, buffer, zeros
from ..device.threads import run_threaded, windows
from ..kernels.products import conv_events as loops
from ..spikes.blocks import blocks, in_lines
from ..spikes.break_even import SMALLEST
from ..spikes.packed import PackedSpikes
from ..spikes.spike_input import SpikeInput
from .layer import Array, Nested

BREAK_EVEN, FEW = 0.4, 0.12
"""Share of ones up to which windows of weights take no longer than sums of all places (``conv_direct``): if channels
fill whole lines or neurons follow, and if not. Measured on one thread, forward and backward: equally long at 0.12 from
16 channels of 14x14 to 16 by 3x3, at 0.1 from one of 28x28 to 12 by 5x5; above 0.4 for 12 of 12x12 to 64 by 5x5."""

SLOWER, PLACE, LOOKED_AT = 1.3, 0.3, 64
"""Errors that return by windows take so many times longer for each product than ``conv_direct``, of which that share if
all of them are zero; how many images are looked at for others."""

PIECES = 8
"""Into how many parts images are cut for the gradients of weights, which are then added in order: sums must not depend
on the number of threads."""

u = np.uintp


def filled(channels: int) -> int:
    """As many channels, or more, as make whole vectors."""
    return -(-channels // CHUNK) * CHUNK


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

    Attributes
    ----------
    sides : int
        C', filled up.
    row : int
        Lines of a row of the window that a place sees.
    padded : int
        Numbers of a padded image.
    room : int
        Numbers that the errors of an image need.
    lines : int
        Lines of all channels after.
    whole : bool
        Whether these fill them, so that windows can be sums of rows.
    listed : (int, int, int)
        Sizes of what spikes are listed in anew for these, and rows of errors.
    """

    def __init__(
        self, image: tuple[int, ...], weight: tuple[int, ...], places: tuple[int, int], before: tuple[int, ...],
        dtype: np.dtype, path: str,
    ):  # fmt: skip
        self.image, self.shape, self.places, self.before = image, weight, places, before
        self.dtype, self.path, self.units, self.area = dtype, path, math.prod(image), places[0] * places[1]
        channels, kh, kw, after = weight
        self.sides, self.row, self.window = filled(after), blocks(kw * channels), math.prod(weight[1:])
        self.line = (places[1] + kw - 1) * channels
        self.padded = (places[0] + kh - 1) * self.line + LINE
        self.lines, self.whole = blocks(after), self.sides % LINE == 0
        self.room = self.padded + (self.area + 2 * loops.TOGETHER) * blocks(self.sides) * LINE
        beside = (places[0] * (places[1] + kw - 1) + kw - 1) * self.lines
        self.listed = max(math.prod(image[1:]), channels * image[1]) + 1, self.units, beside

    @property
    def limit(self) -> float:
        """Up to which share of ones spikes are few."""
        return 1.0 if self.path == "events" else BREAK_EVEN

    def find(
        self,
        images: Array | SpikeInput | PackedSpikes,
        tape: Nested,
        steps: int = 1,
        alone: bool = False,
        listed: bool = True,
    ) -> PackedSpikes | None:
        """The spikes of ``images`` [..., C, H, W], in order of so many steps, if they are such, and few enough; for
        products ``alone``, or with the neurons that follow. Positions are ``listed`` at once, or when asked for."""
        limit = self.limit if self.whole or not alone or self.path == "events" else FEW
        if self.path == "auto" and math.prod(images.shape) * self.window < SMALLEST:
            return None
        if isinstance(images, PackedSpikes):
            return images if images.find(limit, listed) else None
        if isinstance(images, SpikeInput):
            found = PackedSpikes.listed(images.start, images.index, self.units, steps)
            return found if images.rate <= limit else None
        return PackedSpikes.of(images.reshape(steps, -1, self.units), tape.setdefault("packed", {}), limit, listed)

    @functools.cached_property
    def met(self) -> loops.Met:
        """For each input unit where its rows begin in the output image and in the weights, how many and how long they
        are."""
        (_, kh, kw, _), (rows, columns), sides = self.shape, self.places, self.sides
        channel, h, w = (axis.ravel() for axis in np.indices(self.image))
        h, w = h + self.before[0], w + self.before[1]
        i0, i1 = np.maximum(h - (rows - 1), 0), np.minimum(kh, h + 1)
        j0, j1 = np.maximum(w - (columns - 1), 0), np.minimum(kw, w + 1)
        begin, weight = ((h - i0) * columns + w + 1 - j1) * sides, ((channel * kh + i0) * kw + kw - j1) * sides
        found = np.stack([begin, weight, i1 - i0, (j1 - j0) * sides], axis=1)
        found[(i1 <= i0) | (j1 <= j0)] = 0
        return loops.Met(found.astype(np.uint32), u(columns * sides), u(kw * sides))

    @functools.cached_property
    def corners(self) -> Array:
        """Where the window of each place begins in a padded image with channels last."""
        rows, columns = np.indices(self.places).reshape(2, -1)
        return (rows * self.line + columns * self.shape[0]).astype(np.uint32)

    @functools.cached_property
    def seen(self) -> Array:
        """For each input unit, the place of the first errors that it meets, and its row of those of all channels."""
        channel, h, w = (axis.ravel() for axis in np.indices(self.image))
        place = h * (self.places[1] + self.shape[2] - 1) + w + self.before[1]
        return np.stack([place * self.lines, channel * self.image[1] + h], axis=1).astype(np.uint32)

    def turned(self, weight: Array, tape: Nested) -> Array:
        """Weights [C, KH, KW, C'] with channels filled up, the last of a row of the window first, flat."""
        found = buffer(tape, "turned", (*self.shape[:3], self.sides), self.dtype)
        found[..., self.shape[3] :] = 0.0
        found[..., : self.shape[3]] = weight[:, :, ::-1]
        return found.reshape(-1)

    def rows(self, weight: Array | None = None, tape: Nested | None = None) -> loops.Rows:
        """The convolution as sums of rows of lines, with the weights or without."""
        (channels, kh, kw, _), lines = self.shape, np.empty((0, LINE), self.dtype)
        if self.whole and weight is not None and tape is not None:
            lines = buffer(tape, "rows", (self.lines * channels * kh * kw, LINE), self.dtype)
            in_lines(weight.transpose(1, 2, 0, 3).reshape(channels * kh * kw, -1), lines)
            lines.reshape(self.lines, -1, LINE)[-1, :, self.shape[3] - LINE * (self.lines - 1) :] = 0.0
        return loops.Rows(lines, self.seen, *map(u, (self.lines, *self.image, kh, kw, *self.places, *self.before)))

    def lists(self) -> loops.Lists:
        """Room for a thread's spikes in another order."""
        begin, index, rows = self.listed if self.whole else (0, 0, 0)
        return loops.Lists(np.empty(begin, u), np.empty(index, np.uint32), zeros((rows, LINE), self.dtype))

    def gradient(self, pieces: Array) -> Array:
        """The gradient of the weights, whose parts lie as ``turned``, one piece behind the other."""
        return pieces.reshape(-1, *self.shape[:3], self.sides).sum(axis=0)[:, :, ::-1, : self.shape[3]]

    def source(self, weight: Array, gx: Array) -> loops.Source:
        """Where errors of the input go."""
        channels, kh, _, after = self.shape
        start = self.before[0] * self.line + self.before[1] * channels
        sizes = u(kh), u(self.row), self.corners, u(self.line), u(start)
        lines = aligned((kh, self.row, self.sides, LINE), self.dtype)
        lines[...] = 0.0
        for i, row in enumerate(weight.transpose(1, 3, 2, 0).reshape(kh, after, -1)):
            for q in range(self.row):
                part = row[:, q * LINE : (q + 1) * LINE]
                lines[i, q, :after, : part.shape[1]] = part
        return loops.Source(lines.reshape(-1, LINE), *sizes, gx)

    def scratch(self, wanted: bool = True) -> loops.Scratch:
        """What a thread needs for the errors of an image; nothing if they are not ``wanted``."""
        area, each = self.area * wanted, blocks(self.sides)
        words, count = np.empty(area * each, np.uint64), np.empty(area, np.uint64)
        rows = (each * area, LINE), (2 * loops.TOGETHER * wanted, LINE)
        padded, filled, sums = (aligned(shape, self.dtype) for shape in ((self.padded * wanted,), *rows))
        return loops.Scratch(padded, words, count, filled, sums)

    def _place(self) -> Array:
        """Room for an output image, zeros."""
        place = aligned((self.area * self.sides,), self.dtype)
        place[...] = 0.0
        return place

    def forward(self, spikes: PackedSpikes, weight: Array, bias: Array | None, y: Array, tape: Nested) -> None:
        """Fill y [N, C', H' W']."""
        start, index = spikes.rows(0, len(y))
        turned, offset, rows = self.turned(weight, tape), np.zeros(self.sides, self.dtype), self.rows(weight, tape)
        if bias is not None:
            offset[: len(bias)] = bias

        def part(lo: int, hi: int) -> None:
            compiled = _compiled("forward", self.dtype, self.whole)
            room = self._place(), self.lists()
            compiled(u(lo), u(hi), start, index, self.met, rows, turned, offset, *room, y)

        run_threaded(part, len(y), len(index) * self.window + y.size)

    def backward(self, spikes: PackedSpikes, g: Array) -> tuple[Array, Array]:
        """Gradients with respect to weights and biases, given that of the output, [N, C', H' W']."""
        start, index = spikes.rows(0, len(g))
        pieces, rows = windows(len(g), PIECES), self.rows()
        total = np.zeros((len(pieces), math.prod(self.shape[:3]) * self.sides), self.dtype)
        bias = np.zeros((len(pieces), 2, self.sides), self.dtype)

        def part(lo: int, hi: int) -> None:
            place, lists, compiled = self._place(), self.lists(), _compiled("backward", self.dtype, self.whole)
            for k in range(lo, hi):
                compiled(*map(u, pieces[k]), start, index, self.met, rows, total[k], bias[k], place, lists, g)

        run_threaded(part, len(pieces), len(index) * self.window + g.size)
        return self.gradient(total), bias[:, 0, : self.shape[3]].sum(axis=0)

    def pulls_faster(self, g: Array, work: int) -> bool:
        """Whether errors [N, C', .] return faster by windows than by so many products of each image."""
        some = g[:: len(g) // LOOKED_AT or 1]
        found = np.count_nonzero(some) / some.size
        own = self.shape[1] * self.row * LINE * self.area * self.shape[3]
        return SLOWER * own * (PLACE + (1.0 - PLACE) * found) < work

    def pull(self, g: Array, weight: Array, gx: Array) -> None:
        """Fill ``gx`` [N, C, H, W] with the gradient of the images."""
        source = self.source(weight, gx)

        def part(lo: int, hi: int) -> None:
            _compiled("pull", self.dtype, False)(u(lo), u(hi), g, u(self.sides), self._place(), source, self.scratch())

        run_threaded(part, len(g), g.size * self.window)


@functools.cache
def _compiled(name: str, dtype: np.dtype, whole: bool) -> Callable[..., None]:
    return kernel(getattr(loops, name), dtype=dtype, WHOLE=whole)
