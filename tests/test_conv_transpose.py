"""Transposed convolution against sums written out, and against the convolution whose reverse it is."""

import numpy as np
import pytest

import nbsnn

T, B = 2, 3
CASES = [  # options, image, kernel
    ({}, (3, 4), (2, 3)),
    ({"stride": (2, 3), "padding": (1, 0), "output_padding": (1, 2)}, (3, 2), (3, 2)),
    ({"stride": 2, "groups": 2}, (2, 3), (3, 3)),
    ({"dilation": (3, 2), "padding": 1, "output_padding": (2, 0)}, (3, 3), (2, 3)),
    ({"stride": 3}, (4, 3), (2, 2)),  # gaps between windows hold the bias alone
]


def written_out(x, weight, bias, options, shape):
    """Each place of the input adds its window to the output."""
    (sh, sw), (ph, pw), (dh, dw) = (
        v if isinstance(v := options.get(name, usual), tuple) else (v, v)
        for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    c_pre, kh, kw, per = weight.shape
    groups = options.get("groups", 1)
    y = np.zeros((*x.shape[:2], per * groups, *shape))
    for c, h, w, i, j, o in np.ndindex(c_pre, *x.shape[3:], kh, kw, per):
        a, b = h * sh + i * dh - ph, w * sw + j * dw - pw
        if 0 <= a < shape[0] and 0 <= b < shape[1]:
            y[:, :, c // (c_pre // groups) * per + o, a, b] += x[:, :, c, h, w] * weight[c, i, j, o]
    return y + bias[:, None, None]


@pytest.mark.parametrize(("options", "image", "kernel"), CASES)
def test_places_add_up(options, image, kernel):
    layer = nbsnn.ConvTranspose2d(4, 2, kernel, **options)
    net = nbsnn.Sequential(layer, input_shape=(4, *image), dtype=np.float64, device="python")
    x = np.random.default_rng(0).normal(size=(T, B, 4, *image))
    expected = written_out(x, layer.params["weight"], layer.params["bias"], options, layer.shape[1:])
    np.testing.assert_allclose(net.run(x).output, expected, atol=1e-12)
    nbsnn.check(net, trials=1)


def test_it_is_the_reverse_of_a_convolution():
    options = {"stride": 2, "padding": 1, "bias": False}
    there = nbsnn.Sequential(nbsnn.Conv2d(3, 5, 3, **options), input_shape=(3, 7, 9), dtype="f8", device="python")
    back = nbsnn.Sequential(
        nbsnn.ConvTranspose2d(5, 3, 3, **options), input_shape=there.shape, dtype="f8", device="python"
    )
    assert back.shape == there.in_shape
    back["convtranspose2d1"].params["weight"] = there["conv2d1"].params["weight"].transpose(3, 1, 2, 0)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(1, 2, 3, 7, 9)), rng.normal(size=(1, 2, *there.shape))
    np.testing.assert_allclose((there.run(x).output * y).sum(), (x * back.run(y).output).sum(), rtol=1e-12)


def test_blocks_of_images_change_nothing(monkeypatch):
    x = np.random.default_rng(0).normal(size=(3, 5, 2, 4, 4))
    found = []
    for size in (2**22, 1):
        monkeypatch.setattr("nbsnn.layers.conv2d.BLOCK", size)
        layer = nbsnn.ConvTranspose2d(2, 3, 3, stride=2)
        net = nbsnn.Sequential(layer, input_shape=(2, 4, 4), dtype="f8", device="python")
        tape, grads = {}, net.zeros()
        y, _ = net.forward(x, {}, tape)
        found.append([y.copy(), *net.backward(y, tape, grads)[:1], *grads["convtranspose2d1"].values()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"output_padding": 2, "stride": 2}, ValueError, "output_padding must be less than stride .2, 2. or dilation"),
        ({"padding": "same"}, TypeError, "padding must be an integer, not 'same'"),
        ({"groups": 3}, ValueError, "must be a multiple of groups, which is 3"),
        ({"padding": 3}, ValueError, r"of an image of \[2, 2\] the padding leaves nothing"),
    ],
)
def test_what_it_refuses(options, error, words):
    with pytest.raises(error, match=words):
        nbsnn.Sequential(nbsnn.ConvTranspose2d(4, 4, 3, **options), input_shape=(4, 2, 2))
    with pytest.raises(ValueError, match=r"needs an input of shape \[4, height, width\], but is given \[3, 2, 2\]"):
        nbsnn.Sequential(nbsnn.ConvTranspose2d(4, 4, 3), input_shape=(3, 2, 2))


def test_a_decoder_learns_to_draw():
    net = nbsnn.Sequential(
        nbsnn.Dense(4, 8), nbsnn.neurons.LIF(), nbsnn.Reshape((2, 2, 2)), nbsnn.ConvTranspose2d(2, 1, 3, padding=1),
        nbsnn.Flatten(), nbsnn.neurons.LI(), seed=0, device="python",
    )  # fmt: skip
    x, wanted = np.eye(4, dtype=np.float32)[None].repeat(4, axis=0), np.eye(4, dtype=np.float32)
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_mse)
    values = [learner.step(x, wanted) for _ in range(60)]
    assert values[-1] < 0.8 * values[0]
