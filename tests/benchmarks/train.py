"""One training step, forward and back: W1 784-800-10 and W2 700-256 (recurrent)-20.

LIF with decay 0.9 per step, threshold 1, hard reset to 0 that is not differentiated, arctan surrogate; Bernoulli
input at --rate; cross-entropy of spike counts; SGD or Adam; float32.

    python tests/benchmarks/train.py --workload w1 --T 100 --batch 128 --rate 0.05
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import workloads


def main() -> None:
    p = workloads.training_arguments(__doc__)
    p.add_argument("--path", choices=["auto", "dense", "events"], default="auto")
    p.add_argument("--max-bytes", type=int, default=0, help="budget for what the forward pass keeps; 0: none")
    p.add_argument("--plain", action="store_true", help="layer by layer, as networks run that make no stack")
    p.add_argument("--profile", action="store_true", help="print where the time of a step goes, and its bytes")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    import nbsnn
    from nbsnn.compile.fill import log
    from nbsnn.neurons import LIF

    n_pre, hidden, n_post = workloads.sizes(a)
    neuron = LIF(tau=-1.0 / math.log(workloads.BETA), detach_reset=True)
    middle = neuron
    if a.workload == "w2":
        middle = nbsnn.Recurrent(neuron, nbsnn.Dense(hidden, hidden, bias=False, path=a.path))
    net = nbsnn.Sequential(
        nbsnn.Dense(n_pre, hidden, bias=False, path=a.path), middle,
        nbsnn.Dense(hidden, n_post, bias=False, path=a.path), neuron,
    )  # fmt: skip
    for array, w in zip(net.parameters().values(), workloads.network_weights(a), strict=True):
        array[...] = w.T
    xs, ys = workloads.network_batches(a)
    optimizer = nbsnn.optim.SGD(1e-6) if a.opt == "sgd" else nbsnn.optim.Adam(1e-7)
    budget = {"max_bytes": a.max_bytes or None, "compact": not a.plain}
    learner = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, optimizer, **budget)
    # A small batch loads all code: what comes after is training's own memory.
    small = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, compact=not a.plain)
    small.gradients(xs[0][:2, : a.threads].copy(), ys[0][: a.threads])
    before = workloads.now_mb()
    value, grads = learner.gradients(xs[0], ys[0])
    norms = [round(float((g**2).sum() ** 0.5), 6) for g in grads.values()]
    layer = learner.net.record(learner.tape, "lif1" if a.workload == "w1" else "recurrent1/neurons")
    spikes = {"hidden_spikes": float(layer["spikes"].sum()), "out_spikes": float(learner.output.sum())}
    del layer

    def step(k: int) -> None:
        learner.step(xs[k % 2], ys[k % 2])

    times, parts = workloads.timed(step, a.warmup, a.repeat), {}
    if a.profile:
        best = workloads.profiled(step)
        parts["parts"] = workloads.parts_of(best)
        print(best)
        print(floors(best, a.threads))
        for plan in learner.plan(a.T, a.batch).values():
            print(plan)
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": a.workload, "T": a.T, "batch": a.batch,
            "rate": a.rate, "threads": a.threads, "opt": a.opt, "path": a.path, "sizes": [n_pre, hidden, n_post],
            **times,
            "compile_s": round(sum(entry.seconds for entry in log), 3), "loss": round(value, 6), "grad_norms": norms,
            "rss_before_mb": round(before, 1), **spikes, "in_spikes": float(xs[0].sum()), **parts,
        }
    )  # fmt: skip


def floors(profile: Any, threads: int) -> str:
    """How far the parts are from the time that their bytes take at the least, out of a near cache and from memory, and
    that their operations take, each of which is at least one number's share of a vector instruction.

    The floor is the larger of those for a near cache and for operations. Profiles do not count the additions of a
    loop's own spikes in its forward pass.
    """
    from limits import Bench

    near, far, most = Bench(argparse.Namespace(threads=threads, repeat=5)).rates()
    lines = [
        f"times the floor of bytes, near ({near:.0f} GB/s), far ({far:.0f} GB/s), and of operations ({most:.0f} G/s):"
    ]
    for name, part in profile.parts.items():
        least = [part.bytes / near / 1e9, part.bytes / far / 1e9, part.ops / most / 1e9]
        if any(least):
            lines.append(f"{name:36}" + "".join(f"{part.seconds / t:10.1f}" if t else " " * 10 for t in least))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
