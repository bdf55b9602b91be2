"""Functions that are spelt out for the sums of a matrix product that a GPU's thread keeps in registers.

Sums in a tuple are sure to lie there; in a local array they may not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


@functools.cache
def nothing(count: int) -> Callable:
    """A function that returns this many zeros.

    >>> nothing(2)()
    (0.0, 0.0)
    """
    return eval(f"lambda: ({'0.0, ' * count})")


@functools.cache
def strided(count: int, stride: int) -> Callable:
    """A function that reads this many numbers of a row, ``stride`` apart.

    >>> strided(2, 3)("abcdef", 1)
    ('b', 'e')
    """
    return eval(f"lambda tile, at: ({''.join(f'tile[at + {j * stride}], ' for j in range(count))})")


@functools.cache
def plus_outer(count: int) -> Callable:
    """A function that adds the products of ``count`` with ``count`` numbers to as many sums.

    >>> plus_outer(2)((0, 0, 0, 1), (1, 2), (10, 20))
    (10, 20, 20, 41)
    """
    items = (f"sums[{i * count + j}] + a[{i}] * b[{j}], " for i in range(count) for j in range(count))
    return eval(f"lambda sums, a, b: ({''.join(items)})")


@functools.cache
def put_each(put: Callable, count: int, stride: int) -> Callable:
    """A function that calls ``put`` for each of ``count`` x ``count`` sums whose place exists."""
    lines = [
        f"    if r + {i * stride} < rows and c + {j * stride} < columns: "
        f"put(y, bias, part, r + {i * stride}, c + {j * stride}, sums[{i * count + j}])"
        for i in range(count)
        for j in range(count)
    ]
    scope: dict[str, Any] = {"put": put}
    exec("\n".join(["def put_each(sums, y, bias, part, r, c, rows, columns):", *lines]), scope)
    return scope["put_each"]
