"""nbsnn on a GPU: each kernel beside its floor, whole training steps and a simulation beside the CPU and the peers.

    python tests/benchmarks/on_gpu.py --json gpu.json --python ~/peers/torch/bin/python

kernels     each launch of a training step and of the encoders against the larger of two times: its arrays moved once
            at the bandwidth of a copy, its products at the rate of multiplications and additions, both measured here
training    784-800-10, T 100, batch 1024: a step with SGD, the input sent, on the GPU already, or made there
recurrent   700-256 (recurrent)-20 likewise, batch 256
simulation  the cortical microcircuit at --scale

Peers are looked for in the interpreters given with --python, as by ``compare.py``: SpikingJelly with its torch, Triton,
and CUDA or CuPy back ends, whichever its version has, and torch with its compiled loop.

Without a GPU that can be used this ends with status 2. In Numba's simulator (NUMBA_ENABLE_CUDASIM=1) --tiny shows that
all of it runs; its times mean nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import workloads
from processes import execute, find_peers

SECTIONS = ("kernels", "training", "recurrent", "simulation")
SIZES = {"training": ("w1", 1024), "recurrent": ("w2", 256)}
PEERS = {
    "SpikingJelly, torch": ("spikingjelly", "train_spikingjelly.py", "--backend torch"),
    "SpikingJelly, CUDA": ("spikingjelly", "train_spikingjelly.py", "--backend cuda"),
    "SpikingJelly, CuPy": ("spikingjelly", "train_spikingjelly.py", "--backend cupy"),
    "SpikingJelly, Triton": ("spikingjelly", "train_spikingjelly.py", "--backend triton"),
    "torch, products outside": ("torch", "train_torch.py", "--variant product"),
    "torch, compiled loop": ("torch", "train_torch.py", "--variant compiled"),
}


def main(argv: list[str] | None = None) -> int:
    p = workloads.training_arguments(__doc__, batch=0)
    p.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    p.add_argument("--python", action="append", default=[], help="interpreter that has peers; may be given again")
    p.add_argument("--scale", type=float, default=1.0, help="of the microcircuit")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--json", type=Path, help="file for all numbers")
    p.add_argument("--tiny", action="store_true", help="sizes for the simulator")
    a = p.parse_args(argv)
    workloads.pin_threads(a.threads)
    from nbsnn.device import cuda_setup

    found = cuda_setup.find()
    if found.missing or (found.simulated and not a.tiny):
        print(f"no GPU to measure: {found}", file=sys.stderr)
        return 2
    report: dict[str, Any] = {"device": str(found), "machine": platform.platform(), "tiny": a.tiny}
    if "kernels" in a.only:
        report["kernels"] = attempt(lambda: kernels(a))
    for name in SIZES:
        if name in a.only:
            report[name] = training(a, name) | peers(a, name)
    if "simulation" in a.only:
        report["simulation"] = {device: attempt(lambda: simulation(a, device)) for device in ("cpu", "cuda")}
    if a.json:
        a.json.write_text(json.dumps(report, indent=1))
    print(table(report), flush=True)
    return 0


def attempt(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``measure`` finds, or why it failed: the other lines are still worth having."""
    try:
        return measure()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}


def settle(a: argparse.Namespace, name: str) -> argparse.Namespace:
    """The arguments of a workload."""
    workload, batch = SIZES[name]
    small = {"T": 3, "batch": 2, "hidden": 4, "rate": 0.3} if a.tiny else {}
    return argparse.Namespace(**{**vars(a), "workload": workload, "batch": a.batch or batch, **small})


def network(a: argparse.Namespace, device: str) -> Any:
    """W1 or W2 of ``workloads`` and what trains it."""
    import nbsnn

    sizes = workloads.sizes(a)
    n_pre, hidden, n_post = (6, a.hidden, 3) if a.tiny else sizes
    given = iter([] if a.tiny else workloads.network_weights(a))

    def dense(before: int, after: int) -> Any:
        w = next(given, None)  # [after, before]
        return nbsnn.Dense(before, after, bias=False, weight=None if w is None else lambda shape, **_: w.T)

    neuron = nbsnn.neurons.LIF(tau=-1.0 / math.log(workloads.BETA), detach_reset=True)
    first = dense(n_pre, hidden)
    middle = nbsnn.Recurrent(neuron, dense(hidden, hidden)) if a.workload == "w2" else neuron
    net = nbsnn.Sequential(first, middle, dense(hidden, n_post), neuron, seed=a.seed, device=device)
    optimizer = nbsnn.optim.SGD(1e-6) if a.opt == "sgd" else nbsnn.optim.Adam(1e-7)
    return nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, optimizer)


def inputs(a: argparse.Namespace, learner: Any) -> tuple[Any, Any]:
    """Samples [B, N] from 0 to 1, few of which are not 0, and labels."""
    import numpy as np

    n_pre, classes = learner.net.in_shape[0], learner.net.shape[0]
    samples = np.full((a.batch, n_pre), a.rate, np.float32)
    return samples, workloads.labels(a.seed, a.batch, classes)


def training(a: argparse.Namespace, name: str) -> dict[str, Any]:
    """Seconds of a step on the CPU, and on the GPU by the way in which the input gets there."""
    a = settle(a, name)
    ways = {"cpu": "cpu", "cuda, input sent": "sent", "cuda, input there": "there", "cuda, encoded there": "encoded",
            "cuda, samples there": "stored"}  # fmt: skip
    return {title: attempt(lambda way=way: step(a, way)) for title, way in ways.items()}


def step(a: argparse.Namespace, way: str) -> dict[str, Any]:
    """Seconds and launches of a training step."""
    import numpy as np

    import nbsnn
    from nbsnn.device import gpu

    learner = network(a, "cpu" if way == "cpu" else "cuda")
    samples, labels = inputs(a, learner)
    encoder, draws = nbsnn.encode.poisson(T=a.T), nbsnn.random.Draws(a.seed)
    if way in ("cpu", "sent", "there"):
        x = encoder(samples, draws)
        x = gpu.put(x) if way == "there" else x
        make: Callable[[int], Any] = partial(returned, x)
    elif way == "encoded":
        make = partial(drawn, draws, partial(encoder.on_gpu, samples))
    else:
        make = partial(drawn, draws, partial(encoder.store(samples), np.arange(a.batch)))

    def call(k: int) -> float:
        return learner.step(make(k), labels)

    call(0)  # some launches come once only
    before = gpu.Count.launches
    call(1)
    launches = gpu.Count.launches - before
    times = workloads.timed(call, 1 if a.tiny else a.warmup, 1 if a.tiny else a.repeat)  # a step's loss waits for it
    return {"step_s": times["step_s"], "launches": launches, "batch": a.batch, "T": a.T}


def returned(x: Any, k: int) -> Any:
    """The same input at every step."""
    return x


def drawn(draws: Any, encode: Callable[[Any], Any], k: int) -> Any:
    """An input of its own for step k."""
    return encode(draws.fold(k))


def kernels(a: argparse.Namespace) -> dict[str, Any]:
    """Each kernel of a step and of the encoders beside its floor."""
    import launches

    import nbsnn

    b = settle(a, "training")
    best = launches.rates(a.tiny, 1 if a.tiny else a.repeat)
    learner = network(b, "cuda")
    samples, labels = inputs(b, learner)
    draws = nbsnn.random.Draws(a.seed)
    made = (nbsnn.encode.poisson(T=b.T), nbsnn.encode.latency(T=b.T), nbsnn.encode.phase(T=b.T))

    def all_of_them() -> None:
        learner.step(made[0](samples, draws), labels)
        for encoder in made:
            encoder.store(samples)([0, 1], draws) if a.tiny else encoder.on_gpu(samples, draws)

    all_of_them()  # compiles
    with launches.watched() as seen:
        all_of_them()
    return {"best": best, "kernels": seen.table(best)}


def simulation(a: argparse.Namespace, device: str) -> dict[str, Any]:
    """Seconds that a second of the microcircuit takes."""
    import nbsnn

    scale, duration = (0.002, 0.5) if a.tiny else (a.scale, a.sim_ms)
    net = nbsnn.models.microcircuit(seed=a.seed, scale=scale, device=device)
    net.run(0.5 if a.tiny else 200.0, record={})  # compiles, and settles
    start = time.perf_counter()
    run = net.run(duration)
    took = time.perf_counter() - start
    times, _ = run.spikes()
    found = {"neurons": net.units, "synapses": sum(map(len, net.connections)), "spikes": len(times)}
    return {"sim_s_per_bio_s": took / duration * 1000.0, "sim_s": took, **found}


def peers(a: argparse.Namespace, name: str) -> dict[str, Any]:
    """The same step by each peer that an interpreter has, on its GPU."""
    a, found, results = settle(a, name), find_peers(a.python), {}
    for title, (module, script, options) in PEERS.items():
        if module not in found or (name == "recurrent" and "compiled" in options):
            continue
        work = f"--workload {a.workload} --T {a.T} --batch {a.batch} --rate {a.rate} --opt {a.opt} --device cuda"
        path = Path(__file__).resolve().parent / "peers" / script
        results[title] = execute([found[module][0], str(path), *options.split(), *work.split()], 1200.0)
    return results


def table(report: dict[str, Any]) -> str:
    """All numbers, to be read."""
    lines = [f"{report['device']}{', sizes that mean nothing' if report['tiny'] else ''}"]
    found = report.get("kernels", {})
    if "best" in found:
        best = found["best"]
        lines += ["", f"copy {best['bytes/s'] / 1e9:.0f} GB/s, {best['operations/s'] / 1e12:.1f} Tflop/s, "
                  f"a launch {1e6 * best['launch_s']:.1f} us", "", "| kernel | launches | ms | times its floor |",
                  "| --- | --- | --- | --- |"]  # fmt: skip
        for name, row in found["kernels"].items():
            times = f"{row['times_floor']:.1f}" if row["times_floor"] else "depends on the spikes"
            lines.append(f"| {name} | {row['launches']} | {1e3 * row['s']:.3f} | {times} |")
    elif found:
        lines += ["", f"kernels: {found['error']}"]
    for name in ("training", "recurrent", "simulation"):
        if name in report:
            lines += ["", f"| {name} | seconds | launches |", "| --- | --- | --- |"]
            lines += [f"| {title} | {shown(row)} | {row.get('launches', '')} |" for title, row in report[name].items()]
    return "\n".join(lines)


def shown(row: dict[str, Any]) -> str:
    """The number of a row, or why there is none."""
    value = row.get("step_s", row.get("sim_s_per_bio_s"))
    value = value["min"] if isinstance(value, dict) else value
    return row.get("error", "no number") if value is None else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
