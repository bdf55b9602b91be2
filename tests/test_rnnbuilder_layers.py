"""Loops of any layers, layers side by side, temporal convolution, trained initial states, rnnbuilder's neurons."""

import numpy as np
import pytest

import nbsnn
from nbsnn import (
    BPTT,
    OTTT,
    SLTT,
    Delay,
    Dense,
    Dropout,
    Identity,
    Parallel,
    Population,
    Recurrent,
    Residual,
    Scale,
    Sequential,
    TemporalConv,
)
from nbsnn.layers.layer import flatten
from nbsnn.losses import StepCrossEntropy, rate_cross_entropy
from nbsnn.neurons import (
    ALIF,
    LI,
    LIF,
    PLIF,
    Adaptive,
    Cooldown,
    CubaLI,
    Discontinuous,
    Integrator,
    LateReset,
    MultiSpike,
    NoReset,
)
from nbsnn.neurons.cooldown import halves
from nbsnn.presets import rnnbuilder

T, B, N = 7, 3, 4
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 2.0, (T, B, N))
WEIGHT = nbsnn.init.uniform(-0.2, 0.8)
SIGNS = np.array([1.0, -1.0, -1.0])


def start(neuron, name="v"):
    """``neuron`` with a trained initial state away from zero."""
    return neuron.replace(
        state={**neuron.state, name: 0.4}, learn=(*neuron.learn, f"initial_{name}"), kind="", options={}
    )


NETS = {
    "loop": lambda: [Recurrent(Sequential(Dense(N + 3, 5), LIF(3.0, 0.4), Dense(5, 3, weight=WEIGHT),
                                          Adaptive(3.0, v_threshold=0.2)),
                               join="concatenate"), LI()],
    "identity": lambda: [Recurrent(NoReset(3.0, first="spike", learn="initial_v"), Identity())],
    "feedback with state": lambda: [Recurrent(Sequential(Dense(N, 3), Delay(2)), Sequential(Dense(3, N), LIF()))],
    "loop in loop": lambda: [Recurrent(Sequential(Dense(N, 3), Recurrent(LIF(2.0, 0.5)), Recurrent(LI(), Delay(1))))],
    "feedback that waits": lambda: [Recurrent(LIF(2.0, 0.5), Dense(N, N), waits="feedback"), LI()],
    "feedback in step": lambda: [Recurrent(Sequential(LIF(2.0, 0.5)), Sequential(Dense(N, 4), LIF(3.0, 0.4), Delay(2),
                                                                                Dense(4, N)), waits="feedback")],
    "scale": lambda: [Scale(0.7), LIF(2.0, 0.5), Scale(1.5), CubaLI(2.0, 3.0, learn="tau_syn")],
    "late": lambda: [LateReset(3.0, 0.5, v_start=0.1, learn=("tau", "v_threshold")), Integrator(learn="initial_v")],
    "counts": lambda: [MultiSpike(3.0, 0.4, most=4, learn=("tau", "v_threshold")), Dense(N, 3),
                       MultiSpike(None, 0.3, most=3)],
    "start": lambda: [Dense(N, 3), Recurrent(LIF(2.0, 0.6, first="spike", learn=("initial_v", "v_threshold")))],
    "cooldown": lambda: [Dense(N, 3), Cooldown(5.0, sign=SIGNS, learn=("initial_v", "tau")), Discontinuous(0.5)],
    "parallel": lambda: [Parallel(Dense(N, 3), Sequential(Dense(N, 2), LIF()), join="concatenate"), NoReset()],
    "sum": lambda: [Parallel(slow=LIF(9.0, 0.5), fast=LIF(2.0, 0.5), late=Delay(2), join="sum")],
    "conv": lambda: [TemporalConv(N, 5, 3), Adaptive(3.0, delayed=True, learn="initial_b"), TemporalConv(5, 2, 1)],
}  # fmt: skip


def build(name, **options):
    return Sequential(
        *NETS[name](), **{"device": "python", "seed": 1, "input_shape": N, "dtype": np.float64, **options}
    )


def backward(net, x, state=None):
    tape, grads = {}, net.zeros()
    y, _ = net.forward(x, net.initial(x.shape[1]) if state is None else state, tape)
    gx, before = net.backward(np.cos(np.arange(y.size)).reshape(y.shape), tape, grads)
    return y, gx, flatten(before), flatten(grads)


@pytest.mark.parametrize("name", NETS)
def test_gradients_equal_finite_differences(name):
    nbsnn.check(build(name), trials=1)


@pytest.mark.parametrize("cut", [1, 4])
@pytest.mark.parametrize("name", NETS)
def test_chunks_with_the_state_handed_over_equal_the_whole_run(name, cut):
    net = build(name)
    whole, first = net.run(X), net.run(X[:cut])
    assert np.any(whole.output)
    second = net.run(X[cut:], first.state)
    np.testing.assert_allclose(np.concatenate([first.output, second.output]), whole.output, 1e-12, 1e-13)
    final = flatten(whole.state)
    assert final.keys() == flatten(net.initial(B)).keys()
    for key, array in flatten(second.state).items():
        np.testing.assert_allclose(array, final[key], 1e-12, 1e-13, err_msg=key)


@pytest.mark.parametrize("name", NETS)
def test_steps_equal_a_run(name):
    net = build(name)
    whole = net.run(X)
    *_, (_, last) = net.steps(X)
    for key, array in flatten(last).items():
        np.testing.assert_allclose(array, flatten(whole.state)[key], 1e-12, 1e-13, err_msg=key)


@pytest.mark.parametrize("name", NETS)
def test_a_tape_that_is_used_again_changes_nothing(name):
    net, tape = build(name), {}
    for steps in (T, 2, T):
        x = X[:steps]
        y, _ = net.forward(x, net.initial(B), tape)
        grads = net.zeros()
        gx, _ = net.backward(np.ones_like(y), tape, grads)
    fresh = {}
    np.testing.assert_array_equal(net.forward(X, net.initial(B), fresh)[0], y)
    again = net.zeros()
    np.testing.assert_array_equal(net.backward(np.ones_like(y), fresh, again)[0], gx)
    for key, array in flatten(again).items():
        np.testing.assert_array_equal(array, flatten(grads)[key], err_msg=key)


@pytest.mark.parametrize("name", NETS)
def test_a_saved_network_is_the_same(name, tmp_path):
    net = build(name)
    for array in net.parameters().values():
        array += 0.125
    nbsnn.save(net, tmp_path / "net.npz")
    other = nbsnn.load(tmp_path / "net.npz").twin(device="python")
    assert list(other.parameters()) == list(net.parameters())
    assert repr(other) == repr(net)
    np.testing.assert_array_equal(other.run(X).output, net.run(X).output)


@pytest.mark.parametrize("name", NETS)
def test_input_that_does_not_change_equals_the_same_stored_at_every_step(name):
    net = build(name)
    once = np.broadcast_to(X[:1], X.shape)
    y, gx, before, grads = backward(net, once)
    y_full, gx_full, before_full, grads_full = backward(net, np.array(once, order="C"))
    np.testing.assert_allclose(y, y_full, 1e-12, 1e-13)
    gx = gx if len(gx) == 1 else gx.sum(0, keepdims=True)
    np.testing.assert_allclose(gx, gx_full.sum(0, keepdims=True), 1e-10, 1e-12)
    for found, wanted in ((before, before_full), (grads, grads_full)):
        for key in wanted:
            np.testing.assert_allclose(found[key], wanted[key], 1e-10, 1e-12, err_msg=key)


# The loop


def test_the_general_loop_equals_the_one_of_windows():
    fast = Sequential(r=Recurrent(LIF(3.0, 0.5), Dense(N, N)), input_shape=N, dtype=np.float64, device="python")
    slow = Sequential(
        r=Recurrent(LIF(3.0, 0.5), Sequential(Dense(N, N))), input_shape=N, dtype=np.float64, device="python"
    )
    for (_, a), (_, b) in zip(fast.parameters().items(), slow.parameters().items(), strict=True):
        b[...] = a
    assert fast["r"].windowed and not slow["r"].windowed
    y, gx, _, grads = backward(fast, X)
    y_slow, gx_slow, _, grads_slow = backward(slow, X)
    np.testing.assert_allclose(y_slow, y, 1e-12)
    np.testing.assert_allclose(gx_slow, gx, 1e-10, 1e-12)
    for a, b in zip(grads.values(), grads_slow.values(), strict=True):
        np.testing.assert_allclose(b, a, 1e-10, 1e-12)
    labels = np.array([0, 1, 2])
    for rule in (SLTT, OTTT):
        found = [rule(net, StepCrossEntropy()).gradients(X, labels)[1] for net in (fast, slow)]
        for a, b in zip(*(f.values() for f in found), strict=True):
            np.testing.assert_allclose(b, a, 1e-10, 1e-12)


def test_a_loop_by_hand():
    net = build("loop")
    p = net.parameters()
    v, s, b = np.zeros((B, 5)), np.zeros((B, 3)), np.zeros((B, 3))
    w, decay = np.zeros((B, 3)), np.exp(-1 / 3.0)
    seen = []
    for x in X:
        z = np.concatenate([x, s], axis=1)
        u = decay * v + z @ p["recurrent1/inner/dense1/weight"] + p["recurrent1/inner/dense1/bias"]
        hidden = (u >= 0.4) * 1.0
        v = u * (1 - hidden)
        w = decay * w + hidden @ p["recurrent1/inner/dense2/weight"] + p["recurrent1/inner/dense2/bias"]
        s = (w >= 0.2 + b) * 1.0
        w, b = w - s * (0.2 + b), np.exp(-1 / 200.0) * b + 0.2 * s
        seen.append(s)
    run = net.run(X)
    np.testing.assert_array_equal(run["recurrent1/inner/adaptive1"]["spikes"], seen)
    np.testing.assert_array_equal(run["recurrent1"]["inner"]["adaptive1"]["spikes"], seen)
    np.testing.assert_allclose(run["recurrent1/inner/lif1"]["v"][-1], v)


def test_names_and_reports_reach_into_a_loop():
    net = build("loop in loop")
    names = ["recurrent1/inner/recurrent1/neurons", "recurrent1/inner/recurrent2/neurons"]
    rows = nbsnn.report(net, X, [0, 1, 2], rate_cross_entropy).layers
    assert [row.name for row in rows] == names
    assert rows[0].rate == pytest.approx(net.run(X)[names[0]]["spikes"].mean())
    assert net[names[1]].neuron.kind == "LI"
    assert nbsnn.target_rate(build("loop"), X) == {}


def test_a_regulariser_reaches_into_a_loop():
    net, name = build("loop"), "recurrent1/inner/lif1"

    def regularizer(spikes):
        return float(spikes.sum()), np.ones_like(spikes)

    learner = BPTT(net, lambda y, t: (0.0, np.zeros_like(y)), regularizers={name: regularizer})
    value, grads = learner.gradients(X, None)
    assert value == net.run(X)[name]["spikes"].sum()
    assert np.any(grads["recurrent1/inner/dense1/weight"])


def test_dropout_in_a_loop_is_the_same_at_all_steps():
    net = Sequential(Recurrent(Sequential(Dense(N, 50), Dropout(0.5), keep=LI()), Dense(50, N)), device="python")
    net = Sequential(*net.children.values(), input_shape=N, device="python", dtype=np.float64)
    tape = {}
    y, _ = net.forward(X, net.initial(B), tape, nbsnn.random.Draws(0))
    steps = tape["recurrent1"]["steps"]
    for step in steps:
        np.testing.assert_array_equal(step["inner"]["dropout1"]["mask"], steps[0]["inner"]["dropout1"]["mask"])
    assert 0.3 < np.mean(y[0] == 0.0) < 0.7


# Trained initial states


def test_an_initial_state_is_one_per_unit_or_shared():
    each = Population(LIF(v_rest=0.3, learn="initial_v"), N)
    shared = Population(LIF(v_rest=np.array([0.3]), learn="initial_v"), N)
    assert each.params["initial_v"].shape == (N,)
    assert shared.params["initial_v"].shape == (1,)
    _, _, _, grads = backward(each.twin(dtype=np.float64, device="python"), X)
    _, _, _, summed = backward(shared.twin(dtype=np.float64, device="python"), X)
    assert np.all(grads["initial_v"])
    np.testing.assert_allclose(summed["initial_v"], grads["initial_v"].sum(keepdims=True), 1e-10)
    np.testing.assert_array_equal(each.run(X[:, :1] * 0)["v"][0, 0], np.float32(0.3))


def test_only_a_run_from_the_stated_initial_state_trains_it():
    net = Sequential(Dense(N, 3), start(LIF(5.0)), seed=0, dtype=np.float64, device="python")
    _, _, before, grads = backward(net, X)
    np.testing.assert_array_equal(grads["neuron1/initial_v"], before["neuron1/v"].sum(axis=0))
    assert np.all(grads["neuron1/initial_v"])
    own = {"neuron1": {key: array.copy() for key, array in net.initial(B)["neuron1"].items()}}
    _, _, same, none = backward(net, X, own)
    np.testing.assert_array_equal(same["neuron1/v"], before["neuron1/v"])
    assert not np.any(none["neuron1/initial_v"])


def test_an_initial_state_that_is_trained_cannot_be_changed_in_place():
    net = Sequential(start(LIF()), input_shape=N)
    with pytest.raises(ValueError, match="read-only"):
        net.initial(B)["neuron1"]["v"][...] = 1.0
    net.parameters()["neuron1/initial_v"][...] = np.arange(N)
    np.testing.assert_array_equal(net.initial(2)["neuron1"]["v"], [np.arange(N)] * 2)
    assert Sequential(LIF(), input_shape=N).initial(B)["lif1"]["v"].flags.writeable


def test_truncated_and_online_learning_train_the_start_once():
    def make():
        return Sequential(Dense(N, 3), start(NoReset(2.0)), seed=0, dtype=np.float64, device="python")

    def loss(y, target):
        return float((y * weights[: len(y)]).sum()), weights[: len(y)]

    weights = np.zeros((T, B, 3))
    weights[:2] = RNG.normal(size=(2, B, 3))
    whole = BPTT(make(), loss).gradients(X, None)[1]["neuron1/initial_v"].copy()
    chunked = BPTT(make(), loss, chunk=2).gradients(X, None)[1]["neuron1/initial_v"]
    np.testing.assert_allclose(chunked, whole, 1e-12)
    first = BPTT(make(), loss).gradients(X[:1], None)[1]["neuron1/initial_v"].copy()
    online = SLTT(make(), lambda y, t: (0.0, next(cotangents)))
    cotangents = iter(weights[:, None])
    np.testing.assert_allclose(online.gradients(X, np.zeros(B, int))[1]["neuron1/initial_v"], first, 1e-12)


def test_an_initial_state_is_learned():
    net = Sequential(Population(start(LI(50.0)), N))
    learner = BPTT(net, nbsnn.losses.rate_mse, nbsnn.optim.SGD(0.5))
    values = [learner.step(np.zeros((3, 2, N)), np.full((2, N), 0.9)) for _ in range(100)]
    assert values[-1] < 1e-3 * values[0]
    assert net.parameters()["neuron1/initial_v"].mean() == pytest.approx(0.9, abs=0.05)


def test_a_first_output_is_a_value_a_spike_or_trained():
    assert np.all(Population(LIF(first=0.5), N).initial(B)["spikes"] == 0.5)
    spiking = Population(LIF(v_rest=np.array([0.0, 1.0, 2.0, 0.5]), first="spike"), N)
    np.testing.assert_array_equal(spiking.initial(1)["spikes"], [[0, 1, 1, 0]])
    net = Sequential(r=Recurrent(LIF(3.0, 0.5, learn="initial_spikes")), input_shape=N, device="python", seed=0)
    net = net.twin(dtype=np.float64)
    _, _, before, grads = backward(net, X)
    np.testing.assert_allclose(grads["r/neurons/initial_spikes"], before["r/neurons/spikes"].sum(0), 1e-12)
    assert np.any(grads["r/neurons/initial_spikes"])


# Layers side by side, and over time


def test_parallel_by_hand():
    net = build("parallel")
    run = net.run(X)
    assert run["parallel1/sequential1/lif1"]["spikes"].shape == (T, B, 2)
    assert list(net.layers())[:3] == ["parallel1", "parallel1/dense1", "parallel1/sequential1"]
    a, b = Dense(N, 3), Dense(N, 3)
    both = Sequential(Parallel(a=a, b=b, join="sum"), seed=3)
    expected = X @ (a.params["weight"] + b.params["weight"]) + a.params["bias"] + b.params["bias"]
    np.testing.assert_allclose(both.run(X).output, expected, 1e-4, 1e-5)


def test_channels_are_what_is_concatenated():
    frames = Parallel(Identity(), Delay(1), Delay(2))
    net = Sequential(frames, nbsnn.Conv2d(6, 1, 3), input_shape=(2, 5, 5))
    assert frames.shape == (6, 5, 5)
    x = RNG.random((T, B, 2, 5, 5)).astype(np.float32)
    np.testing.assert_array_equal(frames.run(x).output[3], np.concatenate([x[3], x[2], x[1]], axis=1))
    assert net.shape == (1, 3, 3)


@pytest.mark.parametrize("size", [1, 2, 5, T + 2])
def test_temporal_convolution_by_hand(size):
    layer = TemporalConv(N, 2, size)
    net = Sequential(c=layer, dtype=np.float64, seed=2)
    past = RNG.normal(size=(size - 1, B, N))
    run = net.run(X, {"c": {"past": past}})
    whole = np.concatenate([past, X])
    for t in range(T):
        expected = sum(whole[size - 1 + t - k] @ layer.params["weight"][k] for k in range(size))
        np.testing.assert_allclose(run.output[t], expected + layer.params["bias"], 1e-12)
    np.testing.assert_array_equal(run.state["c"]["past"], whole[T:])


def test_online_traces_pass_through():
    layers = [Dense(N, 4), LIF(3.0, 0.5), Parallel(Identity(), Delay(1)), TemporalConv(8, 5, 2), LIF(3.0, 0.3)]
    net = Sequential(*layers, Residual(Dense(5, 5)), Dense(5, 2), seed=0, dtype=np.float64, device="python")
    values, grads = OTTT(net, StepCrossEntropy()).gradients(X, np.array([0, 1, 0]))
    assert np.isfinite(values)
    assert grads["temporalconv1/weight"].any()
    # The bias sees no trace: its gradient is that of SLTT, while the weights' differ.
    other = SLTT(net, StepCrossEntropy()).gradients(X, np.array([0, 1, 0]))[1]
    np.testing.assert_allclose(grads["temporalconv1/bias"], other["temporalconv1/bias"], 1e-10)
    assert not np.allclose(grads["temporalconv1/weight"], other["temporalconv1/weight"])
    # Lag 0 of the delayed half and lag 1 of the present half see the same trace.
    np.testing.assert_allclose(grads["temporalconv1/weight"][1, :4], grads["temporalconv1/weight"][0, 4:], 1e-10)


# Neurons


@pytest.mark.parametrize("delayed", [False, True])
@pytest.mark.parametrize("make", [Cooldown, lambda **o: Cooldown(sign=-1, **o), Adaptive])
def test_delayed_or_not_derivatives_are_right(make, delayed):
    nbsnn.check(make(delayed=delayed))


def test_no_reset_is_a_leaky_sum():
    x = np.abs(X)
    run = Population(NoReset(3.0), N, device="python", dtype=np.float64).run(x)
    decay = np.exp(-1 / 3.0)
    expected = np.array([sum(decay ** (t - k) * x[k] for k in range(t + 1)) for t in range(T)])
    np.testing.assert_allclose(run["v"], expected)
    np.testing.assert_array_equal(run["spikes"], expected >= 1.0)


def test_an_adaptive_neuron_spikes_as_an_alif():
    x = np.abs(X) * 2
    runs = [
        Population(make(3.0, 20.0, 0.3), N, device="python", dtype=np.float64).run(x)
        for make in (Adaptive, ALIF)
    ]  # fmt: skip
    np.testing.assert_array_equal(runs[0]["spikes"], runs[1]["spikes"])
    np.testing.assert_allclose(runs[0]["b"], 0.3 * runs[1]["a"])


@pytest.mark.parametrize("make", [Cooldown, Adaptive])
def test_delayed_spikes_follow_one_step_later(make):
    x = X - 2.0 if make is Cooldown else np.abs(X)
    now, late = (Population(make(3.0, delayed=d), N, device="python", dtype=np.float64).run(x) for d in (False, True))
    if make is Cooldown:
        np.testing.assert_array_equal(late["spikes"][1:], now["spikes"][:-1])
    last = x.copy()
    last[-1] = 9.0
    changed = Population(make(3.0, delayed=True), N, device="python", dtype=np.float64).run(last)
    np.testing.assert_array_equal(changed["spikes"], late["spikes"])
    assert np.any(Population(make(3.0), N, device="python").run(last)["spikes"] != now["spikes"])


@pytest.mark.parametrize(("shape", "hot"), [((5,), 2), ((2, 3), 3), ((1,), 0)])
def test_cooldown_halves(shape, hot):
    signs = halves(shape)
    assert signs.shape == shape
    np.testing.assert_array_equal(signs.ravel(), [1.0] * hot + [-1.0] * (signs.size - hot))
    first = Population(Cooldown(), shape).initial(2)["spikes"]
    np.testing.assert_array_equal(first, np.broadcast_to(signs < 0, first.shape))


def test_a_neuron_without_state_runs_compiled_in_both_directions():
    compiled, plain = (Population(Discontinuous(0.5), N, device=d, dtype=np.float64) for d in ("cpu", "python"))
    for a, b in zip(backward(compiled, X)[:2], backward(plain, X)[:2], strict=True):
        np.testing.assert_allclose(a, b, 1e-12)


def test_compiled_cooldown_and_adaptive_equal_interpreted_ones():
    for neuron in (rnnbuilder.Cooldown(), rnnbuilder.Adaptive()):
        compiled, plain = (Population(neuron, N, device=d) for d in ("cpu", "python"))
        x = X.astype(np.float32)
        for a, b in zip(backward(compiled, x)[:2], backward(plain, x)[:2], strict=True):
            np.testing.assert_allclose(a, b, 1e-4, 1e-5)


# What is refused


def inner():
    return Sequential(LIF(), Dense(3, 3))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Recurrent(LIF(), join="stack"), ValueError, "join must be one of 'sum', 'concatenate'"),
        (lambda: Parallel(LIF(), join="product"), ValueError, "join must be one of"),
        (lambda: Parallel(), ValueError, "at least one layer"),
        (lambda: Recurrent(3), TypeError, "made of layers and neurons, not of 3"),
        (lambda: Sequential(Recurrent(LIF(), join="concatenate"), input_shape=4), ValueError, "is not known"),
        (lambda: Sequential(Recurrent(Sequential(Dense(6, 3)), join="concatenate"), input_shape=4), ValueError,
         r"is \[7\], but inner takes \[6\]"),
        (lambda: Sequential(Recurrent(inner(), Dense(3, 4)), input_shape=3), ValueError, r"\[3\] and \[4\]: a sum"),
        (lambda: Sequential(Recurrent(nbsnn.Conv2d(1, 1, 3)), input_shape=(1, 5, 5)), ValueError, "flat input"),
        (lambda: Sequential(Parallel(Dense(4, 3), Dense(4, 2), join="sum")), ValueError, r"\[3\] and \[2\]: a sum"),
        (lambda: Sequential(Parallel(nbsnn.Flatten(), Identity()), input_shape=(2, 3)), ValueError, "first axis"),
        (lambda: TemporalConv(4, 3, 0), ValueError, "kernel_size must be at least 1"),
        (lambda: TemporalConv(4, 3, 1.5), TypeError, "kernel_size must be an integer"),
        (lambda: Sequential(Dense(4, 5), TemporalConv(4, 3, 2)), ValueError, "needs an input of 4 units"),
        (lambda: LIF(learn="initial_w"), ValueError, "its initial values .*'initial_v'"),
        (lambda: LIF(first="late"), ValueError, 'first must be "spike" or a value'),
        (lambda: LIF(first="spike", learn="initial_spikes"), ValueError, "initial_spikes"),
        (lambda: LIF(first=np.nan), ValueError, "the initial spikes must be finite"),
        (lambda: LIF().replace(first=("v", "tau")), ValueError, "unit of time"),
        (lambda: LIF().replace(first=("v",)), ValueError, "first must be a value, or name a state"),
        (lambda: Population(LIF(first=np.ones(3)), 4), ValueError, r"initial_spikes of shape \[3\]"),
        (lambda: Population(LIF(v_rest=np.ones(3), learn="initial_v"), 4), ValueError, r"of shape \[3\]"),
        (lambda: Cooldown(sign=0.5), ValueError, "made of 1 and -1"),
        (lambda: Cooldown(sign="thirds"), ValueError, '"halves"'),
        (lambda: Cooldown(sign=np.array([1.0, np.nan])), ValueError, "made of 1 and -1"),
        (lambda: Population(Cooldown(sign=SIGNS), 4), ValueError, r"sign of shape \[3\]"),
        (lambda: Adaptive(v_threshold=0.0), ValueError, "must be greater than 0"),
        (lambda: Adaptive(beta=-0.1), ValueError, "at least 0"),
        (lambda: Population(NoReset(0.0), 4), ValueError, "tau must be"),
        (lambda: Population(Adaptive(tau_adapt=-1.0), 4), ValueError, "tau_adapt must be"),
        (lambda: Population(Cooldown(-5.0), 4), ValueError, "tau must be"),
        (lambda: Discontinuous(np.nan), ValueError, "v_threshold must be finite"),
        (lambda: rnnbuilder.SpikeLinear(0.0), ValueError, "greater than 0"),
        (lambda: Population(rnnbuilder.LIF(tau=-1.0), 4), ValueError, "tau must be"),
        (lambda: PLIF(learn="initial_x"), ValueError, "initial_x"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("name", ["loop", "sum", "conv"])
@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[..., :3], ValueError, "shape"),
        (X[:0], ValueError, "not be empty"),
        (np.where(X[2, 1, 3] == X, np.nan, X), ValueError, "1 NaN"),
        (X + 0j, TypeError, "real numbers"),
    ],
)
def test_input_that_does_not_fit_raises(name, x, error, message):
    with pytest.raises(error, match=message):
        build(name).run(x)


def test_a_state_without_what_is_fed_back_raises():
    net = build("loop")
    state = net.run(X).state
    state["recurrent1"].pop("output")
    with pytest.raises(ValueError, match=r"state\['recurrent1'\] has the entries"):
        net.run(X, state)
