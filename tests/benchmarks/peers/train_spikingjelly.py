"""W1 and W2 in SpikingJelly: its multi-step mode.

On a GPU, --backend says which of its kernels: torch, triton, and cuda (version 2) or cupy (earlier ones). Version 2
reads that from the environment when it is imported.
"""

from __future__ import annotations

import os
import sys
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
    net.to(a.device)
    if a.backend and hasattr(functional, "set_backend"):
        functional.set_backend(net, a.backend, neuron.BaseNode)
    elif a.backend == "cupy":
        sys.exit("this SpikingJelly has no CuPy kernels any more: --backend cuda")

    def forward(x: Any) -> tuple[Any, Any]:
        spikes = front(x)
        return spikes, back(spikes).sum(0)

    return list(net.parameters()), forward, lambda: functional.reset_net(net)


if __name__ == "__main__":
    harness.require("torch", "spikingjelly")
    p = workloads.training_arguments(__doc__)
    p.add_argument("--backend", choices=["torch", "triton", "cuda", "cupy"], help="its own choice by default")
    backend = p.parse_known_args()[0].backend
    if backend:
        os.environ["SJ_LIF_CUDA_IMPLEMENTATION"] = backend
    harness.train(p, "spikingjelly", build)
