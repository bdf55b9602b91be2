"""Arrays: those that a tape keeps from run to run, where they begin in memory, and which of them stand still."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from ..validate import affordable

Array = np.ndarray
Nested = dict[str, Any]


class GpuArray(Protocol):
    """An array on a GPU, as Numba has it."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def size(self) -> int: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __len__(self) -> int: ...

    def __getitem__(self, place: int | slice | tuple[int | slice, ...]) -> GpuArray: ...

    def reshape(self, *shape: int) -> GpuArray:
        """The same memory in another shape."""
        ...

    def copy_to_host(self) -> np.ndarray:
        """A copy for NumPy."""
        ...

    def copy_to_device(self, source: np.ndarray) -> None:
        """Take over the numbers of a NumPy array."""
        ...


class GpuKernel(Protocol):
    """A kernel for a GPU, as Numba has it."""

    def __getitem__(self, launch: tuple[int, ...]) -> Callable[..., None]: ...

    def compile(self, kinds: tuple[Any, ...]) -> Any:
        """The kernel for arguments of these types."""
        ...

    def typeof_pyval(self, value: Any) -> Any:
        """The type of an argument."""
        ...


Argument = np.ndarray | GpuArray | np.generic | float | tuple[Any, ...]
"""What kernels take."""

LINE = 64
"""Bytes in a cache line."""


def is_static(x: object) -> bool:
    """True if ``x`` [T, ...] is one step, repeated without being stored again (a stride of zero)."""
    return isinstance(x, np.ndarray) and len(x) > 1 and x.strides[0] == 0


def buffer(tape: dict[str, Any], name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """An uninitialised array of the tape; the one of an earlier run, or a part of it, where it fits."""
    array = tape.get(name)
    if array is None or array.shape != shape or array.dtype != dtype:
        array = tape[name] = aligned(shape, dtype, None if array is None else array.base)
    return array


def aligned(shape: tuple[int, ...], dtype: DTypeLike, room: np.ndarray | None = None) -> np.ndarray:
    """An uninitialised array that begins on a cache line, so that no vector of a long row lies on two of them.

    It is a part of ``room``, the base of an earlier one, if that is large enough.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if room is None or room.dtype != np.uint8 or room.size < size + LINE:
        affordable(f"an array of shape {list(shape)}", size)
        room = np.empty(size + LINE, np.uint8)
    offset = -room.ctypes.data % LINE
    return room[offset : offset + size].view(dtype).reshape(shape)


def zeros(shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """Zeros that begin on a cache line, where NumPy's begin at any 16 bytes."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    return aligned(shape, dtype, np.zeros(size + LINE, np.uint8))


def copied(array: Array, count: int = 1) -> Array:
    """``count`` flat copies, one behind the other, that begin on a cache line."""
    copy = zeros((count, array.size), array.dtype)
    copy[...] = array.reshape(-1)
    return copy.reshape(-1)


def block_buffer(tape: dict[str, Any], name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray:
    """As ``buffer``, for the blocks of one run: the last, smaller one is a part of the others' array."""
    size = math.prod(shape)
    array = tape.get(name)
    if array is None or array.size < size or array.dtype != dtype:
        array = tape[name] = np.empty(size, dtype)
    return array[:size].reshape(shape)


def flatten(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Array]:
    """Nested names joined by "/"."""
    flat: dict[str, Array] = {}
    for name, value in nested.items():
        flat |= flatten(value, f"{prefix}{name}/") if isinstance(value, Mapping) else {prefix + name: value}
    return flat
