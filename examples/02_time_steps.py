# %% [markdown]
# # Time steps and integration schemes
#
# A membrane obeys `tau dv/dt = -v + I`. A simulation knows it only every `dt` ms, and there are two usual ways from
# one step to the next: the exact decay `exp(-dt / tau)`, and Euler's `1 - dt / tau`, which is its tangent. In nbsnn
# a neuron says `decay="exp"` or `decay="euler"`, and a population says how long a step is.

# %%
import numpy as np

import nbsnn
from nbsnn.neurons import LIF

TAU, CURRENT, DURATION = 10.0, 1.5, 40.0
figure, axes = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.0, 3.4), layout="constrained", sharey=True)
for axis, decay in zip(axes, ("exp", "euler"), strict=True):
    for dt in (0.1, 2.0, 8.0):
        cell = LIF(tau=TAU, v_threshold=10.0, decay=decay, decay_input=True)
        steps = round(DURATION / dt)
        x = np.full((steps, 1, 1), CURRENT, np.float64)
        v = nbsnn.Population(cell, 1, dt=dt, dtype=np.float64).run(x)["v"].ravel()
        times = dt * np.arange(1, steps + 1)  # a state belongs to the end of its step
        error = np.abs(v - CURRENT * (1.0 - np.exp(-times / TAU))).max()
        print(f"{decay:5s} dt {dt:3.1f} ms: largest error {error:.1e}")
        axis.plot(np.append(0.0, times), np.append(0.0, v), marker="." if dt > 1.0 else None, label=f"dt = {dt:g} ms")
    axis.set(title=f'decay="{decay}"', xlabel="time (ms)")
axes[0].set(ylabel="v")
axes[0].legend()

# %% [markdown]
# **See** that the exact decay puts the dots of every step size onto one curve, while Euler's run away from it as `dt`
# grows, and that its error shrinks in proportion to `dt`: it is of first order.

# %%
nbsnn.plot.save(figure, "02_time_steps.png")

# %% [markdown]
# **Try** `dt = 25.0` with `"euler"`. Beyond `2 tau` the method does not only err, it swings up.
