# %% [markdown]
# # The backward pass by hand
#
# One neuron, one weight, four steps. Forward, with decay `d` and soft reset:
#
#     u[t] = d v[t-1] + w x[t],    s[t] = spike(u[t] - 1),
#     v[t] = u[t] - s[t],          loss = sum of s[t]
#
# Backward, from the last step to the first: `gv` is the derivative of the loss with respect to `v[t]`, `slope` the
# surrogate's derivative at `u[t] - 1`.
#
#     gu = gv + (1 - gv) slope,    gw += gu x[t],    gv for the step before = gu d

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LIF

d, w = np.exp(-1.0 / 2.0), 0.7
x = np.array([1.0, 0.5, 1.0, 1.0])
cell = LIF(tau=2.0, v_reset=None, decay="exp", decay_input=False, surrogate=nbsnn.surrogates.atan())
slope = cell.surrogate.slope

v, us, spikes = 0.0, [], []
for t in range(4):
    u = d * v + w * x[t]
    s = float(u >= 1.0)
    v = u - s
    us.append(u)
    spikes.append(s)

gv, gw, rows = 0.0, 0.0, []
for t in reversed(range(4)):
    gu = gv + (1.0 - gv) * slope(us[t] - 1.0)
    gw += gu * x[t]
    rows.append(gu)
    gv = gu * d
print("by hand  ", gw)

# %% [markdown]
# The engine does the same for every unit, sample and layer. A loss is any function that returns its value and its
# derivative with respect to the output.

# %%
net = nbsnn.Sequential(nbsnn.Dense(1, 1, bias=False), cell, dtype=np.float64, device="python")
net["dense1"].params["weight"][:] = w
learner = nbsnn.BPTT(net, loss=lambda y, target: (y.sum(), np.ones_like(y)))
_, gradients = learner.gradients(x.reshape(4, 1, 1), None)
engine = gradients["dense1/weight"].item()
print("by nbsnn ", engine)
assert abs(engine - gw) < 1e-12

# %% [markdown]
# **See** the bars: what each step passes back. After a spike the reset cuts the past off, in part.

# %%
figure, axes = nbsnn.plot.pyplot().subplots(2, 1, figsize=(6.0, 4.2), layout="constrained", sharex=True)
axes[0].bar(range(4), us, color=["C3" if s else "C0" for s in spikes])
axes[0].axhline(1.0, color="0.7", linewidth=0.8)
axes[0].set(ylabel="u[t], red: spike", title="forward, and what comes back")
axes[1].bar(range(4), rows[::-1], color="C2")
axes[1].set(ylabel="derivative of the loss\nwith respect to u[t]", xlabel="step t", xticks=range(4))
nbsnn.plot.save(figure, "04_backward_by_hand.png")

# %% [markdown]
# **Try** `detach_reset=True` in `LIF`, and drop `- gv slope` by hand: does it still agree?
