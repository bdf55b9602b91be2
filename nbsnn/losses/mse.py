"""Squared distance of an output to a target: of its rates, or of the output itself at every step.

RateMSE:  value = mean_{b, c} (mean_t y[t, b, c] - target[b, c])^2
StepMSE:  value = reduce_t mean_{b, c} (y[t, b, c] - target[t, b, c])^2
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..device.buffers import Array
from ..validate import choice, number, real
from . import checks, on_gpu
from .checks import Weighted, mean_weights, split
from .equations import square
from .readouts import MEAN, Readout


class ReadoutDistance:
    """Base of losses that compare a readout of each output with a wanted number, averaged over batch and outputs.

    A subclass says which ``readout``, what is ``wanted``, and the ``distance`` of the two: an equation for the CPU and
    for GPUs alike, ``distance(z, target, weight)``, which gives ``weight`` times the distance and its derivative with
    respect to ``z``; see ``losses.equations``.
    """

    readout: ClassVar[Readout]
    decision: ClassVar[str] = "count"

    @property
    def distance(self) -> Callable[..., Any]:
        """The equation; squared distance by default."""
        return square

    def wanted(self, target: ArrayLike, steps: int, batch: int, classes: int) -> np.ndarray:
        """What the readout should be, ``[B, C]``, of a target that is labels ``[B]`` or numbers ``[B, C]``."""
        raise NotImplementedError

    def __call__(self, y: np.ndarray, target: ArrayLike | Weighted) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y``.

        Parameters
        ----------
        y : float array [T, B, C]
        target : integer array [B] or real array [B, C]
            Labels, or the wanted number of each output; ``Weighted`` gives samples weights.

        Raises
        ------
        TypeError, ValueError
            A wrong dtype or shape, a label out of range, NaN or infinity.
        """
        name = type(self).__name__
        steps, batch, classes = checks.output(name, y).shape
        aim, given = split(name, target, batch)
        wanted = self.wanted(aim, steps, batch, classes)
        weight = 1.0 / wanted.size if given is None else mean_weights(given)[:, None] / classes
        values, g = self.distance(self.readout(y), wanted, weight)
        return float(values.sum()), self.readout.back(y, g)

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        wanted = self.wanted(target, *on_gpu.outputs(type(self).__name__, y))
        return on_gpu.readout_distance(self.readout, self.distance, y, wanted, total, room)


@dataclass(frozen=True)
class RateMSE(ReadoutDistance):
    """Mean squared error of rates, averaged over batch and outputs.

    Parameters
    ----------
    correct : float, spikes per step, default 1
        Wanted rate of the labelled class.
    wrong : float, spikes per step, default 0
        Wanted rate of every other class. A little above 0 keeps wrong units from falling silent for good.

    Examples
    --------
    >>> y = np.ones((5, 1, 2), np.float32)
    >>> rate_mse(y, [0])[0]                      # class 0 is right, class 1 fires and should not
    0.5
    >>> rate_mse(y, np.array([[0.5, 1.0]]))[0]   # custom rates
    0.125
    """

    correct: float = 1.0
    wrong: float = 0.0
    readout: ClassVar[Readout] = MEAN

    def __post_init__(self) -> None:
        number("correct", self.correct)
        number("wrong", self.wrong)

    def wanted(self, target: ArrayLike, steps: int, batch: int, classes: int) -> np.ndarray:
        return checks.labels_or_dense(type(self).__name__, target, (batch, classes), self.correct, self.wrong)


@dataclass(frozen=True)
class StepMSE:
    """Mean squared error at every step, for outputs that should follow a signal.

    Parameters
    ----------
    reduction : {"mean", "sum"}, default "mean"
        Over steps; batch and outputs are always averaged.

    Examples
    --------
    >>> y = np.ones((4, 1, 2))
    >>> StepMSE()(y, np.zeros((4, 1, 2)))[0], StepMSE("sum")(y, np.zeros((4, 1, 2)))[0]
    (1.0, 4.0)
    """

    reduction: str = "mean"
    decision: ClassVar[str] = "count"
    target_axes: ClassVar[int] = 3
    """From how many axes on a target has one for time."""

    def __post_init__(self) -> None:
        choice("reduction", self.reduction, ("mean", "sum"))

    @cached_property
    def summed(self) -> StepMSE:
        """The loss whose value is the sum of the values that this one has for each step alone."""
        return replace(self, reduction="sum")

    def __call__(self, y: np.ndarray, target: ArrayLike | Weighted) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y`` ``[T, B, C]``; the target is real, ``[T, B, C]`` or ``[B, C]``.

        Raises
        ------
        TypeError, ValueError
            A wrong dtype or shape, NaN or infinity.
        """
        name = type(self).__name__
        shape = checks.output(name, y).shape
        aim, given = split(name, target, shape[1])
        aim = real("target", aim)
        weight = 1.0 / y.size if self.reduction == "mean" else len(y) / y.size
        if given is not None:
            weight = mean_weights(given)[:, None] * (weight * shape[1])
        values, gradient = square(y, checks.dense(name, aim, shape[1:] if aim.ndim == 2 else shape), weight)
        return float(values.sum()), gradient.astype(y.dtype, copy=False)

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        name, target = type(self).__name__, real("target", target)
        shape = on_gpu.outputs(name, y)
        wanted = checks.dense(name, target, shape[1:] if target.ndim == 2 else shape)
        weight = 1.0 / y.size if self.reduction == "mean" else shape[0] / y.size
        return on_gpu.step_squares(y, wanted, weight, total, room)


rate_mse = RateMSE()
step_mse = StepMSE()
