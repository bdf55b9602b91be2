# %% [markdown]
# # A learning rule of your own
#
# A local rule is one scalar function too: what a synapse gains at a postsynaptic spike and at a presynaptic one, given
# the traces of both sides. Here each postsynaptic spike pulls the weight towards the presynaptic trace: a neuron comes
# to look like the inputs that were active when it spiked, and its weights stay in bounds by themselves.

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import Plastic, Rule, Trace


def attract(w, pre, post, x, rate):
    return rate * post * (x - w), 0.0


rule = Rule(attract, pre={"x": Trace(5.0)}, params={"rate": 0.02})

# %% [markdown]
# Two pictures take turns, a cross and a ring. Two neurons with a different start see them as Poisson spikes and are
# left alone with the rule.

# %%
cross, ring = np.zeros((2, 8, 8), np.float32)
cross[3:5, 2:6], cross[2:6, 3:5] = 1.0, 1.0
ring[[0, 7], 2:6], ring[2:6, [0, 7]] = 1.0, 1.0
pictures = np.stack([cross, ring]).reshape(2, 64)
start = np.random.default_rng(0).uniform(0.1, 0.3, (64, 2)).astype(np.float32)
start += 0.2 * pictures.T  # a slight preference each
layer = Plastic(nbsnn.Dense(64, 2, bias=False), LIF(tau=10.0, v_threshold=22.0, decay_input=False), rule)
layer.weights[:] = start
encode, draws = nbsnn.encode.poisson(T=50, gain=0.5), nbsnn.random.Draws(0)
for turn in range(60):
    layer.learn(encode(pictures[turn % 2 : turn % 2 + 1], draws.fold(str(turn))))

# %% [markdown]
# **See** the weights before and after: each neuron has become a picture of what it fires for.

# %%
figure, axes = nbsnn.plot.pyplot().subplots(1, 2, figsize=(7.5, 2.6), layout="constrained")
for axis, weight, title in zip(axes, (start, layer.weights), ("before", "after"), strict=True):
    nbsnn.plot.receptive_fields(weight, (8, 8), columns=2, ax=axis, title=title)
nbsnn.plot.save(figure, "12_own_rule.png")
overlap = pictures @ layer.weights / pictures.sum(1, keepdims=True)
print("mean weight of the neurons under the cross, and under the ring\n", overlap.round(2))

# %% [markdown]
# **Try** `Trace(50.0)`: the trace remembers the picture before, and the two neurons grow alike.
