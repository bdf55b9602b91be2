"""Three ways to look inside a network: a gradient check, a report, and a run whose state is edited on the way.

python examples/04_look_inside.py
"""

import nbsnn
from nbsnn.neurons import LI, LIF

data = nbsnn.data.digits()
x, labels = nbsnn.encode.constant(T=8)(data.x_train[:64]), data.y_train[:64]
net = nbsnn.Sequential(nbsnn.Dense(64, 32), LIF(tau=2.0), nbsnn.Dense(32, 10), LI(tau=2.0), seed=0)

print(nbsnn.check(net))  # engine against finite differences
print(nbsnn.report(net, x, labels, nbsnn.losses.rate_cross_entropy))

scales = nbsnn.target_rate(net, x, rate=0.2)  # scale the weights until the hidden layer fires in a fifth of the steps
print("weights scaled by", scales)
print(nbsnn.report(net, x, labels, nbsnn.losses.rate_cross_entropy))

for t, state in net.steps(x):
    if t == 3:
        state["lif1"]["v"][:, :16] = -10.0  # hyperpolarise half of the hidden layer
    print(t, "spikes per sample:", state["lif1"]["spikes"].sum() / 64)
