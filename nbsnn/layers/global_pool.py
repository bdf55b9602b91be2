"""Pooling of whole images: one number for each channel.

sum:   y = sum_i x_i          dx_i = dy
mean:  y = sum_i x_i / n      dx_i = dy / n
max:   y = max_i x_i          dx_i = dy / m at each of the m maxima, else 0
"""

from __future__ import annotations

import math

import numpy as np

from ..random import Draws
from .layer import Array, Nested, Setting
from .stateless import Stateless


class GlobalSumPool(Stateless):
    """Sum over all axes behind the channels: [T, B, C, ...] -> [T, B, C].

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.GlobalSumPool(), input_shape=(2, 2, 2))
    >>> net.run(np.arange(8.0).reshape(1, 1, 2, 2, 2)).output
    array([[[ 6., 22.]]], dtype=float32)
    """

    kind = "globalsumpool"

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) < 2:
            raise ValueError(f"{self!r} needs an input with at least one axis behind its channels, not {in_shape}")
        self.in_shape, self.shape = in_shape, in_shape[:1]
        self.settle(setting)

    def factor(self) -> float:
        """What sums are multiplied with."""
        return 1.0

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        return x.sum(axis=tuple(range(3, x.ndim))) * x.dtype.type(self.factor())

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        if not wanted:
            return None
        share = (gy * gy.dtype.type(self.factor())).reshape(*gy.shape, *(1,) * (len(self.in_shape) - 1))
        return np.broadcast_to(share, (*gy.shape[:2], *self.in_shape)).copy()


class GlobalAvgPool(GlobalSumPool):
    """Mean over all axes behind the channels: [T, B, C, ...] -> [T, B, C].

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.GlobalAvgPool(), input_shape=(2, 2, 2))
    >>> net.run(np.arange(8.0).reshape(1, 1, 2, 2, 2)).output
    array([[[1.5, 5.5]]], dtype=float32)
    """

    kind = "globalavgpool"

    def factor(self) -> float:
        return 1.0 / math.prod(self.in_shape[1:])


class GlobalMaxPool(GlobalSumPool):
    """Largest over all axes behind the channels: [T, B, C, ...] -> [T, B, C]; equal maxima share the gradient.

    In ``AdaptiveMaxPool(1)`` the first maximum gets all of it.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.GlobalMaxPool(), input_shape=(2, 2, 2))
    >>> net.run(np.arange(8.0).reshape(1, 1, 2, 2, 2)).output
    array([[[3., 7.]]], dtype=float32)
    """

    kind = "globalmaxpool"

    def apply(self, x: Array, tape: Nested, draws: Draws | None) -> Array:
        axes = tuple(range(3, x.ndim))
        y = x.max(axis=axes)
        tape["best"] = x == y.reshape(*y.shape, *(1,) * len(axes))
        return y

    def reverse(self, gy: Array, tape: Nested, grads: Nested, wanted: bool) -> Array | None:
        if not wanted:
            return None
        best, axes = tape["best"], tuple(range(3, tape["best"].ndim))
        share = gy / best.sum(axis=axes, dtype=gy.dtype)
        return best * share.reshape(*gy.shape, *(1,) * len(axes))
