"""W3 in SpikingJelly: OTTT or SLTT, one backward per step, or BPTT with the same loss."""

from __future__ import annotations

from typing import Any

import harness
import workloads


def main() -> None:
    harness.require("torch", "spikingjelly")
    p = workloads.training_arguments(__doc__, batch=64)
    p.add_argument("--variant", choices=["ottt", "sltt", "bptt"], default="ottt")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    torch = harness.torch_with(a.threads, a.seed)
    import numpy as np
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    n_pre, hidden, n_post = workloads.sizes(a)
    x = torch.from_numpy(workloads.bernoulli(a.seed, a.T, a.batch, n_pre, a.rate).astype(np.uint8))
    y = torch.from_numpy(workloads.labels(a.seed, a.batch, n_post))
    node = {"ottt": neuron.OTTTLIFNode, "sltt": neuron.SLTTLIFNode, "bptt": neuron.LIFNode}[a.variant]

    def lif() -> Any:
        return node(
            tau=1.0 / (1.0 - workloads.BETA), decay_input=False, v_threshold=1.0, v_reset=0.0, detach_reset=True,
            surrogate_function=surrogate.ATan(),
        )  # fmt: skip

    linears = [layer.Linear(n_pre, hidden, bias=False), layer.Linear(hidden, n_post, bias=False)]
    with torch.no_grad():
        for linear, w in zip(linears, workloads.network_weights(a), strict=True):
            linear.weight.copy_(torch.from_numpy(w))
    sequential = layer.OTTTSequential if a.variant == "ottt" else torch.nn.Sequential
    net = sequential(linears[0], lif(), linears[1], lif()).train()
    if a.variant == "bptt":
        functional.set_step_mode(net, "m")
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
    cross_entropy = torch.nn.functional.cross_entropy

    def gradients(x: Any) -> tuple[float, float]:
        """Number of spikes, and loss."""
        optimizer.zero_grad(set_to_none=True)
        spikes = total = 0.0
        trace = torch.zeros(a.batch, n_pre)
        for part in [x] if a.variant == "bptt" else x:
            now = part.float()
            trace = trace * workloads.BETA + now if a.variant == "ottt" else trace
            out = net([now, trace])[0] if a.variant == "ottt" else net(now)
            losses = [cross_entropy(o, y) for o in (out if a.variant == "bptt" else [out])]
            loss = sum(losses) / a.T
            loss.backward()
            functional.detach_net(net)
            spikes, total = spikes + float(out.detach().sum()), total + float(loss.detach())
        functional.reset_net(net)
        return spikes, total

    def step(k: int) -> None:
        gradients(x)
        optimizer.step()

    gradients(x[:1])  # one step loads all code: what comes after is training's own memory
    before = workloads.now_mb()
    spikes, loss = gradients(x)
    norms = [round(float(q.grad.norm()), 6) for q in net.parameters()]
    times = workloads.timed(step, a.warmup, a.repeat)
    workloads.emit(
        {
            "peer": "spikingjelly", "version": harness.version("spikingjelly"), "torch": torch.__version__,
            "workload": "w3", "variant": a.variant, "T": a.T, "batch": a.batch, "rate": a.rate, "threads": a.threads,
            **times, "loss": round(loss, 6), "grad_norms": norms, "rss_before_mb": round(before, 1),
            "out_spikes": spikes,
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
