"""Ranks: work, bytes and time of Brunel's network on 1, 2 and 4 of them; or, from a model, what many would take.

    python tests/benchmarks/mpi.py
    python tests/benchmarks/mpi.py --model

Needs mpi4py and mpiexec for more than one rank. The model counts, per window between two exchanges, what each rank
updates, delivers, looks up, receives and waits for; its constants are measured, or published where it says so.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import math
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import workloads

# Seconds: a unit's step, a synapse within a row, the first touch of a row (with prefetching, as published codes have),
# a look-up in a table of sources, a hop of the network, a window in Python; bytes per second into a node.
UPDATE, EVENT, ROW, LOOK_UP, HOP, PYTHON, WIRE = 5e-9, 1.5e-9, 60e-9, 20e-9, 2e-6, 12e-6, 12e9
RANKS_OF_NODE, NODE_GB, SPREAD = 64, 256.0, 0.1  # SPREAD: of the work of ranks, relative
MICROCIRCUIT = {"synapses": 3875, "rate": 3.5, "steps": 2, "populations": 8}
LARGE = {"synapses": 10_000, "rate": 4.0, "populations": 2}
PART = 77_169 / 8  # units of a rank


def model(
    neurons: float, ranks: int, *, synapses: float, rate: float, steps: int, populations: int, exchange: str = "all",
    packed: bool = True, dt: float = 1e-4,
) -> dict[str, Any]:  # fmt: skip
    """What each rank takes, in seconds per second of the network, and which of it is the most.

    ``synapses`` is per neuron, ``rate`` in Hz, ``steps`` those of a window. ``exchange`` says who takes the spikes and
    looks them up: "all" ranks, each "node" once for its ranks, or "directed" only ranks with a target.
    """
    window, own = steps * dt, neurons / ranks
    here, nodes = own * synapses, max(1.0, ranks / RANKS_OF_NODE)
    spikes = neurons * rate * window
    present = 1.0 - math.exp(-here / neurons)  # share of the sources with a target on a rank
    rows = min(here, neurons * present * populations) if packed else neurons * populations
    memory = here * 8 + rows * (12 if packed else 24) + own * 64 + 64 * 4 * own
    came = spikes * present if exchange == "directed" else spikes
    received = came * 4 + 4 * (ranks if exchange == "all" else nodes)
    beside = min(RANKS_OF_NODE, ranks)  # ranks that share a node's wire
    events = here * rate * window
    times = {
        "update": own * steps * UPDATE,
        "deliver": events * EVENT + min(events, spikes * present * populations) * ROW,
        "look up": came * LOOK_UP / (beside if exchange == "node" else 1),
        "exchange": 0.0,
        "wait": 0.0,
    }
    work = times["update"] + times["deliver"] + times["look up"]
    if ranks > 1:
        wire = received * (beside if exchange == "all" else 1) / WIRE
        times |= {
            "exchange": HOP * math.log2(ranks) + wire + PYTHON,
            "wait": SPREAD * work * math.sqrt(2.0 * math.log(ranks) / steps),
        }
    limit = max(times, key=lambda name: times[name])
    if memory / 1e9 * min(RANKS_OF_NODE, ranks) > NODE_GB:
        limit = "memory"
    shares = {name: seconds / window for name, seconds in times.items()}
    return {
        "ranks": ranks, "neurons": neurons, "synapses": neurons * synapses, "window_ms": 1e3 * window,
        "exchange_by": exchange, "rows": "packed" if packed else "dense", "gb": memory / 1e9,
        "received_kb": received / 1e3,
        **shares, "times_real": sum(times.values()) / window, "limit": limit,
    }  # fmt: skip


def modelled() -> dict[str, list[dict[str, Any]]]:
    """Tables of the model."""
    ways = ("all", False), ("node", True), ("directed", True)
    return {
        "one microcircuit": [
            model(77_169, P, exchange="node" if P > 1 else "all", **MICROCIRCUIT) for P in (1, 8, 64, 256)
        ],
        "9646 neurons on each rank, connected at random over all": [
            model(PART * P, P, exchange=way, packed=packed, **MICROCIRCUIT)
            for P in (8, 64, 1000, 10_000, 100_000)
            for way, packed in ways
        ],
        "10^9 neurons": [
            model(1e9, P, exchange="node", steps=steps, **LARGE)
            for P in (50_000, 100_000, 400_000)
            for steps in (2, 15)
        ],
    }


def worker(a: Any) -> None:
    """Run the network on the ranks that this process is one of; the first prints what came out."""
    import numpy as np

    import nbsnn
    from nbsnn.network import loop_ranks
    from nbsnn.ranks import ranks_of

    comm = importlib.import_module("mpi4py.MPI").COMM_WORLD if a.mpi else None
    ranks, spent = ranks_of(comm), [0.0]
    exchange = loop_ranks.RankLoop._exchange

    def timed(loop: loop_ranks.RankLoop) -> None:
        start = time.perf_counter()
        exchange(loop)
        spent[0] += time.perf_counter() - start

    loop_ranks.RankLoop._exchange = timed  # type: ignore[method-assign]
    net = nbsnn.models.brunel(seed=a.seed, scale=a.scale, comm=ranks if comm else None)
    expected = net.estimate().ranks(ranks.size)
    start = time.perf_counter()
    net.build()
    built = time.perf_counter() - start
    net.run(a.settle, record={})
    loop: Any = net.loop()
    before, spent[0] = getattr(loop, "exchanges", 0), 0.0
    run = net.run(a.duration)
    times, units = run.spikes()
    blocks = getattr(loop, "blocks", np.zeros(0))
    own = {
        "synapses": sum(map(len, net.connections)), "bytes": net.nbytes, "build_s": built, "run_s": run.seconds,
        "exchange_s": spent[0], "peak_mb": workloads.peak_mb(),
    }  # fmt: skip
    every = ranks.every(own)
    if ranks.rank:
        return
    most = {name: max(one[name] for one in every) for name in own}
    digest = hashlib.sha256(times.tobytes() + units.tobytes()).hexdigest()[:16]
    found = {
        "ranks": ranks.size, **most, "estimated_bytes": expected.bytes, "neurons": net.units, "spikes": len(times),
        "exchanges": getattr(loop, "exchanges", 0) - before, "received_bytes": blocks.nbytes, "digest": digest,
        "times_real": 1e3 * most["run_s"] / a.duration,
    }  # fmt: skip
    print(json.dumps(found), flush=True)


def measured(a: Any) -> list[dict[str, Any]]:
    """The network on each number of ranks."""
    launcher = shutil.which("mpiexec", path=str(Path(sys.executable).parent)) or shutil.which("mpiexec")
    options = ["--worker", "--scale", a.scale, "--settle", a.settle, "--duration", a.duration, "--seed", a.seed]
    found = []
    for ranks in a.ranks:
        if ranks > 1 and not (launcher and find_spec("mpi4py")):
            print("more than one rank needs mpi4py and mpiexec: pip install mpi4py mpich", file=sys.stderr)
            break
        before = [launcher, "-n", str(ranks)] if ranks > 1 else []
        own = [*options, "--threads", a.threads, *["--mpi"] * (ranks > 1)]
        command = [*before, sys.executable, __file__, *map(str, own)]
        found.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout))
    return found


COLUMNS = {
    "ranks": ("ranks", 1, ","), "synapses": ("synapses", 1, ","), "bytes": ("MB per rank", 1e-6, ",.1f"),
    "estimated_bytes": ("MB estimated", 1e-6, ",.1f"), "build_s": ("s to build", 1, ".2f"),
    "times_real": ("s for a second", 1, ".3g"), "exchanges": ("exchanges", 1, ","),
    "received_bytes": ("bytes of one", 1, ","), "exchange_s": ("s of exchanges", 1, ".3f"),
}  # fmt: skip
MODEL = {
    "ranks": ("ranks", 1, ","), "neurons": ("neurons", 1, ".2g"), "window_ms": ("window, ms", 1, ".3g"),
    "exchange_by": ("exchange by", 1, ""), "rows": ("rows", 1, ""), "gb": ("GB per rank", 1, ".2g"),
    **{name: (name, 1, ".2g") for name in ("update", "deliver", "look up", "exchange", "wait")},
    "times_real": ("s for a second", 1, ".3g"), "limit": ("limit", 1, ""),
}  # fmt: skip


def markdown(rows: list[dict[str, Any]], columns: dict[str, tuple[str, float, str]]) -> str:
    """Rows as a table."""
    lines = [[title for title, _, _ in columns.values()], ["---"] * len(columns)]
    for row in rows:
        values = [(row[name], factor, style) for name, (_, factor, style) in columns.items()]
        lines.append([format(v * factor if factor != 1 else v, style) for v, factor, style in values])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    p = workloads.arguments(__doc__, threads=1)
    p.add_argument("--model", action="store_true", help="the model, not this machine")
    p.add_argument("--ranks", type=int, nargs="+", default=[1, 2, 4])
    p.add_argument(
        "--scale", type=float, default=0.4, help="of the network: 1 is 12,500 neurons, 15.6 million synapses"
    )
    p.add_argument("--settle", type=float, default=50.0, help="ms that are not measured")
    p.add_argument("--duration", type=float, default=500.0, help="ms")
    p.add_argument("--tables", action="store_true", help="print tables too")
    p.add_argument("--worker", action="store_true", help="be one of the ranks")
    p.add_argument("--mpi", action="store_true", help="with others")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    if a.worker:
        return worker(a)
    tables = modelled() if a.model else {f"Brunel, scale {a.scale:g}": measured(a)}
    if a.tables:
        for title, rows in tables.items():
            print(f"{title}\n\n{markdown(rows, MODEL if a.model else COLUMNS)}\n")
    workloads.emit({"peer": "nbsnn", "workload": "mpi", "model": a.model, "threads": a.threads, "tables": tables})


if __name__ == "__main__":
    main()
