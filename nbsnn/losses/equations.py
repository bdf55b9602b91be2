"""The equations of losses, for the CPU and for GPUs alike.

They are written in the words of ``scalar.words``. Equations over time are in ``readouts``.
"""

from __future__ import annotations

from typing import Any

from ..scalar.words import Values, where, wide


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
