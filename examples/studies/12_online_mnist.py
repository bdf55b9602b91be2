"""MNIST with a rule that learns while time passes, or with back-propagation through time for comparison.

784-800-10, leaky integrate-and-fire neurons (tau 2) before a leaky readout, constant input, cross-entropy at every
step, Adam 1e-3, batches of 128.

    python examples/studies/12_online_mnist.py --data DIR --rule ottt
"""

import argparse
import time

import nbsnn
from nbsnn.neurons import LI, LIF

RULES = {"ottt": nbsnn.OTTT, "sltt": nbsnn.SLTT, "bptt": nbsnn.BPTT}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--rule", choices=RULES, default="ottt")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--steps", type=int, default=10)
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data)
train = (data.x_train[: arguments.samples], data.y_train[: arguments.samples])
test = (data.x_test[: arguments.samples], data.y_test[: arguments.samples])
hidden = LIF(tau=2.0, v_reset=None, detach_reset=True)
net = nbsnn.Sequential(nbsnn.Dense(784, 800), hidden, nbsnn.Dense(800, 10), LI(tau=2.0), seed=arguments.seed)
loss = nbsnn.losses.StepCrossEntropy(reduction="sum")
learner = RULES[arguments.rule](net, loss, nbsnn.optim.Adam(arguments.lr), seed=arguments.seed)
start = time.perf_counter()
history = nbsnn.fit(
    net,
    train,
    test,
    encoder=nbsnn.encode.constant(T=arguments.steps),
    learner=learner,
    epochs=arguments.epochs,
    seed=arguments.seed,
)
minutes = (time.perf_counter() - start) / 60.0
print(f"{arguments.rule}: test accuracy {100 * history['test_accuracy'][-1]:.2f} %, {minutes:.1f} minutes")
