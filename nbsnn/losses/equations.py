"""The equations of losses, for the CPU and for GPUs alike.

On a GPU a name stands for one number of one lane; on the CPU it stands for an array, of all lanes at once. So the text
is made of operators and of five words, ``wide``, ``exp``, ``log``, ``larger`` and ``where``: they are NumPy's as they
stand, and ``SCALAR`` is what a kernel fills in for them. Equations over time are in ``readouts``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..scalar.hole import hole

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


def class_entropy(
    shifted: Values, p: Values, total: Values, share: Values, smoothing: Values, classes: Values, weight: Values,
    mass: Values,
) -> Any:  # fmt: skip
    """One class's term of its row's cross-entropy, and the row's derivative with respect to its logit.

    ``shifted`` is the logit less the largest of the row, ``p`` its exponential, ``total`` the sum of all these in the
    row, ``share`` what the target gives the class, 1 if it is the labelled one, and ``weight`` the weight of the class.
    ``mass`` is the sum of all smoothed and weighted shares of the row.
    """
    q = (share * (1.0 - smoothing) + smoothing / classes) * weight
    return -q * (shifted - log(total)), p / total * mass - q


def square(z: Values, target: Values, weight: Values) -> Any:
    """``weight (z - target)^2`` and its derivative with respect to ``z``."""
    error = wide(z) - target
    return weight * error * error, 2.0 * weight * error


def outside(n: Values, lower: Values, upper: Values) -> Any:
    """Signed distance to a band: positive above it, negative below, zero inside."""
    return where(n > upper, n - upper, where(n < lower, n - lower, 0.0))


def penalty(n: Values, lower: Values, upper: Values, power: int, weight: Values, factor: Values) -> Any:
    """``weight |outside|^power``, and ``factor`` times the derivative of ``|outside|^power`` with respect to ``n``."""
    distance = outside(n, lower, upper)
    if power == 1:
        sign = where(distance > 0.0, 1.0, 0.0) - where(distance < 0.0, 1.0, 0.0)
        return weight * sign * distance, factor * sign
    return weight * distance * distance, 2.0 * factor * distance
