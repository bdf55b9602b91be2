"""Cross-entropy of classes, read out of an output that has a time axis.

    logits[b, c] = scale * readout(y[:, b, c])
    p = softmax(logits);   q = (1 - label_smoothing) onehot(label) + label_smoothing / C
    value = mean_b( -sum_c q log p );   d value / d logits = (p - q) / B

The losses differ in ``readout`` alone, a pair of functions in ``readouts``; what one class adds to a row is in
``equations``. Sums run in float64; the gradient has the dtype of ``y``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from ..device.buffers import Array
from ..validate import choice, finite, number, real
from . import checks, on_gpu
from .equations import class_entropy
from .readouts import LARGEST, LAST, MEAN, TOTAL, Readout


def softmax_cross_entropy(
    logits: np.ndarray, labels: np.ndarray, label_smoothing: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy of each row of logits with its label, and each value's gradient with respect to its row.

    Parameters
    ----------
    logits : array [..., C], float64
        Shifting a row by a constant changes nothing.
    labels : integer array [...]
        Class numbers in ``0 .. C - 1``.
    label_smoothing : float in [0, 1), default 0
        Share of the target that is spread evenly over all classes (Szegedy et al. 2016).

    Returns
    -------
    values : array [...]
    gradient : array [..., C]

    Examples
    --------
    >>> value, gradient = softmax_cross_entropy(np.zeros((1, 2)), np.array([1]))
    >>> value.round(4), gradient
    (array([0.6931]), array([[ 0.5, -0.5]]))
    """
    logits = finite("logits", real("logits", logits))
    if not logits.ndim or not logits.size:
        raise ValueError(f"logits must have shape [..., C], not {list(logits.shape)}")
    labels = checks.labels("softmax_cross_entropy", labels, logits.shape[:-1], logits.shape[-1])
    if not 0.0 <= number("label_smoothing", label_smoothing) < 1.0:
        raise ValueError(f"label_smoothing must be at least 0 and less than 1, not {label_smoothing!r}")
    shifted = logits - logits.max(axis=-1, keepdims=True)
    p, classes = np.exp(shifted), logits.shape[-1]
    right = labels[..., None] == np.arange(classes)
    shares, gradient = class_entropy(shifted, p, p.sum(axis=-1, keepdims=True), right, label_smoothing, classes)
    return shares.sum(axis=-1), gradient


@dataclass(frozen=True)
class CrossEntropy:
    """Base of the cross-entropies with one logit per sample and class; a subclass sets its ``readout``.

    Parameters
    ----------
    scale : float, default 1
        Factor on the logits (an inverse temperature). Spike rates lie in [0, 1], where a softmax is nearly flat:
        a scale of 5 to 20 lets it decide.
    label_smoothing : float in [0, 1), default 0
        Share of the target that is spread evenly over all classes.
    """

    scale: float = 1.0
    label_smoothing: float = 0.0
    decision: ClassVar[str] = "count"  # the readout of losses.predict that belongs to this loss
    readout: ClassVar[Readout]
    sign: ClassVar[float] = 1.0  # of the logits

    def __post_init__(self) -> None:
        number("scale", self.scale, above=0.0)
        _check_smoothing(self.label_smoothing)

    def __call__(self, y: np.ndarray, target: ArrayLike) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y``.

        Parameters
        ----------
        y : float array [T, B, C]
            Spikes or membranes of the output units.
        target : integer array [B]
            Class numbers in ``0 .. C - 1``.

        Returns
        -------
        value : float
            Mean over the batch.
        gradient : array [T, B, C], dtype of ``y``

        Raises
        ------
        TypeError
            ``y`` is no float32 or float64 array, or the labels are no integers.
        ValueError
            Wrong shape, label out of range, NaN or infinity in ``y``.
        """
        name = type(self).__name__
        _, batch, classes = checks.output(name, y).shape
        labels = checks.labels(name, target, (batch,), classes)
        factor = self.sign * self.scale
        values, g = softmax_cross_entropy(factor * self.readout(y), labels, self.label_smoothing)
        return float(values.mean()), self.readout.back(y, g * (factor / batch))

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        name, factor = type(self).__name__, self.sign * self.scale
        return on_gpu.cross_entropy(name, self.readout, factor, self.label_smoothing, y, target, total, room)


class RateCrossEntropy(CrossEntropy):
    """Cross-entropy of spike rates: the logit is ``scale`` times the mean of ``y`` over time.

    Works on spikes and on membranes alike. Parameters as in ``CrossEntropy``.

    Examples
    --------
    >>> y = np.zeros((4, 1, 2), np.float32)
    >>> y[:, 0, 1] = 1.0                         # class 1 fires at every step
    >>> value, gradient = RateCrossEntropy(scale=10.0)(y, [1])
    >>> value < 1e-4, gradient.shape
    (True, (4, 1, 2))
    """

    readout = MEAN


class SumCrossEntropy(CrossEntropy):
    """Cross-entropy of spike counts, or of membranes summed over time: the logit is ``scale * sum_t y``.

    Parameters as in ``CrossEntropy``.

    Examples
    --------
    >>> value, gradient = SumCrossEntropy()(np.ones((3, 1, 2)), [0])
    >>> round(value, 4), gradient[:, 0, 0].tolist()
    (0.6931, [-0.5, -0.5, -0.5])
    """

    readout = TOTAL


class MaxCrossEntropy(CrossEntropy):
    """Cross-entropy of each output's maximum over time; the gradient goes to the first step that reaches it.

    Meant for the membranes of a readout that does not spike (Cramer et al. 2022; spytorch). Parameters as in
    ``CrossEntropy``. The maximum is differentiable except where two steps tie.

    Examples
    --------
    >>> y = np.array([0.0, 2.0, 2.0, 1.0]).reshape(4, 1, 1) * [1.0, 0.5]
    >>> MaxCrossEntropy()(y, [1])[1][:, 0, 1].round(4).tolist()
    [0.0, -0.7311, 0.0, 0.0]
    """

    decision: ClassVar[str] = "max"
    readout = LARGEST


class LastCrossEntropy(CrossEntropy):
    """Cross-entropy of the output at the last step: for membranes that integrate over the whole sample.

    Parameters as in ``CrossEntropy``.

    Examples
    --------
    >>> value, gradient = LastCrossEntropy()(np.ones((3, 1, 2)), [0])
    >>> gradient[:, 0, 0].tolist()
    [0.0, 0.0, -0.5]
    """

    decision: ClassVar[str] = "last"
    readout = LAST


@dataclass(frozen=True)
class StepCrossEntropy:
    """Cross-entropy at every step, with ``scale * y[t]`` as logits, summed or averaged over the steps.

        value = reduce_t mean_b CE(scale * y[t, b], label)

    Every step is asked to be right, so learning signals reach early steps. With ``reduction="sum"`` the value of a
    sequence is the sum of the values of its chunks, which is what a learner that steps through time adds up.

    Parameters
    ----------
    scale : float, default 1
        Factor on the logits.
    label_smoothing : float in [0, 1), default 0
        Share of the target that is spread evenly over all classes.
    reduction : {"mean", "sum"}, default "mean"
        Over steps. "sum" is what Eshraghian et al. (2023, snnTorch's tutorial 5) train with.

    Examples
    --------
    >>> y = np.zeros((25, 2, 10), np.float32)
    >>> round(StepCrossEntropy(reduction="sum")(y, [3, 4])[0] / 25, 4) == round(float(np.log(10.0)), 4)
    True
    """

    scale: float = 1.0
    label_smoothing: float = 0.0
    reduction: str = "mean"
    decision: ClassVar[str] = "count"

    def __post_init__(self) -> None:
        number("scale", self.scale, above=0.0)
        _check_smoothing(self.label_smoothing)
        choice("reduction", self.reduction, ("mean", "sum"))

    def summed(self) -> StepCrossEntropy:
        """The loss whose value is the sum of the values that this one has for each step alone."""
        return replace(self, reduction="sum")

    def __call__(self, y: np.ndarray, target: ArrayLike) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y`` ``[T, B, C]``; labels are ``[B]``, or ``[T, B]``, one per step.

        Raises
        ------
        TypeError, ValueError
            As ``CrossEntropy`` does.
        """
        name = type(self).__name__
        steps, batch, classes = checks.output(name, y).shape
        target = real("target", target)
        shape = (batch,) if target.ndim < 2 else (steps, batch)
        labels = np.broadcast_to(checks.labels(name, target, shape, classes), (steps, batch))
        values, g = softmax_cross_entropy(self.scale * y.astype(np.float64), labels, self.label_smoothing)
        weight = 1.0 / batch if self.reduction == "sum" else 1.0 / (batch * steps)
        g *= self.scale * weight
        return float(values.sum() * weight), g.astype(y.dtype, copy=False)

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        name, options = type(self).__name__, (self.scale, self.label_smoothing, self.reduction)
        return on_gpu.step_cross_entropy(name, *options, y, target, total, room)


def _check_smoothing(value: float) -> None:
    if number("label_smoothing", value, least=0.0) >= 1.0:
        raise ValueError(f"label_smoothing must be less than 1, not {value!r}")


rate_cross_entropy = RateCrossEntropy()
sum_cross_entropy = SumCrossEntropy()
max_cross_entropy = MaxCrossEntropy()
last_cross_entropy = LastCrossEntropy()
step_cross_entropy = StepCrossEntropy()
