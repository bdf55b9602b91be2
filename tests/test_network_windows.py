"""Spikes are exchanged once in a shortest delay, also where synapses change: no bit depends on that."""

import copy

import numpy as np
import pytest

import nbsnn
from nbsnn.network import loop
from nbsnn.network.layout import Layout
from nbsnn.neurons import LIF
from nbsnn.plasticity import (
    MSTDP,
    MetaNearestSTDP,
    NearestSTDP,
    Normalize,
    PairSTDP,
    PostPreInt,
    Scaling,
    TripletSTDP,
)
from nbsnn.sparse import Sparse
from nbsnn.sparse.values import Uniform
from nbsnn.synapses import Exponential, TsodyksMarkram

PAIR, SHORT = PairSTDP(a_post=0.05, a_pre=0.0525), TsodyksMarkram(0.5, 200.0, 20.0)
KINDS = {
    "pair": {"plasticity": PAIR},
    "nearest": {"plasticity": NearestSTDP()},
    "triplet": {"plasticity": TripletSTDP()},
    "mean weight": {"plasticity": MetaNearestSTDP()},
    "rewarded": {"plasticity": MSTDP()},
    "integer": {"plasticity": PostPreInt(-800, 5000, w_max=60)},
    "scaled": {"plasticity": PAIR, "homeostasis": Scaling(rate=5.0, every=10.0)},
    "normalised": {"plasticity": PairSTDP(a_post=0.05, a_pre=0.0525, normalize=Normalize(4.0, when="every"))},
    "short-term": {"short_term": SHORT},
    "both": {"plasticity": PAIR, "short_term": SHORT},
}


def network(kind, device="python", n=15, delay=2.5, **synapse):
    net = nbsnn.Network(dt=0.5, seed=5, device=device)
    neuron = LIF(tau=20.0, v_rest=0.0, v_threshold=20.0, v_reset=0.0, refractory=2.0)
    cells = net.population(neuron, n, name="cells", v=Uniform(0.0, 20.0))
    net.drive(cells, 12000.0, 0.4)
    weight = 3.0 if kind == "integer" else Uniform(0.0, 0.9)
    learned = net.connect(
        cells[: n * 4 // 5], cells, Sparse(probability=0.5), weight=weight, delay=delay, **KINDS[kind], **synapse
    )
    if kind == "rewarded":
        learned.reward = 0.5
    net.connect(cells[n * 4 // 5 :], cells, Sparse(probability=0.5), weight=-1.0, delay=delay, **synapse)
    net.connect(cells, cells, Sparse(probability=0.2), weight=0.3, delay=Uniform(delay, 2 * delay), **synapse)
    return net


def outcome(net, pieces):
    """Spikes, variables and weights after runs of these lengths."""
    spikes = [np.concatenate(part) for part in zip(*(net.run(piece).spikes() for piece in pieces), strict=True)]
    assert len(spikes[0]) > 20
    return [*spikes, net.groups[0]["v"].copy(), *(c.weight for c in net.connections if c.own_weights)]


@pytest.mark.parametrize("synapse", [{}, {"synapse": Exponential(2.0)}], ids=["delta", "exponential"])
@pytest.mark.parametrize("kind", KINDS)
def test_windows_give_the_bits_of_single_steps(kind, synapse, monkeypatch):
    net = network(kind, **synapse)
    found = outcome(net, [14.0, 11.0])
    longest = 6 if kind == "short-term" and synapse else 5  # what a synapse drives, it drives a step after arrival
    assert net.loop().window == (1 if kind == "mean weight" else longest)
    monkeypatch.setattr(Layout, "_window", staticmethod(lambda late: 1))
    net = network(kind, **synapse)
    expected = outcome(net, [25.0])
    assert net.loop().window == 1
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_plastic_connection_without_synapses_counts_too():
    net = network("pair")
    cells = net.groups[0]
    net.connect(cells, cells, Sparse(probability=0.0), weight=Uniform(0.0, 0.1), delay=1.0, plasticity=PAIR)
    net.build()
    assert net.loop().window == 2


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_threads_change_no_bit(kind, monkeypatch):
    monkeypatch.setattr(loop, "SHARE", 1)
    expected = outcome(network(kind), [25.0])
    for threads in (1, 3):
        nbsnn.set_threads(threads)
        net = network(kind, "cpu")
        for a, b in zip(outcome(net, [14.0, 11.0]), expected, strict=True):
            np.testing.assert_array_equal(a, b)
        assert net.loop().parts == threads


def test_a_copy_of_a_plastic_network_goes_on_as_it():
    net = network("pair")
    net.run(8.0)
    twin = copy.deepcopy(net)
    for a, b in zip(outcome(net, [15.0]), outcome(twin, [15.0]), strict=True):
        np.testing.assert_array_equal(a, b)
    for name, array in net.state().arrays.items():
        np.testing.assert_array_equal(array, twin.state().arrays[name], err_msg=name)


def test_bytes_are_those_of_arrays():
    assert network("pair").nbytes > 4 * network("pair").estimate() // 12


@pytest.mark.parametrize(("rule", "delay"), [(None, 1.5), (None, Uniform(1.5, 4.0)), (PAIR, 1.5), (MSTDP(), 1.5)])
def test_what_is_estimated_is_built(rule, delay):
    net = nbsnn.Network(dt=0.1, device="python")
    cells, noise = net.population(LIF(), 1500), net.poisson(500, rate=5.0)
    held = {"synapse": Exponential(5.0), "plasticity": rule}
    net.connect(cells, cells, Sparse(probability=0.05), weight=0.1, delay=delay, **held)
    net.connect(noise, cells, Sparse(indegree=20), weight=Uniform(0.0, 0.1), delay=2.0)
    found = net.estimate(rate=10.0)
    one = found.ranks(1)
    assert found == sum(c.estimate() * c.bytes_each() for c in net.connections) and found.neurons == 2000
    assert one.bytes == pytest.approx(net.nbytes, rel=0.15)
    assert one.synapses == pytest.approx(sum(map(len, net.connections)), rel=0.15)
    assert found.window == net.loop().window >= 15 and "2,000 units" in str(found)
    assert found.ranks(4).work == pytest.approx(one.work / 4, rel=0.01)
    with pytest.raises(ValueError, match="ranks must be at least 1"):
        found.ranks(0)
    with pytest.raises(ValueError, match="rate"):
        net.estimate(rate=-1.0)
