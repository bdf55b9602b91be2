"""Functions that are spelt out for a number of others, or of variables, that is known only when a kernel is made.

Flat arrays hold variable j of unit k at ``o + j w + k``; the sums are spelt out as well, since Numba would make floats of
products of unsigned places and literals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any


def switch(functions: Sequence[Callable], arguments: str) -> Callable:
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
def read(count: int) -> Callable:
    """A function that reads ``count`` variables of a unit from a flat array, as a tuple.

    >>> read(2)([1, 2, 3, 4], 0, 2, 1)      # lambda s, o, w, k: (s[o + k], s[o + w + k],)
    (2, 4)
    """
    return eval(f"lambda s, o, w, k: ({''.join(f'{_place(j)}, ' for j in range(count))})")


@functools.cache
def write(count: int) -> Callable:
    """A function that writes the items 1, 2, ... of a tuple to ``count`` variables of a unit in a flat array.

    >>> array = [1, 2, 3, 4]
    >>> write(2)(array, ("output", 8, 9), 0, 2, 1)
    >>> array
    [1, 8, 3, 9]
    """
    lines = "; ".join(f"{_place(j)} = r[{1 + j}]" for j in range(count)) or "pass"
    scope: dict[str, Any] = {}
    exec(f"def write(s, r, o, w, k): {lines}", scope)
    return scope["write"]


@functools.cache
def numbers(count: int) -> Callable:
    """A function that reads ``count`` numbers from a place on, as a tuple.

    >>> numbers(2)([5, 6, 7], 1)
    (6, 7)
    """
    return eval(f"lambda p, o: ({''.join(f'p[o + {j}], ' for j in range(count))})")


def _place(variable: int) -> str:
    return f"s[o{' + w' * variable} + k]"
