"""The fields of events: where and when each happened, checked, as flat units and times."""

from __future__ import annotations

import math

import numpy as np

from ..validate import choice, shape_of

Array = np.ndarray

EVENT = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("p", "<i1")])
"""What readers of cameras' files return: time, column, row, polarity (1 = brighter)."""

PER_MS = {"us": 1000.0, "ms": 1.0, "s": 0.001}
"""Units of time: how many make a millisecond."""


def check_unit(unit: str) -> str:
    """The name of a unit of time."""
    return choice("unit", unit, tuple(PER_MS))


def axes(names: tuple[str, ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    """The fields that the axes of a sensor's shape stand for, in order.

    Raises
    ------
    ValueError
        If the events lack a field, or an axis is missing: only polarity may be left out, by which ON and OFF become
        one unit.
    """
    places = {1: ("x",), 2: ("y", "x") if "y" in names else ("p", "x"), 3: ("p", "y", "x")}.get(len(shape), ())
    if not places or not {"t", *places} <= set(names) or ("y" in names and "y" not in places):
        raise ValueError(
            f"events with the fields {', '.join(names) or '(none)'} do not fit shape {shape}: it is (polarities, "
            "height, width) for the fields p, y, x; (height, width) for y, x; (polarities, width) for p, x; (width,) "
            "for x; and every event needs a time t"
        )
    return places


def placed(events: Array, shape: tuple[int, ...], where: str) -> tuple[Array, Array]:
    """Times, int64 or float64, and flat units, of structured events; copies, in the order that they have.

    Raises
    ------
    TypeError
        If this is no structured array, or a field holds no numbers.
    ValueError
        If a place lies outside ``shape``, or a time is negative or not finite.
    """
    names = getattr(getattr(events, "dtype", None), "names", None)
    if names is None or np.ndim(events) != 1:
        raise TypeError(
            f"{where} must be a structured array [events] with fields t, x and maybe y, p, not {_said(events)}"
        )
    shape = shape_of("shape", shape)
    fields = axes(names, shape)
    for name in ("t", *fields):
        if events[name].dtype.kind not in "biuf" or events[name].ndim != 1:
            raise TypeError(f"{name} of {where} must be numbers, not {events.dtype[name]}")
    for name, size in zip(fields, shape, strict=True):
        values = np.asarray(events[name])
        _refuse(where, name, values, ~((values >= 0) & (values < size)), f"from 0 to {size - 1}")
        if values.dtype.kind == "f":
            _refuse(where, name, values, values != np.floor(values), "whole numbers")
    times = np.asarray(events["t"])
    _refuse(where, "t", times, ~((times >= 0) & (times < 2**62)), "finite, and not negative, as after an overflow")
    times = np.array(times, np.float64 if times.dtype.kind == "f" else np.int64)
    if math.prod(shape) >= 2**32:
        raise ValueError(f"a sensor of shape {shape} has too many units; at most 2^32 - 1")
    if not len(times):
        return times, np.zeros(0, np.int64)
    index = np.ravel_multi_index([events[name].astype(np.int64) for name in fields], shape)
    return times, np.asarray(index)


def _said(value: object) -> str:
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__} {value.dtype} {list(value.shape)}"
    return repr(value)[:80]


def _refuse(where: str, field: str, values: Array, wrong: Array, wanted: str) -> None:
    if wrong.any():
        k = int(np.argmax(wrong))
        raise ValueError(
            f"{field} of {where} must be {wanted}; {int(wrong.sum())} of {len(values)} are not, the first at index "
            f"{k}: {values[k]}"
        )
