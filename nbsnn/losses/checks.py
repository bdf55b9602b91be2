"""Checks at both ends of a loss: the output that it is given, and the number and the gradient that it returns."""

from __future__ import annotations

import numpy as np

from ..validate import FLOATS, finite


def output(loss: str, y: object) -> np.ndarray:
    """``y`` if it is a finite float32 or float64 array ``[T, B, C]`` without an empty axis; ``loss`` names who asks."""
    if not isinstance(y, np.ndarray):
        raise TypeError(f"{loss}: y must be a NumPy array [T, B, C], not a {type(y).__name__}")
    if y.dtype not in FLOATS:
        raise TypeError(f"{loss}: y must be float32 or float64, not {y.dtype}")
    if y.ndim != 3:
        raise ValueError(f"{loss}: y must have shape [any, any, any], not {list(y.shape)}")
    if y.size == 0:
        raise ValueError(f"{loss}: y of shape {list(y.shape)} is empty; T, B and C must be at least 1")
    return finite(f"{loss}: y", y)


def checked_result(what: str, result: object, y: np.ndarray, *, numbers: bool = True) -> tuple[float, np.ndarray]:
    """The result of a loss or regulariser of ``y``, in the precision of ``y``.

    Raises ``TypeError`` or ``ValueError`` unless it is a number and an array of the shape of ``y``; of finite numbers,
    if ``numbers`` are looked at.
    """
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"the {what} must return a pair (value, derivative), not {_kind(result)}")
    value, g = result
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
    return f"{value.dtype} {list(value.shape)}" if isinstance(value, np.ndarray) else type(value).__name__
