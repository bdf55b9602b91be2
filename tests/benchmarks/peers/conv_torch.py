"""W8 in torch, step by step, which is its fastest way on a CPU: by hand, or with neurons of snnTorch or SpikingJelly.

Their LIF has a decay of 0.6 and 0.5 instead of exp(-1/2); the work is the same.
"""

from __future__ import annotations

import math
from typing import Any

import harness
import workloads

DECAY = math.exp(-0.5)


def by_hand(torch: Any) -> tuple[Any, Any]:
    """A LIF layer and a readout, which keep their membranes until they are set to None."""

    spike = harness.spike(torch)

    class Lif(torch.nn.Module):
        v: Any = None

        def forward(self, x: Any) -> Any:
            u = x if self.v is None else DECAY * self.v + x
            s = spike(u - 0.5)
            self.v = u * (1.0 - s)
            return s

    class Readout(torch.nn.Module):
        v: Any = None

        def forward(self, x: Any) -> Any:
            self.v = x if self.v is None else DECAY * self.v + x
            return self.v

    return Lif, Readout


def main() -> None:
    p = workloads.conv_arguments(__doc__)
    p.add_argument("--variant", choices=["hand", "snntorch", "spikingjelly"], default="hand")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    harness.require("torch")
    if a.variant != "hand":
        harness.require(a.variant)
    torch = harness.torch_with(a.threads, a.seed)
    nn = torch.nn
    lif, readout = by_hand(torch)
    renew = lambda net: None  # noqa: E731
    if a.variant == "snntorch":
        import snntorch

        lif = lambda: snntorch.Leaky(  # noqa: E731
            beta=0.6, threshold=0.5, spike_grad=snntorch.surrogate.atan(), init_hidden=True
        )
        renew = lambda net: [m.reset_mem() for m in net if hasattr(m, "reset_mem")]  # noqa: E731
    elif a.variant == "spikingjelly":
        harness.without_torchvision()
        from spikingjelly.activation_based import functional, neuron, surrogate

        lif = lambda: neuron.LIFNode(  # noqa: E731
            tau=2.0, v_threshold=0.5, decay_input=False, surrogate_function=surrogate.ATan()
        )
        renew = functional.reset_net
    channels, side = workloads.conv_sizes(a)
    net = nn.Sequential(
        nn.Conv2d(channels, 12, 5), lif(), nn.MaxPool2d(2), nn.Conv2d(12, 64, 5), lif(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(64 * side * side, 10), readout(),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    x, y = map(torch.from_numpy, workloads.conv_batch(a))
    found = [0.0]

    def step(_: int) -> None:
        renew(net)
        for module in net:
            if hasattr(module, "v") and not callable(getattr(module, "reset", None)):
                module.v = None
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(torch.stack([net(now) for now in x]).mean(0), y)
        loss.backward()
        optimizer.step()
        found[0] = float(loss)

    before = workloads.now_mb()
    times = workloads.timed(step, a.warmup, a.repeat)
    workloads.emit(
        {
            "peer": a.variant, "version": harness.version("torch" if a.variant == "hand" else a.variant),
            "workload": "w8", "size": a.size, "T": a.T, "batch": a.batch, "rate": a.rate, "threads": a.threads,
            **times, "loss": round(found[0], 6), "rss_before_mb": round(before, 1), "in_spikes": float(x.sum()),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
