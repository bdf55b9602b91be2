"""Plastic layers against a loop spelt out, and the integer rule against Python's own integers."""

import numpy as np
import pytest

from nbsnn import Dense, Population, Sequential
from nbsnn.neurons import LIF
from nbsnn.plasticity import (
    MSTDP,
    MSTDPET,
    MetaNearestSTDP,
    NearestSTDP,
    Normalize,
    PairSTDP,
    Plastic,
    PostPreInt,
    TripletSTDP,
)
from nbsnn.presets.spaic_stdp_neurons import diehlAndCook, lifstdp_ex
from nbsnn.random import Draws

T, B, N_PRE, N_POST = 20, 2, 6, 3
RNG = np.random.default_rng(5)
X = (RNG.random((T, B, N_PRE)) < 0.4).astype(np.float64)
WEIGHTS = RNG.uniform(0.2, 0.8, (N_PRE, N_POST))


def layer(rule=None, **options):
    options = {"dtype": np.float64, "device": "python", **options}
    made = Plastic(Dense(N_PRE, N_POST, bias=False), LIF(5.0, 1.5), rule or PairSTDP(0.05, 0.04), **options)
    made.weights[...] = WEIGHTS
    return made


def shifted(spikes, steps):
    return np.concatenate([np.zeros((steps, *spikes.shape[1:])), spikes])[: len(spikes)]


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("lag", [None, (0, 0), (1, 1), (2, 0)])
@pytest.mark.parametrize("defer", [False, True])
def test_the_order_of_a_step(delay, lag, defer):
    """Drive with the weights before the step; the rule, on spikes as late as ``lag``; a step later if deferred."""
    net = layer(delay=delay, lag=lag, defer=defer)
    run = net.learn(X)
    pre, post = (delay, 0) if lag is None else lag
    rule = PairSTDP(0.05, 0.04, bounds="hard")
    w, v, pending = WEIGHTS.copy(), np.zeros((B, N_POST)), np.zeros_like(WEIGHTS)
    arriving, seen, out = shifted(X, delay), shifted(X, pre), np.zeros((T + 1, B, N_POST))
    state = None
    for t in range(T):
        v = np.exp(-1.0 / 5.0) * v + arriving[t] @ w
        np.testing.assert_allclose(run["current"][t], arriving[t] @ w, atol=1e-12)
        out[t + 1] = v >= 1.5
        v = v * (1 - out[t + 1])
        step = rule.run(
            w, seen[t : t + 1], out[t + 1 - post][None], state, in_place=False, device="python", record=("dw",)
        )
        state = step.state
        if defer:
            w, pending = np.clip(w + pending, 0.0, 1.0), step["dw"][0]
        else:
            w = step.weights
    np.testing.assert_array_equal(run.output, out[1:])
    assert 0.1 < run.output.mean() < 0.9
    np.testing.assert_allclose(net.weights, w, atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"delay": 2}, {"delay": 1, "lag": (1, 1), "defer": True}], ids=str)
def test_a_run_is_the_sum_of_its_parts(options):
    whole, parts = layer(**options), layer(**options)
    spikes = whole.learn(X).output
    state, pieces = None, []
    for part in (slice(0, 1), slice(1, 9), slice(9, T)):
        run = parts.learn(X[part], state)
        state = run.state
        pieces.append(run.output)
    np.testing.assert_array_equal(np.concatenate(pieces), spikes)
    np.testing.assert_array_equal(parts.weights, whole.weights)
    assert (whole.weights != WEIGHTS).any()


def test_run_leaves_weights_alone():
    net = layer(delay=1)
    before = net.run(X)
    np.testing.assert_array_equal(net.weights, WEIGHTS)
    assert int(before.state["rule"]["step"]) == T
    assert set(before) == {"neurons", "current"}
    net.learn(X)
    assert (net.run(X).output != before.output).any()


RESTING = {
    "pair": PairSTDP(0.05, 0.04),
    "triplet": TripletSTDP(order="causal", clip="all"),
    "steered": MetaNearestSTDP(0.05, 0.04),
    "rewarded": MSTDPET(0.1, tau_e=5.0),
}


@pytest.mark.parametrize("name", RESTING)
@pytest.mark.parametrize("options", [{}, {"delay": 2}, {"delay": 1, "lag": (3, 1)}], ids=str)
def test_traces_go_on_while_a_layer_runs_without_learning(name, options):
    """As those of one whose weights are put back after every step of the pause, which is not rewarded."""
    rule = RESTING[name]
    rests, other = layer(rule, **options), layer(rule, **options)
    given = {"reward": 0.7} if name == "rewarded" else {}
    first = rests.learn(X[:7], **given)
    pause = rests.run(X[7:15], first.state)
    last = rests.learn(X[15:], pause.state, **given)
    state = other.learn(X[:7], **given).state
    kept, aims = other.weights.copy(), {k: state["rule"][k] for k in ("m", "M") if k in state["rule"]}
    for t in range(7, 15):
        state = other.learn(X[t : t + 1], state, **({"reward": 0.0} if given else {})).state
        other.weights[...], state["rule"] = kept, {**state["rule"], **aims}
    for side in ("pre", "post"):
        for trace, values in state["rule"][side].items():
            np.testing.assert_array_equal(pause.state["rule"][side][trace], values)
    end = other.learn(X[15:], state, **given)
    np.testing.assert_array_equal(last.output, end.output)
    np.testing.assert_allclose(rests.weights, other.weights, rtol=1e-12)
    assert np.abs(rests.weights - kept).max() > 1e-6


def test_normalised_at_the_end_of_a_run():
    net = layer(NearestSTDP(0.05, 0.04, normalize=Normalize(2.0)))
    net.learn(X)
    np.testing.assert_allclose(net.weights.sum(0), 2.0)


@pytest.mark.long
def test_compiled_is_interpreted():
    results = [layer(device=device, dtype=np.float32) for device in ("cpu", "python")]
    runs = [net.learn(X) for net in results]
    np.testing.assert_array_equal(runs[0].output, runs[1].output)
    np.testing.assert_array_equal(results[0].weights, results[1].weights)


def test_inside_a_network():
    net = Sequential(layer(), Dense(N_POST, 2), LIF(), dtype=np.float64, device="python", seed=0)
    plastic, before = net["plastic1"], net["plastic1"].weights.copy()
    net.run(X)
    np.testing.assert_array_equal(plastic.weights, before)
    net.forward(X, net.initial(B), {}, Draws(0))
    assert (plastic.weights != before).any()
    with pytest.raises(ValueError, match="learns by its rule"):
        plastic.backward(np.ones((T, B, N_POST)), {}, {})


def test_reward_by_step():
    reward = RNG.normal(size=T)
    net, other = layer(MSTDP(0.02)), layer(MSTDP(0.02))
    net.learn(X, reward=reward)
    state = None
    for t in range(T):
        state = other.learn(X[t : t + 1], state, reward=reward[t]).state
    np.testing.assert_allclose(net.weights, other.weights, atol=1e-14)
    assert (net.weights != WEIGHTS).any()


def test_lifstdp_ex_by_hand():
    """Threshold 0 at the first step; a spike raises it by th_inc, felt one step later."""
    neuron = lifstdp_ex(decay_v=0.5, decay_th=0.5, v_rest=0.0, v_reset=1.0, v_th=2.0, th_inc=4.0)
    population = Population(neuron, 1, dtype=np.float64, device="python")
    state = {**population.initial(1), "v": np.zeros((1, 1))}
    run = population.run(np.array([0.5, 2.0, 3.0, 3.5]).reshape(4, 1, 1), state)
    np.testing.assert_array_equal(run["spikes"].ravel(), [1, 1, 0, 1])
    np.testing.assert_array_equal(run["threshold"].ravel(), [2, 4, 5, 3.5])
    np.testing.assert_array_equal(run["theta"].ravel(), [4, 6, 3, 5.5])


# The integer rule


PRE = (RNG.random((T, 1, N_PRE)) < 0.3).astype(np.int32)
POST = (RNG.random((T, 1, N_POST)) < 0.3).astype(np.int32)
THRESH = RNG.integers(0, 60, (T, 1, N_POST)).astype(np.int32)
INTEGERS = RNG.integers(-20, 140, (N_PRE, N_POST)).astype(np.int32)


def int32(z):
    return (z + 2**31) % 2**32 - 2**31


def integer_oracle(rule, draws):
    """All synapses at every step, in Python's integers."""
    w = [[int(v) for v in line] for line in INTEGERS]
    a, c = [0] * N_PRE, [0] * N_POST
    top = rule.top if rule.shift_trace else 1
    for t in range(T):
        a = [top if PRE[t, 0, i] else int32(rule.trace_decay * a[i]) // 2**rule.shift_trace for i in range(N_PRE)]
        c = [top if POST[t, 0, j] else int32(rule.trace_decay * c[j]) // 2**rule.shift_trace for j in range(N_POST)]
        for i in range(N_PRE):
            for j in range(N_POST):
                for spiked, z, r in (
                    (PRE[t, 0, i], rule.nu_pre * c[j], draws[0]),
                    (POST[t, 0, j], rule.nu_post * a[i], draws[1]),
                ):
                    if spiked:
                        whole, part = divmod(int32(z), 2**rule.shift)
                        w[i][j] = int32(w[i][j] + whole + (int(r[t, i, j]) < part))
                if THRESH[t, 0, j] > rule.max_threshold:
                    w[i][j] //= 2
                w[i][j] = min(max(w[i][j], rule.w_min), rule.w_max)
    return w  # fmt: skip


RULES = {
    "default": PostPreInt(max_threshold=40),
    "big rates": PostPreInt(-3000, 5000, 12, -50, 90, max_threshold=30),
    "products wrap": PostPreInt(2_000_000, 90_000_000, 20, -(10**9), 10**9, max_threshold=30),
    "traces grow and wrap": PostPreInt(900, 2000, trace_decay=1000, shift_trace=0, max_threshold=100),
}


@pytest.mark.parametrize("name", RULES)
def test_integer_rule(name):
    rule = RULES[name]
    draws = RNG.integers(0, 2**rule.shift, (2, T, N_PRE, N_POST))
    expected = integer_oracle(rule, draws)
    for device in ("python", "cpu"):
        run = rule.run(INTEGERS, PRE, POST, in_place=False, device=device, thresh=THRESH, draws=tuple(draws))
        np.testing.assert_array_equal(run.weights, expected)
        assert run.weights.dtype == np.int32


def test_integer_draws_are_numbers_of_places():
    """The same for any device and any cut into runs, and equal to the same numbers given."""
    rule = PostPreInt(-3000, 5000)
    fixed = [
        np.stack([Draws(7, side).bits((N_PRE, N_POST), step=t) >> np.uint32(32 - rule.shift) for t in range(T)])
        for side in ("pre", "post")
    ]
    expected = rule.run(INTEGERS, PRE, POST, in_place=False, device="python", draws=fixed).weights
    for device in ("python", "cpu"):
        whole = rule.run(INTEGERS, PRE, POST, in_place=False, device=device, draws=Draws(7)).weights
        w, state = INTEGERS.copy(), None
        for part in (slice(0, 3), slice(3, T)):
            state = rule.run(w, PRE[part], POST[part], state, device=device, draws=Draws(7)).state
        np.testing.assert_array_equal(whole, expected)
        np.testing.assert_array_equal(w, expected)
    assert (rule.run(INTEGERS, PRE, POST, in_place=False, draws=Draws(8)).weights != expected).any()


def integer_layer(**options):
    neuron = diehlAndCook(
        Vrest=0, Vreset=0, decay=1013, shift_voltage=10, weight_sum_min=-32767, weight_sum_max=32767, thresh=60,
        weight_sum_coef=600, shift_weight_sum_coef=10, thresh_plus=9, max_threshold=90, reset_refrac=2, lbound=-32767,
    )  # fmt: skip
    connection = Dense(N_PRE, N_POST, bias=False, weight=lambda shape, **_: INTEGERS.copy())
    return Plastic(connection, neuron, PostPreInt(-3000, 5000, max_threshold=80), **options)


def test_integer_layer():
    nets = [integer_layer(device=device, delay=1, lag=(0, 0)) for device in ("cpu", "python")]
    runs = [net.learn(PRE, draws=Draws(1)) for net in nets]
    for name in ("spikes", "v", "thresh", "refrac_count"):
        np.testing.assert_array_equal(runs[0]["neurons"][name], runs[1]["neurons"][name])
        assert runs[0]["neurons"][name].dtype == np.int32
    np.testing.assert_array_equal(nets[0].weights, nets[1].weights)
    assert runs[0].output.any() and (nets[0].weights != np.clip(INTEGERS, 0, 109)).any()
    refractory = runs[0]["neurons"]["refrac_count"]
    assert (refractory[runs[0].output > 0] == 2).all()


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (TypeError, "must be Dense", lambda: Plastic(LIF(), LIF(), PairSTDP())),
        (TypeError, "rule must be", lambda: Plastic(Dense(2, 2), LIF(), 3)),
        (ValueError, "delay must be", lambda: layer(delay=-1)),
        (TypeError, "delay must be", lambda: layer(delay=0.5)),
        (ValueError, "at once or one step late", lambda: layer(lag=(0, 2))),
        (ValueError, "defer must be False", lambda: layer(MetaNearestSTDP(), defer=True)),
        (ValueError, "input spikes must be 0 or 1", lambda: layer().learn(0.5 * X)),
        (ValueError, "input spikes must be 0 or 1", lambda: layer().learn(X * np.nan)),
        (ValueError, "input spikes must have shape", lambda: layer().learn(X[..., 1:])),
        (ValueError, "input spikes must not be empty", lambda: layer().learn(X[:0])),
        (TypeError, "input must be numbers", lambda: layer().learn(X.astype(str))),
        (ValueError, "batch of 2", lambda: layer().learn(X, layer().initial(1))),
        (ValueError, "one row per step", lambda: layer(MSTDP()).learn(X, reward=np.zeros(3))),
        (TypeError, "needs reward", lambda: layer(MSTDP()).learn(X)),
        (TypeError, "draws must be", lambda: integer_layer().learn(PRE)),
        (ValueError, "one sample at a time", lambda: integer_layer().learn(X)),
        (TypeError, "weights must be an array of int32", lambda: PostPreInt().run(WEIGHTS, PRE, POST, draws=Draws(0))),
        (ValueError, "draws must be integers", lambda: PostPreInt().run(INTEGERS.copy(), PRE, POST, draws=(PRE, POST))),
        (ValueError, "thresh must be integers", lambda: PostPreInt().run(INTEGERS.copy(), PRE, POST, thresh=PRE)),
    ],
)  # fmt: skip
def test_bad_input(error, message, make):
    with pytest.raises(error, match=message):
        make()
