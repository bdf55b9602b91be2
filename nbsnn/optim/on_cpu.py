"""One step of an optimiser on the CPU, by a compiled kernel on all threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..compile.unroll import row, store
from ..device.threads import run_threaded
from ..kernels.arrays import optim as template
from .move import Move


def update(rule: Callable[..., Any], slots: int, moves: Iterable[Move]) -> None:
    """One step of some parameters, which the threads share as if they were one array."""
    parts: list[tuple[int, int, Callable[..., None], tuple[np.ndarray, ...]]] = []
    total = 0
    for p, g, memory, hyper in moves:
        gradient = np.require(g, requirements=["C", "A", "W"]).reshape(-1)
        arrays = p.reshape(-1), gradient, memory, np.array(hyper, p.dtype).reshape(-1, 1)
        parts.append((total, total + p.size, _compiled(rule, slots, len(hyper), p.dtype), arrays))
        total += p.size

    def window(lo: int, hi: int) -> None:
        for first, last, compiled, arrays in parts:
            if max(lo, first) < min(hi, last):
                compiled(np.uintp(max(lo, first) - first), np.uintp(min(hi, last) - first), *arrays)

    run_threaded(window, total, total, ("optimiser", 3.0 * sum(arrays[1].nbytes for *_, arrays in parts), 0.0))


@cache
def _compiled(rule: Callable, slots: int, constants: int, dtype: np.dtype) -> Callable:
    return kernel(
        template.update,
        dtype=dtype,
        whole=True,
        rule=rule,
        slots=row(slots, "i"),
        constants=row(constants, "i"),
        keep=store(tuple(range(1, slots + 1)), "i"),
    )
