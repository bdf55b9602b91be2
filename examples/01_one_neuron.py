"""Look at one neuron: drive it with a constant current and print its membrane and spikes.

python examples/01_one_neuron.py
"""

import numpy as np

import nbsnn
from nbsnn.neurons import LIF

population = nbsnn.Population(LIF(tau=20.0, v_threshold=1.0, v_reset=0.0), 3)
current = np.broadcast_to(np.array([0.04, 0.06, 0.10], np.float32), (100, 1, 3))  # [T, B, N]
run = population.run(current)

for unit in range(3):
    trace = "".join(
        "|" if spike else "▁▂▃▄▅▆▇█"[int(7 * v)] for v, spike in zip(run["v"][:, 0, unit], run["spikes"][:, 0, unit])
    )
    print(f"current {current[0, 0, unit]:.2f}  {int(run['spikes'][:, 0, unit].sum()):2d} spikes  {trace}")
