# %% [markdown]
# # One neuron
#
# A leaky integrate-and-fire neuron is a bucket with a hole: current fills it, the leak empties it, and when the
# membrane potential `v` reaches the threshold the neuron spikes and starts again from `v_reset`,
#
#     u = v + (1 - exp(-1 / tau)) (x - v),    spike if u >= v_threshold,
#     v = v_reset after a spike, else u
#
# Here three of them get a constant current each, for 100 steps. Every variable at every step is a NumPy array.

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LIF

currents = np.array([0.8, 1.2, 2.0], np.float32)
neurons = nbsnn.Population(LIF(tau=20.0, v_threshold=1.0, v_reset=0.0, decay_input=True), 3)
run = neurons.run(np.broadcast_to(currents, (100, 1, 3)))  # [T, B, N]: steps, samples, units
v, spikes = run["v"][:, 0], run["spikes"][:, 0]
for current, count in zip(currents, spikes.sum(0), strict=True):
    print(f"current {current:.1f}: {int(count)} spikes")

# %% [markdown]
# Without a threshold `v` would settle at the current. So the first neuron can never spike, and the second needs long.
# **See** how the reset makes a saw of what would be an exponential rise.

# %%
figure = nbsnn.plot.traces(
    np.arange(100.0), {"v": v}, [np.flatnonzero(spikes[:, k]) for k in range(3)],
    labels=[f"current {c:.1f}" for c in currents], title="Three currents into a leaky integrate-and-fire neuron",
)  # fmt: skip
figure.axes[0].axhline(1.0, color="0.7", linewidth=0.8, zorder=0)
nbsnn.plot.save(figure, "01_one_neuron.png")

# %% [markdown]
# **Try** `v_reset=None`: the threshold is subtracted instead. Which of the neurons spikes more often now, and why?
