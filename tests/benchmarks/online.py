"""W3: one training step while time passes, OTTT or SLTT, of W1's network 784-800-10; or BPTT with the same loss.

Cross-entropy of the output's spikes at every step, averaged over the steps; one SGD step per batch. OTTT gets a trace
of the input as well. The input is kept as bytes, so that it does not hide how memory grows with --T.

    python tests/benchmarks/online.py --variant ottt --T 100
"""

from __future__ import annotations

import math
from typing import Any

import workloads


def main() -> None:
    p = workloads.training_arguments(__doc__, batch=64)
    p.add_argument("--variant", choices=["ottt", "sltt", "bptt"], default="ottt")
    p.add_argument("--profile", action="store_true", help="print the parts of a step: seconds, bytes, operations")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    import numpy as np

    import nbsnn
    from nbsnn.compile.fill import log
    from nbsnn.neurons import LIF

    n_pre, hidden, n_post = workloads.sizes(a)
    neuron = LIF(tau=-1.0 / math.log(workloads.BETA), detach_reset=True)
    net = nbsnn.Sequential(
        nbsnn.Dense(n_pre, hidden, bias=False), neuron, nbsnn.Dense(hidden, n_post, bias=False), neuron
    )
    for array, w in zip(net.parameters().values(), workloads.network_weights(a), strict=True):
        array[...] = w.T
    x = workloads.bernoulli(a.seed, a.T, a.batch, n_pre, a.rate).astype(np.uint8)
    y = workloads.labels(a.seed, a.batch, n_post)
    # The sum over steps instead of the mean: all is T times as large, and the learning rate T times as small.
    loss, optimizer = nbsnn.losses.StepCrossEntropy(reduction="sum"), nbsnn.optim.SGD(1e-6 / a.T)
    if a.variant == "ottt":
        learner = nbsnn.OTTT(net, loss, optimizer, input_decay=workloads.BETA)
    else:
        learner = {"sltt": nbsnn.SLTT, "bptt": nbsnn.BPTT}[a.variant](net, loss, optimizer)

    def given(steps: int | None = None) -> Any:
        """The input as the rule takes it: all at once, or step by step."""
        return x[:steps].astype(np.float32) if a.variant == "bptt" else x[:steps]

    learner.gradients(given(1), y)  # one step loads all code: what comes after is training's own memory
    before = workloads.now_mb()
    value, grads = learner.gradients(given(), y)
    norms = [round(float((g**2).sum() ** 0.5) / a.T, 6) for g in grads.values()]
    # Online rules keep the mean over time, back-propagation all steps.
    spikes = float(learner.output.sum()) * (1 if a.variant == "bptt" else a.T)

    def step(k: int) -> None:
        learner.step(given(), y)

    times = workloads.timed(step, a.warmup, a.repeat)
    parts = {"parts": workloads.parts_of(workloads.profiled(step))} if a.profile else {}
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": "w3", "variant": a.variant, "T": a.T,
            "batch": a.batch, "rate": a.rate, "threads": a.threads, **times,
            "compile_s": round(sum(entry.seconds for entry in log), 3), "loss": round(value / a.T, 6),
            "grad_norms": norms, "rss_before_mb": round(before, 1), "out_spikes": round(spikes, 1),
            **parts,
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
