"""Named tuples of arrays that kernels are handed by their place in memory.

Numba hands a tuple on item by item, and an array as seven values. The fifty arrays of a network were 350 arguments of
every function that took it, and much of the time of compiling its loop. Laid out in memory, they are one: a function
loads what it reads. An array is its address and its shape, a number itself, and a tuple its items, in words of 64 bits.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.datamodel import models
from numba.core.datamodel.manager import DataModelManager
from numba.core.extending import intrinsic, lower_getattr_generic, register_model, unbox
from numba.core.imputils import impl_ret_borrowed
from numba.core.pythonapi import NativeValue
from numba.core.typing.templates import AttributeTemplate, infer_getattr
from numba.np.numpy_support import as_dtype, from_dtype

if TYPE_CHECKING:
    from llvmlite.ir import IRBuilder, Value
    from numba.core.base import BaseContext
    from numba.core.pythonapi import _UnboxContext as BoxContext
    from numba.core.typing.context import Context
    from numba.core.typing.templates import Signature

WORD = 8


class Reference(types.Type):
    """The place of a named tuple in memory; ``lasting`` if what lies there was written before the kernel began."""

    def __init__(self, of: types.NamedTuple, lasting: bool = True):
        self.of, self.types, self.lasting = of, (of,), lasting  # an index of kernels on disk looks into ``types``
        digest = hashlib.sha256(str(of).encode()).hexdigest()[:16]
        super().__init__(f"Reference({of.instance_class.__name__}, {digest}{'' if lasting else ', own'})")


@register_model(Reference)
class _ReferenceModel(models.PrimitiveModel):
    def __init__(self, manager: DataModelManager, kind: Reference):
        super().__init__(manager, kind, ir.IntType(64).as_pointer())


class Placed:
    """A named tuple of arrays, numbers and such tuples, laid out for a kernel; it must live as long as the kernel runs.

    Parameters
    ----------
    given : named tuple
    """

    def __init__(self, given: tuple):
        self.given = given
        self.words = np.array([*_words(given)], np.int64)
        self.place = self.words.ctypes.data
        kind = _kind(given)
        if kind not in _references:
            _references[kind] = Reference(_type_of(kind))
        self._numba_type_ = _references[kind]


_references: dict[object, Reference] = {}


def _words(value: object) -> Iterator[int]:
    if isinstance(value, tuple):
        for item in value:
            yield from _words(item)
    elif isinstance(value, np.ndarray):
        if not value.flags.c_contiguous:
            raise ValueError(f"an array of shape {value.shape} does not lie in one piece")
        yield value.__array_interface__["data"][0]
        yield from value.shape
    else:
        yield int(value)  # type: ignore[call-overload]


def _kind(value: object) -> tuple | None:
    """What a type is made of; not whether an array may be written to, so that a kernel is compiled once."""
    if isinstance(value, tuple):
        return type(value), *map(_kind, value)
    return (value.dtype, value.ndim) if isinstance(value, np.ndarray) else None


def _type_of(kind: tuple | None) -> types.Type:
    if kind is None:
        return types.int64
    if isinstance(kind[0], type):
        return types.NamedTuple([*map(_type_of, kind[1:])], kind[0])
    return types.Array(from_dtype(kind[0]), kind[1], "C")


def _size(kind: types.Type) -> int:
    """Words of a value."""
    if isinstance(kind, types.NamedTuple):
        return sum(map(_size, kind.types))
    return 1 + kind.ndim if isinstance(kind, types.Array) else 1


@unbox(Reference)
def _unboxed(kind: Reference, value: Value, c: BoxContext) -> NativeValue:
    place = c.pyapi.object_getattr_string(value, "place")
    number = c.pyapi.long_as_longlong(place)
    c.pyapi.decref(place)
    return NativeValue(c.builder.inttoptr(number, c.context.get_value_type(kind)))


@infer_getattr
class _Items(AttributeTemplate):
    key = Reference

    def generic_resolve(self, reference: Reference, name: str) -> types.Type | None:
        fields = reference.of.fields
        if name not in fields:
            return None
        kind = reference.of.types[fields.index(name)]
        return Reference(kind, reference.lasting) if isinstance(kind, types.NamedTuple) else kind


@lower_getattr_generic(Reference)
def _item(context: BaseContext, builder: IRBuilder, kind: Reference, place: Value, name: str) -> Any:
    number = kind.of.fields.index(name)
    item = kind.of.types[number]
    here = cgutils.gep(builder, place, sum(map(_size, kind.of.types[:number])))
    if isinstance(item, types.NamedTuple):
        return here
    return impl_ret_borrowed(context, builder, item, _loaded(context, builder, item, here, kind.lasting))


def _loaded(context: BaseContext, builder: IRBuilder, kind: types.Type, place: Value, lasting: bool) -> Value:
    """The value that lies at a place."""
    if isinstance(kind, types.NamedTuple):
        items = []
        for item in kind.types:
            items.append(_loaded(context, builder, item, place, lasting))
            place = cgutils.gep(builder, place, _size(item))
        return context.make_tuple(builder, kind, items)
    if not isinstance(kind, types.Array):
        where = builder.bitcast(place, context.get_data_type(kind).as_pointer())
        word = _word(builder, where, lasting)  # type: ignore[arg-type]
        return context.data_model_manager[kind].from_data(builder, word)
    shape = [_word(builder, cgutils.gep(builder, place, 1 + k), lasting) for k in range(kind.ndim)]
    where = builder.bitcast(place, context.get_data_type(kind.dtype).as_pointer().as_pointer())
    data: Value = _word(builder, where, lasting)  # type: ignore[arg-type]
    return array_of(context, builder, kind, data, shape)


def array_of(
    context: BaseContext, builder: IRBuilder, kind: types.Array, data: Value, shape: Sequence[Value]
) -> Value:  # fmt: skip
    """The C-contiguous array at an address. Numba's own way is five times as many instructions."""
    strides = [ir.IntType(64)(as_dtype(kind.dtype).itemsize)]
    for length in shape[:0:-1]:
        strides.insert(0, builder.mul(strides[0], length))  # type: ignore[arg-type]
    items = {"data": data, "nitems": functools.reduce(builder.mul, shape), "itemsize": strides[-1]}
    made = ir.Constant(context.get_value_type(kind), None)  # undefined so far
    model = context.data_model_manager[kind]
    for name, item in items.items():
        made = builder.insert_value(made, item, model.get_field_position(name))
    for name, lengths in (("shape", shape), ("strides", strides)):
        for k, item in enumerate(lengths):
            made = builder.insert_value(made, item, [model.get_field_position(name), k])
    return made


def _word(builder: IRBuilder, place: Value, lasting: bool) -> Value:
    """The word at a place; if it is ``lasting``, LLVM may take it to be the same for as long as the kernel runs."""
    word = builder.load(place)
    if lasting:
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
    return word


@intrinsic
def _all_of(typing: Context, reference: Reference) -> Any:
    """All items of a reference, as a named tuple."""
    kind = reference.of

    def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
        return impl_ret_borrowed(context, builder, kind, _loaded(context, builder, kind, args[0], reference.lasting))

    return kind(reference), generate


@intrinsic
def _laid_out(typing: Context, given: types.NamedTuple) -> Any:
    """A named tuple of a kernel's own, in memory until the function returns."""
    reference = Reference(given, lasting=False)

    def generate(context: BaseContext, builder: IRBuilder, signature: Signature, args: Sequence[Value]) -> Any:
        memory = cgutils.alloca_once(builder, ir.IntType(64), size=_size(given))
        _lay_out(context, builder, given, args[0], memory)
        return memory

    return reference(given), generate


def _lay_out(context: BaseContext, builder: IRBuilder, kind: types.Type, value: Value, place: Value) -> None:
    """Store a value at a place, as ``_loaded`` reads it."""
    if isinstance(kind, types.NamedTuple):
        for one, item in zip(kind.types, cgutils.unpack_tuple(builder, value, len(kind)), strict=True):
            _lay_out(context, builder, one, item, place)
            place = cgutils.gep(builder, place, _size(one))
    elif isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value)
        words = [builder.ptrtoint(array.data, ir.IntType(64)), *cgutils.unpack_tuple(builder, array.shape)]
        for k, word in enumerate(words):
            builder.store(word, cgutils.gep(builder, place, k))
    else:
        data = context.data_model_manager[kind].as_data(builder, value)
        builder.store(data, builder.bitcast(place, data.type.as_pointer()))


def filling() -> dict[str, Callable[..., Any]]:
    """Fillings of the holes of ``kernels.network.arrays`` where networks are ``Placed``."""
    return {"all_of": _all_of, "laid_out": _laid_out}
