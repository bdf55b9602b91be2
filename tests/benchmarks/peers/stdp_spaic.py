"""W5 in SPAIC: lifstdp_ex and lifstdp_ih with its nearest-online STDP, --steps steps for each image."""

from __future__ import annotations

import time

import harness
import workloads


def main() -> None:
    harness.require("torch", "spaic")
    p = workloads.arguments(__doc__, repeat=5, warmup=1)
    p.add_argument("--n-neurons", type=int, default=400)
    p.add_argument("--steps", type=int, default=256)
    p.add_argument("--mnist", help="idx3 file of images")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    torch = harness.torch_with(a.threads, a.seed)
    import numpy as np
    import spaic
    from spaic.Learning.Learner import Learner

    np.random.seed(a.seed)  # noqa: NPY002, what SPAIC draws from
    backend = spaic.Torch_Backend("cpu")
    backend.dt = 0.1
    n, length = a.n_neurons, a.steps * backend.dt

    class Net(spaic.Network):
        def __init__(self) -> None:
            super().__init__()
            # 0.06375 spikes per step at full intensity: 63.75 Hz, with a step for each millisecond
            self.input = spaic.Encoder(num=784, coding_time=length, coding_method="poisson", unit_conversion=0.6375)
            self.exc, self.inh = spaic.NeuronGroup(n, model="lifstdp_ex"), spaic.NeuronGroup(n, model="lifstdp_ih")
            self.output = spaic.Decoder(num=n, dec_target=self.exc, coding_time=length, coding_method="spike_counts")
            first, there, back = np.random.rand(n, 784) * 0.3, np.eye(n) * 22.5, (np.eye(n) - 1.0) * 120.0  # noqa: NPY002
            self.plastic = spaic.Connection(self.input, self.exc, link_type="full", weight=first)
            self.there = spaic.Connection(self.exc, self.inh, link_type="full", weight=there)
            self.back = spaic.Connection(self.inh, self.exc, link_type="full", weight=back)
            self.learner = Learner(algorithm="nearest_online_stdp", trainable=self.plastic)
            self.set_backend(backend)

    net = Net()
    net.build(backend)
    pictures = workloads.pictures(a.seed, a.warmup + a.repeat, a.mnist)
    before = workloads.now_mb()

    def sample(k: int) -> tuple[float, float]:
        """Seconds, and spikes of the excitatory layer."""
        start = time.perf_counter()
        with torch.no_grad():
            net.input(pictures[k : k + 1])
            net.output(np.zeros(1, int))
            net.run(length)
        return time.perf_counter() - start, float(net.output.predict.sum())

    runs = [sample(k) for k in range(a.warmup + a.repeat)][a.warmup :]
    workloads.emit(
        {
            "peer": "spaic", "version": harness.version("SPAIC"), "torch": torch.__version__, "workload": "w5",
            "n_exc": n, "steps": a.steps, "threads": a.threads,
            "s_per_sample": workloads.summary([r[0] for r in runs]), "rss_before_mb": round(before, 1),
            "exc_spikes_per_sample": round(sum(r[1] for r in runs) / a.repeat, 2),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
