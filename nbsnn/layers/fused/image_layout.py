"""Images with channels last, filled up to whole vectors, as ``kernels.population.fused_conv`` takes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ...compile.simd import LINE
from ...kernels.population import fused_conv
from ..conv_events import filled
from ..layer import Array
from ..population import Population
from .layout import BlockLayout


class ImageLayout(BlockLayout):
    """A population whose units are the places of an image, each with all its channels, as lines of 64 units.

    The maxima over ``window``, rows and columns, leave.
    """

    loops: ClassVar[dict[str, Callable[..., Any]]] = {"forward": fused_conv.forward, "backward": fused_conv.backward}

    def __init__(self, population: Population, window: tuple[int, int]):
        super().__init__(population, False)
        self.name = f"image, maxima of {window}"
        self.channels, self.area = population.shape[0], math.prod(population.shape[1:])
        self.width = self.area * filled(self.channels)
        self.blocks = -(-self.width // LINE)
        self.constants = {"WHOLE": filled(self.channels) % LINE == 0, "HIGH": window[0], "WIDE": window[1]}

    def arranged(self, values: Array) -> Array:
        """Values [K, ..., C H W] as [K, ..., H W C]; channels that fill up repeat the last one's values."""
        turned = values.reshape(*values.shape[:-1], self.channels, self.area).swapaxes(-1, -2)
        around = [(0, 0)] * (turned.ndim - 1) + [(0, filled(self.channels) - self.channels)]
        return np.pad(turned, around, "edge").reshape(*values.shape[:-1], self.width)

    def images(self, lines: Array) -> Array:
        """The reverse, of lines of all samples: [K, B, C H W]."""
        many, batch = lines[0].size // (self.blocks * LINE), len(lines)
        found = (
            lines.reshape(batch, self.blocks, many, LINE).transpose(2, 0, 1, 3).reshape(many, batch, self.blocks * LINE)
        )
        places = found[..., : self.width].reshape(many, batch, self.area, filled(self.channels))[..., : self.channels]
        return places.swapaxes(-1, -2).reshape(many, batch, self.population.units)

    def table(self) -> Array:
        return self.arranged(super().table())
