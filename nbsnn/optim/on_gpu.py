"""Optimisers and clipping of arrays that lie on a GPU; nothing waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..compile.unroll import row, store
from ..device import gpu, gpu_sums
from ..device.buffers import Array
from ..validate import FLOATS
from .move import Move


def check(params: Mapping[str, Array], grads: Mapping[str, Array]) -> None:
    """Raise unless parameters and gradients fit; whether they are finite is left to who made them."""
    for name, p in params.items():
        g = grads[name]
        for what, array in ("params", p), ("grads", g):
            if not gpu.on_gpu(array):
                raise TypeError(f"{what}[{name!r}] must lie on the GPU, as the others, not be a {type(array).__name__}")
        if p.dtype not in FLOATS or g.dtype != p.dtype:
            raise TypeError(f"grads[{name!r}] must be floats, as its parameter, not {g.dtype}")
        if tuple(g.shape) != tuple(p.shape):
            raise ValueError(f"grads[{name!r}] has shape {list(g.shape)}, its parameter {list(p.shape)}")


def largest(grads: Mapping[str, Array]) -> float:
    """Bound of the absolute values of all gradients: ``LARGE``, or infinity. Waits for the GPU."""
    flag = gpu.zeros(1, np.float64)
    for g in grads.values():
        gpu_sums.flag_large(g, flag)
    return np.inf if gpu.get(flag)[0] else gpu_sums.LARGE


def update(rule: Callable[..., Any], slots: int, moves: Iterable[Move]) -> None:
    """One step of some parameters: one launch for each."""
    holes: dict[str, Callable] = {
        "rule": rule,
        "slots": row(slots, "i"),
        "constants": as_they_are,
        "keep": store(tuple(range(1, slots + 1)), "i"),
    }
    for p, g, memory, hyper in moves:
        numbers = tuple(p.dtype.type(value) for value in hyper)
        gpu.launch("arrays.optim_cuda", "update", p.dtype, p.size, gpu.flat(p), gpu.flat(g), memory, numbers, **holes)


def as_they_are(numbers: tuple, i: int) -> tuple:
    """All numbers: what ``constants`` is filled with."""
    return numbers


def clip_by_norm(grads: Mapping[str, Array], limit: float, room: dict[str, Array]) -> Array:
    """Scale all gradients by one factor so that their common norm is at most ``limit``; arrays as of one GPU."""
    total, some = gpu.buffer(room, "norm", (1,), np.float64), next(iter(grads.values()))
    factor = gpu.buffer(room, "factor", (1,), some.dtype)
    gpu.fill(total, 0)
    for g in grads.values():
        gpu_sums.squares(gpu.flat(g), total, room)
    gpu.launch("arrays.sums_cuda", "shrinking", np.float64, 1, float(limit), total, factor)
    for g in grads.values():
        gpu.launch("arrays.elementwise_cuda", "scale", g.dtype, g.size, factor, gpu.flat(g))
    return total
