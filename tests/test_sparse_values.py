"""Values per synapse: distributions as they should be, cut at their bounds, and delays in steps."""

import math

import numpy as np
import pytest
from scipy import special, stats

import nbsnn
from nbsnn import values
from nbsnn.device import threads
from nbsnn.kernels.synapses.values import inverse_normal, lognormal
from nbsnn.random import Draws
from nbsnn.sparse import delay_steps, delays
from nbsnn.sparse.values import Exponential, LogNormal, Normal, Uniform

MANY = 50_000

CASES = [
    (Normal(2.0, 3.0), stats.norm(2.0, 3.0)),
    (Normal(1.0, 2.0, low=0.0), stats.truncnorm(-0.5, np.inf, 1.0, 2.0)),
    (Normal(-1.0, 0.5, low=-1.2, high=0.0), stats.truncnorm(-0.4, 2.0, -1.0, 0.5)),
    (LogNormal(0.5, 0.7), stats.lognorm(0.7, scale=math.exp(0.5))),
    (Uniform(-1.0, 3.0), stats.uniform(-1.0, 4.0)),
    (Exponential(2.0), stats.expon(scale=2.0)),
    (Exponential(2.0, low=1.0), stats.expon(1.0, scale=2.0)),
    (Exponential(2.0, high=1.0), stats.truncexpon(0.5, scale=2.0)),
]


@pytest.mark.parametrize(("spec", "law"), CASES, ids=lambda case: repr(case) if not hasattr(case, "cdf") else "")
def test_draws_follow_the_distribution(spec, law):
    drawn = values.of(spec, MANY, seed=1, stream="weight", dtype=np.float64)
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
    assert drawn.min() >= spec.floor
    assert abs(np.corrcoef(drawn[1:], drawn[:-1])[0, 1]) < 4 / math.sqrt(MANY)


def test_a_larger_number_draws_a_larger_value():
    for u in (0.001, 0.3, 0.5, 0.98):
        assert lognormal(u, 0.5, 0.7) == pytest.approx(stats.lognorm(0.7, scale=math.exp(0.5)).ppf(u), rel=1e-12)


def test_inverse_normal_against_scipy():
    u = np.concatenate([np.linspace(0.001, 0.999, 999), 2.0 ** -np.arange(2, 53), 1 - 2.0 ** -np.arange(2, 53)])
    np.testing.assert_allclose([inverse_normal(x) for x in u], special.ndtri(u), rtol=1e-14, atol=1e-15)


def test_normal_values_are_those_of_draws():
    drawn = values.of(Normal(1.0, 2.0), 1000, seed=3, stream=("a", 1), dtype=np.float64)
    np.testing.assert_allclose(drawn, Draws(3, "a", 1).normal(1000, 1.0, 2.0, dtype=np.float64), rtol=1e-12)
    single = values.of(Normal(1.0, 2.0), 1000, seed=3, stream=("a", 1))
    np.testing.assert_array_equal(single, drawn.astype(np.float32))


def test_bounds_redraw_only_what_is_outside():
    free, cut = (values.of(Normal(0.0, 1.0, low=low), 1000, seed=2) for low in (None, -0.5))
    inside = free >= -0.5
    np.testing.assert_array_equal(cut[inside], free[inside])
    assert (cut >= -0.5).all() and len(np.unique(cut)) == 1000  # not heaped up at the bound


def test_a_part_is_the_part_of_the_whole_on_any_number_of_threads(monkeypatch):
    monkeypatch.setattr(threads, "SERIAL", 0)
    spec, draws = Normal(0.0, 1.0, low=0.0), Draws(0)
    whole = spec.draw(np.empty(100), draws)
    np.testing.assert_array_equal(spec.draw(np.empty(30), draws, np.arange(50, 80)), whole[50:80])
    nbsnn.set_threads(3)
    np.testing.assert_array_equal(spec.draw(np.empty(100), draws), whole)
    nbsnn.set_threads(None)


def test_numbers_and_arrays():
    assert values.of(2, 10) == 2.0 and isinstance(values.of(np.float32(2), 10), float)
    given = np.arange(3.0)
    array = values.of(given, 3, dtype=np.float64)
    assert array is not given and array.dtype == np.float64 and (array == given).all()
    assert (values.of(Normal(1.5, 0.0, low=1.5), 4) == 1.5).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_delays_are_rounded_to_steps(dtype):
    ms = np.array([0.05, 0.1, 0.149, 0.151, 1.5, 3276.7], dtype)
    steps = delay_steps(ms, 0.1)
    assert steps.dtype == np.int16 and steps.tolist() == [1, 1, 1, 2, 15, 32767]
    assert delay_steps(3276.8, 0.1) == 32768 and delay_steps([3276.8], 0.1).dtype == np.int32
    assert delay_steps(0.05, 0.1) == 1 and isinstance(delay_steps(1.5, 0.1), int)
    assert delay_steps([0.0, 0.04], 0.1, cut=True).tolist() == [1, 1]


def test_delays_from_distributions(monkeypatch):
    monkeypatch.setattr("nbsnn.sparse.delay.CHUNK", 300)
    spec = Normal(0.75, 0.375, low=0.05)
    steps = delays(spec, 1000, dt=0.1, seed=1, stream="delay")
    ms = values.of(spec, 1000, seed=1, stream="delay", dtype=np.float64)
    np.testing.assert_array_equal(steps, np.maximum(1, np.rint(ms / 0.1)))
    steps = delays(Uniform(3000.0, 3300.0), 1000, dt=0.1)
    assert steps.dtype == np.int32 and steps.min() >= 30000 and steps.max() > 32767
    assert delays(1.5, 7, dt=0.5) == 3 and delays([1.0, 2.0], 2, dt=0.5).tolist() == [2, 4]
    assert delays(Normal(0.0, 1.0, low=0.0), 10, dt=0.1).min() == 1
    assert len(delays(spec, 0, dt=0.1)) == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Normal(0.0, -1.0), "std must be at least 0"),
        (lambda: Normal(0.0, math.nan), "std must be finite"),
        (lambda: Normal(0.0, 1.0, low=1.0, high=0.0), "low must not exceed high"),
        (lambda: Normal(0.0, 1.0, low=5.0), "only 2.9e-07 of its values"),
        (lambda: Normal(0.0, 0.0, low=1.0), "only 0 of its values"),
        (lambda: Normal(0.0, 1.0, low=math.nan), "low must not exceed high"),
        (lambda: LogNormal(0.0, 1.0, high=-1.0), "only 0 of its values"),
        (lambda: Exponential(0.0), "mean must be greater than 0"),
        (lambda: Exponential(1.0, low=20.0), "of its values between low and high"),
        (lambda: Uniform(1.0, 0.0), "high must be at least 1"),
        (lambda: values.of([1.0, 2.0], 3), r"shape \[3\], one per synapse, not \[2\]"),
        (lambda: values.of([1.0, math.nan], 2), "NaN"),
        (lambda: values.of(math.inf, 2), "finite"),
        (lambda: values.of("heavy", 2), "a value must be a number, not 'heavy'"),
        (lambda: values.of(["a"], 1), "values must be numbers"),
        (lambda: values.of(1.0, 2, dtype=int), "float32 or float64"),
        (lambda: delay_steps(0.04, 0.1), "at least half a step.*0.04 ms"),
        (lambda: delay_steps([1.0, -1.0, math.nan], 0.1), "2 of 3 are not, the first at index 1: -1 ms"),
        (lambda: delay_steps(-0.01, 0.1, cut=True), "at least 0"),
        (lambda: delay_steps(1e9, 0.1), "at most 2147483647 steps"),
        (lambda: delay_steps(1.0, 0.0), "dt must be greater than 0"),
        (lambda: delays(Uniform(-1.0, 0.0), 10, dt=0.1), "a delay must be a time of at least 0"),
        (lambda: delays(Normal(0.1, 1.0), 100, dt=0.1), "half a step"),
        (lambda: delays([1.0], 2, dt=0.1), r"shape \[2\], one per synapse"),
    ],
)
def test_errors(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()
