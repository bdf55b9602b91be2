"""The Tempotron on CUDA: maxima, crossings, membranes, derivatives and both rules equal those of the CPU."""

import sys

import numpy as np
import pytest

from nbsnn.device import gpu
from nbsnn.optim import SGD
from nbsnn.tempotron import Classic, Gradient, MaxCrossEntropy, Stack, Tempotron

RNG = np.random.default_rng(5)
B, N, OUT, SPAN = 4, 6, 3, 40.0


@pytest.fixture(autouse=True)
def _quick_turns():
    """The simulator's threads wait for each other; Python lets one after the other run every 5 ms by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def patterns():
    """Spike times [B, N, 2], of which some coincide, some are none; a sample without any, and one at the end."""
    x = RNG.integers(0, 40, (B, N, 2)).astype(float)
    x[RNG.random(x.shape) < 0.3] = -1.0
    x[2] = -1.0
    x[3, 0] = SPAN
    return x


X = patterns()
WEIGHT = RNG.normal(0.2, 1.2, (N, OUT))
LABELS = np.array([0, 1, 2, 0])


def both(dtype=np.float64, **options):
    options = {"weight": WEIGHT, "T": SPAN, **options}
    return [Tempotron(N, OUT, dtype=dtype, device=device, **options) for device in ("cpu", "cuda")]


@pytest.mark.parametrize("dtype", [pytest.param(np.float64, marks=pytest.mark.long), np.float32])
def test_answers_and_derivatives(dtype):
    rtol = 1e-10 if dtype == np.float64 else 2e-5
    g = RNG.normal(size=(B, OUT)).astype(dtype)
    g[0, 0] = 0.0
    found = []
    for t in (both(np.float64)[0], both(dtype)[1]):
        answer = t.run(X)
        grads, by_time = t.vjp(answer, g, times=True)
        found.append([answer.v_max, answer.t_max, answer.spike_time, answer.n_before, grads["weight"], by_time])
    assert found[1][0].dtype == dtype and 0 < np.isfinite(found[0][2]).sum() < found[0][2].size
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol, rtol)
    np.testing.assert_array_equal(found[0][3], found[1][3])


def test_membranes_on_a_grid_and_their_derivatives():
    at = np.linspace(0.0, SPAN, 9)
    g = RNG.normal(size=(9, B, OUT))
    found = []
    for t in both():
        grads, by_time = t.v_vjp(X, g, at, times=True)
        found.append([t.v(X, at), grads["weight"], by_time])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, 1e-10, 1e-12)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_the_classic_rule(momentum):
    weights, losses = [], []
    for t in both():
        rule = Classic(0.05, momentum)
        losses.append([t.step(X, LABELS, rule) for _ in range(3)])
        weights.append(t.weight.copy())
    assert abs(weights[0] - WEIGHT).max() > 0.01
    np.testing.assert_allclose(weights[1], weights[0], 1e-10, 1e-12)
    np.testing.assert_allclose(losses[1], losses[0], 1e-10)


def test_gradient_descent_in_batches_with_events_that_stay():
    histories = []
    for t in both():
        rule = Gradient(MaxCrossEntropy(), SGD(0.2))
        histories.append(t.fit(X, LABELS, rule, epochs=3, batch_size=2, test=(X[:2], LABELS[:2]))["loss"])
    np.testing.assert_allclose(histories[1], histories[0], 1e-10)
    t = both()[1]
    events = t.events(X)
    before = gpu.Count.launches
    t.run(events, spike_times=False)
    assert gpu.Count.launches - before == 1
    first = t.sweeps.known[0][1]
    t.run(events[[0, 1]])
    assert t.sweeps.known[0][1] is first


@pytest.mark.long
def test_layers_may_lie_on_a_gpu():
    values = []
    for device in ("cpu", "cuda"):
        layers = Tempotron(N, 4, T=SPAN, seed=0, device=device), Tempotron(4, OUT, T=SPAN, seed=1, device=device)
        values.append(Stack(*layers, step=5.0).step(X, LABELS, MaxCrossEntropy(), SGD(0.1)))
    assert values[1] == pytest.approx(values[0], rel=1e-5)


def test_another_device_is_refused():
    with pytest.raises(ValueError, match="device must be"):
        Tempotron(2, device="gpu")
