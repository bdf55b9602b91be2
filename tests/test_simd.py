"""Instructions of compiled code against the Python functions that they stand for."""

import os

import numpy as np
import pytest

from nbsnn.compile import simd
from nbsnn.compile.fill import CPU_OPTIONS, kernel
from nbsnn.kernels.products import gather as sums
from nbsnn.kernels.products.bits import equals
from nbsnn.kernels.products.gather import gather
from nbsnn.kernels.products.windows import add_scaled, add_weighted, add_weighted_twice, equals_few, select
from nbsnn.spikes.blocks import in_lines, rows_of

NO_JIT = pytest.mark.skipif(bool(os.environ.get("NUMBA_DISABLE_JIT")), reason="nothing is compiled")

u = np.uintp
RNG = np.random.default_rng(0)


def loop(x, r, weight, index, e, end):
    gather(e, end, index, weight, u(6), x, r, u(3), u(0), u(2))


def words(x, place, value):
    return equals(x, place, value)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("events", [0, 1, 2, 9])
def test_sums_of_rows_are_made_in_the_order_of_rows(dtype, events):
    weight, x = (RNG.normal(size=(n, 64)).astype(dtype) for n in (12, 6))  # two lines of six rows, and of three
    index, expected = RNG.integers(0, 6, 3 + events).astype(np.uint32), x.copy()
    kernel(loop, dtype=dtype)(x, u(1), weight, index, u(2), u(2 + events))
    kernel(loop, dtype=dtype, device="python")(expected, u(1), weight, index, u(2), u(2 + events))
    np.testing.assert_array_equal(x, expected)
    untouched = [0, 2, 3, 5]
    assert bool((x[1] != x[4]).any()) and bool((x[untouched] == expected[untouched]).all())


@NO_JIT
@pytest.mark.parametrize("shape", [(64, 4), (16, 6)], ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_of_any_number_of_rows(dtype, shape, monkeypatch):
    import numba

    monkeypatch.setattr(simd, "shape", lambda: shape)
    add_products = simd.add_products.__wrapped__()

    @numba.njit(**CPU_OPTIONS)
    def product(x, r, count, stride, g, s, weight, first, many):
        add_products(x, r, count, stride, g, s, weight, first, many)

    weight, given = RNG.normal(size=(9, 64)).astype(dtype), RNG.normal(size=(40, 64)).astype(dtype)
    for count, stride, r, s in ((13, 1, 0, 0), (12, 3, 2, 3), (1, 1, 7, 9), (0, 5, 4, 4)):
        x = RNG.normal(size=(40, 64)).astype(dtype)
        expected = x.copy()
        product(x, u(r), u(count), u(stride), given, u(s), weight, u(2), u(5))
        for k in range(count):
            expected[r + k * stride] += given[s + k * stride, :5] @ weight[2:7]
        np.testing.assert_allclose(x, expected, *((1e-5, 1e-5) if dtype == np.float32 else (1e-13, 1e-13)))


@pytest.mark.parametrize("columns", [10, 64, 100])
def test_products_of_lines(columns):
    g, weight = RNG.normal(size=(7, columns)), RNG.normal(size=(columns, 192))
    x = in_lines(RNG.normal(size=(8, 192)))
    expected = rows_of(x, 3).copy()
    product = kernel(sums.product, dtype=float)
    product(u(1), u(3), u(2), in_lines(g), u(2), in_lines(weight), x, u(1), u(3), u(3))
    expected[1:6:2, 64:] += (g @ weight)[2:7:2, 64:]
    np.testing.assert_allclose(rows_of(x, 3), expected, 1e-12, 1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_words_of_bits(dtype):
    x = RNG.integers(0, 3, 200).astype(dtype)
    x[[70, 71]] = np.nan, -0.0
    for value in (0.0, 1.0, 2.0):
        found = kernel(words, dtype=dtype)(x, u(69), value)
        assert found == sum(1 << j for j in range(64) if x[69 + j] == value)
        assert found == kernel(words, dtype=dtype, device="python")(x, 69, value)


def windows(x, a, row, b, factor, g, words, mask, lines, weight, chunks):
    add_scaled(x, a, row, b, u(48), factor)
    add_weighted(lines, u(70), weight, u(2), g, u(3), words, u(1), u(3))
    add_weighted_twice(lines, u(140), u(200), weight, u(2), u(92), g, u(3), words, u(2), u(3))
    select(chunks, u(5), g, u(7), mask)
    return equals_few(chunks, u(4), 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_windows_weighted_lines_and_chosen_lanes(dtype):
    x, row, g = (RNG.normal(size=n).astype(dtype) for n in (99, 80, 140))
    lines, weight = RNG.normal(size=300).astype(dtype), RNG.normal(size=(240, 64)).astype(dtype)
    words = np.array([7, 1 | 1 << 5 | 1 << 63, 1 << 2], np.uint64)
    mask, found, zeros = np.uint64(0b1000000000000101), [], []
    for device in ("cpu", "python"):
        arrays = x.copy(), lines.copy(), weight, np.full(40, 7.0, dtype)
        given = row, u(17), dtype(0.3), g, words, mask
        zeros.append(kernel(windows, dtype=dtype, device=device)(arrays[0], u(11), *given, *arrays[1:]))
        found.append(arrays)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, *((1e-5, 1e-5) if dtype == np.float32 else (1e-13, 1e-13)))
    expected = x.copy()
    expected[11:59] += dtype(0.3) * row[17:65]
    np.testing.assert_allclose(found[0][0], expected, 1e-5, 1e-6)
    expected = lines.copy()
    for a, first, chosen in ((70, 2, (0, 5, 63, 66)), (140, 2, (2,)), (200, 92, (2,))):  # the last two overlap
        expected[a : a + 64] += sum(g[3 + i] * weight[first + i] for i in chosen)
    np.testing.assert_allclose(found[0][1], expected, 1e-4, 1e-5)
    chunks = found[0][3]
    assert chunks[5] == g[7] and chunks[7] == g[9] and chunks[20] == g[22]
    assert not chunks[[6, *range(8, 20)]].any() and (chunks[[4, 21]] == 7.0).all()
    assert zeros == [0b1111111111110100] * 2


@NO_JIT
def test_widest_uses_whole_registers(monkeypatch):
    import numba
    from llvmlite import binding

    if not binding.get_host_cpu_features().get("avx512f"):
        pytest.skip("this processor's registers are used as a whole at any rate")
    monkeypatch.setattr(numba.config, "LOOP_VECTORIZE", 1)  # conftest does without
    wide = simd.widest()

    @numba.njit(**CPU_OPTIONS)
    def scale(x, y):
        for k in range(x.shape[0]):
            y[k] = np.float32(3.0) * x[k]

    @numba.njit(**CPU_OPTIONS)
    def scale_widely(x, y):
        wide()
        for k in range(x.shape[0]):
            y[k] = np.float32(3.0) * x[k]

    x, assembly = np.arange(99, dtype=np.float32), []
    for function in (scale, scale_widely):
        y = np.zeros_like(x)
        function(x, y)
        np.testing.assert_array_equal(y, 3 * x)
        assembly += function.inspect_asm().values()
    assert "zmm" in assembly[1]
    if "zmm" in assembly[0]:
        pytest.skip("LLVM uses this processor's registers as a whole at any rate")
