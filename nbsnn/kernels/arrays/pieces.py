"""Pieces of a flat array, as arrays.

Compiled from slices and ``reshape``, whose every bound is looked at, each is some hundred instructions; here an
instruction makes it of its place and lengths, and nobody looks at them.
"""

import numpy as np

from ...compile import pieces
from ...scalar.hole import instruction


@instruction(pieces.numbers_at)
def numbers_at(array: np.ndarray, first: int, n: int) -> np.ndarray:
    """The ``n`` numbers from a place on."""
    return array[first : first + n]


@instruction(pieces.lines_at)
def lines_at(array: np.ndarray, first: int, count: int, n: int) -> np.ndarray:
    """As many lines of ``n`` numbers, one behind the other: [count, n]."""
    return array[first : first + count * n].reshape(count, n)


@instruction(pieces.steps_at)
def steps_at(array: np.ndarray, first: int, count: int, n: int) -> np.ndarray:
    """The same as variables in one step: [count, 1, n]."""
    return array[first : first + count * n].reshape(count, 1, n)


@instruction(pieces.samples_at)
def samples_at(array: np.ndarray, first: int, count: int, n: int) -> np.ndarray:
    """The same as variables in one step of one sample: [count, 1, 1, n]."""
    return array[first : first + count * n].reshape(count, 1, 1, n)
