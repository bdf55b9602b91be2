"""Batch normalisation, population and maximum that run as one against the same layers by themselves."""

import numpy as np
import pytest

import nbsnn
from nbsnn.layers.fused import normalized
from nbsnn.layers.fused.network import fuse
from nbsnn.layers.fused.normalized import FusedNormalization
from nbsnn.losses import step_mse
from nbsnn.neurons import LI, LIF, PLIF, Discontinuous

from .graded import GRADED

T, B = 5, 7
THRESHOLDS = np.random.default_rng(0).uniform(0.2, 0.6, (3, 6, 8))


def network(neuron=None, pool=2, image=(2, 6, 8), dtype=np.float64, norm=None, **setting):
    neuron = LIF(2.0, v_threshold=0.4) if neuron is None else neuron
    layers = [nbsnn.Conv2d(image[0], 3, 3, padding=1, bias=False, path="dense"), norm or nbsnn.BatchNorm(), neuron]
    layers += [nbsnn.MaxPool2d(pool)] if pool else []
    net = nbsnn.Sequential(*layers, nbsnn.Flatten(), input_shape=image, dtype=dtype, seed=1, **setting)
    for name, array in net.parameters().items():
        if name.startswith("batchnorm"):
            array[...] = np.random.default_rng(2).uniform(0.5, 1.5, array.shape)
    return net


def images(image=(2, 6, 8), constant=False, dtype=np.float64):
    x = np.random.default_rng(0).standard_normal((1 if constant else T, B, *image)).astype(dtype)
    return np.broadcast_to(x, (T, *x.shape[1:])) if constant else x


def learner(net, compact=True, **options):
    made = nbsnn.BPTT(net, step_mse, compact=compact, **options)
    assert not compact or isinstance(made.net.parts[1], FusedNormalization)
    return made


def target(net, dtype=np.float64):
    return np.full((T, B, *net.shape), 0.5, dtype)


def assert_as_plain(make, x, rtol=1e-9, **options):
    """Value, gradients and running statistics of both ways."""
    found = []
    for compact in (True, False):
        net = make()
        value, grads = learner(net, compact, **options).gradients(x, target(net, x.dtype))
        found.append({"value": np.array(value), **{k: g.copy() for k, g in grads.items()}, **net.all_buffers()})
    assert found[1]["batchnorm1/running_mean"].any() if "batchnorm1/running_mean" in found[1] else True
    for name, wanted in found[1].items():
        scale = rtol * np.abs(wanted).max()
        np.testing.assert_allclose(found[0][name], wanted, rtol=rtol, atol=scale, err_msg=name)
    return found[0]


@pytest.mark.parametrize("constant", [False, True], ids=["changing", "constant"])
def test_gradients_are_those_of_the_layers_one_by_one(constant):
    assert assert_as_plain(network, images(constant=constant))["conv2d1/weight"].any()


@pytest.mark.long
@pytest.mark.parametrize("constant", [False, True], ids=["changing", "constant"])
@pytest.mark.parametrize(
    "options",
    [
        {"pool": 0}, {"pool": (3, 2)}, {"pool": 4}, {"image": (1, 14, 10), "pool": (7, 5)}, {"neuron": LI(2.0)},
        {"image": (2, 40, 44)}, {"image": (2, 12, 34), "pool": 0}, {"neuron": GRADED},
        {"neuron": LIF(2.0, v_threshold=THRESHOLDS, learn=("v_threshold", "initial_v", "tau"))},
        {"neuron": PLIF(2.0, learn=("initial_v",))}, {"norm": nbsnn.BatchNorm(affine=False, momentum=None)},
        {"norm": nbsnn.BatchNorm(bias=False, gain=0.7, running=False)},
    ],
    ids=str,
)  # fmt: skip
def test_gradients_of_other_sizes_neurons_and_options(options, constant):
    found = assert_as_plain(lambda: network(**options), images(options.get("image", (2, 6, 8)), constant))
    assert found["conv2d1/weight"].any()


@pytest.mark.parametrize("neuron", [None, Discontinuous(0.3)], ids=["states", "no state"])
def test_truncated_gradients_and_states_between_chunks(neuron):
    assert_as_plain(lambda: network(neuron=neuron), images(), chunk=2)


def test_regularised_spikes_and_records():
    def penalty(s):
        return float((s**2).sum()), 2.0 * s

    assert_as_plain(network, images(), regularizers={"lif1": penalty})
    nets = network(), network()
    learners = [learner(net, compact) for net, compact in zip(nets, (True, False), strict=True)]
    for x in (images(), images(constant=True)):
        for one, net in zip(learners, nets, strict=True):
            one.gradients(x, target(net))
        ours, theirs = (one.net.record(one.tape, "lif1") for one in learners)
        for name in ("spikes", "v"):
            np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, err_msg=name)
        fused = learners[0].net
        assert fused.rate(learners[0].tape, "lif1") == pytest.approx(theirs["spikes"].mean(), rel=1e-12)
        assert 0.0 < theirs["spikes"].mean() < 1.0
    with pytest.raises(KeyError, match="records nothing called"):
        fused.record(learners[0].tape, "maxpool2d1/v")


def test_groups_and_threads_change_no_bit(monkeypatch):
    found = []
    for lanes, threads in ((4096, 1), (1, 1), (200, 2), (4096, 3)):
        monkeypatch.setattr(normalized, "LANES", lanes)
        nbsnn.set_threads(threads)
        net = network(dtype=np.float32)
        value, grads = learner(net).gradients(images(dtype=np.float32), target(net, np.float32))
        found.append({"value": value, **grads})
    nbsnn.set_threads(None)
    for others in found[1:]:
        for name, g in found[0].items():
            np.testing.assert_array_equal(others[name], g, err_msg=name)


@pytest.mark.long
def test_gradients_by_finite_differences():
    net = network(PLIF(2.0, v_threshold=0.4)).twin(smooth=True)
    one, x = learner(net), images()
    value, grads = one.gradients(x, target(net))
    for name, parameter in net.parameters().items():
        flat, g, place = parameter.reshape(-1), grads[name].copy().reshape(-1), parameter.size // 2
        before, sides = flat[place], []
        for step in (1e-5, -1e-5):
            flat[place] = before + step
            sides.append(one.gradients(x, target(net))[0])
        flat[place] = before
        assert g[place] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-5, abs=1e-9), name
    assert value == one.gradients(x, target(net))[0]


def test_evaluation_takes_running_statistics_and_moves_nothing():
    net, x = network(dtype=np.float32), images(dtype=np.float32)
    one = learner(net)
    one.gradients(x, target(net, np.float32))
    before = {name: array.copy() for name, array in net.all_buffers().items()}
    y, final = one.net.forward(x, one.net.initial(B), {})
    np.testing.assert_array_equal(y, net.run(x).output)
    assert not final
    for name, array in net.all_buffers().items():
        np.testing.assert_array_equal(array, before[name])


def test_what_it_refuses():
    net = network()
    one = nbsnn.BPTT(net, step_mse)
    small = nbsnn.BPTT(nbsnn.Sequential(nbsnn.BatchNorm(), LIF(), input_shape=(2, 1, 1)), step_mse)
    with pytest.raises(ValueError, match="needs more than one number of each channel"):
        small.gradients(np.ones((1, 1, 2, 1, 1), np.float32), np.ones((1, 1, 2, 1, 1), np.float32))
    one.gradients(images(), target(net))
    with pytest.raises(NotImplementedError, match="no gradient with respect to its final state"):
        one.net.backward(target(net), one.tape, one.grads, after={"lif1": {"v": np.zeros((B, 3, 6, 8))}})
    with pytest.raises(ValueError, match="a loss may depend on outputs"):
        one.net.backward(target(net), one.tape, one.grads, inject={"lif1": {"v": np.zeros((T, B, 3, 6, 8))}})


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ((nbsnn.BatchNorm(), LIF(), nbsnn.MaxPool2d(2)), 3), ((nbsnn.BatchNorm(), LIF(), nbsnn.MaxPool2d(4)), 2),
        ((nbsnn.BatchNorm(), LIF(), nbsnn.MaxPool2d(2, stride=1)), 2), ((nbsnn.BatchNorm(per_step=5), LIF()), 1),
        ((nbsnn.BatchNorm(step_scale=5), LIF()), 1), ((nbsnn.BatchNorm(), nbsnn.Dropout(0.5), LIF()), 1),
    ],
    ids=str,
)  # fmt: skip
def test_which_layers_run_as_one(layers, names):
    net = nbsnn.Sequential(*layers, input_shape=(3, 6, 6))
    fused = fuse(net)
    assert (len(fused.parts[0].children) if fused is not None else 1) == names


def test_the_plan_bounds_what_is_kept_and_a_budget_holds():
    net, x = network(dtype=np.float32), images(dtype=np.float32)
    one = learner(net)
    one.gradients(x, target(net, np.float32))
    plan = one.plan(T, B)["batchnorm1", "lif1", "maxpool2d1"]
    kept = sum(array.nbytes for array in one.tape["batchnorm1"].arrays.values())
    assert kept == plan.table["outputs and errors"]
    needed = sum(plan.bytes for plan in one.plan(T, B).values())
    learner(net, max_bytes=needed).gradients(x, target(net, np.float32))
    with pytest.raises(ValueError, match=f"max_bytes is {needed - 1}, but at T = {T} and a batch of {B}"):
        learner(net, max_bytes=needed - 1).gradients(x, target(net, np.float32))
