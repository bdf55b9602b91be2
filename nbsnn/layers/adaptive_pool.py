"""Pooling to a given size: of an axis of length L that becomes n, window i begins at floor(i L / n) and ends before
ceil((i + 1) L / n).

Windows overlap where n does not divide L; n may be larger than L. Mean and maximum are those of ``pool2d.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..random import Draws
from ..validate import affordable, shape_of
from .layer import Array, Nested, Setting, buffer
from .stateless import Stateless


class AdaptivePool(Stateless):
    """Base of the pooling layers that are given a size; see ``AdaptiveAvgPool`` and ``AdaptiveMaxPool``."""

    kind = "adaptivepool"

    def __init__(self, output_size: int | tuple[int, ...]):
        super().__init__()
        self.output_size = shape_of("output_size", output_size)
        if not self.output_size:
            raise ValueError("output_size must have at least one length, not ()")
        self.output_size = self.output_size[0] if isinstance(output_size, (int, np.integer)) else self.output_size

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.output_size})"

    def options(self) -> dict[str, Any]:
        return {"output_size": self.output_size}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        image, size = in_shape[1:], self.output_size
        size = (size,) * len(image) if isinstance(size, int) else size
        if not image or len(size) != len(image):
            axes = "one axis or more" if isinstance(self.output_size, int) else f"{len(size)} axes"
            raise ValueError(f"{self!r} needs an input with {axes} behind its channels, not {list(in_shape)}")
        self.in_shape, self.shape = in_shape, (in_shape[0], *size)
        affordable(f"the output of {self!r}", math.prod(self.shape) * setting.dtype.itemsize)
        self.settle(setting)

    def _windows(self) -> Iterator[tuple[int, tuple[slice, ...]]]:
        """Places of an output plane, counted, and what each sees of an input plane."""
        pairs = list(zip(self.in_shape[1:], self.shape[1:], strict=True))
        for number, place in enumerate(np.ndindex(*self.shape[1:])):
            yield number, tuple(slice(i * n // m, -(-(i + 1) * n // m)) for i, (n, m) in zip(place, pairs, strict=True))

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        y = buffer(tape, "y", (*x.shape[:2], *self.shape), self.setting.dtype)
        self.pool(x.reshape(-1, *self.in_shape[1:]), y.reshape(-1, math.prod(self.shape[1:])), tape)
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        if not wanted:
            return None
        gx = buffer(tape, "gx", (*gy.shape[:2], *self.in_shape), self.setting.dtype)
        gx[...] = 0.0
        self.spread(gy.reshape(-1, math.prod(self.shape[1:])), gx.reshape(-1, *self.in_shape[1:]), tape)
        return gx

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        """Fill ``y`` [planes, places] from the planes ``x``."""
        raise NotImplementedError

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        """Add to ``gx`` what comes back from ``gy``."""
        raise NotImplementedError


class AdaptiveAvgPool(AdaptivePool):
    """Mean over as many windows as are asked for, along all axes behind the channels.

    Parameters
    ----------
    output_size : int or tuple of int
        Length of each axis after; one number is that of all.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.AdaptiveAvgPool(2), input_shape=(1, 3))
    >>> net.run(np.arange(3.0).reshape(1, 1, 1, 3)).output
    array([[[[0.5, 1.5]]]], dtype=float32)
    """

    kind = "adaptiveavgpool"

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        axes = tuple(range(1, x.ndim))
        for number, window in self._windows():
            y[:, number] = x[:, *window].mean(axis=axes)

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        for number, window in self._windows():
            part = gx[:, *window]
            share = gy[:, number] / math.prod(part.shape[1:])
            part += share.reshape(-1, *(1,) * (gx.ndim - 1))


class AdaptiveMaxPool(AdaptivePool):
    """Largest in as many windows as are asked for; the gradient goes to the first maximum, row by row.

    Parameters
    ----------
    output_size : int or tuple of int
        Length of each axis after; one number is that of all.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.AdaptiveMaxPool((1, 2)), input_shape=(1, 2, 4))
    >>> net.run(np.arange(8.0).reshape(1, 1, 1, 2, 4)).output
    array([[[[[5., 7.]]]]], dtype=float32)
    """

    kind = "adaptivemaxpool"

    def pool(self, x: Array, y: Array, tape: Nested) -> None:
        at = buffer(tape, "at", y.shape, np.uint32)
        inside = np.arange(math.prod(x.shape[1:]), dtype=np.uint32).reshape(x.shape[1:])
        for number, window in self._windows():
            seen = x[:, *window].reshape(len(x), -1)
            best = seen.argmax(axis=1)
            y[:, number] = np.take_along_axis(seen, best[:, None], 1)[:, 0]
            at[:, number] = inside[window].ravel()[best]

    def spread(self, gy: Array, gx: Array, tape: Nested) -> None:
        planes, rows = gx.reshape(len(gx), -1), np.arange(len(gx))
        for number in range(gy.shape[1]):
            planes[rows, tape["at"][:, number]] += gy[:, number]
