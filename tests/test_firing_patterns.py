"""The presets of Izhikevich's and the AdEx model fire as their papers show them: counts, latencies, intervals."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from nbsnn import Population
from nbsnn.neurons import adex_patterns, izhikevich_patterns

from .simulated import spike_times

SIMPLE, ADEX = izhikevich_patterns(), adex_patterns()


def run_of(pattern):
    device = "cpu" if pattern.neuron.kind == "AdEx" else "python"
    run = Population(pattern.neuron, 1, dt=pattern.dt, dtype=np.float64, device=device).run(pattern.input())
    return spike_times(run["spikes"].ravel(), pattern.dt), run["v"].ravel()


@pytest.fixture(scope="module")
def times():
    """Name -> times of the spikes; the same name in both models is told apart by its model."""
    simple = {name: run_of(pattern)[0] for name, pattern in SIMPLE.items()}
    return simple | {f"adex {name}": run_of(pattern)[0] for name, pattern in ADEX.items()}


def bursts(times, gap):
    """The spikes in groups, parted by intervals of more than ``gap``."""
    return [len(part) for part in np.split(times, np.flatnonzero(np.diff(times) > gap) + 1)]


def adaptation(times):
    """The adaptation index of Naud et al.: the mean of (d[i] - d[i-1]) / (d[i] + d[i-1]) over intervals d."""
    d = np.diff(times)
    return float(np.mean((d[1:] - d[:-1]) / (d[1:] + d[:-1])))


def test_there_are_all_patterns():
    assert len(SIMPLE) == 7 + 20
    assert len(ADEX) == 8
    for pattern in [*SIMPLE.values(), *ADEX.values()]:
        assert pattern.input().shape == (len(pattern.times), 1, 1)


@pytest.mark.parametrize(
    ("name", "times", "currents"),
    [
        ("class 1 excitable", [10.0, 30.0, 50.0], [0.0, 0.0, 1.5]),
        ("class 2 excitable", [10.0, 30.0, 130.0], [-0.5, -0.5, 1.0]),
        ("accommodation", [100.0, 200.0, 299.9, 300.0, 306.25, 312.5], [4.0, 0.0, 0.0, 0.0, 2.0, 0.0]),
        ("inhibition-induced spiking", [0.0, 50.0, 150.0, 250.0, 251.0], [80.0, 75.0, 75.0, 75.0, 80.0]),
    ],
)
def test_currents_are_the_published_ones(name, times, currents):
    np.testing.assert_allclose(SIMPLE[name].current(np.array(times)), currents, atol=1e-12)


# Spikes in all, and where the paper's figure shows a time: the interval of the first one, in ms.
COUNTS = {
    "phasic spiking": (1, 20, 60), "spike latency": (1, 20, 40), "subthreshold oscillations": (1, 20, 40),
    "resonance": (1, 320, 360), "integrator": (1, 14, 25), "rebound spike": (1, 25, 100),
    "threshold variability": (1, 80, 100), "depolarizing after-potential": (1, 9, 14), "accommodation": (1, 300, 315),
    "adex transient spiking": (1, 20, 60),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_single_spikes(times, name):
    count, low, high = COUNTS[name]
    assert len(times[name]) == count
    assert low < times[name][0] < high


@pytest.mark.parametrize("name", ["tonic spiking", "fast spiking", "resonator", "adex tonic spiking"])
def test_regular_trains(times, name):
    d = np.diff(times[name])[-2:]
    assert d.std() < 0.03 * d.mean()


@pytest.mark.parametrize(
    ("name", "least"),
    [("regular spiking", 0.04), ("spike frequency adaptation", 0.2), ("low-threshold spiking", 0.02),
     ("adex adaptation", 0.08)],
)  # fmt: skip
def test_adapting_trains(times, name, least):
    assert adaptation(times[name]) > least
    assert (np.diff(times[name])[:4] > 0).all()
    d = np.diff(times[name])
    assert d[-1] > 1.5 * d[0]


def test_kinds_of_cortical_neurons_differ_as_published(times):
    # Fast-spiking cells do not adapt and are faster than regular-spiking ones; bursting ones begin with a burst.
    assert len(times["fast spiking"]) > 3 * len(times["regular spiking"])
    assert bursts(times["intrinsically bursting"], 20.0)[0] == 3
    assert set(bursts(times["intrinsically bursting"], 20.0)[1:]) == {1}
    chattering = bursts(times["chattering"], 20.0)
    assert min(chattering) >= 3
    assert len(chattering) >= 6


def test_bursts(times):
    assert bursts(times["tonic bursting"], 15.0)[0] >= 8
    assert len(bursts(times["tonic bursting"], 15.0)) >= 4
    assert min(bursts(times["tonic bursting"], 15.0)) >= 4
    assert bursts(times["phasic bursting"], 20.0) == [6]
    assert bursts(times["mixed mode"], 15.0) == [3, 1, 1, 1]
    assert bursts(times["rebound burst"], 20.0) == [7]
    assert bursts(times["inhibition-induced bursting"], 40.0) == [7, 5]
    assert bursts(times["adex initial burst"], 20.0)[:2] == [3, 1]
    assert set(bursts(times["adex initial burst"], 20.0)[1:]) == {1}
    assert bursts(times["adex regular bursting"], 20.0)[1:-1] == [2, 2]
    assert set(bursts(times["adex delayed regular bursting"], 20.0)[:-1]) == {4}


def test_excitability(times):
    # Class 1 begins to fire at any low rate, class 2 at once at a high one.
    one, two = np.diff(times["class 1 excitable"]), np.diff(times["class 2 excitable"])
    assert (np.diff(one) < 0).all()
    assert one[0] / one[-1] > 2.0 > two[0] / two[-1]


def test_bistability_ends_with_the_second_pulse(times):
    found = times["bistability"]
    assert len(found) >= 4
    assert 37.5 < found[0] < 50.0
    assert found[-1] < 221.0


def test_inhibition_induces_spikes_while_it_lasts(times):
    for name in ("inhibition-induced spiking", "inhibition-induced bursting"):
        assert len(times[name]) >= 3
        assert times[name][0] > 50.0
        assert times[name][-1] < 251.0


def test_the_membrane_swings_after_spikes():
    v = run_of(SIMPLE["subthreshold oscillations"])[1][round(40 / 0.25) :]
    peaks = np.flatnonzero((v[1:-1] > v[:-2]) & (v[1:-1] > v[2:]))
    assert len(peaks) >= 3  # ripples
    after = run_of(SIMPLE["depolarizing after-potential"])[1][round(13 / 0.1) :]
    assert after.max() > -55.0 > after[-1]  # higher than at rest, at -70, and back


def test_delays_and_irregularity(times):
    assert times["adex delayed accelerating"][0] > 45.0  # 20 ms of it before the current
    assert adaptation(times["adex delayed accelerating"]) < -0.005
    assert times["adex delayed regular bursting"][0] > 60.0
    d = np.diff(times["adex irregular spiking"])
    assert d.std() > 0.3 * d.mean()


@pytest.mark.parametrize("name", ["tonic spiking", "adaptation", "initial burst", "delayed accelerating"])
def test_adex_spike_times_equal_those_of_an_exact_solution(times, name):
    """SciPy's solver with events at the peak; patterns that hang on the last spike of a burst are left out."""
    pattern = ADEX[name]
    p = {key: float(value) for key, value in pattern.neuron.params.items()}
    level = float(pattern.current(np.array([100.0]))[0])

    def slope(t, y):
        v, w = y
        spiking = p["g_leak"] * p["sharpness"] * np.exp((v - p["v_threshold"]) / p["sharpness"])
        dv = (p["g_leak"] * (p["v_rest"] - v) + spiking - w + level) / p["capacitance"]
        return [dv, (p["a"] * (v - p["v_rest"]) - w) / p["tau_w"]]

    def peak(t, y):
        return y[0]

    peak.terminal = True
    t, y, exact = 20.0, [p["v_rest"], 0.0], []
    while True:
        solved = solve_ivp(slope, (t, 300.0), y, "LSODA", events=peak, rtol=1e-8, atol=1e-8)
        if not len(solved.t_events[0]):
            break
        t = solved.t_events[0][0]
        exact.append(t)
        y = [p["v_reset"], solved.y_events[0][0][1] + p["b"]]
    found = times[f"adex {name}"]
    found = found[found < 299.0][: len(exact)]
    assert len(found) >= len(exact) - 1 >= 3
    # Each spike is late by up to a step; the lateness adds up.
    np.testing.assert_allclose(found, exact[: len(found)], atol=0.1 + 0.12 * len(found))
    np.testing.assert_allclose(np.diff(found), np.diff(exact[: len(found)]), rtol=0.03, atol=0.15)
