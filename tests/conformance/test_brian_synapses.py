"""Synapses that Brian 2 has as equations of its own, with whatever parameters ``brian_synapses.npz`` holds.

What is compared with is the solution in continuous time, ``ref_*``, which Brian itself meets less closely: trains are
the times of arrival, so that spikes are listed one step, the delay, before.
"""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import EIF, LIF, ConductanceLIF
from nbsnn.plasticity import PairSTDP
from nbsnn.synapses import NMDA, Delta, Exponential, GapJunction, Graded

from .golden import DEFAULT_FOLDER

FILE, DT = "brian_synapses.npz", 0.1


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    kind = metafunc.function.__name__.split("_")[1]
    cases = sorted({"/".join(key.split("/")[:2]) for key in found if key.startswith(f"{kind}/") and "/ref_" in key})
    skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {folder / FILE}"))]
    metafunc.parametrize("case", cases or skipped)


@pytest.fixture
def stored(pytestconfig):
    return contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)


def parameters(stored, case):
    return {key.split("/")[-1]: float(value) for key, value in stored.items() if key.startswith(f"{case}/params/")}


def at_ms(stored, case):
    """Rows of a recording of every step that belong to the times of a case."""
    return np.rint(stored[f"{case}/t"] / DT).astype(int) - 1


def test_nmda_gates_and_block_are_those_of_the_equations(case, stored):
    p, w = parameters(stored, "nmda"), stored[f"{case}/w"]
    trains = [stored[f"{case}/train{j}"] for j in range(len(w))]
    spiking = f"{case}/ref_spikes" in stored
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    leak = p["C"], p["g_leak"], p["e_leak"]
    neuron = ConductanceLIF(*leak, 1e6)
    if spiking:  # resets inside steps, at the end of a steep upstroke
        peak = p["v_threshold"]
        neuron = EIF(*leak, peak - 0.01, 0.01, v_peak=peak, v_reset=p["v_reset"], refractory=0.0)
    cell = net.population(neuron, 1)
    units = np.concatenate([np.full(len(train), j) for j, train in enumerate(trains)])
    source = net.spikes(np.concatenate(trains) - DT, units, len(w))
    synapse = NMDA(p["tau_decay"], p["tau_rise"], p["alpha"], mg=p["mg"], reversal=p["e_syn"])
    net.connect(source, cell, nbsnn.AllToAll(), weight=w.reshape(-1), delay=DT, synapse=synapse)
    run = net.run(float(stored[f"{case}/T"]), record={cell: ["v", "spikes"], source: "nmda.s"})
    rows = at_ms(stored, case)
    s, wanted = run[source, "nmda.s"][rows - 1], stored[f"{case}/ref_s"]  # the source's own gate is a delay ahead
    np.testing.assert_allclose(s, wanted, rtol=1e-4, atol=1e-9)
    if spiking:
        found, exact = run.spikes(cell)[0], stored[f"{case}/ref_spikes"]
        assert len(found) == len(exact)
        interval = np.diff(exact, prepend=0.0)
        assert np.all(abs(np.diff(found, prepend=0.0) - interval) <= 0.005 * interval + DT)
    else:
        np.testing.assert_allclose(run[cell, "v"][rows, 0], stored[f"{case}/ref_v"], atol=0.004, rtol=0.0)


def test_graded_synapses_follow_the_membrane_of_their_sources(case, stored):
    p, v0 = parameters(stored, "graded"), stored[f"{case}/v0"]
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    neuron, n = LIF(p["tau"], v_threshold=1e6, v_rest=p["e_leak"]), len(v0) - 1
    source, cell = net.population(neuron, n, v=v0[:n]), net.population(neuron, 1, v=v0[n:])
    amplitude, frequency = (np.array([p[f"{name}{k}"] for k in range(n)]) for name in ("amp", "f"))
    net.inject(source, lambda t: amplitude * np.sin(2.0 * np.pi * frequency * t / 1000.0))
    synapse = Graded(p["v_half"], p["k"], p["tau_s"] if f"{case}/ref_s" in stored else None, reversal=p["e_syn"])
    net.connect(source, cell, nbsnn.AllToAll(), weight=p["g"] * stored["graded/w"], synapse=synapse)
    run = net.run(float(stored["graded/T"]), record={cell: "v", source: "v"})
    rows = at_ms(stored, case)
    np.testing.assert_allclose(run[source, "v"][rows], stored[f"{case}/ref_v_pre"], atol=0.001, rtol=0.0)
    np.testing.assert_allclose(run[cell, "v"][rows, 0], stored[f"{case}/ref_v_post"], atol=0.1, rtol=0.0)


def test_gap_junctions_couple_membranes(case, stored):
    p, start = parameters(stored, case), stored[f"{case}/init"]
    spiking = f"{case}/ref_spikes" in stored
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    neuron = LIF(p["tau"], p["v_threshold"] if spiking else 1e6, p["v_reset"], compare=">")
    cells = net.population(neuron, len(start), v=start)
    net.inject(cells, stored[f"{case}/drive"])
    net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=p["w"], synapse=GapJunction())
    run = net.run(float(stored[f"{case}/T"]), record={cells: ["v", "spikes"]})
    if not spiking:
        rows = at_ms(stored, case)
        np.testing.assert_allclose(run[cells, "v"][rows], stored[f"{case}/ref_v"], atol=2e-4, rtol=0.0)
        return
    times, units = run.spikes(cells)
    for k in range(len(start)):
        found, exact = times[units == k], stored[f"{case}/ref_spikes"][stored[f"{case}/ref_units"] == k]
        both = min(len(found), len(exact))
        assert abs(len(found) - len(exact)) <= 1
        late = np.maximum(1.0, 1.5 * np.arange(1, both + 1))  # resets are on the grid: each delays all that follow
        assert np.all(abs(found[:both] - exact[:both]) <= DT * late + 1e-9)


PRESETS = {"default": "brian", "post_order_minus1": "pre_sees_post"}
"""Brian's name of an order -> ours, where they differ."""


def pair_rule(stored, family, order):
    p = parameters(stored, family)
    bounds = {"w_min": 0.0, "w_max": p["wmax"]}
    return PairSTDP(p["Apre"], -p["Apost"], p["tau_pre"], p["tau_post"], order=PRESETS.get(order, order), **bounds)


def learned(rule, w0, trains, delays, post, steps, synapse):
    """A recording of synapses that share the sources, onto a target that fires when it is told to; the connection."""
    n = len(delays)
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    units = np.concatenate([np.full(len(train), k) for k, train in enumerate(trains)])
    source = net.spikes(np.concatenate(trains), units, len(trains))
    driver = net.spikes(post - DT, np.zeros(len(post), int), 1)
    cell = net.population(LIF(1.0, 1e6), 1)
    net.connect(driver, cell, nbsnn.AllToAll(), weight=1e9, delay=DT)
    pattern = nbsnn.Explicit(np.arange(n) % len(trains), np.zeros(n, int))
    plastic = net.connect(source, cell, pattern, weight=np.full(n, w0), delay=delays, synapse=synapse, plasticity=rule)
    return net.run(steps * DT, record={plastic: ["weight", "x", "y"]}, every=DT), plastic


@pytest.mark.parametrize("order", ["default", "post_order_minus1", "neither", "both", "with_post_delay"])
def test_delays_of_plastic_synapses_are_their_own(case, order, stored):
    """A postsynaptic delay of each synapse is a longer presynaptic one, at which all comes later by the difference."""
    if f"{case}/{order}/ref_w" not in stored:
        pytest.skip(f"no {order} of {case}")
    p, delays = parameters(stored, "delays"), stored[f"{case}/delays"]
    rule = pair_rule(stored, "delays", "default" if order == "with_post_delay" else order)
    trains = [stored[f"{case}/train{k}"] for k in range(len(delays) if case.endswith("five_sources") else 1)]
    dendrites = stored[f"{case}/{order}/post_delays"] if order == "with_post_delay" else np.zeros(len(delays))
    later, post = dendrites.max() - dendrites, stored[f"{case}/post"] + dendrites.max()
    rows = at_ms(stored, case)[:, None] + np.rint(later / DT).astype(int)
    run, plastic = learned(rule, p["w0"], trains, delays + later, post, rows.max() + 1, Exponential(1.0))
    found = np.take_along_axis(run[plastic, "weight"], rows, axis=0)
    np.testing.assert_allclose(found, stored[f"{case}/{order}/ref_w"], rtol=0.0, atol=1e-10)
    if f"{case}/{order}/ref_apre" in stored:
        for name, trace, size in (("apre", "x", p["Apre"]), ("apost", "y", p["Apost"])):
            traces = np.take_along_axis(run[plastic, trace], rows, axis=0)
            np.testing.assert_allclose(size * traces, stored[f"{case}/{order}/ref_{name}"], rtol=0.0, atol=1e-10)


@pytest.mark.parametrize("order", ["default", "post_order_minus1", "post_sees_pre", "pre_sees_post", "neither", "both"])
def test_order_of_two_spikes_of_one_step_is_that_of_the_option(case, order, stored):
    rule, w0 = pair_rule(stored, "order", order), float(stored["order/params/w0"])
    pre = stored[f"{case}/pre"].reshape(-1)
    if case.endswith("fires_target"):  # one step later in Brian
        net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
        source, cell = net.spikes(pre - DT, [0], 1), net.population(LIF(10.0, 0.5 * w0), 1)
        plastic = net.connect(source, cell, nbsnn.OneToOne(), weight=w0, plasticity=rule)
        np.testing.assert_allclose(net.run(float(pre[0]) + 5.0).spikes(cell)[0], pre)
        up, down = stored[f"{case}/ref_dw_causal"], stored["order/params/Apost"]
        change = {"neither": 0.0, "both": up + down, "pre_sees_post": down, "post_order_minus1": down}.get(order, up)
        np.testing.assert_allclose(plastic.weight - w0, change, rtol=0.0, atol=1e-12)
        return
    rows, post, wanted = at_ms(stored, case), stored[f"{case}/post"], stored[f"{case}/{order}/ref_w"]
    spikes = np.zeros((2, rows[-1] + 1, 1, 1))
    for side, times in zip(spikes, (pre, post), strict=True):
        side[np.rint(times / DT).astype(int) - 1] = 1.0
    dense = rule.run(np.full((1, 1), w0), *spikes, dt=DT, device="python").weights
    run, plastic = learned(rule, w0, [pre - DT], [DT], post, rows[-1] + 1, Delta())
    sparse = run[plastic, "weight"][rows, 0]
    np.testing.assert_allclose(sparse, wanted, rtol=0.0, atol=1e-12)
    np.testing.assert_allclose(dense[0, 0], wanted[-1], rtol=0.0, atol=1e-12)
