"""Plastic synapses against NEST's, with whatever trains and parameters ``nest_exact.npz`` holds: exact at any step.

The delay is dendritic there, and axonal here, so that postsynaptic spikes come later by both.
"""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import NearestSTDP, PairSTDP, Trace, TripletSTDP, VogelsSTDP, window
from nbsnn.synapses import Exponential

from .golden import DEFAULT_FOLDER

FILE, DT = "nest_exact.npz", 0.1


def vogels(p):
    return VogelsSTDP(p["eta"], 1000.0 * p["alpha"] / (2.0 * p["tau"]), p["tau"], w_min=0.0, w_max=p["Wmax"])


def additive(p):
    step = p["lambda"] * p["Wmax"]
    return PairSTDP(step, p["alpha"] * step, p["tau_plus"], p["tau_minus"], w_min=0.0, w_max=p["Wmax"])


def multiplicative(p):
    assert p["mu_plus"] == p["mu_minus"]  # one exponent is that of both bounds
    step = p["lambda"] * p["Wmax"] ** (1.0 - p["mu_plus"])
    return additive(p).replace(
        bounds="power", mu=p["mu_plus"], params={"a_post": step, "a_pre": p["alpha"] * step}
    )  # fmt: skip


def nearest(p):
    step = p["lambda"] * p["Wmax"]
    return NearestSTDP(step, p["alpha"] * step, p["tau_plus"], p["tau_minus"], w_min=0.0, w_max=p["Wmax"])


def triplet(p):
    names = {"r1": "tau_plus", "r2": "tau_plus_triplet", "o1": "tau_minus", "o2": "tau_minus_triplet"}
    traces = {name: Trace(p[tau], order="decay use add") for name, tau in names.items()}
    amplitudes = ("Aplus", "Aplus_triplet", "Aminus", "Aminus_triplet")
    rule = TripletSTDP(w_min=0.0, w_max=p["Wmax"])
    return rule.replace(
        pre={name: traces[name] for name in rule.pre}, post={name: traces[name] for name in rule.post},
        params=dict(zip(rule.params, (p[name] for name in amplitudes), strict=True)),
    )  # fmt: skip


RULES = {
    "vogels_sprekeler_synapse": vogels, "stdp_synapse": additive, "stdp_synapse_mult": multiplicative,
    "stdp_nn_symm_synapse": nearest, "stdp_triplet_synapse": triplet,
}  # fmt: skip
"""Not here: the nearest-neighbour schemes "pre_centered" and "restr", in which a spike of one side resets the trace of
the other. A trace follows the spikes of its own side alone."""


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    what = next((k for k in ("window", "frequency") if k in metafunc.function.__name__), "random")
    cases = [
        name for name in sorted({"/".join(key.split("/")[:3]) for key in found if f"/{what}/" in key})
        if name.split("/")[1] in RULES
    ]  # fmt: skip
    skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {folder / FILE}"))]
    metafunc.parametrize("case", cases or skipped)


def parameters(stored, kind):
    return {key.split("/")[-1]: float(value) for key, value in stored.items() if key.startswith(f"{kind}/params/")}


def test_weights_after_each_presynaptic_spike_are_those_of_nest(case: str, pytestconfig: pytest.Config) -> None:
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    kind = "/".join(case.split("/")[:2])
    p = parameters(stored, kind)
    pre, post, wanted = (stored[f"{case}/random/{name}"] for name in ("pre", "post", "w"))
    shift, early = float(stored[f"{case}/delay"]) + DT, min(pre.min(), post.min()) - 1.0  # no one fires before
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source = net.spikes(pre - early, np.zeros(len(pre), int), 1)
    driver = net.spikes(post - early + shift - DT, np.zeros(len(post), int), 1)
    cell = net.population(LIF(1.0, 1e6), 1)
    net.connect(driver, cell, nbsnn.AllToAll(), weight=1e9, delay=DT)
    plastic = net.connect(
        source, cell, nbsnn.AllToAll(), weight=np.array([float(stored[f"{kind}/w0"])]), delay=DT,
        synapse=Exponential(5.0), plasticity=RULES[case.split("/")[1]](p),
    )  # fmt: skip
    last = np.rint((pre.max() - early) / DT) + 2
    run = net.run(last * DT, record={plastic: "weight", cell: "spikes"}, every=DT)
    found = run[plastic, "weight"][np.rint((pre - early + DT) / DT).astype(int) - 1, 0]
    assert len(run.spikes(cell)[0]) == (post + shift <= pre.max() + 2 * DT + 1e-6).sum()
    n = len(found)
    if case.split("/")[1] == "stdp_synapse_mult":
        # Spikes of both sides at once: each change is that of the weight before, where NEST's come one after the other.
        at_once = np.isclose((post + shift - DT)[:, None], pre).any(axis=0)
        n = int(np.argmax(at_once)) if at_once.any() else n
        assert n > 1
    np.testing.assert_allclose(found[:n], wanted[:n], rtol=0.0, atol=1e-9)


def test_a_frequency_of_pairs_changes_weights_as_in_nest(case: str, pytestconfig: pytest.Config) -> None:
    """Every rate and order has a synapse of its own in one network; the last presynaptic spike reads the weight."""
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    kind, pairs = "/".join(case.split("/")[:2]), int(stored[f"{case}/frequency/pairs"])
    p, w0, shift = parameters(stored, kind), float(stored[f"{kind}/w0"]), float(stored[f"{case}/delay"]) + DT
    rates, apart = stored[f"{case}/frequency/rates"], stored[f"{case}/frequency/d"]
    early, n = 900.0, len(rates) * len(apart)  # no one fires before
    regular = np.round(1000.0 + 1000.0 / np.tile(rates, len(apart))[:, None] * np.arange(pairs), 1) - early
    post = np.round(regular + np.repeat(apart, len(rates))[:, None] + shift, 1)
    pre = np.concatenate([regular, regular[:, -1:] + 3000.0], axis=1)
    net = nbsnn.Network(dt=DT, dtype=np.float64)  # 23 s to simulate
    source = net.spikes(pre.ravel(), np.repeat(np.arange(n), pairs + 1), n)
    driver = net.spikes(post.ravel() - DT, np.repeat(np.arange(n), pairs), n)
    cells = net.population(LIF(1.0, 1e6), n)
    net.connect(driver, cells, nbsnn.OneToOne(), weight=1e9, delay=DT)
    rule = RULES[case.split("/")[1]](p)
    plastic = net.connect(
        source, cells, nbsnn.OneToOne(), weight=np.full(n, w0), delay=DT, synapse=Exponential(5.0), plasticity=rule
    )
    net.run(pre.max() + 1.0)
    found = plastic.weight.reshape(len(apart), len(rates))
    np.testing.assert_allclose(found, stored[f"{case}/frequency/w"], rtol=0.0, atol=1e-9)


def test_windows_of_one_pair_are_those_of_nest(case: str, pytestconfig: pytest.Config) -> None:
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    kind, w = "/".join(case.split("/")[:2]), float(stored["/".join(case.split("/")[:2]) + "/w0"])
    p, rule = parameters(stored, kind), case.split("/")[1]
    apart = np.rint((stored[f"{case}/window/d"] + float(stored[f"{case}/delay"])) / DT).astype(int)
    found = w + window(RULES[rule](p), apart, w=w, dt=DT)[1]
    if rule == "vogels_sprekeler_synapse":  # the spike that reads the weight depresses it
        found = np.clip(found - p["alpha"] * p["eta"], 0.0, p["Wmax"])
    np.testing.assert_allclose(found, stored[f"{case}/window/w"], rtol=0.0, atol=1e-9)
