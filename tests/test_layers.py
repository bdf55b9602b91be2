"""Layers and their composition: explicit state, refused input, names, and gradients of shared parameters.

Nearly all of it runs interpreted (``device="python"``), which computes the same numbers without a compiler.
"""

import copy
import signal
import time

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
    Layer,
    Neuron,
    Parallel,
    Population,
    Recurrent,
    Residual,
    Scale,
    Sequential,
    losses,
    set_threads,
)
from nbsnn.device import threads as device
from nbsnn.kernels.arrays.finite import unfinite
from nbsnn.layers.layer import Setting, flatten
from nbsnn.layers.stateless import Stateless
from nbsnn.neurons import LI, LIF, CubaLIF
from nbsnn.random import Draws

T, B, N = 8, 3, 4
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 2.0, (T, B, N)).astype(np.float32)


def build(name, **options):
    """A small network by what is special in it."""
    options = {"device": "python", "seed": 1, "input_shape": N, **options}
    parts = {
        "sequential": lambda: [Dense(N, 5), CubaLIF(), Dense(5, 2), LI()],
        "recurrent": lambda: [Dense(N, 5), Recurrent(LIF(3.0, 0.6), Dense(5, 5)), Dense(5, 2), LI()],
        "delay": lambda: [Delay(3), Dense(N, 5), LIF(3.0, 0.5), Delay(1)],
        "refractory": lambda: [Dense(N, 5), LIF(3.0, 0.4, refractory=2)],
        "residual": lambda: [Dense(N, 5), Residual(Dense(5, 5), LIF(3.0, 0.4)), LI()],
        "residual recurrent": lambda: [Residual(Recurrent(LIF(3.0, 0.5)), shortcut=Dense(N, N)), LI()],
        "residual delay": lambda: [Residual(Delay(2)), LIF()],
        "iand": lambda: [Dense(N, 5), LIF(3.0, 0.4), Residual(Dense(5, 5), LIF(3.0, 0.4), join="iand"), LI()],
    }
    return Sequential(*parts[name](), **options)


STATEFUL = [
    "sequential",
    "recurrent",
    "delay",
    "refractory",
    "residual",
    "residual recurrent",
    "residual delay",
    "iand",
]
BIT_FOR_BIT = ["sequential", "recurrent", "delay", "refractory", "residual"]


def equal_states(a, b):
    a, b = flatten(a), flatten(b)
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("name", STATEFUL)
def test_a_run_leaves_nothing_behind(name):
    net = build(name)
    first, second = net.run(X), net.run(X)
    assert np.any(first.output)
    np.testing.assert_array_equal(first.output, second.output)
    equal_states(first.state, second.state)


@pytest.mark.parametrize("cut", [1, 3, T - 1])
@pytest.mark.parametrize("name", BIT_FOR_BIT)
def test_chunks_with_the_state_handed_over_equal_the_whole_run(name, cut):
    # The sizes of matrix products must not matter: weights and inputs are halves and quarters, sums of them exact.
    net = build(name)
    for array in net.parameters().values():
        array[...] = np.round(array * 4) / 4
    x = np.round(X * 2) / 2
    whole, first = net.run(x), net.run(x[:cut])
    kept = {key: array.copy() for key, array in flatten(first.state).items()}
    second = net.run(x[cut:], first.state)
    np.testing.assert_array_equal(np.concatenate([first.output, second.output]), whole.output)
    equal_states(second.state, whole.state)
    equal_states(first.state, kept)  # what was handed in is not changed


def test_delay_by_hand():
    net = Sequential(Delay(2), input_shape=N)
    run = net.run(X)
    np.testing.assert_array_equal(run.output, np.concatenate([np.zeros((2, B, N)), X[:-2]]))
    np.testing.assert_array_equal(run.state["delay1"]["queue"], X[-2:])


def test_recurrence_by_hand():
    net = Sequential(r=Recurrent(LIF(2.0, 0.8), Dense(N, N)), input_shape=N, device="python", seed=3)
    weight, bias = net.parameters()["r/feedback/weight"], net.parameters()["r/feedback/bias"]
    v, s = np.zeros((B, N), np.float32), np.zeros((B, N), np.float32)
    outputs = []
    for x in X:
        u = np.float32(np.exp(-0.5)) * v + x + s @ weight + bias
        s = (u >= 0.8).astype(np.float32)
        v = u * (1 - s)
        outputs.append(s)
    np.testing.assert_array_equal(net.run(X).output, outputs)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: {}, ValueError, "state has the entries"),
        (lambda s: {**s, "more": {}}, ValueError, "state has the entries"),
        (lambda s: [1], TypeError, "state must be a dict"),
        (lambda s: {**s, "li1": {**s["li1"], "w": 1}}, ValueError, r"state\['li1'\] has the entries"),
        (lambda s: {**s, "li1": {**s["li1"], "v": np.zeros((B, 3), np.float32)}}, ValueError, r"needs \[3, 2\]"),
        (lambda s: {**s, "li1": {**s["li1"], "v": np.zeros((B, 2))}}, TypeError, "is float64, .* computes in float32"),
        (lambda s: {**s, "li1": {**s["li1"], "v": s["li1"]["v"] * np.nan}}, ValueError, r"\['v'\] contains 6 NaN"),
    ],
)
def test_a_state_that_does_not_fit_raises(change, error, message):
    net = build("sequential")
    with pytest.raises(error, match=message):
        net.run(X, change(net.run(X).state))


def test_a_state_of_another_batch_size_raises():
    net = build("sequential")
    with pytest.raises(ValueError, match="a batch of 2 needs"):
        net.run(X[:, :2], net.run(X).state)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (X[:, 0], ValueError, r"but it is \[8, 4\]; x\[:, None\] is a batch of one sample"),
        (X[..., :3], ValueError, r"shape \[T, B, 4\] and not be empty, but it is \[8, 3, 3\]"),
        (X[0], ValueError, "shape"),
        (X[:0], ValueError, "not be empty"),
        (X[:, :0], ValueError, "not be empty"),
        (np.float32(1.0), ValueError, "shape"),
        (X + 0j, TypeError, "real numbers, not complex64"),
        (X.astype(object), TypeError, "real numbers"),
        (np.where(X[2, 1, 3] == X, np.nan, X), ValueError, r"1 NaN or infinite values, the first at index \(2, 1, 3\)"),
        (np.broadcast_to(np.float32(np.inf), X.shape), ValueError, "NaN or infinite"),
    ],
)
def test_input_that_does_not_fit_raises(x, error, message):
    with pytest.raises(error, match=message):
        build("sequential").run(x)


def test_integers_booleans_and_strided_arrays_are_taken():
    net = build("sequential")
    spikes = X > 0.5
    expected = net.run(spikes.astype(np.float32)).output
    for x in (
        spikes,
        spikes.astype(np.uint8),
        spikes.astype(np.int64).tolist(),
        np.asfortranarray(spikes.astype("f8")),
    ):
        np.testing.assert_array_equal(net.run(x).output, expected)


def gradients(net, x, wanted=True):
    tape, grads = {}, net.zeros()
    x = net.check_input(x)
    y, final = net.forward(x, net.initial(x.shape[1]), tape)
    rng = np.random.default_rng(5)
    gy = rng.normal(size=y.shape).astype(y.dtype)
    after = {key: rng.normal(size=a.shape).astype(a.dtype) for key, a in flatten(final).items()}
    gx, before = net.backward(gy, tape, grads, after=nest(after), wanted=wanted)
    return y, gx, before, flatten(grads)


def nest(flat):
    nested = {}
    for name, value in flat.items():
        *path, last = name.split("/")
        place = nested
        for part in path:
            place = place.setdefault(part, {})
        place[last] = value
    return nested


@pytest.mark.parametrize("name", STATEFUL)
def test_input_that_does_not_change_equals_the_same_stored_at_every_step(name):
    net = build(name, dtype=np.float64)
    once = np.broadcast_to(X[:1], X.shape)
    y, gx, before, grads = gradients(net, once)
    y_full, gx_full, before_full, grads_full = gradients(net, np.array(once, order="C"))
    np.testing.assert_allclose(y, y_full, 1e-12, 1e-14)
    assert gx_full.shape == X.shape
    gx = gx if len(gx) == 1 else gx.sum(0, keepdims=True)
    np.testing.assert_allclose(gx, gx_full.sum(0, keepdims=True), 1e-10, 1e-12)
    for a, b in ((flatten(before), flatten(before_full)), (grads, grads_full)):
        for key in a:
            np.testing.assert_allclose(a[key], b[key], 1e-10, 1e-12, err_msg=key)


# (Not for a refractory period, whose length jumps with the spike; its vjp is checked step by step in test_neurons.)
@pytest.mark.parametrize("name", [name for name in STATEFUL if name != "refractory"])
@pytest.mark.parametrize("static", [False, True])
def test_gradients_equal_finite_differences_in_a_random_direction(name, static):
    net = build(name).twin(dtype=np.float64, smooth=True)
    x = X[:1].astype(np.float64) if static else X.astype(np.float64)
    start = {key: a + 0.1 for key, a in flatten(net.initial(B)).items()}

    def loss(x, start, parameters):
        for key, array in net.parameters().items():
            array[...] = parameters[key]
        full = np.broadcast_to(x, X.shape)
        y, final = net.forward(full, nest(start), {})
        return sum(np.sum(a * w) for a, w in zip([y, *flatten(final).values()], weights, strict=True))

    rng = np.random.default_rng(3)
    parameters = {key: a.copy() for key, a in net.parameters().items()}
    tape, grads = {}, net.zeros()
    y, final = net.forward(np.broadcast_to(x, X.shape), nest(start), tape)
    weights = [rng.normal(size=a.shape) for a in [y, *flatten(final).values()]]
    after = nest(dict(zip(flatten(final), weights[1:], strict=True)))
    gx, before = net.backward(weights[0], tape, grads, after=after)
    if static and len(gx) > 1:
        gx = gx.sum(0, keepdims=True)
    grads, before = flatten(grads), flatten(before)
    directions = {key: rng.normal(size=a.shape) for key, a in {**parameters, **start}.items()}
    dx = rng.normal(size=x.shape)
    moved = [
        loss(
            x + h * dx,
            {key: a + h * directions[key] for key, a in start.items()},
            {key: a + h * directions[key] for key, a in parameters.items()},
        )
        for h in (1e-6, -1e-6)
    ]
    expected = (moved[0] - moved[1]) / 2e-6
    found = np.sum(gx * dx) + sum(np.sum(g * directions[key]) for key, g in {**grads, **before}.items())
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", STATEFUL)
def test_steps_equal_a_run(name):
    net = build(name, dtype=np.float64)
    whole = net.run(X)
    last = None
    for t, state in net.steps(X):
        last = state
        inner = [k for k in state if k in whole and set(whole[k].keys()) >= set(state[k])]
        for layer in inner:
            for variable, value in state[layer].items():
                if isinstance(value, np.ndarray):
                    np.testing.assert_allclose(value, whole[layer][variable][t], 1e-12, 1e-14)
    for key, value in flatten(last).items():
        np.testing.assert_allclose(value, flatten(whole.state)[key], 1e-12, 1e-14)


def test_changing_the_state_in_place_changes_the_steps_that_follow():
    net = Sequential(Population(LI(2.0, decay="euler"), N), device="python")
    seen = []
    for t, state in net.steps(X):
        if t == 2:
            state["li1"]["v"][:] = 8.0
        seen.append(state["li1"]["v"].copy())
    untouched = net.run(X)["li1"]["v"]
    np.testing.assert_array_equal(seen[:2], untouched[:2])
    np.testing.assert_array_equal(seen[3], X[3] + 4.0)


def test_a_state_spoilt_on_the_way_raises():
    steps = Sequential(Population(LI(), N), device="python").steps(X)
    _, state = next(steps)
    state["li1"]["v"][:] = np.nan
    with pytest.raises(ValueError, match=r"state\['li1'\]\['v'\] contains 12 NaN"):
        next(steps)


@pytest.mark.parametrize("batch", [1, 5])
def test_results_do_not_depend_on_the_number_of_threads(monkeypatch, batch):
    monkeypatch.setattr(device, "SERIAL", 0)
    x = RNG.uniform(-0.5, 1.5, (T, batch, 7)).astype(np.float32)
    results = []
    for threads in (1, 2, 3):
        set_threads(threads)
        population = Population(LIF(2.0, learn=("tau", "v_threshold", "v_rest")), 7)
        tape, grads = {}, population.zeros()
        y, final = population.forward(x, population.initial(batch), tape)
        gx, before = population.backward(np.ones_like(y), tape, grads)
        results.append([y, gx, *final.values(), *before.values(), *grads.values()])
    set_threads(None)
    assert np.any(results[0][1])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_wrong_numbers_of_threads_raise(monkeypatch):
    before = device.threads()
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        set_threads(0)
    with pytest.raises(ValueError, match="threads must be at most 4096, not 1000000"):
        set_threads(10**6)
    for wrong in (np.nan, 2.5, "2", True):
        with pytest.raises(TypeError, match="threads must be an integer, not"):
            set_threads(wrong)
    assert device.threads() == before
    for wrong in ("two", "0", "-1", "2.5", "5000"):
        monkeypatch.setenv("NBSNN_THREADS", wrong)
        with pytest.raises(ValueError, match=f"NBSNN_THREADS must be an integer from 1 to 4096, not '{wrong}'"):
            device.threads()


@pytest.mark.parametrize(
    ("caller", "error"), [(None, ZeroDivisionError), ("raise", KeyError), ("stop", KeyboardInterrupt)]
)
def test_whatever_happens_all_threads_have_ended(caller, error):
    """The second of three threads fails, the third is slow; the caller's own part ends well, fails, or is interrupted,
    which counts for more."""
    ended = []

    def call(lo, hi):
        if lo == 0 and caller == "raise":
            raise KeyError("own")
        if lo == 0 and caller == "stop":
            signal.raise_signal(signal.SIGINT)
        if lo == 1:
            raise ZeroDivisionError("other")
        time.sleep(0.05 * lo)
        ended.append((lo, hi))

    set_threads(3)
    with pytest.raises(error):
        device.run_threaded(call, 3, device.SERIAL + 1)
    assert ended == [(0, 1), (2, 3)][caller is not None :]
    assert device.run_threaded(lambda lo, hi: lo, 5, device.SERIAL + 1) == [0, 1, 3]


@pytest.mark.filterwarnings("error")
def test_threads_warn_of_nothing_that_the_caller_does_not_want_to_hear(monkeypatch):
    monkeypatch.setattr(device, "threads", lambda: 3)
    large = np.uint64(2**63 + 1)
    with np.errstate(over="ignore"):
        assert device.run_threaded(lambda lo, hi: int(large * np.uint64(2)), 3, device.SERIAL + 1) == [2, 2, 2]
    with pytest.raises(RuntimeWarning, match="overflow"):
        device.run_threaded(lambda lo, hi: lo and large * np.uint64(2), 3, device.SERIAL + 1)
    set_threads(None)


# Names


@pytest.mark.parametrize(("join", "made"), [("sum", [0, 1, 1, 2]), ("and", [0, 0, 0, 1]), ("iand", [0, 1, 0, 0])])
def test_a_shortcut_joins_spikes_as_in_spike_element_wise_networks(join, made, tmp_path):
    net = Sequential(Residual(Scale(), shortcut=Scale(), join=join), input_shape=4, device="python")
    net["residual1/branch/scale1"].params["scale"] = [0, 0, 1, 1]
    net["residual1/shortcut"].params["scale"] = [0, 1, 0, 1]
    nbsnn.save(net, tmp_path / "net.npz")
    for each in (net, nbsnn.load(tmp_path / "net.npz"), net.twin()):
        np.testing.assert_array_equal(each.run(np.ones((2, 3, 4))).output, np.broadcast_to(made, (2, 3, 4)))
        assert ("join=" in repr(each)) == (join != "sum")


def test_names_by_kind_and_by_keyword():
    net = Sequential(Dense(N, 5), LIF(), Dense(5, 5), out=Recurrent(LI()))
    assert list(net.children) == ["dense1", "lif1", "dense2", "out"]
    assert list(net.layers()) == ["dense1", "lif1", "dense2", "out", "out/neurons", "out/feedback"]
    assert list(net.parameters())[-1] == "out/feedback/weight"
    assert net["out/neurons"] is net["out"].children["neurons"]
    assert "dense2: Dense(5, 5)" in repr(net)
    with pytest.raises(KeyError, match=r"no layer 'out/lif'.*'dense1'"):
        net["out/lif"]


def test_a_population_of_ones_own_neuron_has_a_name():
    net = Sequential(Neuron(lambda x, v: (v, v + x), state={"v": 0.0}), input_shape=N)
    assert list(net.children) == ["neuron1"]


def test_runs_by_name():
    net = build("recurrent")
    run = net.run(X)
    assert "recurrent1" in run
    assert run["recurrent1"]["neurons"]["v"].shape == (T, B, 5)
    np.testing.assert_array_equal(run["recurrent1/neurons"]["spikes"], run["recurrent1"]["neurons"]["spikes"])
    with pytest.raises(KeyError, match="records nothing called 'w'"):
        run["li1"]["w"]
    with pytest.raises(KeyError, match="'lif9'"):
        run["lif9"]


@pytest.mark.parametrize(
    "make",
    [
        lambda d: Sequential(d, LIF(), d),
        lambda d: Sequential(a=d, b=d),
        lambda d: Sequential(d, Residual(d)),
        lambda d: Sequential(d, Recurrent(LIF(), d)),
    ],
)
def test_the_same_layer_twice_raises(make):
    with pytest.raises(ValueError, match="same layer stands in a network twice"):
        make(Dense(N, N))


def test_the_same_neuron_twice_is_two_populations():
    neuron = LIF(learn="tau")
    net = Sequential(neuron, neuron, input_shape=N)
    assert list(net.parameters()) == ["lif1/tau", "lif2/tau"]
    assert net["lif1"] is not net["lif2"]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Sequential(), ValueError, "at least one layer"),
        (lambda: Sequential(3), TypeError, "made of layers and neurons, not of 3"),
        (lambda: Sequential(Dense(4, 5), w=Dense(6, 2)), ValueError, r"w: Dense\(6, 2\) needs .* 6 units.*\[5\]"),
        (lambda: Sequential(Dense(4, 5), Population(LIF(), 6)), ValueError, r"lif1: .* shape \[6\].* has \[5\]"),
        (lambda: Sequential(Dense(4, 5), LIF(np.ones(4))), ValueError, r"lif1: parameter tau of shape \[4\]"),
        (lambda: Sequential(Dense(4, 5), LIF(-1.0)), ValueError, "lif1: tau must be"),
        (lambda: Sequential(Dense(4, 5), Residual(Dense(5, 6))), ValueError, r"residual1: the branch .*\[6\].*\[5\]"),
        (lambda: Sequential(Dense(4, 5), dense1=Dense(5, 2)), ValueError, "two layers are called 'dense1'"),
        (lambda: Sequential(Recurrent(LIF()), input_shape=(2, 3)), ValueError, r"recurrent1: .*flat input.*\[2, 3\]"),
        (lambda: Sequential(Dense(4, 5), dt=0.0), ValueError, "dt must be greater than 0"),
        (lambda: Sequential(Dense(4, 5), dtype=np.float16), TypeError, "float32 or float64"),
        (lambda: Sequential(Dense(4, 5), device="gpu"), ValueError, "device must be one of"),
        (lambda: Dense(0, 5), ValueError, "n_pre must be at least 1"),
        (lambda: Dense(4, 2.5), TypeError, "n_post must be an integer"),
        (lambda: Delay(0), ValueError, "steps must be at least 1"),
        (lambda: Dropout(1.0), ValueError, "p must be below 1"),
        (lambda: Dropout(-0.1), ValueError, "p must be at least 0"),
        (lambda: Population(Dense(2, 2)), TypeError, "made of a Neuron"),
        (lambda: Sequential(LIF()).run(X), ValueError, "not built yet"),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_raise(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Learned parameters


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((), (0, 1, 2)), ((1,), (0, 1, 2)), ((2, 1, 1), (1, 2)), ((3, 4), (0,)), ((1, 3, 1), (0, 2)), ((2, 3, 4), ())],
)
def test_gradients_of_learned_parameters_are_summed_where_units_share_them(shape, axes):
    units, x = (2, 3, 4), RNG.uniform(0, 1, (5, B, 2, 3, 4))

    def gradient(tau):
        population = Population(LIF(tau, learn="tau"), units, device="python", dtype=np.float64)
        tape, grads = {}, population.zeros()
        y, _ = population.forward(x, population.initial(B), tape)
        population.backward(np.cos(np.arange(y.size)).reshape(y.shape), tape, grads)
        return grads["tau"]

    found, each = gradient(np.full(shape, 2.5)), gradient(np.full(units, 2.5))
    assert found.shape == shape
    np.testing.assert_allclose(found, each.sum(axis=axes).reshape(shape), 1e-10)


def test_an_input_shape_with_several_axes_is_kept():
    run = Sequential(LIF(), input_shape=(2, 3), device="python").run(np.ones((T, B, 2, 3)))
    assert run.output.shape == run["lif1"]["v"].shape == (T, B, 2, 3)
    assert run.state["lif1"]["v"].shape == (B, 2, 3)


@pytest.mark.parametrize("name", STATEFUL)
def test_a_twin_has_equal_weights_and_arrays_of_its_own(name):
    net = build(name)
    for array in net.parameters().values():
        array += 0.25  # no longer what the seed gives
    net.run(X)
    twin = net.twin(dtype=np.float64)
    np.testing.assert_allclose(twin.run(X).output, net.run(X).output, 1e-5, 1e-5)
    for key, array in twin.parameters().items():
        assert array.dtype == np.float64
        np.testing.assert_array_equal(array, net.parameters()[key])
        array += 1.0
        assert not np.array_equal(array, net.parameters()[key])


def test_a_twin_of_a_compiled_population_keeps_learned_values():
    population = Population(LIF(2.0, learn=("tau", "v_threshold", "v_rest")), N)
    population.run(X)
    population.params["tau"][...] = 7.0
    twin = population.twin(device="python")
    np.testing.assert_array_equal(twin.run(X)["v"], population.run(X)["v"])
    assert twin.params["tau"] == 7.0


def test_seeds_and_names_give_the_weights():
    a, b, c = (build("sequential", seed=seed).parameters() for seed in (1, 1, 2))
    for key in a:
        np.testing.assert_array_equal(a[key], b[key])
        assert not np.array_equal(a[key], c[key])
    other = Sequential(Dense(N, 5), CubaLIF(), Residual(Dense(5, 5)), LI(), seed=1)
    np.testing.assert_array_equal(other.parameters()["dense1/weight"], a["dense1/weight"])


# Dropout


def dropped(draws, p=0.4, steps=T):
    layer = Dropout(p)
    layer.build((200,), Setting(), Draws(0))
    x = np.ones((steps, B, 200), np.float32)
    tape = {}
    y, _ = layer.forward(x, {}, tape, draws)
    gx, _ = layer.backward(np.full_like(x, 2.0), tape, {})
    return x, y, gx


def test_dropout_is_off_outside_training():
    x, y, gx = dropped(None)
    assert y is x
    assert np.all(gx == 2.0)


def test_dropout_silences_the_same_units_at_all_steps_and_scales_the_others():
    _, y, gx = dropped(Draws(1))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:1], y.shape))
    np.testing.assert_allclose(np.unique(y), [0.0, 1 / 0.6], rtol=1e-6)
    np.testing.assert_array_equal(gx, 2 * y)
    assert y.mean() == pytest.approx(1.0, abs=0.15)  # 600 draws: three standard deviations are 0.1
    assert not np.array_equal(y[0, 0], y[0, 1])
    np.testing.assert_array_equal(y, dropped(Draws(1))[1])
    assert not np.array_equal(y, dropped(Draws(2))[1])
    np.testing.assert_array_equal(y[:2], dropped(Draws(1), steps=2)[1])


def test_a_dropout_of_zero_changes_nothing():
    x, y, _ = dropped(Draws(1), p=0.0)
    assert y is x


def test_a_layer_promises_build_forward_and_backward():
    layer = Layer()
    for call in (
        lambda: layer.build((1,), Setting(), Draws(0)),
        lambda: layer.forward(X, {}, {}),
        lambda: layer.backward(X, {}, {}),
    ):
        with pytest.raises(NotImplementedError):
            call()


class Returning(Stateless):
    """Returns what two functions make of its input, and of the gradient."""

    kind = "returning"

    def __init__(self, output=lambda x: x, gradient=lambda gy: gy):
        super().__init__()
        self.output, self.gradient = output, gradient

    def build(self, in_shape, setting, draws):
        self.in_shape = self.shape = in_shape
        self.settle(setting)

    def apply(self, x, tape, draws):
        return self.output(x)

    def reverse(self, gy, tape, grads, wanted):
        return self.gradient(gy)


WRONG = {
    "too few units": lambda x: x[..., :2],
    "too many units": lambda x: np.concatenate([x, x], -1),
    "too few steps": lambda x: x[:-1],
    "too few samples": lambda x: x[:, :1],
    "no axes": lambda x: x[0, 0, 0],
    "no array": lambda x: x.tolist(),
    "nothing": lambda x: None,
    "complex": lambda x: x + 1j,
}


@pytest.mark.parametrize("learner", [BPTT, SLTT, OTTT])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_custom_layer_returns_must_fit_before_a_kernel_reads_it(wrong, learner):
    x = np.ones((3, 2, 4), np.float32)
    for made in (Returning(WRONG[wrong]), Returning(gradient=WRONG[wrong])):
        for around in (lambda layer: layer, lambda layer: Residual(Sequential(layer)), Parallel):
            layers = Dense(4, 4), LIF(), around(copy.deepcopy(made)), Dense(4, 2), LI()
            net = Sequential(*layers, seed=0, device="python")
            with pytest.raises((TypeError, ValueError), match=r"returning1: the (output|gradient|trace)"):
                learner(net, losses.rate_cross_entropy if learner is BPTT else None).step(x, [0, 1])


def test_a_kernel_that_looks_at_large_inputs_sees_each_number_of_its_part():
    for wrong in (np.nan, np.inf, -np.inf):
        for place in range(7):
            x = np.arange(7.0)
            x[place] = wrong
            assert unfinite(2, 5, x) == (place in (2, 3, 4))
