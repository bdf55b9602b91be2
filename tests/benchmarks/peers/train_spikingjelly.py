"""W1 and W2 in SpikingJelly: its multi-step mode on the CPU."""

from __future__ import annotations

from typing import Any

import harness
import workloads


def build(torch: Any, a: Any, weights: list[Any]) -> tuple[list[Any], Any, Any]:
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    n_pre, hidden, n_post = workloads.sizes(a)

    def lif() -> Any:
        return neuron.LIFNode(
            tau=1.0 / (1.0 - workloads.BETA), decay_input=False, v_threshold=1.0, v_reset=0.0, detach_reset=True,
            surrogate_function=surrogate.ATan(),
        )  # fmt: skip

    first, last = layer.Linear(n_pre, hidden, bias=False), layer.Linear(hidden, n_post, bias=False)
    middle = lif()
    if a.workload == "w2":
        middle = layer.LinearRecurrentContainer(middle, in_features=hidden, out_features=hidden, bias=False)
    with torch.no_grad():
        first.weight.copy_(weights[0])
        last.weight.copy_(weights[-1])
        if a.workload == "w2":  # the container's matrix is for input and feedback side by side
            middle.rc.weight.copy_(torch.cat([torch.eye(hidden), weights[1]], dim=1))
    front, back = torch.nn.Sequential(first, middle), torch.nn.Sequential(last, lif())
    net = torch.nn.ModuleList([front, back])
    functional.set_step_mode(net, "m")

    def forward(x: Any) -> tuple[Any, Any]:
        spikes = front(x)
        return spikes, back(spikes).sum(0)

    return list(net.parameters()), forward, lambda: functional.reset_net(net)


if __name__ == "__main__":
    harness.require("torch", "spikingjelly")
    harness.train(workloads.training_arguments(__doc__), "spikingjelly", build)
