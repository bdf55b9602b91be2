"""PostPreInt on sparse synapses: bit for bit the dense rule, whatever the cut of a run and the number of threads."""

import os

import numpy as np
import pytest

import nbsnn
import nbsnn.network.loop as loops
from nbsnn import Neuron, spike
from nbsnn.neurons import LIF
from nbsnn.plasticity import Normalize, PostPreInt

from .test_network_plasticity import dense, same, trains

T = 120


def step(x, v, thresh, decay):
    """A leaky unit whose threshold rises by 30 at a spike and falls by 5 a step, down to 60."""
    u = decay * v + x
    s = spike(u - thresh)
    return s, (1.0 - s) * u, thresh + 30.0 * s - (5.0 if thresh > 60.0 else 0.0)


TIRED = Neuron(step, state={"v": 0.0, "thresh": 60.0}, params={"decay": 0.9})
THRESHOLD_FIRST = Neuron(
    lambda x, thresh, v, decay: (lambda s, v, thresh: (s, thresh, v))(*step(x, v, thresh, decay)),
    state={"thresh": 60.0, "v": 0.0}, params={"decay": 0.9},
)  # fmt: skip
RULES = {
    "both": PostPreInt(-800, 5000, w_max=60, max_threshold=84),
    "products wrap": PostPreInt(2_000_000, 90_000_000, 20, -(10**6), 10**6, max_threshold=110),
    "traces grow": PostPreInt(900, 2000, trace_decay=1000, shift_trace=0, w_max=90),
    "no shift": PostPreInt(-1, 9, 0, top=3, w_max=50, max_threshold=89),
}


@pytest.fixture(autouse=True)
def _threads():
    yield
    nbsnn.set_threads(None)


def network(rule, *, device="python", dtype=np.float32, pattern=None, delay=2.0, neuron=TIRED):
    net = nbsnn.Network(dt=1.0, seed=5, dtype=dtype, device=device)
    source, cells = net.poisson(14, 150.0, name="source"), net.population(neuron, 9, name="cells")
    weight = nbsnn.values.Uniform(0.0, 50.0)
    made = net.connect(source, cells, pattern or nbsnn.AllToAll(), weight=weight, delay=delay, plasticity=rule)
    return net, made


@pytest.mark.parametrize("neuron", [TIRED, THRESHOLD_FIRST])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", RULES)
def test_integers_equal_dense_bit_for_bit(name, dtype, neuron):
    rule = RULES[name]
    net, made = network(rule, dtype=dtype, neuron=neuron)
    net.build()
    start = made.weight.copy()
    assert np.all(start == np.rint(start)) and start.max() > 40
    run = net.run(float(T), record={"source": "spikes", "cells": ["spikes", "thresh"], made: "weight"}, every=1.0)
    thresh = run["cells", "thresh"][:, None].astype(np.int64)
    if rule.max_threshold < 1000:
        assert 0.02 < (thresh > rule.max_threshold).mean() < 0.9
    arrived, spiked = trains([run], net, T, 2)
    ints = dense(made, start).astype(np.int32)
    learned = rule.run(ints, arrived, spiked, draws=made.draws, thresh=thresh, record=("weights",), device="python")
    np.testing.assert_array_equal(run[made, "weight"], learned["weights"].reshape(T, -1))
    assert np.abs(made.weight - start).max() > 5


def test_a_synapse_rounds_by_its_pair():
    """Sparse synapses, without a threshold, as those of a dense matrix of which the others are not there."""
    rule = PostPreInt(-3000, 5000, w_max=60)
    net, made = network(rule, pattern=nbsnn.Sparse(probability=0.5), neuron=LIF(tau=10.0, v_threshold=60.0))
    net.build()
    start = made.weight.copy()
    arrived, spiked = trains([net.run(float(T))], net, T, 2)
    learned = rule.run(dense(made, start).astype(np.int32), arrived, spiked, draws=made.draws).weights
    np.testing.assert_array_equal(made.weight, learned[made.pre, made.post])


def both(device):
    """Rules in integers and with a mean weight, and one that is neither, beside each other."""
    net, made = network(RULES["both"], device=device)
    meta = nbsnn.plasticity.MetaNearestSTDP(0.1, 0.05, 20.0, 30.0)
    some, weight = nbsnn.Sparse(probability=0.6), nbsnn.values.Uniform(0.1, 0.5)
    steered = net.connect("source", "cells", some, weight=weight, delay=3.0, plasticity=meta)
    net.connect("cells", "cells", some, weight=weight, plasticity=nbsnn.plasticity.PairSTDP())
    return net, made, steered


def outcome(net, made, steered, pieces, look=False):
    """All that there is after runs of these lengths; ``look`` at weights after every step."""
    spikes = [
        net.run(piece, callback=(lambda n: (made.weight, steered.weight)) if look else None).spikes()
        for piece in pieces
    ]
    spikes = [np.concatenate(part) for part in zip(*spikes, strict=True)]
    return [*spikes, made.weight, steered.weight, *net.state().arrays.values()]


def test_pieces_and_looks_change_no_bit():
    whole = outcome(*both("python"), [T])
    same(whole, outcome(*both("python"), [T / 2, 1, T / 2 - 1], look=True))


@pytest.mark.long
def test_threads_change_no_bit(monkeypatch):
    """One thread, interpreted; one and three threads, compiled."""
    whole = outcome(*both("python"), [T])
    monkeypatch.setattr(loops, "SHARE", 1)
    for threads, pieces in ((3, [T / 2, 1, T / 2 - 1]), (1, [T])):
        nbsnn.set_threads(threads)
        net, *made = both("cpu")
        same(whole, outcome(net, *made, pieces))
        assert net.loop().parts == threads or os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_weights_are_whole_and_within_bounds_when_a_run_begins():
    net, made = network(RULES["both"])
    net.build()
    made.weight[0] = 100.0
    made.weight[1] = -3.0
    net.run(1.0)
    assert made.weight[:2].tolist() == [60.0, 0.0]
    made.weight[5] = 0.5
    with pytest.raises(ValueError, match=r"weights of source to cells must be whole numbers for PostPreInt, not 0\.5"):
        net.run(1.0)
    made.learning = False
    net.run(1.0)
    made.weight = nbsnn.values.Uniform(0.0, 9.0)
    assert np.all(made.weight == np.rint(made.weight)) and len(np.unique(made.weight)) > 5


def test_reset_forgets_the_traces():
    net, made = network(RULES["both"])
    net.run(30.0)
    assert net.layout.integers[9:].any()
    weights = made.weight.copy()
    net.reset()
    assert not net.layout.integers[9:].any()
    np.testing.assert_array_equal(made.weight, weights)


def test_bad_input():
    with pytest.raises(
        ValueError, match=r"float32, which holds integers up to 16777216: not w_min = 0, w_max = 20000000"
    ):
        network(PostPreInt(w_max=20_000_000))
    network(PostPreInt(w_max=20_000_000), dtype=np.float64)
    net, _ = network(PostPreInt())
    with pytest.raises(ValueError, match="homeostasis must be None with PostPreInt, which has integer weights"):
        net.connect("source", "cells", nbsnn.AllToAll(), plasticity=PostPreInt(), homeostasis=Normalize(1.0, every=1.0))
