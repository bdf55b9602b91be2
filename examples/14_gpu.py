# %% [markdown]
# # On a GPU
#
# The scalar functions of a neuron are compiled for an NVIDIA GPU as they are for a CPU. Nothing in a program changes
# but one word: `device="auto"` takes a GPU where one can be used, and `nbsnn info` says what was found.

# %%
import time

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

data = nbsnn.data.digits()
x, labels = nbsnn.encode.constant(T=16)(data.x_train[:512]), data.y_train[:512]
seconds = {}
for device in dict.fromkeys(("cpu", nbsnn.Sequential(nbsnn.Dense(1, 1), device="auto").setting.device)):
    net = nbsnn.Sequential(nbsnn.Dense(64, 512), LIF(tau=2.0), nbsnn.Dense(512, 10), LI(tau=2.0), seed=0, device=device)
    learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    learner.step(x, labels)  # compiles, the first time
    start = time.perf_counter()
    losses = [learner.step(x, labels) for _ in range(10)]
    seconds[device] = (time.perf_counter() - start) / 10
    print(f"{device}: {1000.0 * seconds[device]:.1f} ms a step, loss {losses[-1]:.4f}")

# %% [markdown]
# Inputs, states, parameters and gradients stay on the GPU. What you look at is copied when you ask for it, and is a
# NumPy array like any other.

# %%
run = net.run(x[:, :1])
spikes = run["lif1"]["spikes"][:, 0]
print(type(run["lif1"]["v"]).__name__, run["lif1"]["v"].shape, f"{spikes.mean():.1%} of units spike in a step")
figure, axes = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.0, 3.4), layout="constrained")
nbsnn.plot.raster(spikes, ax=axes[0], title=f"the hidden layer, from the {net.setting.device}")
axes[1].bar(list(seconds), [1000.0 * s for s in seconds.values()], width=0.5)
axes[1].set(ylabel="ms per training step", title="512 digits, 16 steps", xlim=(-1, len(seconds)))
nbsnn.plot.save(figure, "14_gpu.png")
assert np.isfinite(losses).all()

# %% [markdown]
# **See** one bar without a GPU, and two with one. **Try** a batch of 64: for a small network the GPU has too little to
# do, and the CPU wins.
