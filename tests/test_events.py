"""The event path: spikes as chosen rows, equal to the dense product in values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.spikes import break_even
from nbsnn.spikes import packed as module
from nbsnn.spikes.packed import PackedSpikes
from nbsnn.surrogates import piecewise_quadratic


def spikes(shape, rate, dtype=np.float32, seed=0):
    return (np.random.default_rng(seed).random(shape) < rate).astype(dtype)


def packed(x, limit=1.0):
    return PackedSpikes.of(x[None], {}, limit)


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(1, 30), st.floats(0.0, 1.0), st.integers(0, 99))
def test_events_are_the_positions_of_the_ones(rows, columns, rate, seed):
    x = spikes((rows, columns), rate, seed=seed)
    events = packed(x)
    row, column = np.nonzero(x)
    np.testing.assert_array_equal(events.index, column)
    np.testing.assert_array_equal(events.start, np.searchsorted(row, np.arange(rows + 1)))


def test_events_by_column_and_in_parts(monkeypatch):
    x = spikes((57, 43), 0.2)
    first, row = packed(x).transposed(10, 40)
    for i in range(43):
        np.testing.assert_array_equal(row[first[i] : first[i + 1]], 10 + np.nonzero(x[10:40, i])[0])
    monkeypatch.setattr(module, "NEAR", 4 * 35 * 10)  # ten rows at a time
    g, outer = np.random.default_rng(1).normal(size=(57, 35)).astype(np.float32), np.ones((43, 35), np.float32)
    packed(x).add_outer(g, outer)
    np.testing.assert_allclose(outer, 1.0 + x.T @ g, atol=1e-5)


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("rate", [0.0, 0.01, 0.3, 1.0])
def test_products_equal_the_dense_ones(rate, dtype, bound):
    rng = np.random.default_rng(1)
    x = spikes((57, 43), rate, dtype)
    weight, g = rng.normal(size=(43, 35)).astype(dtype), rng.normal(size=(57, 35)).astype(dtype)
    y, outer = np.full((57, 35), np.nan, dtype), weight.copy()
    packed(x).product(weight, y)
    packed(x).add_outer(g, outer)
    np.testing.assert_allclose(y, x @ weight, atol=bound * 10, rtol=bound)
    np.testing.assert_allclose(outer, weight + x.T @ g, atol=bound * 10, rtol=bound)


def test_other_numbers_and_high_activity_are_refused():
    x = spikes((1000, 20), 0.1)
    assert packed(x, 0.2) is not None
    assert packed(x, 0.05) is None
    for place in (0, 501, 999):  # seen by the sample of rows or not
        other = x.copy()
        other[place, 3] = 0.5
        assert packed(other) is None
    assert packed(x * 2) is None


@pytest.mark.parametrize(
    ("dtype", "bound"), [(np.float32, 1e-5), pytest.param(np.float64, 1e-12, marks=pytest.mark.long)]
)
def test_event_path_equals_dense_path_in_a_network(dtype, bound):
    x, target = spikes((12, 4, 40), 0.2, dtype), np.random.default_rng(2).random((12, 4, 6)).astype(dtype)
    results = []
    for path in ("dense", "events"):
        net = nbsnn.Sequential(
            nbsnn.Dense(40, 36, path=path, weight=nbsnn.init.normal(0.0, 0.5)),
            LIF(surrogate=piecewise_quadratic()),
            nbsnn.Dense(36, 6, path=path),
            nbsnn.neurons.LI(),
            seed=0,
            dtype=dtype,
        )
        learner = nbsnn.BPTT(net, nbsnn.losses.step_mse)
        value, grads = learner.gradients(x, target)
        assert (learner.tape["dense1"].blocks[-1].events is None) == (path == "dense")
        results.append((value, {name: g.copy() for name, g in grads.items()}))
    (a, ga), (b, gb) = results
    assert abs(a - b) <= bound * abs(a)
    for name in ga:
        np.testing.assert_allclose(ga[name], gb[name], atol=bound * np.abs(ga[name]).max(), rtol=0)


def test_the_path_follows_the_activity(monkeypatch):
    monkeypatch.setattr(break_even, "SMALLEST", 0)
    net = nbsnn.Sequential(nbsnn.Dense(40, 36), LIF(), seed=0)
    shape = (20, 4, 40)
    for x, dense in ((spikes(shape, 0.05), False), (spikes(shape, 0.6), True), (np.full(shape, 0.3), True)):
        tape: dict = {}
        net.forward(net.check_input(x), net.initial(4), tape)
        assert (tape["dense1"]["pre"].events is None) == dense


def test_threads_do_not_change_results(monkeypatch):
    from nbsnn.device import threads as device

    monkeypatch.setattr(device, "SERIAL", 0)
    x, rng = spikes((64, 50), 0.1), np.random.default_rng(0)
    weight, g = rng.normal(size=(50, 40)).astype(np.float32), rng.normal(size=(64, 40)).astype(np.float32)
    results = []
    for threads in (1, 2, 3):
        nbsnn.set_threads(threads)
        events, y, outer = packed(x), np.empty((64, 40), np.float32), np.zeros((50, 40), np.float32)
        events.product(weight, y)
        events.add_outer(g, outer)
        results.append((events.index, y, outer))
    nbsnn.set_threads(None)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_unknown_path():
    with pytest.raises(ValueError, match="path must be one of"):
        nbsnn.Dense(3, 2, path="fast")
