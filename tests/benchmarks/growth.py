"""How cost grows: time and memory against T, batch, neurons, input rate, synapses, rate of the network, and threads.

    python tests/benchmarks/growth.py --out growth
    python tests/benchmarks/tables.py --growth growth/growth.json

One quantity varies at a time, the others stay as they are in the workload; each point is the fastest of some repeats,
and the most memory that arrays take meanwhile. Prints the slope of each line in logarithms (1: in proportion), and
writes the points as JSON and as a figure; ``tables.py`` makes the table of the documentation of them.
"""

from __future__ import annotations

import datetime
import json
import math
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import workloads
from compare import machine

TRAINED = {"T": 50, "batch": 64, "hidden": 400, "rate": 0.02, "threads": 1}
SIMULATED = {"neurons": 4000, "synapses": 80, "drive": 2, "threads": 1}
LINES: dict[str, dict[str, Sequence[float]]] = {
    "train": {"T": (25, 50, 100, 200), "batch": (16, 32, 64, 128), "hidden": (100, 200, 400, 800),
              "rate": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2), "threads": (1, 2)},
    "online": {"T": (25, 50, 100, 200), "batch": (16, 32, 64, 128), "hidden": (100, 200, 400, 800),
               "rate": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2), "threads": (1, 2)},
    "simulate": {"neurons": (1000, 2000, 4000, 8000, 16000), "synapses": (20, 40, 80, 160, 320),
                 "drive": (1, 2, 4, 8), "threads": (1, 2)},
    "plastic": {"neurons": (1000, 2000, 4000, 8000), "synapses": (20, 40, 80, 160), "drive": (1, 2, 4),
                "threads": (1, 2)},
}  # fmt: skip


def learned(rule: str, T: int, batch: int, hidden: int, rate: float, threads: int, repeat: int) -> tuple[float, float]:
    """Seconds and bytes of one training step of 784-hidden-10."""
    import nbsnn

    nbsnn.set_threads(int(threads))
    neuron = nbsnn.neurons.LIF(tau=-1.0 / math.log(workloads.BETA), detach_reset=True)
    net = nbsnn.Sequential(
        nbsnn.Dense(784, int(hidden), bias=False), neuron, nbsnn.Dense(int(hidden), 10, bias=False), neuron, seed=1
    )
    x, y = workloads.bernoulli(1, int(T), int(batch), 784, rate), workloads.labels(1, int(batch), 10)

    def make() -> Callable[[], Any]:
        if rule == "BPTT":
            learner = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, nbsnn.optim.SGD(1e-6))
        else:
            learner = nbsnn.OTTT(net, nbsnn.losses.StepCrossEntropy(reduction="sum"), nbsnn.optim.SGD(1e-6))
        return lambda: learner.step(x, y)

    make()()  # loads all code
    step = make()
    return float(workloads.timed(lambda k: step(), 2, repeat)["step_s"]["min"]), peak(lambda: make()())


def simulated(
    plastic: bool, neurons: int, synapses: int, drive: float, threads: int, repeat: int
) -> tuple[float, float]:
    """Seconds per second of a network that external spikes drive, ``synapses`` each, balanced, and its bytes."""
    import nbsnn

    nbsnn.set_threads(int(threads))
    n, degree = int(neurons), int(synapses)
    rule = {"plasticity": nbsnn.plasticity.PairSTDP(0.01, 0.012, w_min=0.0, w_max=0.2)} if plastic else {}

    def make() -> Any:
        net = nbsnn.Network(dt=0.1, seed=1)
        cells = net.population(nbsnn.neurons.LIF(tau=20.0, v_threshold=20.0, refractory=2.0), n)
        exc, inh = cells[: n * 4 // 5], cells[n * 4 // 5 :]
        net.connect(exc, cells, nbsnn.Sparse(indegree=degree * 4 // 5), weight=0.1, delay=1.5, **rule)
        net.connect(inh, cells, nbsnn.Sparse(indegree=degree // 5), weight=-0.5, delay=1.5)
        net.drive(cells, 10_000.0 * drive, 0.15)
        net.run(100.0, record={})
        return net

    net = make()
    return min(net.run(200.0, record={}).seconds for _ in range(repeat)) / 0.2, peak(make)


CALLS: dict[str, tuple[Callable[..., tuple[float, float]], tuple[Any, ...], dict[str, float]]] = {
    "train": (learned, ("BPTT",), TRAINED),
    "online": (learned, ("OTTT",), TRAINED),
    "simulate": (simulated, (False,), SIMULATED),
    "plastic": (simulated, (True,), SIMULATED),
}


def peak(call: Callable[[], Any]) -> float:
    """The most bytes of arrays and objects at a time that ``call`` makes."""
    tracemalloc.start()
    made = call()  # held until its memory has been counted
    bytes_ = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del made
    return float(bytes_)


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Of the straight line through the points, both axes logarithmic."""
    a, b = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    return sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True)) / sum((p - mean_a) ** 2 for p in a)


def measure(what: str, name: str, points: Sequence[float], repeat: int) -> dict[str, Any]:
    """One line: the points, their times and bytes, and the slopes."""
    call, first, base = CALLS[what]
    found = [call(*first, **{**base, name: point}, repeat=repeat) for point in points]
    seconds, bytes_ = ([pair[k] for pair in found] for k in range(2))
    slopes = {"slope": slope(points, seconds), "memory_slope": slope(points, bytes_)}
    return {"what": what, "against": name, "points": list(points), "seconds": seconds, "bytes": bytes_, **slopes}


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """All lines, each in its own frame."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(len(LINES), 5, figsize=(15, 2.75 * len(LINES)), layout="constrained")
    for row, what in zip(axes, LINES, strict=True):
        mine = [line for line in lines if line["what"] == what]
        for ax, line in zip(row, mine, strict=False):
            ax.loglog(line["points"], line["seconds"], "o-")
            ax.set_xlabel(line["against"])
            ax.set_title(f"{what}: slope {line['slope']:.2f}", fontsize=9)
        for ax in row[len(mine) :]:
            ax.set_visible(False)
        row[0].set_ylabel("seconds")
    figure.savefig(path, dpi=110)


def main() -> None:
    p = workloads.arguments(__doc__, repeat=3)
    p.add_argument("--only", choices=list(LINES), default=None)
    p.add_argument("--out", type=Path, default=None, help="folder for growth.json and growth.png")
    p.add_argument("--points", type=int, default=None, help="only so many points of each line, for a try")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    lines = []
    for what in [a.only] if a.only else LINES:
        for name, points in LINES[what].items():
            line = measure(what, name, points[: a.points], a.repeat)
            lines.append(line)
            said = "  ".join(f"{x:g}: {1e3 * y:.1f}" for x, y in zip(points, line["seconds"], strict=False))
            print(
                f"{what:9}{name:9} slope {line['slope']:5.2f}, of memory {line['memory_slope']:5.2f}   ms at  {said}",
                flush=True,
            )
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
        report = {"date": datetime.date.today().isoformat(), "machine": machine(), "lines": lines}
        (a.out / "growth.json").write_text(json.dumps(report, indent=1))
        draw(lines, a.out / "growth.png")
    slopes = {f"{line['what']} {line['against']}": round(line["slope"], 3) for line in lines}
    workloads.emit({"peer": "nbsnn", "workload": "growth", "slopes": slopes})


if __name__ == "__main__":
    main()
