"""W7: a first small simulation, to be started as a new process by ``startup.py``.

``network``: 100 inputs, 100 LIF, 100 steps, what libraries for training do; ``simulator``: 100 LIF cells on a constant
current that excite a tenth of each other, 1000 steps, what simulators do. Prints the number of spikes.

    python tests/benchmarks/first.py simulator
"""

from __future__ import annotations

import argparse

import workloads

UNITS = 100


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("program", choices=["network", "simulator"], nargs="?", default="simulator")
    a = p.parse_args()
    workloads.pin_threads(1)

    import numpy as np

    import nbsnn

    rng = np.random.default_rng(0)
    dense = nbsnn.Dense(UNITS, UNITS, bias=False)
    if a.program == "network":
        net = nbsnn.Sequential(dense, nbsnn.neurons.LIF(tau=10.0), input_shape=UNITS)
        weight = 0.15 * rng.standard_normal((UNITS, UNITS))
        x = (rng.random((100, 1, UNITS)) < 0.1).astype(np.float32)
    else:
        cells = nbsnn.Recurrent(nbsnn.neurons.LIF(tau=100.0, decay_input=True), dense)
        net = nbsnn.Sequential(cells, input_shape=UNITS)
        weight = np.where(rng.random((UNITS, UNITS)) < 0.1, 1.0, 0.0)
        x = np.full((1000, 1, UNITS), 1.1, np.float32)
    next(iter(net.parameters().values()))[...] = weight
    print("spikes", int(net.run(x).output.sum()))


if __name__ == "__main__":
    main()
