"""Trials and sweeps: seeds of structure and noise, copies and pickles of networks and recordings."""

import copy
import pickle

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import MSTDPET, MetaNearestSTDP, Normalize, PairSTDP, PostPreInt
from nbsnn.synapses import Exponential, TsodyksMarkram


def network(rule=None, device="python", **options):
    """Poisson units onto cells, with a rule; cells among each other, with delays of their own and depression."""
    net = nbsnn.Network(dt=0.5, seed=2, device=device, **options)
    inputs = net.poisson(10, 60.0, name="inputs")
    cells = net.population(LIF(10.0, 1.0), 6, name="cells", v=nbsnn.values.Uniform(0.0, 0.9))
    net.drive(cells, 500.0, 0.2)
    net.inject(cells, np.full((40, 1), 0.4), every=1.0)
    weight = 1 if isinstance(rule, PostPreInt) else 0.4
    net.connect(inputs, cells, nbsnn.AllToAll(), weight=weight, delay=2.0, plasticity=rule, name="learned")
    net.connect(
        cells, cells[:3], nbsnn.Sparse(probability=0.5), weight=nbsnn.values.Uniform(0.0, 0.2), name="lateral",
        synapse=Exponential(5.0), short_term=TsodyksMarkram(0.5, 200.0, 10.0), delay=nbsnn.values.Uniform(1.0, 3.0),
    )  # fmt: skip
    return net


def same(one, other):
    """Two recordings have the same bits."""
    assert len(one.spikes()[0]) > 0 and len(one.variables) == len(other.variables)
    for a, b in zip(one.spikes(), other.spikes(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(one.variables.values(), other.variables.values(), strict=True):
        np.testing.assert_array_equal(a, b)


def go_on(net, duration=30.0):
    cells, learned = net.group("cells"), net.connections[0]
    weights = {} if learned.plasticity is None else {learned: "weight"}
    return net.run(duration, record={cells: ["spikes", "v"], **weights}, every=0.5)


RULES = {
    "none": None,
    "pairs": PairSTDP(0.1),
    "rewarded": MSTDPET(),
    "steered": MetaNearestSTDP(),
    "normalised": PairSTDP(0.1, normalize=Normalize(2.0, when="every")),
    "integer": PostPreInt(),
}


@pytest.mark.parametrize(
    ("rule", "device"),
    [*((rule, "python") for rule in RULES), ("pairs", "cuda"), ("none", "cuda"),
     *(pytest.param("rewarded", device, marks=pytest.mark.long) for device in ("cpu", "cuda"))],
)  # fmt: skip
def test_a_network_that_has_run_is_copied_and_pickled_and_goes_on_with_the_same_bits(rule, device):
    net = network(RULES[rule], device)
    if rule == "rewarded":
        net.connections[0].reward = 1.0
    net.run(20.0)
    before = pickle.dumps(net)
    others = [pickle.loads(before), copy.deepcopy(net), pickle.loads(pickle.dumps(net.group("cells"))).network]
    expected = go_on(net)
    for other in others:
        assert other.time == 20.0 and other.group("cells") is not net.group("cells")
        same(go_on(other), expected)
        other.reset()
    again = pickle.loads(before)
    if rule == "rewarded":
        assert again.connections[0].reward == 1.0
    again.reset()
    assert again.time == 0.0 and again.counterpart(net.connections[1]) is again.connections[1]


def test_a_copy_has_inputs_and_weights_of_its_own():
    net = network(PairSTDP(0.1))
    net.run(5.0)
    other, kept = copy.deepcopy(net), np.array(net.connections[1].weight)
    other.connections[1].weight = 5.0
    other.group("cells").currents[0].set(9.0)
    other.group("inputs").rate = 900.0
    other.group("cells")["v"] = 0.1
    one, two = copy.deepcopy(net), net
    same(go_on(one), go_on(two))
    np.testing.assert_array_equal(net.connections[1].weight, kept)


def test_noise_has_a_seed_of_its_own_and_the_structure_stays():
    spikes = {}
    for noise in (None, 2, 3):
        net = network(PostPreInt(), noise=noise)
        spikes[noise] = net.run(30.0).spikes()
        weights = np.array(net.connections[1].weight)
        again = network(PostPreInt())
        again.run(5.0)
        again.reset()
        again.connections[0].weight = 1
        again.noise = 2 if noise is None else noise
        assert again.noise == net.noise
        for a, b in zip(spikes[noise], again.run(30.0).spikes(), strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(net.connections[0].weight, again.connections[0].weight)
        np.testing.assert_array_equal(again.connections[1].weight, weights)
    np.testing.assert_array_equal(spikes[None], spikes[2])
    assert not np.array_equal(spikes[2], spikes[3])
    with pytest.raises(TypeError, match="integer"):
        net.noise = 0.5
    with pytest.raises(TypeError, match="integer"):
        nbsnn.Network(noise="x")


def test_a_recording_is_pickled_without_its_network():
    net = network(PairSTDP(0.1))
    cells, learned = net.group("cells"), net.connections[0]
    part = cells[1:4].named("part")
    run = net.run(20.0, record={cells: "spikes", part: "v", cells[:2]: "v", learned: "weight"}, every=1.0)
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(run))))
    same(again, run)
    for owner in (cells, "cells", part, "part", cells[2:5], None):
        for a, b in zip(run.spikes(owner), again.spikes(owner), strict=True):
            np.testing.assert_array_equal(a, b)
    for owner in (part, "part", cells[:2], learned):
        name = "weight" if owner is learned else "v"
        np.testing.assert_array_equal(again[owner, name], run[owner, name])
    assert again.rate(cells) == run.rate(cells) and repr(again) == repr(run)
    assert len(pickle.dumps(run)) < 20_000  # no synapses, no state
    with pytest.raises(KeyError, match="'inputs', 'cells'"):
        again.spikes("others")
    with pytest.raises(KeyError, match="has 4 units"):
        again.spikes(nbsnn.Network().population(LIF(), 4, name="cells"))


@pytest.mark.parametrize("device", ["python", pytest.param("cpu", marks=pytest.mark.long)])
def test_trials_have_other_noise_and_are_what_run_gives_with_that_seed(device):
    net = network(PairSTDP(0.1), device)
    net.run(10.0)
    cells, learned = net.group("cells"), net.connections[0]
    part = cells[1:3].named("part")
    record = {cells: "spikes", "part": "v", learned: {"weight": [3, 5]}}
    before = pickle.dumps(net)
    runs = net.trials(3, 20.0, record=record, every={part: 0.5, learned: 5.0})
    assert net.time == 10.0 and pickle.dumps(net) == before and net.noise == 2
    for k, run in enumerate(runs):
        other = pickle.loads(before)
        other.noise = 2 + k
        there = {other.counterpart(of): what for of, what in record.items()}
        expected = other.run(20.0, record=there, every={"part": 0.5, other.connections[0]: 5.0})
        same(run, expected)
        assert run[part, "v"].shape == (40, 2) and run[learned, "weight"].shape == (4, 2)
        assert run.network is net and (run.start, run.duration) == (10.0, 20.0)
    assert not np.array_equal(runs[0].spikes()[0], runs[1].spikes()[0])
    for run in net.trials(2, 20.0, noise=2, record=record, every={part: 0.5, learned: 5.0}):
        same(run, runs[0])
    for noise in (range(2, 4), np.array([2, 3], np.uint8)):
        for run, first in zip(net.trials(2, 5.0, noise=noise, record={"cells": "spikes"}), runs[:2], strict=True):
            times = first.spikes("cells")[0]
            np.testing.assert_array_equal(run.spikes("cells")[0], times[times < 15.05])


def test_trials_with_values_of_their_own_are_a_sweep():
    net = nbsnn.Network(dt=0.5, device="python")
    cells = net.population(LIF(10.0), 3, name="cells")
    net.inject(cells, 1.5)

    def prepare(copied, k):
        copied.counterpart(cells)["tau"] = [5.0, 20.0][k]
        with pytest.raises(RuntimeError, match="in its trials, which are copies"):
            cells["tau"] = 1.0
        with pytest.raises(RuntimeError, match="running"):
            net.run(1.0)

    counts = [len(run.spikes(cells)[0]) for run in net.trials(2, 100.0, prepare=prepare)]
    for tau, found in zip((5.0, 20.0), counts, strict=True):
        one = nbsnn.Network(dt=0.5, device="python")
        one.inject(one.population(LIF(tau), 3), 1.5)
        assert len(one.run(100.0).spikes()[0]) == found
    assert cells["tau"].tolist() == [10.0] * 3
    net.run(1.0)
    for wrong, words in (({"n": 0}, "n "), ({"noise": [1, 2]}, "noise must be"), ({"prepare": len}, "prepare")):
        with pytest.raises((ValueError, TypeError), match=words):
            net.trials(**{"n": 3, "duration": 5.0, **wrong})


def test_recordings_of_successive_runs_join_to_that_of_one():
    whole, pieces = network(PairSTDP(0.1)), network(PairSTDP(0.1))
    recordings = []
    for net, lengths in ((whole, [30.0]), (pieces, [2.5, 17.5, 10.0])):
        cells, learned = net.group("cells"), net.connections[0]
        how = {"record": {cells: {"spikes": None, "v": [1, 4]}, learned: "weight"}, "every": {cells: 0.5, learned: 4.0}}
        runs = [net.run(length, **how) for length in lengths]
        recordings.append(runs[0].join(*runs[1:]))
    one, joined = recordings
    same(one, joined)
    np.testing.assert_array_equal(one.times, joined.times)
    names = (("cells", "v"), (pieces.connections[0], "weight"))
    for key, other in zip(one.variables, names, strict=True):
        np.testing.assert_array_equal(one.times_of(*key), joined.times_of(*other))
    assert joined.times_of(pieces.connections[0], "weight").tolist() == [4.0 * k for k in range(1, 8)]
    assert (joined.duration, joined.start) == (30.0, 0.0) and joined.rate("cells") == one.rate("cells")
    for other, words in ((runs[0], "begins at 0 ms"), (one, "of another network"), (net.run(1.0), "other units")):
        with pytest.raises(ValueError, match=words):
            joined.join(other)
    cells = pieces.group("cells")
    one = pieces.run(1.0, record={cells: {"v": [0, 1]}})
    with pytest.raises(ValueError, match="other variables, or units"):
        one.join(pieces.run(1.0, record={cells: {"v": [2, 3]}}))
    with pytest.raises(TypeError, match="joined with recordings"):
        joined.join(3)


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_keeps_what_it_has(error):
    net, other = network(PairSTDP(0.1)), network(PairSTDP(0.1))

    def fail(net):
        if net.time == 12.0:
            raise error

    cells, learned = net.group("cells"), net.connections[0]
    with pytest.raises(error):
        net.run(30.0, record={cells: ["spikes", "v"], learned: "weight"}, every=0.5, callback=fail)
    kept = net.interrupted
    expected = go_on(other, 12.0)
    assert (kept.start, kept.duration, net.time) == (0.0, 12.0, 12.0)
    for a, b in zip(kept.spikes(), (x[expected.spikes()[0] <= 12.0] for x in expected.spikes()), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(kept[cells, "v"], expected["cells", "v"])
    n = len(kept[learned, "weight"])  # but for what was due at its end
    assert n == 23 == len(kept.times_of(learned, "weight"))
    np.testing.assert_array_equal(kept[learned, "weight"], expected[other.connections[0], "weight"][:n])
    rest = net.run(1.0, record={cells: ["spikes", "v"]})
    assert net.interrupted is None and len(rest.times) == 2


def test_variables_have_intervals_of_their_own():
    how = {"v": 0.5, "exponential.y": 2.0, "weight": 3.0}
    net = network(PairSTDP(0.1))
    cells, learned = net.group("cells"), net.connections[0]
    full = copy.deepcopy(net)
    record = {cells: {"spikes": None, "v": None, "exponential.y": [2, 0]}, learned: {"weight": [1]}}
    run = net.run(12.0, record=record, every={(cells, "exponential.y"): 2.0, learned: 3.0})
    there = full.counterpart
    all_of_it = full.run(12.0, record={there(of): what for of, what in record.items()})
    for owner, name in ((cells, "v"), (cells, "exponential.y"), (learned, "weight")):
        rows = np.rint(run.times_of(owner, name) / 0.5).astype(int) - 1
        assert run.times_of(owner, name).tolist() == np.arange(how[name], 12.5, how[name]).tolist()
        np.testing.assert_array_equal(run[owner, name], all_of_it[there(owner), name][rows])
    assert run.times.tolist() == run.times_of(cells, "v").tolist()
    for every, words in (
        ({learned: 1.0}, "no variable of learned is recorded"),
        ({(cells, "u"): 1.0}, "no u of cells"),
        ({}, "every is the interval of variables and weights: a number, or one for each"),
    ):
        with pytest.raises(ValueError, match=words):
            net.run(1.0, record={cells: "v"}, every=every)


def test_variables_of_synapses_are_recorded():
    net = network(MSTDPET(0.1, 0.5, 0.3, tau_e=10.0), dtype=np.float64)
    cells, (learned, lateral) = net.group("cells"), net.connections
    learned.reward = 0.5
    chosen = [3, 40, 7]
    record = {
        net.group("inputs"): "spikes", cells: "spikes", learned: {"x": chosen, "y": chosen, "eligibility": chosen},
        lateral: ["u", "R"],
    }  # fmt: skip
    run = net.run(40.0, record=record)
    pre, post = learned.pre[chosen], learned.post[chosen]
    spikes = {}
    for owner, late in (("inputs", 4), ("cells", 0)):
        times, units = run.spikes(owner)
        spikes[owner] = np.zeros((90, 10))
        spikes[owner][np.rint(times / 0.5).astype(int) - 1 + late, units] = 1.0
    x, y, c = np.zeros(10), np.zeros(10), np.zeros(3)
    u, r = np.full(6, 0.5), np.ones(6)  # before a spike, carried from step to step
    source = lateral.pre
    for t in range(80):
        arrived, fired = spikes["inputs"][t], spikes["cells"][t]
        x, y = x * np.exp(-0.5 / 20.0) + arrived, y * np.exp(-0.5 / 20.0) + fired
        eligible = 0.5 * fired[post] * x[pre] - 0.3 * arrived[pre] * y[post]
        c = c * np.exp(-0.5 / 10.0) + eligible / 10.0
        np.testing.assert_allclose(run[learned, "x"][t], x[pre], atol=1e-12)
        np.testing.assert_allclose(run[learned, "y"][t], y[post], atol=1e-12)
        np.testing.assert_allclose(run[learned, "eligibility"][t], c, atol=1e-9)
        here = fired[:6] > 0.0
        left = np.where(here, r - u * r, r)
        r = 1.0 - (1.0 - left) * np.exp(-0.5 / 200.0)
        u = 0.5 + np.where(here, u * 0.5, u - 0.5) * np.exp(-0.5 / 10.0)
        np.testing.assert_allclose(run[lateral, "u"][t], u[source], atol=1e-9)
        np.testing.assert_allclose(run[lateral, "R"][t], r[source], atol=1e-9)
    with pytest.raises(KeyError, match="of lateral weight, u, R can be recorded, not 'x'"):
        net.run(1.0, record={lateral: "x"})
    with pytest.raises(ValueError, match=r"lateral.u must be integers from 0"):
        net.run(1.0, record={lateral: {"u": [999]}})
