"""Parts of steps of neurons, one by one: against their equations written once more, and exact solutions."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from nbsnn.compile.fill import kernel
from nbsnn.neurons import adex, clopath_adex, exponential_lif, hodgkin_huxley, izhikevich, quadratic_lif
from nbsnn.neurons.inside_step import free_of, held_of, landed
from nbsnn.neurons.parts import in_loop

HALVES = in_loop(2)


def filled(function, **holes):
    return kernel(function, device="python", dtype=np.float64, **holes)


def test_a_unit_is_held_for_what_is_left_and_free_for_the_rest_of_a_part() -> None:
    assert [free_of(left, 0.5) for left in (2.0, 0.5, 0.2, 0.0, -0.3)] == [0.0, 0.0, 0.3, 0.5, 0.8]
    assert [held_of(left, 0.5) for left in (2.0, 0.5, 0.2, 0.0, -0.3)] == [0.5, 0.5, 0.2, 0.0, 0.0]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [  # v1, share of the time at which the peak is reached, free time, jump, spikes before, left -> spike, v, left
        ((-50.0, 2.0, 0.5, 1.5, 0.0, 0.0), (0.0, -48.5, 0.0)),
        ((-50.0, 2.0, 0.5, 51.0, 0.0, 0.0), (1.0, -60.0, 3.0)),  # the jump alone passes the peak, at the end
        ((-50.0, 2.0, 0.5, 50.0, 0.0, 0.0), (1.0, -60.0, 3.0)),
        ((9.0, 0.25, 0.4, 1.5, 0.0, 0.1), (1.0, -60.0, 3.0 - 0.75 * 0.4)),
        ((9.0, 1.0, 0.4, 1.5, 0.0, 0.1), (1.0, -60.0, 3.0)),
        ((9.0, 0.25, 0.4, 1.5, 1.0, 0.1), (0.0, 0.0, 0.0)),  # a second spike waits at the peak
        ((9.0, 0.25, 0.0, 1.5, 0.0, 1.75), (0.0, -60.0, 1.25)),  # held all the time
        ((-50.0, 2.0, 0.1, 1.5, 0.0, 0.4), (0.0, -48.5, 0.0)),
    ],
)
def test_where_a_part_of_a_step_ends(given, wanted) -> None:
    v1, at, free, jump, s, left = given
    assert_allclose(landed(v1, at, free, 0.5, jump, s, left, 0.0, -60.0, 3.0), wanted)


def test_what_arrives_after_a_short_refractory_period_is_not_lost() -> None:
    assert landed(9.0, 0.25, 0.5, 0.5, 1.5, 0.0, 0.0, 0.0, -60.0, 0.25) == (1.0, -58.5, 0.25 - 0.75 * 0.5)
    assert landed(9.0, 0.25, 0.5, 0.5, 1.5, 0.0, 0.0, 0.0, -60.0, 0.375) == (1.0, -58.5, 0.0)


def test_an_euler_step_of_izhikevichs_model_is_implicit_where_it_must() -> None:
    x, g, slope, constant, u = 7.0, 0.25, 5.0, 140.0, -11.0
    for v, h in ((-60.0, 0.5), (-95.0, 0.5), (-95.0, 1.5)):
        fall = h * (0.08 * v + slope)
        share = 1.0 + h * g - (fall if fall < -2.0 else 0.0)
        wanted = v + h / share * (0.04 * v**2 + slope * v + constant - u + x - g * v)
        assert izhikevich.euler(v, u, x, g, slope, constant, h) == pytest.approx(wanted, rel=1e-13)
        twice = izhikevich.in_parts(2)(v, u, x, g, slope, constant, h)
        once = izhikevich.euler(v, u, x, g, slope, constant, 0.5 * h)
        assert twice == izhikevich.euler(once, u, x, g, slope, constant, 0.5 * h)


def test_a_step_of_izhikevichs_model() -> None:
    x, g, v, u, dt = 7.0, 0.25, -60.0, -11.0, 0.5
    a, b, c, d, v_peak, slope, constant, v_u, leak_u = 0.03, 0.2, -65.0, 8.0, 30.0, 5.0, 140.0, -62.0, 0.7
    after = a, b, c, d, v_peak, slope, constant, v_u, leak_u
    v1 = izhikevich.euler(v, u, x, g, slope, constant, dt)
    u1 = u + dt * a * (b * (v1 - v_u) - leak_u * u)
    step = filled(izhikevich.step, membrane=izhikevich.euler)
    assert_allclose(step(x, g, 1.5, v, u, dt, *after), (0.0, v1 + 1.5, u1), rtol=1e-13)
    assert_allclose(step(x, g, v_peak - v1, v, u, dt, *after), (1.0, c, u1 + d), rtol=1e-13)
    wanted = u + 0.4 * a * (b * (v - v_u) - leak_u * u) / (1.0 + 0.5 * 0.4 * a * leak_u)
    assert izhikevich.recovered(u, v, a, b, v_u, leak_u, 0.4) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize("v", [-60.0, 10.0])
def test_a_part_of_a_step_of_izhikevichs_model(v: float) -> None:
    """Half of a recovery, the membrane, and the rest, which lasts to the peak if that is reached."""
    x, g, u, dt, left = 7.0, 0.25, -11.0, 0.8, 0.1
    a, b, c, d, v_peak, slope, constant, v_u, leak_u = 0.03, 0.2, -65.0, 8.0, 30.0, 5.0, 140.0, -62.0, 0.7
    h = 0.4 * dt  # of a half, a tenth is spent
    u1 = izhikevich.recovered(u, v, a, b, v_u, leak_u, 0.5 * h)
    v1, at = quadratic_lif.escape(v, 0.04, slope - g, constant - u1 + x, h, v_peak)
    assert (at <= 1.0) == (v > 0.0)
    if v > 0.0:
        u1 = izhikevich.recovered(u1, v_peak, a, b, v_u, leak_u, h * (at - 0.5)) + d
        wanted = 2.0, c + 1.5, u1, -(1.0 - at) * 0.4
    else:
        wanted = 1.0, v1 + 1.5, izhikevich.recovered(u1, v1, a, b, v_u, leak_u, 0.5 * h), 0.0
    part = filled(izhikevich.part, **HALVES)
    found = part((0.0 if v > 0.0 else 1.0, v, u, left), 1.5, x, g, dt, a, b, c, d, v_peak, slope, constant, v_u, leak_u)
    assert_allclose(found, (wanted[0] - (v > 0.0), *wanted[1:]), rtol=1e-13)


@pytest.mark.parametrize(
    ("k", "p", "q", "h"), [(0.04, 5.0, 150.0, 0.3), (0.04, 5.0, 90.0, 0.3), (0.7, -30.0, -20.0, 0.02)]
)
def test_a_quadratic_membrane_goes_as_far_as_its_equation_says(k, p, q, h) -> None:
    for v in (-70.0, -40.0, 20.0):
        exact = solve_ivp(lambda t, v: k * v * v + p * v + q, (0.0, h), [v], rtol=1e-10, atol=1e-10).y[0, -1]
        v1, at = quadratic_lif.escape(v, k, p, q, h, 1e6)
        assert v1 == pytest.approx(exact, rel=2e-4) and at == 2.0


@pytest.mark.parametrize(("p", "q"), [(5.0, 150.0), (-4.0, 400.0), (0.0, -30.0)])
def test_a_quadratic_membrane_reaches_its_peak_when_its_equation_says(p, q) -> None:
    k, v, v_peak, h = 0.04, 45.0, 60.0, 0.4

    def peak(t, v):
        return v[0] - v_peak

    peak.terminal = True
    exact = solve_ivp(lambda t, v: k * v * v + p * v + q, (0.0, h), [v], rtol=1e-10, atol=1e-10, events=peak)
    (when,) = exact.t_events[0]
    assert quadratic_lif.escape(v, k, p, q, h, v_peak)[1] == pytest.approx(when / h, rel=1e-4)
    assert (
        quadratic_lif.escape(v, k, p, q, 1.05 * when, v_peak)[1]
        <= 1.0
        < quadratic_lif.escape(v, k, p, q, 0.95 * when, v_peak)[1]
    )
    assert (
        quadratic_lif.escape(70.0, k, p, q, h, v_peak)[1] == 0.0
        and quadratic_lif.escape(70.0, k, p, q, 0.0, v_peak)[1] == 2.0
    )


def test_large_conductances_bring_a_quadratic_membrane_to_their_reversal_potential() -> None:
    v1, at = quadratic_lif.escape(-60.0, 0.04, -1e4, -1e4 * 20.0, 1.0, 30.0)
    assert v1 == pytest.approx(-20.0, abs=0.05) and at == 2.0


@pytest.mark.parametrize("v", [-60.0, -40.0])
def test_an_upstroke(v: float) -> None:
    """Half of the linear part, the exact solution of the exponential one, and the other half."""
    x, conductance, g_leak, v_threshold, sharpness, v_peak, h, c = -300.0, 15.0, 10.0, -50.0, 2.0, -20.0, 0.3, 200.0
    left, v_inf = math.exp(-0.5 * h * conductance / c), x / conductance
    before = v_inf + (v - v_inf) * left

    def z(v):
        return math.exp(-(v - v_threshold) / sharpness)

    rest = z(before) - h * g_leak / c
    v1, at = exponential_lif.upstroke(v, x, conductance, g_leak, v_threshold, sharpness, v_peak, h, c)
    after = v_threshold - sharpness * math.log(rest) if rest > 0.0 else before + sharpness * math.log(1e30)
    assert v1 == pytest.approx(v_inf + (after - v_inf) * left, rel=1e-12)
    if v < v_threshold:
        assert rest > z(v_peak) and at == 2.0
    else:
        share = (z(before) - z(v_peak)) * c / (h * g_leak)
        assert at == pytest.approx(share * math.exp((1.0 - share) * (before - v) / sharpness), rel=1e-12) and at < 0.9


def test_an_upstroke_from_beyond_the_peak_ends_at_once_and_the_linear_part_may_reach_it() -> None:
    rest = 15.0, 10.0, -50.0, 2.0, -20.0, 0.3, 200.0
    v1, at = exponential_lif.upstroke(
        -55.0, 3e4, 15.0, 10.0, 0.0, 2.0, -20.0, 0.3, 200.0
    )  # the second half of it alone
    assert -20.0 < v1 < 0.0 and at == 1.0
    assert exponential_lif.upstroke(-55.0, 3e4, *rest)[1] == 1.0  # and nearly all, where the first half goes far
    assert exponential_lif.upstroke(-10.0, -300.0, *rest)[1] == 0.0
    v1, at = exponential_lif.upstroke(-60.0, 1e5, *rest)
    assert v1 > -20.0 and at == 0.0


@pytest.mark.parametrize("left", [0.0, 0.2, 0.7])
@pytest.mark.parametrize("v", [-60.0, -38.0])
def test_a_part_of_a_step_of_an_exponential_lif_and_of_an_adex(v: float, left: float) -> None:
    x, g, jump, dt, c, g_leak, share = -10.0, 5.0, 0.25, 0.6, 200.0, 10.0, 0.5
    v_rest, v_threshold, sharpness, v_peak, v_reset, refractory = -65.0, -50.0, 2.0, -20.0, -60.0, 4.0
    free = max(share - left, 0.0)
    v1, at = exponential_lif.upstroke(
        v, x + g_leak * v_rest, g_leak + g, g_leak, v_threshold, sharpness, v_peak, free * dt, c
    )
    numbers = dt, c, g_leak, v_rest, v_threshold, sharpness
    found = filled(exponential_lif.part, **HALVES)((1.0, v, left), jump, x, g, *numbers, v_peak, v_reset, refractory)
    fired, v2, after = landed(v1, at, free, share, jump, 1.0, left, v_peak, v_reset, refractory)
    assert_allclose(found, (1.0 + fired, v2, after))

    a, b, tau_w, w, h = 4.0, 80.0, 144.0, 40.0, free * dt
    w1 = a * (v - v_rest)
    w1 += (w - w1) * math.exp(-(min(left, share) * dt + 0.5 * h) / tau_w)
    v1, at = exponential_lif.upstroke(
        v, x - w1 + g_leak * v_rest, g_leak + g, g_leak, v_threshold, sharpness, v_peak, h, c
    )
    if at <= 1.0:
        goal, lasts, more = a * (v - v_rest), h * (at - 0.5), at * h * sharpness * a / tau_w
    else:
        goal, lasts, more = a * (v1 - v_rest if free else v - v_rest), 0.5 * h, 0.0
    w1 = goal + (w1 - goal) * math.exp(-lasts / tau_w) + more
    fired, v2, after = landed(v1, at, free, share, jump, 0.0, left, v_peak, v_reset, refractory)
    found = filled(adex.part, **HALVES)(
        (0.0, v, w, left), jump, x, g, *numbers, a, b, tau_w, v_peak, v_reset, refractory
    )
    assert_allclose(found, (fired, v2, w1 + b * fired, after), rtol=1e-12)
    assert fired == (v > v_threshold and free > 0.2)


def test_units_that_have_fired_in_a_step_fire_only_once() -> None:
    """In the first of two parts by themselves, at the end of the second because of a jump."""
    numbers = 0.2, 250.0, 30.0, -70.0, -50.0, 2.0
    s, v, left = filled(exponential_lif.step, **HALVES)(0.0, 0.0, 99.0, -25.0, 0.0, *numbers, -20.0, -60.0, 3.0)
    assert (s, v, left) == (1.0, -60.0, 3.0)
    s, v, w, left = filled(adex.step, **HALVES)(
        0.0, 0.0, 99.0, -25.0, 0.0, 0.0, *numbers, 0.0, 80.0, 9.0, -20.0, -60.0, 3.0
    )
    assert (s, v, w, left) == (1.0, -60.0, 80.0 * math.exp(-0.1 / 9.0), 3.0)


def test_a_membrane_that_jumps_to_its_peak_fires() -> None:
    numbers = 0.25, 250.0, 0.0, -70.0, -50.0, 2.0
    for v, fires in ((-20.0, 1.0), (-20.25, 0.0)):
        assert filled(exponential_lif.step)(0.0, 1e-300, 0.0, v, 0.0, *numbers, -20.0, -60.0, 3.0)[0] == fires
        found = filled(adex.step)(0.0, 1e-300, 0.0, v, 0.0, 0.0, *numbers, 0.0, 80.0, 9.0, -20.0, -60.0, 3.0)
        assert found[0] == fires
        found = quadratic_lif.step(0.0, 0.0, 0.0, v, 0.0, 0.25, 250.0, 0.0, -70.0, -50.0, -20.0, -60.0, 3.0)
        assert found[0] == fires


@pytest.mark.parametrize(
    ("v", "jump", "left", "s", "fires"),
    [
        (-30.0, 60.0, 0.0, 0.0, True), (-30.0, 60.0, 2.0, 0.0, False), (-30.0, 60.0, 0.0, 1.0, False),
        (-10.0, 60.0, 0.0, 0.0, False), (-60.0, 0.0, 0.0, 0.0, False), (-60.0, 0.0, 0.3, 0.0, False),
        (-60.0, 60.0, 0.0, 0.0, True), (-20.5, 0.0, 0.0, 0.0, True), (-20.5, 0.0, 0.25, 0.0, False),
        (-60.0, 0.0, 2.0, 0.0, False),
    ],
)  # fmt: skip
def test_a_part_of_a_step_of_hodgkin_huxley(v: float, jump: float, left: float, s: float, fires: bool) -> None:
    m, h, n, v_inf, stays, dt, c = 0.6, 0.4, 0.1, 30.0, 0.9, 0.1, 200.0
    g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, v_threshold = 10.0, 20000.0, 6000.0, -60.0, 50.0, -90.0, -63.0, -20.0
    x, g, refractory = 300.0, 4.0, 3.0
    mid = v_inf + (v - v_inf) * stays
    opened = hodgkin_huxley.rates(mid - v_shift)
    gates = [
        a / (a + b) + (before - a / (a + b)) * math.exp(-0.5 * dt * (a + b))
        for before, a, b in zip((m, h, n), opened[::2], opened[1::2], strict=True)
    ]
    na, k = g_na * gates[0] ** 3 * gates[1], g_k * gates[2] ** 4
    total = g + g_leak + na + k
    goal, stay = (x + g_leak * e_leak + na * e_na + k * e_k) / total, math.exp(-0.25 * dt * total / c)
    u = goal + (mid - goal) * stay
    at = (v_threshold - v) / (u - v) if u > v_threshold >= v else 1.0
    rest = refractory - (1.0 - at) * 0.5 if fires else max(left - 0.5, 0.0)
    part = filled(hodgkin_huxley.part, **HALVES)
    found = part((s, v, m, h, n, left, v_inf, stays), jump, x, g, dt, c, g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift,
                 v_threshold, refractory)  # fmt: skip
    assert_allclose(found, (s + fires, u + jump, *gates, rest, goal, stay), rtol=1e-10)


@pytest.mark.parametrize(("v", "left"), [(-60.0, 0.0), (-35.0, 0.0), (-60.0, 1.0), (-60.0, 2.5)])
def test_a_step_of_the_neuron_of_clopath(v: float, left: float) -> None:
    x, g, jump, w, z, theta, dt, c, g_leak = 100.0, 6.0, 0.5, 40.0, 20.0, -45.0, 0.5, 281.0, 30.0
    v_rest, v_threshold, sharpness, a, b, tau_w = -70.6, -50.4, 2.0, 4.0, 80.5, 144.0
    z_spike, decay_z, theta_spike, decay_theta, v_peak, v_spike, lasts, v_reset = (
        400.0,
        0.9,
        30.4,
        0.8,
        33.0,
        29.0,
        2.0,
        -49.6,
    )
    half, w_inf = math.exp(-0.5 * dt / tau_w), a * (v - v_rest)
    before = w_inf + (w - w_inf) * half
    current = x + z - before + g_leak * v_rest
    v1, at = exponential_lif.upstroke(v, current, g_leak + g, g_leak, theta, sharpness, v_peak, dt, c)
    fires = v > theta
    assert (at <= 1.0) == fires
    w_inf = a * (v1 - v_rest)
    after = before + b if fires else w_inf + (before - w_inf) * half
    rest = lasts - (1.0 - at) if fires else max(left - 1.0, 0.0)
    v2 = (v_spike if rest > 0.5 else v_reset) if fires or left else v1 + jump
    wanted = (
        float(fires), v2, w if left else after, (z_spike if fires else z) * decay_z,
        v_threshold + ((theta_spike if fires else theta) - v_threshold) * decay_theta, rest,
    )  # fmt: skip
    numbers = dt, c, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w
    numbers += z_spike, decay_z, theta_spike, decay_theta, v_peak, v_spike, lasts, v_reset
    found = clopath_adex.step(x, g, jump, v, w, z, theta, left, *numbers)
    assert_allclose(found, wanted, rtol=1e-12)
    if not (fires or left):
        given = (
            x,
            g,
            v_peak + 1.0 - v1,
            v,
            w,
            z,
            theta,
            left,
            dt,
            c,
            g_leak,
            v_rest,
            v_threshold,
            sharpness,
            a,
            b,
            tau_w,
        )
        found = clopath_adex.step(*given, z_spike, decay_z, theta_spike, decay_theta, v_peak, v_spike, lasts, v_reset)
        assert found[0] == 1.0 and found[1] == v_spike and found[-1] == lasts
