"""Fashion-MNIST with SpikingJelly's convolutional network and batch normalisation: {C3-BN-IF-MP2} * 2 - FC - FC, T = 4.

python examples/studies/22_fashion_csnn.py --data DIR
"""

import argparse

import nbsnn
from nbsnn.presets import spikingjelly

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--data", required=True, help="folder with the four Fashion-MNIST files")
parser.add_argument("--channels", type=int, default=16, help="128 in SpikingJelly's tutorial")
parser.add_argument("--samples", type=int, default=6000)
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--steps", type=int, default=4)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()

data, c = nbsnn.data.fashion_mnist(arguments.data, flat=False), arguments.channels
train = (data.x_train[: arguments.samples], data.y_train[: arguments.samples])
test = (data.x_test[: arguments.samples], data.y_test[: arguments.samples])
node = spikingjelly.IFNode(surrogate_function=spikingjelly.SURROGATES["ATan"]())
blocks = [
    (nbsnn.Conv2d(channels, c, 3, padding=1, bias=False), nbsnn.BatchNorm(), node, nbsnn.MaxPool2d(2))
    for channels in (1, c)
]
dense = nbsnn.Dense(49 * c, 16 * c, bias=False), node, nbsnn.Dense(16 * c, 10, bias=False), node
net = nbsnn.Sequential(*blocks[0], *blocks[1], nbsnn.Flatten(), *dense, input_shape=(1, 28, 28), seed=arguments.seed)
learner = nbsnn.BPTT(net, nbsnn.losses.RateMSE(), nbsnn.optim.Adam(1e-3))
encoder, options = nbsnn.encode.constant(T=arguments.steps), {"epochs": arguments.epochs, "seed": arguments.seed}
history = nbsnn.fit(net, train, test, encoder=encoder, learner=learner, batch_size=64, **options)
print(f"test accuracy: {100 * history['test_accuracy'][-1]:.2f} %")
