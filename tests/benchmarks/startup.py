"""W7: how long a new process takes to its first result: an import, and a first small simulation.

Starts --python again and again, on nothing, on ``import MODULE`` and on a program such as ``first.py``. The first start
is not counted, so kernels come from the cache; with --cold it is, in an empty cache folder each time.

    python tests/benchmarks/startup.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import first
import workloads

HERE = Path(__file__).parent


def main() -> None:
    p = workloads.arguments(__doc__, repeat=5, warmup=1, threads=1)
    p.add_argument("--python", default=sys.executable, help="interpreter to start")
    p.add_argument("--module", default="", help="what to import instead of nbsnn; - for nothing")
    p.add_argument("--peer", default="", help="a program of peers/first_peer.py instead of ours")
    p.add_argument("--program", choices=first.PROGRAMS, default="simulator", help="which of ours")
    p.add_argument("--cold", action="store_true", help="compile in every process")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    # What a peer compiles at run time finds the tools of its own environment.
    os.environ["PATH"] = f"{Path(a.python).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its byte code on disk
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    program = [HERE / "peers" / "first_peer.py", a.peer] if a.peer else [HERE / "first.py", a.program]

    def measure(*arguments: Any) -> dict[str, Any]:
        runs = []
        for k in range((0 if a.cold else a.warmup) + a.repeat):
            with tempfile.TemporaryDirectory() as folder:
                if a.cold:
                    os.environ["NUMBA_CACHE_DIR"] = folder
                run = workloads.child([a.python, *map(str, arguments)])
            runs += [run] if a.cold or k >= a.warmup else []
        walls, used, peaks, texts = zip(*runs, strict=True)
        last = texts[-1].strip().splitlines()[-1:]
        return {
            "wall_s": workloads.summary(walls), "cpu_s": workloads.summary(used), "peak_mb": max(peaks), "last": last,
        }  # fmt: skip

    result: dict[str, Any] = {"bare": measure("-c", "pass")}
    module = a.module or ("" if a.peer else "nbsnn")
    if module and module != "-":
        result["import"] = measure("-c", f"import {module}")
    result["first"] = measure(*program)
    said = result["first"]["last"]
    workloads.emit(
        {
            "peer": a.peer or "nbsnn", "workload": "w7", "program": a.peer or a.program, "threads": a.threads,
            "cold": a.cold, "first_s": result["first"]["wall_s"], "import_s": result.get("import", {}).get("wall_s"),
            "spikes": int(float(said[0].split()[1])) if said and said[0].startswith("spikes") else None, **result,
            "rss_peak_mb": round(result["first"]["peak_mb"], 1),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
