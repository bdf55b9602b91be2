"""Unrolled helpers: functions generated for a number of variables that is known only when a kernel is compiled.

Flat arrays hold variable j of unit k at ``o + j w + k``; the sums are spelt out as well, since Numba would make floats
of products of unsigned places and literals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def switch(functions: Sequence[Callable[..., Any]], arguments: str) -> Callable[..., Any]:
    """A function that calls one of ``functions``, chosen by its first argument, and returns what that returns.

    >>> switch([abs, str], "a")(1, -2)      # def switch(which, a): return f0(a) if which == 0 else f1(a)
    '-2'
    """
    chain = "".join(f"f{k}({arguments}) if which == {k} else " for k in range(len(functions) - 1))
    last = f"f{len(functions) - 1}({arguments})" if functions else "None"
    scope: dict[str, Any] = {f"f{k}": function for k, function in enumerate(functions)}
    exec(f"def switch(which, {arguments}): return {chain}{last}", scope)
    return scope["switch"]


@functools.cache
def read(count: int) -> Callable[..., Any]:
    """A function that reads ``count`` variables of a unit from a flat array, as a tuple.

    >>> read(2)([1, 2, 3, 4], 0, 2, 1)      # lambda s, o, w, k: (s[o + k], s[o + w + k],)
    (2, 4)
    """
    return eval(f"lambda s, o, w, k: ({''.join(f'{_place(j)}, ' for j in range(count))})")


@functools.cache
def write(count: int, first: int = 1) -> Callable[..., Any]:
    """A function that writes the items ``first``, ... of a tuple to ``count`` variables of a unit in a flat array.

    >>> array = [1, 2, 3, 4]
    >>> write(2)(array, ("output", 8, 9), 0, 2, 1)
    >>> array
    [1, 8, 3, 9]
    """
    lines = "; ".join(f"{_place(j)} = r[{first + j}]" for j in range(count)) or "pass"
    scope: dict[str, Any] = {}
    exec(f"def write(s, r, o, w, k): {lines}", scope)
    return scope["write"]


@functools.cache
def numbers(count: int) -> Callable[..., Any]:
    """A function that reads ``count`` numbers from a place on, as a tuple.

    >>> numbers(2)([5, 6, 7], 1)
    (6, 7)
    """
    return eval(f"lambda p, o: ({''.join(f'p[o + {j}], ' for j in range(count))})")


@functools.cache
def pick(places: tuple[int, ...]) -> Callable[..., Any]:
    """A function that reads these variables of a unit from a flat array, as a tuple.

    >>> pick((1,))([1, 2, 3, 4], 0, 2, 1)
    (4,)
    """
    return eval(f"lambda s, o, w, k: ({''.join(f'{_place(j)}, ' for j in places)})")


def _place(variable: int) -> str:
    return f"s[o{' + w' * variable} + k]"


# Numba wants a tuple's length when it compiles, and a loop over a tuple's items keeps LLVM from vectorising (ten times
# slower for two items). So the functions that read or write several variables of a lane are spelt out, for any number.


@functools.cache
def row(count: int, subscript: str) -> Callable[..., Any]:
    """A function that reads ``count`` variables as a tuple.

    >>> row(2, "t, n")              # lambda array, t, n: (array[0, t, n], array[1, t, n],)
    <function ...>
    """
    items = "".join(f"array[{k}, {subscript}], " for k in range(count))
    return eval(f"lambda array, {subscript}: ({items})")


@functools.cache
def row_sum(count: int, first: str, second: str | None, subscript: str) -> Callable[..., Any]:
    """A function that adds ``count`` variables of two arrays, as a tuple; ``second`` None leaves the other out.

    >>> row_sum(1, "n", "t, n", "t, n")    # lambda array, other, t, n: (array[0, n] + other[0, t, n],)
    <function ...>
    """
    plus = f" + other[{{k}}, {second}]" if second else ""
    items = "".join(f"array[{k}, {first}]{plus.format(k=k)}, " for k in range(count))
    return eval(f"lambda array, other, {subscript}: ({items})")


@functools.cache
def zeros(count: int, subscript: str) -> Callable[..., Any]:
    """A function that stands for ``row_sum`` where there is nothing to add up.

    >>> zeros(2, "t, n")                   # lambda array, other, t, n: (0.0, 0.0,)
    <function ...>
    """
    return eval(f"lambda array, other, {subscript}: ({'0.0, ' * count})")


@functools.cache
def plus_row(count: int, subscript: str | None, arguments: str) -> Callable[..., Any]:
    """A function that adds ``count`` variables of an array to a tuple; ``subscript`` None leaves the array out.

    >>> plus_row(1, "t, n", "t, n")        # lambda held, other, t, n: (held[0] + other[0, t, n],)
    <function ...>
    """
    plus = f" + other[{{k}}, {subscript}]" if subscript else ""
    items = "".join(f"held[{k}]{plus.format(k=k)}, " for k in range(count))
    return eval(f"lambda held, other, {arguments}: ({items})")


@functools.cache
def plus_items(places: tuple[int, ...]) -> Callable[..., Any]:
    """A function that adds a tuple's items at ``places`` to another tuple.

    >>> plus_items((2, 1))((10, 20), (1, 2, 3))
    (13, 22)
    """
    items = "".join(f"sums[{k}] + r[{place}], " for k, place in enumerate(places))
    return eval(f"lambda sums, r: ({items})")


@functools.cache
def store(places: tuple[int, ...], subscript: str, add: bool = False) -> Callable[..., Any]:
    """A function that writes a tuple's items at ``places`` to the variables 0, 1, ... of an array.

    >>> store((1, 2), "t, n")       # def store(array, r, t, n): array[0, t, n] = r[1]; array[1, t, n] = r[2]
    <function ...>
    """
    sign = "+=" if add else "="
    lines = "; ".join(f"array[{k}, {subscript}] {sign} r[{place}]" for k, place in enumerate(places)) or "pass"
    scope: dict[str, Any] = {}
    exec(f"def store(array, r, {subscript}): {lines}", scope)
    return scope["store"]


@functools.cache
def lines(first: int, count: int, length: int) -> Callable[..., Any]:
    """A function that reads ``count`` variables from lines of ``length`` numbers that lie one behind the other.

    >>> lines(2, 2, 64)             # lambda array, at, j: (array[at + 128 + j], array[at + 192 + j],)
    <function ...>
    """
    items = "".join(f"array[at + u({(first + k) * length}) + j], " for k in range(count))
    return eval(f"lambda array, at, j: ({items})", {"u": np.uintp})


@functools.cache
def mixed_lines(shared: tuple[bool, ...], first: int, length: int) -> Callable[..., Any]:
    """A function that reads variables some of which are the same everywhere: these come from a tuple, in order.

    >>> mixed_lines((True, False), 2, 64)       # lambda array, at, j, shared: (shared[0], array[at + 128 + j],)
    <function ...>
    """
    items, line, place = "", first, 0
    for same in shared:
        items += f"shared[{place}], " if same else f"array[at + u({line * length}) + j], "
        line, place = line + (not same), place + same
    return eval(f"lambda array, at, j, shared: ({items})", {"u": np.uintp})


@functools.cache
def store_lines(places: tuple[int, ...], first: int, length: int, add: bool = False) -> Callable[..., Any]:
    """A function that writes a tuple's items at ``places`` to the lines ``first``, ``first + 1``, ...

    >>> store_lines((1,), 2, 64)    # def store(array, r, at, j): array[at + 128 + j] = r[1]
    <function ...>
    """
    sign = "+=" if add else "="
    parts = (f"array[at + u({(first + k) * length}) + j] {sign} r[{place}]" for k, place in enumerate(places))
    scope: dict[str, Any] = {"u": np.uintp}
    exec(f"def store(array, r, at, j): {'; '.join(parts) or 'pass'}", scope)
    return scope["store"]


@functools.cache
def repeating(count: int) -> Callable[..., Any]:
    """A function that reads element i of each of ``count`` arrays as a tuple; an array that is shorter repeats.

    >>> import numpy as np
    >>> repeating(2)((np.array([1, 2, 3]), np.array([4])), 2)
    (np.int64(3), np.int64(4))
    """
    items = "".join(f"given[{k}][i % given[{k}].shape[0]], " for k in range(count))
    return eval(f"lambda given, i: ({items})")


@functools.cache
def spread(count: int) -> Callable[..., Any]:
    """A function that writes a tuple's items to element i of each of ``count`` arrays.

    >>> spread(2)(made := ([0, 0], [0, 0]), (8, 9), 1)
    >>> made
    ([0, 8], [0, 9])
    """
    scope: dict[str, Any] = {}
    exec(f"def spread(made, r, i): {'; '.join(f'made[{k}][i] = r[{k}]' for k in range(count))}", scope)
    return scope["spread"]


def each(functions: Sequence[Callable[..., Any]], arguments: str, call: str) -> Callable[..., Any]:
    """A function that calls ``functions`` in turn, with ``call`` as arguments, in which {k} stands for the place.

    >>> each([print, print], "a", "{k}, a")("x")        # def each(a): f0(0, a); f1(1, a)
    0 x
    1 x
    """
    lines = "; ".join(f"f{k}({call.format(k=k)})" for k in range(len(functions))) or "pass"
    scope: dict[str, Any] = {f"f{k}": function for k, function in enumerate(functions)}
    exec(f"def each({arguments}): {lines}", scope)
    return scope["each"]
