"""Normalisation over groups of channels, or over each channel, of a sample at a step. See ``normalization.py``."""

from __future__ import annotations

from typing import Any, ClassVar

from ..random import Draws
from ..validate import UNITS, count
from .layer import Array, Setting
from .normalization import Normalization


class GroupNorm(Normalization):
    """Normalisation over groups of channels of each sample at each step.

    Parameters
    ----------
    groups : int
        Into how many parts the channels are cut; numbers of a part, over all axes behind the channels, belong together.
    eps : float, default 1e-5
        Added to variances.
    affine : bool, default True
        Whether each channel has a trained weight, which starts at 1, and a bias, which starts at 0.
    bias : bool, default True
        Whether there is a bias, if ``affine``.

    Notes
    -----
    Nothing is kept from batch to batch: training and evaluation are the same. ``params["weight"]`` and
    ``params["bias"]`` are [channels].

    References
    ----------
    Wu and He 2018 (arXiv:1803.08494).

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Conv2d(1, 8, 3), nbsnn.GroupNorm(2), nbsnn.neurons.LIF(), input_shape=(1, 8, 8))
    >>> net["groupnorm1"].params["weight"].shape
    (8,)
    """

    kind = "groupnorm"
    averaged = (2, 3)

    def __init__(self, groups: int, *, eps: float = 1e-5, affine: bool = True, bias: bool = True):
        super().__init__(eps, affine, bias)
        self.groups = count("groups", groups, most=UNITS)

    def options(self) -> dict[str, Any]:
        return {"groups": self.groups, **super().options()}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        channels = in_shape[0]
        if channels % self.groups:
            raise ValueError(f"{self!r} needs a multiple of {self.groups} channels, not {channels}")
        self.in_shape, self.shape = in_shape, in_shape
        self.factors = (self.groups, channels // self.groups, 1)
        self._make(in_shape[:1], setting)
        self.settle(setting)

    def _view(self, x: Array) -> Array:
        return x.reshape(x.shape[0] * x.shape[1], *self.factors[:2], -1)


class InstanceNorm(GroupNorm):
    """Normalisation over each channel of each sample at each step, over all axes behind the channels.

    Parameters
    ----------
    eps : float, default 1e-5
        Added to variances.
    affine : bool, default False
        Whether each channel has a trained weight, which starts at 1, and a bias, which starts at 0.
    bias : bool, default True
        Whether there is a bias, if ``affine``.

    References
    ----------
    Ulyanov, Vedaldi and Lempitsky 2016 (arXiv:1607.08022).

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.InstanceNorm(), input_shape=(2, 2))
    >>> net.run(np.array([0.0, 2.0, 5.0, 7.0]).reshape(1, 1, 2, 2)).output.round(3)
    array([[[[-1.,  1.],
             [-1.,  1.]]]], dtype=float32)
    """

    kind = "instancenorm"
    usual: ClassVar[dict[str, Any]] = {**GroupNorm.usual, "affine": False}

    def __init__(self, *, eps: float = 1e-5, affine: bool = False, bias: bool = True):
        super().__init__(1, eps=eps, affine=affine, bias=bias)

    def options(self) -> dict[str, Any]:
        return {name: value for name, value in super().options().items() if name != "groups"}

    def build(self, in_shape: tuple[int, ...], setting: Setting, draws: Draws) -> None:
        if len(in_shape) < 2:
            raise ValueError(f"{self!r} needs an input with an axis behind its channels, not {list(in_shape)}")
        self.groups = in_shape[0]
        super().build(in_shape, setting, draws)
