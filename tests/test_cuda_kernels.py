"""CUDA kernels called by themselves, in Numba's simulator, on few numbers and a thread more than there are."""

import numpy as np
import pytest
from scipy.special import logsumexp

from nbsnn.compile.fill import kernel
from nbsnn.device import gpu, gpu_gather
from nbsnn.kernels.arrays import encode
from nbsnn.kernels.products import convolution_cuda
from nbsnn.losses.cross_entropy import class_entropy
from nbsnn.losses.equations import square
from nbsnn.random import counter, squares32
from nbsnn.scalar.words import SCALAR

from .test_conv2d import naive

RNG = np.random.default_rng(0)


def launch(name, count, *arguments, **filling):
    """The last array, after threads in blocks of 4 have done all but the first of ``count`` pieces of work."""
    compiled = gpu.compiled(*name.rsplit(".", 1), np.dtype(float), **filling)
    arrays = [gpu.put(a) if isinstance(a, np.ndarray) else a for a in arguments]
    gpu.start(compiled, count - 1, 1, count, *arrays, block=4)
    return gpu.get(arrays[-1])


def assert_done(found, wanted, before, name=""):
    """All but the first piece of work is done."""
    np.testing.assert_allclose(found[..., 1:], np.asarray(wanted)[..., 1:], 1e-13, err_msg=name)
    np.testing.assert_array_equal(found[..., 0], before[..., 0], err_msg=name)


def test_each_element_has_its_number():
    x, y, rows = RNG.normal(size=15), RNG.normal(size=15), RNG.normal(size=5)
    whole = RNG.normal(size=35)  # of 5 rows
    part, place = whole.reshape(5, 7)[:, 2:5].reshape(-1), whole.copy().reshape(5, 7)
    place[:, 2:5] = x.reshape(5, 3)
    place[0, 2] = whole[2]
    for name, count, given, wanted in (
        ("add", 15, (x, y), x + y),
        ("sum2", 15, (x, y, np.zeros(15)), x + y),
        ("scale", 15, (np.array([0.5]), x), 0.5 * x),
        ("multiply", 15, (0.5, x, y), 0.5 * x),
        ("scale_rows", 15, (rows, x, y), np.tile(rows, 3) * x),
        ("repeat", 15, (rows, y), np.tile(rows, 3)),
        ("add_rows", 15, (rows, y), np.tile(rows, 3) + y),
        ("part", 15, (3, 7, 2, whole, y), part),
        ("place", 15, (3, 7, 2, x, whole), place.reshape(-1)),
        ("across", 15, (5, x, y), x.reshape(3, 5).T.reshape(-1)),
    ):
        found = launch(f"arrays.elementwise_cuda.{name}", count, *given)
        assert_done(found, wanted, given[-1], name)


def test_sums_of_rows_and_columns():
    x, rows, columns = RNG.normal(size=(15, 3)), RNG.normal(size=15), RNG.normal(size=(1, 3))
    assert_done(launch("arrays.sums_cuda.rows", 15, x, rows), rows + x.sum(axis=1), rows)
    found = launch("arrays.sums_cuda.columns", 3, 1, x, columns, ADD=1)
    assert_done(found, columns + x.sum(axis=0), columns)
    found = launch("arrays.sums_cuda.columns", 6, 2, x, np.full((2, 3), 7.0), ADD=0)
    np.testing.assert_allclose(found.sum(axis=0)[1:], x.sum(axis=0)[1:], 1e-13)
    assert found[0, 0] == 7.0


@pytest.mark.parametrize("steps", [1, 4])
def test_low_passes_over_time(steps):
    x, y = RNG.normal(size=(steps, 6)), np.zeros((steps, 6))
    before, decay, leak = RNG.normal(size=6), 0.7, np.array([0.2, 0.5, 0.9])
    wanted, other, s, r = [], [], before, before
    for t in range(steps):
        s, r = decay * s + x[t], np.tile(leak, 2) * r + x[t]
        wanted.append(s)
        other.append(r)
    y[0] = before
    powers = np.tril(decay ** np.subtract.outer(np.arange(steps), np.arange(steps)))
    for name, given, found in (
        ("onward", (decay, x, y), wanted),
        ("last", (decay, x, before), wanted[-1]),
        ("leaky", (leak, before, x, y), other),
        ("back", (decay, x), powers.T @ x),
    ):
        assert_done(launch(f"arrays.trace_cuda.{name}", 6, *given), found, given[-1], name)


def test_eligibility_of_all_synapses():
    """Three inputs onto five units with two states, for two samples: derivatives as matrices."""
    inputs, states, batch, units, kappa = 3, 2, 2, 5, 0.6
    pre, signal = RNG.normal(size=(batch, inputs)), RNG.normal(size=(batch, units))
    D, eps = RNG.normal(size=(3, 3, batch, units)), RNG.normal(size=(inputs, batch, states, units))
    traced, g = RNG.normal(size=(inputs, batch, units)), RNG.normal(size=(inputs, units))
    new = np.einsum("rbn,bi->ibrn", D[:, 0], pre) + np.einsum("rmbn,ibmn->ibrn", D[:, 1:], eps)
    trace = kappa * traced + new[:, :, 0]
    arrays = [gpu.put(a) for a in (pre, D, eps, traced, signal, np.zeros((inputs, 3, units)), g)]
    compiled = gpu.compiled("arrays.eligibility_cuda", "eligibility", np.dtype(float))
    gpu.start(compiled, inputs * units, 0, inputs, kappa, *arrays, block=4)
    wanted = new[:, :, 1:], trace, g + np.einsum("bn,ibn->in", signal, trace)
    for found, expected in zip((arrays[2], arrays[3], arrays[6]), wanted, strict=True):
        np.testing.assert_allclose(gpu.get(found), expected, 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(2, 70, 3), (33, 2, 2)], ids=str)
def test_products_with_rows_that_are_mostly_zero(sizes, dtype):
    rows, width, columns = sizes
    x = (RNG.normal(size=(rows, width)) * (RNG.random((rows, width)) < 0.2)).astype(dtype)
    x[-1, -1] = x[0, 0] = 0.5
    weight, bias, g = (RNG.normal(size=s).astype(dtype) for s in ((width, columns), columns, (rows, columns)))
    given, y, total = gpu.put(x), gpu.empty((rows, columns), dtype), gpu.put(weight)
    gpu_gather.multiply(given, gpu.put(weight), y, gpu.put(bias))
    close = (1e-4, 1e-5) if dtype == np.float32 else (1e-12, 1e-13)
    np.testing.assert_allclose(gpu.get(y), x @ weight + bias, *close)
    gpu_gather.add_outer(given, gpu.put(g), total, {})
    np.testing.assert_allclose(gpu.get(total), weight + x.T @ g, *close)


@pytest.mark.parametrize("case", [((2, 3), (1, 2), (1, 1), (1, 2)), ((3, 2), (2, 1), (2, 1), (0, 1))], ids=str)
def test_a_convolution_looks_its_factors_up(case):
    """As products of matrices: outputs, and both gradients, whose dilated windows are windows with zeros in between."""
    (kh, kw), (sh, sw), (dh, dw), padding = case
    x, weight, bias = RNG.normal(size=(2, 2, 6, 7)), RNG.normal(size=(2, kh, kw, 3)), RNG.normal(size=3)
    oh, ow = ((n + 2 * p - d * (k - 1) - 1) // s + 1
              for n, p, d, k, s in zip((6, 7), padding, (dh, dw), (kh, kw), (sh, sw), strict=True))  # fmt: skip
    g, wide = RNG.normal(size=(2, 3, oh, ow)), np.zeros((2, dh * (kh - 1) + 1, dw * (kw - 1) + 1, 3))
    wide[:, ::dh, ::dw] = weight
    y, gx, gw, _ = (a[0] if a.ndim == 5 else a for a in naive(x[None], wide, bias, (sh, sw), padding, g[None]))
    numbers = {"C": 2, "O": 3, "H": 6, "W": 7, "OH": oh, "OW": ow, "KH": kh, "KW": kw, "SH": sh, "SW": sw, "DH": dh,
               "DW": dw, "PH": padding[0], "PW": padding[1]}  # fmt: skip
    names = "seen", "seen_across", "place", "place_biased", "error", "reached", "through", "place_before"
    seen, seen_across, place, place_biased, error, reached, through, place_before = (
        kernel(getattr(convolution_cuda, name), device="python", dtype=float, **numbers) for name in names
    )
    found, plain, before = np.zeros((2, 3, oh * ow)), np.zeros((2, 3, oh * ow)), np.zeros_like(x)
    flat, errors, total = weight.reshape(-1, 3), g.reshape(2, 3, -1), np.zeros((2 * kh * kw, 3))
    for r in range(2 * oh * ow):
        for c in range(3):
            value = sum(seen(x, r, k) * flat[k, c] for k in range(len(flat)))
            place_biased(found, bias, 0, r, c, value)
            place(plain, bias, 0, r, c, value)
            for k in range(len(flat)):
                total[k, c] += seen_across(x, k, r) * error(errors, r, c)
    for r in range(2 * 6 * 7):
        for c in range(2):
            value = sum(reached(errors, r, k) * through(flat, k, c) for k in range(kh * kw * 3))
            place_before(before, bias, 0, r, c, value)
    for one, other in (
        (found, y), (plain, y - bias[:, None, None]), (total, gw[:, ::dh, ::dw]), (before, gx),
    ):  # fmt: skip
        np.testing.assert_allclose(one.reshape(-1), other.reshape(-1), 1e-11, 1e-12)


@pytest.mark.parametrize(
    "case", [(2, 3, 1, 2, 1, 1, 0, 2), (3, 2, 2, 3, 1, 1, 1, 0), (2, 2, 1, 2, 2, 3, 1, 1)], ids=str
)
def test_windows_are_pooled_and_back(case):
    """Of two planes of 6 x 7; maxima of windows with gaps, too."""
    numbers = dict(zip(("KH", "KW", "SH", "SW", "DH", "DW", "PH", "PW"), case, strict=True))
    kh, kw, sh, sw, dh, dw, ph, pw = case
    x = RNG.normal(size=(2, 6, 7)) - 1.0
    oh, ow = (6 + 2 * ph - dh * (kh - 1) - 1) // sh + 1, (7 + 2 * pw - dw * (kw - 1) - 1) // sw + 1
    y, g, scale = np.zeros((2, oh, ow)), RNG.normal(size=(2, oh, ow)), 0.25
    sums, largest, back, back_from_largest = y.copy(), y.copy(), np.zeros_like(x), np.zeros_like(x)
    for p, h, w in np.ndindex(y.shape):
        seen = [(h * sh + i * dh - ph, w * sw + j * dw - pw) for i in range(kh) for j in range(kw)]
        inside = [(p, a, b) for a, b in seen if 0 <= a < 6 and 0 <= b < 7]
        best = max(inside, key=lambda place: x[place])
        largest[p, h, w] = x[best]
        back_from_largest[best] += g[p, h, w]
        for place in inside:
            sums[p, h, w] += scale * x[place]
            back[place] += scale * g[p, h, w]
    compiled = gpu.compiled("products.pool_cuda", "largest", np.dtype(float), **numbers)
    given, found, at = gpu.put(x), gpu.put(y), gpu.put(np.full(y.shape, -9, np.int64))
    gpu.start(compiled, y.size - 1, 1, y.size, given, found, at, block=4)
    assert gpu.get(at)[0, 0, 0] == -9
    gpu.start(compiled, y.size, 0, y.size, given, found, at, block=4)
    np.testing.assert_array_equal(gpu.get(found), largest)
    compiled = gpu.compiled("products.pool_cuda", "largest_reverse", np.dtype(float), **numbers)
    total = gpu.put(x)
    gpu.start(compiled, x.size - 1, 1, x.size, gpu.put(g), at, total, block=4)
    back_from_largest[0, 0, 0] = x[0, 0, 0]
    np.testing.assert_allclose(gpu.get(total), back_from_largest, 1e-13)
    if dh == dw == 1:
        del numbers["DH"], numbers["DW"]
        sums[0, 0, 0], back[0, 0, 0] = 0.0, x[0, 0, 0]
        found = launch("products.pool_cuda.total", y.size, x, y, SCALE=scale, **numbers)
        np.testing.assert_allclose(found, sums, 1e-13, 1e-15)
        found = launch("products.pool_cuda.total_reverse", x.size, g, x, SCALE=scale, **numbers)
        np.testing.assert_allclose(found, back, 1e-13, 1e-15)


def test_columns_are_scaled_to_a_total_unless_they_are_zero():
    w = np.array([[0.5, 0.0, -3.0, 2.0], [-0.5, 0.0, 1.0, 2.0]])
    wanted = 2.0 * w / np.array([1.0, 1.0, 4.0, 4.0])
    wanted[:, 0] = w[:, 0]
    compiled, found = gpu.compiled("plasticity.dense_cuda", "normalize_all", np.dtype(float), GUARD=1), gpu.put(w)
    gpu.start(compiled, 3, 1, 4, found, 2.0, block=2)
    np.testing.assert_array_equal(gpu.get(found), wanted)
    gpu.start(compiled, 1, 0, 1, found, 2.0)
    np.testing.assert_array_equal(gpu.get(found)[:, 0], [1.0, -1.0])


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_spike_is_drawn_where_its_number_is_below_the_threshold():
    """Thresholds that are the numbers of step 3 themselves, or one above."""
    key, units = np.uint64(0x9E3779B97F4A7C15), 5
    at = [[counter(np.uint64(t), np.uint64(i)) for i in range(units)] for t in range(3, 23)]
    drawn = np.array([[squares32(c, key) for c in line] for line in at], np.uint64)
    thresholds, spikes = drawn[0] + np.array([0, 1, 0, 1, 1], np.uint64), gpu.put(np.full((20, units), 7.0))
    compiled = gpu.compiled("arrays.encode_cuda", "bernoulli", np.dtype(float))
    gpu.start(compiled, 2 * units, 0, 2 * units, spikes, gpu.put(thresholds), key, 3, 20, units, block=4)
    np.testing.assert_array_equal(gpu.get(spikes), drawn < thresholds)


def test_numbers_up_to_a_limit_are_not_large():
    for value, wanted in ((2.0, 0), (-2.0, 0), (2.001, 1), (-2.001, 1), (np.inf, 1), (np.nan, 1)):
        assert launch("arrays.sums_cuda.large", 3, 2.0, np.array([9.0, 1.0, value]), np.zeros(1, np.int64))[0] == wanted


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_draw_that_meets_its_threshold_is_none():
    key, threshold = np.uint64(0x9E3779B97F4A7C15), np.zeros(3, np.uint64)
    words = np.array(
        [[int(squares32(counter(np.uint64(5 + t), np.uint64(i)), key)) for i in range(3)] for t in range(2)]
    )
    for t in range(2):
        for more in (0, 1):
            threshold[...] = words[t] + more
            wanted = (words < threshold.astype(np.int64)).astype(float)
            spikes = np.full((2, 3), 7.0)
            encode.bernoulli(spikes, threshold, key, np.uint64(5), np.uint64(2), np.uint64(3))
            np.testing.assert_array_equal(spikes, wanted)
            found = [gpu.put(a) for a in (np.full((2, 3), 7.0), threshold)]
            compiled = gpu.compiled("arrays.encode_cuda", "bernoulli", np.dtype(float))
            gpu.start(compiled, 3, 0, 3, *found, key, 5, 2, 3, block=4)
            np.testing.assert_array_equal(gpu.get(found[0]), wanted)
    x, first = np.ones(4), [int(squares32(counter(np.uint64(0), np.uint64(i)), key)) >> 8 for i in range(2)]
    for i in range(2):
        for more in (0, 1):
            y = [gpu.put(a) for a in (x, np.full(4, 7.0))]
            compiled = gpu.compiled("arrays.dropout_cuda", "drop", np.dtype(float))
            gpu.start(compiled, 4, 0, 4, 2, key, np.uint64(first[i] + more), 3.0, *y, block=3)
            np.testing.assert_array_equal(gpu.get(y[1]), 3.0 * np.tile([b >= first[i] + more for b in first], 2))


def test_losses_of_lanes_that_fill_no_block():
    """Seven lanes in blocks of four, and logits of which none but differences may be taken exponentials of."""
    z, target, values, g = RNG.normal(size=8), RNG.normal(size=4), RNG.normal(size=8), RNG.normal(size=8)
    given = [gpu.put(a) for a in (z, target, values, g)]
    compiled = gpu.compiled("arrays.losses_cuda", "distances", np.dtype(float), **SCALAR, apart=square)
    gpu.start(compiled, 6, 1, 7, 0.5, *given, block=4)
    apart = z - np.tile(target, 2)
    for found, wanted, before in ((given[2], 0.5 * apart**2, values), (given[3], apart, g)):
        np.testing.assert_allclose(gpu.get(found), [before[0], *wanted[1:7], before[7]], 1e-13)
    z, labels = np.array([[3.0, 900.0, 2.0], [-900.0, 0.0, 1.0], [5.0, 5.0, 5.0]]), np.array([1, 2])
    given = [gpu.put(a) for a in (z, labels, np.zeros(3), np.zeros((3, 3)))]
    compiled = gpu.compiled("arrays.losses_cuda", "softmax", np.dtype(float), **SCALAR, class_entropy=class_entropy)
    gpu.start(compiled, 3, 0, 3, 0.25, 0.5, 2.0, *given, block=4)
    for r, label in enumerate((1, 2, 1)):
        p = np.exp(z[r] - logsumexp(z[r]))
        wanted = 0.75 * np.eye(3)[label] + 0.25 / 3
        assert gpu.get(given[2])[r] == pytest.approx(-0.5 * (wanted * (z[r] - logsumexp(z[r]))).sum(), rel=1e-12)
        np.testing.assert_allclose(gpu.get(given[3])[r], 2.0 * (p - wanted), 1e-12, 1e-15)
