"""Variables that change by less than a part in 10,000 of themselves in a step: right in float32, or refused there."""

import math

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import ALIF, LI, LIF, CubaLIF, DiehlCook, NoisyLIF
from nbsnn.plasticity import MSTDPET, PairSTDP, Scaling, Trace, TripletSTDP
from nbsnn.synapses import Alpha, DoubleExponential, Exponential

SLOW = {
    "membrane": lambda: LIF(tau=2e4),
    "Euler": lambda: LIF(tau=2e4, decay="euler"),
    "adaptation": lambda: ALIF(tau_adapt=2e4),
    "one of several units": lambda: ALIF(tau_adapt=np.array([10.0, 2e4, 1e9])),
    "synaptic current": lambda: CubaLIF(tau_syn=2e4),
}


def network(dtype=np.float32, dt=0.1):
    net = nbsnn.Network(dt=dt, dtype=dtype, device="python")
    return net, net.poisson(3, 10.0), net.population(LIF(tau=20.0), 3)


@pytest.mark.parametrize("name", SLOW)
def test_neurons_with_slow_variables_need_float64(name):
    nbsnn.Population(SLOW[name](), 3, dtype=np.float64)
    if name != "one of several units":
        nbsnn.Population(SLOW[name](), 3, dt=10.0)  # 2000 steps
    with pytest.raises(ValueError, match=r"tau.* is about 2.*e\+04|is about 1e\+09|is about 20000.*float64"):
        nbsnn.Population(SLOW[name](), 3)
    for dtype in (np.float64, np.float32):
        net = nbsnn.Network(dt=1.0, dtype=dtype, device="python")
        if dtype == np.float64:
            net.population(SLOW[name](), 3)
            continue
        with pytest.raises(ValueError, match="float32 has too few digits"):
            net.population(SLOW[name](), 3)
        assert net.groups == []
    with pytest.raises(ValueError, match="float32"):
        nbsnn.Network(dt=1.0).population(NoisyLIF(tau=2e4), 3)


@pytest.mark.parametrize(
    "synapse", [Exponential(2000.0), Alpha(2000.0), DoubleExponential(1.0, 2000.0), Exponential(2000.0, reversal=0.0)]
)
def test_slow_synapses_need_float64(synapse):
    for dtype in (np.float64, np.float32):
        net, source, cells = network(dtype)
        if dtype == np.float64:
            net.connect(source, cells, nbsnn.AllToAll(), synapse=synapse)
            net.drive(cells, 10.0, 1.0, synapse)
            continue
        with pytest.raises(ValueError, match=r"time constant of .*2000.*float32"):
            net.connect(source, cells, nbsnn.AllToAll(), synapse=synapse)
        with pytest.raises(ValueError, match="float32"):
            net.drive(cells, 10.0, 1.0, synapse)
        assert net.connections == [] and cells.ports == []


@pytest.mark.parametrize(
    "rule", [PairSTDP(tau_post=2000.0), TripletSTDP("hippocampal").replace(pre={"r1": Trace(5e3), "r2": Trace()})]
)
def test_slow_traces_need_float64(rule):
    for dtype in (np.float64, np.float32):
        net, source, cells = network(dtype)
        weights, spikes = np.full((2, 2), 0.5, dtype), np.zeros((3, 1, 2), dtype)
        if dtype == np.float64:
            net.connect(source, cells, nbsnn.AllToAll(), plasticity=rule)
            rule.run(weights, spikes, spikes, dt=0.1, device="python")
            continue
        with pytest.raises(ValueError, match=r"tau of a trace .*float32"):
            net.connect(source, cells, nbsnn.AllToAll(), plasticity=rule)
        with pytest.raises(ValueError, match=r"tau of a trace .*float32"):
            rule.run(weights, spikes, spikes, dt=0.1, device="python")
        assert net.connections == []


def test_factors_that_are_given_and_slow_eligibility_need_float64():
    spikes = np.zeros((3, 1, 2), np.float32)
    with pytest.raises(ValueError, match="tau of a trace"):
        PairSTDP(tau_pre=1.0 - 1e-6, decay="factor").run(spikes[0].T @ spikes[0], spikes, spikes, device="python")
    PairSTDP(tau_pre=1.0, decay="factor").run(spikes[0].T @ spikes[0], spikes, spikes, device="python")  # never fades
    with pytest.raises(ValueError, match="tau_e"):
        MSTDPET(tau_e=1e6).run(spikes[0].T @ spikes[0], spikes, spikes, device="python", reward=1.0)
    net = nbsnn.Sequential(nbsnn.Dense(2, 2), LIF(), seed=0, device="python")
    with pytest.raises(ValueError, match="input_decay"):
        nbsnn.OTTT(net, input_decay=1.0 - 1e-6)


def test_a_scaling_that_rounding_would_swallow_needs_float64():
    for dtype in (np.float64, np.float32):
        net, source, cells = network(dtype)
        slow, usual = Scaling(5.0, beta=1e-8), Scaling(5.0)
        net.connect(source, cells, nbsnn.AllToAll(), homeostasis=usual)
        if dtype == np.float64:
            net.connect(source, cells, nbsnn.AllToAll(), homeostasis=slow)
            continue
        with pytest.raises(ValueError, match="gain beta rate = 5e-08"):
            net.connect(source, cells, nbsnn.AllToAll(), homeostasis=slow)


def test_float32_counts_refractory_steps_to_two_to_the_24():
    nbsnn.Population(LIF(refractory=2.0**24), 1)
    with pytest.raises(ValueError, match="16777218 steps of dt, but float32 counts to 16777216"):
        nbsnn.Population(LIF(refractory=2.0**24 + 2), 1)
    nbsnn.Population(LIF(refractory=2.0**24 + 2), 1, dtype=np.float64)


def test_the_slowest_that_float32_is_given_is_right_to_a_part_in_a_thousand():
    steps, tau = 20_000, 1e4
    run = nbsnn.Population(LI(tau=tau), 1, device="python").run(np.full((steps, 1, 1), 0.1, np.float32))
    exact = 0.1 * -math.expm1(-steps / tau) / -math.expm1(-1.0 / tau)
    np.testing.assert_allclose(run["v"][-1], exact, rtol=1e-3)


def test_a_threshold_that_falls_by_a_part_in_ten_million_is_right_in_float32():
    steps = 20_000
    run = nbsnn.Population(DiehlCook(theta=20.0), 1, device="python").run(np.zeros((steps, 1, 1), np.float32))
    np.testing.assert_allclose(run["theta"][-1], 20.0 * math.exp(-steps / 1e7), rtol=1e-7)
