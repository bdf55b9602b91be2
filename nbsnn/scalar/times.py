"""Times in ms and steps: which times are whole numbers of steps, which step is nearest, and what lies on an edge.

A time that is a whole number of steps seldom is one in floating point: 0.3 / 0.1 is 2.9999999999999996. Rounding is
forgiven, and never more than a thousandth of a step, however late it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..validate import number

Array = np.ndarray

LATEST = 2**53
"""Steps up to which a number of float64 tells one from the next."""

MOST = 1e-3
"""Largest tolerance, as a share of a step."""


def whole(duration: float, dt: float, name: str, least: int = 1) -> int:
    """A time as a whole number of steps.

    Raises
    ------
    ValueError
        If it is none, by more than rounding; if it is below ``least``, or above 2^53.

    >>> whole(60000.0, 0.1, "duration")
    600000
    """
    steps = number(name, duration) / dt
    near = round(steps) if abs(steps) <= LATEST else -1
    if near < least or abs(steps - near) > min(1e-6 * max(1.0, steps), MOST):
        raise ValueError(
            f"{name} must be a whole number of steps of {dt:g} ms, at least {least}, at most 2^53, not {duration!r} ms"
        )
    return near


def nearest(times: ArrayLike, dt: float) -> Any:
    """The number of steps that is nearest to each time, as floats; halves go up, also where rounding hides them.

    >>> nearest([0.14, 0.25, 0.35], 0.1)
    array([1., 3., 4.])
    """
    times = np.asarray(times)
    return np.floor(times.astype(np.float64) / dt + (0.5 + _rounding(times, dt)))


def following(times: ArrayLike, dt: float) -> Any:
    """The number of steps at whose end each time has been reached, as floats.

    >>> following([0.2, 0.21, 0.3], 0.1)
    array([2., 3., 3.])
    """
    times = np.asarray(times)
    return np.ceil(times.astype(np.float64) / dt - _rounding(times, dt))


def begun(times: ArrayLike, dt: float) -> Any:
    """The number of the step that has begun at each time, counted from 0; of integers exactly, if ``dt`` is whole.

    >>> begun([0.0, 0.29, 0.3], 0.1), begun([0, 99, 100], 100.0)
    (array([0., 2., 3.]), array([0, 0, 1]))
    """
    times, near = np.asarray(times), round(dt) if dt < LATEST else 0
    if times.dtype.kind in "iu" and near and abs(dt - near) < 1e-9 * dt:
        return times // near
    return np.floor(times.astype(np.float64) / dt + _rounding(times, dt))


def _rounding(times: Array, dt: float) -> Any:
    """Largest displacement of times by rounding, in steps."""
    digits = np.finfo(times.dtype if times.dtype.kind == "f" else np.float64).eps
    return np.minimum(np.abs(times.astype(np.float64)) * (4.0 * float(digits) / dt), MOST) + 1e-9


def edge(time: ArrayLike) -> Any:
    """Edge of a window in floating point: a few roundings before its time.

    A multiple of a step that is meant to lie on the edge, or a time that was moved by some seconds, lies behind it.
    """
    return time - np.maximum(8.0 * np.spacing(np.abs(np.asarray(time, np.float64))), 1e-11)
