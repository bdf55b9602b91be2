"""Scalar equations of neurons, synapses and rules, one step each, against their formulas written once more."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from nbsnn.compile.fill import kernel
from nbsnn.kernels.plasticity.synapse import IntegerRule
from nbsnn.neurons import (
    adex,
    conductance_lif,
    escape_lif,
    exponential_lif,
    noisy_lif,
    poisson,
    quadratic_lif,
    quantized,
)
from nbsnn.neurons.hodgkin_huxley import gate, grown, rates
from nbsnn.neurons.hodgkin_huxley import step as hodgkin_huxley_step
from nbsnn.neurons.leak import gain_holes
from nbsnn.neurons.parts import in_loop
from nbsnn.neurons.reset import reset_holes
from nbsnn.neurons.units_and_refractory import reset_where, rest_of
from nbsnn.plasticity import bounds, diehl_cook, integer, mean_weight, pair, reward, trace, triplet
from nbsnn.surrogates import sfs, triangular
from nbsnn.synapses import gap_junction
from nbsnn.synapses.short_term import released


def spike(u: float) -> float:
    return 1.0 if u >= 0.0 else 0.0


def filled(step, **holes):
    return kernel(step, device="python", dtype=np.float64, **holes)


def test_refractory_steps_are_counted_down_and_begin_anew_at_a_spike() -> None:
    assert [rest_of(left, s, 7.0) for left, s in ((3.0, 0.0), (1.0, 0.0), (0.0, 0.0), (0.0, 1.0))] == [2, 0, 0, 7]
    held = [reset_where(left, s, -1.0, 5.0) for left, s in ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (2.0, 0.0))]
    assert held == [5.0, -1.0, -1.0, -1.0]


@pytest.mark.parametrize("u", [-20.0, 7.0, 16.5, 33.0, 95.0])
def test_rates_of_traub_and_miles(u: float) -> None:
    expected = (
        0.32 * (13.0 - u) / (math.exp((13.0 - u) / 4.0) - 1.0),
        0.28 * (u - 40.0) / (math.exp((u - 40.0) / 5.0) - 1.0),
        0.128 * math.exp((17.0 - u) / 18.0),
        4.0 / (1.0 + math.exp((40.0 - u) / 5.0)),
        0.032 * (15.0 - u) / (math.exp((15.0 - u) / 5.0) - 1.0),
        0.5 * math.exp((10.0 - u) / 40.0),
    )
    assert_allclose(rates(u), expected, rtol=1e-12)


def test_a_step_of_hodgkin_huxley() -> None:
    v, m, h, n, dt, c = -50.0, 0.3, 0.4, 0.5, 0.1, 200.0
    g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift = 10.0, 20000.0, 6000.0, -60.0, 50.0, -90.0, -63.0
    channels = g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, -20.0, 3.0
    na, k, x, g, jump = g_na * m**3 * h, g_k * n**4, 300.0, 4.0, 0.5
    total = g + g_leak + na + k
    v_inf = (x + g_leak * e_leak + na * e_na + k * e_k) / total
    s, v1, *gates, left = hodgkin_huxley_step(x, g, jump, v, m, h, n, 2.0, dt, c, *channels)
    assert v1 == pytest.approx(v_inf + (v - v_inf) * math.exp(-dt * total / c) + jump, rel=1e-12)
    opened = rates(v - v_shift)
    for found, before, a, b in zip(gates, (m, h, n), opened[::2], opened[1::2], strict=True):
        assert found == pytest.approx(a / (a + b) + (before - a / (a + b)) * math.exp(-dt * (a + b)), rel=1e-12)
        assert gate(before, a, b, dt) == found
    assert (s, left) == (0.0, 1.0)
    for before, steps_left, fires in ((-20.0, 0.0, 1.0), (-19.0, 0.0, 0.0), (-20.0, 1.0, 0.0), (-90.0, 0.0, 0.0)):
        s = hodgkin_huxley_step(0.0, 0.0, 40.0, before, 0.0, 1.0, 0.0, steps_left, dt, c, *channels)[0]
        assert s == fires, before
    assert grown(61.0) == grown(60.0) == math.exp(60.0) and grown(59.0) == math.exp(59.0)


def test_a_step_of_a_conductance_lif() -> None:
    step = filled(conductance_lif.step, spike=spike)
    v_inf = (30.0 + 10.0 * -60.0) / (10.0 + 5.0)
    u = v_inf + (-55.0 - v_inf) * math.exp(-0.5 * 15.0 / 200.0) + 2.0
    assert_allclose(step(30.0, 5.0, 2.0, -55.0, 0.0, 0.5, 200.0, 10.0, -60.0, -50.0, -58.0, 4.0), (0.0, u, 0.0))
    assert step(30.0, 5.0, 9.0, -55.0, 0.0, 0.5, 200.0, 10.0, -60.0, -50.0, -58.0, 4.0) == (1.0, -58.0, 4.0)
    assert step(30.0, 5.0, 9.0, -55.0, 2.0, 0.5, 200.0, 10.0, -60.0, -50.0, -58.0, 4.0) == (0.0, -58.0, 1.0)


def test_a_step_of_an_exponential_lif_and_of_an_adex() -> None:
    dt, c, g_leak, g, x, jump, v, w = 0.2, 250.0, 30.0, 6.0, 500.0, 0.25, -52.0, 40.0
    v_rest, v_threshold, sharpness, v_peak, v_reset = -70.0, -50.0, 2.0, 0.0, -60.0

    def rise(v, x, h):
        v_inf = (x + g_leak * (v_rest + sharpness * math.exp((v - v_threshold) / sharpness))) / (g_leak + g)
        return v_inf + (v - v_inf) * math.exp(-h * (g_leak + g) / c)

    for parts in (1, 2):
        holes = in_loop(parts)
        v1 = v
        for _ in range(parts):
            v1 = rise(v1, x, dt / parts)
        numbers = dt, c, g_leak, v_rest, v_threshold, sharpness
        found = filled(exponential_lif.step, **holes)(x, g, jump, v, 0.0, *numbers, v_peak, v_reset, 3.0)
        assert_allclose(found, (0.0, v1 + jump, 0.0), rtol=1e-12)
        found = filled(exponential_lif.step, **holes)(x, g, 90.0, v, 0.0, *numbers, v_peak, v_reset, 3.0)
        assert found == (1.0, v_reset, 3.0)
        found = filled(exponential_lif.step, **holes)(x, g, 90.0, v, 2.0, *numbers, v_peak, v_reset, 3.0)
        assert found == (0.0, v_reset, 1.0)

        a, b, tau_w, v1, w1 = 4.0, 80.0, 144.0, v, w
        for _ in range(parts):
            v1, w_inf, before = rise(v1, x - w1, dt / parts), a * (v1 - v_rest), w1
            w1 = w_inf + (before - w_inf) * math.exp(-dt / parts / tau_w)
        step = filled(adex.step, **holes)
        after = a, b, tau_w, v_peak, v_reset, 3.0
        assert_allclose(step(x, g, jump, v, w, 0.0, *numbers, *after), (0.0, v1 + jump, w1, 0.0), rtol=1e-12)
        assert_allclose(step(x, g, 90.0, v, w, 0.0, *numbers, *after), (1.0, v_reset, w1 + b, 3.0), rtol=1e-12)
        assert_allclose(step(x, g, 90.0, v, w, 2.0, *numbers, *after)[::3], (0.0, 1.0))


@pytest.mark.parametrize("g", [0.0, 30.0])
def test_a_step_of_a_quadratic_lif(g: float) -> None:
    dt, c, k, low, high, x, v, jump = 0.5, 100.0, 0.7, -60.0, -40.0, 70.0, -52.0, 0.25
    h = dt / c
    damped = h * g + 1.0 / (1.0 + 0.5 * h * g)
    v1 = v + h * (k * (v - low) * (v - high) + x - g * v) / (damped - h * k * (v - 0.5 * (low + high)))
    assert_allclose(
        quadratic_lif.step(x, g, jump, v, 0.0, dt, c, k, low, high, 35.0, -55.0, 4.0), (0.0, v1 + jump, 0.0), rtol=1e-12
    )
    assert quadratic_lif.step(x, g, 99.0, v, 0.0, dt, c, k, low, high, 35.0, -55.0, 4.0) == (1.0, -55.0, 4.0)
    assert quadratic_lif.step(x, g, 99.0, v, 2.0, dt, c, k, low, high, 35.0, -55.0, 4.0) == (0.0, -55.0, 1.0)
    # Where the solution escapes within the step, the denominator is not above 0.
    assert quadratic_lif.step(x, 0.0, 0.0, 250.0, 0.0, dt, c, k, low, high, 300.0, -55.0, 4.0) == (1.0, -55.0, 4.0)


def test_a_step_of_a_lif_with_escape_noise() -> None:
    step = filled(escape_lif.step, **gain_holes(False))
    u = 0.1 + 0.9 * (0.6 - 0.1) + 0.3
    p = 1.0 - math.exp(-0.5 * math.exp((u - 1.0) / 0.2))
    numbers = 0.9, 1.0, 0.05, 0.1, 0.5, 0.2, 4.0
    assert_allclose(step(0.3, p + 1e-9, 0.6, 0.0, *numbers), (0.0, u, 0.0))
    assert step(0.3, p - 1e-9, 0.6, 0.0, *numbers) == (1.0, 0.05, 4.0)
    assert step(0.3, p - 1e-9, 0.6, 2.0, *numbers) == (0.0, 0.05, 1.0)


def test_a_step_of_a_noisy_lif_and_of_a_poisson_neuron() -> None:
    step = filled(noisy_lif.step, spike=spike, **gain_holes(False))
    u = 0.1 + 0.9 * (0.6 - 0.1) + 0.3 + 0.2 * 0.5 * -0.7
    assert_allclose(step(0.3, -0.7, 0.6, 0.0, 0.9, 1.0, 0.05, 0.1, 0.2, 0.25, 4.0), (0.0, u, 0.0))
    assert step(0.9, -0.7, 0.6, 0.0, 0.9, 1.0, 0.05, 0.1, 0.2, 0.25, 4.0) == (1.0, 0.05, 4.0)
    assert step(0.9, -0.7, 0.6, 2.0, 0.9, 1.0, 0.05, 0.1, 0.2, 0.25, 4.0) == (0.0, 0.05, 1.0)
    p = 0.02 + 0.001 * 0.5 * 30.0
    assert [poisson.step(30.0, uniform, 0.5, 0.02) for uniform in (p - 1e-9, p + 1e-9)] == [(1.0,), (0.0,)]


def test_release_of_a_tsodyks_markram_synapse() -> None:
    use, recovery, facilitation = 0.3, 0.01, 0.02
    assert released(0.9, 0.1, -1.0, (use, recovery, facilitation)) == (use, 1.0, use)
    for gap in (0.0, 40.0):
        u, r = 0.5, 0.8
        r1 = 1.0 + (r - r * u - 1.0) * math.exp(-gap * recovery)
        u1 = use + u * (1.0 - use) * math.exp(-gap * facilitation)
        assert_allclose(released(u, r, gap, (use, recovery, facilitation)), (u1, r1, u1 * r1), rtol=1e-12)


def test_a_membrane_goes_on_as_in_its_last_two_moves_unless_it_has_jumped_been_reset_or_swings() -> None:
    """Spike, membrane, the last one, the last move, the greatest of its two last moves, and how many can go on."""
    for given, known, mean in (
        ((0.0, -50.0, -52.0, 3.0, 5.0, 0.0), 1.0, -50.0 + 1.0), ((0.0, -50.0, -52.0, 3.0, 5.0, 1.0), 2.0, None),
        ((0.0, -50.0, -52.0, 3.0, 5.0, 2.0), 2.0, None), ((0.0, 50.0, -50.0, 3.0, 5.0, 2.0), 2.0, None),
        ((0.0, 50.5, -50.0, 3.0, 5.0, 2.0), 0.0, 50.5), ((1.0, -52.0, -50.0, -3.0, 5.0, 2.0), 0.0, -52.0),
        ((1.0, -50.0, -52.0, 3.0, 5.0, 2.0), 2.0, None), ((1.0, -50.0, -50.0, 3.0, 5.0, 2.0), 2.0, None),
        ((0.0, -50.0, -52.0, -3.0, 5.0, 1.0), 0.0, -50.0), ((0.0, -50.0, -52.0, -3.0, 5.0, 2.0), 1.0, None),
    ):  # fmt: skip
        v, last, move = given[1:4]
        now = v - last
        mean = v + 0.5 * now + 5.0 / 12.0 * (now - move) if mean is None else mean
        found = gap_junction.membrane(*given)
        assert_allclose(found, (mean, 1.0, v, now, max(abs(now), abs(move)), known), err_msg=f"{given}")


def test_heights_of_smooth_functions_without_an_integral() -> None:
    assert [triangular(threshold=2.0).smooth(u) for u in (-0.25, 0.0, 0.5)] == [0.0, 0.5, -0.5]
    assert [sfs(B=0.5).slope(u) for u in (0.25, 0.5, 1.0)] == [0.0, 0.0, 1.0 / 26.0**2]


def test_a_gradient_stops_at_the_end_of_a_grid() -> None:
    grid = {"on_grid": lambda u: min(max(u, -1.0), 1.0), "in_range": lambda u: 1.0 if -1.0 <= u <= 1.0 else 0.0}
    vjp = filled(quantized.vjp, **grid, **reset_holes(0.0, "hard", False)[1], spike=spike, dspike=lambda u: 0.0)
    inside, outside = (vjp(0.9, 0.5, 0.5, 0.5, to, 0.0, 1.0) for to in (0.25, -1.5))
    assert inside[-1] == 1.0 and outside[-1] == 0.0


def test_bounds_of_weights() -> None:
    low, high, mu, w = -1.0, 3.0, 0.5, 2.0
    assert bounds.constant(w, 0.5, low, high, mu) == 0.5
    assert_allclose([bounds.linear(w, d, low, high, mu) for d in (0.5, -0.5)], [0.5 * 1.0, -0.5 * 3.0])
    assert_allclose([bounds.power(1.0, d, low, high, mu) for d in (0.5, -0.5)], [0.5 * 2**0.5, -0.5 * 2**0.5])
    assert_allclose([bounds.power(w, d, low, high, mu) for d in (0.5, -0.5)], [0.5, -0.5 * 3**0.5])
    assert [bounds.power(v, d, low, high, mu) for v, d in ((3.0, 0.5), (4.0, 0.5), (-1.0, -0.5), (-2.0, -0.5))] == [
        0
    ] * 4
    smooth = [bounds.smooth(w, d, low, high, mu) for d in (0.5, 1.0, -0.5, 0.0)]
    assert_allclose(smooth, [0.5 * math.exp(-0.2), math.exp(-0.2), -0.5 * math.exp(-0.2 / 3.0), 0.0])
    assert bounds.smooth(2.9995, 0.5, low, high, mu) == pytest.approx(0.5 * math.exp(-0.2 / 5e-4), rel=1e-9)
    assert bounds.smooth(2.99985, 0.5, low, high, mu) == pytest.approx(0.5 * math.exp(-0.2 / 1.5e-4), rel=1e-9)
    assert bounds.free(7.0, low, high) == 7.0
    assert [bounds.clipped(v, low, high) for v in (-2.0, 0.5, 7.0)] == [-1.0, 0.5, 3.0]


def test_changes_of_the_rules() -> None:
    assert_allclose(pair.pair(0.0, 2.0, 3.0, 0.5, 0.25, 0.1, 0.3), (0.1 * 0.5 * 3.0, -0.3 * 0.25 * 2.0))
    found = triplet.triplet(0.0, 2.0, 3.0, 0.5, 0.25, 0.125, 0.75, 0.1, 0.2, 0.3, 0.4)
    assert_allclose(found, (3.0 * 0.5 * (0.1 + 0.2 * 0.75), -2.0 * 0.125 * (0.3 + 0.4 * 0.25)))
    assert_allclose(
        diehl_cook.change(0.0, 2.0, 3.0, 0.5, 0.25, 0.125, 0.1, 0.3), (0.1 * 3 * 0.5 * 0.125, -0.3 * 2 * 0.25)
    )
    assert_allclose(mean_weight.change(0.0, 2.0, 3.0, 0.5, 0.25, 0.1, 0.3), (0.1 * 0.5 * 3.0 - 0.3 * 0.25 * 2.0, 0.0))
    assert mean_weight.aimed(0.4, 0.5, 0.3, 0.2) == pytest.approx(0.4 - 0.1 * 0.2 * (0.5 - 0.3))
    assert_allclose([mean_weight.rescale(0.4, mean) for mean in (0.2, 0.0)], [2.0, 0.4e6])
    assert reward.faded(0.5, 0.25, 0.9, 0.2) == pytest.approx(0.5 * 0.9 + 0.2 * 0.25)


def whole(**numbers: int) -> IntegerRule:
    """An integer rule of these numbers, and zeros."""
    return IntegerRule(**{**dict.fromkeys(IntegerRule._fields, 0), **numbers})


def test_integers_wrap_decay_round_and_stay_in_their_bounds() -> None:
    top = 2**31
    assert [integer.wrap(z) for z in (5, -5, top - 1, top, -top, -top - 1, 2**32 + 3)] == [
        5, -5, top - 1, -top, -top, top - 1, 3,
    ]  # fmt: skip
    assert [integer.trace(100, s, whole(trace_decay=7, shift_trace=3, top=1000)) for s in (0, 1)] == [87, 1000]
    assert integer.trace(2**30, 0, whole(trace_decay=2, shift_trace=1, top=9)) == -(2**30)
    assert [integer.rounded(13, r, 3) for r in (0, 4, 5, 7)] == [2, 2, 1, 1]  # 13 / 8 = 1 and a remainder of 5
    assert [integer.rounded(-3, r, 3) for r in (4, 5)] == [0, -1]

    def synapse(w, pre, post, halve=0):
        return integer.synapse(
            w, pre, post, 6, 5, 0, 7, halve, whole(nu_pre=-2, nu_post=4, shift=3, w_min=10, w_max=200)
        )

    # A presynaptic spike adds -2 * 5 / 8 = -2 and a remainder of 6; a postsynaptic one 4 * 6 / 8 = 3.
    assert [synapse(100, *spikes) for spikes in ((0, 0), (1, 0), (0, 1), (1, 1))] == [100, 99, 103, 102]
    assert [synapse(w, 1, 1) for w in (0, 250)] == [10, 200]
    assert synapse(100, 0, 1, halve=1) == 51


@pytest.mark.parametrize(
    ("order", "used", "after"),
    [
        ("decay add use", 3.25, 3.25), ("decay use add", 1.25, 3.25), ("use decay add", 2.5, 3.25),
        ("add decay use", 2.25, 2.25), ("add use decay", 4.5, 2.25), ("use add decay", 2.5, 2.25),
    ],
)  # fmt: skip
def test_orders_of_a_trace(order: str, used: float, after: float) -> None:
    assert filled(trace.ORDERS[order], bump=trace.added)(2.5, 1.0, 0.5, 2.0) == (used, after)
    assert filled(trace.ORDERS[order], bump=trace.added)(2.5, 0.0, 0.5, 2.0)[1] == 1.25
    assert [trace.set_(2.5, s, 2.0) for s in (0.0, 1.0)] == [2.5, 2.0]
