"""Array operations on a GPU: the same methods as ``host.Host``. Nothing here waits for the GPU.

Results are kept in ``room``, under ``name``, and overwritten by the next call with both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..random import Draws
from . import gpu, gpu_products, gpu_sums
from .buffers import GpuArray, Nested
from .constant_input import ConstantInput, stored
from .host import Host


class Gpu(Host):
    """Array operations on a GPU; all arrays are contiguous."""

    numpy = False
    put: Any = staticmethod(gpu.put)
    zeros: Any = staticmethod(gpu.zeros)
    buffer: Any = staticmethod(gpu.buffer)
    fill: Any = staticmethod(gpu.fill)
    copy: Any = staticmethod(gpu.copy)
    add: Any = staticmethod(gpu.add)
    stored: Any = staticmethod(stored)

    def __init__(self) -> None:
        super().__init__("cuda")
        self._zeros: dict[Any, Any] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> Gpu:
        return Gpu()

    def ops_of(self, layer: Any) -> Any:
        return layer.on_gpu()

    def encoded(self, encoder: Any, x: GpuArray, draws: Draws | None) -> Any:
        made = encoder.on_gpu(x, draws)
        return ConstantInput(made, encoder.T) if encoder.static else made

    def holds(self, x: GpuArray) -> bool:
        """True if ``x`` lies on the GPU already."""
        return isinstance(x, ConstantInput) or gpu.on_gpu(x)

    def shared_zeros(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """Zeros that nobody may write to: made once."""
        key = (*shape, dtype)
        if key not in self._zeros:
            self._zeros[key] = gpu.zeros(shape, dtype)
        return self._zeros[key]

    def copied(self, array: GpuArray, room: Nested, name: str) -> Any:
        """A copy."""
        copy = gpu.buffer(room, name, array.shape, array.dtype)
        gpu.copy(array, copy)
        return copy

    def as_result(self, array: GpuArray) -> Any:
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

    def product(self, a: GpuArray, b: GpuArray, room: Nested, name: str) -> Any:
        """``a * b``, elementwise."""
        a, b = stored(a, room, f"{name} a"), stored(b, room, f"{name} b")
        y = gpu.buffer(room, name, b.shape, b.dtype)
        gpu.launch("arrays.elementwise_cuda", "scale_rows", y.dtype, y.size, *map(gpu.flat, (a, b, y)))
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

    def split(self, g: GpuArray, shapes: Sequence[tuple[int, ...]], room: Nested) -> list[Any]:
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

    def behind(self, first: GpuArray, second: GpuArray, room: Nested, name: str) -> Any:
        """The steps of two arrays, one behind the other."""
        whole = gpu.buffer(room, name, (len(first) + len(second), *first.shape[1:]), first.dtype)
        if len(first):
            gpu.copy(first, whole[: len(first)])
        gpu.copy(second, whole[len(first) :])
        return whole

    def rest(self, whole: GpuArray, start: int, room: Nested, name: str) -> Any:
        """A copy of the steps from ``start`` on."""
        rest = gpu.buffer(room, name, (len(whole) - start, *whole.shape[1:]), whole.dtype)
        if len(rest):
            gpu.copy(whole[start:], rest)
        return rest

    def over_time(self, g: GpuArray, room: Nested) -> Any:
        """The sum over all steps, as one step."""
        if len(g) == 1:
            return g
        sums = gpu.buffer(room, "over time", (1, *g.shape[1:]), g.dtype)
        gpu.fill(sums, 0)
        gpu_sums.add_columns(g.reshape(len(g), sums.size), gpu.flat(sums), room)
        return sums

    def constant(self, x: GpuArray) -> bool:
        """True if ``x`` is one step that stands for all."""
        return isinstance(x, ConstantInput)

    def one_step(self, x: ConstantInput) -> Any:
        """The one step of a constant ``x``."""
        return x.array

    def repeated(self, y: GpuArray, steps: int) -> ConstantInput:
        """One step as constant over ``steps`` of them."""
        return ConstantInput(y, steps)

    def concatenated(self, parts: Sequence[Any]) -> Any:
        y = gpu.empty((sum(map(len, parts)), *parts[0].shape[1:]), parts[0].dtype)
        t = 0
        for part in parts:
            gpu.copy(part, y[t : t + len(part)])
            t += len(part)
        return y

    def kept(self, state: Nested) -> Nested:
        return {k: self.kept(v) if isinstance(v, dict) else self.copied(v, {}, k) for k, v in state.items()}

    def scaled(self, array: GpuArray, factor: float, room: Nested, name: str) -> Any:
        y = gpu.buffer(room, name, array.shape, array.dtype)
        self._multiply(array, factor, y)
        return y

    def scale(self, array: GpuArray, factor: float) -> None:
        if factor != 1.0:
            self._multiply(array, factor, array)

    def leak(self, trace: GpuArray, factor: float, x: GpuArray) -> None:
        arguments = trace.dtype.type(factor), x.reshape(1, x.size), gpu.flat(trace)
        gpu.launch("arrays.trace_cuda", "last", trace.dtype, trace.size, *arguments)

    def multiply_back(self, g: GpuArray, weight: GpuArray, room: Nested, name: str) -> Any:
        y = gpu.buffer(room, name, (len(g), len(weight)), g.dtype)
        gpu_products.multiply_back(g, weight, y)
        return y

    def add_outer(self, x: GpuArray, g: GpuArray, total: GpuArray, room: Nested) -> None:
        gpu_products.add_outer(x, g, total.reshape(x.shape[1], g.shape[1]), room)

    def launch(self, module: str, name: str, dtype: np.dtype, rows: int, lanes: int, *arguments: Any) -> None:
        gpu.start(gpu.compiled(f"{module}_cuda", name, dtype), rows * lanes, 0, rows, *arguments)

    def _multiply(self, array: GpuArray, factor: float, y: GpuArray) -> None:
        number = y.dtype.type(factor)
        gpu.launch("arrays.elementwise_cuda", "multiply", y.dtype, y.size, number, gpu.flat(array), gpu.flat(y))

    def _stored(self, parts: Sequence[Any], room: Nested) -> list[Any]:
        return [stored(part, room, f"stored {k}") for k, part in enumerate(parts)]
