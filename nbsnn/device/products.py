"""Matrix products, with BLAS on our own threads, and without it.

With BLAS, a product is cut into blocks by its sizes alone, so that its bits do not depend on the number of threads.
Without it where few rows are in the middle, as BLAS is no faster there; and where results must not depend on threads
of a BLAS that keeps its own, see ``blas``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

import numpy as np

from ..compile.fill import kernel
from ..kernels.products import small as loops
from ..validate import switch
from . import blas
from .buffers import Array
from .profile import OPEN, Work, span
from .threads import run_threaded

FEW = 16
"""Up to this many rows in the middle. Measured on one thread, 12800 rows, 10 to 800 columns: 2.0 ms, BLAS 2.4; 784
rows, 128 to 800 columns: 1.1 ms, BLAS 1.5."""

ALIGNED, SMALLEST, MOST = 16, 64, 32
"""Rows, or columns, of a block for BLAS are a multiple, and how many at least; and into how many blocks a product is
cut at most: OpenBLAS has room for as many calls at a time, and smaller blocks take longer, 5 % at 64 rows."""

SINGLE = {False: 2**17, True: 2**12}
"""Updates up to which OpenBLAS takes one thread by itself, half of them to be safe: of matrices, and of vectors."""

LANES = 16
"""Updates that BLAS makes in the time of another one."""

NEAR = 2**17
"""Bytes of a product that is made at a time: they stay in a near cache."""

_deterministic = ContextVar("deterministic", default=False)


def deterministic(on: bool = True) -> AbstractContextManager[None]:
    """A ``with`` block in which layers on the CPU give the same result bit for bit whatever number of threads BLAS has.

    With OpenBLAS, NumPy's usual one, they always do: its products are shared by our threads. Another BLAS (MKL,
    Accelerate, OpenBLAS for OpenMP) keeps its own threads, and its sums depend on their number; within the block dense
    products are made without it then, and take longer: those of convolutions, of inputs that are no spikes, or of too
    many of them.

    Parameters
    ----------
    on : bool
        False leaves all products to BLAS, as outside the block.

    Returns
    -------
    context manager
        Its ``with`` block holds for the thread that enters it.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(), seed=0)
    >>> with nbsnn.deterministic():
    ...     y = net.run(np.ones((5, 1, 3), np.float32)).output
    """
    return _switched(switch("on", on))


@contextmanager
def _switched(on: bool) -> Iterator[None]:
    token = _deterministic.set(on)
    try:
        yield
    finally:
        _deterministic.reset(token)


def matmul(x: Array, weight: Array, out: Array | None = None, part: Work | None = None) -> Array:
    """x W, for x [..., K] and W [K, M], or a stack of each; within ``deterministic``, in an order of its own.

    For a profile, it is a ``part`` of the whole.

    >>> with deterministic():
    ...     matmul(np.ones((1, 2)), np.full((2, 1), 3.0))
    array([[6.]])
    """
    if part is not None and OPEN.profile is not None:
        with span(*part):
            return matmul(x, weight, out)
    n_pre, n_post = weight.shape[-2:]
    y = np.empty((*x.shape[:-1], n_post), np.result_type(x, weight)) if out is None or x.ndim != weight.ndim else out
    pairs = zip(x, weight, y, strict=True) if weight.ndim == 3 else [(x, weight, y)]
    for one, factor, product in pairs:
        _fill(one.reshape(-1, n_pre), factor, product.reshape(-1, n_post))
    if out is None or y is out:
        return y
    out[...] = y
    return out


def _fill(x: Array, weight: Array, y: Array) -> None:
    """y = x W, for matrices."""
    openblas = blas.openblas()
    if openblas is not None and y.size * len(weight) > SINGLE[1 in y.shape]:
        with blas.on_one_thread(openblas):
            _in_blocks(x, weight, y)
    elif openblas is None and _deterministic.get():
        total = np.zeros_like(y, order="C")
        _add(x, weight, total, max(1, NEAR // max(1, y.shape[1] * y.itemsize)))
        y[...] = total
    else:
        np.matmul(x, weight, out=y)


def _in_blocks(x: Array, weight: Array, y: Array) -> None:
    """``_fill``, in blocks of rows, or of columns if there are more."""
    rows, columns = y.shape
    longer = max(rows, columns)
    size = -(-max(SMALLEST, -(-longer // MOST)) // ALIGNED) * ALIGNED
    count, errors = -(-longer // size), np.geterr()

    def part(lo: int, hi: int) -> None:
        with np.errstate(**errors):  # which each thread has for itself
            for a in range(lo * size, min(hi * size, longer), size):
                if rows >= columns:
                    np.matmul(x[a : a + size], weight, out=y[a : a + size])
                else:
                    np.matmul(x, weight[:, a : a + size], out=y[:, a : a + size])

    run_threaded(part, count, y.size * len(weight) // LANES)


def add_product(x: Array, weight: Array, y: Array) -> None:
    """y += x W, for x [R, K], W [K, M] and contiguous y [R, M], without BLAS.

    >>> y = np.ones((1, 1))
    >>> add_product(np.full((1, 2), 3.0), np.full((2, 1), 2.0), y)
    >>> y
    array([[13.]])
    """
    _add(x, weight, y, len(y) or 1)


def _add(x: Array, weight: Array, y: Array, together: int) -> None:
    """``add_product``, that many rows at a time."""
    x, weight = (np.require(a, y.dtype, ["C", "W"]) for a in (x, weight))
    u, compiled = np.uintp, _compiled(y.dtype)

    def part(lo: int, hi: int) -> None:
        for r in range(lo, hi, together):
            compiled(u(r), u(min(r + together, hi)), x, weight, y)

    run_threaded(part, len(y), y.size * len(weight))


@functools.cache
def _compiled(dtype: np.dtype) -> Callable:
    return kernel(loops.add_product, dtype=dtype)
