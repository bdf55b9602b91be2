# %% [markdown]
# # Why it did not learn
#
# The commonest fault of a spiking network is silence: weights too small, so no unit reaches its threshold, so the
# surrogate's slope is zero, so weights do not change. `nbsnn.report` looks at activity, at gradients and at the share
# of units within reach of the surrogate, and says what it finds.

# %%
import nbsnn
from nbsnn.neurons import LI, LIF
from nbsnn.surrogates import rect

data = nbsnn.data.digits()
x, labels = nbsnn.encode.constant(T=8)(data.x_train[:200]), data.y_train[:200]
loss = nbsnn.losses.rate_cross_entropy


def network(gain):
    cell = LIF(tau=2.0, surrogate=rect())
    weights = nbsnn.init.normal(std=gain)
    first = nbsnn.Dense(64, 64, weight=weights, bias=False)
    return nbsnn.Sequential(first, cell, nbsnn.Dense(64, 10, bias=False), LI(tau=2.0), seed=0)


def losses_of(net, steps=40):
    learner = nbsnn.BPTT(net, loss=loss, optimizer=nbsnn.optim.Adam(5e-3))
    return [learner.step(x, labels) for _ in range(steps)]


# %%
silent = network(gain=0.002)
print(nbsnn.report(silent, x, labels, loss))

# %% [markdown]
# `nbsnn.target_rate` scales the weights, layer after layer, until each fires as often as it is told to.

# %%
scaled = network(gain=0.002)
print("weights scaled by", nbsnn.target_rate(scaled, x, rate=0.2))
courses = {"as drawn, far too small": losses_of(silent), "after target_rate": losses_of(scaled)}
figure, axis = nbsnn.plot.pyplot().subplots(figsize=(6.0, 3.6), layout="constrained")
for name, course in courses.items():
    axis.plot(course, label=f"{name}: {course[-1]:.2f}")
axis.set(xlabel="training step", ylabel="loss", ylim=(0.0, None), title="the same network, silent and awake")
axis.legend()
nbsnn.plot.save(figure, "06_why_it_did_not_learn.png")

# %% [markdown]
# **See** that the silent network keeps the loss of a guess among ten, log(10) = 2.3. **Try** `gain=2.0`: what does the
# report say about a network in which everything fires all the time?
