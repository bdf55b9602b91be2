"""Vector registers: instructions that compiled loops have in place of a function's Python body.

LLVM's vectoriser reads and writes a sum at every row that it adds. Here the columns of a line stay in registers until
all rows are added, which is twice as fast for rows that events choose, and four times for products, which in addition
fuse multiplication and addition. Measured, one thread of a 2.5 GHz Xeon with AVX-512, whose clock changes: 14 to 26
million rows of 832 float32 added per second, 78 to 130 GFLOP/s.

Each column's sum is made in the order of the rows, whatever the processor's vectors are. Comparing 64 numbers at once
leaves a word of bits, which AVX-512 does in four instructions.

LLVM leaves half of an AVX-512 register unused unless a function asks for all of it (``widest``): with it, the event
simulator's neurons take 0.55 to 0.75 of the time there.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.base import BaseContext
    from numba.core.types import Array, Integer, Number
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

LINE = 64
"""Columns that are summed together: 256 bytes of float32."""

CHUNK = 16
"""Neighbouring channels of an image that are summed together: a cache line of float32."""


@functools.cache
def shape() -> tuple[int, int]:
    """Columns and rows of a product that stay in registers: as many as there are."""
    from llvmlite import binding

    return (LINE, 4) if binding.get_host_cpu_features().get("avx512f") else (16, 6)


@functools.cache
def add_rows() -> Any:
    """The instruction of ``kernels.products.gather.add_rows``."""
    from numba.core import cgutils, types
    from numba.core.extending import intrinsic

    @intrinsic
    def add_rows(
        typing: Context, x: Array, r: Integer, given: Array, s: Integer, weight: Array, first: Integer, index: Array,
        e: Integer, end: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            ir = Builder(context, builder, x.dtype, LINE)
            x_, r_, given_, s_, weight_, first_, index_, e_, end_ = args
            total = cgutils.alloca_once_value(builder, ir.load(ir.vector(ir.row(given, given_, s_))))
            with _chosen(ir, weight, weight_, first_, index, index_, e_, end_) as (_, row):
                builder.store(builder.fadd(builder.load(total), row), total)
            ir.store(builder.load(total), ir.vector(ir.row(x, x_, r_)))
            return context.get_dummy_value()

        return types.none(x, r, given, s, weight, first, index, e, end), generate

    return add_rows


@functools.cache
def widest() -> Any:
    """The instruction of ``kernels.arrays.wide.widest``."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def widest(typing: Context) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            # The set itself: llvmlite's own ``add`` knows no attributes with values.
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
            return context.get_dummy_value()

        return types.none(), generate

    return widest


@functools.cache
def equals() -> Any:
    """The instruction of ``kernels.products.bits.equals``."""
    return equals_of(LINE)


def equals_of(count: int) -> Any:
    """A comparison of ``count`` numbers, whose results are the lowest bits of a word."""
    from numba.core import types
    from numba.core.extending import intrinsic

    @intrinsic
    def equals(typing: Context, x: Array, place: Integer, value: Number) -> Any:
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            ir = Builder(context, builder, x.dtype, count)
            first = builder.gep(context.make_array(x)(context, builder, args[0]).data, [args[1]])
            wanted = ir.everywhere(context.cast(builder, args[2], value, x.dtype))
            return ir.word(builder.fcmp_ordered("==", ir.load(ir.vector(first)), wanted))

        return types.uint64(x, place, value), generate

    return equals


@functools.cache
def add_products() -> Any:
    """``kernels.products.gather.add_products`` as an instruction: ``shape()`` rows and columns at a time."""
    from numba.core import types
    from numba.core.extending import intrinsic

    columns, rows = shape()

    @intrinsic
    def add_products(
        typing: Context, x: Array, r: Integer, count: Integer, stride: Integer, g: Array, s: Integer, weight: Array,
        first: Integer, many: Integer,
    ) -> Any:  # fmt: skip
        def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
            for column in range(0, LINE, columns):
                _rows_in_turn(Builder(context, builder, x.dtype, columns), (x, g, weight), args, column, rows)
            return context.get_dummy_value()

        return types.none(x, r, count, stride, g, s, weight, first, many), generate

    return add_products


@contextmanager
def _chosen(
    ir: Builder, weight: Array, weight_: Value, first: Value, index: Array, index_: Value, e: Value, end: Value
) -> Iterator[tuple[Any, Any]]:
    """A loop over the rows ``first + index[k]`` of lines of weights, for k from e on: the index, and the row."""
    from numba.core import cgutils

    builder, rows = ir.builder, ir.row(weight, weight_, first)
    chosen = ir.context.make_array(index)(ir.context, builder, index_).data
    with cgutils.for_range_slice(builder, e, end, ir.one, ir.intp) as (k, _):
        i = builder.zext(builder.load(builder.gep(chosen, [k])), ir.intp)
        yield i, ir.load(ir.vector(builder.gep(rows, [builder.mul(i, ir.number(LINE))])))


def _rows_in_turn(ir: Builder, kinds: tuple, args: Sequence[Value], column: int, rows: int) -> None:
    """All rows of a product for some columns: ``rows`` together as long as there are enough, then one by one."""
    from numba.core import cgutils

    builder, (_, _, count, *_) = ir.builder, args
    done = cgutils.alloca_once_value(builder, ir.number(0))
    for together in (rows, 1):
        check, body, after = (builder.append_basic_block(name) for name in ("check", "body", "after"))
        builder.branch(check)
        builder.position_at_end(check)
        end = builder.add(builder.load(done), ir.number(together))
        builder.cbranch(builder.icmp_unsigned("<=", end, count), body, after)
        builder.position_at_end(body)
        _product(ir, kinds, args, column, builder.load(done), together)
        builder.store(end, done)
        builder.branch(check)
        builder.position_at_end(after)


def _product(ir: Builder, kinds: tuple, args: Sequence[Value], column: int, done: Value, count: int) -> None:
    """``count`` rows of a product, after ``done`` others, for some columns, whose sums fit into registers."""
    from numba.core import cgutils

    builder, (x, r, _, stride, g, s, weight, first, many) = ir.builder, args
    rows = [builder.mul(builder.add(done, ir.number(k)), stride) for k in range(count)]
    places = [ir.vector(ir.row(kinds[0], x, builder.add(r, k), column)) for k in rows]
    totals = [cgutils.alloca_once_value(builder, ir.load(place)) for place in places]
    factors = [ir.row(kinds[1], g, builder.add(s, k)) for k in rows]
    chosen = ir.row(kinds[2], weight, first, column)
    with cgutils.for_range_slice(builder, ir.number(0), many, ir.one, ir.intp) as (i, _):
        row = ir.load(ir.vector(builder.gep(chosen, [builder.mul(i, ir.number(LINE))])))
        for factor, total in zip(factors, totals, strict=True):
            same = ir.everywhere(builder.load(builder.gep(factor, [i])))
            builder.store(ir.fused(same, row, builder.load(total)), total)
    for place, total in zip(places, totals, strict=True):
        ir.store(builder.load(total), place)


class Builder:
    """Building blocks of the instructions in LLVM's language: places in C-contiguous arrays, and vectors of
    ``length``."""

    def __init__(self, context: BaseContext, builder: IRBuilder, dtype: Any, length: int):
        from llvmlite import ir

        self.context, self.builder, self._ir = context, builder, ir
        self.intp = ir.IntType(64)
        self.kind = ir.VectorType(context.get_data_type(dtype), length)
        self.align = dtype.bitwidth // 8
        self.one = self.number(1)

    def number(self, value: int) -> Any:
        """A whole number."""
        return self._ir.Constant(self.intp, value)

    def row(self, kind: Array, array: Value, r: Any, c: int = 0) -> Any:
        """Where ``array[r, c]`` is, of an array of ``LINE`` columns."""
        data = self.context.make_array(kind)(self.context, self.builder, array).data
        return self.builder.gep(data, [self.builder.add(self.builder.mul(r, self.number(LINE)), self.number(c))])

    def vector(self, place: Value) -> Any:
        """A place as one of a vector."""
        return self.builder.bitcast(place, self.kind.as_pointer())

    def load(self, place: Value) -> Any:
        """What is at a place, which need not begin on a cache line."""
        return self.builder.load(place, align=self.align)

    def store(self, value: Value, place: Value) -> None:
        """Write to such a place."""
        self.builder.store(value, place, align=self.align)

    @property
    def zeros(self) -> Any:
        return self._ir.Constant(self.kind, [0.0] * self.kind.count)

    @property
    def true(self) -> Any:
        return self._ir.Constant(self._ir.IntType(1), 1)

    def word(self, bits: Value) -> Any:
        """A vector of truth values as the lowest bits of a word."""
        number = self.builder.bitcast(bits, self._ir.IntType(self.kind.count))
        return number if self.kind.count == LINE else self.builder.zext(number, self.intp)

    def bits(self, word: Value) -> Any:
        """The lowest bits of a word, as a vector of truth values."""
        ir, count = self._ir, self.kind.count
        return self.builder.bitcast(self.builder.trunc(word, ir.IntType(count)), ir.VectorType(ir.IntType(1), count))

    def everywhere(self, value: Value) -> Any:
        """A vector of equal numbers."""
        ir, empty = self._ir, self._ir.Constant(self.kind, self._ir.Undefined)
        zero = ir.Constant(ir.IntType(32), 0)
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.kind.count), [0] * self.kind.count)
        return self.builder.shuffle_vector(self.builder.insert_element(empty, value, zero), empty, zeros)

    def total(self, vector: Value) -> Any:
        """The sum of a vector's numbers, in an order that LLVM chooses."""
        one, name = self.kind.element, f"llvm.vector.reduce.fadd.v{self.kind.count}f{8 * self.align}"
        function = self.builder.module.globals.get(name)
        if function is None:
            kind = self._ir.FunctionType(one, [one, self.kind])
            function = self._ir.Function(self.builder.module, kind, name)
        return self.builder.call(function, [self._ir.Constant(one, 0.0), vector], fastmath=("reassoc",))

    def fused(self, a: Value, b: Value, c: Value) -> Any:
        """a b + c, rounded once."""
        name = f"llvm.fma.v{self.kind.count}f{8 * self.align}"
        function = self.builder.module.globals.get(name)
        if function is None:
            function = self._ir.Function(self.builder.module, self._ir.FunctionType(self.kind, [self.kind] * 3), name)
        return self.builder.call(function, [a, b, c])
