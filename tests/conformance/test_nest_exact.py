"""Linear neurons, jumps and gap junctions against NEST, with whatever values ``nest_exact.npz`` holds.

Not here: ``delta/izhikevich_paper``, whose weight enters the step of Euler as a current and so depends on dt, which
nbsnn leaves out on purpose.
"""

from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons, synapses
from nbsnn.scalar.exponential import linoid

from .golden import DEFAULT_FOLDER
from .test_nest_plasticity import FILE, contents, parameters

DT = 0.1
JUMPS = {  # neurons and their parameters by NEST's names
    "iaf_psc_delta": lambda p: neurons.LIF(p["tau_m"], p["V_th"], p["V_reset"], v_rest=p["E_L"], refractory=p["t_ref"]),
    "aeif_psc_delta": lambda p: adex(p),
    "aeif_psc_delta_clopath": lambda p: adex(p),
    "izhikevich": lambda p: neurons.Izhikevich(p["a"], p["b"], p["c"], p["d"], v_peak=p["V_th"]),
}


def adex(p):
    return neurons.AdEx(
        p["C_m"], p["g_L"], p["E_L"], p.get("V_th", -50.4), p["Delta_T"], a=p["a"], b=p["b"], tau_w=p["tau_w"],
        v_peak=p["V_peak"], v_reset=p["V_reset"], refractory=p["t_ref"],
    )  # fmt: skip


def cases_of(kind: str, found: dict[str, np.ndarray]) -> list[str]:
    """Names of the cases of a test."""
    parts = [key.split("/") for key in found]
    if kind == "delta":
        return sorted({"/".join(key[1:3]) for key in parts if key[0] == "delta" and key[1] in JUMPS})
    first = {"gap": "gap/traub_w", "precise": "precise/", "convergence": "precise/convergence_"}[kind]
    names = {"/".join(key[: 3 if kind == "precise" else 2]) for key in parts}
    return sorted(n for n in names if n.startswith(first) and (kind != "precise" or f"{n}/grid_h{DT}/spikes" in found))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" not in metafunc.fixturenames:
        return
    folder: Path = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    cases = cases_of(metafunc.function.__name__.split("_")[1], found)
    metafunc.parametrize("case", cases or [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {FILE}"))])


@pytest.fixture
def stored(pytestconfig):
    return contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)


def network(dt: float = DT, off_grid: bool = False) -> nbsnn.Network:
    return nbsnn.Network(dt=dt, dtype=np.float64, device="python", off_grid=off_grid)


def test_delta_inputs_are_jumps_of_their_weight(case, stored):
    model, h = case.split("/")
    case, dt = f"delta/{case}", float(h.removeprefix("h"))
    weights, arrival = stored[f"{case}/weights"], float(stored[f"{case}/arrival"])
    net, n = network(dt), len(weights)
    p = {key.split("/")[-1]: float(value) for key, value in stored.items() if f"{model}/" in key and "/params/" in key}
    cells = net.population(JUMPS[model](p), n + 1)
    source = net.spikes([arrival - 1.0], [0], 1)
    net.connect(source, cells[:n], nbsnn.AllToAll(), weight=weights, delay=1.0)
    net.run(arrival)
    v = cells["v"]
    np.testing.assert_allclose(v[:n] - v[n], stored[f"{case}/jump"], rtol=0.0, atol=1e-9)


def linear(net, p, kind, inputs, weights, delay):
    """NEST's iaf_psc_KIND, of a network on the grid with inputs that are rounded up to it from its tics of 1 us."""
    cell = net.population(neurons.LIF(p["tau_m"], p["V_th"], p["V_reset"], v_rest=p["E_L"], refractory=p["t_ref"]), 1)
    held = p["tau_m"] / p["C_m"]  # mV of a held pA
    net.inject(cell, p["I_e"] * held)
    if len(inputs):
        times = inputs if net.off_grid else np.ceil(np.round(inputs, 3) / net.dt - 1e-9) * net.dt
        source = net.spikes(times, np.arange(len(inputs)), len(inputs))
        course = {"exp": synapses.Exponential, "alpha": synapses.Alpha}.get(kind)
        synapse = course(p["tau_syn_ex"]) if course else synapses.Delta()
        net.connect(
            source, cell, nbsnn.AllToAll(), weight=(weights * (held if course else 1.0)).reshape(-1),
            delay=delay, synapse=synapse,
        )  # fmt: skip
    return cell


def test_precise_inputs_rounded_up_give_the_spikes_of_the_grid(case, stored):
    p, kind = parameters(stored, case), case.split("/")[1]
    inputs, weights, delay = (stored[f"{case}/{name}"] for name in ("input", "weights", "delay"))
    net = network()
    cell = linear(net, p, kind, inputs, weights, float(delay))
    run = net.run(float(stored[f"{case}/T"]), record={cell: ["v", "spikes"]})
    wanted, v = stored[f"{case}/grid_h{DT}/spikes"], stored[f"{case}/grid_h{DT}/v_1ms"]
    np.testing.assert_allclose(run.spikes(cell)[0], wanted[wanted <= run.duration], rtol=0.0, atol=1e-9)
    rows = np.rint(np.arange(1, len(v) + 1) / DT).astype(int) - 1
    np.testing.assert_allclose(run[cell, "v"][rows, 0], v, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("dt", [1.0, DT])
def test_precise_spikes_are_those_of_events_at_any_step(case, dt, stored):
    p, kind = parameters(stored, case), case.split("/")[1]
    inputs, weights, delay = (stored[f"{case}/{name}"] for name in ("input", "weights", "delay"))
    net = network(dt, off_grid=True)
    cell = linear(net, p, kind, inputs, weights, float(delay))
    run = net.run(float(stored[f"{case}/T"]), record={cell: ["v", "spikes"]}, every=1.0)
    np.testing.assert_allclose(run.spikes(cell)[0], stored[f"{case}/ref_spikes"], rtol=0.0, atol=1e-9)
    v = stored[f"{case}/ps_h{DT}/v_1ms"]
    np.testing.assert_allclose(run[cell, "v"][: len(v), 0], v, rtol=0.0, atol=1e-9)


def test_convergence_of_an_event_is_to_the_last_digits(case, stored):
    p, kind = parameters(stored, case), case.rpartition("_")[2]
    inputs, weights = (np.atleast_1d(stored[f"{case}/{name}"]) for name in ("input", "weight"))
    for h, v in zip(stored[f"{case}/h"].tolist(), stored[f"{case}/ps/v_T"], strict=True):
        net = network(h, off_grid=True)
        cell = linear(net, p, kind, inputs, weights, float(stored[f"{case}/delay"]))
        net.run(float(stored[f"{case}/T"]))
        assert abs(cell["v"][0] - stored[f"{case}/ref_v_T"]) < 1e-12, h
        assert abs(cell["v"][0] - v) < 1e-12, h


def test_convergence_of_an_input_off_the_grid_is_that_of_the_grid(case, stored):
    p, kind = parameters(stored, case), case.rpartition("_")[2]
    inputs, weights = (np.atleast_1d(stored[f"{case}/{name}"]) for name in ("input", "weight"))
    for h, v in zip(stored[f"{case}/h"].tolist(), stored[f"{case}/grid/v_T"], strict=True):
        net = network(h)
        cell = linear(net, p, kind, inputs, weights, float(stored[f"{case}/delay"]))
        net.run(float(stored[f"{case}/T"]))
        assert abs(cell["v"][0] - v) < 1e-9, h


def test_exact_spikes_under_a_constant_current_are_those_of_the_closed_form(stored):
    if "precise/dc/h" not in stored:
        pytest.skip(f"no case in {FILE}")
    p, exact = parameters(stored, "precise/dc"), stored["precise/dc/ref_spikes"]
    for h in stored["precise/dc/h"].tolist():
        net = network(h, off_grid=True)
        cell = linear(net, p, "exp", np.zeros(0), np.zeros(0), 1.0)
        found = net.run(np.ceil(exact[-1] / h) * h).spikes(cell)[0]
        np.testing.assert_allclose(found, exact, rtol=0.0, atol=1e-11)


def test_spikes_under_a_constant_current_are_those_of_the_grid(stored):
    if "precise/dc/h" not in stored:
        pytest.skip(f"no case in {FILE}")
    p, exact = parameters(stored, "precise/dc"), stored["precise/dc/ref_spikes"]
    for h, wanted in zip(stored["precise/dc/h"].tolist(), stored["precise/dc/grid/spikes"], strict=True):
        net = network(h)
        cell = linear(net, p, "exp", np.zeros(0), np.zeros(0), 1.0)
        found = net.run(np.ceil(wanted[-1] / h) * h).spikes(cell)[0]
        np.testing.assert_allclose(found, wanted, rtol=0.0, atol=1e-9)
        assert np.all((found >= exact) & (found - exact <= h * np.arange(1, len(exact) + 1)))


def traub(p):
    return neurons.HodgkinHuxley(
        p["C_m"], p["g_L"], p["g_Na"], p["g_K"], e_leak=p["E_L"], e_na=p["E_Na"], e_k=p["E_K"], v_shift=p["V_T"],
        refractory=p["t_ref"],
    )  # fmt: skip


def pair(net, neuron, weight, current, y0):
    """Two cells that gap junctions couple, and what they start with."""
    cells = net.population(neuron, 2)
    net.inject(cells, current)
    net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=weight, synapse=synapses.GapJunction())
    for name, start in zip(neuron.state, y0.reshape(-1, 2), strict=False):
        cells[name] = start
    return cells


def test_gap_junctions_of_hodgkin_huxley_cells(case, stored):
    p, net = parameters(stored, case), network()
    weight, T = (float(stored[f"{case}/{name}"]) for name in ("weight", "T"))
    cells = pair(net, traub(p), weight, stored[f"{case}/I"], stored[f"{case}/y0"])
    run = net.run(T, record={cells: ["v", "spikes", "left"]})
    times, units = run.spikes(cells)
    steps = np.rint(times / DT).astype(int)
    times = times - p["t_ref"] + run[cells, "left"][steps - 1, units] * DT  # within their steps
    t, v = stored[f"{case}/t"], run[cells, "v"][np.rint(stored[f"{case}/t"] / DT).astype(int) - 1]
    exact = [stored[f"{case}/ref_crossings{k}"] for k in range(2)]
    far = (np.abs(t[:, None] - np.concatenate([*exact, times])) >= 3.0).all(axis=1)
    for k in range(2):
        found, interval = times[units == k], np.diff(exact[k], prepend=0.0)
        assert len(found) == len(exact[k])
        assert np.all(np.abs(np.diff(found, prepend=0.0) - interval) <= np.maximum(0.005 * interval, 0.1))
    assert far.sum() > 10
    np.testing.assert_allclose(v[far], stored[f"{case}/ref_v"][far], rtol=0.0, atol=0.2)


def interneuron_gates(v):
    """Rates of m, h, p and n of NEST's hh_psc_alpha_gap in 1/ms: opening, closing."""
    return (
        (540.0 * linoid((75.5 - v) / 13.5), 1.2262 * np.exp(-v / 42.248)),
        (0.0035 * np.exp(-v / 24.186), 0.0884 * linoid(-(v + 51.25) / 5.2)),
        (11.8 * linoid((95.0 - v) / 11.8), 0.025 * np.exp(-v / 22.222)),
        (0.0322 * linoid(-(v + 44.0) / 2.3), 0.0043 * np.exp(-(v + 44.0) / 34.0)),
    )


def interneuron(x, g, v, m, h, p, n, dt, C, g_Na, g_Kv1, g_Kv3, g_L, E_Na, E_K, E_L, parts):
    """A step of it: half of v, the gates, half of v, in each part."""
    lasts = dt / parts

    def moved(v):
        na, k = g_Na * m**3 * h, g_Kv1 * n**4 + g_Kv3 * p**2
        total = g + g_L + na + k
        v_inf = (x + g_L * E_L + na * E_Na + k * E_K) / total
        return v_inf + (v - v_inf) * np.exp(-0.5 * lasts * total / C)

    for _ in range(int(parts)):
        v = moved(v)
        m, h, p, n = (
            a / (a + b) + (y - a / (a + b)) * np.exp(-(a + b) * lasts)
            for y, (a, b) in zip((m, h, p, n), interneuron_gates(v), strict=True)
        )
        v = moved(v)
    return 0.0, v, m, h, p, n


def test_the_example_of_two_cells_with_a_gap_junction(stored):
    case = "gap/nest_example"
    if f"{case}/ref_v" not in stored:
        pytest.skip(f"no case in {FILE}")
    p, t, wanted, net = parameters(stored, case), stored[f"{case}/h{DT}/t"], stored[f"{case}/ref_v"], network()
    numbers = {name: p[name] for name in ("g_Na", "g_Kv1", "g_Kv3", "g_L", "E_Na", "E_K", "E_L")}
    neuron = nbsnn.Neuron(
        interneuron, state=dict.fromkeys("vmhpn", 0.0), params={"dt": 1.0, "C": p["C_m"], **numbers, "parts": 24.0},
        per_step={"dt": "dt"}, inputs=("current", "conductance"), output="none",
    )  # fmt: skip
    weight, current = (float(stored[f"{case}/{name}"]) for name in ("weight", "I_e"))
    cells = pair(net, neuron, weight, current, stored[f"{case}/y0"])
    v = net.run(float(t[-1]), record={cells: "v"})[cells, "v"]
    rows = np.rint(t / DT).astype(int) - 1
    spikes = (np.flatnonzero(((v[:-1] < -20.0) & (v[1:] >= -20.0)).any(axis=1)) + 1) * DT
    far = (np.abs(t[:, None] - spikes) >= 3.0).all(axis=1) & (wanted < -20.0).all(axis=1)
    assert far.sum() > 10
    np.testing.assert_allclose(v[rows][far], wanted[far], rtol=0.0, atol=0.2)
