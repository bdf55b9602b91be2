"""How cost grows: time against T, batch, neurons, input rate, synapses, rate of the network, and threads.

    python tests/benchmarks/growth.py --out growth

One quantity varies at a time, the others stay as they are in the workload; each point is the fastest of some repeats.
Prints the slope of each line in logarithms (1: in proportion), and writes the points as JSON and as a figure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import workloads

BASE = {"T": 50, "batch": 64, "hidden": 400, "rate": 0.02, "threads": 1}
LINES: dict[str, dict[str, Sequence[float]]] = {
    "train": {"T": (25, 50, 100, 200), "batch": (16, 32, 64, 128), "hidden": (100, 200, 400, 800),
              "rate": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2), "threads": (1, 2)},
    "simulate": {"neurons": (1000, 2000, 4000, 8000, 16000), "synapses": (20, 40, 80, 160, 320),
                 "drive": (1, 2, 4, 8), "threads": (1, 2)},
}  # fmt: skip


def train(T: int, batch: int, hidden: int, rate: float, threads: int, repeat: int) -> float:
    """Seconds of one training step of 784-hidden-10."""
    import nbsnn

    nbsnn.set_threads(int(threads))
    neuron = nbsnn.neurons.LIF(tau=-1.0 / math.log(workloads.BETA), detach_reset=True)
    net = nbsnn.Sequential(
        nbsnn.Dense(784, int(hidden), bias=False), neuron, nbsnn.Dense(int(hidden), 10, bias=False), neuron, seed=1
    )
    learner = nbsnn.BPTT(net, nbsnn.losses.sum_cross_entropy, nbsnn.optim.SGD(1e-6))
    x = workloads.bernoulli(1, int(T), int(batch), 784, rate)
    y = workloads.labels(1, int(batch), 10)
    return float(workloads.timed(lambda k: learner.step(x, y), 2, repeat)["step_s"]["min"])


def simulate(neurons: int, synapses: int, drive: float, threads: int, repeat: int) -> float:
    """Seconds per second of a network that external spikes drive: ``synapses`` each, balanced."""
    import nbsnn

    nbsnn.set_threads(int(threads))
    n, degree = int(neurons), int(synapses)
    net = nbsnn.Network(dt=0.1, seed=1)
    cells = net.population(nbsnn.neurons.LIF(tau=20.0, v_threshold=20.0, refractory=2.0), n)
    exc, inh = cells[: n * 4 // 5], cells[n * 4 // 5 :]
    net.connect(exc, cells, nbsnn.Sparse(indegree=degree * 4 // 5), weight=0.1, delay=1.5)
    net.connect(inh, cells, nbsnn.Sparse(indegree=degree // 5), weight=-0.5, delay=1.5)
    net.drive(cells, 10_000.0 * drive, 0.15)
    net.run(100.0, record={})
    return min(net.run(200.0, record={}).seconds for _ in range(repeat)) / 0.2


def slope(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Of the straight line through the points, both axes logarithmic."""
    a, b = [math.log(x) for x in xs], [math.log(y) for y in ys]
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    return sum((p - mean_a) * (q - mean_b) for p, q in zip(a, b, strict=True)) / sum((p - mean_a) ** 2 for p in a)


def measure(what: str, name: str, points: Sequence[float], repeat: int) -> dict[str, Any]:
    """One line: the points, their times and the slope."""
    base = BASE if what == "train" else {"neurons": 4000, "synapses": 80, "drive": 2, "threads": 1}
    call: Callable[..., float] = train if what == "train" else simulate
    seconds = [call(**{**base, name: point}, repeat=repeat) for point in points]
    return {"what": what, "against": name, "points": list(points), "seconds": seconds, "slope": slope(points, seconds)}


def draw(lines: list[dict[str, Any]], path: Path) -> None:
    """All lines, each in its own frame."""
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 5, figsize=(15, 5.5), layout="constrained")
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
            print(f"{what:9}{name:9} slope {line['slope']:5.2f}   ms at  {said}", flush=True)
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
        (a.out / "growth.json").write_text(json.dumps(lines, indent=1))
        draw(lines, a.out / "growth.png")
    slopes = {f"{line['what']} {line['against']}": round(line["slope"], 3) for line in lines}
    workloads.emit({"peer": "nbsnn", "workload": "growth", "slopes": slopes})


if __name__ == "__main__":
    main()
