"""Convolution and flattening against SciPy, naive loops, finite differences, and a dense layer."""

import json

import numpy as np
import pytest
from scipy.signal import correlate2d

import nbsnn
from nbsnn.layers import conv2d
from nbsnn.layers.layer import Setting
from nbsnn.neurons import LI, LIF
from nbsnn.random import Draws

T, B, C_PRE, C_POST = 3, 2, 2, 4

# kernel_size, stride, padding, height and width of the image
CASES = [
    (3, 1, 0, (6, 6)),
    (1, 1, 0, (3, 4)),
    (3, 2, 1, (7, 6)),
    ((3, 2), 1, (1, 0), (5, 7)),
    ((2, 3), (2, 1), (0, 2), (6, 4)),
    ((4, 5), (1, 2), (3, 1), (4, 5)),
]


def make(kernel_size, stride, padding, image, *, dtype=np.float64, device="cpu", bias=True):
    layer = nbsnn.Conv2d(C_PRE, C_POST, kernel_size, stride=stride, padding=padding, bias=bias)
    layer.build((C_PRE, *image), Setting(dtype=dtype, device=device), Draws(3))
    return layer


def both_ways(layer, x, seed=1):
    """Output, derivatives by input and parameters for a random derivative by the output, and that one."""
    tape, grads = {}, layer.zeros()
    y, state = layer.forward(x, {}, tape)
    assert state == {}
    gy = np.random.default_rng(seed).normal(size=y.shape).astype(y.dtype)
    gx, before = layer.backward(gy, tape, grads)
    assert before == {}
    return y, gx, grads, gy


def images(image, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).normal(size=(T, B, C_PRE, *image)).astype(dtype)


def pairs(*values):
    return [value if isinstance(value, tuple) else (value, value) for value in values]


def naive(x, weight, bias, stride, padding, gy):
    """Output and derivatives by input, weight and bias, place by place."""
    (sh, sw), (ph, pw) = stride, padding
    _, kh, kw, _ = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (ph, ph), (pw, pw)))
    y, gx, gw = np.zeros_like(gy), np.zeros_like(padded), np.zeros_like(weight)
    for h, w in np.ndindex(gy.shape[-2:]):
        window = (..., slice(h * sh, h * sh + kh), slice(w * sw, w * sw + kw))
        y[..., h, w] = np.einsum("tbcij,cijo->tbo", padded[window], weight) + bias
        gw += np.einsum("tbcij,tbo->cijo", padded[window], gy[..., h, w])
        gx[window] += np.einsum("tbo,cijo->tbcij", gy[..., h, w], weight)
    return y, gx[..., ph : ph + x.shape[-2], pw : pw + x.shape[-1]], gw, gy.sum(axis=(0, 1, 3, 4))


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("device", ["cpu", "python"])
def test_output_and_gradients_are_those_of_naive_loops(case, device):
    layer, x = make(*case, device=device), images(case[3])
    y, gx, grads, gy = both_ways(layer, x)
    assert y.shape == (T, B, *layer.shape)
    expected = naive(x, layer.params["weight"], layer.params["bias"], *pairs(*case[1:3]), gy)
    for found, wanted in zip((y, gx, grads["weight"], grads["bias"]), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_output_is_the_cross_correlation_of_scipy(case):
    layer, x = make(*case), images(case[3])
    (sh, sw), (ph, pw) = pairs(*case[1:3])
    y = layer.forward(x, {}, {})[0]
    torch_weight = layer.params["weight"].transpose(3, 0, 1, 2)
    assert torch_weight.shape == (C_POST, C_PRE, *pairs(case[0])[0])
    padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (ph, ph), (pw, pw)))
    for t, b, o in np.ndindex(T, B, C_POST):
        planes = [correlate2d(padded[t, b, c], torch_weight[o, c], mode="valid")[::sh, ::sw] for c in range(C_PRE)]
        np.testing.assert_allclose(y[t, b, o], sum(planes) + layer.params["bias"][o], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", ["weight", "bias", "x"])
def test_gradients_agree_with_finite_differences(case, name):
    layer, x = make(*case), images(case[3])
    _, gx, grads, gy = both_ways(layer, x)
    array = x if name == "x" else layer.params[name]
    gradient = gx if name == "x" else grads[name]
    direction, start, eps = np.random.default_rng(7).normal(size=array.shape), array.copy(), 1e-4
    values = []
    for sign in (1, -1):
        array[...] = start + sign * eps * direction
        values.append(float((gy * layer.forward(x, {}, {})[0]).sum()))
    assert (values[0] - values[1]) / (2 * eps) == pytest.approx(float((gradient * direction).sum()), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_convolution_is_a_dense_layer_with_shared_weights(case):
    layer, x = make(*case, bias=False), images(case[3])
    (sh, sw), (ph, pw) = pairs(*case[1:3])
    _, height, width = layer.in_shape
    # share[u, v]: which weight connects input unit u to output unit v, or -1
    share = np.full((*layer.in_shape, *layer.shape), -1)
    number = np.arange(layer.params["weight"].size).reshape(layer.params["weight"].shape)
    for c, i, j, o in np.ndindex(number.shape):
        for h, w in np.ndindex(layer.shape[1:]):
            row, column = h * sh + i - ph, w * sw + j - pw
            if 0 <= row < height and 0 <= column < width:
                share[c, row, column, o, h, w] = number[c, i, j, o]
    share = share.reshape(int(np.prod(layer.in_shape)), -1)
    dense = nbsnn.Dense(*share.shape, bias=False)
    dense.build(share.shape[:1], layer.setting, Draws(0))
    dense.params["weight"][...] = np.where(share < 0, 0.0, layer.params["weight"].ravel()[share])
    y, gx, grads, _ = both_ways(layer, x)
    flat_y, flat_gx, flat_grads, _ = both_ways(dense, x.reshape(T, B, -1))
    np.testing.assert_allclose(y.reshape(T, B, -1), flat_y, rtol=1e-10, atol=1e-12)
    # Equal seeds and sizes give both_ways the same numbers, so what goes back is the same as well.
    np.testing.assert_allclose(gx.reshape(T, B, -1), flat_gx, rtol=1e-10, atol=1e-12)
    shared = np.bincount(share[share >= 0], flat_grads["weight"][share >= 0], number.size)
    np.testing.assert_allclose(grads["weight"].ravel(), shared, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("case", [CASES[2], CASES[4]])
@pytest.mark.parametrize("size", [1, 3, 4, 6])
def test_size_of_blocks_does_not_matter(case, size, monkeypatch):
    layer, x = make(*case, dtype=np.float32), images(case[3], np.float32)
    whole = both_ways(layer, x)
    one = layer.fan_in * layer.area * 4
    monkeypatch.setattr(conv2d, "BLOCK", size * one)
    assert [n1 - n0 for n0, n1 in layer.blocks(T * B)] == [size] * (T * B // size) + [T * B % size] * (T * B % size > 0)
    parts = both_ways(layer, x)
    for k in range(2):
        np.testing.assert_allclose(parts[k], whole[k], rtol=1e-6, atol=1e-6)
    for name in whole[2]:
        np.testing.assert_allclose(parts[2][name], whole[2][name], rtol=1e-5, atol=1e-5)


def test_a_tape_can_be_used_again_for_runs_of_other_sizes():
    layer, x = make(3, 1, 1, (5, 5)), images((5, 5))
    tape, fresh = {}, layer.forward(x[:1], {}, {})[0]
    for part in (x, x[:1], x, x[:1]):
        y, _ = layer.forward(part, {}, tape)
        gx, _ = layer.backward(np.ones_like(y), tape, layer.zeros())
        assert gx.shape == part.shape
    np.testing.assert_array_equal(y, fresh)


def test_threads_do_not_change_the_result():
    x = np.random.default_rng(0).normal(size=(8, 16, C_PRE, 12, 12)).astype(np.float32)
    layer = make(5, 1, 2, (12, 12), dtype=np.float32)
    found = []
    for threads in (1, 3):
        nbsnn.set_threads(threads)
        found.append(both_ways(layer, x))
    nbsnn.set_threads(None)
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize("layer", [nbsnn.Conv2d(C_PRE, C_POST, 3, padding=1), nbsnn.Flatten()], ids=repr)
def test_constant_input_is_mapped_once(layer):
    layer.build((C_PRE, 5, 4), Setting(dtype=np.float64), Draws(0))
    one = images((5, 4))[:1]
    static = layer.check_input(np.broadcast_to(one, (T, *one.shape[1:])))
    y, gx, grads, _ = both_ways(layer, static)
    full_y, full_gx, full_grads, _ = both_ways(layer, static.copy())
    assert y.shape == full_y.shape
    assert y.strides[0] == 0
    assert gx.shape == one.shape
    np.testing.assert_allclose(y, full_y, rtol=1e-12)
    np.testing.assert_allclose(gx, full_gx.sum(axis=0, keepdims=True), rtol=1e-10, atol=1e-12)
    for name in grads:
        np.testing.assert_allclose(grads[name], full_grads[name], rtol=1e-10, atol=1e-12)


def test_gradients_are_added_and_the_input_is_left_alone():
    layer, x = make(3, 1, 1, (5, 5)), images((5, 5))
    kept, tape, grads = x.copy(), {}, layer.zeros()
    y, _ = layer.forward(x, {}, tape)
    gy = np.broadcast_to(np.float64(0.5), y.shape)  # as losses may hand it in
    layer.backward(gy, tape, grads)
    once = {name: array.copy() for name, array in grads.items()}
    gx, _ = layer.backward(gy, tape, grads, wanted=False)
    assert gx is None
    for name, array in grads.items():
        np.testing.assert_allclose(array, 2 * once[name])
    np.testing.assert_array_equal(x, kept)


def test_float32_stays_float32():
    layer, x = make(3, (2, 1), 1, (6, 6), dtype=np.float32), images((6, 6), np.float32)
    y, gx, grads, _ = both_ways(layer, x)
    assert {a.dtype for a in (y, gx, *grads.values(), *layer.params.values())} == {np.dtype(np.float32)}
    twin = make(3, (2, 1), 1, (6, 6))
    np.testing.assert_allclose(y, twin.forward(x.astype(np.float64), {}, {})[0], rtol=1e-5, atol=1e-5)


def test_initial_weights_are_uniform_within_one_over_the_root_of_the_fan_in():
    layer = nbsnn.Conv2d(12, 40, (5, 3))
    layer.build((12, 6, 6), Setting(), Draws(0))
    for array in layer.params.values():
        assert 0.9 < np.abs(array).max() * np.sqrt(12 * 5 * 3) <= 1.0
    fans = {}

    def note(shape, fan_in, fan_out, draws, dtype):
        fans[shape] = fan_in, fan_out
        return np.zeros(shape, dtype)

    nbsnn.Conv2d(2, 7, (5, 3), weight=note, bias_init=note).build((2, 6, 6), Setting(), Draws(0))
    assert fans == {(2, 5, 3, 7): (30, 105), (7,): (30, 105)}  # as PyTorch counts them
    own = nbsnn.Conv2d(1, 1, 2, weight=nbsnn.init.constant(0.25), bias_init=nbsnn.init.constant(1.0))
    net = nbsnn.Sequential(own, input_shape=(1, 2, 2))
    assert net.run(np.ones((1, 1, 1, 2, 2))).output.item() == 2.0


@pytest.mark.parametrize(
    "layer", [nbsnn.Conv2d(1, 2, 3), nbsnn.Conv2d(3, 4, (5, 3), stride=(2, 1), padding=(0, 1), bias=False)], ids=repr
)
def test_options_and_repr_make_the_layer_again(layer):
    options = json.loads(json.dumps(layer.options()))
    assert repr(nbsnn.Conv2d(**options)) == repr(layer)
    assert nbsnn.Conv2d(**options).options() == layer.options()
    assert eval(repr(layer), vars(nbsnn)).options() == layer.options()


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((0, 4, 3), ValueError, "c_pre"),
        ((2, 4.0, 3), TypeError, "c_post"),
        ((2, 4, 0), ValueError, "kernel_size"),
        ((2, 4, (3, 3, 3)), ValueError, "kernel_size"),
        ((2, 4, (3, "3")), TypeError, "kernel_size"),
        ((2, 4, 3, {"stride": 0}), ValueError, "stride"),
        ((2, 4, 3, {"padding": -1}), ValueError, "padding"),
        ((2, 4, 3, {"padding": 1.5}), TypeError, "padding"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, words):
    options = arguments[3] if len(arguments) > 3 else {}
    with pytest.raises(error, match=words):
        nbsnn.Conv2d(*arguments[:3], **options)


def test_bad_inputs_are_refused():
    for shape in [(3, 8, 8), (8, 8), (2, 4, 8)]:
        with pytest.raises(ValueError, match=r"needs an input of shape|does not fit"):
            nbsnn.Sequential(nbsnn.Conv2d(2, 4, 5), input_shape=shape)
    net = nbsnn.Sequential(nbsnn.Conv2d(2, 4, 5), input_shape=(2, 8, 8))
    with pytest.raises(ValueError, match="input must have shape"):
        net.run(np.ones((3, 2, 2, 8, 9)))


def test_flatten_arranges_units_channel_by_channel_and_back():
    layer, x = nbsnn.Flatten(), images((3, 4))
    layer.build(x.shape[2:], Setting(dtype=np.float64), Draws(0))
    y, gx, grads, gy = both_ways(layer, x)
    assert layer.shape == (C_PRE * 12,)
    assert grads == {}
    np.testing.assert_array_equal(y[1, 1, 12:24].reshape(3, 4), x[1, 1, 1])
    np.testing.assert_array_equal(gx, gy.reshape(x.shape))


@pytest.mark.parametrize("pool", [pytest.param(nbsnn.AvgPool2d, marks=pytest.mark.long), nbsnn.MaxPool2d])
def test_a_convolutional_network_learns(pool):
    net = nbsnn.Sequential(
        *(nbsnn.Conv2d(1, 4, 3), LIF(tau=2.0), pool(2)),
        *(nbsnn.Conv2d(4, 8, 3, padding=1), LIF(tau=2.0)),
        *(nbsnn.Flatten(), nbsnn.Dense(8 * 4 * 4, 3), LI(tau=2.0)),
        input_shape=(1, 10, 10),
        seed=0,
    )
    rng = np.random.default_rng(0)
    x, labels = 3 * rng.random((5, 12, 1, 10, 10), np.float32), rng.integers(0, 3, 12)
    learner = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, nbsnn.optim.Adam(1e-2))
    values = [learner.step(x, labels) for _ in range(40)]
    assert all(np.abs(g).max() > 0 for g in learner.gradients(x, labels)[1].values())
    assert values[-1] < 0.5 * values[0]


# options, image and the weight's shape, of Conv2d if it has four axes and else of Conv1d
GENERAL = [
    ({"dilation": 2}, (6, 7), (C_PRE, 3, 3, C_POST)),
    ({"dilation": (1, 3), "stride": (2, 1), "padding": (1, 2)}, (5, 8), (C_PRE, 2, 3, C_POST)),
    ({"padding": "same"}, (4, 5), (C_PRE, 2, 4, C_POST)),
    ({"padding": "same", "dilation": (2, 1), "groups": 2}, (5, 4), (C_PRE // 2, 2, 3, C_POST)),
    ({"groups": 2, "stride": 2}, (6, 6), (C_PRE // 2, 3, 3, C_POST)),
    ({"groups": 2, "stride": 2, "padding": 1}, (7,), (C_PRE // 2, 3, C_POST)),
    ({"padding": "same", "dilation": 3}, (9,), (C_PRE, 2, C_POST)),
    ({"padding": "valid", "stride": 2}, (5, 6), (C_PRE, 2, 3, C_POST)),
    ({"padding": (2, 1), "padding_mode": "reflect"}, (3, 5), (C_PRE, 3, 2, C_POST)),
    ({"padding": (4, 2), "padding_mode": "replicate", "stride": 3, "groups": 2}, (3, 2), (C_PRE // 2, 3, 3, C_POST)),
    ({"padding": 3, "padding_mode": "circular", "dilation": (2, 1)}, (3, 4), (C_PRE, 3, 3, C_POST)),
    ({"padding": "same", "padding_mode": "circular"}, (4,), (C_PRE, 4, C_POST)),
]


def general(options, x, weight, bias):
    """Convolution written out: what every place of every channel sees, in PyTorch's sense of all options."""
    flat = x.ndim == 4
    x, weight = (x[..., None, :], weight[:, None]) if flat else (x, weight)
    mode = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    mode = mode[options.get("padding_mode", "zeros")]
    two = {k: v if isinstance(v, (tuple, str)) else (1, v) if flat else (v, v) for k, v in options.items()}
    (dh, dw), (sh, sw) = two.get("dilation", (1, 1)), two.get("stride", (1, 1))
    padding, groups = two.get("padding", (0, 0)), options.get("groups", 1)
    padding = (0, 0) if padding == "valid" else padding
    if flat and padding != "same":
        padding = (0, padding[1])
    per, kh, kw, c_post = weight.shape
    more = (dh * (kh - 1), dw * (kw - 1))
    around = [(n // 2, n - n // 2) for n in more] if padding == "same" else [(p, p) for p in padding]
    x = np.pad(x, ((0, 0), (0, 0), (0, 0), *around), mode)
    places = [(n - m - 1) // s + 1 for n, m, s in zip(x.shape[-2:], more, (sh, sw), strict=True)]
    y = np.zeros((*x.shape[:2], c_post, *places))
    for o, h, w in np.ndindex(*y.shape[2:]):
        first = o // (c_post // groups) * per
        window = x[:, :, first : first + per, h * sh : h * sh + more[0] + 1 : dh, w * sw : w * sw + more[1] + 1 : dw]
        y[:, :, o, h, w] = (window * weight[..., o]).sum(axis=(2, 3, 4)) + bias[o]
    return y[..., 0, :] if flat else y


@pytest.mark.parametrize(("options", "image", "shape"), GENERAL)
def test_dilation_groups_and_same_padding_are_those_of_a_sum_written_out(options, image, shape):
    kernel = shape[1:-1] if len(shape) == 4 else shape[1]
    layer = (nbsnn.Conv2d if len(shape) == 4 else nbsnn.Conv1d)(C_PRE, C_POST, kernel, **options)
    net = nbsnn.Sequential(layer, input_shape=(C_PRE, *image), dtype=np.float64, device="python")
    assert layer.params["weight"].shape == shape
    x = images(image)
    found = net.run(x).output
    np.testing.assert_allclose(found, general(options, x, layer.params["weight"], layer.params["bias"]), atol=1e-12)
    assert found.shape[2:] == layer.shape
    nbsnn.check(net, trials=1)
    again = type(layer)(**json.loads(json.dumps(layer.options())))
    assert repr(again) == repr(layer) == repr(eval(repr(layer), vars(nbsnn)))


def test_what_groups_and_same_padding_need():
    with pytest.raises(ValueError, match="c_post must be a multiple of groups, which is 2, not 3"):
        nbsnn.Conv2d(2, 3, 3, groups=2)
    with pytest.raises(ValueError, match='padding="same" needs a stride of 1'):
        nbsnn.Conv1d(2, 4, 3, stride=2, padding="same")
    with pytest.raises(NotImplementedError, match="groups have no counterpart on a GPU yet"):
        nbsnn.Sequential(nbsnn.Conv2d(2, 4, 3, groups=2), input_shape=(2, 5, 5), device="cuda")


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"padding_mode": "mirror"}, ValueError, "padding_mode must be one of 'zeros', 'reflect'"),
        ({"padding": "full"}, ValueError, 'padding must be an integer, a pair .*, "same" or "valid", not \'full\''),
        ({"padding": (0, 5), "padding_mode": "reflect"}, ValueError, r"at most \[3, 4\] places to an image"),
        ({"padding": 5, "padding_mode": "circular"}, ValueError, r"can add at most \[4, 5\] places .* not \[5, 5\]"),
    ],
)  # fmt: skip
def test_what_padding_modes_need(options, error, words):
    with pytest.raises(error, match=words):
        nbsnn.Sequential(nbsnn.Conv2d(2, 4, 3, **options), input_shape=(2, 4, 5))


def test_no_device_or_format_ignores_a_padding_mode(tmp_path):
    layer = nbsnn.Conv2d(2, 4, 3, padding=1, padding_mode="reflect")
    with pytest.raises(NotImplementedError, match="padding_mode='reflect' has no counterpart on a GPU yet"):
        nbsnn.Sequential(layer, input_shape=(2, 5, 5), device="cuda")
    with pytest.raises(ValueError, match="NIR has no node for a Conv2d with padding_mode='reflect'"):
        nbsnn.nir.write(nbsnn.Sequential(layer, input_shape=(2, 5, 5)), tmp_path / "net.nir")


def test_flatten_joins_the_axes_that_are_named():
    net = nbsnn.Sequential(nbsnn.Flatten(1, 2), input_shape=(2, 3, 4, 5))
    x = np.random.default_rng(0).random((2, 1, 2, 3, 4, 5), np.float32)
    np.testing.assert_array_equal(net.run(x).output, x.reshape(2, 1, 2, 12, 5))
    with pytest.raises(ValueError, match="does not fit an input of shape"):
        nbsnn.Sequential(nbsnn.Flatten(3), input_shape=(2, 3))
