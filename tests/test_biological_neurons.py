"""Neurons in biological units against closed forms, against SciPy's solver, and against their interpreted selves."""

import math
from functools import partial

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import nbsnn
from nbsnn import Population
from nbsnn.neurons import (
    EIF,
    LIF,
    QIF,
    AdEx,
    ClopathAdEx,
    ConductanceLIF,
    EscapeLIF,
    HodgkinHuxley,
    Izhikevich,
    NoisyLIF,
    quadratic_lif,
)
from nbsnn.neurons import PoissonNeuron as Poisson
from nbsnn.neurons.izhikevich import euler

from .simulated import simulate, spike_times

INPUT = {
    "ConductanceLIF": 600, "HodgkinHuxley": 1500, "Izhikevich": 40, "AdEx": 3000, "EIF": 1500, "QIF": 900,
    "EscapeLIF": 0.2, "NoisyLIF": 0.1, "PoissonNeuron": 300,
}  # fmt: skip
FIRST = [(ConductanceLIF(), np.float32)]
MORE = [
    *((neuron, np.float32) for neuron in (HodgkinHuxley(), Izhikevich(), AdEx(refractory=0.3), AdEx(substeps=3))),
    *((neuron, np.float32) for neuron in (EIF(), QIF(refractory=1), EscapeLIF(refractory=2), NoisyLIF(refractory=2))),
    (Poisson(200.0), np.float32), (HodgkinHuxley(), np.float64), (AdEx(substeps=3), np.float64),
]  # fmt: skip
long = pytest.mark.long


@pytest.mark.parametrize(("neuron", "dtype"), FIRST + [pytest.param(*case, marks=long) for case in MORE])
def test_compiled_equals_interpreted_bit_for_bit(neuron, dtype):
    rng = np.random.default_rng(1)
    inputs = {"current": rng.uniform(0.0, 2.0, (150, 3)) * INPUT[neuron.kind]}
    if "conductance" in neuron.inputs:
        inputs["conductance"] = rng.uniform(0.0, 0.1 if neuron.kind == "Izhikevich" else 3.0, (150, 3))
    with np.errstate(over="ignore"):
        runs = [simulate(neuron, 150, 3, dt=0.1, dtype=dtype, device=d, **inputs) for d in ("cpu", "python")]
    assert runs[0]["spikes"].sum() > 0
    for name, values in runs[0].items():
        assert np.isfinite(values).all()
        np.testing.assert_array_equal(values, runs[1][name], err_msg=name)


# Closed forms.


def test_rate_of_a_lif_against_current():
    tau, refractory, dt = 20.0, 2.0, 0.1
    current = np.linspace(1.01, 6.0, 23)
    run = Population(LIF(tau, refractory=refractory, decay_input=True), 23, dt=dt, dtype=np.float64).run(
        np.broadcast_to(current, (20000, 1, 23))
    )
    charging = np.ceil(np.log(1.0 - 1.0 / current) / (-dt / tau))  # steps from 0 to the threshold of 1
    for k in range(23):
        intervals = np.diff(spike_times(run["spikes"][:, 0, k], dt))
        np.testing.assert_allclose(intervals, (charging[k] + refractory / dt) * dt, 1e-10)
    exact = 1.0 / (refractory - tau * np.log(1.0 - 1.0 / current))
    np.testing.assert_allclose(1.0 / (refractory + charging * dt), exact, 2.5 * dt / refractory / 5)


def test_a_membrane_decays():
    steps = 1000
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-6)):
        population = Population(LIF(10.0, 1e6), 1, dt=0.1, dtype=dtype, device="python")
        state = {"v": np.full((1, 1), 5.0, dtype), "spikes": np.zeros((1, 1), dtype)}
        v = population.run(np.zeros((steps, 1, 1), dtype), state)["v"].ravel()
        expected = 5.0 * np.exp(-0.1 * np.arange(1, steps + 1) / 10.0)
        np.testing.assert_allclose(v, expected, 10 * tolerance, tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
def test_constant_conductances(dtype):
    # 30 nS that reverse at 0 mV and 20 nS that reverse at -80 mV.
    g, x, dt = 50.0, -80.0 * 20.0 + 25.0, 0.1
    neuron = ConductanceLIF(v_threshold=100.0)
    run = simulate(neuron, 600, 1, dt=dt, dtype=dtype, device="python", start={"v": -70.0}, current=x, conductance=g)
    v_inf, tau = (10.0 * -60.0 + x) / 60.0, 200.0 / 60.0
    expected = v_inf + (-70.0 - v_inf) * np.exp(-dt * np.arange(1, 601) / tau)
    # A float32 stops where a step adds less than half its last bit: ulp / 2 / (1 - 0.97) from v_inf here.
    tolerance = 2e-6 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(run["v"].ravel(), expected, tolerance)
    assert run["v"][-1] == pytest.approx(v_inf, rel=tolerance + 1e-7)


def test_rate_of_a_conductance_lif():
    # Threshold above v_inf: silent. Else the interval is the refractory period and the time from -60 to -50 mV.
    g, dt = np.array([0.0, 10.0, 30.0]), 0.05
    x = np.array([150.0, -440.0, 700.0])
    run = simulate(ConductanceLIF(), 4000, 3, dt=dt, device="python", current=x, conductance=g)
    v_inf, tau = (-600.0 + x) / (10.0 + g), 200.0 / (10.0 + g)
    assert run["spikes"][:, 1].sum() == 0
    for k in (0, 2):
        charging = math.ceil(tau[k] * math.log((v_inf[k] + 60.0) / (v_inf[k] + 50.0)) / dt)
        np.testing.assert_allclose(np.diff(spike_times(run["spikes"][:, k], dt)), 5.0 + charging * dt, 1e-10)


@pytest.mark.parametrize("compare", [">", ">="])
def test_equality_with_the_threshold(compare):
    neuron = ConductanceLIF(v_rest=-60.0, v_threshold=-50.0, compare=compare)
    run = simulate(neuron, 1, 1, device="python", start={"v": -50.0}, current=100.0)  # v_inf = -50
    assert run["spikes"][0, 0] == (compare == ">=")


def test_intervals_of_a_quadratic_neuron():
    # C dv / (k (v - v_rest)(v - v_critical) + I) from v_reset to v_peak.
    current = np.array([75.0, 100.0, 300.0])
    for dt in (0.1, 0.01):
        run = simulate(QIF(), round(1000 / dt), 3, dt=dt, current=current)
        middle, depth = -50.0, np.sqrt(current / 0.7 - 100.0)
        exact = 100.0 / 0.7 / depth * (np.arctan((35.0 - middle) / depth) - np.arctan((-50.0 - middle) / depth))
        intervals = np.array([np.diff(spike_times(run["spikes"][:, k], dt)).mean() for k in range(3)])
        # A spike is noted at the end of its step, and the membrane is reset there.
        assert (intervals - exact > -0.01 * dt).all()
        assert (intervals - exact < 1.2 * dt).all()


# Against SciPy: what a scheme loses when the step doubles.


def traub_miles(t, y, current):
    v, m, h, n = y
    u = v + 63.0
    rates = (
        (m, 0.32 * (13 - u) / math.expm1((13 - u) / 4), 0.28 * (u - 40) / math.expm1((u - 40) / 5)),
        (h, 0.128 * math.exp((17 - u) / 18), 4 / (1 + math.exp((40 - u) / 5))),
        (n, 0.032 * (15 - u) / math.expm1((15 - u) / 5), 0.5 * math.exp((10 - u) / 40)),
    )
    ionic = 10 * (-60 - v) + 20000 * m**3 * h * (50 - v) + 6000 * n**4 * (-90 - v)
    return [(ionic + current(t)) / 200, *(a * (1 - p) - b * p for p, a, b in rates)]


def adex(t, y, current):
    v, w = y
    ionic = 30 * (-70.6 - v) + 60 * math.exp(min((v + 50.4) / 2, 50.0))
    return [(ionic - w + current(t)) / 281, (4 * (v + 70.6) - w) / 144]


def eif(t, y, current):
    return [(10 * (-65 - y[0]) + 20 * math.exp((y[0] + 50) / 2) + current(t)) / 200]


def qif(t, y, current):
    return [(0.7 * (y[0] + 60) * (y[0] + 40) + current(t)) / 100]


def simple(t, y, current):
    v, u = y
    return [0.04 * v * v + 5 * v + 140 - u + current(t), 0.02 * (0.2 * v - u)]


def rest(t, y, current):
    return [(10 * (-60 - y[0]) + current(t) - (3 + math.sin(t)) * y[0]) / 200]


def first(make, **options):
    return make(method={"Izhikevich": "euler", "QIF": "kahan"}.get(make.__name__, "exponential_euler"), **options)


SMOOTH = {  # neuron, equations, current over time, length, order
    "HodgkinHuxley": (HodgkinHuxley(substeps=8), traub_miles, lambda t: 300.0 + 0 * t, 12.0, 2),
    "AdEx": (AdEx(substeps=1), adex, lambda t: 500.0 + 100 * np.sin(t / 2), 20.0, 2),
    "EIF": (EIF(), eif, lambda t: 160.0 + 0 * t, 40.0, 2),
    "Izhikevich": (Izhikevich(substeps=1), simple, lambda t: 2.0 + 0 * t, 20.0, 2),
    "HodgkinHuxley, first order": (first(HodgkinHuxley), traub_miles, lambda t: 300.0 + 0 * t, 12.0, 1),
    "AdEx, first order": (first(AdEx, substeps=1), adex, lambda t: 500.0 + 100 * np.sin(t / 2), 20.0, 1),
    "AdEx in parts": (first(AdEx, substeps=4), adex, lambda t: 500.0 + 100 * np.sin(t / 2), 20.0, 1),
    "EIF, first order": (first(EIF), eif, lambda t: 160.0 + 0 * t, 40.0, 1),
    "QIF, Kahan": (first(QIF), qif, lambda t: 60.0 + 0 * t, 20.0, 2),
    "Izhikevich, first order": (first(Izhikevich), simple, lambda t: 2.0 + 0 * t, 20.0, 1),
    "ConductanceLIF": (ConductanceLIF(v_threshold=100.0), rest, lambda t: 0 * t, 10.0, 1),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_order_of_convergence(name):
    neuron, equations, current, length, order = SMOOTH[name]
    y0 = [float(value) for key, value in neuron.state.items() if key != "left"]
    exact = solve_ivp(equations, (0.0, length), y0, "LSODA", args=(current,), rtol=1e-11, atol=1e-11).y[0, -1]
    errors = []
    for dt in (0.1, 0.05, 0.025):
        t = np.arange(round(length / dt))[:, None] * dt
        g = 3 + np.sin(t) if name == "ConductanceLIF" else 0.0
        given = current(t + 0.5 * dt if order == 2 else t)
        run = simulate(neuron, len(t), 1, dt=dt, device="python", current=given, conductance=g)
        errors.append(abs(run["v"][-1, 0] - exact))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    np.testing.assert_allclose(orders, order, atol=0.25, err_msg=f"errors {errors}")


def exact_times(run, neuron, dt):
    """Times at which the membrane reached its peak, from what was left of the step."""
    k = np.flatnonzero(run["spikes"])
    return (k + 1.0 - float(neuron.params.get("refractory", 0.0)) / dt + run["left"][k, 0]) * dt


def ode_times(equations, neuron, current, length):
    """The same by SciPy, which goes on at the reset, or after the refractory period."""
    p, t, times = neuron.params, 0.0, []
    y = [float(value) for key, value in neuron.state.items() if key != "left"]
    peak = float(p["v_peak"])

    def reached(t, y, current):
        return y[0] - peak

    reached.terminal, reached.direction = True, 1.0
    with np.errstate(over="ignore"):
        while t < length:
            solved = solve_ivp(
                equations, (t, length), y, "DOP853", args=(current,), events=reached, rtol=1e-9, atol=1e-9
            )
            t, y = solved.t[-1], list(solved.y[:, -1])
            if not len(solved.t_events[0]):
                break
            times.append(t)
            t += float(p.get("refractory", 0.0))
            y[0] = float(p["c"] if "c" in p else p["v_reset"])
            if len(y) > 1:
                y[1] += float(p["d"] if "d" in p else p["b"])
    return np.array(times)


SWEEP = {  # neuron with one substep, equations, currents
    "AdEx": (AdEx(substeps=1, v_peak=-20.0), adex, (700.0, 850.0, 1000.0, 1500.0)),
    "EIF": (EIF(), eif, (160.0, 180.0, 250.0, 600.0)),
    "QIF": (QIF(), qif, (80.0, 100.0, 300.0, 900.0)),
    "Izhikevich": (Izhikevich(substeps=1), simple, (4.0, 6.0, 10.0, 25.0)),
}


@pytest.mark.parametrize("name", SWEEP)
def test_intervals_over_a_sweep_of_currents_are_those_of_the_equations(name):
    neuron, equations, levels = SWEEP[name]
    for level in levels:
        expected = ode_times(equations, neuron, lambda t, level=level: level, 150.0)
        run = simulate(neuron, 1500, 1, dt=0.1, dtype=np.float64, device="python", current=level)
        found = exact_times(run, neuron, 0.1)
        assert abs(len(found) - len(expected)) <= 1 and len(expected) > 0
        n = min(len(found), len(expected))
        intervals = np.diff(expected[:n], prepend=0.0)
        np.testing.assert_allclose(np.diff(found[:n], prepend=0.0), intervals, 0.005, err_msg=str(level))


@pytest.mark.parametrize("name", SWEEP)
def test_spike_times_converge_in_second_order(name):
    neuron, equations, levels = SWEEP[name]
    expected = ode_times(equations, neuron, lambda t: levels[2], 60.0)
    errors = []
    for dt in (0.2, 0.1, 0.05):
        run = simulate(neuron, round(60.0 / dt), 1, dt=dt, dtype=np.float64, device="python", current=levels[2])
        found = exact_times(run, neuron, dt)
        n = min(len(found), len(expected)) - 1
        errors.append(np.abs(found[:n] - expected[:n]).mean())
    # From 0.2 to 0.05 ms a sixteenth, but for where in its step a spike happens to be.
    assert errors[2] < errors[0] / 7.0, errors


def test_intervals_of_hodgkin_huxley_are_those_of_the_equations():
    def crossing(t, y, current):
        return y[0] + 20.0

    crossing.direction = 1.0
    neuron = HodgkinHuxley()
    y0 = [float(value) for key, value in neuron.state.items() if key != "left"]
    for level in (100.0, 500.0, 1000.0):
        solved = solve_ivp(
            traub_miles, (0, 40), y0, "LSODA", args=(lambda t, level=level: level,), events=crossing, rtol=1e-9,
            atol=1e-9,
        )  # fmt: skip
        run = simulate(neuron, 400, 1, dt=0.1, dtype=np.float64, device="python", current=level)
        found = exact_times(run, neuron, 0.1)
        np.testing.assert_allclose(found, solved.t_events[0][: len(found)], 0.005)


def test_nests_references_are_met_at_its_step():
    """The seventh spike of its table of an ODE solver (test_aeif_data_lsodar.dat), and the interval at 500 pA."""
    neuron = AdEx(200.0, 11.0, -70.0, -50.0, a=3.0, b=0.0, tau_w=300.0, v_peak=0.0, v_reset=-58.0, w_start=5.0)
    run = simulate(neuron, 990, 1, dt=0.1, dtype=np.float64, device="python", current=420.0)
    times = spike_times(run["spikes"][:, 0], 0.1)
    assert len(times) == 7
    assert 91.096 - 0.05 <= times[-1] <= 91.096 + 0.15
    run = simulate(HodgkinHuxley(refractory=2.0), 500, 1, dt=0.1, dtype=np.float64, device="python", current=500.0)
    assert np.diff(exact_times(run, HodgkinHuxley(refractory=2.0), 0.1))[1:].mean() == pytest.approx(12.08, abs=0.03)


def test_a_refractory_period_begins_where_the_peak_is_reached():
    # From reset to peak it takes T; so intervals are T + refractory, whatever that is, and not a multiple of the step.
    free = exact_times(simulate(QIF(), 400, 1, dt=0.1, dtype=np.float64, device="python", current=300.0), QIF(), 0.1)
    for refractory in (0.03, 0.25, 2.0 / 3.0, 3.0):
        neuron = QIF(refractory=refractory)
        run = simulate(neuron, 400, 1, dt=0.1, dtype=np.float64, device="python", current=300.0)
        intervals = np.diff(exact_times(run, neuron, 0.1))
        np.testing.assert_allclose(intervals, np.diff(free)[0] + refractory, rtol=1e-6)


def test_a_part_of_a_step_is_a_step():
    whole = simulate(AdEx(substeps=4), 300, 1, dt=0.1, dtype=np.float64, device="python", current=1500.0)
    parts = simulate(AdEx(substeps=1), 1200, 1, dt=0.025, dtype=np.float64, device="python", current=1500.0)
    np.testing.assert_allclose(whole["v"], parts["v"][3::4], rtol=1e-9)
    np.testing.assert_allclose(whole["w"], parts["w"][3::4], rtol=1e-9)


@pytest.mark.parametrize("make", [EIF, QIF, AdEx, Izhikevich], ids=lambda f: f.__name__)
def test_a_jump_over_the_peak_is_a_spike_at_the_end_of_its_step(make):
    neuron = make(**({} if make is Izhikevich else {"refractory": 0.5}))
    run = simulate(neuron, 8, 1, dt=0.1, dtype=np.float64, device="python", current=0.0, jump=[[200.0]] + [[0.0]] * 7)
    reset = neuron.params["c" if make is Izhikevich else "v_reset"]
    assert run["spikes"].ravel().tolist() == [1.0] + [0.0] * 7
    assert run["v"][0, 0] == reset
    if make is not Izhikevich:
        np.testing.assert_array_equal(run["v"][:6, 0], reset)
        assert run["v"][6, 0] != reset


@pytest.fixture(scope="module")
def counts():
    """Spikes of the Hodgkin-Huxley neuron in 300 ms of constant current, by SciPy: the upstrokes through -20 mV."""
    neuron, answer = HodgkinHuxley(), {}
    y0 = [float(value) for key, value in neuron.state.items() if key != "left"]

    def crossing(t, y, current):
        return y[0] + 20.0

    crossing.direction = 1.0
    for level in (-60.0, 0.0, 200.0, 500.0, 1000.0):
        solved = solve_ivp(
            traub_miles, (0, 300), y0, "LSODA", args=(lambda t, level=level: level,), events=crossing, rtol=1e-8
        )
        answer[level] = len(solved.t_events[0])
    return answer


@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=long)])
def test_rates_of_hodgkin_huxley(counts, dtype):
    levels = np.array(list(counts))
    run = simulate(HodgkinHuxley(), 15000, len(levels), dt=0.02, dtype=dtype, current=levels)
    found = run["spikes"].sum(0)
    np.testing.assert_allclose(found, list(counts.values()), atol=1.0, err_msg=str(counts))
    assert found[0] == 0.0
    assert (np.diff(found) > 0.0).all()


@long
def test_threshold_current_of_hodgkin_huxley():
    # Where SciPy's solution begins to fire, between two currents that differ by 0.25 pA.
    def fires(level):
        solved = solve_ivp(traub_miles, (0, 300), y0, "LSODA", args=(lambda t: level,), rtol=1e-8, max_step=5.0)
        return solved.y[0].max() > -20.0

    y0 = [float(value) for key, value in HodgkinHuxley().state.items() if key != "left"]
    levels = np.arange(-50.0, 0.0, 0.5)
    low, high = -50.0, 0.0
    while high - low > 0.25:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if fires(middle) else (middle, high)
    run = simulate(HodgkinHuxley(), 15000, len(levels), dt=0.02, current=levels)
    first = levels[run["spikes"].sum(0) > 0][0]
    assert first == pytest.approx(high, abs=1.5)


def test_izhikevich_follows_its_equations_step_by_step():
    a, b, c, d, dt = 0.1, 0.2, -65.0, 2.0, 0.5
    x = np.concatenate([np.full(60, 20.0), np.full(20, -150.0), np.full(60, 12.0)])
    run = Population(first(Izhikevich, a=a, b=b, c=c, d=d, substeps=1), 1, dt=dt, dtype=np.float64, device="python")
    run = run.run(x.reshape(-1, 1, 1))
    v, u = (float(Izhikevich(a, b, c, d).state[name]) for name in "vu")
    expected, steep = [], 0
    for current in x:
        fall = dt * (0.08 * v + 5.0)  # where Euler's method would swing, v is taken as linearly implicit
        steep += fall < -2.0
        v = v + dt / (1.0 - (fall if fall < -2.0 else 0.0)) * (0.04 * v * v + 5.0 * v + 140.0 - u + current)
        u = u + dt * a * (b * v - u)
        spike = v >= 30.0
        v, u = (c, u + d) if spike else (v, u)
        expected.append((float(spike), v, u))
    found = np.stack([run[name].ravel() for name in ("spikes", "v", "u")], -1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert steep > 0 and found[:, 0].sum() > 3


def test_an_euler_step_of_izhikevich_is_implicit_in_the_conductance():
    v, u, x, g, h = -60.0, -13.0, 4.0, 0.3, 0.5
    after = euler(v, u, x, g, 5.0, 140.0, h)
    assert after - v == pytest.approx(h * (0.04 * v * v + 5.0 * v + 140.0 - u + x - g * after))


def test_hodgkin_huxley_spikes_in_the_step_that_takes_its_membrane_over_the_threshold():
    run = Population(HodgkinHuxley(refractory=0.0), 1, dt=0.02, dtype=np.float64, device="python")
    run = run.run(np.full((300, 1, 1), 1500.0))
    v = run["v"].ravel()
    over = (v[1:] > -20.0) & (v[:-1] <= -20.0)
    assert over.sum() >= 1
    np.testing.assert_array_equal(run["spikes"].ravel()[1:] > 0.0, over)


def test_refractory_hodgkin_huxley_goes_on_without_counting():
    free = simulate(HodgkinHuxley(refractory=0.0), 7500, 1, dt=0.02, current=600.0)
    deaf = simulate(HodgkinHuxley(refractory=40.0), 7500, 1, dt=0.02, current=600.0)
    np.testing.assert_array_equal(free["v"], deaf["v"])
    assert (np.diff(spike_times(deaf["spikes"], 0.02)) > 40.0).all()
    assert 0 < deaf["spikes"].sum() < free["spikes"].sum()


LONG_RUNS = [
    (AdEx(), 800.0, 300),
    (EIF(), 250.0, 300),
    (Izhikevich(substeps=1), 10.0, 300),
    (HodgkinHuxley(), 200.0, 60),
]


@long
@pytest.mark.parametrize(("neuron", "current", "length"), LONG_RUNS)
def test_single_precision_follows_double(neuron, current, length):
    single, double = (
        simulate(neuron, round(length / 0.1), 1, dt=0.1, dtype=dtype, current=current)
        for dtype in (np.float32, np.float64)
    )
    assert single["v"].dtype == np.float32
    times = [spike_times(run["spikes"], 0.1) for run in (single, double)]
    assert len(times[0]) == len(times[1]) > 1
    np.testing.assert_allclose(*times, atol=0.31)


OVERSHOOTS = [
    make(v_peak=peak, sharpness=sharpness, **options)
    for make, peak, sharpness in ((AdEx, 20.0, 2.0), (AdEx, 200.0, 0.5), (EIF, 100.0, 2.0))
    for options in ({}, {"method": "exponential_euler"})
]


@pytest.mark.parametrize("neuron", OVERSHOOTS, ids=repr)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_exponential_beyond_the_range_of_floats_is_a_spike(neuron, dtype):
    with np.errstate(over="ignore"):
        run = simulate(neuron, 3, 1, device="python", dtype=dtype, start={"v": 90.0}, current=5000.0)
    assert run["spikes"][0, 0] == 1.0
    if neuron.per_step["refractory"] == "steps" or neuron.params["refractory"] > 0.0:
        assert run["v"][0, 0] == neuron.params["v_reset"]
    assert np.isfinite(run["v"]).all()


STEPWISE = [ConductanceLIF, *(partial(first, make) for make in (EIF, QIF, AdEx)), EscapeLIF, NoisyLIF]


@pytest.mark.parametrize("make", STEPWISE)
def test_refractory_period_spaces_spikes(make):
    with np.errstate(over="ignore"):
        run = simulate(make(refractory=0.3), 40, 1, dt=0.1, device="python", current=1e5)
    times = np.flatnonzero(run["spikes"])
    assert (np.diff(times) >= 4).all()
    assert len(times) > 3
    held = run["v"][times[0] : times[0] + 4, 0]
    np.testing.assert_array_equal(held, make().params["v_reset"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ConductanceLIF(0.0), "capacitance of ConductanceLIF must be greater than 0, not 0"),
        (lambda: ConductanceLIF(v_reset=-40.0), "v_reset of ConductanceLIF must be below v_threshold"),
        (lambda: ConductanceLIF(refractory=-1.0), "refractory of ConductanceLIF must be at least 0"),
        (lambda: HodgkinHuxley(g_leak=-1.0), "g_leak of HodgkinHuxley must be greater than 0"),
        (lambda: HodgkinHuxley(g_na=-1.0), "g_na of HodgkinHuxley must be at least 0"),
        (lambda: Izhikevich(c=40.0), "c of Izhikevich must be below v_peak"),
        (lambda: Izhikevich(substeps=0), "substeps must be at least 1"),
        (lambda: Izhikevich(method="rk4"), "method of Izhikevich must be one of 'splitting', 'euler'"),
        (lambda: HodgkinHuxley(method="euler"), "method of HodgkinHuxley must be one of"),
        (lambda: HodgkinHuxley(method="exponential_euler", substeps=2), "substeps of HodgkinHuxley are those of"),
        (lambda: QIF(method="kahan", substeps=2), "substeps of QIF are those of"),
        (lambda: AdEx(tau_w=0.0), "tau_w of AdEx must be greater than 0"),
        (lambda: AdEx(v_reset=30.0), "v_reset of AdEx must be below v_peak"),
        (lambda: AdEx(substeps=0), "substeps must be at least 1"),
        (lambda: EIF(sharpness=0.0), "sharpness of EIF must be greater than 0"),
        (lambda: EIF(v_threshold=np.array([-50.0, 10.0])), "v_threshold of EIF must be below v_peak"),
        (lambda: QIF(v_rest=-30.0), "v_rest of QIF must be below v_critical"),
        (lambda: EscapeLIF(delta=0.0), "delta of EscapeLIF must be greater than 0"),
        (lambda: NoisyLIF(sigma=-1.0), "sigma of NoisyLIF must be at least 0"),
        (lambda: Poisson(-1.0), "rate of PoissonNeuron must be at least 0"),
        (lambda: AdEx(a=float("nan")), "parameter a must be finite"),
    ],
)  # fmt: skip
def test_wrong_arguments_raise(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# Chance.


@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_rate_of_escape(dt):
    # At rest, 0.3 below the threshold, the rate is 0.5 exp(-1.5) per ms; a spike is followed by 2 ms of silence.
    neuron = EscapeLIF(20.0, 0.3, 0.0, rho0=0.5, delta=0.2, refractory=2.0)
    steps, units = round(400 / dt), 200
    spikes = simulate(neuron, steps, units, dt=dt)["spikes"]
    p = -math.expm1(-dt * 0.5 * math.exp(-1.5))
    interval = 2.0 + dt / p
    expected = steps * units * dt / interval
    # The variance of a renewal process's count: that of its intervals over the cube of their mean.
    spread = math.sqrt(steps * units * dt * (1 - p) / p**2 * dt**2 / interval**3)
    assert spikes.sum() == pytest.approx(expected, abs=4.5 * spread + units)
    rate = 1.0 / (2.0 + math.exp(1.5) / 0.5)  # of the process in continuous time
    assert spikes.sum() / (steps * units * dt) == pytest.approx(rate, rel=0.03 + 0.07 * dt)


@pytest.mark.parametrize("dt", [0.5, 10.0])
def test_membrane_noise_does_not_depend_on_the_step(dt):
    neuron = NoisyLIF(20.0, 1e6, sigma=0.7, v_rest=0.25)
    v = simulate(neuron, 260, 2000, dt=dt, dtype=np.float32)["v"][-1 - round(20 / dt) :]
    error = 0.7 / math.sqrt(2 * 2000)
    expected = 0.7 * math.sqrt(1 - math.exp(-2 * 260 * dt / 20))
    assert v[-1].std() == pytest.approx(expected, abs=4.5 * error)
    assert v[-1].mean() == pytest.approx(0.25, abs=4.5 * 0.7 / math.sqrt(2000))
    assert np.corrcoef(v[-1], v[0])[0, 1] == pytest.approx(math.exp(-1), abs=4.5 / math.sqrt(2000))


def test_poisson_rates():
    rates = np.repeat([0.0, 20.0, 400.0], 300)
    spikes = simulate(Poisson(rates), 2000, 900, dt=0.5, dtype=np.float32)["spikes"]
    count = spikes.reshape(2000, 3, 300).sum((0, 2))  # a second each
    assert count[0] == 0
    np.testing.assert_allclose(count[1:] / 300, [20.0, 400.0], atol=4.5 * np.sqrt(400.0 / 300))
    variance = spikes[:, 600:].sum(0).var()
    assert variance == pytest.approx(400.0 * (1 - 0.2), rel=4.5 * math.sqrt(2 / 300))
    # The current adds to the rate, in Hz.
    more = simulate(Poisson(20.0), 2000, 300, dt=0.5, current=np.linspace(-40.0, 360.0, 300), dtype=np.float32)[
        "spikes"
    ].sum(0)
    assert more[:14].sum() == 0
    assert more[-1] == pytest.approx(380.0, abs=4.5 * math.sqrt(380.0))


def test_a_rate_of_more_than_one_spike_per_step_raises():
    with pytest.raises(ValueError, match=r"rate must be a rate in Hz .* at most one per step \(dt = 2 ms\), not 600"):
        simulate(Poisson(600.0), 1, 1, dt=2.0, device="python")


@pytest.mark.parametrize("make", [EIF, QIF, AdEx, Izhikevich, ClopathAdEx], ids=lambda f: f.__name__)
def test_a_membrane_that_an_arrival_lifts_to_the_peak_spikes(make):
    def run(peak):
        net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
        cell = net.population(make(v_peak=peak), 1)
        net.connect(net.spikes([0.3], [0], 1), cell, nbsnn.AllToAll(), weight=90.0, delay=0.2)
        run = net.run(0.5, record={cell: ["spikes", "v"]})
        return run[cell, "v"][-1, 0], run.spikes(cell)[0].tolist()

    lifted, silent = run(1000.0)
    assert silent == [] and run(lifted)[1] == [0.5] and run(np.nextafter(lifted, np.inf))[1] == []


def test_a_quadratic_membrane_comes_to_rest_in_a_long_step():
    k, low, high = 0.7, -2.0, 3.0  # dv/dt = k (v - low) (v - high)
    for v, h in ((1.0, 3.0), (-5.0, 3.0), (1.0, 12.0), (-2.5, 40.0)):
        share = (v - low) / (v - high) * math.exp(-k * (high - low) * h)
        wanted = (low - share * high) / (1.0 - share)
        found, at = quadratic_lif.escape(v, k, -k * (low + high), k * low * high, h, 50.0)
        assert at == 2.0 and found == pytest.approx(wanted, abs=2e-3)
