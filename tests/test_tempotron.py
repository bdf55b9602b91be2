"""The Tempotron against a fine grid, finite differences, a loop in NumPy, and what is known about it."""

import numpy as np
import pytest

import nbsnn
from nbsnn.optim import SGD, Adam
from nbsnn.presets import spikingjelly
from nbsnn.tempotron import (
    Classic,
    Gradient,
    MaxCrossEntropy,
    Stack,
    Tempotron,
    ThresholdHinge,
    ThresholdMSE,
    accuracy,
    dpsp,
    from_events,
    from_spikes,
    from_times,
    normaliser,
    peak_time,
    psp,
    shared_directions,
    soft_time,
)
from nbsnn.tempotron.potential import rise

TAU, TAU_S, T = 15.0, 3.75, 60.0


def some_times(rng, shape, silent=0.3, span=T):
    x = rng.uniform(0.0, span, shape)
    x[rng.random(shape) < silent] = -1.0
    return x


def some_neurons(rng, n_in=20, n_out=3, dtype=np.float64, span=T, **options):
    weight = rng.normal(0.05, 0.5, (n_in, n_out))
    return Tempotron(n_in, n_out, tau=TAU, tau_s=TAU_S, T=span, weight=weight, dtype=dtype, **options)


def naive_v(t, x, at):
    """Membranes [G, B, O] as the sum over all spikes of all inputs, in plain NumPy."""
    x = x.reshape(*x.shape[:2], -1)
    lag = np.maximum(at[:, None, None, None] - x, 0.0)
    arrived = (at[:, None, None, None] >= x) & (x >= 0.0)
    k = np.where(arrived, np.exp(-lag / t.tau) - np.exp(-lag / t.tau_s), 0.0)
    return t.v0 * k.sum(axis=-1) @ t.weight


def differences(value, array, where, h=1e-6):
    """Derivative of ``value()`` by the elements of ``array`` at ``where``, by central differences."""
    g = np.zeros_like(array)
    for at in zip(*np.nonzero(where), strict=True):
        old = array[at]
        array[at] = old + h
        up = value()
        array[at] = old - h
        g[at] = (up - value()) / (2.0 * h)
        array[at] = old
    return g


# kernel


@pytest.mark.parametrize("taus", [(15.0, 3.75), (20.0, 5.0), (2.0, 0.01), (10.0, 9.9)])
def test_one_input_of_weight_one_peaks_at_the_threshold(taus):
    t = peak_time(*taus)
    around = t + np.linspace(-0.5 * t, 0.5 * t, 1001)
    values = normaliser(*taus, 2.5) * np.array([psp(a, *taus) for a in around])
    assert values.argmax() == 500
    assert values.max() == pytest.approx(2.5, rel=1e-12)
    assert dpsp(t, *taus) == pytest.approx(0.0, abs=1e-12)


def test_normalisation_for_a_quarter():
    # At the peak exp(-t / tau) = 4^(-1/3), so K = 4^(-1/3) - 4^(-4/3) = 3/4 4^(-1/3).
    assert normaliser(15.0, 3.75) == pytest.approx(4.0 ** (4.0 / 3.0) / 3.0, rel=1e-12)


def test_slope_is_that_of_the_potential():
    for t in (0.5, 3.0, 40.0):
        assert dpsp(t, TAU, TAU_S) == pytest.approx((psp(t + 1e-6, TAU, TAU_S) - psp(t - 1e-6, TAU, TAU_S)) / 2e-6)


def test_before_a_spike_there_is_no_potential_and_no_slope():
    assert psp(-1e-9, TAU, TAU_S) == dpsp(-1e-9, TAU, TAU_S) == 0.0
    assert psp(0.0, 4.0, 1.0) == 0.0 and dpsp(0.0, 4.0, 1.0) == 0.75  # 1 / 1 - 1 / 4


def test_time_constants_below_one_are_as_good_as_others():
    assert peak_time(0.4, 0.1) == pytest.approx(0.04 / 0.3 * np.log(4.0), rel=1e-12)
    with pytest.raises(ValueError, match="must not be so much shorter"):
        normaliser(1e300, 1e-300)


def test_a_membrane_rises_to_a_level_or_stays_where_it_is_at_its_maximum():
    d = rise(2.0, 2.0, 0.5, TAU, TAU_S)
    assert 0.0 < d < peak_time(TAU, TAU_S) and 2.0 * psp(d, TAU, TAU_S) == pytest.approx(0.5, rel=1e-8)
    assert rise(4.0, 1.0, 9.0, 4.0, 1.0) == 0.0  # its slope 1 / 1 - 4 / 4


# forms of input


def test_events_are_sorted_whatever_the_form():
    rng = np.random.default_rng(0)
    for dtype in (np.float32, np.float64):
        x = some_times(rng, (5, 40, 3)).astype(dtype)
        x[0, 0, 0], x[1], x[2, 3, 1] = np.inf, -1.0, -0.0
        x[3] = np.floor(x[3])
        events = from_times(x, T, dtype)
        sample, pre, _ = np.nonzero((x >= 0.0) & (x <= T))
        listed = from_events(x[(x >= 0.0) & (x <= T)], pre, sample, n_inputs=40, T=T, batch=5, dtype=dtype)
        assert events.begin[1] == events.end[1]
        for b in range(5):
            valid = (x[b] >= 0.0) & (x[b] <= T)
            order = np.argsort(x[b][valid], kind="stable")
            for e in (events, listed):
                part = slice(e.begin[b], e.end[b])
                np.testing.assert_array_equal(e.time[part], x[b][valid][order])
                np.testing.assert_array_equal(e.pre[part], np.nonzero(valid)[0][order])
        np.testing.assert_array_equal(x.reshape(-1)[events.place], events.time)


def test_all_forms_give_the_same_answer():
    rng = np.random.default_rng(1)
    t = some_neurons(rng, 6, span=12.0)
    spikes = (rng.random((12, 4, 6)) < 0.2).astype(np.float32)
    step, sample, pre = np.nonzero(spikes)
    shuffled = rng.permutation(len(step))
    padded = np.where(spikes > 0.0, np.arange(12.0)[:, None, None], -1.0).transpose(1, 2, 0)
    listed = from_events(step[shuffled], pre[shuffled], sample[shuffled], n_inputs=6, T=12, batch=4, dtype=np.float64)
    wanted = t.run(padded).v_max
    np.testing.assert_allclose(t.run(listed).v_max, wanted, rtol=1e-12)
    np.testing.assert_allclose(t.run(from_spikes(spikes, dtype=np.float64)).v_max, wanted, rtol=1e-12)
    np.testing.assert_allclose(t.run(listed[[3, 1]]).v_max, wanted[[3, 1]], rtol=1e-12)


def test_derivatives_come_back_in_the_order_of_a_list():
    rng = np.random.default_rng(2)
    t = some_neurons(rng, 6)
    x = rng.uniform(0.0, T, (4, 6))
    shuffled = rng.permutation(24)
    listed = from_events(x.ravel()[shuffled], shuffled % 6, shuffled // 6, n_inputs=6, T=T, dtype=np.float64)
    g = rng.normal(size=(4, 3))
    _, one = t.vjp(t.run(x), g, times=True)
    _, other = t.vjp(t.run(listed), g, times=True)
    np.testing.assert_allclose(other, one.ravel()[shuffled], rtol=1e-10, atol=1e-12)


# the membrane


@pytest.mark.parametrize("shape", [(4, 20), (4, 20, 3)])
def test_membrane_on_a_grid(shape):
    rng = np.random.default_rng(3)
    t, x = some_neurons(rng), some_times(rng, shape)
    x[0, 0] = np.floor(x[0, 0])
    np.testing.assert_allclose(t.v(x), naive_v(t, x, np.arange(T)), atol=1e-12)


def test_maximum_and_crossing_against_a_fine_grid():
    rng = np.random.default_rng(4)
    t, x = some_neurons(rng), some_times(rng, (6, 20, 2))
    x[5] = -1.0
    answer = t.run(x)
    coarse = naive_v(t, x, np.arange(0.0, T + 1e-3, 0.05))
    assert (coarse.max(axis=0) <= answer.v_max + 1e-12).all()
    for b, o in np.ndindex(6, 3):
        close_by = np.unique(np.clip(answer.t_max[b, o] + np.linspace(-1e-3, 1e-3, 201), 0.0, T))
        assert naive_v(t, x[b : b + 1], close_by)[:, 0, o].max() == pytest.approx(answer.v_max[b, o], abs=1e-6)
        exact = naive_v(t, x[b : b + 1], answer.t_max[b, o : o + 1])[0, 0, o]
        assert exact == pytest.approx(answer.v_max[b, o], abs=1e-12)
        if answer.spikes[b, o]:
            first = answer.spike_time[b, o]
            assert naive_v(t, x[b : b + 1], np.array([first]))[0, 0, o] == pytest.approx(1.0, abs=1e-9)
            earlier = naive_v(t, x[b : b + 1], np.linspace(0.0, first - 1e-6, 5000))[:, 0, o]
            assert earlier.max() < 1.0
        else:
            assert np.isinf(answer.spike_time[b, o]) and answer.v_max[b, o] < 1.0
    assert 0.0 < answer.spikes.mean() < 1.0  # both kinds were seen
    assert (answer.v_max[5] == 0.0).all() and (answer.t_max[5] == 0.0).all()


def test_maxima_at_a_kink_at_the_end_and_at_the_start():
    x = np.array([[1.0, 4.0]])
    kink = Tempotron(2, T=20.0, weight=np.array([[1.0], [-5.0]]), dtype=np.float64).run(x)
    assert kink.t_max[0, 0] == 4.0 and kink.left_slope[0, 0] > 0.0
    end = Tempotron(2, T=5.0, weight=np.array([[0.0], [1.0]]), dtype=np.float64).run(x)
    assert end.t_max[0, 0] == 5.0
    below = Tempotron(2, T=20.0, weight=np.array([[-1.0], [-1.0]]), dtype=np.float64).run(x)
    assert below.v_max[0, 0] == 0.0 and below.t_max[0, 0] == 0.0


def test_float32_is_close_and_threads_change_nothing():
    rng = np.random.default_rng(5)
    t, x = some_neurons(rng, 100, 5, span=500.0), some_times(rng, (300, 100), span=500.0)
    x = x.astype(np.float32)
    single = Tempotron(100, 5, T=500.0, weight=t.weight)
    g = rng.normal(size=(300, 5)).astype(np.float32)
    try:
        found = []
        for threads in (1, 3):
            nbsnn.set_threads(threads)
            answer = single.run(x)
            found.append((answer.v_max, answer.spike_time, *single.vjp(answer, g, times=True)))
    finally:
        nbsnn.set_threads(None)
    for one, other in zip(*found, strict=True):
        if isinstance(one, dict):
            one, other = one["weight"], other["weight"]
        np.testing.assert_array_equal(one, other)
    assert found[0][0].dtype == np.float32
    np.testing.assert_allclose(found[0][0], t.run(x).v_max, atol=2e-5)


# derivatives


@pytest.mark.parametrize("shape", [(4, 20), (3, 20, 2)])
def test_derivative_of_the_maximum(shape):
    rng = np.random.default_rng(6)
    t, x = some_neurons(rng), some_times(rng, shape)
    g = rng.normal(size=(shape[0], 3))
    answer = t.run(x)
    assert (answer.left_slope != 0.0).any()  # a kink among them
    grads, g_times = t.vjp(answer, g, times=True)

    def value():
        return float((g * t.run(x, spike_times=False).v_max).sum())

    np.testing.assert_allclose(grads["weight"], differences(value, t.weight, t.weight == t.weight), atol=1e-6)
    np.testing.assert_allclose(g_times, differences(value, x, x >= 0.0), atol=1e-6)
    np.testing.assert_array_equal(t.vjp(answer, g)[0]["weight"], grads["weight"])


def test_derivative_of_the_membrane_and_of_the_soft_time():
    rng = np.random.default_rng(7)
    t, x = some_neurons(rng), some_times(rng, (3, 20))
    at, g = np.linspace(0.0, T, 41), rng.normal(size=(41, 3, 3))
    grads, g_times = t.v_vjp(x, g, at, times=True)

    def value():
        return float((g * t.v(x, at)).sum())

    np.testing.assert_allclose(grads["weight"], differences(value, t.weight, t.weight == t.weight), atol=1e-6)
    np.testing.assert_allclose(g_times, differences(value, x, x >= 0.0), atol=1e-6)

    v, h = rng.normal(size=(9, 2, 2)), rng.normal(size=(2, 2))
    numeric = differences(lambda: float((h * soft_time(v, at[:9], 3.0)[0]).sum()), v, v == v)
    np.testing.assert_allclose(h * soft_time(v, at[:9], 3.0)[1], numeric, atol=1e-6)


@pytest.mark.parametrize("loss", [ThresholdHinge(), ThresholdHinge(0.3), ThresholdMSE(), MaxCrossEntropy(3.0)])
def test_derivative_of_the_losses(loss):
    v_max, target = np.random.default_rng(8).uniform(0.0, 2.0, (5, 3)), np.eye(3, dtype=bool)[[0, 1, 2, 0, 1]]
    g = loss(v_max, target, 1.0)[1]
    numeric = differences(lambda: loss(v_max, target, 1.0)[0], v_max, v_max == v_max)
    np.testing.assert_allclose(g, numeric, atol=1e-6)


def test_several_neurons_per_class():
    rng = np.random.default_rng(15)
    v_max, target = rng.uniform(0.0, 2.0, (5, 6)), np.arange(6) // 2 == rng.integers(0, 3, 5)[:, None]
    value, g = MaxCrossEntropy(2.0)(v_max, target, 1.0)
    p = np.exp(2.0 * v_max) / np.exp(2.0 * v_max).sum(axis=1, keepdims=True)
    assert value == pytest.approx(-np.log((p * target).sum(axis=1)).mean())
    numeric = differences(lambda: MaxCrossEntropy(2.0)(v_max, target, 1.0)[0], v_max, v_max == v_max)
    np.testing.assert_allclose(g, numeric, atol=1e-6)


def test_directions_that_patterns_share():
    rng = np.random.default_rng(16)
    t = some_neurons(rng, 20, 3)
    x = np.repeat(some_times(rng, (1, 20), silent=0.0), 30, axis=0)
    x[:, 10:] = some_times(rng, (30, 10), silent=0.5)
    shared = shared_directions(t, x, times=4)
    np.testing.assert_allclose(shared.T @ shared, np.eye(shared.shape[1]), atol=1e-10)
    lag = np.arange(15.0, 61.0, 15.0)[:, None, None] - x
    mean = np.where((lag >= 0.0) & (x >= 0.0), np.exp(-lag / TAU) - np.exp(-lag / TAU_S), 0.0).mean(axis=1)
    np.testing.assert_allclose(mean @ shared @ shared.T, mean, atol=1e-10)  # they span the mean potentials
    labels, start, changes = rng.integers(0, 3, 30), t.weight.copy(), []
    for damp in (None, shared):
        t.weight[...] = start
        t.step(x, labels, Gradient(MaxCrossEntropy(), SGD(1.0), damp=damp, keep=0.25))
        changes.append(t.weight - start)
    plain, damped = changes
    assert abs(shared @ shared.T @ plain).max() > 0.01
    np.testing.assert_allclose(damped, plain - 0.75 * shared @ (shared.T @ plain), atol=1e-12)


# learning


def test_classic_rule_against_a_loop():
    rng = np.random.default_rng(9)
    t, x = some_neurons(rng, 12, 2), some_times(rng, (15, 12))
    target = rng.random((15, 2)) < 0.5
    weight, change, grid = t.weight.copy(), np.zeros((12, 2)), np.arange(0.0, T, 5e-3)
    rule = Classic(lr=0.05, momentum=0.7)
    for _ in range(2):
        t.step(x, target, rule)
        for b in range(15):
            like = Tempotron(12, 2, tau=TAU, tau_s=TAU_S, T=T, weight=weight, dtype=np.float64)
            v = naive_v(like, x[b : b + 1], grid)[:, 0]
            for o in range(2):
                if (v[:, o].max() >= 1.0) != target[b, o]:
                    peak = grid[v[:, o].argmax()]
                    k = [psp(peak - s, TAU, TAU_S) * t.v0 if s >= 0.0 else 0.0 for s in x[b]]
                    change[:, o] = 0.05 * (1.0 if target[b, o] else -1.0) * np.array(k) + 0.7 * change[:, o]
                    weight[:, o] += change[:, o]
    np.testing.assert_allclose(t.weight, weight, atol=1e-3)  # the grid's maximum is a bit off
    assert abs(weight - some_neurons(np.random.default_rng(9), 12, 2).weight).max() > 0.05


def latency_toy(rng):
    """Two classes that differ in the order of their inputs alone: every input spikes once in each."""
    order = np.linspace(2.0, 48.0, 30)
    x = np.concatenate([order + rng.normal(0.0, 1.0, (40, 30)), order[::-1] + rng.normal(0.0, 1.0, (40, 30))])
    return np.clip(x, 0.0, 60.0), np.repeat([0, 1], 40)


@pytest.mark.parametrize(
    ("rule", "outputs"),
    [
        (Classic(0.02), 1),
        (Classic(0.005, 0.9), 2),
        (Gradient(ThresholdHinge(0.1), Adam(0.02)), 1),
        (Gradient(ThresholdMSE(), SGD(0.02, momentum=0.9)), 1),
        (Gradient(MaxCrossEntropy(), Adam(0.02)), 2),
    ],
)
def test_latency_code_is_separated(rule, outputs):
    x, labels = latency_toy(np.random.default_rng(10))
    t = Tempotron(30, outputs, T=T)
    history = t.fit(x[::2], labels[::2], rule, epochs=60, batch_size=20, test=(x[1::2], labels[1::2]))
    assert accuracy(t, x, labels) == 1.0
    assert history["test_accuracy"][-1] == 1.0
    np.testing.assert_array_equal(t.predict(x), labels)


def test_accuracy_is_the_share_of_right_answers_in_batches_of_any_size():
    x = np.array([[0.0], [-1.0], [5.0], [-1.0], [9.0]])
    t = Tempotron(1, weight=np.full((1, 1), 1.0001))
    labels = np.array([1, 0, 0, 0, 0])
    for size in (1, 2, 3, 500):
        assert accuracy(t, x, labels, size=size) == 0.6
        assert accuracy(t, x + 1.0, labels, size=size, encode=lambda part: part - 1.0) == 0.6
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
        accuracy(t, x[:0], labels[:0], size=0)
    with pytest.raises(TypeError, match="encode must be a function of samples, called with 1 arguments"):
        accuracy(t, x, labels, encode=lambda a, b: a)
    with pytest.raises(TypeError, match="t must be a Tempotron"):
        accuracy(nbsnn.neurons.LIF(), x, labels)  # type: ignore[arg-type]


def test_fit_with_an_encoder_is_fit_with_times_and_stops_at_zero():
    x, labels = latency_toy(np.random.default_rng(11))
    one, other = Tempotron(30, T=T), Tempotron(30, T=T)
    first = one.fit(x, labels, Classic(0.02), epochs=200, seed=3)
    other.fit(x / 10.0, labels, Classic(0.02), epochs=200, seed=3, encode=lambda part: part * 10.0)
    np.testing.assert_allclose(one.weight, other.weight, atol=1e-5)
    assert len(first) < 200 and first["loss"][-1] == 0.0


def test_random_patterns_are_learned_at_half_the_capacity():
    rng = np.random.default_rng(12)
    x, labels = rng.uniform(0.0, 500.0, (150, 100)), np.arange(150) % 2
    t = Tempotron(100, T=500.0)
    t.fit(x, labels, Classic(0.002, 0.95), epochs=1000)
    assert accuracy(t, x, labels) == 1.0


def test_two_layers_pass_derivatives_on():
    rng = np.random.default_rng(13)
    first, second = some_neurons(rng, 20, 6), some_neurons(rng, 6, 2)
    x, g = some_times(rng, (4, 20)), rng.normal(size=(4, 2))
    net = Stack(first, second, sharpness=5.0, step=0.5)
    answers = net.run(x)
    hidden = np.where(answers[0].spikes > 0.0, answers[0].t_max, -1.0)
    np.testing.assert_array_equal(answers[1].v_max, second.run(hidden).v_max)
    grads = net.vjp(answers, g)
    grads2, g_hidden = second.vjp(second.run(hidden), g, times=True)
    np.testing.assert_allclose(grads["2/weight"], grads2["weight"])
    at = np.arange(0.0, T + 0.25, 0.5)

    def value():  # the hidden times' share, held at what the second layer asks of them
        return float((g_hidden * soft_time(first.v(x, at), at, 5.0)[0]).sum())

    np.testing.assert_allclose(grads["1/weight"], differences(value, first.weight, first.weight == 0.0) + differences(
        value, first.weight, first.weight != 0.0), atol=1e-6)  # fmt: skip


def test_two_layers_learn():
    x, labels = latency_toy(np.random.default_rng(14))
    draws = nbsnn.init.normal(0.1, 0.2)
    net = Stack(Tempotron(30, 20, T=T, weight=draws), Tempotron(20, 2, T=T, weight=draws, seed=1))
    loss, optimizer = MaxCrossEntropy(), Adam(0.02)
    before = net.layers[0].weight.copy()
    values = [net.step(x, labels, loss, optimizer) for _ in range(60)]
    assert values[-1] < 0.3 * values[0]
    assert (net.run(x)[-1].v_max.argmax(axis=1) == labels).mean() > 0.95
    assert abs(net.layers[0].weight - before).max() > 0.01


# what a user may get wrong


NEURON_ERRORS = [
    ({"tau": 3.0}, ValueError, "tau must be greater than tau_s"),
    ({"tau": -1.0}, ValueError, "tau must be greater than 0"),
    ({"tau_s": 0.0}, ValueError, "tau_s must be greater than 0"),
    ({"T": np.nan}, ValueError, "T must be finite"),
    ({"v_threshold": 0.0}, ValueError, "v_threshold must be greater than 0"),
    ({"dtype": np.float16}, TypeError, "float32 or float64"),
    ({"weight": np.zeros((3, 2))}, ValueError, "weight must have shape"),
    ({"weight": np.full((4, 2), np.nan)}, ValueError, "weight contains"),
]


@pytest.mark.parametrize(("options", "error", "text"), NEURON_ERRORS)
def test_wrong_neurons(options, error, text):
    with pytest.raises(error, match=text):
        Tempotron(4, 2, **options)
    with pytest.raises(TypeError, match="n_inputs must be an integer"):
        Tempotron(4.0)


INPUT_ERRORS = [
    (np.zeros((2, 3)), ValueError, "4 inputs"),
    (np.zeros(4), ValueError, "shape"),
    (np.zeros((0, 4)), ValueError, "empty"),
    (np.array([[1.0, 2.0, np.nan, 3.0]]), ValueError, r"not nan at index \[0, 2\]"),
    (np.array([[1.0, 2.0, 501.0, 3.0]]), ValueError, r"\[0, 500\]"),
    (np.array([["a", "b", "c", "d"]]), TypeError, "real numbers"),
    (from_times(np.zeros((1, 4)), 600.0), ValueError, "T is 500"),
    (from_times(np.zeros((1, 4)), 500.0, np.float64), TypeError, "float64"),
    (from_times(np.zeros((1, 5)), 500.0), ValueError, "5 inputs"),
    (from_times(np.zeros((1, 4)), 500.0)[[]], ValueError, "no samples"),
]


@pytest.mark.parametrize(("x", "error", "text"), INPUT_ERRORS)
def test_wrong_inputs(x, error, text):
    t = Tempotron(4, 2)
    for call in (t.run, t.v, t.predict, lambda x: t.step(x, [0], Classic()), lambda x: t.fit(x, np.zeros(len(x), int))):
        with pytest.raises(error, match=text):
            call(x)


EVENT_ERRORS = [
    (([1.0], [0.5], [0]), TypeError, "pre must be integers"),
    (([1.0], [2], [0]), ValueError, r"pre must be 0 .. 1, not 2"),
    (([1.0], [0], [-1]), ValueError, "sample must be 0"),
    (([1.0, 2.0], [0], [0]), ValueError, "pre must have shape"),
    (([np.nan], [0], [0]), ValueError, "not nan"),
    (([], [], []), ValueError, "batch"),
]


@pytest.mark.parametrize(("arrays", "error", "text"), EVENT_ERRORS)
def test_wrong_events(arrays, error, text):
    with pytest.raises(error, match=text):
        from_events(*arrays, n_inputs=2, T=10.0)


def test_wrong_spikes():
    with pytest.raises(ValueError, match="0 and 1"):
        from_spikes(np.full((2, 1, 1), 0.5))
    assert len(from_events([], [], [], n_inputs=2, T=10.0, batch=3)) == 3


LABEL_ERRORS = [
    ([0, 2], ValueError, "0 .. 1, not 2"),
    ([0, -1], ValueError, "not -1"),
    ([0], ValueError, "labels must have shape"),
    ([0.0, 1.0], TypeError, "integers or bool"),
    ([[1, 0, 0], [0, 1, 0]], ValueError, "labels must have shape"),
]


@pytest.mark.parametrize(("labels", "error", "text"), LABEL_ERRORS)
def test_wrong_labels(labels, error, text):
    t, x = Tempotron(4, 2), np.zeros((2, 4))
    for call in (lambda: t.step(x, labels, Gradient()), lambda: t.fit(x, labels), lambda: accuracy(t, x, labels)):
        with pytest.raises(error, match=text):
            call()


def test_other_mistakes():
    t, x = Tempotron(4, 2), np.ones((2, 4))
    with pytest.raises(ValueError, match="ascending"):
        t.v(x, [2.0, 1.0])
    with pytest.raises(ValueError, match="g must have shape"):
        t.vjp(t.run(x), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="momentum must be less than 1"):
        Classic(0.1, 1.0)
    with pytest.raises(ValueError, match="lr must be greater than 0"):
        Classic(-0.1)
    with pytest.raises(ValueError, match="one that should fire"):
        t.step(x, [[1, 1], [0, 0]], Gradient(MaxCrossEntropy()))
    with pytest.raises(ValueError, match="keep must be at most 1"):
        Gradient(keep=2.0)
    with pytest.raises(ValueError, match="damp must have shape"):
        t.step(x, [0, 1], Gradient(damp=np.zeros((5, 1))))
    with pytest.raises(ValueError, match="by must be one of"):
        t.fit(x, [0, 1], by="count")
    rule = Classic()
    t.step(x, [0, 1], rule)
    with pytest.raises(ValueError, match="use a new one"):
        Tempotron(5, 2).step(np.ones((2, 5)), [0, 1], rule)
    t.weight[0, 0] = np.nan
    for call in (lambda: t.run(x), lambda: t.step(x, [0, 1], Classic())):
        with pytest.raises(ValueError, match="weight contains"):
            call()
    with pytest.raises(ValueError, match="needs a layer"):
        Stack()
    with pytest.raises(ValueError, match="has 5 inputs"):
        Stack(Tempotron(4, 2), Tempotron(5, 2))
    with pytest.raises(ValueError, match="T or dtype"):
        Stack(Tempotron(4, 2), Tempotron(2, 2, T=7.0))


def test_wrong_preset_arguments():
    t = spikingjelly.Tempotron(4, 2, 20)
    with pytest.raises(ValueError, match="ret_type"):
        t.forward(np.ones((1, 4)), "spike")
    with pytest.raises(ValueError, match="in_spikes must have shape"):
        t.forward(np.ones((1, 5)), "v")
    with pytest.raises(ValueError, match="x_min must be below"):
        spikingjelly.GaussianTuning(1, 5, [1.0], [0.0])
    with pytest.raises(ValueError, match="NaN"):
        spikingjelly.GaussianTuning(1, 5, [0.0], [1.0]).encode(np.full((1, 1, 1), np.nan))
