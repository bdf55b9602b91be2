"""Array operations on a GPU: the same methods as ``layers.host.Host``. Nothing here waits for the GPU.

Results are kept in ``room``, under ``name``, and overwritten by the next call with both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...device import gpu, gpu_sums
from ...device.constant_input import ConstantInput, stored

Nested = dict[str, Any]


class Gpu:
    """Array operations on a GPU; all arrays are contiguous."""

    put = staticmethod(gpu.put)
    zeros = staticmethod(gpu.zeros)
    buffer = staticmethod(gpu.buffer)
    fill = staticmethod(gpu.fill)
    copy = staticmethod(gpu.copy)
    add = staticmethod(gpu.add)
    stored = staticmethod(stored)

    def __init__(self) -> None:
        self._zeros: dict[Any, Any] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Gpu:
        return Gpu()

    def holds(self, x: Any) -> bool:
        """True if ``x`` lies on the GPU already."""
        return isinstance(x, ConstantInput) or gpu.on_gpu(x)

    def shared_zeros(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Zeros that nobody may write to: made once."""
        key = (*shape, dtype)
        if key not in self._zeros:
            self._zeros[key] = gpu.zeros(shape, dtype)
        return self._zeros[key]

    def copied(self, array: Any, room: Nested, name: str) -> Any:
        """A copy."""
        copy = gpu.buffer(room, name, array.shape, array.dtype)
        gpu.copy(array, copy)
        return copy

    def as_result(self, array: Any) -> Any:
        """An array of the tape, as it is: who keeps a state copies it."""
        return array

    def total(self, parts: Sequence[Any], room: Nested, name: str) -> Any:
        """The sum of arrays; one step if all are constant."""
        if all(isinstance(part, ConstantInput) for part in parts):
            return self.repeated(self.total([part.array for part in parts], room, name), len(parts[0]))
        parts = self._stored(parts, room)
        if len(parts) == 1:
            return parts[0]
        y = gpu.buffer(room, name, parts[0].shape, parts[0].dtype)
        gpu.launch("arrays.elementwise_cuda", "sum2", y.dtype, y.size, *map(gpu.flat, (parts[0], parts[1], y)))
        for part in parts[2:]:
            gpu.add(part, y)
        return y

    def beside(self, parts: Sequence[Any], room: Nested) -> Any:
        """Arrays one behind the other along their third axis; one step if all are constant."""
        if all(isinstance(part, ConstantInput) for part in parts):
            return self.repeated(self.beside([part.array for part in parts], room), len(parts[0]))
        parts = self._stored(parts, room)
        (steps, batch), width = parts[0].shape[:2], sum(part.shape[2] for part in parts)
        y = gpu.buffer(room, "joined", (steps, batch, width, *parts[0].shape[3:]), parts[0].dtype)
        columns, first = y.size // (steps * batch), 0
        for part in parts:
            count = part.size // (steps * batch)
            gpu.launch(
                "arrays.elementwise_cuda",
                "place",
                y.dtype,
                part.size,
                count,
                columns,
                first,
                gpu.flat(part),
                gpu.flat(y),
            )
            first += count
        return y

    def split(self, g: Any, shapes: Sequence[tuple[int, ...]], room: Nested) -> list[Any]:
        """The reverse of ``beside``."""
        (steps, batch), parts, first = g.shape[:2], [], 0
        columns = g.size // (steps * batch)
        for k, shape in enumerate(shapes):
            part, count = gpu.buffer(room, f"part {k}", (steps, batch, *shape), g.dtype), math.prod(shape)
            gpu.launch(
                "arrays.elementwise_cuda",
                "part",
                g.dtype,
                part.size,
                count,
                columns,
                first,
                gpu.flat(g),
                gpu.flat(part),
            )
            parts.append(part)
            first += count
        return parts

    def behind(self, first: Any, second: Any, room: Nested, name: str) -> Any:
        """The steps of two arrays, one behind the other."""
        whole = gpu.buffer(room, name, (len(first) + len(second), *first.shape[1:]), first.dtype)
        if len(first):
            gpu.copy(first, whole[: len(first)])
        gpu.copy(second, whole[len(first) :])
        return whole

    def rest(self, whole: Any, start: int, room: Nested, name: str) -> Any:
        """A copy of the steps from ``start`` on."""
        rest = gpu.buffer(room, name, (len(whole) - start, *whole.shape[1:]), whole.dtype)
        if len(rest):
            gpu.copy(whole[start:], rest)
        return rest

    def over_time(self, g: Any, room: Nested) -> Any:
        """The sum over all steps, as one step."""
        if len(g) == 1:
            return g
        sums = gpu.buffer(room, "over time", (1, *g.shape[1:]), g.dtype)
        gpu.fill(sums, 0)
        gpu_sums.add_columns(g.reshape(len(g), sums.size), gpu.flat(sums), room)
        return sums

    def constant(self, x: Any) -> bool:
        """True if ``x`` is one step that stands for all."""
        return isinstance(x, ConstantInput)

    def one_step(self, x: ConstantInput) -> Any:
        """The one step of a constant ``x``."""
        return x.array

    def repeated(self, y: Any, steps: int) -> ConstantInput:
        """One step as constant over ``steps`` of them."""
        return ConstantInput(y, steps)

    def _stored(self, parts: Sequence[Any], room: Nested) -> list[Any]:
        return [stored(part, room, f"stored {k}") for k, part in enumerate(parts)]
