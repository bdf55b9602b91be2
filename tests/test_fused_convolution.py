"""Convolution, population and maximum that run as one against the same layers by themselves."""

import numpy as np
import pytest
from numpy.typing import DTypeLike

import nbsnn
from nbsnn.layers.fused import convolution
from nbsnn.layers.fused.convolution import FusedConvolution
from nbsnn.layers.fused.network import fuse
from nbsnn.losses import step_mse
from nbsnn.neurons import LI, LIF, PLIF, Discontinuous
from nbsnn.spikes.spike_input import SpikeInput

from .graded import GRADED

T, B = 14, 9


def spikes(shape, rate=0.2, dtype: DTypeLike = np.float64):
    return (np.random.default_rng(0).random(shape) < rate).astype(dtype)


def network(neuron=None, *, image=(2, 9, 8), dtype: DTypeLike = np.float64, path="events", pool=2, after=20, **options):
    """Two of them, of which the second has more channels than go into a vector, and a readout."""
    neuron = LIF(2.0, v_threshold=0.4) if neuron is None else neuron
    pools = [[nbsnn.MaxPool2d(pool)] if pool else [] for _ in range(2)]
    layers = [nbsnn.Conv2d(image[0], 5, 3, path=path, **options), neuron, *pools[0]]
    layers += [nbsnn.Conv2d(5, after, 2, path=path), neuron, *pools[1], nbsnn.Flatten()]
    flat = nbsnn.Sequential(*layers, input_shape=image)
    return nbsnn.Sequential(*layers, nbsnn.Dense(flat.shape[0], 3), LI(2.0), input_shape=image, dtype=dtype, seed=1)


def both(net, x, **options):
    """Value and gradients of both ways."""
    target, found = np.ones((T, x.shape[1], 3), x.dtype), []
    for compact in (True, False):
        learner = nbsnn.BPTT(net, step_mse, compact=compact, **options)
        found.append(learner.gradients(x, target))
        if compact:
            assert [type(part) for part in learner.net.parts][:2] == [FusedConvolution] * 2
    return found


def assert_equal(found, rtol=1e-10):
    (value, grads), (wanted, others) = found
    assert value == pytest.approx(wanted, rel=rtol)
    for name, g in others.items():
        np.testing.assert_allclose(grads[name], g, rtol=rtol, atol=rtol * np.abs(others[name]).max(), err_msg=name)


@pytest.mark.parametrize(
    "part", [pytest.param("first", marks=pytest.mark.long), "second", "regularised", "firing by itself"]
)
def test_in_small_with_checkpoints_of_few_steps(part, monkeypatch):
    monkeypatch.setattr(convolution, "EVERY", 2)
    channels, threshold = 3, np.random.default_rng(3).uniform(0.2, 0.5, (3, 3, 2))
    if part == "regularised":
        channels, threshold = 17, 0.3
    neuron = LIF(2.0, v_threshold=-0.5 if "firing" in part else threshold, learn=("tau", "initial_v"))
    layers = [nbsnn.Conv2d(2, channels, 2, path="events"), neuron, nbsnn.MaxPool2d(2), nbsnn.Flatten()]
    if part == "second":  # whose input asks for its errors
        layers = [nbsnn.Conv2d(2, 2, 1, path="dense"), LIF(2.0, v_threshold=0.3), *layers]
    net, x = nbsnn.Sequential(*layers, input_shape=(2, 4, 3), dtype=np.float64, seed=2), spikes((5, 2, 2, 4, 3), 0.3)
    pull = {"regularizers": {"lif1": lambda s: (float((s**2).sum()), 2.0 * s)}} if part == "regularised" else {}
    target, found = np.full((5, 2, *net.shape), 0.5), []
    for chunk in (3, None) if not pull else (None,):
        ways = (nbsnn.BPTT(net, step_mse, compact=compact, chunk=chunk, **pull) for compact in (True, False))
        found = [learner.gradients(x, target) for learner in ways]
        assert_equal(found)
    assert found[0][1]["conv2d1/weight"].any() and found[0][1]["lif2/tau" if part == "second" else "lif1/tau"]


@pytest.mark.parametrize(
    "options",
    [
        {}, {"pool": 0}, {"pool": 3, "image": (1, 14, 15)}, {"padding": (2, 1)}, {"padding": "same", "bias": False},
        {"image": (17, 9, 8)}, {"after": 64}, {"after": 120, "padding": "same"},
    ],
    ids=str,
)  # fmt: skip
def test_gradients_are_those_of_the_layers_one_by_one(options):
    net = network(**options)
    assert_equal(both(net, spikes((T, B, *net.in_shape))))


def test_learned_parameters_and_those_of_units():
    threshold = np.random.default_rng(0).uniform(0.2, 0.6, (5, 7, 6))
    first, second = PLIF(2.0, v_threshold=threshold, learn=("initial_v",)), LIF(2.0, learn=("tau", "v_threshold"))
    net = nbsnn.Sequential(
        nbsnn.Conv2d(2, 5, 3, path="events"), first, nbsnn.MaxPool2d(2), nbsnn.Conv2d(5, 20, 2, path="events"), second,
        nbsnn.Flatten(), nbsnn.Dense(80, 3), LI(2.0), input_shape=(2, 9, 8), dtype=np.float64, seed=1,
    )  # fmt: skip
    assert_equal(both(net, spikes((T, B, 2, 9, 8))))


@pytest.mark.parametrize(("batch", "neuron"), [(1, None), (9, None), (1, Discontinuous(0.3))], ids=str)
def test_truncated_gradients_and_states_between_chunks(batch, neuron):
    net = network(neuron)
    assert_equal(both(net, spikes((T, batch, 2, 9, 8)), chunk=5))


def test_regularised_spikes_and_records():
    net, x = network(), spikes((T, B, 2, 9, 8))

    def penalty(s):
        return float((s**2).sum()), 2.0 * s

    learners = [nbsnn.BPTT(net, step_mse, regularizers={"lif1": penalty}, compact=c) for c in (True, False)]
    found = [learner.gradients(x, np.ones((T, B, 3))) for learner in learners]
    assert_equal(found)
    ours, theirs = (learner.net.record(learner.tape, "lif1") for learner in learners)
    for name in ("spikes", "v"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-12, err_msg=name)
    with pytest.raises(KeyError, match="records nothing called"):
        learners[0].net.record(learners[0].tape, "conv2d1/v")


def test_threads_and_float32_change_nothing_but_precision():
    x, results = spikes((T, B, 2, 9, 8), dtype=np.float32), []
    for threads in (1, 2, 3):
        nbsnn.set_threads(threads)
        results.append(both(network(dtype=np.float32), x))
    nbsnn.set_threads(None)
    assert_equal(results[0], 1e-4)
    for found, _ in results[1:]:
        for name, g in results[0][0][1].items():
            np.testing.assert_array_equal(found[1][name], g)


def test_what_is_no_spikes_or_too_many_runs_layer_by_layer():
    net = network(path="auto")
    learner = nbsnn.BPTT(net, step_mse)
    (part, *_), wide = learner.net.parts, (T, 60, 2, 9, 8)
    for x, as_one in (
        (spikes(wide), True),
        (spikes(wide) * 0.5, False),
        (spikes(wide, 0.7), False),
        (np.broadcast_to(spikes(wide)[:1], wide), False),
        (spikes((T, 2, 2, 9, 8)), False),
        (spikes(wide), True),
    ):
        found = learner.gradients(x, np.ones((T, x.shape[1], 3)))
        assert (learner.tape["conv2d1"].spikes is not None) == as_one
        assert_equal([found, nbsnn.BPTT(net, step_mse, compact=False).gradients(x, np.ones((T, x.shape[1], 3)))])
    assert part.names == ["conv2d1", "lif1", "maxpool2d1"]


@pytest.mark.parametrize("rate", [0.1, 0.7])
@pytest.mark.parametrize("chunk", [None, 5])
def test_listed_spikes_have_the_bits_of_their_array(rate, chunk):
    x, found = spikes((T, 60, 2, 9, 8), rate), []
    step, sample, *place = np.nonzero(x)
    listed = SpikeInput.of(sample, step, np.ravel_multi_index(place, x.shape[2:]), x.shape)
    for given in (x, listed):
        learner = nbsnn.BPTT(network(path="auto"), step_mse, chunk=chunk)
        value, grads = learner.gradients(given, np.ones((T, 60, 3)))
        assert chunk or (learner.tape["conv2d1"].spikes is not None) == (rate < 0.5)
        grads["v"], grads["value"] = learner.net.record(learner.tape, "lif1")["v"], np.array(value)
        found.append({name: np.array(g) for name, g in grads.items()})
    for name, g in found[0].items():
        np.testing.assert_array_equal(found[1][name], g, err_msg=name)


@pytest.mark.parametrize("path", ["events", "dense"])
def test_rates_are_those_of_the_spikes(path):
    net, x = network(LIF(2.0, v_threshold=-0.1), path=path), spikes((T, B, 2, 9, 8))  # lanes that fill up fire, too
    learner = nbsnn.BPTT(net, step_mse)
    learner.gradients(x, np.ones((T, B, 3)))
    for name in ("lif1", "lif2"):
        wanted = net.run(x)[name]["spikes"].mean()
        assert learner.net.rate(learner.tape, name) == pytest.approx(wanted, rel=1e-12) and wanted > 0.0


def test_fit_measures_with_the_layers_run_as_one(monkeypatch):
    net, x = network(dtype=np.float32), spikes((B, T, 2, 9, 8), dtype=np.float32)
    learner, ran = nbsnn.BPTT(net, "rate_cross_entropy", nbsnn.optim.SGD(0.0)), []
    forward = FusedConvolution.forward
    monkeypatch.setattr(
        FusedConvolution, "forward", lambda self, x, *rest: ran.append(len(x)) or forward(self, x, *rest)
    )
    labels = np.arange(B) % 3
    history = nbsnn.fit(net, (x, labels), (x, labels), learner=learner, epochs=1, batch_size=5, progress=False)
    assert len(ran) == 2 * (2 + 2)  # parts, batches of training and of the test
    run = net.run(x.swapaxes(0, 1))
    assert history["test_accuracy"] == [(run.output.sum(axis=0).argmax(axis=1) == labels).mean()]
    assert history["rate/lif2"] == [pytest.approx(run["lif2"]["spikes"].mean(), rel=1e-5)]


def test_a_population_that_puts_out_other_numbers_than_spikes_runs_layer_by_layer():
    net = network(GRADED)
    assert_equal(both(net, spikes((T, B, 2, 9, 8))))


@pytest.mark.parametrize(
    ("pool", "names"),
    [
        (nbsnn.MaxPool2d(2), 3), (nbsnn.MaxPool2d(2, stride=1), 2), (nbsnn.MaxPool2d(2, padding=1), 2),
        (nbsnn.MaxPool2d(3, ceil_mode=True), 2), (nbsnn.MaxPool2d(2, dilation=2), 2), (nbsnn.AvgPool2d(2), 2),
    ],
    ids=str,
)  # fmt: skip
def test_maxima_over_windows_side_by_side_belong_to_it(pool, names):
    net = nbsnn.Sequential(nbsnn.Conv2d(1, 4, 3), LIF(2.0), pool, input_shape=(1, 9, 9))
    assert len(fuse(net).parts[0].children) == names


@pytest.mark.parametrize(
    "layers",
    [
        (nbsnn.Conv2d(1, 4, 3, path="dense"), LIF(2.0)), (nbsnn.Conv2d(1, 4, 3, stride=2), LIF(2.0)),
        (nbsnn.Conv2d(1, 4, 3), LI(2.0)), (nbsnn.Conv2d(1, 4, 3), nbsnn.LayerNorm(), LIF(2.0)),
    ],
    ids=str,
)  # fmt: skip
def test_other_layers_stay_by_themselves(layers):
    net = nbsnn.Sequential(*layers, input_shape=(1, 9, 9))
    assert fuse(net) is None


def test_the_plan_bounds_what_is_kept_and_a_budget_below_it_is_refused():
    net, x = network(dtype=np.float32), spikes((T, B, 2, 9, 8), dtype=np.float32)
    learner = nbsnn.BPTT(net, step_mse)
    learner.gradients(x, np.ones((T, B, 3), np.float32))
    for names, plan in list(learner.plan(T, B).items())[:2]:
        arrays = dict(learner.tape[names[0]].arrays)
        arrays |= arrays.pop("packed")
        kept = sum(array.nbytes for array in arrays.values())
        rooms = plan.table["room of threads"] + plan.table["weights and their gradients"]
        assert 0.2 * (plan.bytes - rooms) < kept <= plan.bytes
    needed = sum(plan.bytes for plan in learner.plan(T, B).values())
    nbsnn.BPTT(net, step_mse, max_bytes=2 * needed).gradients(x, np.ones((T, B, 3), np.float32))
    with pytest.raises(ValueError, match="max_bytes is 1000"):
        nbsnn.BPTT(net, step_mse, max_bytes=1000).gradients(x, np.ones((T, B, 3), np.float32))


def test_a_budget_holds_where_the_layers_run_one_by_one():
    net = network(dtype=np.float32)
    needed = sum(plan.bytes for plan in nbsnn.BPTT(net, step_mse).plan(T, 60).values())
    learner = nbsnn.BPTT(net, step_mse, max_bytes=needed)
    learner.gradients(spikes((T, 60, 2, 9, 8), dtype=np.float32), np.ones((T, 60, 3), np.float32))
    with pytest.raises(ValueError, match="the input of conv2d1 is no spikes, or too many"):
        learner.gradients(np.full((T, 60, 2, 9, 8), 0.5, np.float32) * np.arange(T)[:, None, None, None, None], None)


@pytest.mark.parametrize(
    "layers",
    [
        (nbsnn.Conv2d(2, 2, 3), nbsnn.BatchNorm(), LIF(), nbsnn.Flatten()),
        (nbsnn.Flatten(), nbsnn.LearnedDelays(144, 3, 4), LIF()),
        (nbsnn.Flatten(), nbsnn.TemporalConv(144, 3, 2), nbsnn.Recurrent(LIF())),
    ],
    ids=["none", "delays", "a loop"],
)
def test_a_budget_holds_where_nothing_is_recomputed(layers):
    net, x = nbsnn.Sequential(*layers, input_shape=(2, 9, 8)), spikes((T, B, 2, 9, 8), 0.02, np.float32)
    needed = sum(plan.bytes for plan in nbsnn.BPTT(net, step_mse).plan(T, B).values())
    target = np.ones((T, B, *net.shape), np.float32)
    nbsnn.BPTT(net, step_mse, max_bytes=needed).gradients(x, target)
    learner = nbsnn.BPTT(net, step_mse, max_bytes=needed - 1)
    for call in (lambda: learner.gradients(x, target), lambda: learner.plan(T, B)):
        with pytest.raises(ValueError, match=f"max_bytes is {needed - 1}, but at T = {T} and a batch of {B}"):
            call()
