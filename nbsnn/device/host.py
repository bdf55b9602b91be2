"""Array operations where NumPy's arrays are: the same methods as ``gpu_arrays.Gpu``, for layers and learners that are
written once for both devices.

``room`` is a dict that keeps arrays from call to call, under ``name``. NumPy's operations make new arrays instead.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..compile.fill import kernel
from ..random import Draws
from .buffers import Array, Nested, aligned, buffer, is_static
from .products import matmul
from .threads import run_threaded


class Host:
    """Array operations on the CPU.

    Attributes
    ----------
    numpy : bool
        Whether arrays are NumPy's.
    """

    numpy = True
    constant = staticmethod(is_static)

    def __init__(self, device: str = "cpu"):
        self.device = device

    def ops_of(self, layer: Any) -> Any:
        """What computes for ``layer`` in its place; None if it does so itself."""
        return None

    def encoded(self, encoder: Any, x: Any, draws: Draws | None) -> Any:
        """What ``encoder`` makes of ``x``."""
        return encoder(x, draws)

    def put(self, array: Array) -> Array:
        """An array of NumPy where the network computes."""
        return array

    def holds(self, x: Any) -> bool:
        """True if ``x`` lies there already, and needs no conversion."""
        return False

    def zeros(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """A new array of zeros."""
        array = aligned(shape, dtype)
        array[...] = 0.0
        return array

    def shared_zeros(self, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """Zeros that the caller does not write to."""
        return np.zeros(shape, dtype)

    def buffer(self, room: Nested, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialised array, kept in ``room``."""
        return buffer(room, name, shape, dtype)

    def fill(self, array: Array, value: float) -> None:
        """Set every element."""
        array[...] = value

    def copy(self, source: Array, target: Array) -> None:
        """Copy one array into another of as many elements."""
        target[...] = source

    def copied(self, array: Array, room: Nested, name: str) -> Array:
        """A copy."""
        return array.copy()

    def as_result(self, array: Array) -> Array:
        """An array of the tape as part of a state or gradient that is returned."""
        return array.copy()

    def add(self, source: Array, target: Array) -> None:
        """Add one array to another of as many elements."""
        target += source

    def total(self, parts: Sequence[Array], room: Nested, name: str) -> Array:
        """The sum of arrays."""
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def product(self, a: Array, b: Array, room: Nested, name: str) -> Array:
        """``a * b``, elementwise."""
        return a * b

    def beside(self, parts: Sequence[Array], room: Nested) -> Array:
        """Arrays [T, B, N, ...] one behind the other along their third axis."""
        return np.concatenate(parts, axis=2)

    def split(self, g: Array, shapes: Sequence[tuple[int, ...]], room: Nested) -> list[Array]:
        """The reverse of ``beside``."""
        ends = np.cumsum([shape[0] for shape in shapes])
        return [np.ascontiguousarray(part) for part in np.split(g, ends[:-1], axis=2)]

    def behind(self, first: Array, second: Array, room: Nested, name: str) -> Array:
        """The steps of two arrays [T, ...], one behind the other."""
        return np.concatenate([first, second])

    def rest(self, whole: Array, start: int, room: Nested, name: str) -> Array:
        """A copy of the steps from ``start`` on."""
        return whole[start:].copy()

    def over_time(self, g: Array, room: Nested) -> Array:
        """The sum over all steps, as one step."""
        return g.sum(axis=0, keepdims=True)

    def one_step(self, x: Array) -> Array:
        """The one step of a constant ``x``."""
        return x[:1]

    def repeated(self, y: Array, steps: int) -> Array:
        """One step as constant over ``steps`` of them."""
        return np.broadcast_to(y, (steps, *y.shape[1:]))

    def stored(self, x: Array, room: Nested, name: str) -> Array:
        """``x`` with all of its steps in memory."""
        return x

    def concatenated(self, parts: Sequence[Array]) -> Array:
        """Steps one after the other, as a new array."""
        return np.concatenate(parts)

    def kept(self, state: Nested) -> Nested:
        """A state that outlives the next run."""
        return state

    def scaled(self, array: Array, factor: float, room: Nested, name: str) -> Array:
        """``factor * array``"""
        return factor * array

    def scale(self, array: Array, factor: float) -> None:
        """Multiply in place."""
        array *= factor

    def leak(self, trace: Array, factor: float, x: Array) -> None:
        """trace = factor trace + x"""
        trace *= factor
        trace += x

    def multiply_back(self, g: Array, weight: Array, room: Nested, name: str) -> Array:
        """g [R, M] W [K, M]^T"""
        return matmul(g, weight.T)

    def add_outer(self, x: Array, g: Array, total: Array, room: Nested) -> None:
        """total += x [R, K]^T g [R, M]"""
        total += matmul(x.T, g).reshape(total.shape)

    def launch(self, module: str, name: str, dtype: np.dtype, rows: int, lanes: int, *arguments: Any) -> None:
        """Run ``kernels.<module>.<name>(0, rows, *arguments)``, threads sharing the rows; each has ``lanes`` lanes."""
        given = [np.require(a, None, ["C", "W"]) if isinstance(a, np.ndarray) else a for a in arguments]
        compiled = _compiled(module, name, "python" if self.device == "python" else "cpu", np.dtype(dtype))
        run_threaded(lambda lo, hi: compiled(lo, hi, *given), rows, rows * lanes)


@functools.cache
def _compiled(module: str, name: str, device: str, dtype: np.dtype) -> Callable:
    template = getattr(import_module(f"..kernels.{module}", __package__), name)
    return kernel(template, device=device, dtype=dtype)
