"""Pooling against naive loops and finite differences."""

import json

import numpy as np
import pytest

import nbsnn
from nbsnn.layers.layer import Setting
from nbsnn.random import Draws

T, B, C = 2, 3, 2

# kernel_size, stride, padding, height and width of the image
CASES = [
    (2, None, 0, (4, 6)),
    (2, None, 0, (5, 7)),  # the last row and column are in no window
    (3, 2, 1, (7, 6)),
    ((3, 2), (1, 2), (1, 0), (5, 5)),
    (2, 3, 0, (8, 8)),
]
POOLS = [nbsnn.SumPool2d, nbsnn.AvgPool2d, nbsnn.MaxPool2d]


def make(pool, case, *, dtype=np.float64, device="cpu"):
    layer = pool(*case[:2], padding=case[2])
    layer.build((C, *case[3]), Setting(dtype=dtype, device=device), Draws(0))
    return layer


def images(image, dtype=np.float64):
    return np.random.default_rng(0).normal(size=(T, B, C, *image)).astype(dtype)


def both_ways(layer, x):
    tape = {}
    y, _ = layer.forward(x, {}, tape)
    gy = np.random.default_rng(1).normal(size=y.shape).astype(y.dtype)
    return y, layer.backward(gy, tape, {})[0], gy


def naive(layer, x, gy):
    """Output and derivative by the input, window by window of each plane."""
    (kh, kw), (sh, sw), (ph, pw) = layer.kernel_size, layer.stride, layer.padding
    largest = isinstance(layer, nbsnn.MaxPool2d)
    outside = -np.inf if largest else 0.0
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=outside)
    y, gx = np.zeros_like(gy), np.zeros_like(padded)
    for t, b, c, h, w in np.ndindex(gy.shape):
        place = (t, b, c, slice(h * sh, h * sh + kh), slice(w * sw, w * sw + kw))
        window = padded[place]
        if largest:
            share = np.zeros(window.shape)
            share[np.unravel_index(window.argmax(), window.shape)] = 1.0
            y[t, b, c, h, w] = window.max()
        else:
            share = np.full(window.shape, 1.0 / window.size if isinstance(layer, nbsnn.AvgPool2d) else 1.0)
            y[t, b, c, h, w] = (share * window).sum()
        gx[place] += share * gy[t, b, c, h, w]
    return y, gx[..., ph : ph + x.shape[-2], pw : pw + x.shape[-1]]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pool", POOLS)
def test_output_and_gradient_are_those_of_naive_loops(pool, case):
    layer, x = make(pool, case, device="python"), images(case[3])
    y, gx, gy = both_ways(layer, x)
    assert y.shape == (T, B, *layer.shape)
    expected = naive(layer, x, gy)
    np.testing.assert_allclose(y, expected[0], rtol=1e-12)
    np.testing.assert_allclose(gx, expected[1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[1], CASES[2]])
@pytest.mark.parametrize("pool", POOLS)
def test_compiled_loops_equal_interpreted_ones_and_keep_float32(pool, case):
    x = images(case[3], np.float32)
    compiled, plain = (both_ways(make(pool, case, dtype=np.float32, device=d), x) for d in ("cpu", "python"))
    for found, wanted in zip(compiled, plain, strict=True):
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("pool", POOLS)
def test_gradient_agrees_with_finite_differences(pool, case):
    layer, x = make(pool, case, device="python"), images(case[3])
    _, gx, gy = both_ways(layer, x)
    direction, eps = np.random.default_rng(2).normal(size=x.shape), 1e-7
    values = [(gy * layer.forward(x + sign * eps * direction, {}, {})[0]).sum() for sign in (1, -1)]
    assert (values[0] - values[1]) / (2 * eps) == pytest.approx((gx * direction).sum(), rel=1e-6)


def test_the_first_of_equal_maxima_gets_the_gradient():
    x = np.zeros((1, 1, 1, 2, 4), np.float32)
    x[0, 0, 0, 0, 1] = x[0, 0, 0, 1, 0] = 1.0
    net = nbsnn.Sequential(nbsnn.MaxPool2d(2), input_shape=(1, 2, 4))
    tape = {}
    y, _ = net.forward(x, {}, tape)
    gx, _ = net.backward(np.array([3.0, 5.0], np.float32).reshape(y.shape), tape, net.zeros())
    assert y.ravel().tolist() == [1.0, 0.0]
    assert gx[0, 0, 0].tolist() == [[0.0, 3.0, 5.0, 0.0], [0.0, 0.0, 0.0, 0.0]]


def test_padding_is_never_the_largest():
    net = nbsnn.Sequential(nbsnn.MaxPool2d(3, 2, padding=1), input_shape=(1, 3, 3))
    assert (net.run(np.full((1, 1, 1, 3, 3), -2.0)).output == -2.0).all()


@pytest.mark.parametrize("pool", POOLS)
def test_constant_input_is_mapped_once(pool):
    layer = make(pool, CASES[0], device="python")
    one = images(CASES[0][3])[:1]
    static = np.broadcast_to(one, (4, *one.shape[1:]))
    y, gx, _ = both_ways(layer, static)
    full_y, full_gx, _ = both_ways(layer, static.copy())
    np.testing.assert_allclose(y, full_y)
    assert gx.shape == one.shape
    np.testing.assert_allclose(gx, full_gx.sum(axis=0, keepdims=True), rtol=1e-10, atol=1e-12)


def test_threads_do_not_change_the_result():
    x = np.random.default_rng(0).normal(size=(8, 16, 8, 15, 15)).astype(np.float32)
    net = nbsnn.Sequential(nbsnn.MaxPool2d(3, 2, padding=1), input_shape=x.shape[2:])
    found = []
    for threads in (1, 3):
        nbsnn.set_threads(threads)
        found.append(both_ways(net["maxpool2d1"], x))
    nbsnn.set_threads(None)
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("pool", POOLS)
def test_options_and_repr_make_the_layer_again(pool):
    for layer in (pool(2), pool((3, 2), (1, 2), (1, 0))):
        options = json.loads(json.dumps(layer.options()))
        assert repr(pool(**options)) == repr(layer)
        assert eval(repr(layer), vars(nbsnn)).options() == layer.options()


@pytest.mark.parametrize("pool", POOLS)
def test_bad_arguments_are_refused(pool):
    for arguments, error in [((0,), ValueError), ((2, 0), ValueError), ((2.5,), TypeError), ((2, 2, 2), ValueError)]:
        with pytest.raises(error, match=r"kernel_size|stride|padding"):
            pool(*arguments)
    for shape in [(4, 4), (1, 2, 4)]:
        with pytest.raises(ValueError, match=r"needs an input of shape|does not fit"):
            nbsnn.Sequential(pool(3), input_shape=shape)


def windowed(layer, x):
    """Windows of one plane as lists of what they see, row by row; nothing of the padding."""
    (kh, kw), (sh, sw), (ph, pw), (dh, dw) = layer.kernel_size, layer.stride, layer.padding, layer.dilation
    for h, w in np.ndindex(*layer.places):
        rows, columns = ([c * s - p + i * d for i in range(k)] for c, s, p, d, k in
                         ((h, sh, ph, dh, kh), (w, sw, pw, dw, kw)))  # fmt: skip
        yield h, w, [x[i, j] for i in rows for j in columns if 0 <= i < x.shape[0] and 0 <= j < x.shape[1]]


@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("sizes", [(3, 2, 1), (2, 3, 1), ((3, 2), (1, 2), (0, 1)), (2, None, 0)])
def test_windows_that_hang_over(sizes, ceil_mode):
    x = np.random.default_rng(0).normal(size=(1, 1, 1, 6, 5))
    layers = [nbsnn.SumPool2d(*sizes, ceil_mode=ceil_mode), nbsnn.MaxPool2d(*sizes, ceil_mode=ceil_mode),
              nbsnn.AvgPool2d(*sizes, ceil_mode=ceil_mode, count_include_pad=False),
              nbsnn.AvgPool2d(*sizes, ceil_mode=ceil_mode, divisor_override=5)]  # fmt: skip
    for layer, reduce in zip(layers, (np.sum, np.max, np.mean, lambda seen: np.sum(seen) / 5), strict=True):
        net = nbsnn.Sequential(layer, input_shape=(1, 6, 5), dtype="f8", device="python")
        y = net.run(x).output[0, 0, 0]
        for h, w, seen in windowed(layer, x[0, 0, 0]):
            assert y[h, w] == pytest.approx(reduce(seen), rel=1e-12)


@pytest.mark.parametrize(
    ("make", "shape", "error", "words"),
    [
        (lambda: nbsnn.AvgPool2d(2, divisor_override=0), (1, 4, 4), ValueError, "divisor_override must be at least 1"),
        (lambda: nbsnn.AvgPool2d(2, ceil_mode=1), (1, 4, 4), TypeError, "ceil_mode must be True or False, not 1"),
        (lambda: nbsnn.MaxPool2d(2, padding=1, dilation=2), (1, 1, 4), ValueError, "a window sees padding alone"),
        (lambda: nbsnn.MaxPool1d(2, padding=2), (1, 4), ValueError, "padding must be at most half of kernel_size"),
        (lambda: nbsnn.MaxPool1d((2, 2)), (1, 4), TypeError, "kernel_size must be an integer"),
        (lambda: nbsnn.AvgPool1d(2), (1, 4, 4), ValueError, r"needs an input of shape \[channels, length\]"),
        (lambda: nbsnn.AdaptiveAvgPool((2, 2)), (1, 4), ValueError, "needs an input with 2 axes behind its channels"),
        (lambda: nbsnn.AdaptiveMaxPool(0), (1, 4), ValueError, "output_size must be at least 1, not 0"),
        (nbsnn.GlobalAvgPool, (4,), ValueError, "at least one axis behind its channels"),
        (lambda: nbsnn.Upsample(), (1, 4), ValueError, "either size or scale_factor must be given"),
        (lambda: nbsnn.Upsample(scale_factor=0.1), (1, 4), ValueError, r"leaves nothing of an image of \[4\]"),
        (lambda: nbsnn.Upsample(size=(2, 2)), (1, 4), ValueError, "needs an input with 2 axes behind its channels"),
        (lambda: nbsnn.Upsample(size=4, align_corners=True), (1, 4), ValueError, "align_corners has a meaning"),
        (lambda: nbsnn.Upsample(size=4, mode="cubic"), (1, 4), ValueError, "mode must be one of 'nearest'"),
    ],
)  # fmt: skip
def test_what_pooling_refuses(make, shape, error, words):
    with pytest.raises(error, match=words):
        nbsnn.Sequential(make(), input_shape=shape)


def test_means_of_different_numbers_of_places_are_refused_by_a_gpu():
    with pytest.raises(NotImplementedError, match="different numbers of places have no counterpart on a GPU"):
        nbsnn.Sequential(nbsnn.AvgPool2d(3, 2, 1, count_include_pad=False), input_shape=(1, 5, 5), device="cuda")


@pytest.mark.parametrize("make", [nbsnn.AvgPool2d, nbsnn.SumPool2d])
def test_a_file_that_cannot_say_ceil_mode_is_not_written(make, tmp_path):
    net = nbsnn.Sequential(make(2, ceil_mode=True), input_shape=(1, 5, 5))
    with pytest.raises(ValueError, match=r"NIR has no node for a .* with ceil_mode=True"):
        nbsnn.nir.write(net, tmp_path / "net.nir")


def test_of_equal_maxima_the_first_wins_or_all_share():
    x, gy = np.ones((1, 1, 1, 4)), np.full((1, 1, 1, 1), 6.0)
    for layer, shape, expected in (
        (nbsnn.AdaptiveMaxPool(1), (1, 1, 1, 1), [6.0, 0.0, 0.0, 0.0]),
        (nbsnn.MaxPool1d(4), (1, 1, 1, 1), [6.0, 0.0, 0.0, 0.0]),
        (nbsnn.GlobalMaxPool(), (1, 1, 1), [1.5, 1.5, 1.5, 1.5]),
    ):
        net, tape = nbsnn.Sequential(layer, input_shape=(1, 4), dtype="f8", device="python"), {}
        net.forward(x, {}, tape)
        gx, _ = net.backward(gy.reshape(shape), tape, net.zeros())
        assert gx.ravel().tolist() == expected


def test_upsampling_by_hand():
    def of(x, **options):
        net = nbsnn.Sequential(nbsnn.Upsample(**options), input_shape=(1, len(x)), dtype="f8", device="python")
        return net.run(np.reshape(x, (1, 1, 1, -1)).astype(float)).output.ravel().tolist()

    assert of([0, 4], size=4, mode="linear") == [0, 1, 3, 4]
    assert of([0, 3], size=4, mode="linear", align_corners=True) == [0, 1, 2, 3]
    assert of([5, 7], size=1, mode="linear", align_corners=True) == [5]
    assert of([1, 2, 3], size=5) == [1, 1, 2, 2, 3]
    assert of([1, 2, 3, 4, 5], scale_factor=0.5) == [1, 3]
    assert of([1, 2, 3, 4], size=2, mode="nearest-exact") == [2, 4]
