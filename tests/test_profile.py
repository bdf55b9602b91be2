"""Profiles: parts add up to the whole, and nothing is measured without one."""

import time

import numpy as np
import pytest

import nbsnn
from nbsnn.device.profile import profile, span


def test_spans_add_up_and_inner_ones_count_for_themselves(monkeypatch):
    now = 5.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    with profile() as where:
        for _ in range(2):
            with span("outer", bytes=1e6, ops=1e3):
                now += 0.01
                with span("inner"):
                    now += 0.03
        now += 0.025
    outer, inner = where.parts["outer"], where.parts["inner"]
    assert outer.calls == inner.calls == 2
    assert (outer.bytes, outer.ops) == (2e6, 2e3)
    np.testing.assert_allclose([outer.seconds, inner.seconds, where.seconds], [0.02, 0.06, 0.105])
    lines = str(where).splitlines()
    assert [line.split()[0] for line in lines] == ["part", "inner", "outer", "other", "together"]


def test_without_a_profile_a_span_does_nothing():
    with span("nothing"):
        pass
    with profile() as where:
        pass
    assert not where.parts


def test_profiles_do_not_nest_and_close_after_an_error():
    with pytest.raises(RuntimeError, match="open already"), profile(), profile():
        pass
    with profile() as where, span("fine"):
        pass
    assert list(where.parts) == ["fine"]


def test_convolution_and_pooling_are_parts_of_a_training_step():
    layers = nbsnn.Conv2d(1, 2, 3), nbsnn.neurons.LIF(), nbsnn.MaxPool2d(2), nbsnn.BatchNorm(), nbsnn.Flatten()
    net = nbsnn.Sequential(*layers, input_shape=(1, 6, 6), seed=0, device="python")
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
    with profile() as where:
        learner.step(np.ones((2, 2, 1, 6, 6)), np.array([0, 1]))
    for kind in ("conv2d", "maxpool2d", "batchnorm"):
        assert where.parts[kind].calls == where.parts[f"{kind}, reverse"].calls == 1
        assert where.parts[f"{kind}, reverse"].seconds > 0.0


@pytest.mark.parametrize("compact", [False, True])
def test_a_training_step_by_parts(compact):
    net = nbsnn.Sequential(nbsnn.Dense(20, 30), nbsnn.neurons.LIF(), nbsnn.Dense(30, 4), nbsnn.neurons.LI(), seed=0)
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, compact=compact)
    x, labels = (np.random.default_rng(0).random((8, 3, 20)) < 0.2).astype(np.float32), np.array([0, 1, 2])
    learner.step(x, labels)
    with profile() as where:
        learner.step(x, labels)
    own = {"lif1 forward", "lif1 backward", "li1 forward", "events"} if compact else {"neurons", "products"}
    names = {name.split(",")[0] for name in where.parts}  # "lif1 backward, dense1 gradient" where one loop does both
    assert own | {"loss", "optimiser", "check of the input"} <= names
    assert sum(part.seconds for part in where.parts.values()) <= where.seconds
