"""MNIST with ten Tempotrons and Gaussian receptive fields, in the setting of SpikingJelly's Tempotron example.

Each of the 784 pixels is seen by 16 neurons whose receptive fields are spread over the range of grey; each spikes once
within 100 ms, the earlier the better the grey fits, or never: 12544 inputs, of which about a quarter spike. tau 15 ms,
tau_s 3.75 ms, batches of 64, learning rate 1e-3. The class is the output with the largest membrane.

SpikingJelly trains on the squared distance of the membranes to the threshold (--loss mse); asking which of the outputs
is largest (--loss softmax, the default) learns faster.

    python examples/08_tempotron_mnist.py --data DIR
"""

import argparse

import numpy as np

import nbsnn
from nbsnn.presets.spikingjelly import GaussianTuning
from nbsnn.tempotron import Gradient, MaxCrossEntropy, ThresholdMSE

LOSSES = {"softmax": MaxCrossEntropy(), "mse": ThresholdMSE()}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--loss", choices=LOSSES, default="softmax")
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--fields", type=int, default=16, help="receptive fields per pixel")
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data)
n = arguments.samples
T, fields = 100, arguments.fields

grey = np.linspace(0.0, 1.0, 256)  # pixels have 256 values, so the code is a table
table = GaussianTuning(1, fields, [0.0], [1.0]).encode(grey.reshape(256, 1, 1), T).reshape(256, fields)
table = table.astype(np.float32)


def encode(x):
    return table[np.rint(x * 255.0).astype(np.intp)].reshape(len(x), -1)


neurons = nbsnn.Tempotron(784 * fields, 10, tau=15.0, tau_s=3.75, T=T, seed=arguments.seed)
rule = Gradient(LOSSES[arguments.loss], nbsnn.optim.Adam(arguments.lr))
history = neurons.fit(
    data.x_train[:n],
    data.y_train[:n],
    rule,
    epochs=arguments.epochs,
    batch_size=64,
    encode=encode,
    test=(data.x_test[:n], data.y_test[:n]),
    seed=arguments.seed,
    progress=True,
)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
