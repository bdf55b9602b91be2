"""The BLAS that NumPy multiplies with, on one thread for as long as products of the package run.

After a product, threads of OpenBLAS wait busily for the next one and hold up ours; and its sums are made in another
order on one thread than on several. So products are cut into blocks that our threads share, each on one thread of
OpenBLAS: its setting, which is one for the whole process, is changed for the time of the product and then restored.
Of OpenBLAS with OpenMP, whose setting is one of each thread, of MKL and of others, all is left as it is.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

OPENMP = 2
"""What OpenBLAS answers if its threads are those of OpenMP; 1 for its own, 0 without."""


class OpenBlas(NamedTuple):
    """How the number of its threads is read and changed."""

    count: Callable[[], int]
    change: Callable[[int], None]


class _Inside:
    """How many products run on one thread of BLAS now, and how many threads it had before."""

    def __init__(self) -> None:
        self.lock, self.products, self.before = threading.Lock(), 0, 1


_inside = _Inside()


@functools.cache
def openblas() -> OpenBlas | None:
    """NumPy's OpenBLAS, if it has that and threads of its own."""
    for library in _libraries():
        for before, after in itertools.product(("scipy_", ""), ("64_", "", "_64")):
            try:
                kind, count, change = (
                    getattr(library, f"{before}openblas_{name}{after}")
                    for name in ("get_parallel", "get_num_threads", "set_num_threads")
                )
            except AttributeError:
                continue
            change.argtypes, change.restype = [ctypes.c_int], None
            return None if kind() == OPENMP else OpenBlas(count, change)
    return None


def _libraries() -> Iterator[ctypes.PyDLL]:
    """NumPy's own library, in which symbols of those that it needs are found too, but on Windows: those beside it."""
    umath = importlib.import_module("numpy._core._multiarray_umath")
    beside = Path(np.__file__).parent.parent / "numpy.libs"
    for file in (umath.__file__, *sorted(map(str, beside.glob("*openblas*.dll")))):
        try:
            yield ctypes.PyDLL(file)  # keeps Python's lock, which it may take long to get back
        except (OSError, TypeError):
            continue


@contextmanager
def on_one_thread(blas: OpenBlas) -> Iterator[None]:
    """A ``with`` block in which each product takes one thread of ``blas``."""
    with _inside.lock:
        if _inside.products == 0:
            _inside.before = blas.count()
            blas.change(1)
        _inside.products += 1
    try:
        yield
    finally:
        with _inside.lock:
            _inside.products -= 1
            if _inside.products == 0:
                blas.change(_inside.before)


def _forked() -> None:
    """In a forked child no product runs any more: what other threads of the parent had changed is restored."""
    global _inside
    left, _inside = _inside, _Inside()
    if left.products and (blas := openblas()) is not None:
        blas.change(left.before)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
