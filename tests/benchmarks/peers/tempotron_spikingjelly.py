"""W4 in SpikingJelly: its continuous-event Tempotron, or a grid of steps of 1 in plain torch.

SpikingJelly's neuron is deaf after it has fired, ours is not: who fires is the same, the largest membranes are not.
"""

from __future__ import annotations

import math
from typing import Any

import harness
import workloads

TAU, TAU_S = 15.0, 3.75


def main() -> None:
    harness.require("torch", "spikingjelly")
    p = workloads.arguments(__doc__)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--T", type=int, default=100)
    p.add_argument("--active", type=float, default=1.0, help="share of the inputs that spike")
    p.add_argument("--variant", choices=["events", "grid"], default="events")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    torch = harness.torch_with(a.threads, a.seed)
    import numpy as np
    from spikingjelly.timing_based import neuron

    active, times, target, weight = (torch.from_numpy(array) for array in workloads.latencies(a))
    wanted = torch.nn.functional.one_hot(target, 10).bool()
    net = neuron.Tempotron(784, 10, float(a.T), tau=TAU, tau_s=TAU_S, v_threshold=1.0)
    with torch.no_grad():
        net.weight.copy_(weight)
    spike_times, who = times[active], active.nonzero()[:, 1]
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(active.sum(1).numpy())]))
    peak = TAU * TAU_S / (TAU - TAU_S) * math.log(TAU / TAU_S)
    v0 = 1.0 / (math.exp(-peak / TAU) - math.exp(-peak / TAU_S))

    def on_grid() -> tuple[Any, Any]:
        since = torch.arange(a.T, dtype=torch.float32)[:, None, None] - times
        response = v0 * (torch.exp(-since / TAU) - torch.exp(-since / TAU_S))
        v = torch.where((since > 0) & active, response, 0.0) @ net.weight.t()
        v_max = v.max(0)[0]
        return v_max, v_max.detach() > 1.0

    def by_events() -> tuple[Any, Any]:
        v_max, _, spike_time = net(spike_times, who, offsets)
        return v_max, torch.isfinite(spike_time)

    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)
    forward = by_events if a.variant == "events" else on_grid

    def gradients() -> tuple[Any, Any, Any]:
        v_max, fired = forward()
        loss = torch.where(wanted != fired, torch.where(wanted, 1.0 - v_max, v_max - 1.0), 0.0).sum() / a.batch
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        return v_max.detach(), fired, loss.detach()

    def step(k: int) -> None:
        gradients()
        optimizer.step()

    v_max, fired, loss = gradients()
    norm = float(net.weight.grad.norm())
    before = workloads.now_mb()
    seconds = workloads.timed(step, a.warmup, a.repeat)
    workloads.emit(
        {
            "peer": "spikingjelly", "version": harness.version("spikingjelly"), "torch": torch.__version__,
            "workload": "w4", "variant": a.variant, "batch": a.batch, "T": a.T, "active": a.active,
            "events": int(active.sum()), "threads": a.threads, **seconds, "rss_before_mb": round(before, 1),
            "loss": round(float(loss), 6), "vmax_sum": round(float(v_max.sum()), 4), "fired": int(fired.sum()),
            "grad_norm": round(norm, 6),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
