"""W7: a peer's first small simulation, to be started as a new process by ``startup.py``.

100 LIF on 100 inputs, 100 steps, in libraries for training; 100 LIF cells, a tenth of each other's targets, 1000 steps
of 0.1 ms, in simulators. Prints the number of spikes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable

import harness
import workloads

UNITS, STEPS = 100, 100


def torch_input() -> tuple[object, object]:
    torch = harness.torch_with(1, 0)
    x = (torch.rand(STEPS, 1, UNITS) < 0.1).float()
    return torch, x @ (0.15 * torch.randn(UNITS, UNITS))


def torch() -> float:
    torch, current = torch_input()
    v, count = torch.zeros(1, UNITS), 0.0
    for now in current:
        v = 0.9 * v + now
        s = (v >= 1.0).float()
        v, count = v * (1.0 - s), count + float(s.sum())
    return count


def spikingjelly() -> float:
    _, current = torch_input()
    from spikingjelly.activation_based import neuron

    return float(neuron.LIFNode(tau=10.0, decay_input=False, step_mode="m")(current).sum())


def snntorch() -> float:
    torch, current = torch_input()
    import snntorch

    layer, v, count = snntorch.Leaky(beta=0.9, reset_mechanism="zero"), torch.zeros(1, UNITS), 0.0
    for now in current:
        s, v = layer(now, v)
        count += float(s.sum())
    return count


def norse() -> float:
    _, current = torch_input()
    import norse.torch

    layer, state, count = norse.torch.LIFBoxCell(), None, 0.0
    for now in current:
        s, state = layer(10.0 * now, state)
        count += float(s.sum())
    return count


def brian2(target: str, folder: str) -> float:
    import brian2 as b

    if target == "cpp":
        b.set_device("cpp_standalone", directory=folder)
    else:
        b.prefs.codegen.target = target
        b.prefs.codegen.runtime.cython.cache_dir = folder
    b.seed(1)
    cells = b.NeuronGroup(UNITS, "dv/dt = (1.1 - v) / (10*ms) : 1", threshold="v > 1", reset="v = 0", method="exact")
    cells.v = "rand()"
    synapses = b.Synapses(cells, cells, on_pre="v += 0.01")
    synapses.connect(p=0.1)
    spikes = b.SpikeMonitor(cells)
    b.run(100 * b.ms)
    return spikes.num_spikes


def nest(folder: str) -> float:
    import nest as n

    n.set_verbosity("M_ERROR")
    n.resolution = 0.1
    cells, recorder = n.Create("iaf_psc_exp", UNITS, params={"I_e": 400.0}), n.Create("spike_recorder")
    n.Connect(cells, cells, {"rule": "pairwise_bernoulli", "p": 0.1}, {"weight": 1.0})
    n.Connect(cells, recorder)
    n.Simulate(100.0)
    return recorder.n_events


def annarchy(folder: str) -> float:
    sys.argv = sys.argv[:1]  # it reads the command line
    import ANNarchy as a

    net = a.Network(dt=0.1, seed=1)
    v = a.Variable("10.0*dv/dt = 1.1 - v + g_exc", init=0.0, method="exponential")
    cells = net.create(geometry=UNITS, neuron=a.Neuron(equations=[v], spike="v > 1.0", reset="v = 0.0"))
    net.connect(cells, cells, target="exc").fixed_probability(probability=0.1, weights=0.01)
    monitor = net.monitor(cells, ["spike"])
    net.compile(directory=folder, silent=True)
    net.simulate(100.0)
    return len(monitor.raster_plot(monitor.get("spike"))[0])


LIBRARIES: dict[str, Callable[[], float]] = {
    "torch": torch, "spikingjelly": spikingjelly, "snntorch": snntorch, "norse": norse,
}  # fmt: skip
SIMULATORS: dict[str, Callable[[str], float]] = {
    "brian2-numpy": lambda folder: brian2("numpy", folder), "brian2-cython": lambda folder: brian2("cython", folder),
    "brian2-cpp": lambda folder: brian2("cpp", folder), "nest": nest, "annarchy": annarchy,
}  # fmt: skip


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("peer", choices=[*LIBRARIES, *SIMULATORS])
    a = p.parse_args()
    workloads.pin_threads(1)
    harness.require("ANNarchy" if a.peer == "annarchy" else a.peer.split("-")[0])
    if a.peer in LIBRARIES:
        count = LIBRARIES[a.peer]()
    else:
        with tempfile.TemporaryDirectory() as folder:
            count = SIMULATORS[a.peer](folder)
    print("spikes", int(count))


if __name__ == "__main__":
    main()
