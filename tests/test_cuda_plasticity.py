"""Plasticity on CUDA: rules with given spikes, and plastic layers, equal the CPU's; the integer rule bit for bit."""

import sys

import numpy as np
import pytest
from numba import config

import nbsnn
from nbsnn import Dense, encode
from nbsnn.device import gpu
from nbsnn.neurons import LIF
from nbsnn.neurons import DiehlCook as DiehlCookNeuron
from nbsnn.plasticity import (
    MSTDP,
    MSTDPET,
    DiehlCook,
    MetaNearestSTDP,
    NearestSTDP,
    Normalize,
    PairSTDP,
    Plastic,
    PostPreInt,
    Rule,
    Trace,
    TripletSTDP,
)
from nbsnn.presets.spaic import diehlAndCook
from nbsnn.presets.spaic_stdp import full_online_stdp, nearest_online_stdp
from nbsnn.random import Draws

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")

T, N_PRE, N_POST = 12, 5, 3
RNG = np.random.default_rng(3)
PRE, POST = ((RNG.random((T, 2, n)) < 0.4).astype(np.float64) for n in (N_PRE, N_POST))
WEIGHTS = RNG.uniform(0.1, 0.8, (N_PRE, N_POST))
INTEGERS = RNG.integers(0, 110, (N_PRE, N_POST)).astype(np.int32)
THRESH = RNG.integers(0, 60, (T, 1, N_POST)).astype(np.int32)
LATERAL = RNG.uniform(-0.6, 0.3, (N_POST, N_POST))


@pytest.fixture(autouse=True)
def _quick_turns():
    """The simulator's threads wait for each other; Python lets one after the other run every 5 ms by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def close(one, other):
    """Equal, but for the last digits; exactly for integers."""
    if one.dtype.kind in "iu":
        np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_allclose(one, other, 1e-10 if config.ENABLE_CUDASIM else 1e-6, 1e-12)


def same(one, other):
    """The same for nested dicts."""
    assert type(one) is type(other) or not isinstance(one, dict)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            same(one[name], other[name])
    else:
        close(np.asarray(one), np.asarray(other))


def own(w, pre, post, x, y, rate):
    return rate * post * (x - w), -rate * pre * y * w


class OneByOne(Rule):
    """A rule with a loop of its own, which no GPU has."""

    def advance(self, weights, pre, post, state, **options):
        weights += 0.1
        return state


RULES = {
    "pair": PairSTDP(0.05, 0.04),
    "pair, nothing at once": PairSTDP(0.05, 0.04, coincidence="ignore", sign=-1, bounds="soft"),
    "nearest": NearestSTDP(0.05, 0.04),
    "triplet": TripletSTDP(bounds="power", mu=0.5),
    "diehl-cook": DiehlCook(),
    "spaic nearest": nearest_online_stdp(),
    "spaic full": full_online_stdp(),
    "own": Rule(own, {"x": Trace(5.0)}, {"y": Trace(9.0, "set", "use decay add")}, {"rate": 0.1}, batch="mean"),
    "all clipped": PairSTDP(0.3, 0.1, clip="all", w_max=0.6),
    "normalised at each step": NearestSTDP(0.3, 0.1, normalize=Normalize(1.5, "every")),
    "normalised, then clipped": NearestSTDP(0.3, 0.1, normalize=Normalize(2.5, 4, before_clip=True)),
    "normalised at the end": NearestSTDP(0.3, 0.1, normalize=Normalize(1.5)),
    "steered": MetaNearestSTDP(0.1, 0.05),
    "rewarded": MSTDP(rate=0.1),
    "eligible": MSTDPET(rate=0.1, tau_e=10.0, batch="mean"),
}


def signals_of(rule):
    return {"reward": np.linspace(-1.0, 1.0, T)} if rule in (RULES["rewarded"], RULES["eligible"]) else {}


SHORT = (
    "pair",
    "pair, nothing at once",
    "triplet",
    "all clipped",
    "normalised, then clipped",
    "eligible",
    "steered",
    "own",
)


def some(names, short):
    """Names as parameters; those that are not among the short ones are long tests."""
    return [name if name in short else pytest.param(name, marks=pytest.mark.long) for name in names]


@pytest.mark.parametrize("name", some(RULES, SHORT))
def test_a_rule_with_given_spikes(name):
    rule = RULES[name]
    runs = [
        rule.run(WEIGHTS, PRE, POST, device=device, in_place=False, **signals_of(rule)) for device in ("python", "cuda")
    ]
    assert abs(runs[0].weights - WEIGHTS).max() > 1e-4
    close(runs[0].weights, runs[1].weights)
    same(runs[0].state, runs[1].state)


def test_all_steps_of_a_rule_are_one_launch_and_can_be_recorded():
    rule = RULES["pair"]
    before = gpu.Count.launches
    rule.run(WEIGHTS, PRE, POST, device="cuda", in_place=False)
    fills = 4 if config.ENABLE_CUDASIM else gpu.Count.launches - before - 1  # arrays that start at zero
    assert gpu.Count.launches - before <= 1 + fills
    kept = ("weights", "dw", *rule.pre, *rule.post)
    runs = [rule.run(WEIGHTS, PRE, POST, device=d, in_place=False, record=kept) for d in ("python", "cuda")]
    for name in kept:
        close(runs[0][name], runs[1][name])


@pytest.mark.parametrize("given", [True, False])
def test_the_integer_rule_is_the_same_to_the_last_bit(given):
    rule = PostPreInt(-3000, 5000, 12, -50, 90, max_threshold=30)
    draws = tuple(RNG.integers(0, 2**rule.shift, (2, T, N_PRE, N_POST))) if given else Draws(7)
    spikes = PRE[:, :1], POST[:, :1]
    how = {"in_place": False, "thresh": THRESH, "draws": draws}
    runs = [rule.run(INTEGERS, *spikes, device=device, **how) for device in ("python", "cuda")]
    assert runs[1].weights.dtype == np.int32 and (runs[0].weights != INTEGERS).any()
    same(runs[0].weights, runs[1].weights)
    same(runs[0].state, runs[1].state)


def layer(device, rule, neuron=None, bias=False, lateral=None, **options):
    neuron = neuron or LIF(5.0, 0.6)
    if lateral is not None:
        lateral = Dense(N_POST, N_POST, bias=bias, weight=lambda *a, dtype, **o: LATERAL.astype(dtype))
    net = Plastic(
        Dense(N_PRE, N_POST, bias=bias, path="events"), neuron, rule, lateral=lateral, dtype=np.float64, device=device,
        **options,
    )  # fmt: skip
    net.weights[...] = WEIGHTS
    return net


LAYERS = {
    "plain": ("pair", {}),
    "delayed": ("triplet", {"delay": 2, "lag": (1, 1)}),
    "lateral": ("nearest", {"lateral": True, "bias": True}),
    "late": ("normalised at each step", {"defer": True, "delay": 1}),
    "clipped": ("all clipped", {}),
    "rewarded": ("eligible", {"lag": (0, 1)}),
    "steered": ("steered", {}),
}


@pytest.mark.parametrize("name", some(LAYERS, ("delayed", "lateral", "late", "rewarded")))
def test_a_plastic_layer_in_two_runs(name):
    rule, options = LAYERS[name]
    results = []
    for device in ("python", "cuda"):
        net, state, outputs = layer(device, RULES[rule], **options), None, []
        for part in (slice(0, 7), slice(7, T)):
            more = {key: value[part] for key, value in signals_of(RULES[rule]).items()}
            run = net.learn(PRE[part], state, **more)
            state = run.state
            outputs += [run.output, run["neurons"]["v"], run["current"]]
        still = net.run(PRE[:4]).output
        results.append({"state": state, "weights": net.weights, "still": still, **dict(enumerate(outputs))})
    assert results[0][0].any() and abs(results[0]["weights"] - WEIGHTS).max() > 1e-3
    same(*results)


def test_samples_are_shown_and_drawn_on_the_way():
    neuron = DiehlCookNeuron(theta_plus=0.5, refractory=2)
    x = RNG.uniform(0.2, 0.9, (3, N_PRE))
    shown = []
    for device in ("python", "cuda"):
        net = layer(device, NearestSTDP(0.3, 0.1, normalize=Normalize(60.0)), neuron, lateral=True, delay=1)
        net.weights[...] *= 40.0
        result = net.present(x, encode.poisson(T=7), Draws(0), keep=("theta",), every=2)
        tested = net.present(x, encode.poisson(T=5), Draws(1), learn=False, batch=2)
        shown.append({"counts": result.counts, "weights": result.weights, "state": result.state, "c": tested.counts})
    assert shown[0]["counts"].sum() > 3
    same(*shown)


def test_weights_are_noted_on_the_way():
    one, other = (layer(device, RULES["pair"]).learn(PRE, every=5)["weights"] for device in ("python", "cuda"))
    close(one, other)


def test_an_integer_layer_is_the_same_to_the_last_bit():
    neuron = diehlAndCook(
        Vrest=0, Vreset=0, decay=1013, shift_voltage=10, weight_sum_min=-32767, weight_sum_max=32767, thresh=60,
        weight_sum_coef=600, shift_weight_sum_coef=10, thresh_plus=9, max_threshold=90, reset_refrac=2, lbound=-32767,
    )  # fmt: skip
    results = []
    for device in ("python", "cuda"):
        connection = Dense(N_PRE, N_POST, bias=False, weight=lambda shape, **_: INTEGERS.copy())
        net = Plastic(connection, neuron, PostPreInt(-3000, 5000, max_threshold=80), delay=1, lag=(0, 0), device=device)
        run = net.learn(PRE[:, :1], draws=Draws(1))
        results.append({"w": net.weights, "state": run.state, **{k: run["neurons"][k] for k in ("spikes", "thresh")}})
    assert results[0]["spikes"].any() and (results[0]["w"] != np.clip(INTEGERS, 0, 109)).any()
    same(*results)


def test_a_plastic_layer_in_a_network_stays_one():
    net = nbsnn.Sequential(Dense(4, N_PRE), LIF(2.0), layer("python", RULES["pair"]), seed=0, device="python")
    assert net.run(np.ones((5, 1, 4))).output.shape == (5, 1, N_POST)


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (ValueError, "must be spikes, 0 or 1", lambda: layer("cuda", RULES["pair"]).run(0.5 * PRE)),
        (TypeError, "needs reward", lambda: layer("cuda", RULES["rewarded"]).learn(PRE)),
        (TypeError, "draws must be", lambda: PostPreInt().run(INTEGERS.copy(), PRE[:, :1], POST[:, :1], device="cuda")),
        (
            NotImplementedError,
            "OneByOne names no loop for a GPU",
            lambda: OneByOne(lambda w, pre, post: (0.0, 0.0)).run(WEIGHTS.copy(), PRE, POST, device="cuda"),
        ),
        (ValueError, "device must be", lambda: RULES["pair"].run(WEIGHTS.copy(), PRE, POST, device="gpu")),
    ],
)
def test_bad_input(error, message, call):
    with pytest.raises(error, match=message):
        call()
