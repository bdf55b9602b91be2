"""Penalties on activity: naive loops, central differences, and silence inside the band."""

import numpy as np
import pytest

from nbsnn.losses import Rate, SpikeCount

INF = float("inf")
PENALTIES = [
    SpikeCount(0.3),
    SpikeCount(0.3, power=2),
    SpikeCount(2.0, lower=2.5, upper=3.5, power=1),
    SpikeCount(2.0, lower=2.5, upper=3.5, power=2),
    SpikeCount(2.0, upper=1.5, power=1, over="population"),
    SpikeCount(2.0, lower=7.5, upper=INF, power=2, over="population"),
    Rate(0.2, 3.0),
    Rate((0.28, 0.32)),
]


def activity(dtype: type = np.float64):
    return (np.random.default_rng(2).random((10, 3, 6)) < 0.3).astype(dtype)


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_gradient_equals_central_differences(penalty):
    spikes = activity() + 0.01  # off the corners of the bands
    _, gradient = penalty(spikes)
    assert np.any(gradient)
    for seed in range(5):
        direction = np.random.default_rng(seed).standard_normal(spikes.shape)
        slope = (penalty(spikes + 1e-6 * direction)[0] - penalty(spikes - 1e-6 * direction)[0]) / 2e-6
        assert slope == pytest.approx(np.sum(gradient * direction), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("power", [1, 2])
def test_count_of_units_equals_naive_loops(power):
    spikes, total = activity(), 0.0
    for b in range(3):
        for i in range(6):
            n = spikes[:, b, i].sum()
            total += (n - 3.5 if n > 3.5 else 2.5 - n if n < 2.5 else 0.0) ** power
    value = SpikeCount(2.0, lower=2.5, upper=3.5, power=power)(spikes)[0]
    assert value == pytest.approx(2.0 * total / 18, rel=1e-12)


def test_count_of_populations_equals_naive_loops():
    spikes = activity()
    total = sum(max(spikes[:, b].sum() / 6 - 2.7, 0.0) ** 2 for b in range(3))
    assert total > 0.0
    value = SpikeCount(2.0, upper=2.7, power=2, over="population")(spikes)[0]
    assert value == pytest.approx(2.0 * total / 3, rel=1e-12)


def test_rate_equals_naive_loops():
    spikes = activity()
    total = sum((spikes[:, :, i].mean() - 0.2) ** 2 for i in range(6))
    assert Rate(0.2, 3.0)(spikes)[0] == pytest.approx(3.0 * total / 6, rel=1e-12)


@pytest.mark.parametrize("penalty", [SpikeCount(1.0, upper=10.0), SpikeCount(1.0, 0.0, INF, 2), Rate((0.0, 1.0))])
def test_nothing_happens_inside_the_band(penalty):
    value, gradient = penalty(activity())
    assert value == 0.0
    assert not gradient.any()


def test_gradient_draws_silent_units_up_and_busy_units_down():
    spikes = np.zeros((10, 2, 2))
    spikes[:, :, 1] = 1.0
    for penalty in (SpikeCount(1.0, 3.0, 5.0), SpikeCount(1.0, 3.0, 5.0, 2), Rate((0.3, 0.5))):
        gradient = penalty(spikes)[1]
        assert (gradient[..., 0] < 0.0).all()
        assert (gradient[..., 1] > 0.0).all()


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_dtype_follows_the_spikes(penalty):
    value, gradient = penalty(activity(np.float32))
    assert type(value) is float
    assert gradient.dtype == np.float32
    assert gradient.shape == (10, 3, 6)
    assert value == pytest.approx(penalty(activity())[0], rel=1e-6)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: SpikeCount(-1.0), ValueError),
        (lambda: SpikeCount(1.0, lower=5.0, upper=4.0), ValueError),
        (lambda: SpikeCount(1.0, power=3), ValueError),
        (lambda: SpikeCount(1.0, over="batch"), ValueError),
        (lambda: Rate(-0.1), ValueError),
        (lambda: Rate((0.1, 0.2, 0.3)), ValueError),  # type: ignore[arg-type]
        (lambda: Rate(0.1)(np.zeros((3, 4))), ValueError),
        (lambda: Rate(0.1)(np.full((3, 4, 5), np.nan)), ValueError),
        (lambda: Rate(0.1)(np.zeros((3, 4, 5), int)), TypeError),
    ],
)
def test_wrong_options_and_spikes_are_refused(make, error):
    with pytest.raises(error, match=r"must|contains"):
        make()
