"""Basics of the neurons with biological units: checks of arguments, and the count of refractory steps.

Units are ms, mV, pF, nS and pA throughout, so that nS mV = pA and pA / pF = mV / ms; ``dt`` is in ms. Arguments may be
arrays of one value per unit. A refractory period is rounded to the nearest step: after a spike in step t, the next is
possible in step t + 1 + refractory. Input of the steps between, the last included, is lost where the membrane is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from ..validate import filled


def need(
    kind: str,
    *,
    above: Mapping[str, Any] | None = None,
    least: Mapping[str, Any] | None = None,
    order: Mapping[str, Any] | None = None,
    real: Mapping[str, Any] | None = None,
) -> None:
    """Raise unless all are finite, all ``above`` exceed 0, all ``least`` are at least 0, and ``order`` increases."""
    for name, value in {**(real or {}), **(above or {}), **(least or {}), **(order or {})}.items():
        filled(f"{name} of {kind}", value)
    for name, value in (above or {}).items():
        if not np.all(np.asarray(value) > 0.0):
            raise ValueError(f"{name} of {kind} must be greater than 0, not {value!r}")
    for name, value in (least or {}).items():
        if not np.all(np.asarray(value) >= 0.0):
            raise ValueError(f"{name} of {kind} must be at least 0, not {value!r}")
    values = list((order or {}).items())
    for (low, a), (high, b) in pairwise(values):
        broadcast(kind, {low: a, high: b})
        if not np.all(np.asarray(a) < np.asarray(b)):
            raise ValueError(f"{low} of {kind} must be below {high}, not {low}={a!r} and {high}={b!r}")


def broadcast(kind: str, values: Mapping[str, Any]) -> None:
    """Raise ``ValueError`` unless the shapes of arguments go together."""
    try:
        np.broadcast_shapes(*(np.shape(value) for value in values.values()))
    except ValueError:
        shapes = " and ".join(f"{name} {list(np.shape(value))}" for name, value in values.items())
        raise ValueError(f"the shapes of {kind}'s arguments must go together, not {shapes}") from None


def rest_of(left, s, refractory):
    """Refractory steps that are left after a step: all after a spike, one less otherwise."""
    return refractory if s > 0.5 else max(left - 1.0, 0.0)


def reset_where(left, s, v_reset, u):
    """The membrane after a step: held at ``v_reset`` after a spike and while steps are left."""
    # In two choices: "or" would be a jump, on which some loops lose their vectors; a sum takes 3 % longer.
    return v_reset if left > 0.5 else (v_reset if s > 0.5 else u)
