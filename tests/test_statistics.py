"""Statistics of spikes against closed forms and slow versions."""

import itertools
import math

import numpy as np
import pytest

from nbsnn import statistics
from nbsnn.statistics import (
    correlation,
    correlations,
    counts,
    cross_correlogram,
    cv,
    cv2,
    cv_per_unit,
    fano,
    intervals,
    lv,
    mean_rate,
    population_rate,
    rates,
    synchrony,
    synchrony_of,
)

T = 20_000.0


def poisson(n, rate, stop=T, seed=0):
    rng = np.random.default_rng(seed)
    spikes = rng.poisson(n * rate * stop / 1000.0)
    return np.sort(rng.random(spikes) * stop), rng.integers(0, n, spikes)


def some(seed, n=7, spikes=80):
    """A few spikes, several of them at once, some units silent."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.integers(0, 200, spikes) * 0.5), rng.integers(0, n - 1, spikes), n


def slow_intervals(times, units, n, start, stop):
    return [np.diff([t for t, u in zip(times, units, strict=True) if u == k and start <= t < stop]) for k in range(n)]


def slow_counts(times, units, n, start, bins, width):
    x = np.zeros((n, bins))
    for t, u in zip(times, units, strict=True):
        if start <= t < start + bins * width:
            x[u, int((t - start) // width)] += 1
    return x


def test_rates_against_counting():
    times, units, n = some(0)
    inside = [u for t, u in zip(times, units, strict=True) if 10.0 <= t < 60.0]
    assert mean_rate(times, units, n, 60.0, start=10.0) == pytest.approx(1000 * len(inside) / (n * 50.0))
    np.testing.assert_allclose(rates(times, units, n, 60.0, start=10.0), [inside.count(k) * 20.0 for k in range(n)])
    assert mean_rate([], [], 5, 10.0) == 0.0 and (rates([], [], 5, 10.0) == 0.0).all()


@pytest.mark.parametrize("width", [0.5, 3.0, 7.0])
def test_counts_and_population_rate(width):
    times, units, n = some(1)
    bins = int(90.0 // width)
    expected = slow_counts(times, units, n, 5.0, bins, width).sum(0)
    np.testing.assert_array_equal(counts(times, units, n, 95.0, start=5.0, width=width), expected)
    centres, rate = population_rate(times, units, n, 95.0, start=5.0, width=width)
    np.testing.assert_allclose(rate, 1000.0 * expected / (n * width))
    np.testing.assert_allclose(centres, 5.0 + width * (np.arange(bins) + 0.5))
    for k, smoothed in enumerate(population_rate(times, units, n, 95.0, start=5.0, width=width, smooth=4.0)[1]):
        window = np.exp(-0.5 * ((centres - centres[k]) / 4.0) ** 2)
        assert smoothed == pytest.approx((window * rate).sum() / window.sum(), rel=1e-3, abs=0.3)


def test_times_on_edges_are_counted_once_whatever_their_rounding():
    for dt in (0.1, 0.3, 0.7):
        times, units = np.arange(1000) * dt, np.zeros(1000, int)
        np.testing.assert_array_equal(counts(times, units, 1, 1000 * dt, width=dt), np.ones(1000))
        np.testing.assert_array_equal(counts(times, units, 1, 1000 * dt, width=5 * dt), np.full(200, 5))
        for k in range(1, 1000):
            edge = float(f"{k * dt:.1f}")
            assert mean_rate(times, units, 1, 2000.0, start=edge) * (2.0 - edge / 1000) == pytest.approx(1000 - k)


def test_irregularity_of_poisson_and_regular_spikes():
    times, units = poisson(50, 20.0)
    for measure in (cv, cv2, lv):
        assert measure(times, units, 50) == pytest.approx(1.0, abs=0.02)
    regular = np.arange(100) * 7.0
    for measure in (cv, cv2, lv):
        assert measure(np.repeat(regular, 3), np.tile(np.arange(3), 100), 3) == pytest.approx(0.0, abs=1e-12)


def test_irregularity_of_gamma_intervals():
    shape, n = 4.0, 60  # CV = 1 / sqrt(k), LV = 3 / (2 k + 1)
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.gamma(shape, 5.0, (n, 1000)), axis=1)
    units = np.repeat(np.arange(n), 1000)
    order = np.argsort(times.reshape(-1))
    spikes = times.reshape(-1)[order], units[order], n
    assert cv(*spikes) == pytest.approx(0.5, abs=0.01)
    assert lv(*spikes) == pytest.approx(3 / (2 * shape + 1), abs=0.01)


def test_irregularity_against_the_slow_way():
    times, units, n = some(3)
    each = slow_intervals(times, units, n, 5.0, 80.0)
    np.testing.assert_allclose(intervals(times, units, n, start=5.0, stop=80.0)[0], np.concatenate(each))
    for least in (4, 8):
        known = [x for x in each if len(x) >= least - 1]
        window = {"start": 5.0, "stop": 80.0, "least": least}
        assert cv(times, units, n, **window) == pytest.approx(np.mean([x.std() / x.mean() for x in known]))

        def changes(x):
            return [abs(b - a) / (a + b) if a + b else 0.0 for a, b in itertools.pairwise(x)]

        assert cv2(times, units, n, **window) == pytest.approx(np.mean([2 * np.mean(changes(x)) for x in known]))
        assert lv(times, units, n, **window) == pytest.approx(
            np.mean([3 * np.mean(np.square(changes(x))) for x in known])
        )
    assert np.isnan(cv_per_unit(times, units, n, least=4)[n - 1])


def test_cv_is_defined_as_in_the_figures_it_is_compared_with():
    # Seconds, spikes from 0.1 s on, units of at least four spikes, population standard deviation, mean over units.
    times, units = poisson(200, 8.0, 1000.0)
    t, i = times / 1000.0, units
    t, i = t[t >= 0.1], i[t >= 0.1]
    each = [np.diff(t[i == k]) for k in range(200)]
    expected = np.mean([math.sqrt((x**2).mean() - x.mean() ** 2) / x.mean() for x in each if len(x) >= 3])
    assert cv(times, units, 200, start=100.0) == pytest.approx(expected, rel=1e-9)


def test_synchrony_and_fano_against_closed_forms():
    n = 100
    times, units = poisson(n, 10.0)
    assert fano(times, units, n, T) == pytest.approx(1.0, abs=0.1)
    assert synchrony(times, units, n, T) == pytest.approx(1 / math.sqrt(n), rel=0.1)
    assert abs(correlation(times, units, n, T)) < 0.003
    same = np.repeat(times[:2000], n), np.tile(np.arange(n), 2000)  # all do what one does
    assert synchrony(*same, n, T) == pytest.approx(1.0)
    assert correlation(*same, n, T) == pytest.approx(1.0)
    assert fano(*same, n, T) == pytest.approx(n * fano(times[:2000], units[:2000], n, T))


def test_a_shared_source_gives_the_known_correlation():
    # Each unit keeps a spike of the mother process with probability c: the correlation coefficient is c.
    rng, n, c = np.random.default_rng(4), 40, 0.3
    mother = np.sort(rng.random(40_000)) * 400_000.0
    kept = rng.random((len(mother), n)) < c
    at, units = np.nonzero(kept)
    assert correlation(mother[at], units, n, 400_000.0) == pytest.approx(c, abs=0.01)
    assert synchrony(mother[at], units, n, 400_000.0) == pytest.approx(math.sqrt(c + (1 - c) / n), abs=0.01)


def test_measures_of_pairs_against_the_slow_way():
    times, units, n = some(5)
    x = slow_counts(times, units, n, 10.0, 16, 5.0)
    window = {"start": 10.0, "width": 5.0}
    assert synchrony(times, units, n, 91.0, **window) == pytest.approx(math.sqrt(x.mean(0).var() / x.var(1).mean()))
    assert fano(times, units, n, 91.0, **window) == pytest.approx(x.sum(0).var() / x.sum(0).mean())
    pairs = [np.corrcoef(x[i], x[j])[0, 1] for i in range(n) for j in range(i + 1, n) if x[i].any() and x[j].any()]
    np.testing.assert_allclose(correlations(times, units, n, 91.0, **window), pairs)
    assert synchrony_of(x.T) == pytest.approx(synchrony(times, units, n, 91.0, **window))
    few = correlations(times, units, n, 91.0, sample=3, **window)
    assert len(few) == 3 and np.isin(few.round(9), np.round(pairs, 9)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: mean_rate([2.0, 1.0], [0, 0], 1, 5.0), "ascend, but at index 1 1 ms follows 2 ms"),
        (lambda: mean_rate([1.0, 2.0], [0], 1, 5.0), "lists of one length"),
        (lambda: mean_rate([1.0], [1], 1, 5.0), "units must be from 0 to 0, but span 1 to 1"),
        (lambda: mean_rate([1.0], [-1], 1, 5.0), "units must be from 0"),
        (lambda: mean_rate([1.0], [0.5], 1, 5.0), "units integers, not float64 and float64"),
        (lambda: mean_rate([math.nan], [0], 1, 5.0), "1 NaN"),
        (lambda: mean_rate([1.0], [0], 0, 5.0), "n must be at least 1"),
        (lambda: mean_rate([1.0], [0], 1, 0.0), "start must be before stop"),
        (lambda: rates([1.0], [0], 1, math.inf), "stop must be finite"),
        (lambda: counts([1.0], [0], 1, 5.0, width=6.0), "a bin of 6 ms does not fit"),
        (lambda: counts([1.0], [0], 1, 5.0, width=0.0), "width must be greater than 0"),
        (lambda: population_rate([1.0], [0], 1, 5.0, smooth=-1.0), "smooth must be at least 0"),
        (lambda: lv([1.0, 2.0], [0, 0], 1, least=2), "least must be at least 3"),
        (lambda: synchrony_of(np.ones(5)), r"shape \[T, N\]"),
        (lambda: cross_correlogram([1.0], [1.0], width=0.3, longest=1.0), "longest must be a whole number of bins"),
        (lambda: cross_correlogram([1.0], [1.0], longest=1e30), "longest must be at most 10000000 times the width"),
        (lambda: cross_correlogram([[1.0]], [1.0]), r"first must be times \[spikes\], not \[1, 1\]"),
        (lambda: cross_correlogram([1.0], [math.nan]), "second contains 1 NaN"),
        (lambda: cross_correlogram([1.0], [1.0], width=0.0), "width must be greater than 0"),
        (lambda: correlation([], [], 3, 10.0, sample=1), "sample must be at least 2"),
    ],
)
def test_errors(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()


def test_too_few_spikes_are_nan_and_no_error():
    few = [
        cv([], [], 3), cv([1.0, 2.0, 3.0], [0, 0, 0], 1), cv2([1.0, 2.0], [0, 0], 1), lv([], [], 2),
        fano([], [], 3, 10.0), synchrony([], [], 3, 10.0), synchrony_of(np.ones((5, 2))),
        correlation([1.0], [0], 3, 10.0),
    ]  # fmt: skip
    assert np.isnan(few).all()
    assert not len(statistics.correlations([], [], 3, 10.0))
    assert np.isfinite(cv_per_unit([1.0, 2.0, 3.0, 4.0, 4.0], [0, 0, 0, 0, 1], 2)).sum() == 1


@pytest.mark.parametrize("width", [0.1, 0.5, 2.0])
def test_a_cross_correlogram_counts_all_pairs(width):
    rng = np.random.default_rng(1)
    a, b = (np.sort(rng.integers(0, 3000, size)) * 0.1 for size in (150, 200))
    lags, pairs = cross_correlogram(a, b, width=width, longest=20.0)
    apart = np.rint((b[None, :] - a[:, None]) / 0.1).astype(int).ravel()  # in steps, so that edges are exact
    each = round(width / 0.1)
    place = (2 * apart + each) // (2 * each)
    expected = [(place == k).sum() for k in range(-len(lags) // 2 + 1, len(lags) // 2 + 1)]
    np.testing.assert_array_equal(pairs, expected)
    np.testing.assert_allclose(lags, (np.arange(len(lags)) - len(lags) // 2) * width)
    np.testing.assert_array_equal(
        cross_correlogram(b, a, width=0.1, longest=5.0)[1][::-1], cross_correlogram(a, b, width=0.1, longest=5.0)[1]
    )
    own = cross_correlogram(a, width=0.1, longest=5.0)[1]
    np.testing.assert_array_equal(own, own[::-1])
    assert own[50] == cross_correlogram(a, a, width=0.1, longest=5.0)[1][50] - len(a)
    assert not cross_correlogram([], b)[1].any()


def test_public_names():
    assert {"mean_rate", "rates", "cv", "lv", "fano", "synchrony", "correlation"} <= set(dir(statistics))
