"""Checks of what is given to a network from outside: lists of spikes, events, currents."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..events.fields import PER_MS, check_unit
from ..scalar.times import LATEST, following, nearest
from ..validate import array_of, count, finite

Array = np.ndarray


def spike_list(times: ArrayLike, units: ArrayLike, n: int, dt: float, off_grid: bool = False) -> tuple[Array, ...]:
    """Step and unit of each spike, sorted by step, then by unit; off the grid also its time before the step's end."""
    times, units = array_of("times", times), array_of("units", units)
    if times.ndim != 1 or times.shape != units.shape:
        raise ValueError(
            f"times and units must be lists of one length, not {list(times.shape)} and {list(units.shape)}"
        )
    if times.dtype.kind not in "fiu" or (units.size and units.dtype.kind not in "iu"):
        raise TypeError(f"times must be numbers and units integers, not {times.dtype} and {units.dtype}")
    finite("times", times)
    exact = times.astype(np.float64) / dt
    steps = np.maximum(np.ceil(exact * (1.0 - 2.0**-51)), 1.0) if off_grid else nearest(times, dt)
    if off_grid and times.min(initial=0.0) < 0.0:
        raise ValueError(f"times must not be negative; the first is {times.min():g} ms")
    if len(steps) and not 1.0 <= steps.min() <= steps.max() <= LATEST:
        raise ValueError(
            f"times must be at least one step ({dt:g} ms), the end of the first, and at most 2^53 steps; they span "
            f"{times.min():g} to {times.max():g} ms"
        )
    if len(units) and (units.min() < 0 or units.max() >= n):
        raise ValueError(f"units must be from 0 to {n - 1}, but span {units.min()} to {units.max()}")
    order = np.lexsort((units, steps))
    before = np.maximum(steps - exact, 0.0)[order]
    steps, units = steps[order].astype(np.int64) - 1, units[order].astype(np.int64)
    twice = (steps[1:] == steps[:-1]) & (units[1:] == units[:-1])
    if twice.any():
        k = int(np.argmax(twice))
        raise ValueError(f"unit {units[k]} has two spikes in the step that ends at {(steps[k] + 1) * dt:g} ms")
    return (steps, units, before) if off_grid else (steps, units)


def event_list(events: Any, shape: tuple[int, ...], unit: str, dt: float) -> tuple[Array, Array, int]:
    """Times (ms, the ends of steps) and units of address events, each unit at most once in a step; how many repeat."""
    check_unit(unit)
    sizes = shape if isinstance(shape, (tuple, list)) else ()
    fields = ("p", "y", "x")[3 - len(sizes) :] if 1 <= len(sizes) <= 3 else ()
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not fields or not all(name in names for name in ("t", *fields)):
        wanted = f"fields t, {', '.join(fields)}" if fields else "a shape of one to three sizes"
        raise ValueError(f"events need {wanted}; they have {list(names)}, and the shape is {shape!r}")
    for name in ("t", *fields):
        if events[name].dtype.kind not in "biuf":
            raise TypeError(f"{name} of events must be numbers, not {events[name].dtype}")
    for name, size in zip(fields, shape, strict=True):
        count("a size in the shape of events", size)
        values = np.asarray(events[name])
        _refuse(name, values, ~((values >= 0) & (values < size)), f"below {size}, and not negative")
        if values.dtype.kind == "f":
            _refuse(name, values, values != np.floor(values), "whole numbers")
    stamps = np.asarray(events["t"])
    _refuse("t", stamps, ~(stamps >= 0), "times since the beginning, not negative, as after an overflow")
    step = np.maximum(following(stamps / PER_MS[unit], dt), 1.0)
    _refuse("t", stamps, step > LATEST, "times within 2^53 steps")
    index = np.ravel_multi_index([events[name].astype(np.int64) for name in fields], shape)
    both = np.unique(np.stack([step.astype(np.int64), index]), axis=1)
    return both[0] * dt, both[1], len(step) - both.shape[1]


def _refuse(field: str, values: Array, wrong: Array, wanted: str) -> None:
    """Raise ``ValueError`` if a field of events is ``wrong`` anywhere."""
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"{field} of events must be {wanted}; {int(wrong.sum())} of {len(values)} are not, the first at index {k}: "
            f"{values[k]}"
        )
