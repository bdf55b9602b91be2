"""Convolution without patches against sums written out, for sizes around those of its tiles."""

import numpy as np
import pytest

import nbsnn
from nbsnn.layers import conv2d, conv_direct, conv_events
from nbsnn.layers.conv_direct import DirectProducts
from nbsnn.layers.layer import Setting
from nbsnn.random import Draws

# channels before and after, rows and columns, window, zeros in front, and behind
CASES = [
    (1, 1, (1, 1), (1, 1), (0, 0), (0, 0)),
    (3, 9, (5, 7), (3, 3), (1, 1), (1, 1)),
    (1, 16, (9, 9), (5, 5), (0, 0), (0, 0)),
    (9, 2, (6, 33), (2, 4), (0, 2), (1, 1)),
    (4, 8, (17, 16), (3, 1), (2, 0), (2, 0)),
    (2, 3, (4, 4), (4, 4), (3, 3), (3, 3)),
    (2, 17, (1, 40), (1, 5), (0, 2), (0, 2)),
    (2, 3, (5, 6), (2, 2), (1, 0), (0, 1)),
]


def written_out(x, weight, bias, g, before, after):
    """Output, gradient of the images, of weights and biases."""
    padded = np.pad(x, ((0, 0), (0, 0), (before[0], after[0]), (before[1], after[1])))
    windows = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[1:3], axis=(2, 3))
    y = np.einsum("nchwij,cijo->nohw", windows, weight) + bias[:, None, None]
    gx, g = np.zeros_like(padded), g.reshape(y.shape)
    for i, j in np.ndindex(*weight.shape[1:3]):
        gx[:, :, i : i + g.shape[2], j : j + g.shape[3]] += np.einsum("nohw,co->nchw", g, weight[:, i, j])
    inside = gx[:, :, before[0] :, before[1] :][:, :, : x.shape[2], : x.shape[3]]
    return y, inside, np.einsum("nchwij,nohw->cijo", windows, g), g.sum(axis=(0, 2, 3))


def drawn(case, count, dtype=np.float64):
    """The products of a case; images, weights, biases and errors."""
    channels, after, size, window, before, behind = case
    places = tuple(n + a + b - k + 1 for n, a, b, k in zip(size, before, behind, window, strict=True))
    shapes = (count, channels, *size), (channels, *window, after), (after,), (count, after, places[0] * places[1])
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    return DirectProducts((channels, *size), shapes[1], places, before, np.dtype(dtype)), arrays


def found_by(products, x, weight, bias, g):
    y, gx = np.full(g.shape, np.nan, g.dtype), np.full_like(x, np.nan)
    products.forward(x, weight, bias, y)
    products.pull(g, weight, gx)
    return y, gx, *products.backward(x, g)


@pytest.mark.parametrize("near", [1, 2**15])
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-4)])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_are_those_of_sums_written_out(case, dtype, rtol, near, monkeypatch):
    monkeypatch.setattr(conv_direct, "NEAR", near)
    products, arrays = drawn(case, 11, dtype)
    x, weight, bias, g = (array.astype(np.float64) for array in arrays)
    for found, wanted in zip(
        found_by(products, *arrays), written_out(x, weight, bias, g, case[4], case[5]), strict=True
    ):
        np.testing.assert_allclose(found.reshape(wanted.shape), wanted, rtol=rtol, atol=rtol * np.abs(wanted).max())


def test_threads_and_how_many_images_lie_together_change_no_bit(monkeypatch):
    results = []
    for threads, near in ((1, 2**15), (2, 2**15), (3, 1)):
        nbsnn.set_threads(threads)
        monkeypatch.setattr(conv_direct, "NEAR", near)
        products, arrays = drawn(CASES[1], 2000, np.float32)
        results.append(found_by(products, *arrays)[: 4 if near > 1 else 2])
    nbsnn.set_threads(None)
    for others in results[1:]:
        for found, wanted in zip(others, results[0], strict=False):
            np.testing.assert_array_equal(found, wanted)


def test_errors_return_by_windows_where_most_are_zero(monkeypatch):
    layer, took = nbsnn.Conv2d(16, 64, 3, padding=1), []
    layer.build((16, 9, 9), Setting(), Draws(0))
    for kind in (conv_events.SpikeWindows, DirectProducts):
        pull = kind.pull
        monkeypatch.setattr(kind, "pull", lambda self, *rest, pull=pull: took.append(type(self)) or pull(self, *rest))
    x = np.random.default_rng(0).standard_normal((1, 70, 16, 9, 9)).astype(np.float32)
    tape, g = {}, np.random.default_rng(1).standard_normal((1, 70, 64, 9, 9)).astype(np.float32)
    layer.forward(x, {}, tape)
    for share in (1.0, 0.02):
        some = g * (np.random.default_rng(2).random(g.shape) < share)
        gx = layer.backward(some, tape, layer.zeros())[0]
        weight = layer.params["weight"].astype(np.float64)
        wanted = written_out(x[0], weight, np.zeros(64), some[0].astype(np.float64), (1, 1), (1, 1))[1]
        np.testing.assert_allclose(gx[0], wanted, rtol=1e-4, atol=1e-4)
    assert took == [DirectProducts, conv_events.SpikeWindows]


def test_others_have_patches():
    for options in (
        {"stride": 2},
        {"dilation": 2},
        {"groups": 2},
        {"padding_mode": "reflect", "padding": 1},
        {"padding": 3},
        {},
    ):
        layer = nbsnn.Conv2d(2, 4, 3, **options)
        layer.build((2, 7, 7), Setting(), Draws(0))
        assert (layer.direct is None) == bool(options)
        assert conv2d.BLOCK > 0 and layer.tape_bytes(2, 3) > 6 * (2 * 49 + np.prod(layer.shape)) * 4
