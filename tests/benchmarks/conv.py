"""W8: one training step, forward and back, of 12C5-MP2-64C5-MP2-10 on images of 28x28x1 or 34x34x2.

LIF with decay exp(-1/2) per step, threshold 0.5, hard reset to 0, arctan surrogate; a readout with the same decay;
Bernoulli input at --rate; cross-entropy of the mean output; SGD; float32.

    python tests/benchmarks/conv.py --size 28 --rate 0.05
"""

from __future__ import annotations

import workloads


def main() -> None:
    p = workloads.conv_arguments(__doc__)
    p.add_argument("--path", choices=["auto", "dense", "events"], default="auto")
    p.add_argument("--max-bytes", type=int, default=0, help="budget for what the forward pass keeps; 0: none")
    p.add_argument("--profile", action="store_true", help="print where the time of a step goes")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    import nbsnn
    from nbsnn.compile.fill import log
    from nbsnn.neurons import LI, LIF

    channels, side = workloads.conv_sizes(a)
    neuron = LIF(tau=2.0, v_threshold=0.5)
    net = nbsnn.Sequential(
        nbsnn.Conv2d(channels, 12, 5, path=a.path), neuron, nbsnn.MaxPool2d(2),
        nbsnn.Conv2d(12, 64, 5, path=a.path), neuron, nbsnn.MaxPool2d(2),
        nbsnn.Flatten(), nbsnn.Dense(64 * side * side, 10), LI(tau=2.0),
        input_shape=(channels, a.size, a.size), seed=a.seed,
    )  # fmt: skip
    x, y = workloads.conv_batch(a)
    budget = {"max_bytes": a.max_bytes or None}
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.SGD(1e-3), **budget)
    small = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)  # loads all code
    small.gradients(x[:2, :2].copy(), y[:2])
    del small
    before = workloads.now_mb()
    value = learner.gradients(x, y)[0]
    times = workloads.timed(lambda k: learner.step(x, y), a.warmup, a.repeat)
    if a.profile:
        with nbsnn.profile() as where:
            learner.step(x, y)
        print(where)
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": "w8", "size": a.size, "T": a.T,
            "batch": a.batch, "rate": a.rate, "threads": a.threads, "path": a.path, **times,
            "compile_s": round(sum(entry.seconds for entry in log), 3), "loss": round(value, 6),
            "rss_before_mb": round(before, 1), "in_spikes": float(x.sum()),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
