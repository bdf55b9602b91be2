"""Inputs, weights and timing that all benchmark scripts share. Standard library and NumPy only.

A script pins its threads before it imports anything else, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any


def arguments(doc: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """Options that all scripts have."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--repeat", type=int, default=defaults.get("repeat", 7))
    p.add_argument("--warmup", type=int, default=defaults.get("warmup", 2))
    return p


def pin_threads(count: int) -> None:
    """Give every library ``count`` threads; before NumPy, Numba or torch are imported."""
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA", "NBSNN"):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    os.environ["NBSNN_THREADS"] = str(count)


def peak_mb() -> float:
    """Largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def now_mb() -> float:
    """Resident memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def bernoulli(seed: int, T: int, B: int, N: int, rate: float) -> Any:
    """Input spikes [T, B, N]."""
    import numpy as np

    return (np.random.default_rng(seed).random((T, B, N), dtype=np.float32) < rate).astype(np.float32)


def pictures(seed: int, count: int, path: str | None = None) -> Any:
    """Images [count, 784] from 0 to 1: of an idx file if there is a path, else as dense and as grey as MNIST's.

    A made-up image has 149 pixels that are not black, most of them in the middle, 55 % of them nearly white, with a
    mean of 0.68.
    """
    import gzip

    import numpy as np

    if path:
        opened: Any = gzip.open if path.endswith(".gz") else open
        with opened(path, "rb") as file:
            file.seek(16)
            return np.frombuffer(file.read(784 * count), np.uint8).reshape(count, 784).astype(np.float32) / 255.0
    rng = np.random.default_rng(seed + 77)
    row, column = np.mgrid[0:28, 0:28] - 13.5
    near = np.exp(-(row**2 + column**2) / (2 * 6.5**2)).ravel()
    result = np.zeros((count, 784), np.float32)
    for image in result:
        where = rng.choice(784, size=149, replace=False, p=near / near.sum())
        white = rng.random(149) < 0.55
        grey = np.where(white, 0.8 + 0.2 * rng.random(149), rng.random(149) * 0.9)
        image[where] = np.clip(grey * 0.68 / grey.mean(), 0.02, 1.0)
    return result


def labels(seed: int, B: int, C: int) -> Any:
    """Class numbers [B]."""
    import numpy as np

    return np.random.default_rng(seed + 1000).integers(0, C, size=B)


def weights(seed: int, shapes: list[tuple[int, int]], gains: list[float]) -> list[Any]:
    """Normal weights [n_post, n_pre], one matrix per shape."""
    import numpy as np

    rng = np.random.default_rng(seed + 2000)
    return [(rng.standard_normal(shape) * gain).astype(np.float32) for shape, gain in zip(shapes, gains, strict=True)]


def timed(step: Callable[[int], Any], warmup: int, repeat: int) -> dict[str, Any]:
    """Seconds of ``step(k)``: the first call, which compiles, apart from the others."""
    start = time.perf_counter()
    step(0)
    first = time.perf_counter() - start
    for k in range(1, warmup):
        step(k)
    seconds = []
    for k in range(repeat):
        start = time.perf_counter()
        step(k)
        seconds.append(time.perf_counter() - start)
    return {"step_s": summary(seconds), "first_step_s": round(first, 3)}


def summary(values: list[float]) -> dict[str, Any]:
    """Minimum, median, maximum and number."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"min": round(low, 6), "med": round(middle, 6), "max": round(high, 6), "n": len(values)}


def emit(result: dict[str, Any]) -> None:
    """Print one line of JSON."""
    print(json.dumps({**result, "argv": sys.argv[1:], "rss_peak_mb": round(peak_mb(), 1)}), flush=True)
