"""Checks of what is given to a network from outside: lists of spikes, events, currents."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..validate import finite
from .running import whole

Array = np.ndarray


def spike_list(times: Any, units: Any, n: int, dt: float) -> tuple[Array, Array]:
    """Step and unit of each spike, sorted by step, then by unit."""
    times, units = np.asarray(times, np.float64), np.asarray(units)
    if times.ndim != 1 or times.shape != units.shape:
        raise ValueError(
            f"times and units must be lists of one length, not {list(times.shape)} and {list(units.shape)}"
        )
    if units.size and units.dtype.kind not in "iu":
        raise TypeError(f"units must be integers, not {units.dtype}")
    finite("times", times)
    steps = np.rint(times / dt).astype(np.int64) - 1
    if len(steps) and steps.min() < 0:
        raise ValueError(
            f"times must be at least one step ({dt:g} ms), the end of the first; {times.min():g} ms is not"
        )
    if len(units) and (units.min() < 0 or units.max() >= n):
        raise ValueError(f"units must be from 0 to {n - 1}, but span {units.min()} to {units.max()}")
    order = np.lexsort((units, steps))
    steps, units = steps[order], units[order].astype(np.int64)
    twice = (steps[1:] == steps[:-1]) & (units[1:] == units[:-1])
    if twice.any():
        k = int(np.argmax(twice))
        raise ValueError(f"unit {units[k]} has two spikes in the step that ends at {(steps[k] + 1) * dt:g} ms")
    return steps, units


def event_list(events: Any, shape: tuple[int, ...], dt: float) -> tuple[Array, Array]:
    """Times (ms, the ends of steps) and units of address events, each unit at most once in a step."""
    fields = ("p", "y", "x")[3 - len(shape) :] if 1 <= len(shape) <= 3 else ()
    names = getattr(getattr(events, "dtype", None), "names", None) or ()
    if not fields or not all(name in names for name in ("t", *fields)):
        wanted = f"fields t, {', '.join(fields)}" if fields else "a shape of one to three axes"
        raise ValueError(f"events need {wanted}; they have {list(names)}, and the shape is {shape}")
    for name, size in zip(fields, shape, strict=True):
        if len(events) and not 0 <= int(events[name].min()) <= int(events[name].max()) < size:
            raise ValueError(f"{name} of events must be below {size}, not {events[name].min()} to {events[name].max()}")
    unit = np.ravel_multi_index([events[name].astype(np.int64) for name in fields], shape)
    step = np.maximum(np.ceil(events["t"] / 1000.0 / dt - 1e-9), 1.0).astype(np.int64)
    both = np.unique(np.stack([step, unit]), axis=1)
    return both[0] * dt, both[1]


def current(values: Any, n: int, every: float | None, start: float, dt: float, dtype: Any) -> tuple[Array, int, int]:
    """Rows of a current, [rows, 1 or n], how many steps each lasts, and the step at which the first begins."""
    array = finite("current", np.asarray(values, dtype))
    if array.ndim < 2:
        if array.shape not in ((), (1,), (n,)):
            raise ValueError(f"a current must be a number, [{n}], or [rows, {n}], not {list(array.shape)}")
        if every is not None:
            raise ValueError("every is the time for which a row of a current lasts; this current has one row")
        return array.reshape(1, -1), 1 << 62, whole(start, dt, "start", least=0)
    if array.ndim > 2 or array.shape[1] not in (1, n):
        raise ValueError(f"a current that changes must have shape [rows, {n}] or [rows, 1], not {list(array.shape)}")
    lasts = 1 if every is None else whole(every, dt, "every")
    return array, lasts, whole(start, dt, "start", least=0)
