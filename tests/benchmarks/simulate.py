"""Published networks: W6. One second by steps of 0.1 ms, spikes recorded.

cuba, coba and cobahh: 4000 neurons, a pair connected with 2 % (Vogels and Abbott 2005). brunel: 12,500 neurons, 15.6
million delta synapses. wang: 2000 cells with saturating NMDA gates, all to all, at rest (Wang 2002). pd: the
microcircuit of Potjans and Diesmann at --scale, after 200 ms of settling.

    python tests/benchmarks/simulate.py --model brunel --threads 2

The fastest of --repeat runs, all from the same state, counts. Compiling and building come before.
"""

from __future__ import annotations

import time

import workloads

MODELS = {"cuba": "cuba", "coba": "coba", "cobahh": "cobahh", "brunel": "brunel", "wang": "wang", "pd": "microcircuit"}


def main() -> None:
    p = workloads.arguments(__doc__, repeat=5)
    p.add_argument("--model", choices=list(MODELS), default="cuba")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--presim-ms", type=float, help="time before that, not recorded: 200 for pd, else 0")
    p.add_argument("--dt", type=float, default=0.1)
    p.add_argument("--scale", type=float, help="0.1 for pd, else 1")
    p.add_argument("--float64", action="store_true")
    p.add_argument("--no-record", action="store_true")
    a = p.parse_args()
    workloads.pin_threads(a.threads)

    start = time.perf_counter()
    import numpy as np

    import nbsnn
    from nbsnn.compile.fill import log

    import_s = time.perf_counter() - start
    scale = {"scale": a.scale or 0.1} if a.model == "pd" else {"scale": a.scale or 1.0}
    before = workloads.now_mb()
    net = getattr(nbsnn.models, MODELS[a.model])(a.seed, a.dt, np.float64 if a.float64 else np.float32, **scale)
    start = time.perf_counter()
    net.build()
    build_s = time.perf_counter() - start - sum(entry.seconds for entry in log)
    net.run(a.dt, record={})  # compiles
    compile_s = sum(entry.seconds for entry in log)
    workloads.forget_peak()
    net.reset()
    settle = a.presim_ms if a.presim_ms is not None else 200.0 if a.model == "pd" else 0.0
    if settle:
        net.run(settle, record={})
    state = net.state()
    seconds, used = [], []
    for _ in range(a.repeat):
        net.restore(state)
        begun, worked = time.perf_counter(), time.process_time()
        run = net.run(a.sim_ms, record={} if a.no_record else None)
        seconds.append(time.perf_counter() - begun)
        used.append(time.process_time() - worked)
    times, units = run.spikes()
    bio, excitatory = a.sim_ms / 1000.0, sum(g.n for g in net.groups[::2])
    if "exc" in net.sections:
        excitatory = net.sections["exc"].n
    found = workloads.activity(units, 0.001 * (times - run.start), net.units, excitatory, bio)
    if a.model == "pd":
        found["rate_exc_hz"] = None
        found["rates_pop_hz"] = [round(run.rate(group), 2) for group in net.groups]
    workloads.emit(
        {
            "peer": "nbsnn", "version": nbsnn.__version__, "workload": "w6", "model": a.model, "threads": a.threads,
            "dt_ms": a.dt, "bio_s": bio, "scale": scale["scale"], "float64": a.float64, "import_s": round(import_s, 3),
            "build_s": round(build_s, 3), "compile_s": round(compile_s, 3), "sim_s": round(min(seconds), 4),
            "sim_s_runs": workloads.summary(seconds), "sim_s_per_bio_s": round(min(seconds) / bio, 4),
            "cpu_s_per_bio_s": round(min(used) / bio, 4), "neurons": net.units,
            "synapses": sum(map(len, net.connections)), "network_mb": round(net.nbytes / 2**20, 1),
            "rss_before_mb": round(before, 1), **({} if a.no_record else found),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
