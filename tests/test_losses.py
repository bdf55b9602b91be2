"""Losses against naive loops, their gradients against central differences, and published distances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_softmax

from nbsnn import losses

T, B, C = 7, 3, 4
LABELS = np.array([2, 0, 3])


def outputs(kind, dtype: type = np.float64, seed=0):
    """Outputs [T, B, C]: spikes, or values between 0 and 1, or membranes."""
    rng = np.random.default_rng(seed)
    if kind == "spikes":
        return (rng.random((T, B, C)) < 0.3).astype(dtype)
    return (rng.random((T, B, C)) if kind == "between" else rng.standard_normal((T, B, C))).astype(dtype)


def cases():
    rng = np.random.default_rng(5)
    yield losses.rate_cross_entropy, "membranes", LABELS
    yield losses.RateCrossEntropy(scale=10.0, label_smoothing=0.1), "spikes", LABELS
    yield losses.SumCrossEntropy(0.5, 0.2), "membranes", LABELS
    yield losses.MaxCrossEntropy(scale=2.0), "membranes", LABELS
    yield losses.LastCrossEntropy(scale=2.0), "membranes", LABELS
    yield losses.StepCrossEntropy(scale=3.0, label_smoothing=0.1), "membranes", LABELS
    yield losses.StepCrossEntropy(reduction="sum"), "membranes", rng.integers(0, C, (T, B))
    yield losses.RateMSE(0.8, 0.1), "spikes", LABELS
    yield losses.rate_mse, "membranes", rng.random((B, C))
    yield losses.step_mse, "membranes", rng.random((T, B, C))
    yield losses.StepMSE("sum"), "membranes", rng.random((T, B, C))
    yield losses.FirstSpikeCrossEntropy(scale=0.7), "between", LABELS
    yield losses.first_spike_cross_entropy, "spikes", LABELS
    yield losses.FirstSpikeMSE(1.0, 5.0), "spikes", LABELS
    yield losses.first_spike_mse, "between", LABELS
    yield losses.first_spike_mse, "between", rng.random((B, C)) * T
    yield losses.VanRossum(3.0, 0.5), "membranes", outputs("spikes", seed=9)
    yield losses.van_rossum, "spikes", outputs("spikes", seed=9)


CASES = [pytest.param(*case, id=f"{case[0]!r}-{case[1]}") for case in cases()]


@pytest.mark.parametrize(("loss", "kind", "target"), CASES)
def test_gradient_equals_central_differences(loss, kind, target):
    y = outputs(kind)
    _, gradient = loss(y, target)
    for seed in range(5):
        direction = np.random.default_rng(seed).standard_normal(y.shape)
        step = 1e-6 * direction
        slope = (loss(y + step, target)[0] - loss(y - step, target)[0]) / 2e-6
        assert slope == pytest.approx(np.sum(gradient * direction), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("loss", "kind", "target"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_is_a_fresh_array_like_y(loss, kind, target, dtype):
    y = outputs(kind, dtype)
    before, y.flags.writeable = y.copy(), False
    value, gradient = loss(y, target)
    assert type(value) is float
    assert gradient.dtype == dtype
    assert gradient.shape == y.shape
    assert gradient.flags.c_contiguous
    assert gradient.flags.writeable
    assert np.array_equal(y, before)
    exact, exact_gradient = loss(y.astype(np.float64), target)
    assert value == pytest.approx(exact, rel=1e-6)
    np.testing.assert_allclose(gradient, exact_gradient, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("loss", "kind", "target"), CASES)
def test_value_is_a_mean_over_the_batch(loss, kind, target):
    y, target = outputs(kind), np.asarray(target)
    axis = 1 if target.ndim == 3 or target.shape == (T, B) else 0
    alone = [loss(y[:, [b]], np.take(target, [b], axis)) for b in range(B)]
    value, gradient = loss(y, target)
    assert value == pytest.approx(np.mean([v for v, _ in alone]), rel=1e-12)
    np.testing.assert_allclose(gradient, np.concatenate([g for _, g in alone], axis=1) / B, rtol=1e-11, atol=1e-14)


READOUTS = {
    losses.RateCrossEntropy: lambda y: y.mean(0),
    losses.SumCrossEntropy: lambda y: y.sum(0),
    losses.MaxCrossEntropy: lambda y: y.max(0),
    losses.LastCrossEntropy: lambda y: y[-1],
}


@pytest.mark.parametrize("make", READOUTS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_equals_its_definition(make, smoothing):
    y = outputs("membranes")
    log_p = log_softmax(2.5 * READOUTS[make](y), axis=1)
    wanted = np.mean([-(1 - smoothing) * log_p[b, LABELS[b]] - smoothing * log_p[b].mean() for b in range(B)])
    assert make(2.5, smoothing)(y, LABELS)[0] == pytest.approx(wanted, rel=1e-12)


def test_step_cross_entropy_sums_over_steps_and_so_over_chunks():
    y, loss = outputs("membranes"), losses.StepCrossEntropy(reduction="sum")
    wanted = sum(-np.mean(log_softmax(y[t], axis=1)[range(B), LABELS]) for t in range(T))
    value, gradient = loss(y, LABELS)
    assert value == pytest.approx(wanted, rel=1e-12)
    chunks = [loss(y[a:b], LABELS) for a, b in ((0, 3), (3, T))]
    assert sum(v for v, _ in chunks) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(np.concatenate([g for _, g in chunks]), gradient, rtol=1e-12)
    assert losses.step_cross_entropy(y, LABELS)[0] == pytest.approx(value / T, rel=1e-12)


def test_cross_entropy_does_not_overflow():
    y = np.zeros((1, 1, 2))
    y[0, 0] = [0.0, 1e6]
    value, gradient = losses.sum_cross_entropy(y, [0])
    assert value == 1e6
    assert gradient.ravel().tolist() == [-1.0, 1.0]


def test_maximum_that_is_reached_twice_passes_its_gradient_to_the_first():
    y = np.zeros((4, 1, 2))
    y[[1, 3], 0, 0] = 1.0
    gradient = losses.max_cross_entropy(y, [0])[1]
    assert np.flatnonzero(gradient[:, 0, 0]).tolist() == [1]
    assert np.flatnonzero(gradient[:, 0, 1]).tolist() == [0]


def test_rate_mse_counts_batch_and_outputs():
    y = outputs("spikes")
    wanted = np.mean([(y[:, b, c].mean() - (0.9 if c == LABELS[b] else 0.2)) ** 2 for b in range(B) for c in range(C)])
    assert losses.RateMSE(0.9, 0.2)(y, LABELS)[0] == pytest.approx(wanted, rel=1e-12)


def naive_first_spike(train):
    fired = np.flatnonzero(train)
    return float(fired[0]) if fired.size else float(len(train))


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_first_spike_time_and_slope_of_spikes(train):
    train = np.array(train, np.float64)
    time, slope = losses.first_spike_time(train[:, None, None]).item(), np.zeros(len(train))
    assert time == naive_first_spike(train)
    for k in range(len(train)):  # the slope is what one spike more, or this one less, changes
        with_spike, without = train.copy(), train.copy()
        with_spike[k], without[k] = 1.0, 0.0
        slope[k] = naive_first_spike(with_spike) - naive_first_spike(without)
    gradient = losses.FirstSpikeMSE()(train[:, None, None], np.array([[time - 0.5]]))[1]
    assert gradient.ravel().tolist() == slope.tolist()


def test_first_spike_time_is_the_expected_time_for_probabilities():
    p = np.random.default_rng(3).random(5)
    expected = 0.0
    for pattern in np.ndindex(*(2,) * 5):
        expected += np.prod(np.where(pattern, p, 1 - p)) * naive_first_spike(np.array(pattern))
    assert losses.first_spike_time(p[:, None, None]).item() == pytest.approx(expected, rel=1e-12)


def test_silent_unit_is_drawn_to_fire_and_most_of_all_early():
    gradient = losses.FirstSpikeMSE()(np.zeros((4, 1, 1)), [0])[1].ravel()
    assert gradient.tolist() == [-32.0, -24.0, -16.0, -8.0]  # 2 (T - 0) (k - T)


def test_first_spike_losses_refuse_membranes_that_overflow():
    with pytest.raises(ValueError, match="need spikes"):
        losses.first_spike_mse(np.full((200, 1, 1), -1e3), [0])


@pytest.mark.parametrize("delay", [0, 1, 8, 60])
@pytest.mark.parametrize(("tau", "dt"), [(10.0, 1.0), (2.0, 0.1)])
def test_van_rossum_distance_of_single_spikes(delay, tau, dt):
    y, target = np.zeros((2, 100, 1, 2))
    y[30, 0, 1] = 1.0
    distance = losses.VanRossum(tau, dt)
    assert distance(y, target)[0] == pytest.approx(0.5, rel=1e-12)
    target[30 + delay, 0, 1] = 1.0
    assert distance(y, target)[0] == pytest.approx(-np.expm1(-delay * dt / tau), rel=1e-12)


def test_van_rossum_distance_equals_its_integral():
    y, target, tau, dt = outputs("spikes"), outputs("spikes", seed=8), 4.0, 0.5
    time = np.linspace(0.0, 60.0, 60_001)
    total = 0.0
    for b in range(B):
        for c in range(C):
            f = np.zeros_like(time)
            for t in range(T):
                late = time >= t * dt - 1e-9
                f[late] += (y[t, b, c] - target[t, b, c]) * np.exp(-(time[late] - t * dt) / tau)
            total += np.sum(f[:-1] ** 2) * (time[1] - time[0]) / tau
    assert losses.VanRossum(tau, dt)(y, target)[0] == pytest.approx(total / B, rel=1e-3)


@pytest.mark.parametrize("by", ["count", "max", "last", "first"])
def test_predict_breaks_ties_towards_the_lowest_class(by):
    assert losses.predict(np.zeros((3, 2, 4)), by).tolist() == [0, 0]
    assert losses.predict(np.ones((3, 2, 4)), by).tolist() == [0, 0]


@given(st.integers(0, 10_000))
def test_predict_equals_naive_loops(seed):
    y = outputs("spikes", seed=seed)
    for b in range(B):
        first = [naive_first_spike(y[:, b, c]) for c in range(C)]
        assert losses.predict(y, "first")[b] == min(range(C), key=lambda c: first[c])
        assert losses.predict(y)[b] == max(range(C), key=lambda c: y[:, b, c].sum())
        assert losses.predict(y, "last")[b] == max(range(C), key=lambda c: y[-1, b, c])


def test_accuracy_counts_hits():
    y = np.zeros((2, 4, 3))
    y[:, range(4), [0, 1, 2, 2]] = 1.0
    assert losses.accuracy(y, [0, 1, 2, 0]) == 0.75
    with pytest.raises(ValueError, match=r"accuracy: labels must be 0 \.\. 2"):
        losses.accuracy(y, [0, 1, 2, 3])


@pytest.mark.parametrize(("loss", "kind", "target"), CASES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_non_finite_outputs_are_refused_by_name(loss, kind, target, bad):
    y = outputs(kind)
    y[1, 2, 3] = bad
    with pytest.raises(ValueError, match=rf"{type(loss).__name__}: y contains 1 NaN .* \(1, 2, 3\)"):
        loss(y, target)


@pytest.mark.parametrize(("loss", "kind", "target"), CASES)
def test_wrong_outputs_and_targets_are_refused(loss, kind, target):
    y, name = outputs(kind), type(loss).__name__
    with pytest.raises(TypeError, match=f"{name}: y must be a NumPy array"):
        loss(y.tolist(), target)
    with pytest.raises(TypeError, match=f"{name}: y must be float32 or float64, not int64"):
        loss(y.astype(np.int64), target)
    with pytest.raises(ValueError, match=f"{name}: y must have shape"):
        loss(y[0], target)
    with pytest.raises(ValueError, match=f"{name}: y of shape .* is empty"):
        loss(y[:0], target)
    with pytest.raises(ValueError, match=f"{name}: (labels|target) must have shape"):
        loss(y, np.asarray(target)[..., :-1])


@pytest.mark.parametrize("loss", [losses.rate_cross_entropy, losses.step_cross_entropy, losses.rate_mse])
@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([0, 1, 4], ValueError, r"must be 0 \.\. 3 .* not 4"),
        ([0, -1, 1], ValueError, "not -1"),
        ([0.0, 1.0, 2.0], TypeError, "must be integers"),
        ([True, False, True], TypeError, "not bool"),
        ([0, 1], ValueError, r"must have shape \[3\]"),
    ],
)
def test_wrong_labels_are_refused(loss, labels, error, words):
    with pytest.raises(error, match=words):
        loss(outputs("spikes"), labels)


@pytest.mark.parametrize(
    "make",
    [
        lambda: losses.RateCrossEntropy(scale=0.0),
        lambda: losses.MaxCrossEntropy(label_smoothing=1.0),
        lambda: losses.StepCrossEntropy(label_smoothing=-0.1),
        lambda: losses.StepCrossEntropy(reduction="max"),
        lambda: losses.StepMSE("none"),
        lambda: losses.RateMSE(correct=np.nan),
        lambda: losses.FirstSpikeMSE(wrong=-1.0),
        lambda: losses.VanRossum(tau=0.0),
        lambda: losses.predict(np.zeros((1, 1, 1)), "rate"),
    ],
)
def test_options_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_a_loss_shows_its_options_and_equals_its_like():
    assert (
        repr(losses.RateCrossEntropy(10.0))
        == "RateCrossEntropy(scale=10.0, label_smoothing=0.0, class_weight=None, ignore=None)"
    )
    assert losses.MaxCrossEntropy() == losses.max_cross_entropy != losses.last_cross_entropy


FOUR = np.array([0, 2, 1, 2])
WEIGHED = [
    (losses.RateCrossEntropy(scale=3.0), FOUR),
    (losses.MaxCrossEntropy(class_weight=(0.5, 2.0, 1.0), label_smoothing=0.1), FOUR),
    (losses.StepCrossEntropy(class_weight=(0.5, 2.0, 1.0)), FOUR),
    (losses.StepCrossEntropy(reduction="sum"), FOUR),
    (losses.RateMSE(), FOUR),
    (losses.StepMSE(), np.arange(12.0).reshape(4, 3)),
    (losses.VanRossum(5.0), np.ones((5, 4, 3))),
]


@pytest.mark.parametrize(("loss", "target"), WEIGHED, ids=lambda value: type(value).__name__)
def test_weights_of_samples_are_those_of_a_mean(loss, target):
    y = np.random.default_rng(3).random((5, 4, 3))
    samples = range(4)
    share = [target[:, k : k + 1] if target.ndim == 3 else target[k : k + 1] for k in samples]
    alone = [loss(y[:, k : k + 1], share[k]) for k in samples]
    own = np.array([(getattr(loss, "class_weight", None) or (1.0,) * 3)[target[k]] if target.ndim == 1 else 1.0
                    for k in samples])  # fmt: skip
    weight = np.array([1.0, 0.0, 0.25, 3.0])
    parts = weight * own / (weight * own).sum()
    value, gradient = loss(y, losses.Weighted(target, weight))
    assert value == pytest.approx(sum(p * a[0] for p, a in zip(parts, alone, strict=True)), rel=1e-12)
    for k in samples:
        np.testing.assert_allclose(gradient[:, k : k + 1], parts[k] * alone[k][1], rtol=1e-10, atol=1e-15)
    same = loss(y, losses.Weighted(target, np.full(4, 0.5)))
    assert same[0] == pytest.approx(loss(y, target)[0], rel=1e-12)


def test_ignored_samples_leave_value_and_gradient_alone():
    y = np.random.default_rng(4).random((5, 4, 3))
    value, gradient = losses.RateCrossEntropy(ignore=-1)(y, np.array([0, -1, 1, -1]))
    few, short = losses.rate_cross_entropy(y[:, ::2], np.array([0, 1]))
    assert value == pytest.approx(few, rel=1e-12)
    np.testing.assert_allclose(gradient[:, ::2], short, rtol=1e-12)
    assert not gradient[:, 1::2].any()
    value, gradient = losses.RateCrossEntropy(ignore=-1)(y, np.full(4, -1))
    assert value == 0.0 and not gradient.any()


def test_shares_of_classes_may_stand_for_labels():
    y, labels = np.random.default_rng(5).random((5, 4, 3)), np.array([0, 2, 1, 2])
    for loss in (losses.RateCrossEntropy(label_smoothing=0.2), losses.StepCrossEntropy(scale=2.0)):
        value, gradient = loss(y, np.eye(3)[labels])
        assert value == pytest.approx(loss(y, labels)[0], rel=1e-12)
        np.testing.assert_allclose(gradient, loss(y, labels)[1], rtol=1e-12)


@pytest.mark.parametrize("weight", [(1.0, 2.0), (-1.0, 1.0, 1.0), (0.0, 0.0, 0.0), "balanced", np.nan])
def test_wrong_class_weights_are_refused(weight):
    with pytest.raises((ValueError, TypeError), match="class_weight"):
        losses.RateCrossEntropy(class_weight=weight)(np.ones((2, 1, 3)), [0])
