# %% [markdown]
# # Events from a sensor
#
# An event camera sends no pictures. Each pixel that sees a change sends an event: its place, the time in microseconds,
# and whether it got brighter. Here a bar moves to the right or to the left over 16 x 16 pixels; each sample is a
# NumPy structured array, as a reader of a recording returns it.

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

rng = np.random.default_rng(0)
FIELDS = [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")]


def bar(to_the_right):
    events = np.zeros(400, FIELDS)
    events["t"] = np.sort(rng.integers(0, 32_000, 400))  # us
    front = events["t"] * 16 // 32_000
    events["x"] = front if to_the_right else 15 - front
    events["y"], events["p"] = rng.integers(0, 16, 400), rng.integers(0, 2, 400)
    noise = rng.random(400) < 0.5
    events["x"][noise] = rng.integers(0, 16, noise.sum())
    return events


labels = rng.integers(0, 2, 200)
recordings = nbsnn.events.Recordings([bar(label == 1) for label in labels], shape=(2, 16, 16), unit="us")
print(recordings)

# %% [markdown]
# Events are put into steps of 2 ms and go into the first connection as a list: no array [T, B, N] of zeros is made.
# Direction is in the order of events and not in their number, so a hidden layer needs memory: slow membranes.

# %%
net = nbsnn.Sequential(nbsnn.Dense(recordings.units, 64), LIF(tau=8.0), nbsnn.Dense(64, 2), LI(tau=8.0), seed=0)
history = nbsnn.fit(
    net,
    (recordings[:150], labels[:150]),
    (recordings[150:], labels[150:]),
    encoder=nbsnn.events.binned(T=16, dt=2.0),
    learner=nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3)),
    epochs=8,
    batch_size=25,
)

# %% [markdown]
# **See** that both samples have the same pixels on average, and differ in what comes first. Red: a pixel that got
# brighter, blue: one that got darker.

# %%
figure, axes = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.0, 3.4), layout="constrained", sharey=True)
for axis, label in zip(axes, (0, 1), strict=True):
    events = bar(label == 1)
    axis.scatter(events["t"] / 1000.0, events["x"], c=events["p"], cmap="coolwarm", s=6)
    axis.set(title=("to the left", "to the right")[label], xlabel="time (ms)")
axes[0].set(ylabel="x of the pixel")
nbsnn.plot.save(figure, "13_events.png")

# %% [markdown]
# **Try** `tau=1.0` in the hidden layer: without memory, what is left of the accuracy?
