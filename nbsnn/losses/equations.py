"""The equations of losses, for the CPU and for GPUs alike.

They are written in the words of ``scalar.words``. Equations over time are in ``readouts``.
"""

from __future__ import annotations

from typing import Any

from ..scalar.words import Values, log, where, wide


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
