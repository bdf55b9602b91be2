"""Rules that normalise in every step on sparse synapses, whose weights are kept with one factor per unit."""

import itertools
import os

import numpy as np
import pytest

import nbsnn
import nbsnn.network.loop as loops
from nbsnn.kernels.network import tables as at
from nbsnn.kernels.plasticity import normalized
from nbsnn.plasticity import MSTDPET, MetaNearestSTDP, Normalize, PairSTDP, Scaling, TripletSTDP
from nbsnn.presets.spaic_stdp import full_online_stdp, nearest_online_stdp

from .test_network_plasticity import CELL, dense, learner, same, shape_of, trains

T = 90
EVERY = Normalize(3.0, "every")
FIRST = Normalize(3.0, "every", before_clip=True)


@pytest.fixture(autouse=True)
def _threads():
    yield
    nbsnn.set_threads(None)


def masked(rule, made, start, arrived, spiked):
    """Weights after each step of the dense rule without the synapses that are not there, [T, synapses]."""
    weights, mask = dense(made, start).astype(start.dtype), dense(made, np.ones(len(made)))
    pre, post = arrived.astype(start.dtype), spiked.astype(start.dtype)
    used, _ = rule.follow(pre, post, rule.initial(1, weights), 1.0, "python")
    after = np.empty((len(pre), len(made)), start.dtype)
    for t, line in enumerate(after):
        rule.settle(weights, rule.increment(t, weights, pre, post, used, "python") * mask.astype(start.dtype), t)
        line[...] = weights[made.pre, made.post]
    return after


def compare(rule, *, steps=T, least=0.1, tolerance=1e-12, delay=1, **options):
    """Run the rule on sparse synapses and densely, step by step; returns the network."""
    net, made = learner(rule, delay=float(delay), **options)
    net.build()
    start = made.weight.copy()
    run = net.run(float(steps), record={"source": "spikes", "cells": "spikes", made: "weight"}, every=1.0)
    expected = masked(rule, made, start, *trains([run], net, steps, delay))
    found = run[made, "weight"]
    # What is left of a weight that others almost cancelled holds fewer digits: errors are of the order of the largest.
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())
    np.testing.assert_array_equal(made.weight, found[-1])
    assert np.abs(found[-1] - start).max() > least
    if made.stored.bounded and rule.normalize.before_clip:
        assert rule.w_min <= np.min(found) and np.max(found) <= rule.w_max
    return net, made


OPTIONS = [
    pytest.param(before, clip, bounds, when, marks=[] if bounds in ("hard", "smooth") else pytest.mark.long)
    for before, clip, bounds, when in itertools.product(
        (False, True), ("changed", "all"), ("hard", "soft", "power", "smooth", "none"), ("every", 30.5)
    )
]


@pytest.mark.parametrize(("before", "clip", "bounds", "when"), OPTIONS)
def test_every_option_equals_dense(before, clip, bounds, when):
    normalize = Normalize(3.0, when, before_clip=before)
    compare(PairSTDP(0.1, 0.11, w_max=0.8, clip=clip, bounds=bounds, mu=0.3, normalize=normalize))


RULES = {
    "triplet": (TripletSTDP(rate=10.0, normalize=FIRST), {"delay": 3}),
    "own": (shape_of(0.1, 0.1).replace(normalize=EVERY), {"pattern": nbsnn.AllToAll()}),
    "both signs": (
        PairSTDP(0.1, 0.11, w_min=-0.5, clip="all", coincidence="ignore", sign=-1, normalize=FIRST),
        {"pattern": nbsnn.AllToAll()},
    ),
    "nearest": (nearest_online_stdp(0.1, 0.02, w_norm=4.0), {"pattern": nbsnn.AllToAll()}),
    "nearest, sparse": (nearest_online_stdp(0.1, 0.02, w_norm=4.0), {}),
    "full": (full_online_stdp(0.1, 0.02, w_norm=4.0), {}),
}


@pytest.mark.parametrize("name", RULES)
def test_rules_and_presets_equal_dense(name):
    rule, options = RULES[name]
    compare(rule, **options)


@pytest.mark.parametrize(
    "rule", [RULES["nearest"][0], PairSTDP(0.1, 0.11, w_max=0.8, normalize=EVERY)], ids=["nearest", "pair"]
)
def test_single_precision_equals_dense_but_for_rounding(rule):
    compare(rule, dtype=np.float32, tolerance=3e-6)


@pytest.mark.parametrize("before", [False, True])
def test_units_that_seldom_fire(before):
    """Sums and factors that rows alone have made, over hundreds of spikes."""
    rule = PairSTDP(0.05, 0.01, normalize=Normalize(3.0, "every", before_clip=before), clip="all")
    net, _ = compare(
        rule, steps=150, pattern=nbsnn.Sparse(probability=0.3), sizes=(60, 12), weight=nbsnn.values.Uniform(0.01, 0.04)
    )
    scale = net.layout.aims[at.SCALE * 12 : (at.SCALE + 1) * 12]
    assert np.any(scale != 1.0) and net.layout.learning.table[0, at.BALANCED] >= 0


def test_saturated_weights_rest():
    """A total that the bounds do not let be reached: weights stay there, and are not visited until they change."""
    net, made = learner(nearest_online_stdp(0.1, 0.1, w_norm=40.0), sizes=(3, 6), pattern=nbsnn.AllToAll())
    source = net.group("source")
    resting, quiet = [], []
    for _ in range(60):
        run = net.run(1.0)
        resting.append(net.layout.aims[at.VISITED * 6 : (at.VISITED + 1) * 6] == normalized.REST)
        quiet.append((len(run.spikes(source)[1]), len(run.spikes("cells")[1])))
        assert np.all(made.weight == 1.0) or net.step < 4
    sent, fired = np.array(quiet).T
    quiet = (sent == 0) & (np.roll(sent, 1) == 0) & (fired == 0)
    assert quiet[5:].sum() > 10 and np.all(np.array(resting)[5:][quiet[5:]])
    assert not np.array(resting)[5:][fired[5:] > 0].all()


def test_a_sum_of_which_rounding_alone_is_left_is_made_anew():
    """Weights of about 0.3 are cut off at once by spikes that follow the target's; little is left."""
    net = nbsnn.Network(dt=1.0, seed=5, dtype=np.float64, device="python")
    source = net.spikes(np.full(10, 8.0), np.arange(10), 14, name="source")
    cells = net.population(CELL, 2, name="cells")
    net.inject(cells, np.array([[100.0, 100.0], *[[-100.0, -100.0]] * 6]), start=4.0)  # fires once, and not again
    rule = PairSTDP(0.0, 0.9, normalize=EVERY)
    weight = np.concatenate([np.random.default_rng(1).uniform(0.2, 0.4, 20), np.repeat([3e-6, 7e-6, 5e-6, 8e-6], 2)])
    weight[21::2] = 0.0  # of the second unit nothing is left
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=weight, plasticity=rule)
    assert len(net.run(12.0).spikes(cells)[0]) == 2
    left = made.weight.reshape(14, 2)
    np.testing.assert_array_equal(left[:10], 0.0)
    np.testing.assert_array_equal(left[:, 1], 0.0)
    np.testing.assert_allclose(left[10:, 0], 3.0 * np.array([3.0, 7.0, 5.0, 8.0]) / 23.0, rtol=1e-13)


def test_what_spikes_deliver_is_the_weight():
    """A spike adds the weight of its arrival to a membrane that does not leak."""
    net = nbsnn.Network(dt=1.0, seed=1, dtype=np.float64, device="python")
    neuron = nbsnn.neurons.LIF(tau=1e12, v_threshold=1.0)
    source, cells = net.poisson(5, 100.0), net.population(neuron, 4, name="cells")
    rule = PairSTDP(0.1, 0.1, normalize=Normalize(1.0, "every"))
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=nbsnn.values.Uniform(0.1, 0.3), plasticity=rule)
    run = net.run(80.0, record={source: "spikes", cells: ["v", "spikes"], made: "weight"}, every=1.0)
    v, w = run[cells, "v"], run[made, "weight"].reshape(80, 5, 4)
    np.testing.assert_allclose(w.sum(1), 1.0, rtol=1e-12)
    times, units = run.spikes(source)
    came = np.zeros((81, 5))
    came[np.rint(times).astype(int), units] = 1.0
    for t in range(2, 80):
        u = v[t - 1] + came[t] @ w[t - 1]
        np.testing.assert_allclose(v[t], np.where(u >= 1.0, 0.0, u), rtol=1e-9, atol=1e-9)


def everything(device, *others):
    """Two rules that normalise in different ways, beside others."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=np.float32)
    source, cells = net.poisson(40, 60.0, name="source"), net.population(CELL, 31, name="cells")
    pattern, weight = nbsnn.Sparse(probability=0.3), nbsnn.values.Uniform(0.0, 0.3)
    for rule, delay in (
        (PairSTDP(0.05, 0.06, normalize=Normalize(2.0, 20, before_clip=True), w_max=0.4), 2.0),
        (nearest_online_stdp(0.1, 0.01, w_norm=3.0), 0.5),
        *((rule, 1.0) for rule in others),
    ):
        net.connect(source, cells, pattern, weight=weight, delay=delay, plasticity=rule)
    net.connect(cells, cells, pattern, weight=-0.01, plasticity=PairSTDP(w_min=-0.02, w_max=0.0, normalize=EVERY))
    return net


def outcome(net, pieces, look=False):
    """All that there is after runs of these lengths; ``look`` at weights after every step."""
    callback = (lambda n: [c.weight for c in n.connections]) if look else None
    spikes = [net.run(piece, callback=callback).spikes() for piece in pieces]
    spikes = [np.concatenate(part) for part in zip(*spikes, strict=True)]
    assert len(spikes[0]) > 60
    return [*spikes, *net.state().arrays.values(), *(c.weight for c in net.connections)]


def test_pieces_looks_and_states_change_no_bit(tmp_path):
    whole, *nets = [everything("python", MetaNearestSTDP(), PairSTDP()) for _ in range(4)]
    whole = outcome(whole, [30.0])
    same(whole, outcome(nets[0], [7.0, 0.5, 2.5, 20.0], look=True))
    nets[1].run(13.0)
    nets[1].state().save(tmp_path / "state.npz")
    nets[2].restore(nbsnn.network.State.load(tmp_path / "state.npz"))
    same(whole[2:], outcome(nets[2], [17.0])[2:])


@pytest.mark.long
def test_threads_change_no_bit(monkeypatch):
    """One thread, interpreted; three threads, compiled."""
    nbsnn.set_threads(1)
    whole = outcome(everything("python"), [60.0])
    monkeypatch.setattr(loops, "SHARE", 1)
    nbsnn.set_threads(3)
    net = everything("cpu")
    same(whole, outcome(net, [7.0, 0.5, 12.5, 40.0]))
    assert net.loop().parts == 3 or os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_weights_that_are_set_and_networks_that_are_reset():
    rule = PairSTDP(0.1, 0.11, w_max=0.8, clip="all", normalize=Normalize(3.0, 5, before_clip=True))
    net, made = learner(rule)
    net.run(20.0)
    with pytest.raises(ValueError, match="read-only"):
        made.weight[0] = 1.0
    made.weight = 2.0
    assert np.all(made.weight == 2.0)
    net.run(1.0)
    assert np.max(made.weight) <= 0.8
    kept = made.weight
    made.learning = False
    net.run(3.0)
    np.testing.assert_array_equal(made.weight, kept)
    made.learning = True
    net.reset()
    np.testing.assert_array_equal(made.weight, kept)
    made.weight = 0.1
    net.run(5.0)  # steps 0 to 4
    sums = np.bincount(made.post, made.weight, 6)
    assert np.abs(sums - 3.0).min() > 0.1
    net.run(1.0)
    np.testing.assert_allclose(np.bincount(made.post, made.weight, 6), 3.0, atol=0.3)


def test_rewarded_rules_normalise_in_every_step_at_intervals_of_one():
    """As their refusal says."""
    rule = MSTDPET(0.4, tau_e=12.0)
    net, made = learner(rule, homeostasis=Normalize(3.0, every=1.0), pattern=nbsnn.AllToAll())
    net.build()
    start, made.reward = made.weight, 0.7
    arrived, spiked = trains([net.run(float(T))], net, T)
    every = rule.replace(normalize=EVERY)
    learned = every.run(dense(made, start), arrived, spiked, reward=0.7).weights
    np.testing.assert_allclose(made.weight, learned[made.pre, made.post], rtol=1e-10)
    with pytest.raises(ValueError, match=r"rewarded rule would visit .* homeostasis=Normalize\(total, every=ms\)"):
        learner(every)


def test_one_homeostasis_is_enough():
    for care in (Scaling(5.0), Normalize(1.0, every=5.0)):
        with pytest.raises(ValueError, match=r"homeostasis must be None with Rule, whose Normalize\(.* is one already"):
            learner(PairSTDP(normalize=EVERY), homeostasis=care)
    with pytest.raises(ValueError, match="steers mean weights in every step"):
        MetaNearestSTDP().replace(normalize=EVERY)


@pytest.mark.parametrize("bounds", ["hard", "soft", "smooth", "none"])
@pytest.mark.parametrize("clip", ["changed", "all"])
def test_weights_begin_as_given(bounds, clip):
    net = nbsnn.Network(dt=1.0, dtype=np.float64, device="python")
    given, rule = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 7.0]), PairSTDP(normalize=EVERY, clip=clip, bounds=bounds)
    made = net.connect(net.poisson(3, 10.0), net.population(CELL, 2), nbsnn.AllToAll(), weight=given, plasticity=rule)
    np.testing.assert_array_equal(made.weight, given)
