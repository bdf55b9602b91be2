"""Connections that learn delays: their kernel over time by hand, at its limits, and delays that are found."""

import numpy as np
import pytest

import nbsnn

RNG = np.random.default_rng(0)


def one(**options):
    return nbsnn.Sequential(nbsnn.LearnedDelays(2, 3, 4, **options), seed=0, dtype="f8", device="python")


def test_each_synapse_sums_its_input_under_a_gaussian_at_its_delay():
    net, x = one(sigma=0.8), RNG.normal(0.0, 1.0, (7, 2, 2))
    w, d, b = (net["learneddelays1"].params[name] for name in ("weight", "delay", "bias"))
    wanted = np.tile(b, (7, 2, 1))
    for i in range(2):
        for j in range(3):
            g = [np.exp(-((k - d[i, j]) ** 2) / (2 * 0.8**2)) for k in range(5)]
            for t in range(7):
                for k in range(min(t, 4) + 1):
                    wanted[t, :, j] += w[i, j] * g[k] / sum(g) * x[t - k, :, i]
    np.testing.assert_allclose(net.run(x).output, wanted, rtol=1e-12)


def test_a_gaussian_shrinks_to_a_point_at_the_next_step():
    net, x = one(sigma=0.001), RNG.normal(0.0, 1.0, (7, 2, 2))
    layer = net["learneddelays1"]
    layer.params["delay"] = [[0.0, 1.4, 3.6], [4.0, 2.2, 0.9]]
    narrow = net.run(x).output
    layer.sigma = 0.0
    wanted = np.tile(layer.params["bias"], (7, 2, 1))
    for (i, j), k in np.ndenumerate([[0, 1, 4], [4, 2, 1]]):
        wanted[k:, :, j] += layer.params["weight"][i, j] * x[: 7 - k, :, i]
    np.testing.assert_allclose(net.run(x).output, wanted, rtol=1e-12)
    np.testing.assert_allclose(narrow, wanted, rtol=1e-12)


def test_the_width_is_kept(tmp_path):
    net = one()
    assert net["learneddelays1"].sigma == 2.0
    net["learneddelays1"].sigma = 0.7
    nbsnn.save(net, tmp_path / "net.npz")
    for other in (nbsnn.load(tmp_path / "net.npz"), net.twin(dtype="f4")):
        assert other["learneddelays1"].sigma == 0.7


def test_delays_are_found_and_stay_in_their_range():
    x = (RNG.random((30, 16, 2)) < 0.3).astype(float)
    target = np.zeros((30, 16, 1))
    target[6:, :, 0] += x[:-6, :, 0]
    target[1:, :, 0] += x[:-1, :, 1]
    net = nbsnn.Sequential(nbsnn.LearnedDelays(2, 1, 8, bias=False), seed=0, dtype="f8", device="python")
    learner, layer = nbsnn.BPTT(net, nbsnn.losses.StepMSE(), nbsnn.optim.Adam(0.1)), net["learneddelays1"]
    layer.params["delay"] = [[4.0], [4.0]]
    for _ in range(150):
        learner.step(x, target)
        layer.sigma = max(0.3, 0.98 * layer.sigma)
        assert layer.params["delay"].min() >= 0.0 and layer.params["delay"].max() <= 8.0
    layer.sigma = 0.0
    assert np.rint(layer.params["delay"]).ravel().tolist() == [6.0, 1.0]
    np.testing.assert_allclose(layer.params["weight"], 1.0, atol=0.02)


def test_operations_are_those_of_one_delay_of_each_synapse():
    x = (RNG.random((20, 4, 2)) < 0.3).astype(float)
    row = nbsnn.summary(one(), x).layers[0]
    assert row.operations == pytest.approx(3 * x.sum() / 4) and row.dense == pytest.approx(3 * 2 * 20)


@pytest.mark.parametrize("delay", [-0.1, 4.5, np.nan])
def test_delays_out_of_their_range_are_refused_by_the_run(delay):
    net = one(sigma=0.0)
    net["learneddelays1"].params["delay"][0] = delay
    with pytest.raises(ValueError, match=r"must be from 0 to|NaN"):
        net.run(np.ones((3, 1, 2)))


@pytest.mark.parametrize("sigma", [-1.0, np.nan, 1e-9, "wide"])
def test_a_width_that_is_none_is_refused(sigma):
    net = one()
    for call in (lambda: one(sigma=sigma), lambda: setattr(net["learneddelays1"], "sigma", sigma)):
        with pytest.raises((TypeError, ValueError), match="sigma"):
            call()
    with pytest.raises(AttributeError, match="not built yet"):
        nbsnn.LearnedDelays(2, 3, 4).sigma = 1.0
