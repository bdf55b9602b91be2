# %% [markdown]
# # Surrogate derivatives
#
# A spike is a step: `s = 1` if `u >= 0`, else 0, where `u` is the distance of the membrane from its threshold. Its
# derivative is 0 nearly everywhere, so a gradient would never pass. Training takes the derivative of a smooth
# stand-in instead, and only in the backward pass: spikes stay spikes. Each surrogate of nbsnn is two scalar functions,
# `slope(u)` and `smooth(u)`, whose derivative it is.

# %%
import numpy as np

import nbsnn
from nbsnn import surrogates

chosen = {
    "atan()": surrogates.atan(), "sigmoid()": surrogates.sigmoid(), "superspike()": surrogates.superspike(),
    "piecewise_quadratic()": surrogates.piecewise_quadratic(), "rect()": surrogates.rect(),
}  # fmt: skip
u = np.linspace(-1.5, 1.5, 601)
figure, (left, right) = nbsnn.plot.pyplot().subplots(1, 2, figsize=(9.5, 3.6), layout="constrained")
for name, surrogate in chosen.items():
    slope = np.array([surrogate.slope(float(each)) for each in u])
    smooth = np.array([surrogate.smooth(float(each)) for each in u])
    left.plot(u, smooth - smooth[300] + 0.5, label=name)
    right.plot(u, slope)
    print(f"{name:22s} slope at the threshold {slope[300]:5.2f}, half a threshold away {slope[400]:.3f}")
left.plot(u, u >= 0.0, color="0.3", linestyle=":", label="the spike itself")
left.set(title="what stands in for the spike", xlabel="u = v - threshold")
right.set(title="its derivative, used in the backward pass", xlabel="u = v - threshold")
left.legend(fontsize="small")

# %% [markdown]
# **See** the tails. Where the slope is zero, a unit far from its threshold learns nothing; where it is large
# everywhere, many layers multiply it and the gradient grows.

# %%
nbsnn.plot.save(figure, "03_surrogates.png")
print(nbsnn.check(surrogates.atan()))  # slope against differences of smooth

# %% [markdown]
# **Try** `surrogates.atan(alpha=10.0)`: narrower and higher. The area under the curve stays the same.
