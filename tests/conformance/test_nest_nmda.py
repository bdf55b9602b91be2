"""NMDA gates and block against NEST's two neurons of Brunel and Wang, with whatever trains ``nest_exact.npz`` holds.

``iaf_bw_2001_exact`` has the gate of ``NMDA``; that of ``iaf_bw_2001`` jumps by k0 + k1 s at a spike and decays.
"""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import ConductanceLIF
from nbsnn.synapses import NMDA, CustomSynapse, Gate
from nbsnn.synapses.nmda import blocked

from .golden import DEFAULT_FOLDER
from .test_nest_plasticity import FILE, contents

DT = 0.1


def gated(p):
    return NMDA(p["tau_decay_NMDA"], p["tau_rise_NMDA"], p["alpha"], mg=p["conc_Mg2"], reversal=p["E_ex"])


def jumping(p):
    def step(spike, s, k0, k1, decay, mean):
        s = s + spike * (k0 + k1 * s)
        return mean * s, decay * s

    tau = p["tau_decay_NMDA"]
    params = {"k0": p["k0"], "k1": p["k1"], "decay": tau, "mean": -np.expm1(-DT / tau) * tau / DT}
    gate = Gate(step, state={"s": 0.0}, params=params, per_step={"decay": "exp"})
    return CustomSynapse(
        blocked, state={"last": 0.0}, params={"mg": p["conc_Mg2"]}, reads="v", output="conductance",
        reversal=p["E_ex"], gate=gate, name="nmda",
    )  # fmt: skip


MODELS = {"iaf_bw_2001_exact": gated, "iaf_bw_2001": jumping}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    cases = sorted(key.removesuffix("/ref_v") for key in found if key.startswith("nmda/") and key.endswith("/ref_v"))
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
    synapse = MODELS[case.split("/")[-1]](p)
    net.connect(source, cell, nbsnn.AllToAll(), weight=weight, delay=delay, synapse=synapse)
    run = net.run(float(t[-1]) + delay, record={cell: ["v", "spikes"], source: "nmda.s"})
    rows = np.rint(t / DT).astype(int) - 1
    late = np.maximum(rows - round(delay / DT), 0)  # the gate is that of the source, a delay ahead
    s = run[source, "nmda.s"][late, 0]
    if not case.endswith("exact"):  # it jumps at the beginning of the step after the spike
        s = np.where(np.isin(late, np.rint(pre / DT).astype(int) - 1), s + p["k0"] + p["k1"] * s, s)
    np.testing.assert_allclose(weight * s, stored[f"{case}/ref_s_w"], rtol=1e-4, atol=1e-6)
    if not spiking:
        np.testing.assert_allclose(run[cell, "v"][rows, 0], stored[f"{case}/ref_v"], rtol=0.0, atol=5e-3)
        return
    found, exact, nest = run.spikes(cell)[0], stored[f"{case}/ref_post_spikes"], stored[f"{case}/h{DT}/post_spikes"]
    both = min(len(exact), len(found))
    assert abs(len(found) - len(exact)) <= 1
    assert np.all(abs(found[:both] - exact[:both]) <= abs(nest[:both] - exact[:both]) + DT)
