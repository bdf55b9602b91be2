"""What is handed over keeps its value; what is kept outlives copies, pickles and processes; one thread at a time."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import nbsnn
from nbsnn import BPTT, SLTT, Dense, EProp, Neuron, Recurrent, Sequential, losses, neurons, optim, surrogates
from nbsnn.layers.stateless import Stateless
from nbsnn.neurons import LI, LIF
from nbsnn.plasticity import NearestSTDP, Plastic

X, LABELS = np.random.default_rng(0).random((5, 8, 4)).astype(np.float32), np.arange(8) % 3


def network(**options):
    return Sequential(Dense(4, 6), LIF(learn="tau"), Dense(6, 3), LI(), **{"seed": 0, "device": "python", **options})


# Parameters


def test_what_is_assigned_to_a_parameter_is_copied_into_it():
    net, given = network(), np.ones((4, 6))
    array = net["dense1"].params["weight"]
    net["dense1"].params["weight"] = given
    given[...] = 7.0
    assert net["dense1"].params["weight"] is array and (array == 1.0).all()
    net["dense1"].params |= {"bias": range(6)}
    np.testing.assert_array_equal(net.parameters()["dense1/bias"], range(6))
    net["lif1"].params["tau"] = 9.0  # has an effect on the step
    assert net["lif1"].values["tau"] == 9.0


@pytest.mark.parametrize(
    ("of", "name", "value", "message"),
    [
        (
            lambda net: net["dense1"],
            "bias",
            np.zeros(6),
            "Dense: bias stays as it was made; what is learned stands in p",
        ),
        (lambda net: net["dense1"], "path", "events", "path stays"),
        (lambda net: net["dense1"], "wieght", 1.0, "there is no attribute 'wieght'"),
        (lambda net: net["lif1"], "neuron", LIF(3.0), "neuron stays"),
        (lambda net: net, "learning_rate", 0.1, "Sequential: there is no attribute"),
        (lambda net: BPTT(net, losses.rate_mse), "lr", 0.1, "BPTT: there is no attribute 'lr'; learner.optimizer.lr"),
        (lambda net: BPTT(net, losses.rate_mse), "chunk", 3, "chunk stays"),
        (lambda net: SLTT(net), "loss", losses.rate_mse, "SLTT: loss stays"),
        (lambda net: optim.Adam(), "learning_rate", 0.1, "no attribute 'learning_rate'; lr can be set"),
        (lambda net: optim.SGD(0.1), "momentum", 0.9, r"momentum stays as it was made; .* optimizer.replace\("),
    ],
)
def test_settings_that_would_have_no_effect_are_refused(of, name, value, message):
    it = of(network())
    with pytest.raises(AttributeError, match=message):
        setattr(it, name, value)


def test_what_has_an_effect_can_be_set_and_own_classes_have_what_they_want():
    net, adam = network(), optim.Adam()
    net["dense1"].weight, adam.lr = np.ones((4, 6)), 0.5
    assert (net["dense1"].params["weight"] == 1.0).all() and adam.replace().lr == 0.5

    class Counting(optim.Adam):
        def hyper(self, lr, k):
            self.asked = k
            return super().hyper(lr, k)

    class Scaled(Dense):
        pass

    own = Sequential(scaled := Scaled(4, 3), LI(), seed=0, device="python")
    scaled.seen = 1
    with pytest.raises(AttributeError, match="Scaled: bias stays"):
        scaled.bias = False
    BPTT(own, losses.rate_mse, counting := Counting()).step(X, LABELS)
    assert counting.asked == 1
    for each in (copy.deepcopy(adam), pickle.loads(pickle.dumps(adam)), copy.deepcopy(net)):
        with pytest.raises(AttributeError):
            each.nothing = 1


def test_what_a_neuron_was_made_of_stays():
    with pytest.raises(TypeError, match=r"a neuron or a rule stays as it was made; replace\(params"):
        LIF().params["tau"] = 3.0


def test_masked_values_are_refused():
    """NumPy would read them as if there were no mask."""
    masked, net = np.ma.masked_array(X, X < 0.5), nbsnn.Network(device="python")
    cells, learner = net.population(LIF(), 2), BPTT(network(), losses.rate_cross_entropy)
    for call in (
        lambda: learner.step(masked, LABELS),
        lambda: learner.step(X, np.ma.masked_array(LABELS, LABELS == 1)),
        lambda: net.spikes(masked[0, 0], [0] * 4, 1),
        lambda: NearestSTDP().run(masked[0], pre=np.ones((1, 1, 8)), post=np.ones((1, 1, 4))),
        lambda: learner.net["dense1"].params.update(weight=masked[0, :4]),
    ):
        with pytest.raises(TypeError, match="must have no masked values: fill them first"):
            call()
    for call in (
        lambda: net.connect(cells, cells, nbsnn.AllToAll(), weight=masked[0, 0]),
        lambda: net.population(LIF(masked[0, 0, :2]), 2),
        lambda: NearestSTDP().run(np.ones((8, 4)), pre=np.ones((1, 1, 8)), post=masked[:1, :1]),
    ):
        with pytest.raises(TypeError, match="masked"):
            call()


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.ones((6, 4)), ValueError, r"'weight' has shape \[4, 6\], but is given \[6, 4\]"),
        (1.0, ValueError, r"is given \[\]"),
        (np.full((4, 6), np.nan), ValueError, "contains 24 NaN"),
        (np.full((4, 6), 1e300), ValueError, "contains 24 NaN or infinite"),
        (np.ones((4, 6), complex), TypeError, "real numbers, not complex128"),
        (None, TypeError, "real numbers, not object"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused_at_the_assignment(value, error, message):
    net = network()
    before = net["dense1"].params["weight"].copy()
    with pytest.raises(error, match=message):
        net["dense1"].params["weight"] = value
    np.testing.assert_array_equal(net["dense1"].params["weight"], before)


def test_names_of_parameters_stay():
    params = network()["dense1"].params
    for change in (lambda: params.pop("weight"), params.clear, lambda: params.setdefault("a", 1)):
        with pytest.raises(TypeError, match="of a built layer stay"):
            change()
    with pytest.raises(KeyError, match="there is no parameter 'weigth'"):
        params["weigth"] = np.ones((4, 6))


@pytest.mark.parametrize("use", ["run", "step", "online"])
def test_another_dict_of_parameters_is_refused_at_the_next_use(use):
    net = network()
    learner = SLTT(net) if use == "online" else BPTT(net, losses.rate_cross_entropy)
    net["dense1"].params = {"weight": np.ones((2, 2), np.float32)}
    with pytest.raises(ValueError, match="parameters of this dense have been replaced"):
        net.run(X) if use == "run" else learner.step(X, LABELS)


def test_arrays_given_to_a_neuron_keep_their_values():
    tau, rest, first = np.full(6, 5.0), np.zeros(6), np.zeros(6)
    neuron = LIF(tau=tau, v_rest=rest, first=first)
    for array in (tau, rest, first):
        array[...] = -1.0
    net = Sequential(Dense(4, 6), neuron, seed=0, device="python")
    assert (net["lif1"].values["tau"] == 5.0).all() and not net.initial(1)["lif1"]["v"].any()
    assert (neuron.options["tau"] == 5.0).all() and not np.any(neuron.first)


# A layer's own arrays


class Normal(Stateless):
    kind = "normal"

    def build(self, in_shape, setting, draws):
        self.in_shape = self.shape = in_shape
        self.buffers = {"mean": np.zeros(in_shape, setting.dtype), "seen": np.zeros((), np.int64)}
        self.scale = np.ones(in_shape, setting.dtype)
        self.settle(setting)

    def apply(self, x, tape, draws):
        if draws is not None:
            self.buffers["mean"][...] = x.mean((0, 1))
            self.buffers["seen"] += 1
            self.scale = self.scale + np.float32(1.0)
        return (x - self.buffers["mean"]) * self.scale

    def reverse(self, gy, tape, grads, wanted):
        return gy * self.scale


class Counting(Normal):
    def apply(self, x, tape, draws):
        self.steps = getattr(self, "steps", 0) + len(x)
        return super().apply(x, tape, draws)


def with_own(layer=Normal):
    return Sequential(Dense(4, 3), layer(), LI(), seed=0, device="python")


def test_statistics_of_an_own_layer_are_kept(tmp_path):
    net = with_own()
    BPTT(net, losses.rate_cross_entropy).step(X, LABELS)
    nbsnn.save(net, tmp_path / "net.npz")
    loaded = nbsnn.load(tmp_path / "net.npz", net=with_own())
    for other in (loaded, net.twin(), net.twin(dtype=np.float64), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        np.testing.assert_allclose(other.run(X).output, net.run(X).output, rtol=1e-6, atol=1e-6)
        assert other["normal1"].buffers["seen"] == 1
    with pytest.raises(ValueError, match=r"holds .*the buffers .*normal1/mean"):
        nbsnn.load(tmp_path / "net.npz", net=Sequential(Dense(4, 3), LI(), seed=0))


def test_what_an_own_layer_would_lose_is_refused_by_name(tmp_path):
    net = with_own(Counting)
    net.run(X)
    for lose in (net.twin, lambda: nbsnn.save(net, tmp_path / "net.npz")):
        with pytest.raises(ValueError, match="normal1, a Counting, has changed 'steps' since it was built"):
            lose()


# Pickles


def one_step(x, v):
    return v + x, v + x


EVERYTHING = [
    *(getattr(neurons, name) for name in dir(neurons) if name[0].isupper() and callable(getattr(neurons, name))),
    lambda: LIF(np.linspace(1, 4, 6), refractory=2.0, learn=("tau",)),
    *(f for f in map(surrogates.__dict__.get, surrogates.__dict__) if callable(f) and f.__name__[:1].islower()),
    lambda: Neuron(one_step, state={"v": 0.0}),
    lambda: optim.Adam(optim.Warmup(optim.Cosine(0.1, 10), 5)),
    lambda: losses.rate_cross_entropy,
    NearestSTDP,
    lambda: nbsnn.encode.poisson(T=5),
    lambda: Plastic(Dense(4, 2, bias=False), LIF(), NearestSTDP(), device="python"),
    lambda: nbsnn.Tempotron(3, 2),
    lambda: Sequential(Dense(4, 3, weight=nbsnn.init.normal(0.0, 1.0)), Recurrent(LIF()), seed=0),
]


@pytest.mark.parametrize("make", EVERYTHING, ids=range(len(EVERYTHING)))
def test_what_is_public_pickles(make):
    try:
        thing = make()
    except TypeError:
        return  # needs arguments
    again = pickle.loads(pickle.dumps(thing))
    assert repr(again) == repr(thing) and type(again) is type(thing)
    copy.deepcopy(thing)


@pytest.mark.parametrize("make", [lambda n: BPTT(n, losses.rate_cross_entropy), SLTT, EProp])
def test_a_pickled_learner_goes_on_with_the_same_bits(make):
    net = Sequential(Dense(4, 6), LIF(), Dense(6, 3), LI(), seed=0, device="python")
    learner = make(net)
    learner.step(X, LABELS)
    for again in (pickle.loads(pickle.dumps(learner)), copy.deepcopy(learner)):
        one = copy.deepcopy(learner)
        assert one.step(X, LABELS) == again.step(X, LABELS) and again.iteration == 2
        for name, array in one.net.parameters().items():
            np.testing.assert_array_equal(again.net.parameters()[name], array)


@pytest.mark.parametrize(
    ("make", "who"),
    [
        (lambda: Neuron(lambda x, v: (v, v), state={"v": 0.0}), "of Neuron"),
        (
            lambda: LIF(surrogate=surrogates.surrogate.Surrogate("own", {}, lambda u: u, lambda u: 1.0)),
            "of surrogate own",
        ),
        (lambda: Sequential(Dense(2, 2, weight=lambda *a, **k: np.ones((2, 2))), seed=0), "of the layer Dense"),
        (lambda: BPTT(network(), lambda y, t: (1.0, y)), "of this BPTT"),
        (lambda: optim.SGD(lambda k: 0.1), "of a SGD"),
        (lambda: nbsnn.plasticity.Rule(lambda w, a, b: (0.0, 0.0)), "of a Rule"),
    ],
)
def test_a_function_that_has_no_name_is_refused_in_words_but_can_be_copied(make, who):
    thing = make()
    with pytest.raises(TypeError, match=f"{who}.* cannot be pickled: define it with def at the top of a module"):
        pickle.dumps(thing)
    copy.deepcopy(thing)


@pytest.mark.long
def test_a_spawned_process_runs_a_network(tmp_path):
    (tmp_path / "main.py").write_text(
        "import multiprocessing, numpy as np, nbsnn\n"
        "from nbsnn.neurons import LIF\n"
        "def total(net): return float(net.run(np.ones((3, 1, 4), np.float32))['lif1']['v'].sum())\n"
        "if __name__ == '__main__':\n"
        "    net = nbsnn.Sequential(nbsnn.Dense(4, 3), LIF(), seed=0, device='python')\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print(set(pool.map(total, [net, net])) == {total(net)})\n"
    )
    found = subprocess.run([sys.executable, tmp_path / "main.py"], capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == "True", found.stderr


# Threads


def two_threads(call):
    """What ``call`` does in another thread while this one is inside of it."""
    inside, go, said = threading.Event(), threading.Event(), []

    def first():
        call(lambda: (inside.set(), go.wait(10)))

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait(10)
    try:
        call(lambda: None)
    except RuntimeError as error:
        said.append(str(error))
    go.set()
    thread.join()
    return said


def test_a_learner_that_works_in_another_thread_refuses():
    waits = []

    def loss(y, target):
        if waits:
            waits.pop()()
        return float(y.sum()), np.ones_like(y)

    learner = BPTT(network(), loss)

    def call(wait):
        waits.append(wait)
        learner.step(X, LABELS)

    assert two_threads(call) == ["this BPTT is at work in another thread: give each thread one of its own"]
    assert learner.iteration == 1
    waits.clear()
    learner.step(X, LABELS)


def test_one_network_runs_in_several_threads():
    net, found = network(), []
    expected = net.run(X).output
    threads = [threading.Thread(target=lambda: found.append(net.run(X).output)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(np.array_equal(y, expected) for y in found)


# What a training step takes


def test_the_plan_of_a_convolutional_network_counts_all_layers():
    conv = nbsnn.Conv2d(1, 4, 3, path="dense")
    parts = conv, LIF(v_threshold=0.5), nbsnn.MaxPool2d(2), nbsnn.Flatten(), Dense(36, 3), LI()
    net = Sequential(*parts, input_shape=(1, 8, 8), seed=0)
    plans = BPTT(net, losses.rate_cross_entropy).plan(5, 2)
    assert [names for names in plans if len(names) == 1][:3] == [("conv2d1",), ("lif1",), ("maxpool2d1",)]
    conv, lif, pool = (plans[name,].bytes for name in ("conv2d1", "lif1", "maxpool2d1"))
    assert lif >= 3 * 5 * 2 * 4 * 36 * 4 and conv >= 5 * 2 * (64 + 4 * 36) * 4 and pool >= 5 * 2 * 4 * 36 * 4
    learner = BPTT(net, losses.rate_cross_entropy, max_bytes=lif)
    with pytest.raises(ValueError, match="the layers that always keep all, conv2d1, lif1, maxpool2d1, flatten1, take"):
        learner.plan(5, 2)
    with pytest.raises(ValueError, match="the layers that always keep all"):
        learner.step(np.ones((5, 2, 1, 8, 8), np.float32), LABELS[:2])
    with pytest.raises(ValueError, match="max_bytes needs a Sequential"):
        BPTT(
            Sequential(nbsnn.Residual(Dense(3, 3)), input_shape=3)["residual1"], losses.rate_cross_entropy, max_bytes=1
        )


def test_what_is_not_learned_of_a_population_cannot_be_changed_in_place():
    net = nbsnn.Sequential(nbsnn.Dense(3, 2), nbsnn.neurons.LIF(tau=2.0, learn=["v_threshold"]), seed=0)
    values = net["lif1"].values
    with pytest.raises(ValueError, match="read-only"):
        values["tau"][...] = 5.0
    values["v_threshold"][...] = 0.5
    assert net["lif1"].params["v_threshold"] == 0.5
