"""The instructions of ``kernels.arrays.pieces``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.base import BaseContext
    from numba.core.types import Array, Integer
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature


@functools.cache
def numbers_at() -> Any:
    """The instruction of ``kernels.arrays.pieces.numbers_at``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def numbers_at(typing: Context, array: Array, first: Integer, n: Integer) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            return _piece(context, builder, signature, args, 0)

        return types.Array(array.dtype, 1, "C")(array, types.intp, types.intp), generate

    return numbers_at


@functools.cache
def lines_at() -> Any:
    """The instruction of ``kernels.arrays.pieces.lines_at``."""
    return _lines(0)


@functools.cache
def steps_at() -> Any:
    """The instruction of ``kernels.arrays.pieces.steps_at``."""
    return _lines(1)


@functools.cache
def samples_at() -> Any:
    """The instruction of ``kernels.arrays.pieces.samples_at``."""
    return _lines(2)


def _lines(between: int) -> Any:
    """An instruction for lines, of which that many axes of length 1 lie before the last."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def lines(typing: Context, array: Array, first: Integer, count: Integer, n: Integer) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            return _piece(context, builder, signature, args, between)

        return types.Array(array.dtype, 2 + between, "C")(array, types.intp, types.intp, types.intp), generate

    return lines


def _piece(
    context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value], between: int
) -> Any:  # fmt: skip
    """An array at a place of another."""
    from numba.core import types
    from numba.core.imputils import impl_ret_borrowed
    from numba.np.arrayobj import make_array

    from .reference import array_of

    kind, (given, first, *lengths) = signature.return_type, args
    data = make_array(signature.args[0])(context, builder, given).data
    shape = [*lengths[:-1], *[context.get_constant(types.intp, 1)] * between, lengths[-1]]
    array = array_of(context, builder, kind, builder.gep(data, [first]), shape)
    return impl_ret_borrowed(context, builder, kind, array)
