"""Images with channels last, filled up to whole vectors, as ``kernels.population.fused_conv`` takes them."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ...compile.simd import CHUNK, LINE
from ...kernels.population import fused_conv
from ..conv2d import Conv2d
from ..layer import Array
from ..population import Population
from .layout import BlockLayout, from_lines


def filled(channels: int) -> int:
    """As many channels, or more, as make whole vectors."""
    return -(-channels // CHUNK) * CHUNK


class ImageLayout(BlockLayout):
    """A population whose units are the places of an image, each with all its channels, as lines of 64 units."""

    name = "image"
    loops: ClassVar = {"forward": fused_conv.forward, "backward": fused_conv.backward}

    def __init__(self, population: Population):
        super().__init__(population, False)
        self.channels, self.area = population.shape[0], math.prod(population.shape[1:])
        self.width = self.area * filled(self.channels)
        self.blocks = -(-self.width // LINE)

    def arranged(self, values: Array) -> Array:
        """Values [K, ..., C H W] as [K, ..., H W C]; channels that fill up repeat the last one's values."""
        turned = values.reshape(*values.shape[:-1], self.channels, self.area).swapaxes(-1, -2)
        around = [(0, 0)] * (turned.ndim - 1) + [(0, filled(self.channels) - self.channels)]
        return np.pad(turned, around, "edge").reshape(*values.shape[:-1], self.width)

    def images(self, lines: Array) -> Array:
        """The reverse, of lines of all samples: [K, B, C H W]."""
        many, batch = lines[0].size // (self.blocks * LINE), len(lines)
        found = from_lines(lines.reshape(batch, self.blocks, many, LINE), self.width)
        places = found.reshape(many, batch, self.area, filled(self.channels))[..., : self.channels]
        return places.swapaxes(-1, -2).reshape(many, batch, self.population.units)

    def table(self) -> Array:
        return self.arranged(super().table())


def meetings(c: Conv2d) -> Array:
    """For each input unit where its rows begin in the output image and in the weights, how many and how long they are:
    see ``kernels.products.windows.spread_windows``."""
    (kh, kw), (rows, columns), sides = c.kernel_size, c.places, filled(c.c_post)
    channel, h, w = (axis.ravel() for axis in np.indices(c.image))
    h, w = h + c.before[0], w + c.before[1]
    i0, i1 = np.maximum(h - (rows - 1), 0), np.minimum(kh, h + 1)
    j0, j1 = np.maximum(w - (columns - 1), 0), np.minimum(kw, w + 1)
    begin, weight = ((h - i0) * columns + w + 1 - j1) * sides, ((channel * kh + i0) * kw + kw - j1) * sides
    found = np.stack([begin, weight, i1 - i0, (j1 - j0) * sides], axis=1)
    found[(i1 <= i0) | (j1 <= j0)] = 0
    return found.astype(np.uint32)


def corners(c: Conv2d) -> Array:
    """Where the window of each place begins in a padded image with channels last."""
    rows, columns = np.indices(c.places).reshape(2, -1)
    return ((rows * (c.places[1] + c.kernel_size[1] - 1) + columns) * c.c_pre).astype(np.uint32)
