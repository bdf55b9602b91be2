"""Upsampling: each axis behind the channels is read at other places, y = A_1 x A_2^T with a matrix for each axis.

With r = 1 / scale_factor, or L / n for a size, place i of n reads of an axis of length L

    nearest:        min(floor(i r), L - 1)
    nearest-exact:  min(floor((i + 1/2) r), L - 1)
    linear:         the places around max((i + 1/2) r - 1/2, 0), weighted by how near they are
    aligned:        the places around i (L - 1) / (n - 1)

In reverse, gradients are multiplied with the transposed matrices.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..device.products import matmul
from ..random import Draws
from ..validate import affordable, choice, scale, shape_of, switch
from .layer import Array, Nested, Setting
from .stateless import Stateless

MODES = ("nearest", "nearest-exact", "linear")


class Upsample(Stateless):
    """Interpolation to a larger size, or a smaller one, along all axes behind the channels.

    Parameters
    ----------
    size : int or tuple of int, optional
        Length of each axis after; one number is that of all.
    scale_factor : float or tuple of float, optional
        Or by how much each axis becomes longer; fractions of a place are cut off.
    mode : {"nearest", "nearest-exact", "linear"}
        How to read between places; of images, "linear" is PyTorch's "bilinear".
    align_corners : bool, default False
        Whether the first and last places before and after lie at the same points; of "linear" alone.

    Notes
    -----
    Nothing is smoothed where an axis becomes shorter.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Upsample(scale_factor=2), input_shape=(1, 3))
    >>> net.run(np.arange(3.0).reshape(1, 1, 1, 3)).output
    array([[[[0., 0., 1., 1., 2., 2.]]]], dtype=float32)
    """

    kind = "upsample"

    def __init__(
        self,
        *,
        size: int | tuple[int, ...] | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool = False,
    ):
        super().__init__()
        if (size is None) == (scale_factor is None):
            raise ValueError(f"either size or scale_factor must be given, not {size!r} and {scale_factor!r}")
        self.size, self.scale_factor = size, scale_factor
        if size is not None:
            lengths = shape_of("size", size)
            self.size = lengths if isinstance(size, (tuple, list)) else lengths[0]
        elif isinstance(scale_factor, (tuple, list)):
            self.scale_factor = tuple(scale("scale_factor", f, most=2.0**20) for f in scale_factor)
        else:
            self.scale_factor = scale("scale_factor", scale_factor, most=2.0**20)
        self.mode, self.align_corners = choice("mode", mode, MODES), switch("align_corners", align_corners)
        if align_corners and mode != "linear":
            raise ValueError(f'align_corners has a meaning for mode="linear" alone, not for {mode!r}')

    def __repr__(self) -> str:
        usual = {"size": None, "scale_factor": None, "mode": "nearest", "align_corners": False}
        return f"Upsample({', '.join(f'{k}={v!r}' for k, v in self.options().items() if v != usual[k])})"

    def options(self) -> dict[str, Any]:
        sizes = {"size": self.size, "scale_factor": self.scale_factor}
        return {**sizes, "mode": self.mode, "align_corners": self.align_corners}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        image = in_shape[1:]
        sizes, factors = (_each(given, len(image)) for given in (self.size, self.scale_factor))
        if not image or len(sizes or factors) != len(image):
            axes = len(sizes or factors) or "some"
            raise ValueError(f"{self!r} needs an input with {axes} axes behind its channels, not {list(in_shape)}")
        lengths = [int(n) for n in sizes] or [math.floor(n * f) for n, f in zip(image, factors, strict=True)]
        if min(lengths) < 1:
            raise ValueError(f"{self!r} leaves nothing of an image of {list(image)}")
        self.in_shape, self.shape = in_shape, (in_shape[0], *lengths)
        affordable(f"the output of {self!r}", math.prod(self.shape) * setting.dtype.itemsize)
        ratios = [1.0 / f for f in factors] or [n / m for n, m in zip(image, lengths, strict=True)]
        axes = zip(image, lengths, ratios, strict=True)
        self.matrices = [self._matrix(n, m, r).astype(setting.dtype) for n, m, r in axes]
        self.settle(setting)

    def _matrix(self, length: int, n: int, ratio: float) -> Array:
        """How much of each of ``length`` places each of ``n`` places reads, [length, n]."""
        affordable(f"a matrix of {self!r}", 8 * length * n)
        i, last = np.arange(n), length - 1
        if self.mode == "linear":
            between = np.maximum((i + 0.5) * ratio - 0.5, 0.0)
            if self.align_corners:
                between = i * (last / (n - 1)) if n > 1 else np.zeros(1)
            first = np.minimum(between.astype(np.int64), last)
            share = between - first
        else:
            at = (i + 0.5) * ratio if self.mode == "nearest-exact" else i * ratio
            if self.mode == "nearest" and self.size is not None:
                at = i * length // n
            first, share = np.minimum(np.floor(at).astype(np.int64), last), np.zeros(n)
        found = np.zeros((length, n))
        found[first, i] += 1.0 - share
        found[np.minimum(first + 1, last), i] += share
        return found

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return _along(x, self.matrices)

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        return _along(gy, [matrix.T for matrix in self.matrices]) if wanted else None


def _each(given: float | tuple[float, ...] | None, axes: int) -> tuple[float, ...]:
    """What is given for each axis; nothing if it is None."""
    return () if given is None else given if isinstance(given, tuple) else (given,) * axes


def _along(x: Array, matrices: list[Array]) -> Array:
    """Each of the axes behind the channels times its matrix."""
    for axis, matrix in enumerate(matrices, start=3):
        product = matmul(np.ascontiguousarray(np.moveaxis(x, axis, -1)), np.ascontiguousarray(matrix))
        x = np.moveaxis(product, -1, axis)
    return np.ascontiguousarray(x)
