"""What a training step takes in memory, against its plan at the share of ones that the input has."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LI, LIF

CODE = """
import ctypes, gc, numpy as np, nbsnn
from pathlib import Path
from tests.test_planned_memory import convolutional, spikes

def status(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024

nbsnn.set_threads(2)
net, x, y = convolutional(), spikes({rate}), np.arange(32) % 10
nbsnn.BPTT(net, "rate_cross_entropy").gradients(x[:9, :8].copy(), y[:8])  # loads all code
learner = nbsnn.BPTT(net, "rate_cross_entropy", max_bytes={max_bytes})
gc.collect()
if hasattr(ctypes.CDLL(None), "malloc_trim"):
    ctypes.CDLL(None).malloc_trim(0)  # what is free belongs to nobody
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
for _ in range(2):
    learner.gradients(x, y)
print(status("VmHWM") - before)
"""

STEPS, BATCH = 25, 32


def convolutional():
    return nbsnn.Sequential(
        nbsnn.Conv2d(1, 12, 5), LIF(tau=2.0, v_threshold=0.5), nbsnn.MaxPool2d(2),
        nbsnn.Conv2d(12, 64, 5), LIF(tau=2.0, v_threshold=0.5), nbsnn.MaxPool2d(2),
        nbsnn.Flatten(), nbsnn.Dense(1024, 10), LI(tau=2.0), input_shape=(1, 28, 28), seed=0,
    )  # fmt: skip


def spikes(rate):
    return (np.random.default_rng(0).random((STEPS, BATCH, 1, 28, 28), np.float32) < rate).astype(np.float32)


@pytest.fixture(autouse=True)
def two_threads():
    """What threads work in is part of a plan."""
    nbsnn.set_threads(2)
    yield
    nbsnn.set_threads(None)


def planned(net, rate=None, max_bytes=None):
    plans = nbsnn.BPTT(net, "rate_cross_entropy", max_bytes=max_bytes).plan(STEPS, BATCH, rate)
    return sum(plan.bytes for plan in plans.values())


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux")
def test_a_step_takes_what_is_planned():
    net, taken = convolutional(), {}
    given = {"cwd": Path(__file__).parent.parent, "capture_output": True, "text": True, "check": True}
    for rate, share in ((0.05, 1), (0.05, 1), (0.01, 1), (0.2, 1), (0.05, 2), (0.01, 2)):
        budget = planned(net) if share == 1 else planned(net, rate) // share
        run = subprocess.run([sys.executable, "-c", CODE.format(rate=rate, max_bytes=budget)], **given)
        taken[rate, budget] = int(run.stdout)  # the first compiles, which leaves memory behind
    for (rate, budget), size in taken.items():
        assert size <= budget
        assert planned(net, rate, budget) == pytest.approx(size, rel=0.15)


def test_half_of_what_is_planned_is_enough_and_gradients_have_the_same_bits():
    net, x, y = convolutional(), spikes(0.05), np.arange(BATCH) % 10
    learner = nbsnn.BPTT(net, "rate_cross_entropy", max_bytes=planned(net, 0.05) // 2)
    assert sum(plan.bytes for plan in learner.plan(STEPS, BATCH).values()) <= planned(net, 0.05) // 2
    found, wanted = (each.gradients(x, y) for each in (learner, nbsnn.BPTT(net, "rate_cross_entropy")))
    assert found[0] == wanted[0]
    for name, g in wanted[1].items():
        np.testing.assert_array_equal(found[1][name], g, err_msg=name)


@pytest.mark.parametrize("loop", [False, True])
def test_a_plan_grows_with_the_share_of_ones_until_numbers_take_their_place(loop):
    hidden = nbsnn.Recurrent(LIF(), nbsnn.Dense(300, 300)) if loop else LIF()
    net = nbsnn.Sequential(nbsnn.Dense(700, 300), hidden, nbsnn.Dense(300, 10), LI(), seed=0)
    learner = nbsnn.BPTT(net, "rate_cross_entropy")

    def table(rate):
        return next(iter(learner.plan(100, 64, rate).values())).table

    few, more, many, most = (table(rate) for rate in (0.0, 0.2, 0.9, None))
    assert few["positions of spikes"] == few["numbers for BLAS"] == 0
    rows, units = 6400, 700 + 300 * (1 + loop)
    assert more["positions of spikes"] == pytest.approx(2.125 * 0.2 * rows * units * 4, rel=1e-3)
    assert many["numbers for BLAS"] > 0
    assert bool(many["positions of spikes"]) == loop
    assert sum(most.values()) >= max(sum(table(rate).values()) for rate in np.linspace(0.0, 1.0, 21))
    for name in ("currents", "checkpoints of states", "spikes", "weights and their gradients", "outputs"):
        assert few[name] == more[name] == many[name] == most[name]


def test_a_plan_of_too_many_ones_is_that_of_layers_one_by_one():
    learner = nbsnn.BPTT(convolutional(), "rate_cross_entropy")
    apart = learner.plan(STEPS, BATCH, 0.9)["conv2d1", "lif1", "maxpool2d1"]
    assert "positions of spikes" not in apart.table
    assert apart.bytes > learner.plan(STEPS, BATCH)["conv2d1", "lif1", "maxpool2d1"].bytes


@pytest.mark.parametrize("rate", [-0.1, 1.1, "few", float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises((TypeError, ValueError), match="rate"):
        nbsnn.BPTT(convolutional(), "rate_cross_entropy").plan(STEPS, BATCH, rate)
