"""W9 with snnTorch (nmnist) and SpikingJelly (fashion): see ``whole.py``.

Frames of N-MNIST are made before the time counts, and lie in memory as bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import harness
import workloads


def frames(folder: Any, part: str, samples: int, steps: int) -> tuple[Any, Any]:
    """N-MNIST as bytes [T, n, 2, 34, 34], and its labels."""
    import numpy as np

    found, labels = workloads.recordings(folder, part, samples)
    x = np.zeros((steps, len(found), 2 * 34 * 34), np.uint8)
    for sample, (t, unit) in enumerate(found):
        step = t * steps // 310_000
        x[step[step < steps], sample, unit[step < steps]] = 1
    return x.reshape(*x.shape[:2], 2, 34, 34), labels


def tutorial(torch: Any, a: Any) -> tuple[Callable, Callable, Callable, float]:
    """Network, output of a batch [T, B, ...] as [T, B, 10], loss and learning rate."""
    import snntorch
    from snntorch import functional, utils

    nn = torch.nn

    def build() -> Any:
        leaky = lambda **more: snntorch.Leaky(  # noqa: E731
            beta=0.5, spike_grad=snntorch.surrogate.atan(), init_hidden=True, **more
        )
        return nn.Sequential(
            nn.Conv2d(2, 12, 5), leaky(), nn.MaxPool2d(2), nn.Conv2d(12, 32, 5), leaky(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(800, 10), leaky(output=True),
        )  # fmt: skip

    def output(net: Any, x: Any) -> Any:
        utils.reset(net)
        return torch.stack([net(now)[0] for now in x])

    return build, output, functional.mse_count_loss(0.8, 0.2), 5e-3


def csnn(torch: Any, a: Any) -> tuple[Callable, Callable, Callable, float]:
    """The same, of images [B, ...] that are shown for T steps."""
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    def build() -> Any:
        node = lambda: neuron.IFNode(surrogate_function=surrogate.ATan())  # noqa: E731
        c, blocks = a.channels, []
        for before in (1, c):
            conv = layer.Conv2d(before, c, 3, padding=1, bias=False)
            blocks += [conv, layer.BatchNorm2d(c), node(), layer.MaxPool2d(2, 2)]
        dense = layer.Linear(49 * c, 16 * c, bias=False), node(), layer.Linear(16 * c, 10, bias=False), node()
        net = torch.nn.Sequential(*blocks, layer.Flatten(), *dense)
        functional.set_step_mode(net, "m")
        return net

    def output(net: Any, x: Any) -> Any:
        functional.reset_net(net)
        return net(x.unsqueeze(0).repeat(a.T, 1, 1, 1, 1))

    def loss(found: Any, y: Any) -> Any:
        return torch.nn.functional.mse_loss(found.mean(0), torch.nn.functional.one_hot(y, 10).float())

    return build, output, loss, 1e-3


def main() -> None:
    a = workloads.whole_arguments(__doc__).parse_args()
    a.T = a.T or (310 if a.task == "nmnist" else 4)
    workloads.pin_threads(a.threads)
    peer = "snntorch" if a.task == "nmnist" else "spikingjelly"
    harness.require("torch")
    harness.require(peer)
    harness.without_torchvision()
    torch = harness.torch_with(a.threads, 0)
    if a.task == "nmnist":
        (x, y), (x_test, y_test) = (frames(a.data, part, a.samples, a.T) for part in ("train", "test"))
        axis, (build, output, loss, rate) = 1, tutorial(torch, a)
    else:
        x, y, x_test, y_test = workloads.fashion(a.data, a.samples)
        axis, (build, output, loss, rate) = 0, csnn(torch, a)
    x, y, x_test, y_test = map(torch.from_numpy, (x, y, x_test, y_test))

    def batches(given: Any, target: Any, order: Any) -> Any:
        for which in order.split(a.batch):
            yield given.index_select(axis, which).float(), target[which]

    def train(seed: int, samples: int = a.samples, epochs: int = a.epochs) -> float:
        torch.manual_seed(seed)
        net, right, many = build(), 0, min(samples, len(y_test))
        optimizer = torch.optim.Adam(net.parameters(), rate)
        for _ in range(epochs):
            net.train()
            for some, target in batches(x, y, torch.randperm(min(samples, len(y)))):
                optimizer.zero_grad()
                loss(output(net, some), target).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                found = [(output(net, some).sum(0).argmax(1) == target).sum() for some, target in batches(
                    x_test, y_test, torch.arange(many)
                )]  # fmt: skip
            right = int(sum(found))
        return right / many

    train(0, a.batch, 1)
    workloads.whole(a, peer, harness.version(peer), train)


if __name__ == "__main__":
    main()
