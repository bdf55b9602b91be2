"""W4: one training step of a Tempotron, 784 inputs with one spike each at most in [0, 100), 10 outputs, batch 64.

The cost is the distance to the threshold of those on its wrong side; SGD. Sorting the spikes is part of the step.

    python tests/benchmarks/tempotron.py --active 0.19
"""

from __future__ import annotations

import workloads


def main() -> None:
    p = workloads.arguments(__doc__, repeat=21)
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--T", type=int, default=100)
    p.add_argument("--active", type=float, default=1.0, help="share of the inputs that spike")
    p.add_argument("--sorted", action="store_true", help="sort the spikes before the clock starts")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    import numpy as np

    import nbsnn
    from nbsnn.compile.fill import log

    active, times, target, weight = workloads.latencies(a)
    times[~active] = -1.0
    t = nbsnn.Tempotron(784, 10, tau=15.0, tau_s=3.75, v_threshold=1.0, T=float(a.T), weight=weight.T)
    rule = nbsnn.tempotron.Gradient(nbsnn.tempotron.ThresholdHinge(), nbsnn.optim.SGD(1e-6))
    answer = t.run(times)
    loss, g = rule.loss(answer.v_max, np.eye(10, dtype=bool)[target], t.v_threshold)
    norm = float((t.vjp(answer, g)[0]["weight"] ** 2).sum() ** 0.5)
    x = t.events(times) if a.sorted else times
    before = workloads.now_mb()
    seconds = workloads.timed(lambda k: t.step(x, target, rule), a.warmup, a.repeat)
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": "w4", "batch": a.batch, "T": a.T,
            "active": a.active, "events": int(active.sum()), "threads": a.threads, **seconds,
            "compile_s": round(sum(entry.seconds for entry in log), 3), "rss_before_mb": round(before, 1),
            "loss": round(loss, 6), "vmax_sum": round(float(answer.v_max.sum()), 4), "fired": int(answer.spikes.sum()),
            "grad_norm": round(norm, 6),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
