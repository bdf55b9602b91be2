"""Asking for memory ahead of its use, where a loop's places lie apart and the processor cannot guess them.

A processor has some ten loads from far memory under way if a loop merely runs ahead of itself. Asked for early, it has
more: a loop over the synapses onto a unit, of which each is in a cache line of its own, becomes two to three times as
fast once the weights do not fit into the cache.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..scalar.hole import hole
from .fill import compiles

if TYPE_CHECKING:
    from llvmlite.ir import Value
    from numba.core import types
    from numba.core.base import BaseContext
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

AHEAD = 48  # places between asking and using


@hole
def fetch(array, place) -> Any:
    """Ask for array[place], which is about to be changed; nothing where code is interpreted."""


@hole
def fetch_to_read(array, place) -> Any:
    """The same of what is not changed, so that other threads may go on reading it."""


@functools.cache
def filling() -> dict[str, Callable[..., Any]]:
    """Fillings of ``fetch`` and ``fetch_to_read`` in compiled code; none with NUMBA_DISABLE_JIT=1."""
    if not compiles():
        return {}
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.core.extending import intrinsic

    def prefetch(typing: Context, array: types.Array, place: types.Integer, write: int) -> Any:
        """Prefetch array[place]."""

        def generate(context: BaseContext, builder: Any, signature: Signature, args: Sequence[Value]) -> Any:
            data = context.make_array(array)(context, builder, args[0]).data
            pointer = builder.bitcast(cgutils.gep(builder, data, args[1]), ir.IntType(8).as_pointer())
            word = ir.IntType(32)
            kind = ir.FunctionType(ir.VoidType(), [pointer.type, word, word, word])
            call = builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
            builder.call(call, [pointer, word(write), word(3), word(1)])
            return context.get_dummy_value()

        return types.none(array, place), generate

    @intrinsic
    def to_write(typing: Context, array: types.Array, place: types.Integer) -> Any:
        return prefetch(typing, array, place, 1)

    @intrinsic
    def to_read(typing: Context, array: types.Array, place: types.Integer) -> Any:
        return prefetch(typing, array, place, 0)

    return {"fetch": to_write, "fetch_to_read": to_read}
