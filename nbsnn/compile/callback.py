"""A call from compiled code back into Python: the address of the function is data, so the code can be kept on disk."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core import types
    from numba.core.base import BaseContext
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

Function = ctypes.CFUNCTYPE(None)
ADDRESS = 1  # which of the cells holds the address


def address_of(function: Callable[[], None]) -> int:
    """The address of a ``Function``, which must live as long as it is called."""
    return ctypes.cast(function, ctypes.c_void_p).value or 0  # type: ignore[arg-type]


def call(cells: np.ndarray) -> None:
    """Call the function whose address the cells hold, in plain Python."""
    Function(int(cells[ADDRESS]))()


def compiled_call() -> Callable[..., Any]:
    """The same in compiled code."""
    from llvmlite import ir
    from numba.core import cgutils, types
    from numba.core.extending import intrinsic

    @intrinsic
    def call_address(typing: Context, cells: types.Array) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            array = context.make_array(cells)(context, builder, args[0])
            address = builder.load(cgutils.gep(builder, array.data, ADDRESS))
            builder.call(builder.inttoptr(address, ir.FunctionType(ir.VoidType(), []).as_pointer()), [])
            return context.get_constant(types.int64, 0)

        return types.int64(cells), generate

    return call_address
