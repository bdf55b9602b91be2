"""Instructions of compiled code against the Python functions that they stand for."""

import os

import numpy as np
import pytest

from nbsnn import vectors
from nbsnn.compile import CPU_OPTIONS, kernel
from nbsnn.kernels.cpu.bits import equals
from nbsnn.kernels.cpu.rows import gather

NO_JIT = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")

u = np.uintp
RNG = np.random.default_rng(0)


def loop(x, at, weight, index, e, end):
    gather(e, end, index, weight, x, at, u(0), u(x.shape[1]))


def words(x, place, value):
    return equals(x, place, value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("events", [0, 1, 2, 9])
def test_sums_of_rows_are_made_in_the_order_of_rows(dtype, events):
    weight, x = (RNG.normal(size=(n, 192)).astype(dtype) for n in (6, 3))
    index, expected = RNG.integers(0, 6, 3 + events).astype(np.uint32), x.copy()
    kernel(loop, dtype=dtype)(x, u(1), weight, index, u(2), u(2 + events))
    kernel(loop, dtype=dtype, device="python")(expected, 1, weight, index, 2, 2 + events)
    np.testing.assert_array_equal(x, expected)
    assert bool((x[1] != expected[0]).any())


@NO_JIT
@pytest.mark.parametrize("shape", [(64, 4), (16, 6)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_any_number_of_rows(dtype, shape, monkeypatch):
    import numba

    monkeypatch.setattr(vectors, "shape", lambda: shape)
    add_products = vectors.add_products.__wrapped__()

    @numba.njit(**CPU_OPTIONS)
    def product(r0, r1, stride, g, ahead, weight, x):
        for c in range(u(0), u(x.shape[1]), u(64)):
            add_products(r0, r1, stride, g, ahead, weight, x, c)

    weight, given = RNG.normal(size=(5, 128)).astype(dtype), RNG.normal(size=(40, 5)).astype(dtype)
    for stride, ahead, r0, r1 in ((1, 0, 0, 13), (3, 1, 2, 39), (1, 2, 7, 8), (5, 0, 4, 4)):
        x = RNG.normal(size=(40, 128)).astype(dtype)
        expected = x.copy()
        product(u(r0), u(r1), u(stride), given, u(ahead), weight, x)
        for r in range(r0, r1, stride):
            expected[r] += given[r + ahead] @ weight
        np.testing.assert_allclose(x, expected, *((1e-5, 1e-5) if dtype == np.float32 else (1e-13, 1e-13)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_words_of_bits(dtype):
    x = RNG.integers(0, 3, 200).astype(dtype)
    x[[70, 71]] = np.nan, -0.0
    for value in (0.0, 1.0, 2.0):
        found = kernel(words, dtype=dtype)(x, u(69), value)
        assert found == sum(1 << j for j in range(64) if x[69 + j] == value)
        assert found == kernel(words, dtype=dtype, device="python")(x, 69, value)
