"""Failures are injected one at a time, found, and named."""

import re
import warnings

import numpy as np
import pytest

import nbsnn
from nbsnn import Dense, Neuron, Population, Recurrent, Residual, Run, Sequential, report, surrogates, target_rate
from nbsnn.diagnosis.report import SilentNetworkWarning, warn_if_silent
from nbsnn.layers.stateless import Stateless
from nbsnn.learning import BPTT
from nbsnn.losses import rate_cross_entropy, rate_mse
from nbsnn.neurons import ALIF, LI, LIF
from nbsnn.progress.history import History

RNG = np.random.default_rng(0)
X = (RNG.random((25, 16, 30)) < 0.1).astype(np.float32)
LABELS = RNG.integers(0, 4, 16)


def healthy() -> Sequential:
    net = Sequential(Dense(30, 40), LIF(), Dense(40, 40), hidden=ALIF(), w3=Dense(40, 4), out=LI(), seed=0)
    target_rate(net, X)
    return net


def test_a_healthy_network_needs_no_advice() -> None:
    net = healthy()
    before = {name: array.copy() for name, array in net.parameters().items()}
    found = report(net, X, LABELS, rate_cross_entropy)
    assert found.advice == []
    assert str(found).endswith("no advice")
    for name, array in net.parameters().items():
        np.testing.assert_array_equal(array, before[name])


def test_the_numbers() -> None:
    net = healthy()
    net["dense1"].params["bias"][:3] = -100.0
    net["dense1"].params["bias"][3:5] = 100.0
    x = X[:6]  # short: every single step is in the sample
    run, found = net.run(x), report(net, x, LABELS, rate_cross_entropy)
    row = found.layers[0]
    assert (row.name, row.neuron, row.units) == ("lif1", "LIF", 40)
    spikes = run["lif1"]["spikes"]
    assert row.rate == pytest.approx(spikes.mean())
    assert row.silent == pytest.approx((spikes.sum((0, 1)) == 0).mean())
    assert row.saturated == pytest.approx(2 / 40)
    drive = x @ net["dense1"].params["weight"] + net["dense1"].params["bias"]
    before = np.concatenate([np.zeros((1, *spikes.shape[1:])), run["lif1"]["v"][:-1]])
    u = np.exp(-0.5) * before + drive - 1.0
    dead = 1.0 / (1.0 + (np.pi * u) ** 2) < 0.01
    assert row.distance == pytest.approx(-u.mean(), rel=1e-4)
    assert row.dead == pytest.approx(dead.mean(), abs=2e-3)
    out = found.layers[-1]
    assert (out.rate, out.silent, out.distance) == (None, None, None)
    assert out.mean == pytest.approx(run.output.mean(), rel=1e-4)
    assert out.std == pytest.approx(run.output.std(), rel=1e-4)


def test_the_gradients() -> None:
    net = healthy()
    found = report(net, X, LABELS, rate_cross_entropy)
    value, grads = BPTT(net, rate_cross_entropy).gradients(X, LABELS)
    assert found.loss == pytest.approx(value)
    assert [row.name for row in found.gradients] == list(grads)
    for row in found.gradients:
        weight = np.linalg.norm(net.parameters()[row.name])
        assert row.gradient == pytest.approx(np.linalg.norm(grads[row.name]), rel=1e-5)
        assert row.weight == pytest.approx(weight, rel=1e-5)
        assert row.ratio == pytest.approx(row.gradient / weight, rel=1e-5)
        assert row.zero == pytest.approx((grads[row.name] == 0.0).mean())


def advised_scale(advice: str) -> float:
    return float(re.search(r"by (\d\S*\d)[,.]", advice).group(1))  # type: ignore[union-attr]


@pytest.mark.parametrize("factor", [0.01, 0.2])
@pytest.mark.parametrize("change", ["weight", "v_threshold"])
def test_a_silent_layer_is_named_and_the_advice_works(factor: float, change: str) -> None:
    net = healthy()
    for array in net["dense2"].params.values():
        array *= factor
    found = report(net, X)
    assert found.layers[1].silent > 0.5  # type: ignore[operator]
    (advice,) = found.advice
    assert re.match(
        r"hidden: \d+ % of its units never spike. Scale weight and bias of dense2 by \S+, or divide", advice
    )
    scale = advised_scale(advice)
    assert scale == pytest.approx(1.0 / factor, rel=0.3)
    if change == "weight":
        for array in net["dense2"].params.values():
            array *= scale
    else:  # the adaptation scales with the threshold, too
        changed = ALIF(v_threshold=1.0 / scale, beta=0.2 / scale)
        twin = Sequential(Dense(30, 40), LIF(), Dense(40, 40), hidden=changed, w3=Dense(40, 4), out=LI())
        for name, array in twin.parameters().items():
            array[...] = net.parameters()[name]
        net = twin
    assert net.run(X)["hidden"]["spikes"].mean() == pytest.approx(0.1, rel=0.06)
    assert report(net, X).advice == []


def test_weights_of_zero_have_no_remedy_but_their_replacement() -> None:
    net = healthy()
    for array in net["dense1"].params.values():
        array *= 0.0
    found = report(net, X, LABELS, rate_cross_entropy)
    assert found.layers[0].rate == 0.0
    assert found.advice[0].startswith("lif1: 100 % of its units never spike. Scaling its input does not help (no scale")
    assert any(line.startswith("dense2/weight: its gradient is zero") for line in found.advice)


def test_a_saturated_layer_is_named_and_the_advice_works() -> None:
    net = healthy()
    for array in net["dense1"].params.values():
        array *= 100.0
    net["dense1"].params["bias"][:] += 10.0
    (advice,) = [line for line in report(net, X).advice if line.startswith("lif1")]
    assert re.match(r"lif1: \d+ % of its units spike in more than half of the steps. Scale .* dense1 by 0\.\d+", advice)
    for array in net["dense1"].params.values():
        array *= advised_scale(advice)
    assert net.run(X)["lif1"]["spikes"].mean() == pytest.approx(0.1, rel=0.06)


def test_a_few_units_that_do_all_the_work() -> None:
    net = Sequential(Dense(30, 10), LIF())
    net["dense1"].params["bias"][:] = [*([-10.0] * 7), 0.9, 0.9, 0.9]
    (advice,) = report(net, X).advice
    assert advice.startswith("lif1: 70 % of its units never spike, while the others spike at")


def test_a_layer_that_passes_no_gradient_is_named() -> None:
    def build(surrogate: surrogates.Surrogate) -> Sequential:
        net = Sequential(Dense(30, 40), LIF(surrogate=surrogate), Dense(40, 4), LI())
        target_rate(net, X)
        return net

    assert report(build(surrogates.atan()), X, LABELS, rate_cross_entropy).advice == []
    found = report(build(surrogates.rect(1e7)), X, LABELS, rate_cross_entropy)
    assert found.layers[0].dead > 0.99  # type: ignore[operator]
    assert found.advice[0].startswith("lif1: the surrogate's slope is negligible in")
    assert any(line.startswith("dense1/weight: its gradient is zero") for line in found.advice)


def test_refractory_steps_pass_no_gradient() -> None:
    net = Sequential(Dense(30, 40), LIF(refractory=4.0))
    target_rate(net, X)
    free = Sequential(Dense(30, 40), LIF())
    target_rate(free, X)
    assert report(net, X).layers[0].dead > report(free, X).layers[0].dead + 0.2  # type: ignore[operator]


def test_no_advice_to_scale_by_one_but_a_look_at_the_spread_of_units_and_input():
    net = Sequential(Dense(4, 20, bias=False), LIF(tau=10.0), seed=0, device="python")
    x = np.random.default_rng(0).random((30, 8, 4)).astype(np.float32) * np.float32([2.0, 2.0, 0.01, 0.01])
    weight = np.zeros((4, 20))
    weight[:2, :8] = 0.3
    net["dense1"].params["weight"] = weight
    rate = float(net.run(x)["lif1"]["spikes"].mean())
    advice = "\n".join(nbsnn.report(net, x, rate=1.02 * rate).advice)
    assert "60 % of its units never spike" in advice and "Scale" not in advice and "by 1" not in advice
    assert "input: its channels' standard deviations lie between" in advice


def test_an_input_that_hardly_varies_or_hardly_is_there_is_named_first():
    net = Sequential(Dense(4, 20), LIF(v_threshold=20.0), seed=0, device="python")
    x = (0.65 + 0.05 * np.random.default_rng(0).random((10, 8, 4))).astype(np.float32)
    first, second = report(net, x).advice
    assert first.startswith("input: its channels' standard deviations") and "its mean is" in first
    offset = np.sqrt((x.mean((0, 1)) ** 2).sum() / (x.std((0, 1)) ** 2).sum())
    assert f"its mean is {offset:.2g} times what varies" in first and second.startswith("lif1: 100 %")
    assert report(net, np.zeros_like(x)).advice[0].startswith("input: all of its values are 0.")
    few = np.zeros((100, 8, 4), np.float32)
    few[3, 2, 1] = 1.0
    assert report(net, few).advice[0].startswith("input: only 0.00031 of its values are not 0.")


def test_losses_that_do_not_fall_are_named_with_what_guessing_has():
    def history(*losses):
        return History([{"epoch": k + 1, "loss": loss} for k, loss in enumerate(losses)])

    net, labels = healthy(), np.arange(16) % 2  # of 4 classes
    for losses, words in (
        ((1.45, 1.40, 1.39, 1.38), "from 1.45 to 1.39; guessing among 4 classes has 1.39"),
        ((1.45, 1.40, 1.39, 1.38), "raise the learning rate"),
        ((1.45, 1.39, 1.60, 1.38, 1.70), "lower the learning rate"),
    ):
        (line,) = report(net, X, labels, rate_cross_entropy, history=history(*losses)).advice
        assert line.startswith("loss: in") and words in line
    assert report(net, X, labels, rate_cross_entropy, history=history(1.4, 0.9, 0.5, 0.3)).advice == []
    assert report(net, X, labels, rate_cross_entropy, history=history(1.4, 1.39)).advice == []
    target = np.zeros((16, 4), np.float32)
    (line,) = report(net, X, target, rate_mse, history=history(2.0, 1.95, 1.93)).advice
    assert "from 2 to 1.95." in line and "guessing" not in line
    with pytest.raises(TypeError, match="history must be the History"):
        report(net, X, history=[1.0, 2.0])


def test_units_that_learn_nothing_are_named() -> None:
    narrow = LIF(surrogate=surrogates.rect(20.0))
    net = Sequential(Dense(30, 40), narrow, Dense(40, 4), LI(), seed=0)
    net["dense1"].weight[:, :20] = 0.0
    net["dense1"].params["bias"][:20] = 0.0
    found = report(net, X, LABELS, "rate_cross_entropy")
    row = found.gradients[0]
    grads = BPTT(net, rate_cross_entropy, compact=False).gradients(X, LABELS)[1]["dense1/weight"]
    assert row.stuck == (grads == 0.0).all(0).mean() >= 0.5
    assert any(line.startswith("dense1/weight: ") and "learn nothing" in line for line in found.advice)
    assert "stuck" in str(found) and found.gradients[1].stuck is None


def test_vanishing_and_exploding_gradients_are_named() -> None:
    net = healthy()
    net["dense2"].params["weight"] *= 1e-6
    net["dense2"].params["bias"][:] = 0.6
    lines = report(net, X, LABELS, rate_cross_entropy).advice
    assert any(line.startswith("dense1/weight: its gradient vanishes") for line in lines)
    lines = report(healthy(), X, LABELS, lambda y, target: (1e4, 1e4 * np.ones_like(y))).advice
    assert any(line.startswith("w3/weight: its gradient explodes") for line in lines)
    lines = report(healthy(), X, LABELS, lambda y, target: (0.0, np.full_like(y, np.nan))).advice
    assert any(line.startswith("dense1/weight: its gradient is not finite") for line in lines)


def step(x, v):
    u = 0.5 * v + x
    return (1.0 if u >= 2.0 else 0.0), u


def test_neurons_without_the_usual_names() -> None:
    own = Neuron(step, state={"v": 0.0})
    (row,) = report(Sequential(Dense(30, 5), own), X).layers
    assert (row.distance, row.dead) == (None, None)
    assert row.rate is not None


def test_nested_layers_and_a_population_alone() -> None:
    net = Sequential(Dense(30, 20), Recurrent(LIF()), Residual(Dense(20, 20), LIF()), Dense(20, 4), LI())
    names = ["recurrent1/neurons", "residual1/branch/lif1", "li1"]
    assert [row.name for row in report(net, X, LABELS, rate_cross_entropy).layers] == names
    alone = Population(LIF(), 3)
    still = np.broadcast_to(np.float32(0.1), (10, 2, 3))
    (advice,) = report(alone, still).advice
    assert advice.startswith("lif: 100 % of its units never spike. Scal")


class Holding(Stateless):
    """A custom layer that happens to have an attribute ``neuron``."""

    kind = "holding"

    def __init__(self):
        super().__init__()
        self.neuron = LIF()

    def build(self, in_shape, setting, draws):
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def apply(self, x, tape, draws):
        return x


def test_a_layer_of_ones_own_with_a_neuron_is_no_population() -> None:
    net = Sequential(Dense(4, 3), LIF(), Holding(), Dense(3, 2), LIF(), seed=0, device="python")
    x = np.ones((5, 2, 4), np.float32)
    assert [line.name for line in report(net, x).layers] == ["lif1", "lif2"]
    assert {row.name: row.kind for row in nbsnn.summary(net, x).layers}["holding1"] == "Holding"
    assert set(target_rate(net, x, 0.3, tolerance=0.5)) == {"dense1", "dense2"}


def test_the_text() -> None:
    text = str(report(healthy(), X, np.zeros((16, 4), np.float32), rate_mse))
    assert text.splitlines()[0].split() == ["layer", "rate", "silent", "saturated", "distance", "dead", "mean", "std"]
    assert "\nparameter " in text
    assert "w3/weight" in text


def test_events_are_reported_as_the_array_that_they_stand_for() -> None:
    kind = [("t", "i8"), ("x", "i2")]
    one, two = np.array([(0, 3), (2, 1), (2, 2)], kind), np.array([(1, 0)], kind)
    recordings = nbsnn.events.Recordings([one, two], shape=(4,), unit="ms")
    spikes = nbsnn.events.to_spikes(recordings, dt=1.0)
    net = nbsnn.Sequential(Dense(4, 3), LIF(v_threshold=50.0), seed=0)
    dense = report(net, np.asarray(spikes))
    assert dense.advice and str(report(net, spikes)) == str(dense)


def test_wrong_use_is_said_in_words() -> None:
    with pytest.raises(ValueError, match="a target is given without a loss"):
        report(healthy(), X, LABELS)
    with pytest.raises(ValueError, match="rate must be greater than 0"):
        report(healthy(), X, rate=0.0)


def test_a_warning_where_nothing_spikes() -> None:
    net = healthy()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert warn_if_silent(net.run(X)) == []
    for array in net["dense2"].params.values():
        array *= 0.0
    with pytest.warns(SilentNetworkWarning, match="hidden never spiked") as caught:
        assert warn_if_silent(net.run(X)) == ["hidden"]
    assert caught[0].filename == __file__
    net["dense1"].params["bias"][:] = 0.0
    learner = BPTT(net, rate_cross_entropy)
    learner.gradients(0.0 * X, LABELS)
    with pytest.warns(nbsnn.SilentNetworkWarning, match="the network never spikes"):
        assert warn_if_silent(Run(learner.net, learner.output, {}, learner.tape)) == ["lif1", "hidden"]
