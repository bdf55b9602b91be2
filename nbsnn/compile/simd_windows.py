"""Instructions for images whose channels lie side by side: see ``compile.simd``, and ``kernels.products.windows``."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .simd import CHUNK, LINE, Builder, equals_of, shape

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.base import BaseContext
    from numba.core.types import Array, Integer, Number
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature


@functools.cache
def add_scaled() -> Any:
    """The instruction of ``kernels.products.windows.add_scaled``."""
    from numba.core import cgutils, types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_scaled(
        typing: Context, x: Array, a: Integer, row: Array, b: Integer, count: Integer, factor: Number
    ) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            ir = Builder(context, builder, x.dtype, CHUNK)
            into = builder.gep(context.make_array(x)(context, builder, args[0]).data, [args[1]])
            given = builder.gep(context.make_array(row)(context, builder, args[2]).data, [args[3]])
            same = ir.everywhere(context.cast(builder, args[5], factor, x.dtype))
            with cgutils.for_range_slice(builder, ir.number(0), args[4], ir.number(CHUNK), ir.intp) as (k, _):
                place, more = (ir.vector(builder.gep(data, [k])) for data in (into, given))
                ir.store(ir.fused(same, ir.load(more), ir.load(place)), place)
            return context.get_dummy_value()

        return types.none(x, a, row, b, count, factor), generate

    return add_scaled


@functools.cache
def add_weighted() -> Any:
    """The instruction of ``kernels.products.windows.add_weighted``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_weighted(
        typing: Context, x: Array, a: Integer, weight: Array, first: Integer, g: Array, at: Integer, words: Array,
        k: Integer, end: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            x_, a_, weight_, first_, *others = args
            ir, kinds = Builder(context, builder, x.dtype, LINE), (x, weight, g, words)
            return _add_weighted(ir, kinds, (x_, [a_], weight_, [first_], *others))

        return types.none(x, a, weight, first, g, at, words, k, end), generate

    return add_weighted


@functools.cache
def add_weighted_twice() -> Any:
    """The instruction of ``kernels.products.windows.add_weighted_twice``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_weighted_twice(
        typing: Context, x: Array, a: Integer, b: Integer, weight: Array, first: Integer, second: Integer, g: Array,
        at: Integer, words: Array, k: Integer, end: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            x_, a_, b_, weight_, first_, second_, *others = args
            ir, kinds = Builder(context, builder, x.dtype, LINE), (x, weight, g, words)
            return _add_weighted(ir, kinds, (x_, [a_, b_], weight_, [first_, second_], *others))

        return types.none(x, a, b, weight, first, second, g, at, words, k, end), generate

    return add_weighted_twice


def _add_weighted(ir: Builder, kinds: tuple[Array, ...], args: tuple[Any, ...]) -> Any:
    """Sums of products for some places, of as many lines of weights, which need each factor once."""
    from numba.core import cgutils

    builder, context, (x, weight, g, words) = ir.builder, ir.context, kinds
    x_, into, weight_, lines, g_, at, words_, k, end = args
    totals, rows = (
        [cgutils.alloca_once_value(builder, ir.zeros) for _ in into],
        [ir.row(weight, weight_, q) for q in lines],
    )
    factors = builder.gep(context.make_array(g)(context, builder, g_).data, [at])
    chosen = context.make_array(words)(context, builder, words_).data
    for total in totals:
        builder.store(ir.zeros, total)
    with cgutils.for_range_slice(builder, k, end, ir.one, ir.intp) as (word, number):
        before = builder.mul(number, ir.number(LINE))
        with _set_bits(ir, builder.load(builder.gep(chosen, [word]))) as bit:
            i = builder.add(before, bit)
            same, place = ir.everywhere(builder.load(builder.gep(factors, [i]))), builder.mul(i, ir.number(LINE))
            for row, total in zip(rows, totals, strict=True):
                more = ir.load(ir.vector(builder.gep(row, [place])))
                builder.store(ir.fused(same, more, builder.load(total)), total)
    for at, total in zip(into, totals, strict=True):  # one after the other, as places may overlap
        place = ir.vector(builder.gep(context.make_array(x)(context, builder, x_).data, [at]))
        builder.store(builder.fadd(ir.load(place), builder.load(total)), total)
        ir.store(builder.load(total), place)
    return context.get_dummy_value()


@functools.cache
def add_rows_beside() -> Any:
    """The instruction of ``kernels.products.window_rows.add_rows_beside``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_rows_beside(
        typing: Context, x: Array, r: Integer, apart: Integer, count: Integer, weight: Array, first: Integer,
        index: Array, e: Integer, end: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            columns = shape()[0] // (1 + (x.dtype == types.float64))
            for column in range(0, LINE, columns):
                _beside_in_turn(Builder(context, builder, x.dtype, columns), (x, weight, index), args, column)
            return context.get_dummy_value()

        return types.none(x, r, apart, count, weight, first, index, e, end), generate

    return add_rows_beside


def _beside_in_turn(ir: Builder, kinds: tuple[Array, ...], args: Sequence[Value], column: int) -> None:
    """All sums of some columns: as many together as stay in registers."""
    from numba.core import cgutils

    builder, (x, weight, index), (x_, r, apart, count, weight_, first, index_, e, end) = ir.builder, kinds, args
    done, chosen = cgutils.alloca_once_value(builder, ir.number(0)), ir.context.make_array(index)
    chosen = chosen(ir.context, builder, index_).data
    for together in (5, 3, 1):
        with _while_left(ir, done, together, count):
            offsets = [builder.mul(builder.add(builder.load(done), ir.number(m)), apart) for m in range(together)]
            places = [ir.vector(ir.row(x, x_, builder.add(r, offset), column)) for offset in offsets]
            rows = [ir.row(weight, weight_, builder.add(first, offset), column) for offset in offsets]
            totals = [cgutils.alloca_once_value(builder, ir.load(place)) for place in places]
            with cgutils.for_range_slice(builder, e, end, ir.one, ir.intp) as (k, _):
                i = builder.mul(builder.zext(builder.load(builder.gep(chosen, [k])), ir.intp), ir.number(LINE))
                for row, total in zip(rows, totals, strict=True):
                    more = ir.load(ir.vector(builder.gep(row, [i])))
                    builder.store(builder.fadd(builder.load(total), more), total)
            for place, total in zip(places, totals, strict=True):
                ir.store(builder.load(total), place)


@contextmanager
def _while_left(ir: Builder, done: Value, together: int, count: Value) -> Iterator[None]:
    """A loop as long as ``together`` of ``count`` are left, which counts those that are ``done``."""
    builder = ir.builder
    check, body, after = (builder.append_basic_block(name) for name in ("check", "body", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    end = builder.add(builder.load(done), ir.number(together))
    builder.cbranch(builder.icmp_unsigned("<=", end, count), body, after)
    builder.position_at_end(body)
    yield
    builder.store(end, done)
    builder.branch(check)
    builder.position_at_end(after)


@functools.cache
def select() -> Any:
    """The instruction of ``kernels.products.windows.select``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def select(typing: Context, x: Array, a: Integer, row: Array, b: Integer, mask: Integer) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            ir = Builder(context, builder, x.dtype, CHUNK)
            into = builder.gep(context.make_array(x)(context, builder, args[0]).data, [args[1]])
            chosen = builder.gep(context.make_array(row)(context, builder, args[2]).data, [args[3]])
            given = ir.load(ir.vector(chosen))
            ir.store(builder.select(ir.bits(args[4]), given, ir.zeros), ir.vector(into))
            return context.get_dummy_value()

        return types.none(x, a, row, b, mask), generate

    return select


@functools.cache
def equals_few() -> Any:
    """The instruction of ``kernels.products.windows.equals_few``."""
    return equals_of(CHUNK)


@contextmanager
def _set_bits(ir: Builder, word: Value) -> Iterator[Any]:
    """A loop over the set bits of a word, from the lowest on."""
    from numba.core import cgutils

    builder, left = ir.builder, cgutils.alloca_once_value(ir.builder, word)
    builder.store(word, left)
    check, body, after = (builder.append_basic_block(name) for name in ("check", "body", "after"))
    builder.branch(check)
    builder.position_at_end(check)
    builder.cbranch(builder.icmp_unsigned("!=", builder.load(left), ir.number(0)), body, after)
    builder.position_at_end(body)
    now = builder.load(left)
    builder.store(builder.and_(now, builder.sub(now, ir.one)), left)
    yield builder.cttz(now, ir.true)
    builder.branch(check)
    builder.position_at_end(after)
