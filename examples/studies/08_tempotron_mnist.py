"""MNIST with Tempotrons and Gaussian receptive fields, the input of SpikingJelly's Tempotron example.

Each of the 784 pixels is seen by 16 neurons whose receptive fields are spread over the range of grey; each spikes once
within 100 ms, the earlier the better the grey fits, or never: 12544 inputs, of which about a fifth spike. tau 15 ms,
tau_s 3.75 ms, batches of 64. The class is that of the output with the largest membrane.

--setting original trains as SpikingJelly does: a neuron per class, Adam 1e-3, squared distance of wrong membranes to
the threshold. The default asks which of the outputs is largest, with ten neurons per class (--per-class), and takes
what all images share, the dark background, out of the gradient: SGD with momentum can then learn fast.

    python examples/studies/08_tempotron_mnist.py --data DIR
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.optim import SGD, Adam
from nbsnn.optim.schedules import Cosine
from nbsnn.presets.spikingjelly import GaussianTuning
from nbsnn.tempotron import Gradient, MaxCrossEntropy, ThresholdMSE, shared_directions

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--setting", choices=("fast", "original"), default="fast")
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--per-class", type=int, help="neurons per class (10, or 1 in the original setting)")
parser.add_argument("--lr", type=float, help="learning rate (0.1, or 1e-3 in the original setting)")
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data)
n, T, fields, batch_size = arguments.samples, 100, 16, 64
original = arguments.setting == "original"
per_class = arguments.per_class or (1 if original else 10)
lr = arguments.lr or (1e-3 if original else 0.1)

grey = np.linspace(0.0, 1.0, 256)  # pixels have 256 values, so the code is a table
table = GaussianTuning(1, fields, [0.0], [1.0]).encode(grey.reshape(256, 1, 1), T).reshape(256, fields)
table = table.astype(np.float32)


def encode(x):
    return table[np.rint(x * 255.0).astype(np.intp)].reshape(len(x), -1)


def who(labels):  # neurons c * per_class ... (c + 1) * per_class - 1 are those of class c
    return labels[:, None] == np.arange(10 * per_class) // per_class


weight = None if original else nbsnn.init.normal(0.0, 0.02)
neurons = nbsnn.Tempotron(784 * fields, 10 * per_class, T=T, weight=weight, seed=arguments.seed)
if original:
    rule = Gradient(ThresholdMSE(), Adam(lr))
else:
    steps = arguments.epochs * -(-min(n, len(data.x_train)) // batch_size)
    shared = shared_directions(neurons, encode(data.x_train[: min(n, 500)]))
    rule = Gradient(MaxCrossEntropy(), SGD(Cosine(lr, steps), momentum=0.9, weight_decay=3e-4), damp=shared)
history = neurons.fit(
    data.x_train[:n],
    who(data.y_train[:n]),
    rule,
    epochs=arguments.epochs,
    batch_size=batch_size,
    encode=encode,
    test=(data.x_test[:n], who(data.y_test[:n])),
    by="largest",
    seed=arguments.seed,
    progress=True,
)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
