"""What holds for every layer without a population, one kind after the other: gradients, copies, files, devices."""

import copy
import json
import pickle
from dataclasses import is_dataclass

import numpy as np
import pytest

import nbsnn
from nbsnn import BPTT, losses
from nbsnn.device import gpu
from nbsnn.device.threads import threads
from nbsnn.neurons import LI, LIF

KINDS = {  # name -> how to make it, shape of its input
    "reshape": (lambda: nbsnn.Reshape((2, 3)), (6,)),
    "relu": (nbsnn.ReLU, (3, 2)),
    "standardised": (lambda: nbsnn.WSDense(5, 3), (5,)),
    "standardised, plain": (lambda: nbsnn.WSDense(5, 3, bias=False, gain=False, eps=0.1), (5,)),
    "standardised conv": (lambda: nbsnn.WSConv2d(2, 4, 3, padding=1, groups=2), (2, 4, 5)),
    "learned delays": (lambda: nbsnn.LearnedDelays(5, 3, 4, sigma=0.7), (5,)),
    "delays of points": (lambda: nbsnn.LearnedDelays(5, 3, 2, sigma=0.0, bias=False), (5,)),
    "quantised": (lambda: nbsnn.QuantDense(5, 3, bits=4), (5,)),
    "quantised conv": (lambda: nbsnn.QuantConv2d(2, 4, 3, padding=1, groups=2, bits=6), (2, 4, 5)),
    "rounded": (lambda: nbsnn.Rounded(bits=6, fraction=3), (3, 2)),
    "reflect": (lambda: nbsnn.Conv2d(2, 4, (3, 2), padding=(2, 1), padding_mode="reflect", groups=2), (2, 4, 5)),
    "replicate": (lambda: nbsnn.Conv2d(2, 3, 4, padding="same", padding_mode="replicate"), (2, 4, 5)),
    "circular": (lambda: nbsnn.Conv1d(2, 3, 3, padding=2, stride=2, padding_mode="circular"), (2, 5)),
    "convtranspose1d": (lambda: nbsnn.ConvTranspose1d(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 4)),
    "convtranspose2d": (lambda: nbsnn.ConvTranspose2d(2, 4, 3, stride=(2, 1), dilation=2, groups=2), (2, 3, 2)),
    "sum ceil": (lambda: nbsnn.SumPool2d((2, 3), 2, (0, 1), ceil_mode=True), (2, 5, 4)),
    "avg of the image": (lambda: nbsnn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), (2, 6, 4)),
    "avg divided": (lambda: nbsnn.AvgPool2d(2, divisor_override=3), (2, 4, 4)),
    "max dilated": (lambda: nbsnn.MaxPool2d(2, 1, 1, dilation=(2, 1), ceil_mode=True), (2, 5, 4)),
    "avgpool1d": (lambda: nbsnn.AvgPool1d(3, 2, 1), (2, 7)),
    "sumpool1d": (lambda: nbsnn.SumPool1d(3, ceil_mode=True), (2, 7)),
    "maxpool1d": (lambda: nbsnn.MaxPool1d(2, 1, dilation=2), (2, 6)),
    "adaptive avg": (lambda: nbsnn.AdaptiveAvgPool((2, 3)), (2, 3, 4)),
    "adaptive max": (lambda: nbsnn.AdaptiveMaxPool(3), (2, 5)),
    "global avg": (nbsnn.GlobalAvgPool, (2, 3, 4)),
    "global max": (nbsnn.GlobalMaxPool, (2, 5)),
    "global sum": (nbsnn.GlobalSumPool, (2, 3, 2)),
    "upsample nearest": (lambda: nbsnn.Upsample(scale_factor=2), (2, 3)),
    "upsample exact": (lambda: nbsnn.Upsample(size=(5, 3), mode="nearest-exact"), (2, 3, 5)),
    "upsample linear": (lambda: nbsnn.Upsample(scale_factor=(1.5, 2.0), mode="linear"), (2, 3, 2)),
    "upsample aligned": (lambda: nbsnn.Upsample(size=4, mode="linear", align_corners=True), (1, 3, 3)),
    "batch norm": (nbsnn.BatchNorm, (3, 2)),
    "batch norm, cumulative": (lambda: nbsnn.BatchNorm(momentum=None, affine=False), (4,)),
    "batch norm, own": (lambda: nbsnn.BatchNorm(running=False, bias=False, eps=0.1), (2, 2, 2)),
    "tdbn": (lambda: nbsnn.BatchNorm(gain=0.5, momentum=0.5), (3,)),
    "bntt": (lambda: nbsnn.BatchNorm(per_step=5, bias=False), (3, 2)),
    "bntt, affine": (lambda: nbsnn.BatchNorm(per_step=4), (3,)),
    "tebn": (lambda: nbsnn.BatchNorm(step_scale=4), (3, 2)),
    "layer norm": (nbsnn.LayerNorm, (3, 2)),
    "layer norm, last": (lambda: nbsnn.LayerNorm(4, bias=False, eps=0.01), (3, 4)),
    "group norm": (lambda: nbsnn.GroupNorm(2), (4, 3)),
    "group norm, vectors": (lambda: nbsnn.GroupNorm(2, affine=False), (6,)),
    "instance norm": (lambda: nbsnn.InstanceNorm(affine=True), (2, 2, 3)),
}
ON_GPU = {
    "relu",
    "reshape",
    "sum ceil",
    "avg divided",
    "max dilated",
    "sumpool1d",
    "avgpool1d",
    "maxpool1d",
}


def one(kind, **options):
    make, shape = KINDS[kind]
    return nbsnn.Sequential(layer=make(), input_shape=shape, **{"seed": 1, "dtype": "f8", **options})


def whole(kind, **options):
    """It between two connections and populations, so that learners have stacks before and behind it."""
    make, shape = KINDS[kind]
    size = int(np.prod(shape))
    parts = {"first": nbsnn.Dense(5, size), "hidden": LIF(3.0, 0.4), "shape": nbsnn.Reshape(shape), "layer": make()}
    size = int(np.prod(one(kind).shape))
    parts |= {"flat": nbsnn.Flatten(), "second": nbsnn.Dense(size, 3), "end": LI(3.0)}
    return nbsnn.Sequential(**parts, **{"seed": 1, "dtype": "f8", **options})


def batch(shape, steps=4, samples=3):
    return np.random.default_rng(0).normal(0.4, 1.0, (steps, samples, *shape))


def trained(net):
    """The network after a batch in training mode, and what it gives."""
    tape, grads, x = {}, net.zeros(), batch(net.in_shape).astype(net.setting.dtype)
    y, _ = net.forward(x, net.initial(3), tape, nbsnn.random.Draws(0))
    gx, _ = net.backward(np.cos(y), tape, grads)
    return y, gx, grads


def trained_there(net):
    """As ``trained``, on a GPU."""
    tape, x = {}, gpu.put(batch(net.in_shape))
    y, _ = net.forward(x, net.initial(3), tape, nbsnn.random.Draws(0))
    gx, _ = net.backward(gpu.put(np.cos(gpu.get(y))), tape, net.zeros())
    return gpu.get(y), gpu.get(gx), {}


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_in_training_mode(kind):
    nbsnn.check(one(kind), trials=1)
    static = np.broadcast_to(batch(KINDS[kind][1], 1), (4, 3, *KINDS[kind][1]))
    nbsnn.check(one(kind), static, trials=1)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_and_files_keep_every_array(kind, tmp_path):
    net = one(kind, device="python")
    trained(net)
    for name, array in net.parameters().items():
        array += 0.1 * np.random.default_rng(len(name)).random(array.shape)
    net.confine()  # delays stay in range
    nbsnn.save(net, tmp_path / "net.npz")
    loaded = nbsnn.load(tmp_path / "net.npz")
    x = batch(net.in_shape)
    for other in (loaded, net.twin(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other.parameters().keys() == net.parameters().keys()
        for mine, its in ((net.parameters(), other.parameters()), (net.all_buffers(), other.all_buffers())):
            assert mine.keys() == its.keys()
            assert all((array == its[name]).all() and array is not its[name] for name, array in mine.items())
        np.testing.assert_allclose(other.run(x).output, net.run(x).output, rtol=1e-12)
    single = net.twin(dtype=np.float32)
    np.testing.assert_allclose(single.run(x).output, net.run(x).output, rtol=1e-4, atol=1e-5)
    assert {a.dtype for a in single.parameters().values()} <= {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", KINDS)
def test_options_make_the_layer_again(kind):
    layer = KINDS[kind][0]()
    again = type(layer)(**json.loads(json.dumps(layer.options())))
    assert repr(again) == repr(layer) == repr(eval(repr(layer), dict(vars(nbsnn))))
    assert again.options() == layer.options()


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_in_pieces_is_the_run_as_a_whole(kind):
    if kind == "batch norm, own":
        pytest.skip("without running statistics, those of what is run are taken")
    net = one(kind, device="python")
    x = batch(net.in_shape)
    run = net.run(x)
    first = net.run(x[:1])
    np.testing.assert_array_equal(np.concatenate([first.output, net.run(x[1:], first.state).output]), run.output)
    static = np.broadcast_to(x[:1], x.shape)
    np.testing.assert_allclose(net.run(static).output, net.run(static.copy()).output, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_stacks_threads_and_devices_agree(kind):
    x, labels, found = batch((5,)), np.array([0, 1, 2]), {}
    for name, options in {"python": {"device": "python"}, "plain": {"compact": False}, "stack": {}}.items():
        compact = {"compact": options.pop("compact")} if "compact" in options else {}
        learner = BPTT(whole(kind, **options), losses.sum_cross_entropy, seed=3, **compact)
        found[name] = learner.gradients(x, labels)[1]
    for name in ("plain", "stack"):
        for key, g in found["python"].items():
            scale = np.abs(g).max() + 1e-9
            np.testing.assert_allclose(found[name][key], g, rtol=0, atol=1e-9 * scale, err_msg=f"{name} {key}")
    before = threads()
    try:
        nbsnn.set_threads(1)
        again = BPTT(whole(kind), losses.sum_cross_entropy, seed=3).gradients(x, labels)[1]
    finally:
        nbsnn.set_threads(before)
    assert all((again[key] == g).all() for key, g in found["stack"].items())


@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_has_it_or_says_that_it_has_not(kind):
    if kind not in ON_GPU:
        with pytest.raises(NotImplementedError, match=r"computes with NumPy arrays alone|no counterpart"):
            one(kind, device="cuda")
        return
    here, there = one(kind, device="python"), one(kind, device="cuda")
    x = batch(here.in_shape)
    np.testing.assert_allclose(there.run(x).output, here.run(x).output, rtol=1e-10, atol=1e-12)
    (_, gx, _), (_, found, _) = trained(here), trained_there(there)
    np.testing.assert_allclose(found, gx, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_plans_count_what_is_kept(kind):
    net = one(kind, device="python")
    tape = {}
    net.forward(batch(net.in_shape), net.initial(3), tape, nbsnn.random.Draws(0))
    held = {id(a.base if a.base is not None else a): a.nbytes for a in arrays_in(tape["layer"])}
    planned = net["layer"].tape_bytes(4, 3)
    assert sum(held.values()) <= planned + 4096, (sum(held.values()), planned)


def arrays_in(nested):
    nested = vars(nested) if is_dataclass(nested) else nested
    for value in nested.values() if isinstance(nested, dict) else nested if isinstance(nested, (list, tuple)) else ():
        if isinstance(value, np.ndarray):
            yield value
        else:
            yield from arrays_in(value)


@pytest.mark.parametrize("pool", [nbsnn.MaxPool2d, nbsnn.SumPool2d])
def test_the_plan_of_a_convolutional_network_is_what_a_step_takes(pool):
    layers = nbsnn.Conv2d(2, 6, 3), LIF(), pool(2), nbsnn.Conv2d(6, 8, 3), LIF(), pool(2), nbsnn.Flatten()
    net = nbsnn.Sequential(*layers, input_shape=(2, 14, 14), seed=0, device="python")
    learner = BPTT(net, losses.rate_cross_entropy)
    learner.step((np.random.default_rng(0).random((6, 3, 2, 14, 14)) < 0.2).astype(np.float32), np.array([0, 1, 2]))
    held = {}
    for array in arrays_in(learner.tape):
        while isinstance(array.base, np.ndarray):
            array = array.base
        held[id(array)] = array.nbytes
    planned = sum(plan.bytes for plan in learner.plan(6, 3).values())
    assert 0.85 < planned / sum(held.values()) < 1.15
