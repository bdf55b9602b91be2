"""Arrays on a GPU, and kernels over them: all that the rest of nbsnn knows of CUDA.

Arrays stay where they are: ``put`` and ``get`` copy, nothing else does, and no call here waits for the GPU but ``get``.
Without a GPU the same code runs in Numba's simulator if NUMBA_ENABLE_CUDASIM=1 was set before Numba was imported.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..compile.fill import kernel
from . import cuda_setup
from .buffers import Argument, GpuArray, GpuKernel

if TYPE_CHECKING:
    from typing_extensions import TypeIs

BLOCK = 128
"""Threads in a block, for kernels that do not care."""

ALWAYS = 256
"""Threads in a block for which a GPU has room whatever they do: each may have 255 registers of the block's 65,536."""

SIMULATED = 4
"""Threads in a block that waits for others, in the simulator: each is a thread of Python, and waiting takes long."""


class Count:
    """Count of launched kernels: the overhead of a step on a GPU."""

    launches = 0


def driver() -> Any:
    """Numba's CUDA module.

    Raises
    ------
    nbsnn.device.cuda_setup.NoGPU
        There is no GPU that could be used; the message says what is missing.
    """
    cuda_setup.require()
    from numba import cuda

    return cuda


def put(array: ArrayLike) -> Any:
    """A copy on the GPU, contiguous."""
    return driver().to_device(np.require(array, requirements="C"))


def get(array: Any) -> np.ndarray:
    """A copy for NumPy; waits for what is still being computed. A NumPy array is returned as it is."""
    return array.copy_to_host() if on_gpu(array) else array


def empty(shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
    """An uninitialised array on the GPU."""
    return driver().device_array(shape, np.dtype(dtype))


def zeros(shape: int | tuple[int, ...], dtype: DTypeLike) -> Any:
    """An array of zeros on the GPU."""
    array = empty(shape, dtype)
    fill(array, 0)
    return array


def fill(array: GpuArray, value: float) -> None:
    """Set every element of a contiguous array."""
    launch("arrays.fill_cuda", "fill", array.dtype, array.size, flat(array), array.dtype.type(value))


def copy(source: GpuArray | np.ndarray, target: GpuArray) -> None:
    """Copy one contiguous array into another of as many elements."""
    launch("arrays.fill_cuda", "copy", target.dtype, target.size, flat(source), flat(target))


def add(source: GpuArray, target: GpuArray) -> None:
    """Add one contiguous array to another of as many elements."""
    launch("arrays.elementwise_cuda", "add", target.dtype, target.size, flat(source), flat(target))


def flat(array: GpuArray | np.ndarray) -> Any:
    """View of the same memory with one axis."""
    return array.reshape(array.size)


def assign(target: GpuArray | np.ndarray, source: GpuArray | np.ndarray) -> None:
    """Give an array the numbers of another one of its shape; either may lie on the GPU or not."""
    if on_gpu(target):
        target.copy_to_device(np.require(get(source), target.dtype, "C"))
    else:
        target[...] = get(source)


def get_all(nested: Any) -> Any:
    """Nested dicts of arrays, those on the GPU as copies for NumPy."""
    return {k: get_all(v) for k, v in nested.items()} if isinstance(nested, Mapping) else get(nested)


def buffer(tape: dict[str, Any], name: str, shape: tuple[int, ...], dtype: DTypeLike) -> Any:
    """An uninitialised array of the tape; the one of an earlier run if it has that shape."""
    array = tape.get(name)
    if array is None or tuple(array.shape) != tuple(shape) or array.dtype != dtype:
        array = tape[name] = empty(shape, dtype)
    return array


@functools.cache
def simulated() -> bool:
    """True if there is no GPU but Numba's simulator."""
    from numba import config

    return bool(getattr(config, "ENABLE_CUDASIM", False))


def on_gpu(array: object) -> TypeIs[GpuArray]:
    """True if this is an array on a GPU (or the simulator's of that kind)."""
    return hasattr(array, "copy_to_host")


def some_on_gpu(arrays: Iterable[object]) -> bool:
    """True if one of these is an array on a GPU."""
    return any(map(on_gpu, arrays))


def launch(module: str, name: str, dtype: DTypeLike, count: int, *arguments: Argument, **filling: Any) -> None:
    """Run ``kernels.<module>.<name>(0, count, *arguments)``, one thread for each of ``range(count)``."""
    run(compiled(module, name, np.dtype(dtype), **filling), count, *arguments)


def run(compiled: Any, count: int, *arguments: Argument, block: int = BLOCK, shared: int = 0) -> None:
    """Launch a compiled kernel whose first two arguments are the range that its threads share."""
    start(compiled, count, 0, count, *arguments, block=block, shared=shared)


def start(compiled: GpuKernel, threads: int, *arguments: Argument, block: int = BLOCK, shared: int = 0) -> None:
    """Launch a compiled kernel on at least this many threads; zero threads are no launch.

    ``shared`` are the bytes of ``cuda.shared.array(0, ...)``. Kernels take shared memory in this way alone: of arrays
    of a fixed size, two threads of Numba's simulator that ask at once get one each.
    """
    if threads:
        Count.launches += 1
        block = min(block, threads)
        compiled[-(-threads // block), block, 0, shared](*arguments)


def together(compiled: Any, count: int, *arguments: Argument, block: int = BLOCK) -> None:
    """Launch a kernel whose threads wait for each other: ``count`` of them, or as many as the GPU can run at once.

    The kernel finds out how many there are. The simulator runs one block of such a launch, here of few threads.
    """
    Count.launches += 1
    if simulated():
        blocks, block = 1, threads_together()
    else:
        made = compiled.compile(tuple(map(compiled.typeof_pyval, arguments)))
        blocks = min(-(-count // block), made.max_cooperative_grid_blocks(block))
    compiled[blocks, block](*arguments)


def blocks(compiled: Any, count: int, block: int, *arguments: Argument) -> None:
    """Launch ``count`` blocks of ``block`` threads, for kernels that know what each block does."""
    if count:
        Count.launches += 1
        compiled[count, block](*arguments)


def bound(threads: int) -> int | None:
    """Bound of threads for which a kernel launched in blocks of ``threads`` is compiled; None sets none."""
    return None if threads <= ALWAYS else 512 if threads <= 512 else 1024


def fits(compiled: GpuKernel, block: int, *arguments: Argument) -> bool:
    """True if a GPU can launch this kernel in blocks of ``block`` threads, each with all it needs in registers."""
    if block <= ALWAYS or simulated():
        return True
    made = compiled.compile(tuple(map(compiled.typeof_pyval, arguments)))
    return made.max_threads_per_block >= block and not made.local_mem_per_thread


def threads_together(block: int = BLOCK) -> int:
    """Threads in a block whose threads wait for each other."""
    return SIMULATED if simulated() else block


@functools.cache
def compiled(module: str, name: str, dtype: np.dtype, **filling: Any) -> Any:
    """A kernel of ``kernels``, its holes filled, or with ``block`` one for blocks of at most that many threads."""
    from importlib import import_module

    template = getattr(import_module(f"..kernels.{module}", __package__), name)
    return kernel(template, device="cuda", dtype=dtype, **filling)
