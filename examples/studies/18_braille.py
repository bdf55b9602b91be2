"""Braille letters felt by four pressure sensors: the task of spytorch's tutorial 5.

4-64-200-27: neurons make spikes of the pressure, recurrent ones learn, and a leaky readout is averaged over the 76
steps. The channels vary by 0.002 to 0.08 around means of 0.0002 to 0.65, so they are standardised, by the means and
deviations of the training set. Every fifth reading of a letter is for testing.

    python examples/studies/18_braille.py --data DIR
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.neurons import LI, LIF

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with braille_letters.npz")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seeds", type=int, default=3)
arguments = parser.parse_args()

data = nbsnn.data.braille(arguments.data).standardized()
found = []
for seed in range(arguments.seeds):
    net = nbsnn.Sequential(
        nbsnn.Dense(4, 64, weight=nbsnn.init.uniform(-2.0, 2.0)),
        LIF(tau=5.0),
        nbsnn.Dense(64, 200),
        nbsnn.Recurrent(LIF(tau=8.0)),
        nbsnn.Dense(200, 27),
        LI(tau=20.0),
        seed=seed,
    )
    steps = arguments.epochs * -(-len(data.y_train) // 64)
    learner = nbsnn.BPTT(
        net, nbsnn.losses.RateCrossEntropy(scale=4.0), nbsnn.optim.Adam(nbsnn.optim.Cosine(5e-3, steps)), seed=seed
    )
    train, test = (data.x_train, data.y_train), (data.x_test, data.y_test)
    history = nbsnn.fit(net, train, test, learner=learner, epochs=arguments.epochs, batch_size=64, seed=seed)
    found.append(100.0 * history["test_accuracy"][-1])
print(f"test accuracy of {len(found)} seeds: {np.mean(found):.1f} % ({min(found):.1f} to {max(found):.1f})")
