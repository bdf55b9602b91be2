"""Statistics of batch normalisation: when they move, and who refuses them."""

import numpy as np
import pytest

import nbsnn
from nbsnn.random import Draws

X = np.random.default_rng(0).normal(2.0, 3.0, (4, 5, 3, 2))


def net_of(**options):
    return nbsnn.Sequential(nbsnn.BatchNorm(**options), input_shape=(3, 2), dtype="f8", device="python")


def test_training_normalises_over_steps_samples_and_space():
    net, tape = net_of(eps=1e-12), {}
    y, _ = net.forward(X, {}, tape, Draws(0))
    np.testing.assert_allclose(y.mean(axis=(0, 1, 3)), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=(0, 1, 3)), 1, rtol=1e-9)
    found = net["batchnorm1"].buffers
    assert (found["running_mean"] == 0).all()
    net.backward(y, tape, net.zeros())
    np.testing.assert_allclose(found["running_mean"], 0.1 * X.mean(axis=(0, 1, 3)), rtol=1e-12)
    np.testing.assert_allclose(found["running_var"], 0.9 + 0.1 * X.var(axis=(0, 1, 3), ddof=1), rtol=1e-12)


def test_evaluation_moves_nothing():
    net, tape = net_of(), {}
    y, _ = net.forward(X, {}, tape)
    net.backward(y, tape, net.zeros())
    np.testing.assert_allclose(net.run(X).output, X / np.sqrt(1 + 1e-5), rtol=1e-12)
    assert (net["batchnorm1"].buffers["running_mean"] == 0).all()


def test_a_chunk_counts_once():
    parts = {"norm": nbsnn.BatchNorm(momentum=None), "flat": nbsnn.Flatten(), "end": nbsnn.neurons.LI()}
    net = nbsnn.Sequential(**parts, input_shape=(3, 2), dtype="f8", device="python")
    nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, chunk=2).step(X, np.arange(5))
    assert net["norm"].buffers["batches"] == 2
    np.testing.assert_allclose(net["norm"].buffers["running_mean"], X.mean(axis=(0, 1, 3)), rtol=1e-12)


def test_who_has_not_all_steps_refuses_it():
    def of(**options):
        return nbsnn.Sequential(nbsnn.Dense(4, 3), nbsnn.BatchNorm(**options), nbsnn.neurons.LIF())

    with pytest.raises(NotImplementedError, match=r"batchnorm1, BatchNorm\(\), belongs to all steps at once"):
        nbsnn.SLTT(of())
    nbsnn.SLTT(of(per_step=4)).step(np.ones((4, 2, 4), np.float32), np.array([0, 1]))
    with pytest.raises(ValueError, match="belongs to all steps at once, which a loop in time does not have"):
        nbsnn.Sequential(nbsnn.Recurrent(nbsnn.BatchNorm()), input_shape=3)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"momentum": 0.0}, ValueError, "momentum must be greater than 0"),
        ({"eps": 0}, ValueError, "eps must be greater than 0"),
        ({"per_step": 4, "step_scale": 4}, ValueError, "per_step and step_scale cannot be combined"),
        ({"affine": False, "gain": 2.0}, ValueError, "gain is where weights start"),
        ({"per_step": 0}, ValueError, "per_step must be at least 1"),
    ],
)
def test_what_it_refuses(options, error, words):
    with pytest.raises(error, match=words):
        nbsnn.BatchNorm(**options)


def test_steps_that_have_no_parameters_are_named():
    with pytest.raises(ValueError, match="is run for step 4, but has parameters of 3 steps"):
        net_of(per_step=3).run(X)
    net = nbsnn.Sequential(nbsnn.BatchNorm(), input_shape=3, dtype="f8", device="python")
    with pytest.raises(ValueError, match="needs more than one number of each channel"):
        net.forward(np.ones((1, 1, 3)), {}, {}, Draws(0))


def test_momentum_without_running_statistics_is_refused():
    with pytest.raises(ValueError, match="momentum moves running statistics"):
        nbsnn.BatchNorm(running=False, momentum=0.5)
    assert repr(nbsnn.BatchNorm(running=False)) == "BatchNorm(running=False)"
    assert repr(nbsnn.InstanceNorm()) == "InstanceNorm()" and repr(nbsnn.GroupNorm(2)) == "GroupNorm(groups=2)"


@pytest.mark.parametrize("make", [nbsnn.BatchNorm, nbsnn.LayerNorm, nbsnn.InstanceNorm])
def test_eps_is_large_enough_for_float32(make):
    with pytest.raises(ValueError, match="eps must be"):
        make(eps=1e-320)
    net = nbsnn.Sequential(make(eps=1e-30), input_shape=(2, 3))
    assert np.isfinite(net.run(np.ones((2, 2, 2, 3), np.float32)).output).all()
