# %% [markdown]
# # OTTT and SLTT: learning while time passes
#
# Back-propagation through time keeps every step until the end. OTTT and SLTT throw the past away: OTTT keeps one trace
# of the input for each synapse's source, SLTT not even that. How far does that turn the gradient away from the true
# one, and what does it save?

# %%
import tracemalloc

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

data = nbsnn.data.digits()
x, labels = nbsnn.encode.poisson(T=20, gain=0.5)(data.x_train[:64], nbsnn.random.Draws(0)), data.y_train[:64]


def network():
    cell = LIF(tau=2.0, v_reset=None, detach_reset=True)
    return nbsnn.Sequential(nbsnn.Dense(64, 64), cell, nbsnn.Dense(64, 10), LI(tau=2.0), seed=0)


loss = nbsnn.losses.StepCrossEntropy(reduction="sum")
print(nbsnn.compare_credit(network(), x, labels, loss))

# %% [markdown]
# The same training by the three rules, on the same batches; and the memory of one step, for samples of more and more
# time steps. Online rules take the steps from a generator: not even the input is kept.

# %%
figure, (left, right) = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.0, 3.6), layout="constrained")
lengths = (50, 100, 200, 400)
for name, line in {"BPTT": "-", "OTTT": "--", "SLTT": ":"}.items():
    net = network()
    learner = getattr(nbsnn, name)(net, loss=loss, optimizer=nbsnn.optim.Adam(5e-3))
    left.plot([learner.step(x, labels) / len(x) for _ in range(60)], line, linewidth=2.5, label=name)
    right_ones = net.run(x).output.mean(0).argmax(1) == labels
    peaks = []
    learner.step(x[:2] if name == "BPTT" else iter(x[:2]), labels)  # compiles what is not yet
    for T in lengths:
        steps = (x[t % len(x)] for t in range(T))
        tracemalloc.start()
        learner.step(x[np.arange(T) % len(x)] if name == "BPTT" else steps, labels)
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    right.plot(lengths, peaks, "." + line, linewidth=2.5, label=name)
    print(f"{name}: {right_ones.mean():.0%} of these 64 digits right; {peaks[-1]:.2f} MB for {lengths[-1]} steps")
left.set(xlabel="training step", ylabel="loss per step of time", ylim=(0.0, None))
right.set(xlabel="steps of time", ylabel="memory of a training step (MB)", ylim=(0.0, None))
left.legend()
nbsnn.plot.save(figure, "09_online_rules.png")

# %% [markdown]
# **See** on the left that all three descend along one line: where membranes forget quickly, the past matters little. On
# the right, memory grows with time only for BPTT. **Try** `tau=20.0` in the hidden layer: the cosines get smaller.
