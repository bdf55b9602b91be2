"""One training step, forward and back: W1 784-800-10 and W2 700-256 (recurrent)-20.

LIF with decay 0.9 per step, threshold 1, hard reset to 0 that is not differentiated, arctan surrogate; Bernoulli
input at --rate; cross-entropy of spike counts; SGD or Adam; float32.

    python tests/benchmarks/train.py --workload w1 --T 100 --batch 128 --rate 0.05
"""

from __future__ import annotations

import math

import workloads

BETA = 0.9


def main() -> None:
    p = workloads.arguments(__doc__)
    p.add_argument("--workload", choices=["w1", "w2"], default="w1")
    p.add_argument("--T", type=int, default=100)
    p.add_argument("--batch", type=int, default=128)
    p.add_argument("--rate", type=float, default=0.05)
    p.add_argument("--hidden", type=int, default=0)
    p.add_argument("--opt", choices=["sgd", "adam"], default="sgd")
    p.add_argument("--path", choices=["auto", "dense", "events"], default="auto")
    p.add_argument("--profile", action="store_true", help="print where Python's time goes")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    import nbsnn
    from nbsnn.compile import log
    from nbsnn.neurons import LIF

    n_pre, hidden, n_post = (784, a.hidden or 800, 10) if a.workload == "w1" else (700, a.hidden or 256, 20)
    # Gains for which hidden units fire at a few per cent at every input rate.
    first, last = 0.5 / math.sqrt(n_pre * a.rate), 0.5 / math.sqrt(hidden * 0.05)
    neuron = LIF(tau=-1.0 / math.log(BETA), detach_reset=True)
    if a.workload == "w1":
        shapes, gains = [(hidden, n_pre), (n_post, hidden)], [first, last]
        middle = neuron
    else:
        shapes, gains = [(hidden, n_pre), (hidden, hidden), (n_post, hidden)], [first, last / 2, last]
        middle = nbsnn.Recurrent(neuron, nbsnn.Dense(hidden, hidden, bias=False, path=a.path))
    net = nbsnn.Sequential(
        nbsnn.Dense(n_pre, hidden, bias=False, path=a.path), middle,
        nbsnn.Dense(hidden, n_post, bias=False, path=a.path), neuron,
    )  # fmt: skip
    for array, w in zip(net.parameters().values(), workloads.weights(a.seed, shapes, gains), strict=True):
        array[...] = w.T
    xs = [workloads.bernoulli(a.seed + 10 * k, a.T, a.batch, n_pre, a.rate) for k in range(2)]
    ys = [workloads.labels(a.seed + 10 * k, a.batch, n_post) for k in range(2)]
    optimizer = nbsnn.optim.SGD(1e-6) if a.opt == "sgd" else nbsnn.optim.Adam(1e-7)
    learner = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, optimizer)
    before, before_peak = workloads.now_mb(), workloads.peak_mb()
    value, grads = learner.gradients(xs[0], ys[0])
    norms = [round(float((g**2).sum() ** 0.5), 6) for g in grads.values()]
    layer = net.record(learner.tape, "lif1" if a.workload == "w1" else "recurrent1/neurons")
    spikes = {"hidden_spikes": float(layer["spikes"].sum()), "out_spikes": float(learner.output.sum())}
    times = workloads.timed(lambda k: learner.step(xs[k % 2], ys[k % 2]), a.warmup, a.repeat)
    if a.profile:
        import cProfile
        import pstats

        profile = cProfile.Profile()
        profile.runcall(lambda: [learner.step(xs[k % 2], ys[k % 2]) for k in range(5)])
        pstats.Stats(profile).sort_stats("tottime").print_stats(14)
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": a.workload, "T": a.T, "batch": a.batch,
            "rate": a.rate, "threads": a.threads, "opt": a.opt, "path": a.path, "sizes": [n_pre, hidden, n_post],
            **times,
            "compile_s": round(sum(entry.seconds for entry in log), 3), "loss": round(value, 6), "grad_norms": norms,
            "rss_before_mb": round(before, 1), "rss_peak_before_mb": round(before_peak, 1), **spikes,
            "in_spikes": float(xs[0].sum()),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
