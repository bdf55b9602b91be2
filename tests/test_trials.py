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
