"""Barrier for the threads of one loop: none continues before all have arrived.

Threads that share a loop of some microseconds a turn cannot afford a lock of the operating system. They count arrivals
in memory, spin for a while, and then sleep between looks, so that a busy machine is not made busier. Measured on two
cores that ten others wanted, a second of 4000 neurons with 320,000 synapses: 0.6 to 0.9 s, with pair STDP 2 to 4 s;
threads that yield instead of sleeping give away whole slices of time, and take 1.1 to 1.5 s, and 20 s.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..scalar.hole import hole

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core import types
    from numba.core.base import BaseContext
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

SPINS = 100_000  # looks, about a tenth of a millisecond, before a thread sleeps


@hole
def add(cells, value) -> Any:
    """Add to what all threads see; returns what stood there."""
    raise NotImplementedError


@hole
def look(cells) -> Any:
    """Atomic load of the arrival counter."""
    raise NotImplementedError


@hole
def rest(microseconds) -> Any:
    """Let other threads run for a moment."""
    raise NotImplementedError


def meet(cells: np.ndarray, parts: int) -> None:
    """Wait until ``parts`` threads have called; ``cells`` [1] counts the calls, and starts at 0."""
    turn = add(cells, 1) // parts + 1
    looks = 0
    while look(cells) < turn * parts:
        looks += 1
        if looks > SPINS:
            rest(5)


@functools.cache
def filling() -> dict[str, Callable[..., Any]]:
    """Fillings of the holes of ``meet`` in compiled code."""
    from numba.core import cgutils, types
    from numba.core.extending import intrinsic

    @intrinsic
    def atomic_add(typing: Context, cells: types.Array, value: types.Integer) -> Any:
        """cells[0] += value at once, for all threads to see; returns what stood there."""

        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            array = context.make_array(cells)(context, builder, args[0])
            place = cgutils.gep(builder, array.data, 0)
            amount = context.cast(builder, args[1], value, types.int64)
            return builder.atomic_rmw("add", place, amount, "seq_cst")

        return types.int64(cells, value), generate

    @intrinsic
    def atomic_load(typing: Context, cells: types.Array) -> Any:
        """cells[0], as the last thread to write left it."""

        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            array = context.make_array(cells)(context, builder, args[0])
            return builder.load_atomic(cgutils.gep(builder, array.data, 0), "seq_cst", 8)

        return types.int64(cells), generate

    if sys.platform == "win32":
        return {"add": atomic_add, "look": atomic_load, "rest": _go_on}
    return {"add": atomic_add, "look": atomic_load, "rest": types.ExternalFunction("usleep", types.int32(types.uint32))}


def _go_on(microseconds: int) -> int:
    """Stand-in for the system's call where there is none of this name."""
    return 0


def alone(cells: np.ndarray, parts: int) -> None:
    """Stand-in for ``meet`` in a loop with one thread."""
