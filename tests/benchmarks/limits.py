"""What the machine can do: the ceilings that kernels are held against.

    bandwidth  GB/s of copying, reading and adding two arrays, for working sets of several sizes
    blas       GFLOP/s of float32 products in the shapes of W1 and W2
    gather     million rows/s: sums of rows of 800 floats out of a 784 x 800 matrix, chosen by input spikes at --rate,
               one, four or eight rows at a time, whole or in blocks of columns that stay in cache
    update     ns for one LIF neuron with two synaptic currents, one Hodgkin-Huxley neuron (polynomial exponential, and
               libm's), and one addition to a random target
    simulator  W6's networks: ms that --sim-ms takes, and the floor: the bytes of its neurons over the bandwidth of a
               working set of this size, or their equations in a loop by themselves, whichever takes longer, and its
               spikes' additions to targets; Poisson numbers are not in it
    training   steps of W1, W2 and W3: ms, and the floor: for each part the bytes that it moves over the bandwidth of a
               near cache, or its operations over the rate of BLAS, whichever takes longer (as train.py --profile)
    starting   W7: seconds until a first result; with kernels in the cache against importing NumPy, and with an empty
               cache, in processor time, against importing Numba and compiling a function that does nothing

Kernels may reorder sums here (fastmath), as a ceiling may; bytes are those the program reads and writes.

    python tests/benchmarks/limits.py --only bandwidth gather
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import first
import workloads
from processes import HERE, argv_of, execute
from rows import ROWS

SECTIONS = ("bandwidth", "blas", "gather", "update", "simulator", "training", "starting")
STEPS = {
    row.name.removesuffix(" libraries"): row.ours[0]
    for row in ROWS
    if row.name.endswith(" libraries") or row.name.startswith("W3")
}
NOTHING = "numba; numba.njit('void()')(lambda: None)"  # what is imported, and compiled
NEURONS = {"cuba": "LIF", "coba": "LIF", "cobahh": "Hodgkin-Huxley", "brunel": "LIF"}  # in ``update``
SHAPES = {  # rows, inner, columns; whether the first matrix is transposed in memory
    "W1 step, forward": (128, 784, 800, False),
    "W1 forward": (12800, 784, 800, False),
    "W1 weight gradient": (784, 12800, 800, True),
    "W1 output": (12800, 800, 10, False),
    "W2 forward": (6400, 700, 256, False),
    "W2 recurrent step": (64, 256, 256, False),
    "square": (2048, 2048, 2048, False),
}


def main() -> None:
    p = workloads.arguments(__doc__, repeat=9)
    p.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS)
    p.add_argument("--mib", type=float, nargs="+", default=[0.03, 0.5, 1, 8, 32, 256], help="working sets")
    p.add_argument("--rate", type=float, default=0.05)
    p.add_argument("--rows", type=int, default=12800, help="time steps times samples")
    p.add_argument("--n", type=int, default=4000, help="neurons")
    p.add_argument("--steps", type=int, default=2000)
    p.add_argument("--models", nargs="+", choices=list(NEURONS), default=list(NEURONS))
    p.add_argument("--scale", type=float, default=1.0, help="of these networks")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--training", nargs="+", choices=list(STEPS), default=list(STEPS), help="which steps")
    p.add_argument("--options", default="", help="further options of their scripts")
    p.add_argument("--programs", nargs="+", choices=list(first.PROGRAMS), default=list(first.PROGRAMS), help="to start")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    import numba
    import numpy as np

    bench = Bench(a)
    found = {name: getattr(bench, name)() for name in a.only}
    workloads.emit(
        {"peer": "limits", "threads": a.threads, "numba": numba.__version__, "numpy": np.__version__, **found}
    )


class Bench:
    """One method for each section; all share threads and clock."""

    def __init__(self, a: Any):
        self.a, self.pool = a, ThreadPoolExecutor(a.threads)

    def seconds(self, call: Callable[[int], Any]) -> float:
        """The shortest of several times that ``call(k)`` took for all threads ``k`` at once."""
        best = float("inf")
        for k in range(self.a.repeat + 1):
            start = time.perf_counter()
            if self.a.threads == 1:
                call(0)
            else:
                list(self.pool.map(call, range(self.a.threads)))
            best = min(best, time.perf_counter() - start) if k else best  # the first one compiles
        return best

    def bandwidth(self) -> dict[str, Any]:
        import ceilings
        import numpy as np

        table = {}
        for mib in self.a.mib:
            row = {}
            for name, count in (("copy", 2), ("read", 1), ("triad", 3)):
                n = max(1024, int(mib * 2**20 / 4 / count / self.a.threads))
                arrays = [[np.ones(n, np.float32) for _ in range(count)] for _ in range(self.a.threads)]
                kernel, again = getattr(ceilings, name), max(1, int(2e7 / n))
                best = self.seconds(lambda k: kernel(*arrays[k], again))
                row[name] = round(4.0 * n * count * again * self.a.threads / best / 1e9, 1)
            table[f"{mib:g}"] = row
        return {"unit": "GB/s by working set in MiB", **table}

    def blas(self) -> dict[str, Any]:
        import numpy as np

        table = {}
        for name, (m, k, n, transposed) in SHAPES.items():
            rng = np.random.default_rng(0)
            x = rng.standard_normal((k, m), np.float32).T if transposed else rng.standard_normal((m, k), np.float32)
            w, y = rng.standard_normal((k, n), np.float32), np.empty((m, n), np.float32)
            again = max(1, int(5e8 / (m * k * n)))
            best = min(self._alone(lambda: [np.matmul(x, w, out=y) for _ in range(again)]) for _ in range(3))
            table[name] = round(2.0 * m * k * n * again / best / 1e9, 1)
        return {"unit": "GFLOP/s", **table}

    def _alone(self, call: Callable[[], Any]) -> float:
        """BLAS brings its own threads."""
        call()
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    def gather(self) -> dict[str, Any]:
        import ceilings
        import numpy as np

        x = workloads.bernoulli(self.a.seed, self.a.rows, 1, 784, self.a.rate)[:, 0]
        start = np.concatenate([[0], np.cumsum(x.sum(1))]).astype(np.uintp)
        index = np.nonzero(x)[1].astype(np.uint32)
        weight = np.random.default_rng(0).standard_normal((784, 800), np.float32)
        y, edges = np.empty((self.a.rows, 800), np.float32), np.linspace(0, self.a.rows, self.a.threads + 1).astype(int)
        table: dict[str, Any] = {"unit": "million rows/s", "events": len(index)}
        for block in (800, 400, 200):
            blocks = np.ascontiguousarray(weight.reshape(784, -1, block).transpose(1, 0, 2))
            for at_once, kernel in ((1, ceilings.rows1), (4, ceilings.rows4), (8, ceilings.rows8)):
                best = self.seconds(lambda k: kernel(edges[k], edges[k + 1], start, index, blocks, y))
                table[f"{at_once} at once, {block} columns"] = round(len(index) / best / 1e6, 2)
            np.testing.assert_allclose(y[:64], x[:64] @ weight, atol=1e-3)
        return table

    def update(self) -> dict[str, Any]:
        import ceilings
        import numpy as np

        n, steps, threads = self.a.n // self.a.threads, self.a.steps, self.a.threads
        table: dict[str, Any] = {"unit": "ns for each, of all threads together"}

        def states(*values: float, dtype: Any = np.float32) -> list[list[Any]]:
            return [[np.full(n, value, dtype) for value in values] for _ in range(threads)]

        lif = states(-60.0, 0.0, 0.0)
        left = [np.zeros(n, np.int32) for _ in range(threads)]
        best = self.seconds(lambda k: ceilings.lif(*lif[k], left[k], steps))
        table["LIF"] = round(best / (n * threads * steps) * 1e9, 3)
        fewer = max(1, steps // 20)
        for name, kernel, dtype in (
            ("Hodgkin-Huxley", ceilings.hodgkin_huxley(ceilings.polynomial_exp), np.float32),
            ("Hodgkin-Huxley, libm", ceilings.hodgkin_huxley(ceilings.libm_exp), np.float32),
        ):
            cells = states(-60.0, 0.1, 0.3, 0.6, 1.0, 1.0, dtype=dtype)
            best = self.seconds(lambda k: kernel(*cells[k], fewer))
            table[name] = round(best / (n * threads * fewer) * 1e9, 3)
        rng = np.random.default_rng(0)
        targets = [np.sort(rng.integers(0, self.a.n, (2000, 80)), axis=1).astype(np.uint32) for _ in range(threads)]
        sums = [np.zeros(self.a.n, np.float32) for _ in range(threads)]
        best = self.seconds(lambda k: ceilings.scatter(targets[k], np.float32(0.1), sums[k]))
        table["addition to a target"] = round(best / (threads * 2000 * 80) * 1e9, 3)
        return table

    def simulator(self) -> dict[str, Any]:
        import nbsnn

        known, table = self.update(), dict[str, Any]()
        for model in self.a.models:
            net = getattr(nbsnn.models, model)(2, scale=self.a.scale)
            net.run(net.dt, record={})
            net.reset()
            state, seconds = net.state(), []
            for _ in range(self.a.repeat):
                net.restore(state)
                start = time.perf_counter()
                run = net.run(self.a.sim_ms)
                seconds.append(time.perf_counter() - start)
            held = sum(group.n * numbers(group) * net.dtype.itemsize for group in net.groups)
            fired, synapses = len(run.spikes()[0]), sum(map(len, net.connections))
            steps = round(self.a.sim_ms / net.dt)
            table[model] = against_floor(
                1e3 * min(seconds), net.units * steps, 2 * held * steps, fired * synapses / net.units,
                self._copy(held), known[NEURONS[model]], known["addition to a target"],
            )  # fmt: skip
        return {"unit": "ms", **table}

    def training(self) -> dict[str, Any]:
        (near, _, most), table = self.rates(), dict[str, Any]()
        for name in self.a.training:
            argv = argv_of(STEPS[name], sys.executable, self.a.threads, Path())
            found = execute([*argv, "--profile", *shlex.split(self.a.options)], 600.0)
            if "error" not in found:
                floor = floor_of(found["parts"], near, most)
                found = distance(1e3 * found["step_s"]["min"], 1e3 * floor)
            table[name] = found
        return {"unit": "ms", **table}

    def starting(self) -> dict[str, Any]:
        table = {}
        for program in self.a.programs:
            argv = [sys.executable, str(HERE / "startup.py"), "--program", program, "--repeat", str(self.a.repeat)]
            for name, key, more in (("warm", "wall_s", ["numpy"]), ("cold", "cpu_s", [NOTHING, "--cold"])):
                found = execute([*argv, "--module", *more], 3600.0)
                if "error" not in found:
                    found = distance(found["first"][key]["min"], found["import"][key]["min"])
                table[f"{program}, {name}"] = found
        return {"unit": "s", **table}

    def rates(self) -> tuple[float, float, float]:
        """Bytes read from a near cache and from memory, and multiplications with an addition, in 1e9 a second."""
        self.a.mib = [0.25 * self.a.threads, 64.0]
        near, far = (rates["read"] for rates in list(self.bandwidth().values())[1:])
        return near, far, max(value for name, value in self.blas().items() if name != "unit") / 2.0

    def _copy(self, size: int) -> float:
        """GB/s read and written together, in a working set of this size."""
        self.a.mib = [size / 2**20]
        return list(self.bandwidth().values())[1]["copy"]


def numbers(group: Any) -> int:
    """How many numbers a unit of a population reads and writes in a step: its variables, and what arrives."""
    return len(group.neuron.state) + sum(len(port.synapse.variables) + 1 for port in group.ports)


def against_floor(
    took: float, updates: float, size: float, additions: float, bandwidth: float, each: float, addition: float
) -> dict[str, float]:
    """What took so many ms beside its floor; ``each`` and ``addition`` in ns, ``bandwidth`` in GB/s."""
    moved, worked, added = 1e-6 * size / bandwidth, 1e-6 * updates * each, 1e-6 * additions * addition
    floor = max(moved, worked) + added
    parts = {"bytes": moved, "equations": worked, "additions": added}
    return {**{name: round(value, 3) for name, value in parts.items()}, **distance(took, floor)}


def floor_of(parts: dict[str, list[float]], near: float, most: float) -> float:
    """The least seconds in which parts, of so many seconds, bytes and operations, can be done, at 1e9 a second."""
    return sum(1e-9 * max(moved / near, ops / most) for _, moved, ops in parts.values())


def distance(took: float, floor: float) -> dict[str, float]:
    """What something took beside its floor."""
    return {"floor": round(floor, 3), "took": round(took, 3), "times the floor": round(took / floor, 2)}


if __name__ == "__main__":
    main()
