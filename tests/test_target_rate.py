import numpy as np
import pytest

import nbsnn
from nbsnn import AvgPool2d, Conv2d, Delay, Dense, Flatten, Recurrent, Residual, Sequential
from nbsnn.diagnosis.target_rate import feeders, find_scale, target_rate
from nbsnn.neurons import ALIF, LI, LIF

X = (np.random.default_rng(0).random((20, 12, 30)) < 0.1).astype(np.float32)


def deep() -> Sequential:
    inner = Sequential(Dense(25, 20), ALIF())
    block = Residual(Dense(20, 20), LIF(), shortcut=Sequential(Dense(20, 20), LIF(v_reset=None)))
    return Sequential(Dense(30, 25), LIF(), inner, Delay(1), Dense(20, 20), Recurrent(LIF()), block, Dense(20, 4), LI())


NAMES = {
    "lif1": "dense1",
    "sequential1/alif1": "sequential1/dense1",
    "recurrent1/neurons": "dense2",
    "residual1/branch/lif1": "residual1/branch/dense1",
    "residual1/shortcut/lif1": "residual1/shortcut/dense1",
}


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_every_population_gets_its_rate(rate: float) -> None:
    net = deep()
    before = {name: array.copy() for name, array in net.parameters().items()}
    scales = target_rate(net, X, rate)
    run = net.run(X)
    assert feeders(net) == NAMES
    assert set(scales) == set(NAMES.values())
    for population in NAMES:
        assert run[population]["spikes"].mean() == pytest.approx(rate, rel=0.051), population
    for name, array in net.parameters().items():  # weight and bias by the same factor, everything else as it was
        scale = scales.get(name.rpartition("/")[0], 1.0)
        np.testing.assert_allclose(array, scale * before[name], rtol=1e-6)


def test_the_tolerance_holds() -> None:
    net = Sequential(Dense(30, 50), LIF(), seed=1)
    target_rate(net, X, 0.1, tolerance=2e-4)
    assert net.run(X).output.mean() == pytest.approx(0.1, abs=2e-4)


def test_layers_in_between_are_passed() -> None:
    net = Sequential(Conv2d(1, 4, 3), AvgPool2d(2), LIF(), Flatten(), Dense(16, 5), LI(), input_shape=(1, 6, 6))
    x = np.random.default_rng(0).random((10, 4, 1, 6, 6)).astype(np.float32)
    assert set(target_rate(net, x, 0.15)) == {"conv2d1"}
    assert net.run(x)["lif1"]["spikes"].mean() == pytest.approx(0.15, rel=0.051)


def test_populations_without_weights_of_their_own_are_left_alone() -> None:
    net = Sequential(LIF(), Residual(LIF()), Dense(30, 3), LI(), input_shape=30)
    assert target_rate(net, X) == {}


@pytest.mark.parametrize("join", ["sum", "and", "iand"])
def test_what_follows_a_residual_sees_what_it_puts_out(join: str) -> None:
    block = Residual(Dense(30, 30), LIF(), join=join)
    net = Sequential(Dense(30, 30), LIF(), block, Dense(30, 25), last=LIF())
    assert list(target_rate(net, X, 0.2)) == ["dense1", "residual1/branch/dense1", "dense2"]
    assert net.run(X)["last"]["spikes"].mean() == pytest.approx(0.2, rel=0.051)


def test_layers_side_by_side_are_networks_of_their_own() -> None:
    sides = nbsnn.Parallel(Sequential(Dense(30, 20), LIF()), Sequential(Dense(30, 10), LIF()), join="concatenate")
    net = Sequential(sides, Dense(30, 5), LIF())
    names = {f"parallel1/sequential{k}/lif1": f"parallel1/sequential{k}/dense1" for k in (1, 2)}
    assert feeders(net) == names | {"lif1": "dense1"}
    target_rate(net, X, 0.15)
    for name in feeders(net):
        assert net.run(X)[name]["spikes"].mean() == pytest.approx(0.15, rel=0.051), name


def test_a_scale_that_is_right_is_one() -> None:
    net = Sequential(Dense(30, 50), LIF())
    target_rate(net, X)
    assert target_rate(net, X) == {"dense1": 1.0}


def test_what_cannot_be_reached_is_said_and_undone() -> None:
    net = Sequential(Dense(30, 25), LIF(), Dense(25, 20), hidden=LIF(refractory=9.0))
    before = {name: array.copy() for name, array in net.parameters().items()}
    with pytest.raises(
        ValueError, match=r"^dense2, which drives hidden: no scale gives a rate of 0.3: .* at most 0\.\d+"
    ):
        target_rate(net, X, 0.3)
    for name, array in net.parameters().items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(ValueError, match="dense1, which drives lif1: no scale gives"):
        target_rate(Sequential(Dense(30, 5, bias=False), LIF()), 0.0 * X)


def test_units_that_spike_together_have_no_rate_in_between() -> None:
    net = Sequential(Dense(1, 2, bias=False, weight=nbsnn.init.constant(1.0)), LIF())
    with pytest.raises(ValueError, match=r"the rate jumps from 0 to 0.5, past 0.3"):
        target_rate(net, np.ones((2, 1, 1)), 0.3)


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.0, float("nan")])
def test_a_rate_is_between_zero_and_one(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be"):
        target_rate(Sequential(Dense(30, 2), LIF()), X, rate)


@pytest.mark.parametrize("k", [1e-4, 0.3, 1.0, 7.0, 5e4])
def test_find_scale(k: float) -> None:
    assert find_scale(lambda s: 0.1 * (s / k) ** 2, 0.1, 1e-6) == pytest.approx(k, rel=1e-5)
