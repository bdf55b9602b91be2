"""Joins of several arrays [T, B, ...]: sum, or concatenation along the first axis of their units; of two, products.

and: y = a b,            da = b dy,     db = a dy
iand: y = (1 - a) b,     da = -b dy,    db = (1 - a) dy
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..device.host import Host
from .layer import Array, Nested

JOINS = ("sum", "concatenate")

Shape = tuple[int, ...]


def joined_shape(join: str, shapes: Sequence[Shape], what: str) -> Shape:
    """The shape of units that ``joined`` gives; raises ``ValueError`` if they do not fit together."""
    first, written = shapes[0], " and ".join(str(list(shape)) for shape in shapes)
    if join == "sum":
        if any(shape != first for shape in shapes):
            raise ValueError(f"{what} have the shapes {written}: a sum needs equal ones")
        return first
    if any(shape[1:] != first[1:] for shape in shapes):
        raise ValueError(f"{what} have the shapes {written}: only the first axis of what is concatenated may differ")
    return (sum(shape[0] for shape in shapes), *first[1:])


def joined(arrays: Host, join: str, parts: Sequence[Any], room: Nested) -> Any:
    """One array of several, [T, B, ...]."""
    return arrays.total(parts, room, "joined") if join == "sum" else arrays.beside(parts, room)


def parted(arrays: Host, join: str, g: Any, shapes: Sequence[Shape], room: Nested) -> list[Any]:
    """The reverse of ``joined``: the gradient with respect to each array, given that of the result."""
    return [g] * len(shapes) if join == "sum" else arrays.split(g, shapes, room)


def multiplied(arrays: Host, join: str, parts: Sequence[Any], room: Nested) -> Any:
    """The join "and" or "iand" of two arrays."""
    a, b = parts
    y = arrays.product(a, b, room, "product")
    return y if join == "and" else _less(arrays, b, y, room, "joined")


def multiplied_reverse(arrays: Host, join: str, parts: Sequence[Any], g: Array, room: Nested) -> list[Any]:
    """The reverse of ``multiplied``: the gradients with respect to each array, given that of the result."""
    a, b = parts
    ga, gb = arrays.product(g, b, room, "ga"), arrays.product(g, a, room, "gb")
    return [ga, gb] if join == "and" else [arrays.scaled(ga, -1.0, room, "-ga"), _less(arrays, g, gb, room, "g - gb")]


def _less(arrays: Host, a: Array, b: Array, room: Nested, name: str) -> Any:
    """``a - b``"""
    return arrays.total([a, arrays.scaled(b, -1.0, room, f"{name}, less")], room, name)


def added(arrays: Host, parts: Sequence[Any], room: Nested) -> Any:
    """The sum of gradients with respect to one input, if all are known; of an input that does not change they may be
    one step, or all of them."""
    if any(part is None for part in parts):
        return None
    if len({len(part) for part in parts}) > 1:
        rooms = [room.setdefault(f"over time {k}", {}) for k in range(len(parts))]
        parts = [p if len(p) == 1 else arrays.over_time(p, inner) for p, inner in zip(parts, rooms, strict=True)]
    return arrays.total(parts, room, "added")
