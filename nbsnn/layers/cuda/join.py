"""Several arrays [T, B, ...] on a GPU as one, added up or one behind the other, and the reverse: ``layers.join``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import gpu
from ..layer import Nested
from .stateless import over_time
from .still import Still, stored

Shape = tuple[int, ...]


def joined(join: str, arrays: Sequence[Any], tape: Nested) -> Any:
    """One array of several; one step if all of them are."""
    if all(isinstance(array, Still) for array in arrays):
        return Still(joined(join, [array.array for array in arrays], tape), len(arrays[0]))
    parts = [stored(array, tape, f"stored {k}") for k, array in enumerate(arrays)]
    if join == "sum":
        return total(parts, tape, "joined")
    (steps, batch), width = parts[0].shape[:2], sum(part.shape[2] for part in parts)
    y = gpu.buffer(tape, "joined", (steps, batch, width, *parts[0].shape[3:]), parts[0].dtype)
    columns, first = y.size // (steps * batch), 0
    for part in parts:
        count = part.size // (steps * batch)
        gpu.launch("arrays", "place", y.dtype, part.size, count, columns, first, gpu.flat(part), gpu.flat(y))
        first += count
    return y


def parted(join: str, g: Any, shapes: Sequence[Shape], tape: Nested) -> list[Any]:
    """The reverse of ``joined``: the derivative by each array, given that by the result."""
    if join == "sum":
        return [g] * len(shapes)
    (steps, batch), parts, first = g.shape[:2], [], 0
    columns = g.size // (steps * batch)
    for k, shape in enumerate(shapes):
        part, count = gpu.buffer(tape, f"part {k}", (steps, batch, *shape), g.dtype), math.prod(shape)
        gpu.launch("arrays", "part", g.dtype, part.size, count, columns, first, gpu.flat(g), gpu.flat(part))
        parts.append(part)
        first += count
    return parts


def added(parts: Sequence[Any], tape: Nested) -> Any:
    """The sum of gradients by one input; those of an input that does not change may be one step, or all of them."""
    if len({len(part) for part in parts}) > 1:
        rooms = [tape.setdefault(f"over time {k}", {}) for k in range(len(parts))]
        parts = [part if len(part) == 1 else over_time(part, room) for part, room in zip(parts, rooms, strict=True)]
    return total(parts, tape, "added")


def total(parts: Sequence[Any], tape: Nested, name: str) -> Any:
    """The sum, in an array of the tape."""
    if len(parts) == 1:
        return parts[0]
    y = gpu.buffer(tape, name, parts[0].shape, parts[0].dtype)
    gpu.launch("arrays", "sum2", y.dtype, y.size, *map(gpu.flat, (parts[0], parts[1], y)))
    for part in parts[2:]:
        gpu.add(part, y)
    return y
