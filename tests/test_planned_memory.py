"""What a training step takes in memory, against its plan at the share of ones that the input has."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LI, LIF

CODE = """
import numpy as np, nbsnn
from pathlib import Path
from tests.test_planned_memory import convolutional, spikes

def status(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024

nbsnn.set_threads(2)
net, x, y = convolutional(), spikes({rate}), np.arange(32) % 10
nbsnn.BPTT(net, "rate_cross_entropy").gradients(x[:2, :2].copy(), y[:2])  # loads all code
learner = nbsnn.BPTT(net, "rate_cross_entropy", max_bytes={max_bytes})
before = status("VmRSS")
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


def planned(net, rate=None):
    plans = nbsnn.BPTT(net, "rate_cross_entropy").plan(STEPS, BATCH, rate)
    return sum(plan.bytes for plan in plans.values())


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by Linux")
def test_a_step_takes_what_is_planned():
    net, taken = convolutional(), {}
    given = {"cwd": Path(__file__).parent.parent, "capture_output": True, "text": True, "check": True}
    for rate in (0.05, 0.01, 0.05, 0.2):  # the first compiles, which leaves memory behind
        run = subprocess.run([sys.executable, "-c", CODE.format(rate=rate, max_bytes=planned(net))], **given)
        taken[rate] = int(run.stdout)
    for rate, size in taken.items():
        assert size <= planned(net)
        assert planned(net, rate) == pytest.approx(size, rel=0.15)


def test_half_of_what_is_planned_is_refused_by_the_names_of_the_layers():
    net = convolutional()
    learner = nbsnn.BPTT(net, "rate_cross_entropy", max_bytes=planned(net) // 2)
    with pytest.raises(ValueError, match=r"the layers that always keep all, conv2d1, conv2d2, .* use a smaller batch"):
        learner.gradients(spikes(0.05), np.arange(BATCH) % 10)
    assert learner.iteration == 0


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
    assert many["numbers for BLAS"] == most["numbers for BLAS"] > 0
    assert bool(many["positions of spikes"]) == loop
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
