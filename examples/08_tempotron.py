# %% [markdown]
# # Tempotron: when, not how often
#
# A Tempotron is one neuron that learns to spike for some patterns of spike *times* and to stay silent for others,
# though all have the same number of spikes. It moves the weights along the derivative of the potential at its maximum:
# up where it should have spiked, down where it should not. (R. Gütig and H. Sompolinsky 2006.)

# %%
import numpy as np

import nbsnn

INPUTS, PATTERNS = 100, 40
rng = np.random.default_rng(0)
times = rng.uniform(0.0, 500.0, (PATTERNS, INPUTS))  # one spike of each input, ms
labels = np.arange(PATTERNS) % 2

neuron = nbsnn.Tempotron(n_inputs=INPUTS, tau=15.0, tau_s=3.75, T=500.0, seed=0)
grid = np.arange(0.0, 500.0, 1.0)
before = neuron.v(times[:2], grid)
history = neuron.fit(times, labels, epochs=200)
after = neuron.v(times[:2], grid)
right = (neuron.predict(times) == labels).mean()
print(f"{right:.0%} of {PATTERNS} patterns right")

# %% [markdown]
# **See** the potentials of two patterns, before and after: one of them was pushed over the threshold at one moment,
# and the other was pushed below it everywhere.

# %%
figure, axes = nbsnn.plot.pyplot().subplots(2, 1, figsize=(7.0, 4.6), layout="constrained", sharex=True, sharey=True)
for axis, v, title in zip(axes, (before, after), ("before", "after"), strict=True):
    for k, name in enumerate(("should stay silent", "should spike")):
        axis.plot(grid, v[:, k, 0], label=name, color=f"C{3 * (1 - k)}")
    axis.axhline(neuron.v_threshold, color="0.5", linewidth=0.8, linestyle=":")
    axis.set(ylabel="potential", title=f"{title} learning")
axes[0].legend(fontsize="small")
axes[1].set(xlabel="time (ms)")
nbsnn.plot.save(figure, "08_tempotron.png")

# %% [markdown]
# **Try** 300 patterns. The capacity is about three patterns per input; near it, learning slows down and fails.
