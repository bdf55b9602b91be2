"""Quantisation: rounded weights and states by hand, training, and integers with the same bits."""

import pickle

import numpy as np
import pytest

import nbsnn
from nbsnn.compile.fill import kernel
from nbsnn.kernels.population.integer import scaled
from nbsnn.neurons import IF, LI, LIF, QuantLI, QuantLIF

RNG = np.random.default_rng(0)
SPIKES = (RNG.random((20, 3, 6)) < 0.4).astype(np.float32)
IMAGES = (RNG.random((6, 2, 2, 7, 6)) < 0.3).astype(np.float32)


def rounded(y, bits, fraction):
    return np.clip(np.rint(np.ldexp(np.float64(y), fraction)), -(2 ** (bits - 1)), 2 ** (bits - 1) - 1) / 2.0**fraction


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("to", "compare"), [(0.25, ">="), (None, ">"), (-1.0, ">=")])
def test_a_neuron_in_fixed_point_by_hand(dtype, to, compare):
    x = RNG.normal(0.2, 0.9, (40, 1, 3)).astype(dtype)
    neuron = QuantLIF(3.0, 0.8, to, bits=6, fraction=3, decay_bits=4, compare=compare)
    run = nbsnn.Population(neuron, 3, dtype=dtype, device="python").run(x)
    v, decay, threshold = np.zeros(3), np.rint(16 * np.exp(-1 / 3)) / 16, rounded(0.8, 6, 3)
    for t in range(40):
        u = rounded(x[t, 0], 6, 3) + rounded(decay * v, 6, 3)
        s = u >= threshold if compare == ">=" else u > threshold
        v = rounded(np.where(s, u - threshold if to is None else rounded(to, 6, 3), u), 6, 3)
        np.testing.assert_array_equal(run["spikes"][t, 0], s)
        np.testing.assert_array_equal(run["v"][t, 0], v)


@pytest.mark.parametrize("neuron", [QuantLIF(learn="tau"), QuantLIF(v_reset=None, detach_reset=True), QuantLI(3.0)])
def test_gradients_go_straight_through(neuron):
    nbsnn.check(neuron)
    net = nbsnn.Sequential(
        nbsnn.Rounded(), nbsnn.QuantDense(3, 4), neuron, nbsnn.QuantDense(4, 2, bits=3), input_shape=3
    )
    nbsnn.check(net, trials=1)
    assert pickle.loads(pickle.dumps(neuron)).holes == neuron.holes


def test_what_is_clipped_has_no_gradient():
    """Range -2 to 1.75: of the input, the leaked membrane, threshold and reset, in turn, each beyond it."""
    given = {"x": 1.0, "v": 1.0, "decay": 0.5, "threshold": 1.0, "to": 0.5}
    neuron = QuantLIF(bits=4, fraction=2, decay_bits=4)
    vjp = kernel(neuron.vjp, device="python", dtype=float, **neuron.filling())
    for name, value, zero in (
        ("x", 1.0, []), ("x", 5.0, [0]), ("v", 5.0, [1, 2]), ("threshold", -5.0, [3]),
        ("to", 5.0, [4]), ("to", -5.0, [4]),
    ):  # fmt: skip
        found = vjp(*{**given, name: value}.values(), 0.7, 0.3)
        assert [k for k in range(5) if found[k] == 0.0] == zero, (name, value, found)
    leaky = QuantLI(bits=4, fraction=2, decay_bits=4)
    vjp = kernel(leaky.vjp, device="python", dtype=float, **leaky.filling())
    for given, wanted in (
        ((0.5, 1.0, 0.5), (1.0, 0.5, 1.0)), ((5.0, -1.0, 0.5), (0.0, 0.5, -1.0)), ((-1.0, 5.0, 0.5), (1.0, 0.0, 0.0)),
        ((1.5, 1.0, 0.5), (0.0, 0.0, 0.0)),
    ):  # fmt: skip
        assert vjp(*given, 0.7, 0.3) == wanted


def test_weights_are_whole_numbers_of_a_power_of_two():
    net = nbsnn.Sequential(nbsnn.QuantDense(6, 3, bits=4), seed=0, device="python")
    layer = net["quantdense1"]
    layer.params["weight"][0, 0] = 0.8
    assert layer.fraction == 3  # 7 / 0.8 is 8.75
    wanted = SPIKES @ rounded(layer.params["weight"], 4, 3) + np.rint(8 * layer.params["bias"]) / 8
    np.testing.assert_array_equal(net.run(SPIKES).output, wanted)
    layer.params["weight"] = np.zeros((6, 3))
    assert layer.fraction == 0


def same_in_integers(net, x, tmp_path):
    integer = nbsnn.to_integer(net)
    integer.save(tmp_path / "integer.npz")
    found, run = nbsnn.IntegerNetwork.load(tmp_path / "integer.npz").run(x), net.run(x)
    np.testing.assert_array_equal(found.output, run.output)
    for name, states in found.layers.items():
        layer = net[name]
        assert states["spikes"].any() or states["v"].any(), name
        np.testing.assert_array_equal(states["v"] * 2.0 ** -layer.neuron.options["fraction"], run[name]["v"])
    assert all(array.dtype.kind == "i" for array in integer.arrays.values())
    return found


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(
    "neurons",
    [(LIF(2.0, 0.5), LI(3.0)), (LIF(5.0, 0.3, None), LIF(2.0, 0.2, 0.1, compare=">")), (IF(0.7), IF(0.4, None))],
)
def test_integers_give_the_same_bits(dtype, neurons, tmp_path):
    first, second = neurons
    net = nbsnn.Sequential(nbsnn.Dense(6, 5), first, nbsnn.Dense(5, 3), second, seed=0, dtype=dtype, device="python")
    quantised = nbsnn.quantize(net, SPIKES, weight_bits=5, state_bits=9, decay_bits=6)
    same_in_integers(quantised, SPIKES, tmp_path)
    near = nbsnn.quantize(net, SPIKES, weight_bits=12)
    name = list(net.children)[1]
    np.testing.assert_allclose(
        near.run(SPIKES)[name]["spikes"].mean(), net.run(SPIKES)[name]["spikes"].mean(), atol=0.05
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"stride": 2, "padding": (1, 2)}, {"groups": 2, "dilation": (2, 1)}, {"padding": "same", "bias": False}],
)
@pytest.mark.parametrize("pool", [nbsnn.MaxPool2d(2, 1), nbsnn.SumPool2d(2), nbsnn.AvgPool2d(2, padding=1)])
def test_convolutions_and_pooling_give_the_same_bits(options, pool, tmp_path):
    layers = [nbsnn.Conv2d(2, 4, 3, **options), LIF(3.0, 0.1), type(pool)(**pool.options()), nbsnn.Flatten()]
    net = nbsnn.Sequential(*layers, input_shape=(2, 7, 6), seed=0, device="python")
    last = nbsnn.Dense(net.shape[0], 3), LI(4.0)
    net = nbsnn.Sequential(*layers, *last, input_shape=(2, 7, 6), seed=0, device="python")
    same_in_integers(nbsnn.quantize(net, IMAGES), IMAGES, tmp_path)


def test_numbers_are_rounded_first(tmp_path):
    x = RNG.normal(0.0, 1.0, SPIKES.shape).astype(np.float32)
    net = nbsnn.Sequential(nbsnn.Dense(6, 5), LIF(3.0, 0.5), nbsnn.Dense(5, 3), LI(), seed=0, device="python")
    quantised = nbsnn.quantize(net, x, input_bits=6)
    same_in_integers(quantised, x, tmp_path)
    with pytest.raises(ValueError, match="x must be whole numbers"):
        nbsnn.to_integer(nbsnn.quantize(net, x)).run(x)
    with pytest.raises(ValueError, match=r"input_bits must be more than 2 for numbers up to \d\."):
        nbsnn.quantize(net, x, input_bits=2)
    tiny = nbsnn.to_integer(nbsnn.quantize(net, 1e-12 * x, input_bits=6))
    assert tiny.layers[0]["fraction"] == 32  # the most that Rounded has
    for integer in (nbsnn.to_integer(quantised), nbsnn.to_integer(nbsnn.quantize(net, SPIKES))):
        for wrong, words in ((np.nan, "1 NaN"), (np.inf, "1 NaN or inf"), (2.0**25, "x must be within")):
            given = SPIKES.astype(np.float64)
            given[1, 0, 2] = wrong
            if wrong == 2.0**25 and integer.layers[0]["kind"] == "rounded":
                continue  # which is clipped
            with pytest.raises(ValueError, match=words):
                integer.run(given)
        with pytest.raises(ValueError, match="a step and a sample at least"):
            integer.run(SPIKES[:0])


def test_a_quantised_network_is_trained_further_and_kept(tmp_path):
    y = SPIKES[:, :, 0].sum(0) > 8
    net = nbsnn.Sequential(
        nbsnn.Dense(6, 8), LIF(3.0, 0.5, learn="tau"), nbsnn.Dense(8, 2), LI(), seed=0, device="python"
    )
    quantised = nbsnn.quantize(net, SPIKES, weight_bits=4, state_bits=8)
    learner = nbsnn.BPTT(quantised, "rate_cross_entropy", nbsnn.optim.Adam(0.05))
    losses = [learner.step(SPIKES, y.astype(int)) for _ in range(25)]
    assert losses[-1] < 0.5 * losses[0]
    nbsnn.save(quantised, tmp_path / "net.npz")
    for other in (nbsnn.load(tmp_path / "net.npz"), quantised.twin(), pickle.loads(pickle.dumps(quantised))):
        np.testing.assert_array_equal(other.run(SPIKES).output, quantised.run(SPIKES).output)
    same_in_integers(quantised, SPIKES, tmp_path)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([nbsnn.BatchNorm()], "batchnorm1, BatchNorm.*cannot be quantised"),
        ([LIF(refractory=2.0)], "without refractory and decay_input"),
        ([LIF(v_rest=-1.0)], "that rest and start at 0"),
        ([LIF(learn="initial_v")], "that rest and start at 0"),
        ([nbsnn.Recurrent(LIF())], "recurrent1"),
    ],
)
def test_what_cannot_be_quantised_is_refused(layers, words):
    net = nbsnn.Sequential(*layers, input_shape=6, device="python")
    with pytest.raises(ValueError, match=words):
        nbsnn.quantize(net, SPIKES)
    with pytest.raises(ValueError, match="has no counterpart in integers"):
        nbsnn.to_integer(net)


def test_integers_that_single_precision_cannot_hold_are_refused():
    net = nbsnn.Sequential(nbsnn.Rounded(16, 4), nbsnn.QuantDense(6, 2, bits=16), input_shape=6, device="python")
    with pytest.raises(ValueError, match="not exact in float32: use fewer bits"):
        nbsnn.to_integer(net)
    nbsnn.to_integer(net.twin(dtype=np.float64))
    with pytest.raises(ValueError, match="at most 24 together"):
        QuantLIF(bits=20, decay_bits=8)


CONVOLVING = nbsnn.Sequential(
    nbsnn.QuantConv2d(1, 2, 3, padding=1), QuantLIF(), nbsnn.SumPool2d(2), nbsnn.Flatten(), nbsnn.QuantDense(8, 3),
    input_shape=(1, 4, 4), seed=0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "changes", "message"),
    [
        (0, {"kind": "tanh"}, "kind of a layer must be one of"), (0, {"shape": [4, 4]}, "an image has three axes"),
        (0, {"output": [2, 999, 4]}, "no convolution in 1 groups"), (0, {"groups": 0}, "groups must be a whole number"),
        (1, {"shift": 99}, "shift must be a whole number from -62 to 62"), (1, {"reset": "x"}, "reset must be one of"),
        (1, {"shape": [2, 4, 5]}, "but is given"), (2, {"kernel_size": [9, 9]}, "a window of"),
        (2, {"stride": [0, 1]}, "stride must be 2 whole numbers"),
        (4, {"fraction": 0.5}, "fraction must be a whole number"),
        (4, {"name": "x"}, "arrays must hold 'x/weight'"),
    ],
)  # fmt: skip
def test_layers_in_integers_that_do_not_fit_are_named(layer, changes, message):
    integer = nbsnn.to_integer(CONVOLVING)
    layers = [dict(each) for each in integer.layers]
    layers[layer] |= changes
    with pytest.raises(ValueError, match=message):
        nbsnn.IntegerNetwork(layers, integer.arrays)


@pytest.mark.parametrize("name", ["quantconv2d1/weight", "quantconv2d1/bias", "quantlif1/decay", "quantdense1/bias"])
def test_arrays_in_integers_of_another_shape_are_named(name):
    integer = nbsnn.to_integer(CONVOLVING)
    arrays = {**integer.arrays, name: integer.arrays[name][..., :-1]}
    with pytest.raises(ValueError, match=f"{name} must have the shape"):
        nbsnn.IntegerNetwork(integer.layers, arrays)


def test_integers_are_scaled_to_the_nearest_of_two_the_even_one():
    for k in range(-2, 5):
        for n in range(-70, 71):
            assert scaled(n, k, -99, 99) == min(max(round(n / 2**k), -99), 99)  # Python rounds halves to even
