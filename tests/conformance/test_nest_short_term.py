"""Short-term plasticity against NEST's tsodyks2_synapse: weights at spikes and the membrane of the target."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.synapses import Exponential, TsodyksMarkram

from .golden import DEFAULT_FOLDER
from .test_nest_plasticity import FILE, contents, parameters

DT = 0.1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    cases = sorted(key.removesuffix("/pre") for key in found if key.startswith("tsodyks2/") and key.endswith("/pre"))
    metafunc.parametrize("case", cases or [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {FILE}"))])


def test_resources_at_spikes_and_the_membrane_are_those_of_nest(case: str, pytestconfig: pytest.Config) -> None:
    stored = contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)
    p, cell = parameters(stored, case.rpartition("/")[0]), parameters(stored, "tsodyks2")
    pre, weight, delay = (stored[f"{case}/{name}"] for name in ("pre", "weight", "delay"))
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source = net.spikes(pre, np.zeros(len(pre), int), 1)
    rest, tau = cell["E_L"], cell["tau_m"]
    target = net.population(LIF(tau, cell["V_th"], v_rest=rest), 1, v=rest)
    synapse = net.connect(
        source, target, nbsnn.AllToAll(), weight=float(weight) * tau / cell["C_m"], delay=float(delay),
        synapse=Exponential(cell["tau_syn_ex"]), short_term=TsodyksMarkram(p["U"], p["tau_rec"], p["tau_fac"]),
    )  # fmt: skip
    v = stored[f"{case}/v_1ms"]
    run = net.run(len(v) * 1.0, record={target: "v", synapse: ["u", "R"]}, every={target: 1.0})
    before = np.rint(pre / DT).astype(int) - 2  # at the end of the step before the spike's
    released = (run[synapse, "u"] * run[synapse, "R"])[before, 0]
    np.testing.assert_allclose(weight * released, stored[f"{case}/w"], rtol=1e-9)
    np.testing.assert_allclose(run[target, "v"][:, 0], v, rtol=0.0, atol=1e-6)
