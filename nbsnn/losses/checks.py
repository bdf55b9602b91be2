"""Checks of a loss's arguments: finite outputs ``[T, B, C]``, labels in range, targets that fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..validate import FLOATS, finite, real, shaped


def output(loss: str, y: object) -> np.ndarray:
    """``y`` if it is a finite float32 or float64 array ``[T, B, C]`` without an empty axis; ``loss`` names who asks."""
    if not isinstance(y, np.ndarray):
        raise TypeError(f"{loss}: y must be a NumPy array [T, B, C], not a {type(y).__name__}")
    if y.dtype not in FLOATS:
        raise TypeError(f"{loss}: y must be float32 or float64, not {y.dtype}")
    shaped(f"{loss}: y", y, (None, None, None))
    if y.size == 0:
        raise ValueError(f"{loss}: y of shape {list(y.shape)} is empty; T, B and C must be at least 1")
    return finite(f"{loss}: y", y)


def labels(loss: str, target: ArrayLike, shape: tuple[int, ...], classes: int) -> np.ndarray:
    """Class numbers of the given shape, each in ``0 .. classes - 1``."""
    target = real(f"{loss}: labels", target)
    if not np.issubdtype(target.dtype, np.integer):
        raise TypeError(f"{loss}: labels must be integers of shape {list(shape)}, not {target.dtype}")
    if target.ndim == len(shape) == 1 and target.shape != shape:
        wanted = f"{list(shape)}, one for each sample of x [T, B, ...]"
        raise ValueError(f"{loss}: labels must have shape {wanted}, not {list(target.shape)}")
    shaped(f"{loss}: labels", target, shape)
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
