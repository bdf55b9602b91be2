"""The rule of Clopath against NEST's, with whatever trains and parameters ``nest_exact.npz`` holds.

The delay is dendritic there, and axonal here, so that the membrane comes later by both.
"""

import functools
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn import Neuron
from nbsnn.neurons import ClopathAdEx
from nbsnn.plasticity import Clopath, LowPass

from .golden import DEFAULT_FOLDER

FILE, DT = "nest_exact.npz", 0.1


@functools.cache
def contents(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / FILE, allow_pickle=False) as stored:
        return dict(stored)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    folder = metafunc.config.getoption("--golden-dir") or DEFAULT_FOLDER
    found = contents(folder) if (folder / FILE).is_file() else {}
    kinds = {"recorded": "/V_m", "frequency": "/rates", "window": "/window/d"}
    ending = next(end for word, end in kinds.items() if word in metafunc.function.__name__)
    cases = sorted(key.rsplit("/", 1)[0] for key in found if key.startswith("clopath/") and key.endswith(ending))
    skipped = [pytest.param("", marks=pytest.mark.skip(reason=f"no case in {folder / FILE}"))]
    metafunc.parametrize("case", cases or skipped)


@pytest.fixture
def stored(pytestconfig):
    return contents(pytestconfig.getoption("--golden-dir") or DEFAULT_FOLDER)


@pytest.fixture
def p(stored):
    return {key.split("/")[-1]: float(value) for key, value in stored.items() if key.startswith("clopath/params/")}


def rule_of(p, **options):
    return Clopath(
        p["A_LTP"], p["A_LTD"], p["theta_plus"], p["theta_minus"], p["tau_x"], p["tau_u_bar_plus"],
        p["tau_u_bar_minus"], delay=p["delay_u_bars"], tau_mean=p["tau_u_bar_bar"], dendrite=2.0 * p["delay"],
        w_min=p["Wmin"], w_max=p["Wmax"], **options,
    )  # fmt: skip


def neuron_of(p):
    assert p["t_ref"] == 0.0
    return ClopathAdEx(
        p["C_m"], p["g_L"], p["E_L"], p["V_th_rest"], p["Delta_T"], a=p["a"], b=p["b"], tau_w=p["tau_w"],
        z_spike=p["I_sp"], tau_z=p["tau_z"], theta_spike=p["V_th_max"], tau_theta=p["tau_V_th"], v_peak=p["V_peak"],
        v_spike=p["V_clamp"], lasts=p["t_clamp"], v_reset=p["V_reset"],
    )  # fmt: skip


def simulated(p, rule, pre, jumps, dt=DT):
    """Weights of pairs of units, each just after the last spike of its own source."""
    net, n = nbsnn.Network(dt=dt, dtype=np.float64), len(pre)
    cells = net.population(neuron_of(p), n)

    def listed(trains):
        units = np.repeat(np.arange(n), [len(train) for train in trains])
        return net.spikes(np.concatenate(trains), units, n)

    sources, drivers = listed(pre), listed([train - dt for train in jumps])
    net.connect(drivers, cells, nbsnn.OneToOne(), weight=p["post_jump"], delay=dt)
    learned = net.connect(sources, cells, nbsnn.OneToOne(), weight=p["w0"], delay=p["delay"], plasticity=rule)
    ends, found = np.array([train[-1] for train in pre]) + p["delay"], np.zeros(n)
    for end in np.unique(np.round(ends, 6)):
        net.run(round((end - net.time) / dt) * dt)
        found = np.where(abs(ends - end) < 1e-3, learned.weight, found)
    return found


def test_rule_on_a_recorded_membrane_is_exact(case, stored, p):
    names = {"v": "V_m", "u_plus": "u_bar_plus", "u_minus": "u_bar_minus", "u_mean": "u_bar_bar"}
    series = {name: stored[f"{case}/{key}"] for name, key in names.items()}
    pre, wanted = stored[f"clopath/frequency/{case.split('trace_')[1]}/pre"], stored[f"{case}/ref_w"]
    rule = rule_of(p)
    rule = rule.replace(post={name: LowPass(name, 0.0, each.delay) for name, each in rule.post.items()})
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source = net.spikes(pre, np.zeros(len(pre), int), 1)
    state = {name: values[0] for name, values in series.items()}
    told = Neuron(lambda x, v, u, r, m: (0.0, v, u, r, m), state=state, membrane="input")
    cell = net.population(told, 1)
    learned = net.connect(source, cell, nbsnn.OneToOne(), weight=p["w0"], delay=p["delay"], plasticity=rule)

    def tell(net):
        step = round(net.time / DT)
        for name, values in series.items():
            cell[name] = values[min(step, len(values) - 1)]

    for end, w in zip(pre, wanted, strict=True):
        net.run(round((end + p["delay"] - net.time) / DT) * DT, callback=tell, callback_every=DT)
        np.testing.assert_allclose(learned.weight, w, rtol=0.0, atol=1e-9)


def percent(p, w, repeated):
    """Weights after ``repeated`` times as many pairs, as a share of those before."""
    return 100.0 + 100.0 * repeated * (w - p["w0"]) / p["w0"]


def near(p, found, wanted, repeated):
    found, wanted = percent(p, found, repeated), percent(p, wanted, repeated)
    np.testing.assert_allclose(found, wanted, rtol=0.0, atol=5.0)
    np.testing.assert_array_equal(found > 100.0, wanted > 100.0)
    return found, wanted


def test_frequency_of_pairs_decides_as_published(case, stored, p):
    runs = range(2 * len(stored[f"{case}/rates"]))
    trains = [[stored[f"{case}/run{k}/{name}"] for k in runs] for name in ("pre", "post_input")]
    w = simulated(p, rule_of(p, u_ref=p["E_L"] if "homeostatic" in case else None), *trains)
    for found, wanted in zip(
        *(np.split(half, 2) for half in near(p, w, stored[f"{case}/h0.01/w_end"], 15)), strict=True
    ):
        far = abs(np.diff(wanted)) > 2.0
        np.testing.assert_array_equal(np.sign(np.diff(found))[far], np.sign(np.diff(wanted))[far])


def test_window_of_pairs_is_that_of_the_paper(case, stored, p):
    d, last = stored[f"{case}/d"], 300.0
    post = 50.0 + 1000.0 / stored[f"{case}/rate"] * np.arange(int(stored[f"{case}/pairs"]))
    pre = [np.append(post - each, post[-1] + last) for each in d]
    near(p, simulated(p, rule_of(p), pre, [post] * len(d)), stored[f"{case}/h0.01/w_end"], 12.5)
