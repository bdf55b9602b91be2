"""Checks at the border: what was given, what is allowed, and where. Behind the border, code assumes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def float_dtype(dtype: Any) -> np.dtype:
    """``dtype`` as a NumPy dtype; only float32 and float64 are allowed."""
    dtype = np.dtype(dtype)
    if dtype not in FLOATS:
        raise TypeError(f"dtype must be float32 or float64, not {dtype}")
    return dtype


def number(name: str, value: Any, *, above: float | None = None, least: float | None = None) -> float:
    """A finite number, optionally greater than ``above`` or at least ``least``."""
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {value!r}") from None
    if not np.isfinite(result):
        raise ValueError(f"{name} must be finite, not {value!r}")
    if above is not None and not result > above:
        raise ValueError(f"{name} must be greater than {above:g}, not {value!r}")
    if least is not None and not result >= least:
        raise ValueError(f"{name} must be at least {least:g}, not {value!r}")
    return result


def count(name: str, value: Any, *, least: int = 1) -> int:
    """An integer of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")
    return int(value)


def choice(name: str, value: Any, allowed: Collection[Any]) -> Any:
    """One of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, not {value!r}")
    return value


def finite(name: str, array: np.ndarray) -> np.ndarray:
    """An array without NaN or infinity; the message says how many there are and where the first is."""
    # The sum is finite unless an element is not, or it overflows: one pass without a temporary array. The sum of
    # squares would be quicker, but BLAS's threads then wait busily for more and take the processor from ours.
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious:
        bad = ~np.isfinite(array)
        if bad.any():
            first = tuple(int(i) for i in np.argwhere(bad)[0])
            raise ValueError(f"{name} contains {int(bad.sum())} NaN or infinite values, the first at index {first}")
    return array


def shaped(name: str, array: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of the given shape; None stands for any length."""
    if array.ndim != len(shape) or any(s is not None and s != n for s, n in zip(shape, array.shape, strict=False)):
        wanted = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(f"{name} must have shape [{wanted}], not {list(array.shape)}")
    return array
