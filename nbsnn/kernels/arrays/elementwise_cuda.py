"""Arithmetic of arrays on a GPU, one thread for each element of [lo, hi); on the CPU, NumPy does it."""

# pyright: reportCallIssue=false

from typing import Any

import numpy as np
from numba import cuda

from ...scalar.hole import hole


def add(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] += x[i]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] += x[i]


def sum2(lo: int, hi: int, a: np.ndarray, b: np.ndarray, y: np.ndarray) -> None:
    """y[i] = a[i] + b[i]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = a[i] + b[i]


def scale(lo: int, hi: int, factor: np.ndarray, y: np.ndarray) -> None:
    """y[i] *= factor[0]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] *= factor[0]


def multiply(lo: int, hi: int, factor: Any, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] = factor x[i]"""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = factor * x[i]


def scale_rows(lo: int, hi: int, factor: Any, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] = factor[i mod its length] x[i]: each column by a factor of its own."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = factor[i % factor.shape[0]] * x[i]


def repeat(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] = x[i mod its length]: one row in every row of y."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = x[i % x.shape[0]]


def add_rows(lo: int, hi: int, x: np.ndarray, y: np.ndarray) -> None:
    """y[i] += x[i mod its length]: one row to every row of y."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] += x[i % x.shape[0]]


def part(lo: int, hi: int, count: int, width: int, first: int, x: np.ndarray, y: np.ndarray) -> None:
    """Columns [first, first + count) of rows x of ``width``, as rows y of ``count``."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i] = x[i // count * width + first + i % count]


def place(lo: int, hi: int, count: int, width: int, first: int, x: np.ndarray, y: np.ndarray) -> None:
    """The reverse of ``part``: rows x of ``count`` into columns [first, first + count) of rows y of ``width``."""
    i = lo + cuda.grid(1)
    if i < hi:
        y[i // count * width + first + i % count] = x[i]


def across(lo: int, hi: int, columns: int, x: np.ndarray, y: np.ndarray) -> None:
    """y = x^T, of x [R, columns] in a row."""
    i = lo + cuda.grid(1)
    if i < hi:
        rows = x.shape[0] // columns
        y[i] = x[i % rows * columns + i // rows]


@hole
def take(given: tuple, i: int) -> tuple:
    """Element i of each array; those that are shorter repeat."""
    raise NotImplementedError


@hole
def equation(*values: float) -> tuple:
    """What is made of them."""
    raise NotImplementedError


@hole
def put(made: tuple, results: tuple, i: int) -> None:
    """Write the results to element i of each array."""
    raise NotImplementedError


def each(lo: int, hi: int, given: tuple, made: tuple) -> None:
    """Fill ``made`` with the results of an equation for each element."""
    i = lo + cuda.grid(1)
    if i < hi:
        put(made, equation(*take(given, i)), i)
