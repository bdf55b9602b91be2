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
