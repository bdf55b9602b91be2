"""Layer normalisation: over all units of a sample at a step, or over their last axes. See ``normalization.py``."""

from __future__ import annotations

import math
from typing import Any

from ..random import Draws
from ..validate import shape_of
from .layer import Array, Setting
from .normalization import Normalization


class LayerNorm(Normalization):
    """Normalisation over the units of each sample at each step.

    Parameters
    ----------
    normalized_shape : int or tuple of int, optional
        The last axes, over which numbers belong together; by default all axes of units.
    eps : float, default 1e-5
        Added to variances.
    affine : bool, default True
        Whether each unit has a trained weight, which starts at 1, and a bias, which starts at 0.
    bias : bool, default True
        Whether there is a bias, if ``affine``.

    Notes
    -----
    Nothing is kept from batch to batch: training and evaluation are the same. ``params["weight"]`` and
    ``params["bias"]`` have ``normalized_shape``.

    References
    ----------
    Ba, Kiros and Hinton 2016 (arXiv:1607.06450).

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.LayerNorm(), input_shape=4)
    >>> net.run(np.array([[[0.0, 0.0, 2.0, 2.0]]])).output.round(3)
    array([[[-1., -1.,  1.,  1.]]], dtype=float32)
    """

    kind = "layernorm"
    averaged = (1,)

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | None = None,
        *,
        eps: float = 1e-5,
        affine: bool = True,
        bias: bool = True,
    ):
        super().__init__(eps, affine, bias)
        self.normalized_shape = None if normalized_shape is None else shape_of("normalized_shape", normalized_shape)
        if self.normalized_shape == ():
            raise ValueError("normalized_shape must have at least one length, not ()")

    def options(self) -> dict[str, Any]:
        shape = {} if self.normalized_shape is None else {"normalized_shape": self.normalized_shape}
        return {**shape, **super().options()}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        shape = in_shape if self.normalized_shape is None else self.normalized_shape
        if in_shape[-len(shape) :] != shape:
            raise ValueError(f"{self!r} needs an input whose last axes are {list(shape)}, not {list(in_shape)}")
        self.in_shape, self.shape, self.factors = in_shape, in_shape, (math.prod(shape),)
        self._make(shape, setting)
        self.settle(setting)

    def _view(self, x: Array) -> Array:
        return x.reshape(-1, *self.factors)
