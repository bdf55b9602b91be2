"""Plasticity of sparse synapses: equal to the dense rules step by step, whatever the cut of a run; homeostasis."""

import os

import numpy as np
import pytest

import nbsnn
import nbsnn.network.loop as loops
from nbsnn.kernels.plasticity.rewarded import later
from nbsnn.neurons import LIF, DiehlCook
from nbsnn.plasticity import MSTDP, MSTDPET, Normalize, PairSTDP, Rule, Scaling, Trace, TripletSTDP

CELL = LIF(tau=10.0, v_threshold=1.0)


@pytest.fixture(autouse=True)
def _threads():
    yield
    nbsnn.set_threads(None)


def learner(rule, *, delay=1.0, device="python", dtype=np.float64, dt=1.0, sizes=(12, 6), pattern=None, **options):
    """Poisson inputs onto leaky neurons, by plastic synapses."""
    net = nbsnn.Network(dt=dt, seed=5, dtype=dtype, device=device)
    source = net.poisson(sizes[0], 80.0, name="source")
    cells = net.population(CELL, sizes[1], name="cells")
    options = {"weight": nbsnn.values.Uniform(0.1, 0.9), **options}
    made = net.connect(source, cells, pattern or nbsnn.Sparse(probability=0.6), plasticity=rule, delay=delay, **options)
    return net, made


def trains(recordings, net, steps, delay=1):
    """Spikes of both sides as the rule sees them, [T, 1, n]."""
    result = []
    for group in (net.group("source"), net.group("cells")):
        times, units = (np.concatenate(part) for part in zip(*(run.spikes(group) for run in recordings), strict=True))
        spikes = np.zeros((steps, 1, group.n))
        spikes[np.rint(times / net.dt).astype(int) - 1, 0, units] = 1.0
        result.append(spikes)
    arrived = np.roll(result[0], delay, axis=0)
    arrived[:delay] = 0.0
    assert result[1].sum() > 15
    return arrived, result[1]


def dense(made, start):
    weights = np.zeros((made.source.n, made.target.n))
    weights[made.pre, made.post] = start
    return weights


def shape_of(a, b):
    """A rule of one's own that reads the weight."""

    def change(w, pre, post, x, y, up, down):
        return up * post * x * (1.0 - w), -down * pre * y * w

    return Rule(change, {"x": Trace(15.0, "set")}, {"y": Trace(25.0)}, {"up": a, "down": b}, bounds="none")


@pytest.mark.parametrize(
    "rule",
    [
        PairSTDP(0.1, 0.11, clip="all"),
        PairSTDP(0.1, 0.1, clip="all", bounds="soft", coincidence="ignore", sign=-1),
        TripletSTDP(rate=10.0, clip="all", bounds="power", mu=0.3, normalize=Normalize(3.0)),
        shape_of(0.1, 0.1),
    ],
    ids=["hard", "soft", "power", "own"],
)
def test_bounds_of_all_weights_equal_dense(rule):
    net, made = learner(rule, pattern=nbsnn.AllToAll())
    net.build()
    start = made.weight.copy()
    arrived, spiked = trains([net.run(120.0)], net, 120)
    learned = rule.run(dense(made, start), arrived, spiked).weights
    assert np.abs(made.weight - start).max() > 0.05
    np.testing.assert_allclose(made.weight, learned[made.pre, made.post], rtol=1e-12)


def test_bounds_of_all_weights_hold_whoever_wrote_them():
    net, made = learner(PairSTDP(0.0, 0.0, clip="all"), weight=nbsnn.values.Uniform(-0.5, 1.5))
    net.run(1.0)
    assert made.weight.min() == 0.0 and made.weight.max() == 1.0
    net.run(2.0, callback=lambda n: made.weight.__setitem__(0, 7.0))
    assert made.weight[0] == 1.0


REWARDED = {
    "MSTDP": MSTDP(0.2, w_max=1.2),
    "MSTDPET": MSTDPET(0.4, tau_e=12.0),
    "MSTDPET, no bounds": MSTDPET(0.2, tau_e=40.0, bounds="none", coincidence="ignore", sign=-1, order="decay use add"),
}
REWARDS = ((0.0, 30), (1.0, 41), (-0.7, 25), (-0.7, 4), (0.0, 10), (2.0, 40))  # and for how many steps


def rewarded(net, made):
    """Runs with one reward after the other."""
    recordings = []
    for reward, steps in REWARDS:
        made.reward = reward
        recordings.append(net.run(steps * net.dt))
    return recordings


@pytest.mark.parametrize("name", REWARDED)
@pytest.mark.parametrize(("delay", "dt"), [(1, 1.0), (3, 0.5)])
def test_rewarded_rules_equal_dense(name, delay, dt):
    rule = REWARDED[name]
    net, made = learner(rule, delay=delay * dt, dt=dt, sizes=(25, 6))
    net.build()
    start = made.weight.copy()
    arrived, spiked = trains(rewarded(net, made), net, 150, delay)
    reward = np.concatenate([np.full(n, r) for r, n in REWARDS])
    learned = rule.run(dense(made, start), arrived, spiked, reward=reward, dt=dt).weights[made.pre, made.post]
    assert np.abs(made.weight - start).max() > 0.05
    if rule.bounds == "hard":
        assert np.any(made.weight == 0.0) or np.any(made.weight == rule.w_max)
    np.testing.assert_allclose(made.weight, learned, rtol=1e-10, atol=1e-12)


def test_a_reward_that_a_callback_sets_in_every_step_equals_dense():
    rule = REWARDED["MSTDPET"]
    reward = np.random.default_rng(1).normal(0.0, 1.0, 80)
    net, made = learner(rule)
    net.build()
    start, made.reward = made.weight, reward[0]

    def judge(net):
        made.reward = reward[min(net.step, 79)]

    arrived, spiked = trains([net.run(80.0, callback=judge)], net, 80)
    learned = rule.run(dense(made, start), arrived, spiked, reward=reward).weights[made.pre, made.post]
    np.testing.assert_allclose(made.weight, learned, rtol=1e-10, atol=1e-12)


def test_rewarded_weights_in_single_precision():
    rule = REWARDED["MSTDPET"]
    net, made = learner(rule, dtype=np.float32)
    net.build()
    start = made.weight.copy()
    arrived, spiked = trains(rewarded(net, made), net, 150)
    reward = np.concatenate([np.full(n, r) for r, n in REWARDS])
    learned = rule.run(dense(made, start), arrived, spiked, reward=reward).weights[made.pre, made.post]
    np.testing.assert_allclose(made.weight, learned, atol=2e-5)


def test_looking_at_waiting_weights_changes_nothing():
    rule = REWARDED["MSTDPET"]
    net, made = learner(rule)
    made.reward = 0.5
    net.run(60.0)
    expected = made.weight
    with pytest.raises(ValueError, match="read-only"):
        made.weight[0] = 1.0
    other, looked = learner(rule)
    looked.reward = 0.5
    run = other.run(60.0, record={looked: ["weight"]}, every=7.0, callback=lambda n: looked.weight)
    np.testing.assert_array_equal(looked.weight, expected)
    third, seen = learner(rule)
    seen.reward = 0.5
    third.run(35.0)
    np.testing.assert_array_equal(run[looked, "weight"][4], seen.weight)
    assert len(run[looked, "weight"]) == 8


def test_waiting_weights_can_be_set_held_and_reset():
    net, made = learner(REWARDED["MSTDPET"])
    made.reward = 1.0
    net.run(50.0)
    made.learning = False
    held = made.weight
    net.run(5.0)
    np.testing.assert_array_equal(made.weight, held)
    made.learning = True
    np.testing.assert_array_equal(made.weight, held)
    net.run(5.0)
    assert np.any(made.weight != held)
    made.weight = 0.5
    assert np.all(made.weight == 0.5)
    net.run(5.0)
    moved = made.weight
    assert np.any(moved != 0.5)
    net.reset()
    np.testing.assert_array_equal(made.weight, moved)
    assert made.reward == 1.0 and not net.layout.eligible.any()


def everything(device="cpu", dtype=np.float32):
    """Rules of all kinds with homeostasis of both."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=dtype)
    source, cells = net.poisson(40, 60.0, name="source"), net.population(CELL, 31, name="cells")
    pattern, weight = nbsnn.Sparse(probability=0.3), nbsnn.values.Uniform(0.0, 0.3)
    for rule, care, delay in (
        (PairSTDP(clip="all"), Normalize(4.0, every=5.0), 2.0),
        (MSTDP(0.1), Scaling(20.0, 0.01, every=2.5), 0.5),
        (MSTDPET(0.1, tau_e=10.0), Normalize(4.0, every=10.0, before_clip=True), 1.5),
        (None, Scaling(20.0, 0.01, every=5.0), 1.0),
    ):
        net.connect(source, cells, pattern, weight=weight, delay=delay, plasticity=rule, homeostasis=care)
    net.connect(cells, cells, pattern, weight=-0.01, plasticity=PairSTDP(w_min=-0.02, w_max=0.0))
    for c in net.connections[1:3]:
        c.reward = 0.5
    return net


def outcome(net, pieces):
    """Spikes, state and weights after runs of these lengths."""
    spikes = [net.run(piece).spikes() for piece in pieces]
    spikes = [np.concatenate(part) for part in zip(*spikes, strict=True)]
    return [*spikes, *net.state().arrays.values(), *(c.weight for c in net.connections)]


def same(first, second):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.long
def test_threads_and_pieces_change_no_bit(monkeypatch):
    """One thread, interpreted, in one piece; three threads, compiled, in several."""
    nbsnn.set_threads(1)
    whole = outcome(everything("python"), [60.0])
    assert len(whole[0]) > 300
    monkeypatch.setattr(loops, "SHARE", 1)
    nbsnn.set_threads(3)
    net = everything()
    same(whole, outcome(net, [7.0, 0.5, 12.5, 40.0]))
    assert net.loop().parts == 3 or os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_a_state_holds_what_waits_and_what_is_averaged(tmp_path):
    first = everything("python")
    first.run(13.0)
    first.state().save(tmp_path / "state.npz")
    second = everything("python")
    second.restore(nbsnn.network.State.load(tmp_path / "state.npz"))
    same(outcome(first, [17.0]), outcome(second, [17.0]))


def test_normalisation_at_intervals():
    rule, care = PairSTDP(0.1, 0.1), Normalize(3.0, every=10.0)
    net, made = learner(rule, homeostasis=care, pattern=nbsnn.AllToAll())
    net.build()
    weights, recordings = dense(made, made.weight), []
    state = rule.initial(1, weights)
    for _ in range(6):
        recordings.append(net.run(10.0))
    arrived, spiked = trains(recordings, net, 60)
    for k in range(6):
        part = slice(10 * k, 10 * (k + 1))
        state = rule.run(weights, arrived[part], spiked[part], state).state
        care.apply(weights)
    np.testing.assert_allclose(made.weight, weights[made.pre, made.post], rtol=1e-12)
    np.testing.assert_allclose(np.bincount(made.post, made.weight), 3.0, rtol=1e-12)


@pytest.mark.parametrize("rule", [None, PairSTDP(0.05, 0.05, clip="all"), MSTDPET(0.3, tau_e=20.0)])
def test_scaling_follows_its_equations(rule):
    care = Scaling(40.0, 2e-3, every=5.0, tau=50.0)
    net, made = learner(rule, homeostasis=care)
    net.build()
    weights, recordings = dense(made, made.weight), []
    given = {}
    if made.kind.waits:
        made.reward = given["reward"] = 0.6
    for _ in range(12):
        recordings.append(net.run(5.0))
    arrived, spiked = trains(recordings, net, 60)
    rates = np.full(6, 40.0)
    state = rule.initial(1, weights) if rule else None
    for k in range(12):
        part = slice(5 * k, 5 * (k + 1))
        if rule:
            state = rule.run(weights, arrived[part], spiked[part], state, **given).state
        rates += (1.0 - np.exp(-5.0 / 50.0)) * (1000.0 * spiked[part, 0].sum(0) / 5.0 - rates)
        care.apply(weights, rates)
        if rule:
            np.clip(weights, 0.0, 1.0, out=weights)
    np.testing.assert_allclose(net.layout.rates, rates, rtol=1e-12)
    np.testing.assert_allclose(made.weight, weights[made.pre, made.post], rtol=1e-10)


@pytest.mark.long
def test_scaling_brings_units_to_their_rate():
    net = nbsnn.Network(dt=1.0, seed=1)
    source, cells = net.poisson(200, 10.0), net.population(CELL, 20, name="cells")
    start = np.tile(np.linspace(0.02, 0.2, 20), 200)
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=start, homeostasis=Scaling(8.0, 2e-3, every=50.0))
    net.run(40000.0)
    run = net.run(20000.0)
    np.testing.assert_allclose(np.bincount(run.spikes(cells)[1], minlength=20) / 20.0, 8.0, atol=1.0)
    weights = made.weight.reshape(200, 20)
    np.testing.assert_allclose(weights, np.broadcast_to(weights[0], weights.shape), rtol=1e-4)


@pytest.mark.long
def test_a_threshold_that_hardly_decays_does_so_in_single_precision():
    """theta over 1e5 steps, against the sum in float64: float32 has no 1 - 1e-7, and no 20 - 2e-6 next to 20."""
    net = nbsnn.Network(dt=1.0, seed=2)
    cells = net.population(DiehlCook(theta=20.0, tau_theta=1e7), 3, name="cells")
    net.inject(cells, np.array([0.0, 40.0, 60.0]))
    times, units = net.run(1e5, record={cells: "spikes"}).spikes(cells)
    theta = 20.0 * np.exp(-1e5 / 1e7) + np.bincount(units, 0.05 * np.exp(-(1e5 - times) / 1e7), 3)
    assert theta[1] > 25.0
    np.testing.assert_allclose(net.group("cells")["theta"], theta, rtol=1e-6)


class Whole(Rule):
    """A rule of one's own with a way of its own to change weights, of which sparse synapses know nothing."""

    def advance(self, *args, **options):
        return {}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"homeostasis": Normalize(1.0)}, ValueError, "needs every="),
        ({"homeostasis": Normalize(1.0, every=0.3)}, ValueError, "whole number of steps"),
        ({"homeostasis": 3}, TypeError, "must be a Scaling"),
        ({"plasticity": MSTDP(normalize=Normalize(1.0, "every"))}, ValueError, "homeostasis=Normalize"),
        ({"plasticity": Whole(lambda w, pre, post: (0.0, 0.0))}, ValueError, "nbsnn.plasticity.Plastic"),
    ],
)
def test_bad_input(options, error, message):
    net = nbsnn.Network(dt=1.0, device="python")
    cells = net.population(CELL, 4)
    with pytest.raises(error, match=message):
        net.connect(cells, cells, nbsnn.AllToAll(), **options) and net.build()


def test_bad_rewards_and_scalings():
    _, made = learner(MSTDP())
    with pytest.raises(ValueError, match="reward must be finite"):
        made.reward = np.inf
    assert made.reward == 0.0
    _, plain = learner(PairSTDP())
    with pytest.raises(ValueError, match="no rule that waits"):
        plain.reward = 1.0
    with pytest.raises(ValueError, match="greater than 0"):
        Scaling(5.0, every=0.0)
    with pytest.raises(ValueError, match="at intervals"):
        PairSTDP(normalize=Normalize(1.0, every=10.0))
    with pytest.raises(ValueError, match="either every"):
        Normalize(1.0, "every", every=10.0)


@pytest.mark.parametrize("weight", [3.0, 2.01, 1.0, -0.01, -1.0])
@pytest.mark.parametrize("gain", [-0.4, 0.4])
def test_a_weight_beyond_its_bounds_comes_back_as_step_by_step(weight, gain):
    fall, eligible = 0.3, 0.5
    w, c = weight, eligible
    for n in range(1, 9):
        w, c = min(max(w + gain * c * -np.expm1(-fall), 0.0), 2.0), c * np.exp(-fall)
        found = later(weight, eligible, n, gain, fall, 0.0, 2.0)
        np.testing.assert_allclose(found, (w, c), rtol=1e-12)
    assert later(weight, 0.0, 5, gain, fall, 0.0, 2.0) == (weight, 0.0)  # nothing is gained: nothing is clipped
