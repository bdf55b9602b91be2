"""One image of the Diehl-Cook network: W5. 784 Poisson inputs, units that inhibit each other, STDP, steps of 1 ms.

Membranes of 100 ms, thresholds that rise by 0.05 mV with each spike, weights normalised to 78.4 after each image. The
spikes of an image are drawn while the network runs, so that there is no time of encoding. Images of a batch are learned
one after another.

    python tests/benchmarks/stdp.py --n-neurons 400 --time 350
"""

from __future__ import annotations

import time

import workloads


def main() -> None:
    p = workloads.arguments(__doc__, repeat=60, warmup=3)
    p.add_argument("--n-neurons", type=int, default=400)
    p.add_argument("--time", type=int, default=250, help="ms per image")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--intensity", type=float, default=128.0, help="spikes per second of a white pixel")
    p.add_argument("--inh", type=float, default=120.0)
    p.add_argument("--rule", choices=["postpre", "dc"], default="postpre")
    p.add_argument("--model", choices=["dc", "dcv2"], default="dc", help="here both inhibit without interneurons")
    p.add_argument("--sparse", action="store_true", help="accepted, and changes nothing: spikes are always events here")
    p.add_argument("--no-learn", action="store_true")
    p.add_argument("--no-count", action="store_true", help="leave output spikes out of the result")
    p.add_argument("--mnist", help="idx file of real images")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    start = time.perf_counter()
    import numpy as np

    import nbsnn
    from nbsnn.compile.fill import log
    from nbsnn.plasticity import DiehlCook, Normalize, Plastic
    from nbsnn.random import Draws
    from nbsnn.unsupervised import LASTING, diehl_cook

    import_s, start = time.perf_counter() - start, time.perf_counter()
    net = diehl_cook(784, a.n_neurons, theta_plus=0.05, inhibition=a.inh, seed=a.seed)
    if a.rule == "dc":
        rule = DiehlCook(normalize=Normalize(78.4))
        net = Plastic(net.connection, net.neurons, rule, lateral=net.lateral, seed=a.seed)
    encoder, draws = nbsnn.encode.poisson(T=a.time, gain=1e-3 * a.intensity), Draws(a.seed)
    build_s = time.perf_counter() - start
    x = workloads.pictures(a.seed, (a.warmup + a.repeat) * a.batch, a.mnist)
    before = workloads.now_mb()
    state, counts = net.initial(1), []

    def show(k: int) -> None:
        nonlocal state
        first = k * a.batch
        shown = net.present(
            x[first : first + a.batch], encoder, draws, state=state, keep=LASTING, learn=not a.no_learn, first=first
        )
        state = shown.state
        counts.append(shown.counts.sum())

    start = time.perf_counter()
    show(0)
    first_s = time.perf_counter() - start
    for k in range(1, a.warmup):
        show(k)
    seconds, used = [], time.process_time()
    for k in range(a.warmup, a.warmup + a.repeat):
        start = time.perf_counter()
        show(k)
        seconds.append((time.perf_counter() - start) / a.batch)
    used = (time.process_time() - used) / a.repeat / a.batch
    timed = range(a.warmup * a.batch, (a.warmup + a.repeat) * a.batch)
    spikes_in = float(np.mean([encoder(x[k : k + 1], draws.fold(k)).sum() for k in timed]))
    per_sample = workloads.summary(seconds)
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": "w5", "model": a.model, "rule": a.rule,
            "n_exc": a.n_neurons, "time_ms": a.time, "dt_ms": 1.0, "batch": a.batch, "sparse": a.sparse,
            "learn": not a.no_learn, "threads": a.threads, "import_s": round(import_s, 3),
            "build_s": round(build_s, 3), "s_per_sample": per_sample, "encode_s_per_sample": 0.0,
            "run_s_per_sample": per_sample["min"], "cpu_s_per_sample": round(used, 6),
            "first_sample_s": round(first_s, 3), "compile_s": round(sum(entry.seconds for entry in log), 3),
            "rss_before_mb": round(before, 1), "in_spikes_per_sample": round(spikes_in, 1),
            "exc_spikes_per_sample": None if a.no_count else round(float(np.sum(counts[-a.repeat :])) / len(timed), 2),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
