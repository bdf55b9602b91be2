"""Words of equations that serve arrays and single numbers.

On the CPU a name of such an equation stands for an array, on a GPU for one number. So its text is made of operators and
of five words, ``wide``, ``exp``, ``log``, ``larger`` and ``where``: they are NumPy's as they stand, and ``SCALAR`` is
what a kernel fills in for them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .hole import hole

Values = float | np.ndarray


@hole
def wide(x: Values) -> Any:
    """``x`` in float64, in which losses compute."""
    return np.asarray(x, np.float64)


@hole
def exp(x: Values) -> Any:
    """The exponential."""
    return np.exp(x)


@hole
def log(x: Values) -> Any:
    """The natural logarithm."""
    return np.log(x)


@hole
def larger(x: Values, y: Values) -> Any:
    """The larger of two."""
    return np.maximum(x, y)


@hole
def where(condition: Values, x: Values, y: Values) -> Any:
    """``x`` where the condition holds, else ``y``."""
    return np.where(condition, x, y)


def either(condition: Values, x: Values, y: Values) -> Any:
    """``where`` for one number."""
    return x if condition else y


SCALAR = {"wide": np.float64, "exp": math.exp, "log": math.log, "larger": max, "where": either}
"""What the words are filled with in a kernel."""
