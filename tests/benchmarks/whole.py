"""W9: whole trainings, with a test after each epoch: the network of snnTorch's tutorial 7 on N-MNIST, and
SpikingJelly's for Fashion-MNIST with batch normalisation.

nmnist: 12C5-MP2-32C5-MP2-10, beta 0.5 with the reset a step late, frames of 1 ms; mean squared error of spike counts
with 0.8 and 0.2 as targets; Adam 5e-3. fashion: {C3-BN-IF-MP2} * 2 - FC - FC, images shown for T steps; mean squared
error of rates; Adam 1e-3.

    python tests/benchmarks/whole.py --task nmnist --data DIR
"""

from __future__ import annotations

import workloads


def main() -> None:
    p = workloads.whole_arguments(__doc__)
    p.add_argument("--profile", action="store_true", help="print where the time goes")
    a = p.parse_args()
    a.T = a.T or (310 if a.task == "nmnist" else 4)
    workloads.pin_threads(a.threads)

    import nbsnn
    from nbsnn.presets import snntorch, spikingjelly

    def tutorial(seed: int) -> nbsnn.Sequential:
        leaky = snntorch.Leaky(beta=0.5)
        return nbsnn.Sequential(
            nbsnn.Conv2d(2, 12, 5), leaky, nbsnn.MaxPool2d(2), nbsnn.Conv2d(12, 32, 5), leaky, nbsnn.MaxPool2d(2),
            nbsnn.Flatten(), nbsnn.Dense(800, 10), leaky, input_shape=(2, 34, 34), seed=seed,
        )  # fmt: skip

    def csnn(seed: int) -> nbsnn.Sequential:
        c, node = a.channels, spikingjelly.IFNode(surrogate_function=spikingjelly.SURROGATES["ATan"]())
        first = nbsnn.Conv2d(1, c, 3, padding=1, bias=False), nbsnn.BatchNorm(), node, nbsnn.MaxPool2d(2)
        second = nbsnn.Conv2d(c, c, 3, padding=1, bias=False), nbsnn.BatchNorm(), node, nbsnn.MaxPool2d(2)
        dense = nbsnn.Dense(49 * c, 16 * c, bias=False), node, nbsnn.Dense(16 * c, 10, bias=False), node
        return nbsnn.Sequential(*first, *second, nbsnn.Flatten(), *dense, input_shape=(1, 28, 28), seed=seed)

    if a.task == "nmnist":
        data = nbsnn.events.nmnist(a.data / "nmnist", samples=a.samples)
        build, encoder = tutorial, nbsnn.events.binned(T=a.T, dt=310.0 / a.T)
        loss, rate = nbsnn.losses.RateMSE(0.8, 0.2), 5e-3
        sets = (data.x_train, data.y_train), (data.x_test, data.y_test)
    else:
        x, y, x_test, y_test = workloads.fashion(a.data, a.samples)
        build, encoder = csnn, nbsnn.encode.constant(T=a.T)
        loss, rate = nbsnn.losses.RateMSE(), 1e-3
        sets = (x, y), (x_test, y_test)

    def train(seed: int, samples: int = a.samples, epochs: int = a.epochs) -> float:
        net = build(seed)
        learner = nbsnn.BPTT(net, loss, nbsnn.optim.Adam(rate))
        options = {"epochs": epochs, "batch_size": a.batch, "seed": seed, "progress": False}
        few = [(x[:samples], y[:samples]) for x, y in sets]
        return nbsnn.fit(net, *few, encoder=encoder, learner=learner, **options)["test_accuracy"][-1]

    train(0, a.batch, 1)  # loads all code
    if a.profile:
        with nbsnn.profile() as where:
            train(a.seeds[0])
        print(where)
    workloads.whole(a, "nbsnn", nbsnn.__version__, train)


if __name__ == "__main__":
    main()
