"""MetaNearestSTDP on sparse synapses, whose weights are kept with one factor per unit: equal to the dense rule."""

import numpy as np
import pytest

import nbsnn
from nbsnn.plasticity import MetaNearestSTDP, Normalize, PairSTDP, Scaling

from .test_network_plasticity import CELL, dense, learner, trains

RULE = MetaNearestSTDP(0.1, 0.05, 20.0, 30.0)
T = 150


def network(rule=RULE, **options):
    return learner(
        rule, **{"weight": nbsnn.values.Uniform(0.1, 0.5), "pattern": nbsnn.AllToAll(), "sizes": (20, 7), **options}
    )


@pytest.mark.parametrize(
    ("rule", "dtype", "delay"),
    [
        (RULE, np.float64, 1),
        (RULE, np.float32, 3),
        (RULE.replace(coincidence="ignore", sign=-1), np.float64, 1),
        (RULE.replace(normalize=Normalize(4.0)), np.float64, 2),
        (MetaNearestSTDP(0.3, 0.2, 20.0, 200.0), np.float64, 1),
    ],
    ids=["float64", "float32", "options", "normalised", "strong"],
)
def test_weights_equal_dense(rule, dtype, delay):
    net, made = network(rule, dtype=dtype, delay=float(delay))
    net.build()
    start = made.weight
    run = net.run(float(T), record={"source": "spikes", "cells": "spikes", made: "weight"}, every=1.0)
    arrived, spiked = trains([run], net, T, delay)
    learned = rule.run(dense(made, start).astype(dtype), arrived, spiked, record=("weights",))
    close = {"rtol": 1e-11} if dtype == np.float64 else {"rtol": 2e-5, "atol": 1e-6}
    np.testing.assert_allclose(run[made, "weight"], learned["weights"].reshape(T, -1), **close)
    np.testing.assert_allclose(made.weight, learned.weights[made.pre, made.post], **close)
    assert np.abs(made.weight - start).max() > 0.1


def test_means_are_over_the_synapses_that_there_are():
    """Units without synapses have no part in the mean trace, and a mean weight counts a unit's own synapses."""
    net = nbsnn.Network(dt=1.0, seed=5, dtype=np.float64, device="python")
    source, cells = net.poisson(20, 80.0, name="source"), net.population(CELL, 12, name="cells")
    net.connect(source, cells, nbsnn.AllToAll(), weight=0.2)
    made = net.connect(source[5:], cells[2:9], nbsnn.AllToAll(), weight=nbsnn.values.Uniform(0.1, 0.5), plasticity=RULE)
    net.build()
    start = dense(made, made.weight)[5:, 2:9].copy()
    arrived, spiked = trains([net.run(float(T))], net, T)
    learned = RULE.run(start, arrived[..., 5:], spiked[..., 2:9]).weights
    np.testing.assert_allclose(dense(made, made.weight)[5:, 2:9], learned, rtol=1e-11)


def test_a_factor_far_from_one_is_put_into_the_weights():
    """A unit whose mean weight starts at 0: its first increments are divided by less than 1e-6."""
    weight = np.tile([0.3, 0.0, 0.4, 0.2, 0.3, 0.3, 0.3], 20)
    net, made = network(weight=weight)
    net.build()
    start = made.weight
    arrived, spiked = trains([net.run(float(T))], net, T)
    learned = RULE.run(dense(made, start), arrived, spiked).weights
    np.testing.assert_allclose(made.weight, learned[made.pre, made.post], rtol=1e-9)


def test_states_resets_and_new_weights(tmp_path):
    net, made = network()
    first = net.run(40.0)
    assert first.rate("cells") > 0.0
    with pytest.raises(ValueError, match="read-only"):
        made.weight[0] = 1.0
    net.state().save(tmp_path / "state.npz")
    other, again = network()
    other.restore(nbsnn.network.State.load(tmp_path / "state.npz"))
    net.run(40.0)
    other.run(40.0)
    np.testing.assert_array_equal(made.weight, again.weight)
    aims = net.layout.aims.copy()
    made.weight = 0.25
    np.testing.assert_array_equal(made.weight, 0.25)
    np.testing.assert_array_equal(net.layout.aims[:7], aims[:7])  # what units aim at is their own
    net.run(1.0)
    np.testing.assert_allclose(dense(made, made.weight).mean(0), net.layout.aims[:7], atol=0.05)
    net.reset()
    np.testing.assert_allclose(dense(made, made.weight).mean(0), net.layout.aims[:7], rtol=1e-12)
    assert np.ptp(made.weight) > 0.0


def test_two_rules_in_one_network():
    """Delivery with and without a factor, in one loop."""
    net, made = network(device="python")
    plain = net.connect("source", "cells", nbsnn.AllToAll(), weight=0.1, plasticity=PairSTDP(0.05, 0.05))
    net.build()
    start, other = made.weight, plain.weight.copy()
    arrived, spiked = trains([net.run(float(T))], net, T)
    for rule, c, w in ((RULE, made, start), (plain.plasticity, plain, other)):
        learned = rule.run(dense(c, w), arrived, spiked).weights
        np.testing.assert_allclose(c.weight, learned[c.pre, c.post], rtol=1e-11)


def test_what_spikes_deliver_is_the_weight():
    """A spike adds the weight of its arrival to a membrane that does not leak."""
    net = nbsnn.Network(dt=1.0, seed=1, dtype=np.float64, device="python")
    neuron = nbsnn.neurons.LIF(tau=1e12, v_threshold=1.0)
    source, cells = net.poisson(5, 100.0), net.population(neuron, 4, name="cells")
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=nbsnn.values.Uniform(0.1, 0.3), plasticity=RULE)
    run = net.run(80.0, record={source: "spikes", cells: ["v", "spikes"], made: "weight"}, every=1.0)
    v, w = run[cells, "v"], run[made, "weight"].reshape(80, 5, 4)
    times, units = run.spikes(source)
    came = np.zeros((81, 5))
    came[np.rint(times).astype(int), units] = 1.0
    for t in range(2, 80):
        u = v[t - 1] + came[t] @ w[t - 1]  # a spike of the step before arrives with the weight at its end
        np.testing.assert_allclose(v[t], np.where(u >= 1.0, 0.0, u), rtol=1e-9, atol=1e-9)


def test_a_second_homeostasis_is_refused():
    net, _ = network()
    with pytest.raises(ValueError, match="homeostasis must be None with MetaRule, which is a homeostasis itself"):
        net.connect("source", "cells", nbsnn.AllToAll(), plasticity=RULE, homeostasis=Scaling(5.0))
