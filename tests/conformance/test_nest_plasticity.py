"""Plastic synapses against NEST's, with whatever trains and parameters ``nest_exact.npz`` holds: exact at any step.

The delay is dendritic there, and axonal here, so that postsynaptic spikes come later by both.
"""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import PairSTDP, VogelsSTDP
from nbsnn.synapses import Exponential

from .golden import DEFAULT_FOLDER

FILE, DT = "nest_exact.npz", 0.1


def vogels(p):
    return VogelsSTDP(p["eta"], 1000.0 * p["alpha"] / (2.0 * p["tau"]), p["tau"], w_min=0.0, w_max=p["Wmax"])


def additive(p):
    step = p["lambda"] * p["Wmax"]
    return PairSTDP(step, p["alpha"] * step, p["tau_plus"], p["tau_minus"], w_min=0.0, w_max=p["Wmax"])


RULES = {"vogels_sprekeler_synapse": vogels, "stdp_synapse": additive}


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    cases = [
        name for name in sorted({"/".join(key.split("/")[:3]) for key in found if "/random/" in key})
        if name.split("/")[1] in RULES
    ]  # fmt: skip
    skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {folder / FILE}"))]
    metafunc.parametrize("case", cases or skipped)


def test_weights_after_each_presynaptic_spike_are_those_of_nest(case: str, pytestconfig: pytest.Config) -> None:
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    kind = "/".join(case.split("/")[:2])
    p = {key.split("/")[-1]: float(value) for key, value in stored.items() if key.startswith(f"{kind}/params/")}
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
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-9)
