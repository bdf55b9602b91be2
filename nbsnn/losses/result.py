"""Check of what a loss or a regulariser returns: a number and its gradient."""

from __future__ import annotations

import numpy as np

from ..validate import finite


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
