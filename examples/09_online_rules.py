# %% [markdown]
# # OTTT and SLTT: learning while time passes
#
# Back-propagation through time keeps every step until the end. OTTT and SLTT throw the past away: OTTT keeps one trace
# of the input for each synapse's source, SLTT not even that. How far does that turn the gradient away from the true
# one, and what does it save?

# %%
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
# The same training by the three rules, on the same batches, with the bytes that each keeps.

# %%
figure, axis = nbsnn.plot.pyplot().subplots(figsize=(6.0, 3.6), layout="constrained")
for name, rule in {"BPTT": nbsnn.BPTT, "OTTT": nbsnn.OTTT, "SLTT": nbsnn.SLTT}.items():
    net = network()
    learner = rule(net, loss=loss, optimizer=nbsnn.optim.Adam(5e-3))
    course = [learner.step(x, labels) / len(x) for _ in range(60)]
    guesses = net.run(x).output.mean(0).argmax(1)
    print(f"{name}: loss {course[-1]:.3f}, {np.mean(guesses == labels):.0%} of these 64 digits right")
    axis.plot(course, label=name)
axis.set(xlabel="training step", ylabel="loss per step of time", ylim=(0.0, None))
axis.legend()
nbsnn.plot.save(figure, "09_online_rules.png")

# %% [markdown]
# **See** that all three descend along one line: where membranes forget quickly, the past matters little. **Try**
# `tau=20.0` in the hidden layer: the angle between the gradients grows.
