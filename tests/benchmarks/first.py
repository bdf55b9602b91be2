"""W7: a first small result, to be started as a new process by ``startup.py``.

``network``: 100 inputs, 100 LIF, 100 steps, what libraries for training do; ``simulator``: 100 LIF cells on a constant
current that excite a tenth of each other, 1000 steps, what simulators do. What compiles most is there as well:
``training``, a step of 64-128-10; ``cuba``, the network of that name with 400 neurons; ``stdp``, a network with pair
STDP; ``neuron``, a population of a network with equations of one's own. Prints the number of spikes.

    python tests/benchmarks/first.py simulator
"""

from __future__ import annotations

import argparse

import workloads

UNITS = 100


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program", choices=PROGRAMS, nargs="?", default="simulator")
    a = p.parse_args()
    workloads.pin_threads(1)
    print("spikes", PROGRAMS[a.program]())


def small(program: str) -> int:
    """A layer, run."""
    import numpy as np

    import nbsnn

    rng = np.random.default_rng(0)
    dense = nbsnn.Dense(UNITS, UNITS, bias=False)
    if program == "network":
        net = nbsnn.Sequential(dense, nbsnn.neurons.LIF(tau=10.0), input_shape=UNITS)
        weight = 0.15 * rng.standard_normal((UNITS, UNITS))
        x = (rng.random((100, 1, UNITS)) < 0.1).astype(np.float32)
    else:
        cells = nbsnn.Recurrent(nbsnn.neurons.LIF(tau=100.0, decay_input=True), dense)
        net = nbsnn.Sequential(cells, input_shape=UNITS)
        weight = np.where(rng.random((UNITS, UNITS)) < 0.1, 1.0, 0.0)
        x = np.full((1000, 1, UNITS), 1.1, np.float32)
    next(iter(net.parameters().values()))[...] = weight
    return int(net.run(x).output.sum())


def training() -> int:
    """One step of back-propagation through time."""
    import numpy as np

    import nbsnn
    from nbsnn.neurons import LIF

    net = nbsnn.Sequential(nbsnn.Dense(64, 128), LIF(tau=2.0), nbsnn.Dense(128, 10), LIF(tau=2.0), seed=0)
    learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3))
    rng = np.random.default_rng(0)
    learner.step(20.0 * rng.random((8, 32, 64), np.float32), rng.integers(0, 10, 32))
    return int(learner.output.sum())


def cuba() -> int:
    """The network of Vogels and Abbott, a tenth of its size."""
    import nbsnn

    return len(nbsnn.models.cuba(1, scale=0.1).run(100.0).spikes()[0])


def stdp() -> int:
    """Poisson inputs on cells whose synapses learn."""
    import nbsnn

    net = nbsnn.Network(dt=1.0, seed=1)
    inputs, cells = net.poisson(UNITS, rate=50.0), net.population(nbsnn.neurons.LIF(tau=20.0), UNITS, name="cells")
    rule = nbsnn.plasticity.PairSTDP(a_post=0.01, a_pre=0.0105)
    net.connect(inputs, cells, nbsnn.Sparse(probability=0.1), weight=0.5, delay=1.0, plasticity=rule)
    return len(net.run(100.0).spikes(cells)[0])


def neuron() -> int:
    """The same on cells of one's own equations, whose synapses stay."""
    import nbsnn

    def step(current, v, w, tau, tau_w, v_threshold):
        v = v + (current - v - w) / tau
        w = w - w / tau_w
        fired = v >= v_threshold
        return (1.0 if fired else 0.0), (0.0 if fired else v), (w + 1.0 if fired else w)

    own = nbsnn.Neuron(step, state={"v": 0.0, "w": 0.0}, params={"tau": 20.0, "tau_w": 100.0, "v_threshold": 1.0})
    net = nbsnn.Network(dt=1.0, seed=1)
    inputs, cells = net.poisson(UNITS, rate=50.0), net.population(own, UNITS, name="cells")
    net.connect(inputs, cells, nbsnn.Sparse(probability=0.1), weight=10.0, delay=1.0)
    return len(net.run(100.0).spikes(cells)[0])


PROGRAMS = {
    "network": lambda: small("network"), "simulator": lambda: small("simulator"), "training": training, "cuba": cuba,
    "stdp": stdp, "neuron": neuron,
}  # fmt: skip


if __name__ == "__main__":
    main()
