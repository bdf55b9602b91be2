"""One step of an optimiser over a parameter on the CPU, by a compiled kernel on all threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..compile.unroll import row, store
from ..device.threads import run_threaded
from ..kernels.arrays import optim as template


def update(
    rule: Callable[..., Any], slots: int, p: np.ndarray, g: np.ndarray, memory: np.ndarray, hyper: tuple[float, ...]
) -> None:
    """One step of one parameter, with its memory [slots, size]."""
    compiled = _compiled(rule, slots, len(hyper), p.dtype)
    gradient = np.require(g, requirements=["C", "A", "W"]).reshape(-1)
    arrays = p.reshape(-1), gradient, memory, np.array(hyper, p.dtype).reshape(-1, 1)
    run_threaded(partial(_window, compiled, arrays), p.size, p.size)


def _window(update: Callable, arrays: tuple[np.ndarray, ...], lo: int, hi: int) -> None:
    update(np.uintp(lo), np.uintp(hi), *arrays)


@cache
def _compiled(rule: Callable, slots: int, constants: int, dtype: np.dtype) -> Callable:
    return kernel(
        template.update,
        dtype=dtype,
        rule=rule,
        slots=row(slots, "i"),
        constants=row(constants, "i"),
        keep=store(tuple(range(1, slots + 1)), "i"),
    )
