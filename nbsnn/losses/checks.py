"""Checks at both ends of a loss: the output and the target that it is given, and the number and the gradient that it
returns. A target is labels, shares of classes or numbers, and says how much each sample counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from ..validate import FLOATS, count, finite, fraction, numbers, real, shaped, unmasked


@dataclass(frozen=True, eq=False)
class Weighted:
    """A target of which each sample counts as much as its weight says: ``loss(y, Weighted(labels, weight))``.

    The mean over the batch becomes ``sum_b weight[b] value[b] / sum_b weight[b]``.

    Parameters
    ----------
    target : array
        What the loss takes alone.
    weight : array [B]
        Weights of the samples, at least 0.

    Examples
    --------
    >>> from nbsnn import losses
    >>> y = np.zeros((4, 2, 3), np.float32)
    >>> y[:, 0, 1] = 1.0                          # the first sample is right, the second counts nothing
    >>> right = losses.rate_cross_entropy(y[:, :1], [1])[0]
    >>> losses.rate_cross_entropy(y, losses.Weighted([1, 1], [1.0, 0.0]))[0] == right
    True
    """

    target: ArrayLike
    weight: np.ndarray

    def __post_init__(self) -> None:
        numbers("target", self.target)
        weight = numbers("weight", self.weight)
        if weight.ndim != 1 or not len(weight) or weight.min() < 0.0:
            raise ValueError(f"weight must be numbers [B] of at least 0, not {self.weight!r}")
        object.__setattr__(self, "weight", weight)


Target = ArrayLike | Weighted
"""What losses compare an output with: labels, shares or numbers."""


def output(loss: str, y: object) -> np.ndarray:
    """``y`` if it is a finite float32 or float64 array ``[T, B, C]`` without an empty axis; ``loss`` names who asks."""
    if not isinstance(y, np.ndarray):
        raise TypeError(f"{loss}: y must be a NumPy array [T, B, C], not a {type(y).__name__}")
    y = cast(np.ndarray, y)
    if y.dtype not in FLOATS:
        raise TypeError(f"{loss}: y must be float32 or float64, not {y.dtype}")
    if y.ndim != 3:
        raise ValueError(f"{loss}: y must have shape [any, any, any], not {list(y.shape)}")
    if y.size == 0:
        raise ValueError(f"{loss}: y of shape {list(y.shape)} is empty; T, B and C must be at least 1")
    return finite(f"{loss}: y", y)


def split(loss: str, target: ArrayLike | Weighted, batch: int) -> tuple[ArrayLike, np.ndarray | None]:
    """A target, and the weights of its samples if it has some."""
    if not isinstance(target, Weighted):
        return target if type(target) is np.ndarray else unmasked(f"{loss}: target", target), None
    return target.target, shaped(f"{loss}: weight", target.weight, (batch,))


def mean_weights(weight: np.ndarray) -> np.ndarray:
    """Weights whose sum is 1, or 0 if all are."""
    return weight / (float(weight.sum()) or 1.0)


def class_weights(value: Sequence[float] | np.ndarray | None) -> tuple[float, ...] | None:
    """Weights of classes as a tuple, checked."""
    if value is None:
        return None
    array = numbers("class_weight", value)
    if array.ndim != 1 or not len(array) or array.min() < 0.0 or not array.any():
        raise ValueError(f"class_weight must be numbers [C] of at least 0, not all 0, not {value!r}")
    return tuple(array.tolist())


def check_options(label_smoothing: float, ignore: int | None) -> None:
    """Raise unless a cross-entropy can have these options."""
    fraction("label_smoothing", label_smoothing)
    if ignore is not None:
        count("ignore", ignore, least=-(2**31))


def shares(
    loss: str, target: ArrayLike, shape: tuple[int, ...], classes: int, ignore: int | None, name: str = "target"
) -> tuple[np.ndarray, np.ndarray | None]:
    """What each class should have, [*shape, C], and the labels [*shape]; None for a target that is shares already.

    Labels that are ``ignore`` have no share of anything.
    """
    target = cast(np.ndarray, target) if isinstance(target, np.ndarray) else real(f"{loss}: {name}", target)
    if target.ndim == len(shape) + 1 and target.dtype.kind == "f":
        given = finite(f"{loss}: {name}", shaped(f"{loss}: {name}", target, (*shape, classes)).astype(np.float64))
        if given.min() < 0.0:
            raise ValueError(f"{loss}: {name} must be shares of the classes, at least 0, not {given.min():g}")
        return given, None
    left = np.zeros(target.shape, bool) if ignore is None else target == ignore
    labels = _labels(loss, np.where(left, 0, target) if left.any() else target, shape, classes)
    return (labels[..., None] == np.arange(classes)) & ~left[..., None], np.where(left, -1, labels)


def labels(loss: str, target: ArrayLike, shape: tuple[int, ...], classes: int) -> np.ndarray:
    """Class numbers of the given shape, each in ``0 .. classes - 1``."""
    return _labels(loss, real(f"{loss}: labels", target), shape, classes)


def _labels(loss: str, target: np.ndarray, shape: tuple[int, ...], classes: int) -> np.ndarray:
    if not np.issubdtype(target.dtype, np.integer):
        raise TypeError(f"{loss}: labels must be integers of shape {list(shape)}, not {target.dtype}")
    if target.ndim == len(shape) == 1 and target.shape != shape:
        wanted = f"{list(shape)}, one for each sample of x [T, B, ...]"
        raise ValueError(f"{loss}: labels must have shape {wanted}, not {list(target.shape)}")
    if target.shape != shape:
        raise ValueError(f"{loss}: labels must have shape {list(shape)}, not {list(target.shape)}")
    if target.min() < 0 or target.max() >= classes:
        wrong = target.max() if target.max() >= classes else target.min()
        raise ValueError(f"{loss}: labels must be 0 .. {classes - 1} (y has {classes} outputs), not {wrong}")
    return target.astype(np.intp)


def dense(loss: str, target: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """A finite real target of the given shape, as float64."""
    target = real(f"{loss}: target", target)
    return finite(f"{loss}: target", shaped(f"{loss}: target", target, shape).astype(np.float64))


def labels_or_dense(loss: str, target: ArrayLike, shape: tuple[int, int], correct: float, wrong: float) -> np.ndarray:
    """A target ``[B, C]`` as it stands, or made of labels ``[B]``: ``correct`` at each label, ``wrong`` elsewhere."""
    target = real(f"{loss}: target", target)
    if target.ndim != 1:
        return dense(loss, target, shape)
    batch, classes = shape
    filled = np.full(shape, wrong, np.float64)
    filled[np.arange(batch), labels(loss, target, (batch,), classes)] = correct
    return filled


def row_weights(labels: np.ndarray | None, shape: tuple[int, ...], class_weight: np.ndarray) -> np.ndarray:
    """How much each row counts in a mean: the weight of its label, 0 if it is left out; 1 without labels."""
    if labels is None:
        return np.ones(shape)
    return np.where(labels >= 0, class_weight[labels], 0.0)


def by_class(loss: str, class_weight: Sequence[float] | None, classes: int) -> np.ndarray:
    """The weight of each class, [C], by default ones."""
    if class_weight is None:
        return np.ones(classes)
    if len(class_weight) != classes:
        raise ValueError(f"{loss}: class_weight has {len(class_weight)} numbers, but y has {classes} outputs")
    return np.array(class_weight)


def checked_result(what: str, result: object, y: np.ndarray, *, numbers: bool = True) -> tuple[float, np.ndarray]:
    """The result of a loss or regulariser of ``y``, in the precision of ``y``.

    Raises ``TypeError`` or ``ValueError`` unless it is a number and an array of the shape of ``y``; of finite numbers,
    if ``numbers`` are looked at.
    """
    pair: Sequence[Any] = cast(Sequence[Any], result) if isinstance(result, (tuple, list)) else ()
    if len(pair) != 2:
        raise TypeError(f"the {what} must return a pair (value, derivative), not {_kind(cast(object, result))}")
    value, g = pair
    if np.ndim(value) or np.asarray(value).dtype.kind not in "fiub":
        raise TypeError(f"the value of the {what} must be a real number, not {_kind(value)}")
    given = np.asarray(g)
    if given.dtype.kind not in "fiub":
        raise TypeError(f"the derivative of the {what} must be an array of real numbers, not {_kind(g)}")
    if given.shape != y.shape:
        raise ValueError(
            f"the derivative of the {what} has shape {list(given.shape)}, but its argument has {list(y.shape)}"
        )
    with np.errstate(over="ignore"):
        given = np.asarray(given, y.dtype)
    if numbers and np.isfinite(value):  # else the value says what is wrong
        finite(f"the derivative of the {what}", given)
    return float(value), given


def _kind(value: object) -> str:
    """A value in few words."""
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    array = cast(np.ndarray, value)
    return f"{array.dtype} {list(array.shape)}"
