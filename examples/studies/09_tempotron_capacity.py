"""How many random patterns a Tempotron learns: success against load, the number of patterns per synapse.

500 inputs spike once each at a random time within 500 ms; the neuron, tau 15 ms and tau_s 3.75 ms, is to fire for one
half of the patterns. It learns with the rule of Guetig and Sompolinsky (2006), who found a capacity of about 3, where
a perceptron's is 2. A seed succeeds if all of its patterns are answered rightly in the end.

    python examples/studies/09_tempotron_capacity.py
    python examples/studies/09_tempotron_capacity.py --loads 2 --seeds 10 --figure capacity.png
"""

import argparse
import time

import numpy as np

import nbsnn
from nbsnn.random import Draws
from nbsnn.tempotron import Classic, accuracy

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--inputs", type=int, default=500)
parser.add_argument("--loads", type=float, nargs="+", default=[1.0, 1.5, 2.0, 2.25, 2.5, 3.0, 3.5])
parser.add_argument("--seeds", type=int, default=10)
parser.add_argument("--epochs", type=int, default=1000)
parser.add_argument("--lr", type=float, default=1e-4)
parser.add_argument("--momentum", type=float, default=0.99)
parser.add_argument("--figure", help="file for a figure (needs matplotlib)")
arguments = parser.parse_args()

T = 500.0
success, right = [], []
print(f"{arguments.inputs} inputs, {arguments.seeds} seeds, at most {arguments.epochs} epochs")
print("load  patterns  success  patterns right  epochs  seconds")
for load in arguments.loads:
    patterns, start = round(load * arguments.inputs), time.perf_counter()
    accuracies, epochs = [], []
    for seed in range(arguments.seeds):
        draws = Draws(seed, "patterns")
        times = draws.uniform((patterns, arguments.inputs), 0.0, T)
        labels = np.arange(patterns) % 2
        neuron = nbsnn.Tempotron(arguments.inputs, tau=15.0, tau_s=3.75, T=T, seed=seed)
        rule = Classic(arguments.lr, arguments.momentum)
        epochs.append(len(neuron.fit(times, labels, rule, epochs=arguments.epochs, seed=seed)))
        accuracies.append(accuracy(neuron, times, labels))
    success.append(np.mean(np.equal(accuracies, 1.0)))
    right.append(np.mean(accuracies))
    print(
        f"{load:4.2f}  {patterns:8d}  {100 * success[-1]:5.0f} %  {100 * right[-1]:12.2f} %  {np.mean(epochs):6.0f}  "
        f"{time.perf_counter() - start:7.1f}",
        flush=True,
    )

if arguments.figure:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.4))
    axes.plot(arguments.loads, success, "ko-", label="all patterns right")
    axes.plot(arguments.loads, right, "k.:", label="patterns right")
    axes.axvline(2.0, color="grey", linewidth=0.8)
    axes.set(xlabel="load (patterns per synapse)", ylabel="share", ylim=(-0.02, 1.02))
    axes.legend()
    figure.tight_layout()
    figure.savefig(arguments.figure, dpi=120)
