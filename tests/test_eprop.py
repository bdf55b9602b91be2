"""e-prop: exact without recurrence, its equations with it, the kinds of feedback, memory, and refusals."""

import tracemalloc

import numpy as np
import pytest

from nbsnn import BPTT, Conv2d, Dense, EProp, Neuron, Recurrent, Sequential, dspike, spike
from nbsnn.learning.eprop import jacobian
from nbsnn.losses import StepCrossEntropy, StepMSE
from nbsnn.neurons import ALIF, LI, LIF, CubaLIF
from nbsnn.optim import SGD, Adam

from . import reference

T, B = 10, 3
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 1.5, (T, B, 4))
TARGET = RNG.normal(size=(T, B, 3))
MSE = StepMSE("sum")
LIF_ = LIF(3.0, 0.5, None, detach_reset=True)
ALIF_ = ALIF(3.0, 8.0, 0.4, 0.5, detach_reset=True)


def own_step(x, v, w, decay, v_threshold):
    u = decay * v - 0.3 * w + x
    s = spike(u - v_threshold)
    return s, u - s * v_threshold, 0.8 * w + 0.5 * u


def own_vjp(x, v, w, decay, v_threshold, gs, gv, gw):
    u = decay * v - 0.3 * w + x
    s = spike(u - v_threshold)
    gd = (gs - gv * v_threshold) * dspike(u - v_threshold)
    gu = gv + gd + 0.5 * gw
    return gu, gu * decay, -0.3 * gu + 0.8 * gw, gu * v, -gd - gv * s


OWN = Neuron(own_step, own_vjp, state={"v": 0.0, "w": 0.0}, params={"decay": 0.7, "v_threshold": 0.5})


READOUT = LI(5.0)


def network(hidden, readout=READOUT, **options):
    layers = [Dense(4, 6), hidden, Dense(6, 3), *([readout] if readout else [])]
    return Sequential(*layers, **{"seed": 1, "device": "python", **options})


def relative(grads, expected):
    for name, g in expected.items():
        assert np.any(g), name
        np.testing.assert_allclose(grads[name], g, 0, 1e-10 * np.abs(g).max(), err_msg=name)


# Exactness


@pytest.mark.parametrize("hidden", [LIF_, LIF(3.0, 0.5), ALIF_, CubaLIF(2.0, 3.0, 0.5), OWN], ids=str)
@pytest.mark.parametrize("readout", [LI(5.0), LI(3.0, decay_input=True, v_rest=0.2), None], ids=str)
def test_without_recurrence_it_is_the_exact_gradient(hidden, readout):
    net = network(hidden, readout, dtype=np.float64)
    value, grads = EProp(net, MSE).gradients(X, TARGET)
    expected_value, expected = BPTT(net, MSE).gradients(X, TARGET)
    assert value == pytest.approx(expected_value, rel=1e-12)
    relative(grads, expected)


@pytest.mark.parametrize("hidden", [LIF_, ALIF_], ids=str)
def test_with_silenced_feedback_it_is_exact_for_the_feedback_too(hidden):
    # Weights of zero carry no error to other neurons, but have a gradient themselves.
    net = network(Recurrent(hidden, Dense(6, 6)), dtype=np.float64)
    net.parameters()["recurrent1/feedback/weight"][...] = 0.0
    relative(EProp(net, MSE).gradients(X, TARGET)[1], BPTT(net, MSE).gradients(X, TARGET)[1])


def by_hand(net, x, target, B_matrix):
    """The paper's equations for ALIF, in plain NumPy: e-prop with eligibility vectors of membrane and threshold."""
    w_in, b_in, w_out, b_out, back = (
        net.parameters()[name]
        for name in ("dense1/weight", "dense1/bias", "dense2/weight", "dense2/bias", "recurrent1/feedback/weight")
    )
    decay, rho, beta, kappa = np.exp(-1 / 3.0), np.exp(-1 / 8.0), 0.4, np.exp(-1 / 5.0)
    v, a, z, y = np.zeros((B, 6)), np.zeros((B, 6)), np.zeros((B, 6)), np.zeros((B, 3))
    grads = {name: np.zeros_like(array) for name, array in net.parameters().items()}
    shapes = {"dense1/weight": 4, "dense1/bias": 1, "recurrent1/feedback/weight": 6}
    eps = {n: [np.zeros((B, k, 6)), np.zeros((B, k, 6))] for n, k in shapes.items()}
    filtered = {n: np.zeros((B, k, 6)) for n, k in shapes.items()}
    z_filtered, one_filtered = np.zeros((B, 6)), 0.0
    for t in range(T):
        pre = {"dense1/weight": x[t], "dense1/bias": np.ones((B, 1)), "recurrent1/feedback/weight": z}
        u = decay * v + x[t] @ w_in + b_in + z @ back
        threshold = 0.5 + beta * a
        psi = reference.atan_slope(u - threshold)[:, None]
        z = (u >= threshold) * 1.0
        v, a = u - z * threshold, rho * a + z
        z_filtered, one_filtered = kappa * z_filtered + z, kappa * one_filtered + 1.0
        y = kappa * y + z @ w_out + b_out
        error = 2 * (y - target[t]) / y.size
        signal = error @ B_matrix.T
        for name in shapes:
            of_v, of_a = eps[name]
            of_u = decay * of_v + pre[name][:, :, None]
            e = psi * (of_u - beta * of_a)
            eps[name] = [of_u - z[:, None] * beta * of_a, rho * of_a + e]  # the reset subtracts the moving threshold
            filtered[name] = kappa * filtered[name] + e
            grads[name] += (signal[:, None] * filtered[name]).sum(0).reshape(grads[name].shape)
        grads["dense2/weight"] += z_filtered.T @ error
        grads["dense2/bias"] += one_filtered * error.sum(0)
    return grads


@pytest.mark.parametrize("feedback", ["symmetric", "random", "adaptive"])
def test_recurrent_by_hand(feedback):
    net = network(Recurrent(ALIF_), dtype=np.float64)
    learner = EProp(net, MSE, feedback=feedback, seed=3)
    grads = learner.gradients(X, TARGET)[1]
    assert (learner.feedback_weight is net.parameters()["dense2/weight"]) == (feedback == "symmetric")
    relative(grads, by_hand(net, X, TARGET, learner.feedback_weight))
    exact = BPTT(net, MSE).gradients(X, TARGET)[1]["dense1/weight"]
    assert not np.allclose(exact, grads["dense1/weight"], rtol=0.05)


def test_the_jacobian_equals_finite_differences():
    state = {"spikes": np.zeros((B, 2)), "v": RNG.normal(size=(B, 2)), "a": RNG.uniform(size=(B, 2))}
    x, h = RNG.normal(size=(1, B, 2)), 1e-6
    neuron = ALIF(3.0, 8.0, 0.4, 0.5)
    population = Sequential(neuron, input_shape=2, dtype=np.float64, device="python").twin(smooth=True)["alif1"]
    tape: dict = {}
    population.forward(x, state, tape)
    found = jacobian(population, tape, {})

    def results(x, state):
        y, final = population.forward(x, state, {})
        return np.stack([y[0], final["v"], final["a"]])

    columns = [(results(x + h, state) - results(x - h, state)) / (2 * h)]
    for name in ("v", "a"):
        up, down = ({**state, name: state[name] + d} for d in (h, -h))
        columns.append((results(x, up) - results(x, down)) / (2 * h))
    np.testing.assert_allclose(found, np.stack(columns, axis=1), 1e-6, 1e-8)


def test_compiled_equals_interpreted():
    grads = {}
    for device in ("python", "cpu"):
        learner = EProp(network(Recurrent(ALIF_), device=device), MSE)
        grads[device] = learner.gradients(X, TARGET)[1]
    for name, g in grads["python"].items():
        np.testing.assert_allclose(grads["cpu"][name], g, 0, 1e-5 * np.abs(g).max(), err_msg=name)


# Learning


def pattern():
    """One fixed random input pattern, and a sum of sines to be drawn."""
    draws = np.random.default_rng(2)
    x = (draws.random((60, 1, 20)) < 0.1).astype(np.float32)
    time = np.arange(60) / 60
    target = np.stack([np.sin(2 * np.pi * k * time) for k in (1, 2)], axis=1)[:, None]
    return x, target.astype(np.float32)


@pytest.mark.parametrize(
    "feedback", ["symmetric", *(pytest.param(f, marks=pytest.mark.long) for f in ("random", "adaptive"))]
)
def test_it_learns_a_pattern(feedback):
    x, target = pattern()
    hidden = Recurrent(ALIF(20.0, 50.0, 0.1, 0.6, detach_reset=True))
    net = Sequential(Dense(20, 30), hidden, Dense(30, 2), LI(20.0), seed=0)
    decay = 1e-4 if feedback == "adaptive" else 0.0
    learner = EProp(net, MSE, Adam(0.02), feedback=feedback, feedback_decay=decay)
    first, *_, last = [learner.step(iter(x), target) for _ in range(30)]
    assert last < 0.2 * first


def test_learning_by_step_and_by_sample():
    losses = {}
    for update in ("sample", "step"):
        learner = EProp(network(Recurrent(LIF_)), MSE, SGD(0.05), update=update)
        losses[update] = learner.step(X, TARGET)
        assert learner.optimizer.iteration == (1 if update == "sample" else T)
    assert losses["sample"] != losses["step"]


def test_adaptive_feedback_follows_the_readout():
    # Both move alike and shrink alike, so their difference shrinks by the same share at each update.
    net = network(Recurrent(LIF_), dtype=np.float64)
    learner = EProp(net, MSE, SGD(0.01), feedback="adaptive", feedback_decay=0.05)
    w = net.parameters()["dense2/weight"]
    w0, b0 = w.copy(), learner.feedback_weight.copy()
    assert not np.allclose(w0, b0)
    for _ in range(5):
        learner.step(X, TARGET)
    assert not np.allclose(w, 0.95**5 * w0, rtol=0.05)
    np.testing.assert_allclose(w - learner.feedback_weight, 0.95**5 * (w0 - b0), 0, 1e-12)


def test_random_feedback_depends_on_the_seed_only_and_stays():
    one, same, other = (EProp(network(Recurrent(LIF_)), MSE, feedback="random", seed=s) for s in (1, 1, 2))
    before = one.feedback_weight.copy()
    np.testing.assert_array_equal(before, same.feedback_weight)
    assert not np.allclose(before, other.feedback_weight)
    one.step(X, TARGET)
    np.testing.assert_array_equal(before, one.feedback_weight)


@pytest.mark.parametrize("feedback", ["symmetric", "random", "adaptive"])
def test_a_resumed_training_continues_bit_for_bit(feedback):
    learner = EProp(network(Recurrent(LIF_)), MSE, feedback=feedback, seed=5)
    learner.step(X, TARGET)
    saved = learner.state()
    weights = {name: a.copy() for name, a in learner.net.parameters().items()}
    expected = [learner.step(X, TARGET) for _ in range(2)]
    other = EProp(network(Recurrent(LIF_), seed=9), MSE, feedback=feedback, seed=8)
    for name, array in other.net.parameters().items():
        array[...] = weights[name]
    other.load_state(saved)
    assert [other.step(X, TARGET) for _ in range(2)] == expected


def test_memory_does_not_grow_with_time():
    x = np.ones((8, 500), np.float32)

    def peak(steps):
        net = Sequential(Dense(500, 4), Recurrent(ALIF_), Dense(4, 3), LI(5.0), seed=0)
        learner = EProp(net, StepCrossEntropy(reduction="sum"))
        labels = np.arange(8) % 3
        learner.step((x.copy() for _ in range(3)), labels)
        learner.tape.clear()
        tracemalloc.start()
        learner.step((x.copy() for _ in range(steps)), labels)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    # Less than half an input a step: what is left are lists of freed small objects, which count as memory.
    assert peak(120) - peak(20) < 0.5 * 100 * x.nbytes


# Refusals


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (Sequential(Dense(4, 6), LIF_, seed=0), "needs a network of the form"),
        (Sequential(Dense(4, 6), LIF_, Dense(6, 6), LIF_, Dense(6, 3), LI()), "needs a network of the form"),
        (Sequential(Conv2d(1, 2, 3), LIF_, input_shape=(1, 4, 4)), "needs a network of the form"),
        (Sequential(Dense(4, 6), Recurrent(Sequential(Dense(6, 6), LIF_)), Dense(6, 3)), "needs a network of the form"),
        (Sequential(Recurrent(LIF_), input_shape=4)["recurrent1"], "needs a network of the form"),
        (Sequential(Dense(4, 6), Recurrent(LIF_), Dense(6, 3), LIF_), "needs a readout that integrates"),
        (Sequential(Dense(4, 6), LIF_, Dense(6, 3), LI(np.array([2.0, 3.0, 4.0]))), "one decay for all units"),
        (Sequential(Dense(4, 6), LIF_, Dense(6, 3), ALIF_), "needs a readout that integrates"),
        (Sequential(Dense(4, 6), LIF(learn="tau"), Dense(6, 3), LI()), "lif1 has learned parameters"),
    ],
)
def test_networks_that_do_not_fit_raise(net, message):
    assert not EProp.fits(net)
    with pytest.raises(ValueError, match=message):
        EProp(net)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"feedback": "direct"}, ValueError, "feedback must be one of 'symmetric', 'random', 'adaptive'"),
        ({"feedback_decay": 0.1}, ValueError, 'needs feedback="adaptive"'),
        ({"feedback": "adaptive", "feedback_decay": -1.0}, ValueError, "at least 0"),
        ({"update": "never"}, ValueError, "update must be"),
        ({"loss": 3}, TypeError, "loss must be callable"),
    ],
)
def test_wrong_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        EProp(network(LIF_), **options)


@pytest.mark.parametrize(
    ("x", "target", "message"),
    [
        (X[..., :2], TARGET, "input must have shape"),
        (X * np.nan, TARGET, "NaN"),
        (X[:0], TARGET[:0], "the input has no steps"),
        (X, TARGET[:4], "target has 4 steps"),
        (X, TARGET * np.inf, "StepMSE: target contains"),
    ],
)
def test_wrong_input_raises(x, target, message):
    with pytest.raises(ValueError, match=message), np.errstate(invalid="ignore"):
        EProp(network(LIF_), MSE).step(x, target)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("feedback"), "holds no feedback"),
        (lambda s: s.update(feedback=np.zeros((2, 2))), r"must have shape \[6, 3\]"),
        (lambda s: s.update(feedback=np.full((6, 3), np.nan)), "NaN"),
    ],
)
def test_a_wrong_state_raises(change, message):
    learner = EProp(network(LIF_), MSE, feedback="random")
    learner.step(X, TARGET)
    state = learner.state()
    change(state)
    with pytest.raises(ValueError, match=message):
        learner.load_state(state)
