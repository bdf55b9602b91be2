"""MNIST in the setting of snnTorch's tutorial 5, with that library's LIF written as a neuron of one's own.

784-1000-10, beta 0.95, 25 steps of constant input, arctan surrogate 2, cross-entropy of the membrane at every step,
Adam 5e-4, batches of 128, one epoch. Published test accuracy: 93.87 %.

snnTorch resets one step late: the membrane that is compared with the threshold, and on which the loss acts, has not
been reset by the spike that it causes.

    u[t] = beta u[t-1] + x[t] - s[t-1] v_threshold,    s[t] = u[t] > v_threshold

    python examples/studies/05_mnist_snntorch_tutorial5.py --data DIR
"""

import argparse

import nbsnn
from nbsnn import Neuron, dspike, spike


def charge(x, u, s, beta, v_threshold):
    return beta * u + x - s * v_threshold


def step(x, u, s, beta, v_threshold):
    u = charge(x, u, s, beta, v_threshold)
    s = spike(u - v_threshold)
    return s, u, s


def vjp(x, u, s, beta, v_threshold, gy, gu, gs):
    new = charge(x, u, s, beta, v_threshold)
    gd = (gy + gs) * dspike(new - v_threshold)
    g = gu + gd
    return g, g * beta, -g * v_threshold, g * u, -gd - g * s


def step_membrane(x, u, s, beta, v_threshold):
    u = charge(x, u, s, beta, v_threshold)
    return u, u, spike(u - v_threshold)


def vjp_membrane(x, u, s, beta, v_threshold, gy, gu, gs):
    new = charge(x, u, s, beta, v_threshold)
    gd = gs * dspike(new - v_threshold)
    g = gy + gu + gd
    return g, g * beta, -g * v_threshold, g * u, -gd - g * s


names = {"state": {"u": 0.0, "s": 0.0}, "params": {"beta": 0.95, "v_threshold": 1.0}, "compare": ">"}
leaky = Neuron(step, vjp, **names)
readout = Neuron(step_membrane, vjp_membrane, output="membrane", **names)

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data)
train = (data.x_train[: arguments.samples], data.y_train[: arguments.samples])
test = (data.x_test[: arguments.samples], data.y_test[: arguments.samples])
net = nbsnn.Sequential(nbsnn.Dense(784, 1000), leaky, nbsnn.Dense(1000, 10), readout, seed=arguments.seed)
loss = nbsnn.losses.StepCrossEntropy(reduction="sum")
learner = nbsnn.BPTT(net, loss, nbsnn.optim.Adam(5e-4))
encoder = nbsnn.encode.constant(T=25)
history = nbsnn.fit(net, train, test, encoder=encoder, learner=learner, epochs=1, seed=arguments.seed)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
