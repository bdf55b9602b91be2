"""MNIST without labels: spike-timing-dependent plasticity, lateral inhibition and thresholds that adapt.

Each image is shown for 250 steps of 1 ms as Poisson spikes (white: 128 Hz) to neurons that inhibit each other. A spike
strengthens the synapses of pixels that have just spiked; the weights of a neuron share a fixed sum; each spike raises
its neuron's threshold, so that all neurons take part. So each neuron comes to stand for one way to write a digit. Only
then are labels used: to ask which digit each neuron responds to most. After P. U. Diehl and M. Cook 2015,
doi:10.3389/fncom.2015.00099, with the simplifications of BindsNET (Hazan et al. 2018): currents for conductances, and
inhibition without interneurons.

    python examples/studies/14_stdp_mnist.py --data DIR
"""

import argparse
import time
from pathlib import Path

import numpy as np

import nbsnn
from nbsnn.neurons import DiehlCook
from nbsnn.plasticity import Plastic
from nbsnn.presets.bindsnet import PostPre
from nbsnn.presets.spaic import nearest_online_stdp
from nbsnn.random import Draws
from nbsnn.voting import VOTES, assign_labels

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--neurons", type=int, default=100)
parser.add_argument("--samples", type=int, default=20000, help="images shown while learning")
parser.add_argument("--labelled", type=int, default=10000, help="images whose labels are used")
parser.add_argument("--steps", type=int, default=250)
parser.add_argument("--theta-plus", type=float, default=0.02, help="mV by which a spike raises the threshold")
parser.add_argument(
    "--rule",
    choices=["bindsnet", "spaic"],
    default="bindsnet",
    help="spaic is its nearest-online rule, which normalises the weights at every step",
)
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--checkpoint", help="file to which the network is saved, and from which it goes on")
parser.add_argument("--figure", default="fields.png", help="where to draw what each neuron has learned")
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data)
x_train, x_test = data.x_train.reshape(-1, 784), data.x_test.reshape(-1, 784)
draws = Draws(arguments.seed)
order = np.concatenate([draws.fold("order", k).permutation(len(x_train)) for k in range(10)])[: arguments.samples]
encoder = nbsnn.encode.poisson(T=arguments.steps, gain=0.128)

LASTING = ("theta", "theta_low")  # what neurons keep from image to image
connection = nbsnn.Dense(784, arguments.neurons, bias=False, weight=nbsnn.init.uniform(0.0, 0.3))
rule = PostPre(nu=(1e-4, 1e-2), norm=78.4) if arguments.rule == "bindsnet" else nearest_online_stdp(w_norm=78.4)
layer = Plastic(connection, DiehlCook(theta_plus=arguments.theta_plus), rule, lateral=120.0, seed=arguments.seed)
state, done = layer.initial(1), 0
checkpoint = Path(arguments.checkpoint) if arguments.checkpoint else None
if checkpoint and checkpoint.exists():
    nbsnn.load(checkpoint, layer)
    with np.load(checkpoint) as file:
        state["neurons"] |= {name: file[name] for name in LASTING}
        done = int(file["done"])

start, begun = time.perf_counter(), done
while done < len(order):
    part = order[done : done + 2000]
    shown = layer.present(x_train[part], encoder, draws.fold("train"), state=state, keep=LASTING, first=done)
    state, done = shown.state, done + len(part)
    theta = state["neurons"]["theta"]
    print(f"{done} images, {shown.counts.sum(1).mean():.1f} spikes per image, theta {theta.mean():.1f} mV", flush=True)
    if checkpoint:
        nbsnn.save(layer, checkpoint, {**{name: state["neurons"][name] for name in LASTING}, "done": np.array(done)})
seconds = time.perf_counter() - start
if done > begun:
    print(f"{1e3 * seconds / (done - begun):.2f} ms per image, {seconds / 60.0:.1f} minutes of learning")


def respond(x, name):
    """Spike counts with weights and thresholds as they are."""
    stream = draws.fold(name)
    return layer.present(x, encoder, stream, state=state, keep=LASTING, learn=False, batch=10).counts


known = order[: arguments.labelled]
found = assign_labels(respond(x_train[known], "labelled"), data.y_train[known], 10)
counts = respond(x_test, "test")
for vote in VOTES:
    print(f"test accuracy, vote {vote}: {100 * np.mean(found.predict(counts, vote) == data.y_test):.2f} %")
print(f"{(time.perf_counter() - start) / 60.0:.1f} minutes")

try:
    import matplotlib
except ImportError:
    print("no figure: matplotlib is not installed")
else:
    matplotlib.use("Agg")
    from matplotlib import pyplot

    side = int(np.ceil(np.sqrt(arguments.neurons)))
    fields = np.zeros((side * side, 28, 28))
    fields[: arguments.neurons] = layer.weights.T.reshape(-1, 28, 28)
    tiles = fields.reshape(side, side, 28, 28).swapaxes(1, 2).reshape(side * 28, side * 28)
    pyplot.imsave(arguments.figure, tiles, cmap="hot_r")
    print(f"receptive fields: {arguments.figure}")
