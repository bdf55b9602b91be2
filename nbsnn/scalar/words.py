"""Words of equations that serve arrays and single numbers.

On the CPU a name of such an equation stands for an array, on a GPU for one number. So its text is made of operators and
of words, ``wide``, ``larger``, ``where``, and for all steps of an array ``added`` and ``everywhere``: they are NumPy's
as they stand, and ``SCALAR`` is what a kernel fills in for them.
"""

from __future__ import annotations

from collections.abc import Callable
from types import EllipsisType
from typing import Any

import numpy as np

from .hole import hole

Values = float | np.ndarray
Lane = int | EllipsisType


@hole
def wide(x: Values) -> Any:
    """``x`` in float64, in which losses compute."""
    return np.asarray(x, np.float64)


@hole
def larger(x: Values, y: Values) -> Any:
    """The larger of two."""
    return np.maximum(x, y)


@hole
def where(condition: Values, x: Values, y: Values) -> Any:
    """``x`` where the condition holds, else ``y``."""
    return np.where(condition, x, y)


@hole
def added(y: np.ndarray, i: Lane) -> Any:
    """The sum of ``y[t, i]`` over all steps t, in float64."""
    return np.add.reduce(y[:, i], axis=0, dtype=np.float64)


@hole
def everywhere(y: np.ndarray, i: Lane, value: Values) -> None:
    """Set ``y[t, i]`` to one value at all steps t."""
    y[:, i] = value


def added_in_turn(y: np.ndarray, i: int) -> Any:
    """``added`` for one lane."""
    total = 0.0
    for t in range(y.shape[0]):
        total = total + wide(y[t, i])
    return total


def put_in_turn(y: np.ndarray, i: int, value: float) -> None:
    """``everywhere`` for one lane."""
    for t in range(y.shape[0]):
        y[t, i] = value


def either(condition: Values, x: Values, y: Values) -> Any:
    """``where`` for one number."""
    return x if condition else y


SCALAR: dict[str, Callable[..., Any]] = {
    "wide": np.float64, "larger": max, "where": either, "added": added_in_turn, "everywhere": put_in_turn,
}  # fmt: skip
"""What the words are filled with in a kernel."""
