# %% [markdown]
# # A neuron of your own
#
# Two scalar functions, in the letters of the paper: a step, and its reverse. From these nbsnn makes the loops for a
# CPU, a GPU, training and simulation, and checks one function against the other. This one charges along a parabola,
#
#     u = v + decay (v^2 - v) + x,    s = spike(u - v_threshold),    v = u - s v_threshold

# %%
import numpy as np

import nbsnn
from nbsnn import Neuron, dspike, spike


def step(x, v, decay, v_threshold):
    u = v + decay * (v * v - v) + x
    s = spike(u - v_threshold)
    return s, u - s * v_threshold


def vjp(x, v, decay, v_threshold, gs, gv):
    u = v + decay * (v * v - v) + x
    s = spike(u - v_threshold)
    gd = (gs - gv * v_threshold) * dspike(u - v_threshold)
    gu = gv + gd
    return gu, gu * (1.0 + decay * (2.0 * v - 1.0)), gu * (v * v - v), -gd - gv * s


parabola = Neuron(step, vjp, state={"v": 0.0}, params={"decay": 0.2, "v_threshold": 1.0}, learn=("v_threshold",))
print(nbsnn.check(parabola))

# %% [markdown]
# It trains like any other, and its threshold is learned too.

# %%
data = nbsnn.data.digits()
net = nbsnn.Sequential(nbsnn.Dense(64, 64), parabola, nbsnn.Dense(64, 10), nbsnn.neurons.LI(), seed=0)
learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3))
train, test = (data.x_train, data.y_train), (data.x_test, data.y_test)
nbsnn.fit(net, train, test, encoder=nbsnn.encode.constant(T=8), learner=learner, epochs=3, batch_size=32)
print("learned threshold:", net["neuron1"].params["v_threshold"])

# %% [markdown]
# **See** how it differs from a leaky neuron: near the threshold it speeds up, as real membranes do.

# %%
x = np.full((60, 1, 1), 0.08, np.float32)
courses = [nbsnn.Population(cell, 1).run(x)["v"].ravel() for cell in (parabola, nbsnn.neurons.LIF(20.0, v_reset=None))]
figure = nbsnn.plot.traces(
    np.arange(60.0), {"v": np.stack(courses, 1)}, labels=["parabola", "leaky"], title="the same current into both"
)
nbsnn.plot.save(figure, "11_own_neuron.png")

# %% [markdown]
# **Try** to change a sign in `vjp`, and run the check again: it says which derivative is wrong, and by how much.
