"""How several arrays [T, B, ...] become one: added up, or one behind the other along the first axis of their units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layer import Array

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


def joined(join: str, arrays: Sequence[Array]) -> Array:
    """One array of several, [T, B, ...] or all without the axis of time."""
    if join == "concatenate":
        return np.concatenate(arrays, axis=2)
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


def parted(join: str, g: Array, shapes: Sequence[Shape]) -> list[Array]:
    """The reverse of ``joined``: the derivative by each array, given that by the result."""
    if join == "sum":
        return [g] * len(shapes)
    ends = np.cumsum([shape[0] for shape in shapes])
    return [np.ascontiguousarray(part) for part in np.split(g, ends[:-1], axis=2)]


def added(parts: Sequence[Array]) -> Array:
    """The sum of gradients by one input; those of an input that does not change may be one step, or all of them."""
    if len({len(part) for part in parts}) > 1:
        parts = [part if len(part) == 1 else part.sum(axis=0, keepdims=True) for part in parts]
    return joined("sum", parts)
