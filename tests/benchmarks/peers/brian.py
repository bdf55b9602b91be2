"""Brian 2 as C++: what the scripts for W5 and W6 share.

The program is built in --work-dir and run --repeat times as a process of its own; Brian's own clock counts the seconds
of the time loop. What is built already is not built again.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import harness
import workloads


def arguments(doc: str | None) -> ArgumentParser:
    """Options of both; --threads 1 builds without OpenMP."""
    p = workloads.arguments(doc, repeat=3, threads=1)
    p.add_argument("--work-dir", required=True, help="folder for what is built")
    return p


def prepare(a: Any) -> Any:
    """Brian 2, set to build C++ in the work folder."""
    harness.require("brian2")
    workloads.pin_threads(a.threads)
    import brian2 as b

    b.set_device("cpp_standalone", directory=a.work_dir, build_on_run=False)
    if a.threads > 1:
        b.prefs.devices.cpp_standalone.openmp_threads = a.threads
    b.seed(a.seed)
    return b


def measure(b: Any, a: Any, net: Any, length: Any) -> tuple[list[float], dict[str, Any]]:
    """Seconds of the time loop of each run of ``length``, and what to report of building."""
    start = time.perf_counter()
    net.run(length)
    device = b.get_device()
    device.build(directory=a.work_dir, compile=True, run=False)
    built = time.perf_counter() - start
    folder = Path(a.work_dir).resolve()
    results = folder / "results"
    results.mkdir(exist_ok=True)
    seconds, peak = [], 0.0
    for _ in range(a.repeat):
        _, _, memory, _ = workloads.child([str(folder / "main"), "--results_dir", f"{results}/"], folder)
        seconds.append(float((results / "last_run_info.txt").read_text().split()[0]))
        peak = max(peak, memory)
    device.has_been_run = True
    return seconds, {"build_s": round(built, 3), "rss_peak_mb": round(peak, 1)}
