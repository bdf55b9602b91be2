"""MNIST with a small convolutional spiking network, trained by STBP: 12C5-MP2-64C5-MP2-10, constant input.

python examples/studies/07_mnist_convolution.py --data DIR
"""

import argparse

import nbsnn
from nbsnn.neurons import LI, LIF

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four MNIST files")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--steps", type=int, default=5)
parser.add_argument("--samples", type=int, default=60000)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data = nbsnn.data.mnist(arguments.data, flat=False)
train = (data.x_train[: arguments.samples], data.y_train[: arguments.samples])
test = (data.x_test[: arguments.samples], data.y_test[: arguments.samples])
net = nbsnn.Sequential(
    nbsnn.Conv2d(1, 12, 5),
    LIF(tau=2.0, v_threshold=0.5),
    nbsnn.MaxPool2d(2),
    nbsnn.Conv2d(12, 64, 5),
    LIF(tau=2.0, v_threshold=0.5),
    nbsnn.MaxPool2d(2),
    nbsnn.Flatten(),
    nbsnn.Dropout(0.2),
    nbsnn.Dense(1024, 10),
    LI(tau=2.0),
    input_shape=(1, 28, 28),
    seed=arguments.seed,
)
iterations = arguments.epochs * -(-len(train[0]) // 128)
learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.Adam(nbsnn.optim.Cosine(2e-3, iterations)))
encoder = nbsnn.encode.constant(T=arguments.steps)
history = nbsnn.fit(net, train, test, encoder=encoder, learner=learner, epochs=arguments.epochs, seed=arguments.seed)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
