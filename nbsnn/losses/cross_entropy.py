"""Cross-entropy of classes, read out of an output that has a time axis.

    logits[b, c] = scale * readout(y[:, b, c])
    p = softmax(logits);   q = (1 - label_smoothing) onehot(label) + label_smoothing / C
    value = mean_b( -sum_c q log p );   d value / d logits = (p - q) / B

The losses differ in ``readout`` alone, a pair of functions in ``readouts``. Sums run in float64; the gradient has the
dtype of ``y``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, cast

import numpy as np
from numpy.typing import ArrayLike

from ..device.buffers import Array
from ..scalar.words import Values
from ..validate import choice, finite, number, real
from . import checks, on_gpu
from .checks import Weighted
from .readouts import LARGEST, LAST, MEAN, TOTAL, Readout


def softmax_cross_entropy(
    logits: np.ndarray,
    labels: np.ndarray,
    label_smoothing: float = 0.0,
    class_weight: Sequence[float] | None = None,
    ignore: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy of each row of logits with its label, and each value's gradient with respect to its row.

    Parameters
    ----------
    logits : array [..., C], float64
        Shifting a row by a constant changes nothing.
    labels : integer array [...], or float array [..., C]
        Class numbers in ``0 .. C - 1``, or the share of each class.
    label_smoothing : float in [0, 1), default 0
        Share of the target that is spread evenly over all classes (Szegedy et al. 2016).
    class_weight : numbers [C], optional
        Factors of the classes' terms.
    ignore : int, optional
        Label of rows whose value and gradient are 0.

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
    name, shape, classes = "softmax_cross_entropy", logits.shape[:-1], logits.shape[-1]
    weight = checks.by_class(name, checks.class_weights(class_weight), classes)
    checks.check_options(label_smoothing, ignore)
    share, wanted = checks.shares(name, real("labels", labels), shape, classes, ignore, "labels")
    return entropy(logits, share, wanted, label_smoothing, weight)


def entropy(
    logits: np.ndarray, share: np.ndarray, labels: np.ndarray | None, smoothing: float, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-entropy of rows with shares, and gradients; the target is what ``checks.shares`` returns."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    p, classes = np.exp(shifted), logits.shape[-1]
    if labels is not None and (labels < 0).any():
        weight = np.where(labels[..., None] < 0, 0.0, weight)
    mass = (1.0 - smoothing) * (share * weight).sum(axis=-1, keepdims=True)
    mass += smoothing * weight.mean(axis=-1, keepdims=True)
    total = p.sum(axis=-1, keepdims=True)
    terms, gradient = class_entropy(shifted - np.log(total), p / total, share, smoothing, classes, weight, mass)
    return terms.sum(axis=-1), gradient


def class_entropy(
    log_p: Values, p: Values, share: Values, smoothing: Values, classes: Values, weight: Values, mass: Values
) -> Any:
    """One class's term of its row's cross-entropy, and the row's derivative with respect to its logit.

    ``p`` is the probability of the class, a softmax, and ``log_p`` its logarithm, ``share`` what the target gives it,
    ``weight`` its weight, and ``mass`` the sum of all smoothed and weighted shares of the row.
    """
    q = (share * (1.0 - smoothing) + smoothing / classes) * weight
    return -q * log_p, p * mass - q


@dataclass(frozen=True)
class CrossEntropy:
    """Base of the cross-entropies with one logit per sample and class; a subclass sets its ``readout``.

    Parameters
    ----------
    scale : float, default 1
        Factor on the logits. Of spike rates, from 0 to 1, a softmax is nearly flat: a scale of 5 to 20 lets it decide.
    label_smoothing : float in [0, 1), default 0
        Share of the target that is spread evenly over all classes.
    class_weight : numbers [C], optional
        How much samples of each class count: the mean is one with these weights.
    ignore : int, optional
        Label of samples that are left out.

    Examples
    --------
    >>> isinstance(RateCrossEntropy(scale=10.0), CrossEntropy)
    True
    """

    scale: float = 1.0
    label_smoothing: float = 0.0
    class_weight: Sequence[float] | None = None
    ignore: int | None = None
    decision: ClassVar[str] = "count"  # the readout of losses.predict that belongs to this loss
    readout: ClassVar[Readout]
    sign: ClassVar[float] = 1.0  # of the logits

    def __post_init__(self) -> None:
        _check_options(self)

    def __call__(self, y: np.ndarray, target: ArrayLike | Weighted) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y``.

        Parameters
        ----------
        y : float array [T, B, C]
            Spikes or membranes of the output units.
        target : integer array [B], or float array [B, C]
            Class numbers in ``0 .. C - 1``, or the share of each class; ``Weighted`` gives samples weights.

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
        aim, given = checks.split(name, target, batch)
        factor, weight = self.sign * self.scale, checks.by_class(name, self.class_weight, classes)
        share, labels = checks.shares(name, aim, (batch,), classes, self.ignore)
        counts = checks.row_weights(labels, (batch,), weight)
        values, g = entropy(factor * self.readout(y), share, labels, self.label_smoothing, weight)
        if given is not None:
            values, g, counts = values * given, g * given[:, None], counts * given
        total = float(counts.sum()) or 1.0
        return float(values.sum() / total), self.readout.back(y, g * (factor / total))

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        _refuse_weights(self)
        options = self.readout, self.sign * self.scale, self.label_smoothing, class_entropy
        return on_gpu.cross_entropy(type(self).__name__, *options, y, target, total, room)


class RateCrossEntropy(CrossEntropy):
    """Cross-entropy of spike rates: the logit is ``scale`` times the mean of ``y`` over time.

    Works on spikes and on membranes alike.

    Parameters
    ----------
    scale, label_smoothing, class_weight, ignore
        As in ``CrossEntropy``.

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

    Parameters
    ----------
    scale, label_smoothing, class_weight, ignore
        As in ``CrossEntropy``.

    Examples
    --------
    >>> value, gradient = SumCrossEntropy()(np.ones((3, 1, 2)), [0])
    >>> round(value, 4), gradient[:, 0, 0].tolist()
    (0.6931, [-0.5, -0.5, -0.5])
    """

    readout = TOTAL


class MaxCrossEntropy(CrossEntropy):
    """Cross-entropy of each output's maximum over time; the gradient goes to the first step that reaches it.

    Meant for the membranes of a readout that does not spike (Cramer et al. 2022; spytorch).
    The maximum is differentiable except where two steps tie.

    Parameters
    ----------
    scale, label_smoothing, class_weight, ignore
        As in ``CrossEntropy``.

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

    Parameters
    ----------
    scale, label_smoothing, class_weight, ignore
        As in ``CrossEntropy``.

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
    class_weight, ignore
        As in ``CrossEntropy``.

    Examples
    --------
    >>> y = np.zeros((25, 2, 10), np.float32)
    >>> round(StepCrossEntropy(reduction="sum")(y, [3, 4])[0] / 25, 4) == round(float(np.log(10.0)), 4)
    True
    """

    scale: float = 1.0
    label_smoothing: float = 0.0
    reduction: str = "mean"
    class_weight: Sequence[float] | None = None
    ignore: int | None = None
    decision: ClassVar[str] = "count"
    target_axes: ClassVar[int] = 2

    def __post_init__(self) -> None:
        _check_options(self)
        choice("reduction", self.reduction, ("mean", "sum"))

    @cached_property
    def summed(self) -> StepCrossEntropy:
        """The loss whose value is the sum of the values that this one has for each step alone."""
        return replace(self, reduction="sum")

    def __call__(self, y: np.ndarray, target: ArrayLike | Weighted) -> tuple[float, np.ndarray]:
        """Value, and gradient with respect to ``y`` ``[T, B, C]``.

        Labels are ``[B]``, or ``[T, B]``, one per step; shares of classes, floats, have one axis more.

        Raises
        ------
        TypeError, ValueError
            As ``CrossEntropy`` does.
        """
        name = type(self).__name__
        steps, batch, classes = checks.output(name, y).shape
        aim, given = checks.split(name, target, batch)
        aim = cast(Array, aim) if isinstance(aim, np.ndarray) else real("target", aim)
        moving = aim.ndim - (aim.dtype.kind == "f" and aim.shape in ((batch, classes), y.shape)) >= 2
        share, labels = checks.shares(name, aim, (steps, batch) if moving else (batch,), classes, self.ignore)
        weight = checks.by_class(name, self.class_weight, classes)
        counts = checks.row_weights(labels, share.shape[:-1], weight)
        values, g = entropy(self.scale * y.astype(np.float64), share, labels, self.label_smoothing, weight)
        counts = np.broadcast_to(counts, (steps, batch))
        if given is not None:
            values, g, counts = values * given, g * given[:, None], counts * given
        if self.reduction == "sum":
            parts = 1.0 / np.where((parts := counts.sum(axis=1, keepdims=True)) > 0.0, parts, 1.0)
            g *= self.scale * parts[..., None]
            return float((values * parts).sum()), g.astype(y.dtype, copy=False)
        part = 1.0 / (float(counts.sum()) or 1.0)
        g *= self.scale * part
        return float(values.sum() * part), g.astype(y.dtype, copy=False)

    def on_gpu(self, y: Array, target: ArrayLike, total: Array, room: dict[str, Array]) -> Array:
        """Value and gradient for outputs on a GPU; see ``losses.on_gpu``."""
        _refuse_weights(self)
        options = self.scale, self.label_smoothing, self.reduction, class_entropy
        return on_gpu.step_cross_entropy(type(self).__name__, *options, y, target, total, room)


def _check_options(loss: CrossEntropy | StepCrossEntropy) -> None:
    number("scale", loss.scale, above=0.0)
    checks.check_options(loss.label_smoothing, loss.ignore)
    object.__setattr__(loss, "class_weight", checks.class_weights(loss.class_weight))


def _refuse_weights(loss: CrossEntropy | StepCrossEntropy) -> None:
    if loss.class_weight is not None or loss.ignore is not None:
        raise NotImplementedError(f'{loss!r} has no counterpart on a GPU for its weights yet: use device="cpu"')


rate_cross_entropy = RateCrossEntropy()
sum_cross_entropy = SumCrossEntropy()
max_cross_entropy = MaxCrossEntropy()
last_cross_entropy = LastCrossEntropy()
step_cross_entropy = StepCrossEntropy()
