"""Fashion-MNIST from spike times, in the setting of spytorch's tutorial 2.

Latency code (tau 20 ms, threshold 0.2), 784-100-10, 100 steps of 1 ms, current-based LIF with tau 10 ms and synaptic
tau 5 ms, superspike 100, readout by the largest membrane, Adam 2e-4, batches of 256, 30 epochs. Published test
accuracy: 0.863.

    python examples/studies/06_fashion_latency.py --data DIR
"""

import argparse

import nbsnn
from nbsnn.neurons import LI, CubaLIF
from nbsnn.surrogates import superspike

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four Fashion-MNIST files")
parser.add_argument("--epochs", type=int, default=30)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.fashion_mnist(arguments.data)
train = (data.x_train[: arguments.samples], data.y_train[: arguments.samples])
test = (data.x_test[: arguments.samples], data.y_test[: arguments.samples])


def weight(n):
    return nbsnn.init.normal(0.0, 0.2 * n**-0.5)


net = nbsnn.Sequential(
    nbsnn.Dense(784, 100, bias=False, weight=weight(784)),
    CubaLIF(tau=10.0, tau_syn=5.0, detach_reset=True, compare=">", surrogate=superspike(100.0)),
    nbsnn.Dense(100, 10, bias=False, weight=weight(100)),
    synapse=LI(tau=5.0),
    readout=LI(tau=10.0),
    seed=arguments.seed,
)
learner = nbsnn.BPTT(net, nbsnn.losses.max_cross_entropy, nbsnn.optim.Adam(2e-4))
encoder = nbsnn.encode.latency(T=100, tau=20.0, threshold=0.2)
history = nbsnn.fit(
    net, train, test, encoder=encoder, learner=learner, epochs=arguments.epochs, batch_size=256, seed=arguments.seed
)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
