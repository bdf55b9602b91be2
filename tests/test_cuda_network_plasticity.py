"""Plastic synapses of networks on CUDA: weights, traces, rewards and homeostasis equal those of the CPU."""

import sys

import numpy as np
import pytest
from numba import config

import nbsnn
from nbsnn.device import gpu
from nbsnn.network.rules import check_on_gpu
from nbsnn.neurons import LIF
from nbsnn.plasticity import MSTDP, MSTDPET, MetaNearestSTDP, Normalize, PairSTDP, PostPreInt, Scaling, TripletSTDP
from nbsnn.synapses import Exponential, TsodyksMarkram

CELL = LIF(tau=10.0, v_threshold=1.0)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@pytest.fixture(autouse=True)
def _quick_turns():
    """The simulator's threads wait for each other; Python lets one after the other run every 5 ms by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def learner(device, rules, care=None, dtype=np.float64):
    """Poisson inputs onto leaky neurons that are connected with each other, by plastic synapses of several delays."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=dtype)
    source, cells = net.poisson(7, 100.0, name="source"), net.population(CELL, 5, name="cells")
    listed = net.spikes([1.0, 2.0, 2.0, 6.5], [0, 1, 2, 0], 3, name="listed")
    some, weight = nbsnn.Sparse(probability=0.6), nbsnn.values.Uniform(0.1, 0.9)
    for rule, delay, pre in zip(rules, (1.0, 0.5, 2.0), (source, listed, source), strict=False):
        net.connect(pre, cells, some, weight=weight, delay=delay, plasticity=rule, homeostasis=care)
    net.connect(cells, cells[:3], nbsnn.AllToAll(), weight=-0.1, delay=1.0)
    return net


RULES = {
    "stdp": [
        PairSTDP(0.1, 0.1, clip="all"),
        PairSTDP(0.1, 0.1, bounds="soft", coincidence="ignore", sign=-1),
        TripletSTDP(bounds="power", mu=0.3, normalize=Normalize(3.0)),
    ],
    "rewarded": [MSTDP(0.2, w_max=1.2), MSTDPET(0.2, bounds="none", coincidence="ignore"), MSTDPET(0.4, tau_e=12.0)],
}
CARE = {"none": None, "scaled": Scaling(20.0, 0.01, every=2.5), "normalised": Normalize(2.0, every=4.0)}


def outcome(net, rewards=()):
    """Spikes, weights and state after some runs, between which rewards change, and learning stops and goes on."""
    spikes = []
    for k in range(3):
        for c in net.connections[:3]:
            if c.kind.waits:
                c.reward = rewards[k]
        net.connections[0].learning = k != 1
        spikes.append(net.run(6.0).spikes())
    spikes = [np.concatenate(part) for part in zip(*spikes, strict=True)]
    state = net.state()
    history = [array for pair in state.history for array in pair]
    return [*spikes, *state.arrays.values(), *history, *(np.array(c.weight) for c in net.connections)]


@pytest.mark.parametrize(("rules", "care"), [("stdp", "none"), ("stdp", "scaled"), ("rewarded", "normalised")])
def test_plastic_synapses_on_cuda_equal_the_cpu(rules, care):
    found = []
    for device in ("python", "cuda"):
        net = learner(device, RULES[rules], CARE[care])
        net.build()
        start = np.array(net.connections[0].weight)
        found.append(outcome(net, (0.5, -1.0, 0.0)))
        assert abs(net.connections[0].weight - start).max() > 0.01
    for one, other in zip(*found, strict=True):
        if config.ENABLE_CUDASIM:
            np.testing.assert_array_equal(one, other)
        else:
            np.testing.assert_allclose(one, other, 1e-8, 1e-10)


def tired(device):
    """Delayed synapses with short-term plasticity and a course that learn, pause and wait for rewards."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=np.float64)
    source, cells = net.poisson(5, 400.0), net.population(CELL, 4, name="cells")
    weight, short = nbsnn.values.Uniform(0.1, 0.9), TsodyksMarkram(U=0.4, tau_rec=30.0, tau_facil=10.0)
    for rule, delay, care in (
        (PairSTDP(0.1, 0.1, order="causal"), 2.0, Scaling(20.0, 0.01, every=1.5)),
        (MSTDPET(0.4, tau_e=12.0), 1.0, None),
        (None, 1.5, Scaling(20.0, 0.01, every=2.5)),
    ):
        net.connect(
            source, cells, nbsnn.AllToAll(), weight=weight, delay=delay, plasticity=rule, homeostasis=care,
            short_term=short, synapse=Exponential(3.0),
        )  # fmt: skip
    net.build()
    net.connections[1].reward = 0.5
    for steps, learns in ((6.0, True), (4.0, False), (3.0, True)):
        for c in net.connections:
            c.learning = learns
        net.run(steps)
        net.restore(net.state())
    return [*net.state().arrays.values(), *(np.array(c.weight) for c in net.connections)]


def test_shares_arrivals_and_pauses_on_cuda_equal_the_cpu():
    for one, other in zip(tired("python"), tired("cuda"), strict=True):
        np.testing.assert_allclose(one, other, 1e-8, 1e-10)


def test_a_run_is_one_launch_and_weights_can_be_recorded_and_set():
    net = learner("cuda", RULES["stdp"][1:2])
    net.run(1.0)
    before = gpu.Count.launches
    net.run(3.0)
    assert gpu.Count.launches - before == 1
    plastic = net.connections[0]
    run = net.run(2.0, record={plastic: "weight"}, every=1.0)
    assert run[plastic, "weight"].shape == (2, len(plastic))
    plastic.weight = 0.5
    assert np.all(plastic.weight == 0.5)
    np.testing.assert_array_equal(run[plastic, "weight"][0] >= 0.0, True)


def test_single_precision_agrees_over_some_steps():
    one, other = (learner(device, RULES["stdp"], dtype=np.float32) for device in ("python", "cuda"))
    for net in (one, other):
        net.run(5.0)
    np.testing.assert_allclose(one.connections[0].weight, other.connections[0].weight, 1e-5)


def test_rules_without_a_loop_on_a_gpu_say_so():
    for rule in (MetaNearestSTDP(), PostPreInt()):
        with pytest.raises(NotImplementedError, match='device="cpu"'):
            check_on_gpu(rule)
    with pytest.raises(NotImplementedError, match='device="cpu" only; on a GPU normalise at intervals'):
        check_on_gpu(PairSTDP(normalize=Normalize(1.0, "every")))
    check_on_gpu(PairSTDP(normalize=Normalize(1.0)))
    check_on_gpu(RULES["rewarded"][0])


def test_rewards_and_looks_leave_waiting_weights_on_the_gpu():
    net, other = learner("cuda", RULES["rewarded"][2:]), learner("python", RULES["rewarded"][2:])
    for one in (net, other):
        plastic = one.connections[0]
        plastic.reward = 1.0
        one.run(6.0)
        plastic.reward = -0.5
        one.run(2.0)
        plastic.learning = False
        one.run(1.0)
        plastic.learning = True
    np.testing.assert_array_equal(plastic.weight, net.connections[0].weight)
    with pytest.raises(ValueError, match="read-only"):
        net.connections[0].weight[0] = 0.0
    before = net.state()
    assert net.connections[0].reward == -0.5 and np.all(net.connections[0].weight == plastic.weight)
    np.testing.assert_array_equal(net.state().arrays["since"], before.arrays["since"])  # a look changes nothing
