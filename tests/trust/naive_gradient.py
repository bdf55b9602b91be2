"""Reverse-mode differentiation of NumPy arrays, the textbook way: every operation notes how its derivative comes back.

An oracle written with these numbers gives values and derivatives, and shares no line with what it judges.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray
Parent = tuple["Value", Callable[[Array], Array]]


def summed(g: Array, shape: tuple[int, ...]) -> Array:
    """``g`` summed over the axes along which an array of ``shape`` was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    return g.sum(axis=tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1), keepdims=True)


class Value:
    """A float64 array, and where it comes from: (parent, what the derivative by it is, given that by this)."""

    __array_priority__ = 1000
    numbers = itertools.count()

    def __init__(self, value: Any, *parents: Parent):
        self.value, self.parents, self.number = np.asarray(value, np.float64), parents, next(Value.numbers)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    def __add__(self, other: Any) -> Value:
        a, b = self, of(other)
        return Value(a.value + b.value, (a, lambda g: summed(g, a.shape)), (b, lambda g: summed(g, b.shape)))

    def __mul__(self, other: Any) -> Value:
        a, b = self, of(other)
        back_a, back_b = (lambda g: summed(g * b.value, a.shape)), (lambda g: summed(g * a.value, b.shape))
        return Value(a.value * b.value, (a, back_a), (b, back_b))

    def __truediv__(self, other: Any) -> Value:
        b = of(other)
        return self * Value(1.0 / b.value, (b, lambda g: -g / b.value**2))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Any) -> Value:
        return self + -of(other)

    def __rsub__(self, other: Any) -> Value:
        return of(other) + -self

    def __rtruediv__(self, other: Any) -> Value:
        return of(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def __matmul__(self, other: Value) -> Value:
        return product(self, other, other.value, self.value)

    def __getitem__(self, key: Any) -> Value:
        def back(g: Array) -> Array:
            whole = np.zeros(self.shape)
            np.add.at(whole, key, g)
            return whole

        return Value(self.value[key], (self, back))

    def reshape(self, *shape: int) -> Value:
        return Value(self.value.reshape(shape), (self, lambda g: g.reshape(self.shape)))


def of(value: Any) -> Value:
    """``value``, as a constant unless it is a Value already."""
    return value if isinstance(value, Value) else Value(value)


def product(x: Value, w: Value, w_seen: Array, x_seen: Array) -> Value:
    """x w, whose derivatives see ``w_seen`` in place of w and ``x_seen`` in place of x: how learning rules differ."""
    return Value(x.value @ w.value, (x, lambda g: g @ w_seen.T), (w, lambda g: x_seen.T @ g))


def still(value: Any) -> Any:
    """``value`` as a constant: no derivative flows back from here. Also of all values in a list or dict."""
    if isinstance(value, dict):
        return {name: still(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [still(inner) for inner in value]
    return Value(value.value) if isinstance(value, Value) else value


def function(x: Any, value: Array, slope: Array) -> Value:
    """An elementwise function of ``x``, given its value and slope."""
    x = of(x)
    return Value(value, (x, lambda g: g * slope))


def exp(x: Any) -> Value:
    y = np.exp(of(x).value)
    return function(x, y, y)


def where(mask: Array, a: Any, b: Any) -> Value:
    """``a`` where ``mask``, else ``b``."""
    a, b = of(a), of(b)
    back_a, back_b = (lambda g: summed(g * mask, a.shape)), (lambda g: summed(g * ~mask, b.shape))
    return Value(np.where(mask, a.value, b.value), (a, back_a), (b, back_b))


def joined(parts: list[Value], axis: int) -> Value:
    """Arrays one behind the other."""
    ends = np.cumsum([part.shape[axis] for part in parts])
    backs = [lambda g, k=k: np.split(g, ends[:-1], axis)[k] for k in range(len(parts))]
    return Value(np.concatenate([part.value for part in parts], axis), *zip(parts, backs, strict=True))


def padded(x: Value, rows: int, columns: int, outside: float = 0.0) -> Value:
    """Images [..., H, W] with so many lines around them."""
    width = [(0, 0)] * (len(x.shape) - 2) + [(rows, rows), (columns, columns)]
    height, length = x.shape[-2:]
    back = lambda g: g[..., rows : rows + height, columns : columns + length]  # noqa: E731
    return Value(np.pad(x.value, width, constant_values=outside), (x, back))


def derivatives(result: Value, g: Any, wanted: dict[str, Value]) -> dict[str, Array]:
    """The derivatives of sum(g result) by every value in ``wanted``."""
    found = {result: np.asarray(g, np.float64) * np.ones(result.shape)}
    seen, pending = {result}, [result]
    while pending:
        for parent, _ in pending.pop().parents:
            if parent not in seen:
                seen.add(parent)
                pending.append(parent)
    for value in sorted(seen, key=lambda v: -v.number):
        for parent, back in value.parents if value in found else ():
            found[parent] = found.get(parent, 0.0) + back(found[value])
    return {name: found.get(value, np.zeros(value.shape)) for name, value in wanted.items()}
