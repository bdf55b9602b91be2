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
    v, spikes = run["v"][:, 0, unit], run["spikes"][:, 0, unit]
    trace = ["|" if spike else "▁▂▃▄▅▆▇█"[int(7 * height)] for height, spike in zip(v, spikes, strict=True)]
    print(f"current {current[0, 0, unit]:.2f}  {int(spikes.sum()):2d} spikes  {''.join(trace)}")
