"""A neuron of one's own: two scalar functions, and it is checked, compiled and trained like the built-in ones.

This one is leaky integrate-and-fire with a quadratic charge, v + decay (v^2 - v), and soft reset.

    python examples/03_own_neuron.py
"""

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


quadratic = Neuron(step, vjp, state={"v": 0.0}, params={"decay": 0.2, "v_threshold": 1.0}, learn=("v_threshold",))

print(nbsnn.check(quadratic))

data = nbsnn.data.digits()
net = nbsnn.Sequential(nbsnn.Dense(64, 64), quadratic, nbsnn.Dense(64, 10), nbsnn.neurons.LI(), seed=0)
learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3))
encoder = nbsnn.encode.constant(T=8)
train, test = (data.x_train, data.y_train), (data.x_test, data.y_test)
nbsnn.fit(net, train, test, encoder=encoder, learner=learner, epochs=5, batch_size=32)
print("learned threshold:", net["neuron1"].params["v_threshold"])
