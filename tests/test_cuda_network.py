"""Networks of sparse synapses on CUDA: the same spikes, variables and state as on the CPU.

In Numba's simulator (see ``conftest.py``) threads take turns in one order, so that sums are those of the CPU.
"""

import sys

import numpy as np
import pytest
from numba import config

import nbsnn
from nbsnn.cli import main
from nbsnn.device import gpu
from nbsnn.files.spikes import SpikeFile, SpikeWriter
from nbsnn.neurons import LIF, ConductanceLIF, EscapeLIF, NoisyLIF
from nbsnn.synapses import Alpha, Exponential, TsodyksMarkram

CELL = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)

pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")


@pytest.fixture(autouse=True)
def _quick_turns():
    """The simulator's threads wait for each other; Python lets one after the other run every 5 ms by default."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def everything(device, dtype=np.float32):
    """A network with every kind of input, synapse and delay."""
    net = nbsnn.Network(dt=0.5, seed=1, device=device, dtype=dtype)
    cells = net.population(CELL, 11, name="cells", v=nbsnn.values.Uniform(-60.0, -50.0))
    noisy = net.population(NoisyLIF(tau=20.0, sigma=0.2), 3, name="noisy")
    escape = net.population(EscapeLIF(tau=20.0), 5, name="escape")
    poisson = net.poisson(6, 100.0, name="poisson")
    listed = net.spikes([1.0, 2.0, 2.0, 7.5, 31.0], [0, 1, 3, 2, 0], 4, name="listed")
    every, some = nbsnn.AllToAll(), nbsnn.Sparse(probability=0.4)
    fast = Exponential(5.0)
    net.connect(cells, cells, some, weight=1.6, synapse=fast, delay=1.5)
    net.connect(cells[8:], cells[:8], every, weight=-0.9, synapse=Alpha(2.0), delay=1.0)
    uniform = nbsnn.values.Uniform
    net.connect(poisson, cells, every, weight=uniform(0.0, 2.0), delay=uniform(1.0, 4.0), synapse=fast)
    net.connect(listed, escape, every, weight=0.4, delay=1.0)
    net.connect(listed, noisy, every, weight=0.4, delay=uniform(1.0, 4.0))
    net.connect(cells, escape, every, weight=uniform(0.0, 0.2), delay=2.0)
    net.drive(cells, 500.0, 0.3)
    net.drive(cells, 100.0, 0.3, fast)
    net.inject(escape, np.linspace(0.0, 40.0, 10)[:, None], every=2.0)
    net.inject(noisy, 40.0 * np.arange(3.0))
    return net


def depressed(device, dtype=np.float32):
    """Short-term plasticity and conductances."""
    net = nbsnn.Network(dt=0.5, seed=2, device=device, dtype=dtype)
    cells = net.population(ConductanceLIF(v_rest=-52.0, v_threshold=-54.0, v_reset=-60.0), 6, name="cells")
    inputs = net.poisson(5, 150.0)
    tires, grows = TsodyksMarkram(U=0.5, tau_rec=50.0), TsodyksMarkram(U=0.2, tau_rec=20.0, tau_facil=80.0)
    net.connect(cells, cells, nbsnn.AllToAll(), weight=2.0, synapse=Exponential(5.0, reversal=0.0), short_term=tires)
    net.connect(inputs, cells, nbsnn.AllToAll(), weight=1.0, synapse=Exponential(9.0, reversal=-80.0), short_term=grows)
    return net


def same(one, other, dtype=np.float32):
    """Whether two arrays agree: bit for bit in the simulator, else to rounding."""
    if config.ENABLE_CUDASIM:
        np.testing.assert_array_equal(one, other)
    else:
        np.testing.assert_allclose(one, other, *((1e-3, 1e-3) if dtype == np.float32 else (1e-8, 1e-8)))


def same_state(one, other):
    for name, array in one.arrays.items():
        same(array, other.arrays[name])
    for before, after in zip(one.history, other.history, strict=True):
        for a, b in zip(before, after, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def on_cpu():
    """What the interpreted loop makes of it: nothing need be compiled."""
    net = everything("python")
    return net, net.run(30.0, record={"cells": {"spikes": None, "v": [0, 5, 10]}, "noisy": "v", "poisson": "spikes"})


def test_a_network_on_cuda_equals_the_cpu(on_cpu):
    net = everything("cuda")
    before = gpu.Count.launches
    record = {"cells": {"spikes": None, "v": [0, 5, 10]}, "noisy": "v", "poisson": "spikes"}
    first, second = net.run(15.0, record=record), net.run(15.0, record=record)
    cpu, run = on_cpu
    assert run.rate("cells") > 10.0 and run.rate("poisson") > 50.0
    for group in ("cells", "poisson"):
        times, units = (np.concatenate(parts) for parts in zip(first.spikes(group), second.spikes(group), strict=True))
        np.testing.assert_array_equal(times, run.spikes(group)[0])
        np.testing.assert_array_equal(units, run.spikes(group)[1])
    for key in run.variables:
        name = key[0].name, key[1]
        same(np.concatenate([first[name], second[name]]), run[name])
    np.testing.assert_allclose(np.concatenate([first.times, second.times]), run.times)
    same_state(net.state(), cpu.state())
    # Each run is one launch, however many steps it has; the first is preceded by one that only compiles.
    assert gpu.Count.launches - before == 1 + 2


def test_conductances_and_short_term_plasticity_in_double_precision():
    cpu, cuda = (depressed(device, np.float64) for device in ("python", "cuda"))
    one, other = (net.run(30.0, record={"cells": ["spikes", "v"]}) for net in (cpu, cuda))
    assert len(one.spikes()[0]) > 5
    np.testing.assert_array_equal(one.spikes()[0], other.spikes()[0])
    same(one["cells", "v"], other["cells", "v"], np.float64)
    same_state(cpu.state(), cuda.state())


def test_a_full_record_is_fetched_on_the_way(monkeypatch, on_cpu):
    monkeypatch.setattr("nbsnn.network.loop_cuda.ROOM", 1)
    net = everything("cuda")
    before = gpu.Count.launches
    run = net.run(30.0)
    assert gpu.Count.launches - before > 2  # one that compiles, one after each full record
    np.testing.assert_array_equal(run.spikes("cells")[0], on_cpu[1].spikes("cells")[0])


def test_a_state_goes_from_device_to_device():
    cpu, cuda = everything("python"), everything("cuda")
    cuda.run(10.0)
    cpu.restore(cuda.state())
    one, other = cpu.run(5.0), cuda.run(5.0)
    np.testing.assert_array_equal(one.spikes()[1], other.spikes()[1])
    state = cpu.state()
    cuda.reset()
    assert cuda.step == 0 and np.all(cuda.group("cells")["exponential.y"] == 0.0)
    cuda.restore(state)
    same_state(cuda.state(), state)


def test_variables_and_weights_are_copies_that_say_so():
    net = everything("cuda")
    cells = net.group("cells")
    v = cells["v"]
    assert v.shape == (11,) and v.min() >= -60.0
    with pytest.raises(ValueError, match="read-only"):
        v[0] = 0.0
    cells["v"] = -55.0
    cells["exponential.y"] = np.arange(11.0)
    assert np.all(cells["v"] == -55.0) and cells["exponential.y"][10] == 10.0
    own, shared = net.connections[2], net.connections[0]
    with pytest.raises(ValueError, match="read-only"):
        own.weight[0] = 0.0
    own.weight, shared.weight = 3.0, 2.5
    assert np.all(own.weight == 3.0) and shared.weight == 2.5
    net.run(1.0)
    assert np.all(own.weight == 3.0) and shared.weight == 2.5


def test_after_an_error_time_and_arrays_belong_together_and_the_run_goes_on(tmp_path, monkeypatch, on_cpu):
    class Full(SpikeWriter):
        def append(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("nbsnn.network.loop_cuda.ROOM", 1)
    net = everything("cuda")
    with pytest.raises(OSError, match="No space"):
        net.run(30.0, to=Full(tmp_path / "spikes", net.units, 0.5))
    assert 0 < net.step < 60
    cpu = everything("python")
    cpu.run(net.time)
    same_state(net.state(), cpu.state())
    for one, other in zip(net.run(2.0).spikes(), cpu.run(2.0).spikes(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_late_steps_are_as_on_the_cpu_and_sections_can_be_recorded():
    for step in (2**31 - 10, 2**40):
        runs = []
        for device in ("python", "cuda"):
            net = everything(device)
            state = net.state()
            state.step = step
            net.restore(state)
            runs.append(
                net.run(10.0, record={"cells": "v", net.group("cells")[3:6]: ["spikes", "v"], "poisson": "spikes"})
            )
        one, other = runs
        assert len(one.spikes()[0]) > 5 and one.spikes()[0].min() > step * 0.5
        for a, b in zip(one.spikes(), other.spikes(), strict=True):
            np.testing.assert_array_equal(a, b)
        part = net.group("cells")[3:6]
        same(one["cells", "v"][:, 3:6], other[part, "v"])
        assert set(other.spikes("cells")[1]) <= {3, 4, 5}


def test_a_callback_reads_and_writes():
    seen = []

    def callback(net):
        seen.append(net.group("cells")["v"].copy())
        net.group("cells")["v"] = -60.0

    nets = [everything(device) for device in ("python", "cuda")]
    for net in nets:
        net.run(4.0, callback=callback, callback_every=1.0)
    for one, other in zip(seen[:4], seen[4:], strict=True):
        same(one, other)


def test_the_command_line_runs_a_published_network(tmp_path, capsys):
    argv = ["simulate", "cuba", "--device", "cuda", "--scale", "0.02", "--duration", "3", "--settle", "1"]
    assert main([*argv, "--out", str(tmp_path)]) == 0
    assert "on a GPU" in capsys.readouterr().out
    net = nbsnn.models.cuba(0, scale=0.02, device="python")
    net.run(1.0, record={})
    times, units = net.run(3.0).spikes()
    file = SpikeFile(tmp_path / "run.spikes").spikes()
    np.testing.assert_allclose(file[0], times)
    np.testing.assert_array_equal(file[1], units)
