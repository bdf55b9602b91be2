"""W5 in BindsNET: DiehlAndCook2015 with PostPre, steps of 1 ms."""

from __future__ import annotations

import time
from typing import Any

import harness
import workloads


def main() -> None:
    harness.require("torch", "bindsnet")
    p = workloads.arguments(__doc__, repeat=5, warmup=1)
    p.add_argument("--n-neurons", type=int, default=400)
    p.add_argument("--time", type=int, default=350, help="ms for each image")
    p.add_argument("--mnist", help="idx3 file of images")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    torch = harness.torch_with(a.threads, a.seed)
    harness.without_torchvision()
    from bindsnet.encoding import PoissonEncoder
    from bindsnet.models import DiehlAndCook2015
    from bindsnet.network.monitors import Monitor

    net = DiehlAndCook2015(
        n_inpt=784, n_neurons=a.n_neurons, exc=22.5, inh=120.0, dt=1.0, norm=78.4, nu=(1e-4, 1e-2), theta_plus=0.05,
        inpt_shape=(1, 28, 28),
    )  # fmt: skip
    monitor = Monitor(net.layers["Ae"], state_vars=["s"], time=a.time)
    net.add_monitor(monitor, name="spikes")
    encode = PoissonEncoder(time=a.time, dt=1.0)
    count = a.warmup + a.repeat
    pictures = torch.from_numpy(workloads.pictures(a.seed, count, a.mnist)).view(count, 1, 28, 28)
    before = workloads.now_mb()

    def sample(k: int) -> tuple[float, float, float]:
        """Seconds, and spikes of the input and of the excitatory layer."""
        start = time.perf_counter()
        spikes = torch.stack([encode(128.0 * pictures[k])], 1)
        net.run(inputs={"X": spikes}, time=a.time)
        seconds = time.perf_counter() - start
        found = float(monitor.get("s").sum())
        net.reset_state_variables()
        return seconds, float(spikes.sum()), found

    runs: list[Any] = [sample(k) for k in range(count)][a.warmup :]
    workloads.emit(
        {
            "peer": "bindsnet", "version": harness.version("bindsnet"), "torch": torch.__version__, "workload": "w5",
            "n_exc": a.n_neurons, "time_ms": a.time, "dt_ms": 1.0, "threads": a.threads,
            "s_per_sample": workloads.summary([r[0] for r in runs]), "rss_before_mb": round(before, 1),
            "in_spikes_per_sample": round(sum(r[1] for r in runs) / a.repeat, 1),
            "exc_spikes_per_sample": round(sum(r[2] for r in runs) / a.repeat, 2),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
