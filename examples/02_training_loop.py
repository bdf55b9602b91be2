"""Train on the digits that come with the package, with the loop written out: every array is at hand at every step.

python examples/02_training_loop.py
"""

import argparse

import nbsnn
from nbsnn.neurons import LI, LIF
from nbsnn.random import Draws

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=10)
arguments = parser.parse_args()

data = nbsnn.data.digits()
net = nbsnn.Sequential(nbsnn.Dense(64, 128), LIF(tau=2.0), nbsnn.Dense(128, 10), LI(tau=2.0), seed=0)
learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy, optimizer=nbsnn.optim.Adam(5e-3))
encode = nbsnn.encode.constant(T=8)

for epoch in range(arguments.epochs):
    for batch in nbsnn.data.batches(len(data.x_train), 32, Draws(0), epoch):
        value = learner.step(encode(data.x_train[batch]), data.y_train[batch])
    run = net.run(encode(data.x_test))
    accuracy = nbsnn.losses.accuracy(run.output, data.y_test)
    print(
        f"epoch {epoch + 1:2d}  loss {value:.4f}  test {100 * accuracy:.1f} %  rate {run['lif1']['spikes'].mean():.3f}"
    )
