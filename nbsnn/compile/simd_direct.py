"""Instructions for convolutions of images plane by plane: see ``compile.simd``, and ``kernels.products.direct``.

Sums of a tile, of neighbouring places for some channels, stay in registers until all that they see is added.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .simd import CHUNK, LINE, Builder, shape

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.base import BaseContext
    from numba.core.types import Array, Integer
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

PLACES, SIDES, SEEN = 32, 8, 3
"""Neighbouring places, and channels, of a tile; and with how many weights of each channel's window gradients are made
together."""


@functools.cache
def add_seen() -> Any:
    """The instruction of ``kernels.products.direct.add_seen``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_seen(
        typing: Context, y: Array, a: Integer, apart: Integer, x: Array, b: Integer, seen: Array, count: Integer,
        weight: Array, first: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            columns, sides = _tile(Builder(context, builder, y.dtype, CHUNK))
            ir = Builder(context, builder, y.dtype, columns)
            for column in range(0, PLACES, columns):
                for side in range(0, SIDES, sides):
                    _add_seen(ir, (y, x, seen, weight), args, column, range(side, side + sides))
            return context.get_dummy_value()

        return types.none(y, a, apart, x, b, seen, count, weight, first), generate

    return add_seen


@functools.cache
def add_dots() -> Any:
    """The instruction of ``kernels.products.direct.add_dots``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_dots(
        typing: Context, total: Array, at: Integer, x: Array, a: Integer, seen: Array, k: Integer, g: Array,
        b: Integer, apart: Integer, images: Integer, size: Integer, count: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            ir = Builder(context, builder, x.dtype, CHUNK)
            sides = max(1, _tile(ir)[1] // (1 if shape()[0] == LINE else 2))
            for side in range(0, SIDES, sides):
                _add_dots(ir, (total, x, seen, g), args, range(side, side + sides))
            return context.get_dummy_value()

        return types.none(total, at, x, a, seen, k, g, b, apart, images, size, count), generate

    return add_dots


def _add_seen(ir: Builder, kinds: tuple[Array, ...], args: Sequence[Value], column: int, sides: range) -> None:
    """Sums of what some channels see, for some places."""
    from numba.core import cgutils

    builder, (y, x, seen, weight) = ir.builder, kinds
    y_, a, apart, x_, b, seen_, count, weight_, first = args
    data = builder.gep(_data(ir, y, y_), [builder.add(a, ir.number(column))])
    given = builder.gep(_data(ir, x, x_), [builder.add(b, ir.number(column))])
    where, factors = _data(ir, seen, seen_), builder.gep(_data(ir, weight, weight_), [first])
    into = [ir.vector(builder.gep(data, [builder.mul(apart, ir.number(o))])) for o in sides]
    totals = [cgutils.alloca_once(builder, ir.zeros.type) for _ in sides]
    for place, total in zip(into, totals, strict=True):
        builder.store(ir.load(place), total)
    with cgutils.for_range_slice(builder, ir.number(0), count, ir.one, ir.intp) as (k, _):
        row = ir.load(ir.vector(builder.gep(given, [builder.zext(builder.load(builder.gep(where, [k])), ir.intp)])))
        same = builder.gep(factors, [builder.mul(k, ir.number(SIDES))])
        for o, total in zip(sides, totals, strict=True):
            factor = ir.everywhere(builder.load(builder.gep(same, [ir.number(o)])))
            builder.store(ir.fused(factor, row, builder.load(total)), total)
    for place, total in zip(into, totals, strict=True):
        ir.store(builder.load(total), place)


def _add_dots(ir: Builder, kinds: tuple[Array, ...], args: Sequence[Value], sides: range) -> None:
    """Sums over places, for some channels."""
    from numba.core import cgutils

    builder, (total, x, seen, g) = ir.builder, kinds
    total_, at, x_, a, seen_, k, g_, b, apart, images, size, count = args
    where, errors = builder.gep(_data(ir, seen, seen_), [k]), builder.gep(_data(ir, g, g_), [b])
    offsets = [builder.zext(builder.load(builder.gep(where, [ir.number(j)])), ir.intp) for j in range(SEEN)]
    given = [builder.gep(_data(ir, x, x_), [builder.add(a, offset)]) for offset in offsets]
    rows = [builder.gep(errors, [builder.mul(apart, ir.number(o))]) for o in sides]
    sums = [[cgutils.alloca_once(builder, ir.zeros.type) for _ in sides] for _ in range(SEEN)]
    for one in (one for line in sums for one in line):
        builder.store(ir.zeros, one)
    with cgutils.for_range_slice(builder, ir.number(0), images, ir.one, ir.intp) as (n, _):
        begin = builder.mul(n, size)
        end = builder.add(begin, count)
        with cgutils.for_range_slice(builder, begin, end, ir.number(CHUNK), ir.intp) as (p, _):
            found = [ir.load(ir.vector(builder.gep(row, [p]))) for row in given]
            for o, row in enumerate(rows):
                error = ir.load(ir.vector(builder.gep(row, [p])))
                for one, line in zip(found, sums, strict=True):
                    builder.store(ir.fused(error, one, builder.load(line[o])), line[o])
    for j, line in enumerate(sums):
        for o, one in zip(sides, line, strict=True):
            place = builder.gep(_data(ir, total, total_), [builder.add(at, ir.number(j * SIDES + o))])
            builder.store(builder.fadd(builder.load(place), ir.total(builder.load(one))), place)


def _tile(ir: Builder) -> tuple[int, int]:
    """How many places, and channels, of a tile have sums for which there are registers at a time."""
    most = (PLACES, SIDES) if shape()[0] == LINE else (PLACES // 2, SIDES // 2)
    return (most[0] // 2, most[1] // 2) if ir.align == 8 else most


def _data(ir: Builder, kind: Array, array: Value) -> Any:
    """Where an array begins."""
    return ir.context.make_array(kind)(ir.context, ir.builder, array).data
