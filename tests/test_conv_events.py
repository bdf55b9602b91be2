"""Convolution of spikes by windows of weights against patches by BLAS, and naive loops."""

import numpy as np
import pytest

import nbsnn
from nbsnn.kernels.products import window_rows
from nbsnn.layers import conv_events
from nbsnn.layers.layer import Setting
from nbsnn.neurons import LI, LIF
from nbsnn.random import Draws

from .test_conv2d import both_ways, naive

T, B = 3, 4

# channels before, kernel_size, padding, height and width of the image
CASES = [
    (1, 3, 0, (7, 6)),
    (2, 1, 0, (3, 4)),
    (2, (3, 2), (1, 0), (5, 7)),
    (3, (2, 4), (0, 3), (6, 5)),
    (2, 5, 4, (3, 2)),
    (2, 3, (2, 1), (1, 1)),
]


def spikes(shape, rate=0.2, dtype=np.float64, seed=0):
    return (np.random.default_rng(seed).random(shape) < rate).astype(dtype)


def make(path, c_pre, kernel_size, padding, image, *, c_post=4, dtype=np.float64, bias=True):
    layer = nbsnn.Conv2d(c_pre, c_post, kernel_size, padding=padding, bias=bias, path=path)
    layer.build((c_pre, *image), Setting(dtype=dtype), Draws(3))
    return layer


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("bias", "c_post"), [(True, 4), (False, 4), (True, 60), (True, 128)])
def test_output_and_gradients_are_those_of_naive_loops(case, bias, c_post):
    c_pre, _, padding, image = case
    layer, x = make("events", *case, bias=bias, c_post=c_post), spikes((T, B, c_pre, *image))
    if c_post > 4:  # whole lines: images with many spikes, and one with few
        x[1:] = spikes((T - 1, B, c_pre, *image), 0.8)
    if bias:
        layer.params["bias"] = np.arange(float(c_post))
    x[1, 2] = 0.0
    tape: dict = {}
    layer.forward(x, {}, tape)
    assert tape["pre"].events is not None
    y, gx, grads, gy = both_ways(layer, x)
    padding = padding if isinstance(padding, tuple) else (padding, padding)
    found = (y, gx, grads["weight"], *([grads["bias"]] if bias else []))
    wanted = naive(x, layer.params["weight"], layer.params.get("bias", 0.0), (1, 1), padding, gy)
    for one, other in zip(found, wanted, strict=False):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)


def test_same_padding_may_be_more_at_the_end():
    x, found = spikes((T, B, 2, 6, 7)), []
    for path in ("dense", "events"):
        layer = nbsnn.Conv2d(2, 4, (2, 4), padding="same", path=path)
        layer.build((2, 6, 7), Setting(dtype=np.float64), Draws(3))
        found.append(both_ways(layer, x))
    for k in range(2):
        np.testing.assert_allclose(found[0][k], found[1][k], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[0][2]["weight"], found[1][2]["weight"], rtol=1e-10, atol=1e-12)


def test_a_line_is_convolved_by_events_too():
    x, found = spikes((T, B, 2, 9)), []
    for path in ("dense", "events"):
        layer = nbsnn.Conv1d(2, 4, 3, padding=1, path=path)
        layer.build((2, 9), Setting(dtype=np.float64), Draws(3))
        found.append(both_ways(layer, x))
        assert layer.options()["path"] == path
    for k in range(2):
        np.testing.assert_allclose(found[0][k], found[1][k], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[0][2]["weight"], found[1][2]["weight"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("up", "left", "after_high", "after_wide"), [(0, 0, 3, 2), (1, 2, 4, 5), (2, 1, 6, 4), (0, 1, 7, 8)]
)
def test_many_spikes_are_gathered_as_rows_of_two_lines(up, left, after_high, after_wide):
    """Windows of 2 x 3 over images of 3 channels, 4 x 4, with zeros around them, against sums over windows."""
    rng, u, lines, (channels, high, wide), (kh, kw) = np.random.default_rng(0), np.uintp, 2, (3, 4, 4), (2, 3)
    x = rng.random((channels, high, wide)) < 0.5
    x[0, 0, 0] = x[-1, -1, -1] = True
    index, padded = np.flatnonzero(x).astype(np.uint32), np.zeros((channels, 20, 20))
    padded[:, up : up + high, left : left + wide] = x
    weight, g = rng.normal(size=(channels, kh, kw, 128)), rng.normal(size=(after_high, after_wide, 128))
    y, total = np.full((after_high, after_wide, 128), 0.5), np.zeros((channels, kh, kw, 128))
    wanted = y.copy()
    for h, w in np.ndindex(after_high, after_wide):
        window = padded[:, h : h + kh, w : w + kw]
        wanted[h, w] += np.einsum("cij,cijo->o", window, weight)
        total += np.einsum("cij,o->cijo", window, g[h, w])
    in_lines = weight.transpose(1, 2, 0, 3).reshape(kh, kw, channels, lines, 64).transpose(3, 0, 1, 2, 4)
    row, column = np.indices((channels * high, wide)).reshape(2, -1)
    places = row % high * (after_wide + kw - 1) + column + left
    rows = window_rows.Rows(
        np.ascontiguousarray(in_lines).reshape(-1, 64),
        np.stack([places * lines, row], axis=1).astype(np.uint32),
        *map(u, (lines, channels, high, wide, kh, kw, after_high, after_wide, up, left)),
    )
    beside = np.zeros(((after_high * (after_wide + kw - 1) + kw - 1) * lines, 64))
    lists = window_rows.Lists(np.zeros(high * wide + 1, u), np.zeros(x.size, np.uint32), beside)
    given = np.concatenate([[77], index]).astype(np.uint32)  # of a list of several images
    found, ahead = np.concatenate([np.zeros(64), y.reshape(-1)]), np.zeros(64 + total.size)
    window_rows.gather_windows(u(1), u(len(given)), given, rows, found, u(64), lists)
    np.testing.assert_allclose(found[64:], wanted.reshape(-1), 1e-11)
    window_rows.sum_windows(u(1), u(len(given)), given, rows, g.reshape(-1), ahead, u(64), lists)
    np.testing.assert_allclose(ahead[64:].reshape(total.shape)[:, :, ::-1], total, 1e-11, 1e-13)
    assert not found[:64].any() and not ahead[:64].any()
    edge = after_high * after_wide * 5 // 4
    assert [window_rows.many(u(n), rows) for n in (edge, edge + 1)] == [False, True]


def test_inputs_that_are_no_spikes_and_busy_ones_are_multiplied_densely():
    layer = make("auto", 8, 5, 2, (12, 12), c_post=16)
    events = {}
    for rate, factor in ((0.05, 1.0), (0.05, 0.5), (0.6, 1.0)):
        tape: dict = {}
        layer.forward(factor * spikes((T, B, 8, 12, 12), rate), {}, tape)
        events[rate, factor] = tape["pre"].events is not None
    assert events == {(0.05, 1.0): True, (0.05, 0.5): False, (0.6, 1.0): False}
    tape = {}
    make("auto", 1, 3, 0, (4, 4)).forward(spikes((T, B, 1, 4, 4)), {}, tape)
    assert tape["pre"].events is None  # nothing to save


def test_the_number_of_threads_does_not_change_a_bit():
    layer, x = make("events", 2, 5, 2, (12, 12), dtype=np.float32), spikes((9, 16, 2, 12, 12), 0.1, np.float32)
    found = []
    for threads in (1, 3):
        nbsnn.set_threads(threads)
        found.append(both_ways(layer, x))
    nbsnn.set_threads(None)
    for k in range(2):
        np.testing.assert_array_equal(found[0][k], found[1][k])
    for name in ("weight", "bias"):
        np.testing.assert_array_equal(found[0][2][name], found[1][2][name])


@pytest.mark.parametrize("pieces", [1, 3])
def test_pieces_and_blocks_do_not_matter(pieces, monkeypatch):
    layer, x = make("events", 2, 3, 1, (5, 6)), spikes((T, B, 2, 5, 6))
    whole = both_ways(layer, x)
    monkeypatch.setattr(conv_events, "PIECES", pieces)
    monkeypatch.setattr("nbsnn.layers.conv2d.BLOCK", 5 * layer.fan_in * layer.area * 8)
    parts = both_ways(layer, x)
    np.testing.assert_allclose(whole[1], parts[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(whole[2]["weight"], parts[2]["weight"], rtol=1e-10, atol=1e-12)


def test_a_network_learns_the_same_on_both_paths_and_a_file_keeps_the_path(tmp_path):
    x, y, losses = spikes((6, 5, 1, 12, 12), 0.1), np.arange(5) % 3, {}
    for path in ("dense", "events"):
        net = nbsnn.Sequential(
            nbsnn.Conv2d(1, 4, 3, path=path), LIF(2.0, 0.3), nbsnn.MaxPool2d(2), nbsnn.Conv2d(4, 8, 3, path=path),
            LIF(2.0, 0.3), nbsnn.Flatten(), nbsnn.Dense(72, 3), LI(2.0), input_shape=(1, 12, 12), dtype=np.float64,
            seed=0,
        )  # fmt: skip
        learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
        losses[path] = [learner.step(x, y) for _ in range(4)]
    np.testing.assert_allclose(losses["events"], losses["dense"], rtol=1e-9)
    assert losses["events"][-1] < losses["events"][0]
    nbsnn.save(net, tmp_path / "net")
    assert nbsnn.load(tmp_path / "net")["conv2d2"].options()["path"] == "events"


@pytest.mark.parametrize(
    "options", [{"stride": 2}, {"dilation": 2}, {"groups": 2}, {"padding": 1, "padding_mode": "reflect"}]
)
def test_events_need_a_plain_convolution(options):
    with pytest.raises(ValueError, match='path="events" needs a stride and a dilation of 1'):
        nbsnn.Conv2d(2, 4, 3, path="events", **options)
    nbsnn.Conv2d(2, 4, 3, **options)


def test_a_path_is_one_of_three():
    with pytest.raises(ValueError, match="path must be one of 'auto', 'dense', 'events'"):
        nbsnn.Conv2d(2, 4, 3, path="sparse")
