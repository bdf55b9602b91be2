"""Dense products of what lies on a GPU: with CuPy's BLAS if CuPy is installed, else with tiles of our own.

    y = x W + b,    gx = g W^T,    dW += x^T g

CuPy works on the same memory, through the CUDA array interface. Results of the two agree to rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..compile.unroll_tiles import nothing, plus_outer, put_each, strided
from ..kernels.products import tiles_cuda as loops
from . import gpu
from . import gpu_sums as sums
from .buffers import GpuArray

BLOCKS = 256
"""A product of fewer tiles is cut along the sum, to employ more of the GPU."""

SHARE = 256
"""Terms that a part of a cut sum has at least."""

Hole = Callable[..., Any]


def multiply(x: GpuArray, weight: GpuArray, y: GpuArray, bias: GpuArray | None = None, *, add: bool = False) -> None:
    """y [R, M] = x [R, K] W [K, M] + bias [M], or with ``add`` y += x W."""
    if library() is not None:
        given, matrix, sums = map(library().asarray, (x, weight, y))
        _with_library(given, matrix, sums, add)
        if bias is not None:
            gpu.launch("arrays.elementwise_cuda", "add_rows", y.dtype, y.size, bias, gpu.flat(y))
        return
    put = loops.put_more if add else loops.put if bias is None else loops.put_biased
    tiled(loops.at_row, loops.at_row, put, x, weight, y, (y.shape[0], x.shape[1], y.shape[1]), bias)


def multiply_back(g: GpuArray, weight: GpuArray, gx: GpuArray, *, add: bool = False) -> None:
    """gx [R, K] = g [R, M] W [K, M]^T, or with ``add`` gx += g W^T."""
    if library() is not None:
        given, across, y = map(library().asarray, (g, weight, gx))
        _with_library(given, across.T, y, add)
        return
    sizes, put = (gx.shape[0], g.shape[1], gx.shape[1]), loops.put_more if add else loops.put
    tiled(loops.at_row, loops.at_column, put, g, weight, gx, sizes, RIGHT_DOWN=1)


def add_outer(x: GpuArray, g: GpuArray, total: GpuArray, room: dict[str, Any]) -> None:
    """total [K, M] += x [R, K]^T g [R, M]; ``room`` keeps what is needed in between."""
    if library() is not None:
        given, errors, sums = map(library().asarray, (x, g, total))
        _with_library(given.T, errors, sums, True)
        return
    add_product(loops.at_column, loops.at_row, x, g, total, (total.shape[0], x.shape[0], total.shape[1]), room,
                LEFT_DOWN=1)  # fmt: skip


def add_product(
    left: Hole, right: Hole, a: GpuArray, b: GpuArray, total: GpuArray, lengths: tuple[int, int, int],
    room: dict[str, Any], **down: int,
) -> None:  # fmt: skip
    """total [R, C] += A B, the sum over K in parts where there are few tiles. Arguments as of ``tiled``."""
    rows, depth, columns = lengths
    _, span = _shape()
    found = -(-rows // span) * -(-columns // span)
    parts = max(1, min(BLOCKS // found, depth // SHARE))
    if parts == 1:
        tiled(left, right, loops.put_more, a, b, total, lengths, **down)
        return
    some = gpu.buffer(room, f"parts {parts} {rows} {columns}", (parts, rows, columns), total.dtype)
    tiled(left, right, loops.put, a, b, some, lengths, None, parts, **down)
    sums.add_columns(some.reshape(parts, rows * columns), gpu.flat(total), room)


def tiled(
    left: Hole, right: Hole, put: Hole, a: GpuArray, b: GpuArray, y: GpuArray, lengths: tuple[int, int, int],
    bias: Any = None, parts: int = 1, **down: int,
) -> None:  # fmt: skip
    """Run ``kernels.products.tiles_cuda.tiles``.

    Parameters
    ----------
    left, right, put : functions
        What fills the holes: how to read A and B, where to put an element of Y.
    a, b, y, bias : arrays
        That these functions get; without a bias, any array takes its place.
    lengths : (int, int, int)
        R, K and C.
    parts : int
        How often the sum is cut.
    **down
        LEFT_DOWN, RIGHT_DOWN: along which axis A and B are contiguous, as in the kernel's file; and what the functions
        read of constants.
    """
    rows, depth, columns = lengths
    side, span = _shape()
    count = parts * -(-rows // span) * -(-columns // span) * side * side
    if len(y.shape) == 2:
        y = y.reshape(1, *y.shape)
    compiled = _tiles(left, right, put, a.dtype, tuple(sorted(down.items())))
    shared = 2 * loops.DEEP * (span + 1) * a.dtype.itemsize
    gpu.run(compiled, count, rows, depth, columns, -(-depth // parts), a, b, a if bias is None else bias, y,
            block=side * side, shared=shared)  # fmt: skip


def _shape() -> tuple[int, int]:
    """Threads along the side of a block, and elements along the side of its tile."""
    return (2, 8) if gpu.simulated() else (loops.SIDE, loops.SPAN)


@functools.cache
def _tiles(left: Hole, right: Hole, put: Hole, dtype: np.dtype, down: tuple[tuple[str, int], ...]) -> Any:
    side, span = _shape()
    each = span // side
    tuples: dict[str, Any] = {
        "none": nothing(each * each),
        "some": strided(each, side),
        "outer": plus_outer(each),
        "finish": put_each(put, each, side),
    }
    constants = {"SIDE": side, "EACH": each, "SPAN": span, "WIDE": span + 1, "ROOM": loops.DEEP * (span + 1)}
    return gpu.compiled(
        "products.tiles_cuda", "tiles", dtype, left=left, right=right, **tuples, **constants, **dict(down)
    )


def _with_library(a: GpuArray, b: GpuArray, y: GpuArray, add: bool) -> None:
    if add:
        y += library().matmul(a, b)
    else:
        library().matmul(a, b, out=y)


@functools.cache
def library() -> Any:
    """CuPy, if it is installed and there is a GPU; else None."""
    if gpu.simulated():
        return None
    try:
        import cupy  # type: ignore[import-not-found]
    except ImportError:
        return None
    return cupy
