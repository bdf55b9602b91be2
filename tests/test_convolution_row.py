"""Convolutions under a budget that is less than a whole batch takes: they go through it in pieces."""

import tracemalloc

import numpy as np
import pytest

import nbsnn
from nbsnn.layers.fused.convolution_row import cut
from nbsnn.losses import step_mse
from nbsnn.neurons import LIF, PLIF
from nbsnn.spikes.packed import PackedSpikes
from nbsnn.spikes.spike_input import SpikeInput

from .graded import GRADED
from .test_fused_convolution import network, spikes

T, B = 14, 40


@pytest.fixture(autouse=True)
def two_threads():
    """What threads work in is part of a plan."""
    nbsnn.set_threads(2)
    yield
    nbsnn.set_threads(None)


def planned(learner, rate=None):
    return sum(plan.bytes for plan in learner.plan(T, B, rate).values())


def chunk(learner):
    """How many samples go together where there are pieces."""
    found = [plan.chunk for plan in learner.plan(T, B).values() if "outputs and errors of a piece" in plan.table]
    return found[0] if found else B


def listed(x):
    step, sample, *place = np.nonzero(x)
    return SpikeInput.of(sample, step, np.ravel_multi_index(place, x.shape[2:]), x.shape)


def of(learner, x):
    """Value and gradients, copied."""
    target = np.ones((T, x.shape[1], *learner.net.shape), learner.net.setting.dtype)
    value, grads = learner.gradients(x, target)
    return {"value": np.array(value), **{name: np.array(g) for name, g in grads.items()}}


def assert_same(found, wanted):
    for name, g in wanted.items():
        np.testing.assert_array_equal(found[name], g, err_msg=name)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("share", [0.9, 0.5])
def test_gradients_have_the_same_bits_and_memory_stays_below_the_budget(threads, share):
    nbsnn.set_threads(threads)
    net, x = network(), spikes((T, B, 2, 9, 8))
    full = nbsnn.BPTT(net, step_mse)
    budget = int(share * planned(full))
    wanted = of(full, x)
    lean = nbsnn.BPTT(net, step_mse, max_bytes=budget)
    assert 1 <= chunk(lean) < B and planned(lean, 0.2) <= planned(lean) <= budget
    assert_same(of(nbsnn.BPTT(net, step_mse, max_bytes=budget), x), wanted)  # loads all code
    tracemalloc.start()
    found = [of(lean, x) for _ in range(2)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0.6 * planned(lean) < peak <= 1.15 * budget
    for each in found:
        assert_same(each, wanted)


NETS = {
    "learned": ({"neuron": PLIF(2.0, v_threshold=0.4, learn=("initial_v",))}, {}),
    "truncated": ({}, {"chunk": 5}),
    "a parameter of each unit": (
        {"neuron": LIF(2.0, v_threshold=0.4, learn=("tau", "initial_v")), "pool": 0},
        {"chunk": 9},
    ),
    "regularised": ({"pool": 0}, {"regularizers": {"lif1": lambda s: (float((s**2).sum()), 2.0 * s)}}),
}


@pytest.mark.parametrize("kind", list(NETS))
def test_same_bits(kind):
    options, more = NETS[kind]
    net, x = network(**options), spikes((T, B, 2, 9, 8))
    full = nbsnn.BPTT(net, step_mse, **more)
    lean = nbsnn.BPTT(net, step_mse, max_bytes=int(0.85 * planned(full)), **more)
    assert chunk(lean) < B
    wanted = of(full, x)
    assert_same(of(lean, x), wanted)
    assert_same(of(lean, listed(x)), wanted)
    for name in ("lif1", "lif2") if kind != "learned" else ("plif1", "plif2"):
        assert lean.net.rate(lean.tape, name) == full.net.rate(full.tape, name) > 0.0
        for variable in ("spikes", "v"):
            found, right = (learner.net.record(learner.tape, name)[variable] for learner in (lean, full))
            np.testing.assert_array_equal(found, right)


@pytest.mark.parametrize(
    "layers",
    [
        (nbsnn.Conv2d(2, 5, 3, path="events"), LIF(2.0, v_threshold=0.4), nbsnn.AvgPool2d(2), nbsnn.Flatten()),
        (nbsnn.MaxPool2d(2), nbsnn.Conv2d(2, 5, 3, path="events"), LIF(2.0, v_threshold=0.4), nbsnn.Flatten()),
    ],
    ids=["before a layer that keeps all", "after one"],
)  # fmt: skip
def test_neighbours_that_keep_all(layers):
    net, x = nbsnn.Sequential(*layers, input_shape=(2, 9, 8), dtype=np.float64), spikes((T, B, 2, 9, 8))
    full = nbsnn.BPTT(net, step_mse)
    lean = nbsnn.BPTT(net, step_mse, max_bytes=int(0.9 * planned(full)))
    assert chunk(lean) < B
    assert_same(of(lean, x), of(full, x))


def test_a_batch_that_fits_runs_whole_and_gives_memory_back():
    net = network()
    lean = nbsnn.BPTT(net, step_mse, max_bytes=int(0.6 * planned(nbsnn.BPTT(net, step_mse))))
    for batch, whole in ((B, False), (12, True), (B, False)):
        x = spikes((T, batch, 2, 9, 8))
        assert_same(of(lean, x), of(nbsnn.BPTT(net, step_mse), x))
        assert ("conv2d1" in lean.tape) == whole != ("conv2d1 in pieces" in lean.tape)


def test_what_cannot_go_in_pieces_is_refused_by_name():
    net = network(path="auto")
    needed, x = planned(nbsnn.BPTT(net, step_mse)), spikes((T, B, 2, 9, 8))
    lean = nbsnn.BPTT(net, step_mse, max_bytes=needed // 2)
    for given in (x * 0.5, spikes((T, B, 2, 9, 8), 0.7), np.broadcast_to(x[:1], x.shape)):
        with pytest.raises(ValueError, match=f"max_bytes is {needed // 2}, but the input of conv2d1 is no spikes"):
            of(lean, given)
    with pytest.raises(ValueError, match=r"conv2d1, conv2d2, a sample at a time, about .* use a smaller batch"):
        nbsnn.BPTT(net, step_mse, max_bytes=needed // 9).plan(T, B)
    with pytest.raises(ValueError, match=f"max_bytes is {needed // 5}, but .* and other layers leave"):
        nbsnn.BPTT(net, step_mse, max_bytes=needed // 5).plan(T, B)
    other = network(GRADED)  # puts out other numbers than spikes
    with pytest.raises(ValueError, match="conv2d1 is no spikes, or too many"):
        of(nbsnn.BPTT(other, step_mse, max_bytes=planned(nbsnn.BPTT(other, step_mse)) // 2), x)


@pytest.mark.parametrize(("batch", "cuts"), [(32, 5), (9, 2), (3, 3), (41, 40), (8, 1), (64, 3)])
def test_samples_of_each_part_of_the_sums_come_in_order(batch, cuts):
    pieces, parts = cut(batch, cuts), min(batch, 8)
    assert len(pieces) == cuts and sorted(np.concatenate(pieces)) == list(range(batch))
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
    for k in range(parts):
        own = range(batch * k // parts, batch * (k + 1) // parts)
        assert [b for piece in pieces for b in piece if b in own] == list(own)
    for piece in pieces:  # each has some of all parts, as far as it goes
        found = np.unique(np.searchsorted([batch * (k + 1) // parts for k in range(parts)], piece, "right"))
        assert len(found) >= min(parts, len(piece)) - (batch % parts > 0)


def test_spikes_as_numbers_are_few_where_an_array_of_them_would_be():
    x = np.zeros((16, 32, 8), np.float32)
    x[:, ::8] = 1.0  # in the rows that are looked at, all
    for given in (x, x[:, ::-1].copy(), x * (np.arange(8) < 3)):
        packed, few = PackedSpikes(16, 32, 8, {}), PackedSpikes.of(given, {}, 0.3) is not None
        packed.put(np.arange(32), given, {})
        packed.as_numbers = True
        assert packed.find(0.3) == few
    assert PackedSpikes.of(x, {}, 0.3) is None and PackedSpikes.of(x[:, ::-1].copy(), {}, 0.3) is not None
