"""OTTT and SLTT: where they equal back-propagation through time, and what an online loop promises."""

import tracemalloc

import numpy as np
import pytest

from nbsnn import BPTT, OTTT, SLTT, AvgPool2d, Conv2d, Delay, Dense, Dropout, Flatten, Recurrent, Residual, Sequential
from nbsnn.losses import StepCrossEntropy, StepMSE
from nbsnn.neurons import LI, LIF
from nbsnn.optim import SGD, Adam
from nbsnn.presets.spikingjelly import LIFNode

from . import reference

T, B = 9, 3
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 2.0, (T, B, 4))
LABELS = np.array([0, 2, 1])
EACH = RNG.integers(0, 3, (T, B))
CE, MSE = StepCrossEntropy(reduction="sum"), StepMSE("sum")
rules = pytest.mark.parametrize("rule", [OTTT, SLTT])


def soft(**options):
    return LIF(**{"tau": 3.0, "v_threshold": 0.5, "v_reset": None, "detach_reset": True, **options})


def two_layers(**options):
    return Sequential(Dense(4, 6), soft(), Dense(6, 3), LI(3.0), **{"seed": 1, "device": "python", **options})


def everything(**options):
    """All that composes: recurrent, residual, delayed, dropped out."""
    layers = [Delay(2), Dense(4, 6), Recurrent(soft()), Residual(Dense(6, 6), soft()), Dropout(0.3), Dense(6, 3), LI()]
    return Sequential(*layers, **{"input_shape": 4, "seed": 1, "device": "python", **options})


def copied(learner, x, target):
    value, grads = learner.gradients(x, target)
    return value, {name: g.copy() for name, g in grads.items()}


def assert_same(one, other, exactly=True):
    assert one.keys() == other.keys()
    for name, g in one.items():
        if exactly:
            np.testing.assert_array_equal(g, other[name], err_msg=name)
        else:
            scale = np.abs(other[name]).max()
            assert scale > 0, name
            np.testing.assert_allclose(g, other[name], 0, 1e-10 * scale, err_msg=name)


# Against back-propagation through time


@rules
def test_without_memory_both_equal_bptt(rule):
    forgetful = LIF(1.0, 0.5, decay="euler")
    deep = Sequential(
        Dense(4, 6), forgetful, Residual(Dense(6, 6), forgetful), Dense(6, 3), LI(1.0, decay="euler"),
        seed=1, dtype=np.float64, device="python",
    )  # fmt: skip
    value, grads = copied(rule(deep, CE), X, EACH)
    expected_value, expected = BPTT(deep, CE).gradients(X, EACH)
    assert value == pytest.approx(expected_value, rel=1e-12)
    assert_same(grads, expected, exactly=False)


def test_with_memory_sltt_differs_from_bptt():
    net = two_layers(dtype=np.float64)
    grads, expected = copied(SLTT(net, CE), X, LABELS)[1], BPTT(net, CE).gradients(X, LABELS)[1]
    assert not np.allclose(grads["dense2/weight"], expected["dense2/weight"], rtol=0.05)


@pytest.mark.parametrize("readout", [LI(3.0), soft(surrogate=None)])
def test_behind_a_spiking_layer_ottt_equals_bptt(readout):
    # One layer of weights, fed by spikes whose trace decays as its own membranes do.
    net = Sequential(soft(), Dense(4, 3), readout, input_shape=4, seed=1, dtype=np.float64, device="python")
    value, grads = copied(OTTT(net, CE), X, EACH)
    expected_value, expected = BPTT(net, CE).gradients(X, EACH)
    assert value == pytest.approx(expected_value, rel=1e-12)
    # The surrogate of a reset that is not seen leaves one path through time: the membrane's leak. The bias is fed by
    # a constant, which has no trace.
    np.testing.assert_allclose(grads["dense1/weight"], expected["dense1/weight"], 0, 1e-12)


@pytest.mark.parametrize("readout", [LI(3.0), soft()])
def test_with_a_trace_of_the_input_ottt_equals_bptt(readout):
    net = Sequential(Dense(4, 3, bias=False), readout, seed=1, dtype=np.float64, device="python")
    expected = BPTT(net, CE).gradients(X, EACH)[1]["dense1/weight"].copy()
    grads = OTTT(net, CE, input_decay=np.exp(-1 / 3.0)).gradients(X, EACH)[1]
    np.testing.assert_allclose(grads["dense1/weight"], expected, 0, 1e-12)
    plain = OTTT(net, CE).gradients(X, EACH)[1]
    assert not np.allclose(plain["dense1/weight"], expected, rtol=0.05)


def test_truncation_to_one_step_is_sltt():
    net = everything(dtype=np.float64)
    grads = copied(SLTT(net, CE, seed=3), X, LABELS)[1]
    assert_same(grads, BPTT(net, CE, chunk=1, seed=3).gradients(X, LABELS)[1], exactly=False)


def test_ottt_by_hand():
    """Two layers and the feedback of a recurrent one, by the equations of the rule in plain NumPy."""
    net = Sequential(Dense(4, 6), Recurrent(soft()), Dense(6, 3), LI(3.0), seed=1, dtype=np.float64, device="python")
    w1, b1, back, w2, b2 = (
        net.parameters()[name]
        for name in ("dense1/weight", "dense1/bias", "recurrent1/feedback/weight", "dense2/weight", "dense2/bias")
    )
    decay, v, s, trace, y = np.exp(-1 / 3.0), np.zeros((B, 6)), np.zeros((B, 6)), np.zeros((B, 6)), np.zeros((B, 3))
    expected = {name: np.zeros_like(a) for name, a in net.parameters().items()}
    for t in range(T):
        u = decay * v + X[t] @ w1 + b1 + s @ back
        s, before = (u >= 0.5) * 1.0, trace
        v, trace = u - 0.5 * s, decay * trace + s
        y = decay * y + s @ w2 + b2
        p = np.exp(y) / np.exp(y).sum(1, keepdims=True)
        g2 = (p - np.eye(3)[EACH[t]]) / B
        g1 = g2 @ w2.T * reference.atan_slope(u - 0.5)
        for name, pre, g in (("dense1", X[t], g1), ("recurrent1/feedback", before, g1), ("dense2", trace, g2)):
            expected[f"{name}/weight"] += pre.T @ g
            if name != "recurrent1/feedback":
                expected[f"{name}/bias"] += g.sum(0)
    assert_same(copied(OTTT(net, CE), X, EACH)[1], expected, exactly=False)


@rules
def test_images(rule):
    """Convolution and pooling equal the dense layer that says the same, whose weights are read off by unit inputs."""
    net = Sequential(
        Conv2d(1, 2, 3, padding=1), soft(), AvgPool2d(2), Flatten(), Dense(8, 3), LI(3.0),
        input_shape=(1, 4, 4), seed=1, dtype=np.float64, device="python",
    )  # fmt: skip
    front = Sequential(Conv2d(1, 2, 3, padding=1), input_shape=(1, 4, 4), dtype=np.float64, device="python")
    for name, array in front.parameters().items():
        array[...] = net.parameters()[name]
    bias = front.run(np.zeros((1, 1, 1, 4, 4))).output.reshape(32)
    matrix = front.run(np.eye(16).reshape(1, 16, 1, 4, 4)).output.reshape(16, 32) - bias
    pool = Sequential(AvgPool2d(2), input_shape=(2, 4, 4), dtype=np.float64, device="python")
    mean = pool.run(np.eye(32).reshape(1, 32, 2, 4, 4)).output.reshape(32, 8)
    flat = Sequential(Dense(16, 32), soft(), Dense(32, 3), LI(3.0), dtype=np.float64, device="python")
    w = net.parameters()
    given = (matrix, bias, mean @ w["dense1/weight"], w["dense1/bias"])
    for array, value in zip(flat.parameters().values(), given, strict=True):
        array[...] = value
    x = RNG.uniform(-0.5, 2.0, (T, B, 1, 4, 4))
    value, grads = copied(rule(net, CE), x, LABELS)
    flat_value, dense = rule(flat, CE).gradients(x.reshape(T, B, 16), LABELS)
    assert value == pytest.approx(flat_value, rel=1e-12)
    np.testing.assert_allclose(grads["dense1/weight"], mean.T @ dense["dense2/weight"], 0, 1e-12)
    np.testing.assert_allclose(grads["conv2d1/bias"], dense["dense1/bias"].reshape(2, 16).sum(1), 0, 1e-12)


@rules
def test_no_error_crosses_a_delay(rule):
    net = Sequential(Dense(4, 6), soft(), Delay(1), Dense(6, 3), LI(3.0), seed=1, device="python")
    grads = rule(net, CE).gradients(X, LABELS)[1]
    assert not np.any(grads["dense1/weight"])
    assert np.any(grads["dense2/weight"])


# What goes in


@rules
def test_a_generator_equals_the_array(rule):
    learner = rule(everything(), CE)
    value, grads = copied(learner, X, LABELS)
    given = learner.gradients((step for step in X), LABELS)
    assert given[0] == value
    assert_same(given[1], grads)
    assert learner.gradients(list(X), LABELS)[0] == value


def test_an_input_that_does_not_change_is_like_any_other():
    learner = OTTT(two_layers(), CE)
    still = np.broadcast_to(X[:1], X.shape)
    value, grads = copied(learner, np.array(still), LABELS)
    given = learner.gradients(still, LABELS)
    assert given[0] == value
    assert_same(given[1], grads)


@pytest.mark.parametrize("loss", [CE, MSE])
@rules
def test_targets_for_each_step(rule, loss):
    learner = rule(two_layers(), loss)
    one = LABELS if loss is CE else RNG.normal(size=(B, 3))
    value, grads = copied(learner, X, one)
    for target in (np.broadcast_to(one, (T, *one.shape)), (one for _ in range(T))):
        same = learner.gradients(X, target)
        assert same[0] == value
        assert_same(same[1], grads)
    moving = EACH if loss is CE else RNG.normal(size=(T, B, 3))
    other, changed = copied(learner, X, moving)
    assert other != value
    assert_same(copied(learner, X, iter(moving))[1], changed)
    run = learner.net.run(X)
    assert other == pytest.approx(loss(run.output, moving)[0], rel=1e-6)
    np.testing.assert_allclose(learner.output, run.output.mean(0, keepdims=True), 1e-5, 1e-6)


# Updates


@rules
def test_updates_by_step_and_by_sample(rule):
    """By sample, the optimiser sees the sum; by step, each step's own, and later steps see the new weights."""
    whole, stepped, slow = (two_layers(dtype=np.float64) for _ in range(3))
    learner = rule(whole, CE, SGD(0.1))
    grads = copied(learner, X, EACH)[1]
    before = {name: a.copy() for name, a in whole.parameters().items()}
    value = learner.step(X, EACH)
    assert learner.iteration == learner.optimizer.iteration == 1
    for name, array in whole.parameters().items():
        np.testing.assert_allclose(array, before[name] - 0.1 * grads[name], 1e-12, err_msg=name)
    learner = rule(stepped, CE, SGD(0.1), update="step")
    assert learner.step(X, EACH) != pytest.approx(value, rel=1e-3)
    assert (learner.iteration, learner.optimizer.iteration) == (1, T)
    # The parameters after the first step are those after a sample of one step.
    rule(slow, CE, SGD(0.1)).step(X[:1], EACH[:1])
    again = two_layers(dtype=np.float64)
    learner = rule(again, CE, SGD(0.1), update="step")
    next(learner.passes(X, EACH))
    learner.change(learner.passes(X, EACH).__next__()[1])
    for name, array in again.parameters().items():
        np.testing.assert_allclose(array, slow.parameters()[name], 1e-12, err_msg=name)


@rules
def test_running_sums_and_single_steps_agree(rule):
    learner = rule(everything(dtype=np.float64), CE)
    single = [{n: g.copy() for n, g in grads.items()} for _, grads in learner.passes(X, EACH, accumulate=False)]
    total = dict.fromkeys(single[0], 0.0)
    for t, (_, grads) in enumerate(learner.passes(X, EACH, accumulate=True)):
        for name, g in grads.items():
            total[name] = total[name] + single[t][name]
            np.testing.assert_allclose(g, total[name], 1e-10, 1e-14, err_msg=name)


def test_clip_bounds_each_update():
    net = two_layers(dtype=np.float64)
    before = {name: a.copy() for name, a in net.parameters().items()}
    OTTT(net, MSE, SGD(1.0), clip=1e-3).step(X, np.full((B, 3), 100.0))
    moved = sum(np.sum((a - before[name]) ** 2) for name, a in net.parameters().items())
    assert moved**0.5 == pytest.approx(1e-3, rel=1e-9)


@pytest.mark.parametrize("update", ["sample", "step"])
@rules
def test_a_resumed_training_continues_bit_for_bit(rule, update):
    learner = rule(everything(), CE, Adam(0.01), update=update, seed=5)
    for _ in range(2):
        learner.step(X, LABELS)
    saved = learner.state()
    weights = {name: a.copy() for name, a in learner.net.parameters().items()}
    expected = [learner.step(X, LABELS) for _ in range(2)]  # must not change what was saved
    other = rule(everything(seed=9), CE, Adam(0.01), update=update, seed=5)
    for name, array in other.net.parameters().items():
        array[...] = weights[name]
    other.load_state(saved)
    assert other.iteration == 2
    assert [other.step(X, LABELS) for _ in range(2)] == expected
    assert_same(other.net.parameters(), learner.net.parameters())


@rules
def test_the_loss_falls(rule):
    labels = np.arange(24) % 3
    rates = np.where(np.arange(6) // 2 == labels[:, None], 0.8, 0.1)
    x = (np.random.default_rng(4).random((10, 24, 6)) < rates).astype(np.float32)
    net = Sequential(Dense(6, 16), Recurrent(LIF()), Dropout(0.1), Dense(16, 3), LI(), seed=2)
    learner = rule(net, CE, Adam(0.03))
    first, *_, last = [learner.step(x, labels) for _ in range(30)]
    assert last < 0.4 * first
    assert np.mean(net.run(x).output.mean(0).argmax(1) == labels) == 1.0


# Dropout


def test_dropout_is_one_mask_for_all_steps_and_another_in_the_next_iteration():
    net = Sequential(Dense(4, 50), Dropout(0.5), Dense(50, 3), seed=1, device="python")
    learner = OTTT(net, CE)

    def masks():
        return [learner.tape["dropout1"]["mask"].copy() for _ in learner.passes(X, LABELS)]

    first = masks()
    assert 0.3 < (first[0] == 0).mean() < 0.7
    for mask in first:
        np.testing.assert_array_equal(mask, first[0])
    learner.past.iteration = 1
    assert not np.array_equal(masks()[0], first[0])


# Memory


def peak(make, steps):
    net = Sequential(Dense(100, 200), LIF(), Dense(200, 3), LI(), seed=0)
    learner = make(net)
    labels = np.arange(32) % 3

    def stream(count):
        draws = np.random.default_rng(0)
        return ((draws.random((32, 100)) < 0.3).astype(np.float32) for _ in range(count))

    def given(count):
        return np.stack(list(stream(count))) if isinstance(learner, BPTT) else stream(count)

    learner.step(given(25), labels)  # compile, the ways of later windows too
    learner.tape.clear()
    tracemalloc.start()
    learner.step(given(steps), labels)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


@rules
def test_memory_does_not_grow_with_time(rule):
    peak(lambda net: rule(net, CE), 100)  # what is loaded once does not count
    assert peak(lambda net: rule(net, CE), 400) < 1.05 * peak(lambda net: rule(net, CE), 100)  # whole windows both


def test_memory_of_bptt_does():
    assert peak(lambda net: BPTT(net, CE), 400) > 5 * peak(lambda net: BPTT(net, CE), 20)


# Refusals


@pytest.mark.parametrize(
    ("x", "target", "error", "message"),
    [
        (X[..., :3], LABELS, ValueError, r"input must have shape \[T, B, 4\]"),
        (X[:0], LABELS, ValueError, "the input has no steps"),
        (iter([]), LABELS, ValueError, "the input has no steps"),
        (X[:, :0], LABELS[:0], ValueError, "must have shape .* and not be empty"),
        (np.where(np.arange(T)[:, None, None] == 4, np.nan, X), LABELS, ValueError, "input contains 12 NaN"),
        (X.astype(complex), LABELS, TypeError, "input must be .* real numbers"),
        (7, LABELS, TypeError, "input must be an array .* or an iterable"),
        ([X[0], X[1, :2]], LABELS, ValueError, "step 1 of the input has a batch of 2, but step 0 one of 3"),
        (X, LABELS[:2], ValueError, "labels"),
        (X, LABELS + 1, ValueError, "labels must be 0 .. 2"),
        (X, LABELS.astype(float), TypeError, "labels must be integers"),
        (X, EACH[:4], ValueError, "target has 4 steps, but the input has more"),
        (X[:4], EACH, ValueError, "target has 9 steps, but the input has 4"),
        (X, lambda: iter(EACH[:4]), ValueError, "target has 4 steps, but the input has more"),
    ],
)
@rules
def test_wrong_input_raises_and_changes_nothing(rule, x, target, error, message):
    net = two_layers()
    before = {name: a.copy() for name, a in net.parameters().items()}
    learner = rule(net, CE)
    with pytest.raises(error, match=message):
        learner.step(x, target() if callable(target) else target)
    assert learner.iteration == learner.optimizer.iteration == 0
    assert_same(net.parameters(), before)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda y, target: (float("nan"), np.zeros_like(y)), "the loss of step 0 is nan"),
        (lambda y, target: (1.0, np.full_like(y, np.inf)), "the derivative of the loss contains"),
        (lambda y, target: (1.0, np.ones(y.shape[1:])), "the derivative of the loss has shape"),
        (lambda y, target: (1.0, np.ones((4, *y.shape[1:]))), "the derivative of the loss has shape"),
    ],
)
@pytest.mark.parametrize("update", ["sample", "step"])
def test_what_is_not_finite_raises(loss, message, update):
    with (
        np.errstate(invalid="ignore"),
        pytest.raises(ValueError, match=message),
    ):
        SLTT(two_layers(), loss, update=update).step(X, None)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "mse"}, ValueError, "did you mean 'step_mse'"),
        ({"update": "epoch"}, ValueError, "update must be one of 'sample', 'step', not 'epoch'"),
        ({"clip": 0.0}, ValueError, "clip must be greater than 0"),
        ({"net": "net"}, TypeError, "net must be a network"),
        ({"input_decay": 1.0}, ValueError, "input_decay must be less than 1"),
        ({"input_decay": -0.1}, ValueError, "input_decay must be at least 0"),
    ],
)
def test_wrong_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        OTTT(**{"net": two_layers(), **options})


def test_time_constants_are_checked_when_the_network_is_made():
    with pytest.raises(ValueError, match="greater than 0"):
        Sequential(Dense(4, 6), LIF(-1.0))
    with pytest.raises(ValueError, match="at least one step"):
        Sequential(Dense(4, 6), LIFNode(0.5))


def test_a_state_of_another_optimiser_is_refused():
    learner = OTTT(two_layers(), CE, Adam())
    learner.step(X, LABELS)
    with pytest.raises(ValueError, match="state does not fit"):
        OTTT(two_layers(), CE, SGD(0.1)).load_state(learner.state())


@rules
def test_blocks_take_parameters_as_every_batch_finds_them(rule):
    found = []
    for compact in (True, False):
        net = two_layers(device="cpu", dtype=np.float64)
        learner = rule(net, CE, SGD(0.1), window=3, compact=compact)
        assert (learner.fused is not None) == compact
        for _ in range(2):
            learner.step(X, LABELS)
            for weight in net.parameters().values():
                weight *= 0.7
        found.append(copied(learner, X, LABELS))
    (value, grads), (plain, wanted) = found
    assert value == pytest.approx(plain, rel=1e-12)
    for name, g in wanted.items():
        np.testing.assert_allclose(grads[name], g, rtol=1e-9, atol=1e-12, err_msg=name)
