"""NMDA gates and block against NEST's ``iaf_bw_2001_exact``, with whatever trains ``nest_exact.npz`` holds."""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import ConductanceLIF
from nbsnn.synapses import NMDA

from .golden import DEFAULT_FOLDER

FILE, DT, MODEL = "nest_exact.npz", 0.1, "iaf_bw_2001_exact"


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    cases = sorted({key.split("/ref_v")[0] for key in found if key.startswith("nmda/") and f"{MODEL}/ref_v" in key})
    skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {folder / FILE}"))]
    metafunc.parametrize("case", cases or skipped)


def test_nmda_currents_are_those_of_nest(case: str, pytestconfig: pytest.Config) -> None:
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    p = {key.split("/")[-1]: float(value) for key, value in stored.items() if key.startswith("nmda/params/")}
    kind, spiking = case.split("/")[1], len(stored[f"{case}/ref_post_spikes"]) > 0
    weight, delay = float(stored[f"nmda/{kind}/weight"]), float(stored["nmda/delay"])
    pre, t = stored[f"{case}/h{DT}/pre"], stored[f"{case}/h{DT}/t"]
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    neuron = ConductanceLIF(p["C_m"], p["g_L"], p["E_L"], p["V_th"], p["V_reset"], p["t_ref"])
    cell, source = net.population(neuron, 1), net.spikes(pre, np.zeros(len(pre), int), 1)
    synapse = NMDA(p["tau_decay_NMDA"], p["tau_rise_NMDA"], p["alpha"], mg=p["conc_Mg2"], reversal=p["E_ex"])
    net.connect(source, cell, nbsnn.AllToAll(), weight=weight, delay=delay, synapse=synapse)
    run = net.run(float(t[-1]) + delay, record={cell: ["v", "spikes"], source: "nmda.s"})
    rows = np.rint(t / DT).astype(int) - 1
    late = np.maximum(rows - round(delay / DT), 0)  # the gate is that of the source, a delay ahead
    np.testing.assert_allclose(weight * run[source, "nmda.s"][late, 0], stored[f"{case}/ref_s_w"], rtol=1e-4, atol=1e-6)
    if not spiking:
        np.testing.assert_allclose(run[cell, "v"][rows, 0], stored[f"{case}/ref_v"], rtol=0.0, atol=5e-3)
        return
    found, exact, nest = run.spikes(cell)[0], stored[f"{case}/ref_post_spikes"], stored[f"{case}/h{DT}/post_spikes"]
    both = min(len(exact), len(found))
    assert abs(len(found) - len(exact)) <= 1
    assert np.all(abs(found[:both] - exact[:both]) <= abs(nest[:both] - exact[:both]) + DT)
