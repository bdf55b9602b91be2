"""Inputs, weights and timing that all benchmark scripts share. Standard library and NumPy only.

A script pins its threads before it imports anything else, and prints one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BETA = 0.9
"""Decay per step of all membranes that are trained."""


def arguments(doc: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """Options that all scripts have."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--threads", type=int, default=defaults.get("threads", 2))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--repeat", type=int, default=defaults.get("repeat", 7))
    p.add_argument("--warmup", type=int, default=defaults.get("warmup", 2))
    return p


def training_arguments(doc: str | None, **defaults: Any) -> argparse.ArgumentParser:
    """Those and what W1, W2 and W3 are: sizes, number of steps, batch, input rate."""
    p = arguments(doc, **defaults)
    p.add_argument("--workload", choices=["w1", "w2"], default="w1", help="784-800-10, or 700-256 (recurrent)-20")
    p.add_argument("--T", type=int, default=defaults.get("T", 100))
    p.add_argument("--batch", type=int, default=defaults.get("batch", 128))
    p.add_argument("--rate", type=float, default=0.05)
    p.add_argument("--hidden", type=int, default=0, help="hidden units, if others than the workload's")
    p.add_argument("--opt", choices=["sgd", "adam"], default="sgd")
    return p


def conv_arguments(doc: str | None) -> argparse.ArgumentParser:
    """Options of W8."""
    p = arguments(doc, repeat=5)
    p.add_argument("--T", type=int, default=25)
    p.add_argument("--batch", type=int, default=32)
    p.add_argument("--rate", type=float, default=0.05)
    p.add_argument("--size", type=int, default=28, choices=[28, 34], help="images of 28x28x1 or 34x34x2")
    return p


def conv_sizes(a: argparse.Namespace) -> tuple[int, int]:
    """Channels of the input, and side of the last maps."""
    return (1, 4) if a.size == 28 else (2, 5)


def conv_batch(a: argparse.Namespace) -> tuple[Any, Any]:
    """Images [T, B, C, H, W] and labels [B]."""
    import numpy as np

    shape = (a.T, a.batch, conv_sizes(a)[0], a.size, a.size)
    x = (np.random.default_rng(a.seed).random(shape) < a.rate).astype(np.float32)
    return x, np.arange(a.batch) % 10


def whole_arguments(doc: str | None) -> argparse.ArgumentParser:
    """Options of W9."""
    p = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--task", choices=["nmnist", "fashion"], default="fashion")
    p.add_argument(
        "--data", type=Path, default=Path(os.environ.get("NBSNN_DATA", "data")),
        help="folder with the folders nmnist and fashion_mnist; by default the environment variable NBSNN_DATA",
    )  # fmt: skip
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    p.add_argument("--epochs", type=int, default=2)
    p.add_argument("--samples", type=int, default=6000, help="recordings or images, of the first in the files")
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--T", type=int, default=0, help="frames of a recording of 310 ms (310), or steps of an image (4)")
    p.add_argument("--channels", type=int, default=16, help="channels of the Fashion-MNIST network")
    return p


def fashion(folder: Path, samples: int) -> tuple[Any, Any, Any, Any]:
    """Images [n, 1, 28, 28] from 0 to 1 and labels [n]: to train on, and half as many at most to test with."""
    import gzip

    import numpy as np

    found: list[Any] = []
    for part, count in (("train", samples), ("t10k", samples // 2)):
        for kind, skip, shape in (("images-idx3", 16, (-1, 1, 28, 28)), ("labels-idx1", 8, (-1,))):
            path = next((folder / "fashion_mnist").glob(f"{part}-{kind}-ubyte*"))
            opened: Any = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rb") as file:
                raw = np.frombuffer(file.read(), np.uint8, offset=skip).reshape(shape)[:count]
            found.append(raw.astype(np.float32) / 255.0 if "images" in kind else raw.astype(np.int64))
    return found[0], found[1], found[2], found[3]


def recordings(folder: Path, part: str, samples: int) -> tuple[list[tuple[Any, Any]], Any]:
    """N-MNIST: for each recording the times of its events in us and their units, of 2 x 34 x 34; labels."""
    import zipfile

    import numpy as np

    found, labels = [], []
    parts = (path for path in sorted((folder / "nmnist").glob("*.zip")) if path.name.lower().startswith(part))
    with zipfile.ZipFile(next(parts)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".bin")]
        for name in sorted(names, key=lambda name: int(Path(name).stem))[:samples]:
            raw = np.frombuffer(archive.read(name), np.uint8).reshape(-1, 5).astype(np.int64)
            t = (raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]
            found.append((t, ((raw[:, 2] >> 7) * 34 + raw[:, 1]) * 34 + raw[:, 0]))
            labels.append(int(Path(name).parts[-2]))
    return found, np.array(labels)


def whole(a: argparse.Namespace, peer: str, version: str, train: Callable[[int], float]) -> None:
    """Train once with each seed, and print how long it took and how good the network then is."""
    seconds, busy, right = [], [], []
    for seed in a.seeds:
        start, start_busy = time.perf_counter(), time.process_time()
        right.append(train(seed))
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
    accuracy = statistics.mean(right)
    emit(
        {
            "peer": peer, "version": version, "workload": "w9", "task": a.task, "T": a.T, "batch": a.batch,
            "epochs": a.epochs, "samples": a.samples, "threads": a.threads, "run_s": summary(seconds),
            "run_cpu_s": summary(busy), "test_accuracies": right, "test_accuracy": round(accuracy, 4),
            "test_error": round(1.0 - accuracy, 4),
        }
    )  # fmt: skip


def pin_threads(count: int) -> None:
    """Give every library ``count`` threads; before NumPy, Numba or torch are imported."""
    for name in ("OMP", "MKL", "OPENBLAS", "NUMBA"):
        os.environ[f"{name}_NUM_THREADS"] = str(count)
    os.environ["NBSNN_THREADS"] = str(count)


def peak_mb() -> float:
    """Largest resident memory so far, or since ``forget_peak``."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s*(\d+) kB", status.read_text())[0]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024.0)


def forget_peak() -> None:
    """Begin a new measurement of the peak, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def now_mb() -> float:
    """Resident memory now."""
    if not Path("/proc/self/statm").exists():
        return peak_mb()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


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


def sizes(a: argparse.Namespace) -> tuple[int, int, int]:
    """Inputs, hidden units and outputs."""
    return (784, a.hidden or 800, 10) if a.workload == "w1" else (700, a.hidden or 256, 20)


def network_weights(a: argparse.Namespace) -> list[Any]:
    """Input, recurrent (W2 only) and output matrix, so large that a few per cent fire at every input rate."""
    n_pre, hidden, n_post = sizes(a)
    first, last = 0.5 / math.sqrt(n_pre * a.rate), 0.5 / math.sqrt(hidden * 0.05)
    if a.workload == "w1":
        return weights(a.seed, [(hidden, n_pre), (n_post, hidden)], [first, last])
    return weights(a.seed, [(hidden, n_pre), (hidden, hidden), (n_post, hidden)], [first, last / 2, last])


def network_batches(a: argparse.Namespace) -> tuple[list[Any], list[Any]]:
    """Two batches of input and labels, taken in turn."""
    n_pre, _, n_post = sizes(a)
    seeds = [a.seed + 10 * k for k in range(2)]
    return [bernoulli(s, a.T, a.batch, n_pre, a.rate) for s in seeds], [labels(s, a.batch, n_post) for s in seeds]


def latencies(a: argparse.Namespace, n_pre: int = 784, n_post: int = 10) -> tuple[Any, Any, Any, Any]:
    """W4: who spikes [B, N], when [B, N], labels [B], and weights [n_post, n_pre] with which about half of all fire."""
    import numpy as np

    rng = np.random.default_rng(a.seed)
    active = rng.random((a.batch, n_pre)) < a.active
    times = np.floor(rng.random((a.batch, n_pre)) * a.T).astype(np.float32)
    target = rng.integers(0, n_post, a.batch)
    gain = 1.8 / max(1.0, active.sum() / a.batch) ** 0.5
    return active, times, target, (rng.standard_normal((n_post, n_pre)) * gain).astype(np.float32)


def activity(unit: Any, seconds: Any, units: int, excitatory: int, length: float) -> dict[str, Any]:
    """W6: number and rates of spikes, and the mean over units of their intervals' coefficient of variation.

    ``unit`` and ``seconds`` say who spiked when; the first ``excitatory`` units are excitatory; ``length`` in seconds.
    Intervals count after 0.1 s, and of units with four spikes at least.
    """
    import numpy as np

    unit, seconds = np.asarray(unit, np.int64), np.asarray(seconds, float)
    late = seconds >= 0.1
    who, when = unit[late], seconds[late]
    order = np.lexsort((when, who))
    same = np.diff(who[order]) == 0
    interval, who = np.diff(when[order])[same], who[order][1:][same]
    count = np.bincount(who, minlength=units)
    enough = count >= 3
    mean = np.bincount(who, interval, units)[enough] / count[enough]
    square = np.bincount(who, interval**2, units)[enough] / count[enough]
    return {
        "spikes": int(unit.size), "rate_hz": round(unit.size / units / length, 3),
        "rate_exc_hz": round(float((unit < excitatory).sum()) / excitatory / length, 3),
        "rate_after_100ms_hz": round(float(late.sum()) / units / (length - 0.1), 3) if length > 0.1 else None,
        "cv_isi": round(float((np.sqrt(np.maximum(square - mean**2, 0)) / mean).mean()), 4) if enough.any() else None,
    }  # fmt: skip


def profiled(step: Callable[[int], Any], runs: int = 8) -> Any:
    """Profile of the fastest of some steps."""
    import nbsnn

    found = []
    for k in range(runs):
        with nbsnn.profile() as where:
            step(k)
        found.append(where)
    return min(found, key=lambda where: where.seconds)


def parts_of(profile: Any) -> dict[str, list[float]]:
    """Seconds, bytes and operations of each part."""
    return {name: [part.seconds, part.bytes, part.ops] for name, part in profile.parts.items()}


def timed(step: Callable[[int], Any], warmup: int, repeat: int) -> dict[str, Any]:
    """Seconds of ``step(k)``: the first call, which compiles, apart from the others.

    What compiling needed at most does not count as memory: the peak is that of the later calls.
    """
    start = time.perf_counter()
    step(0)
    first = time.perf_counter() - start
    forget_peak()
    for k in range(1, warmup):
        step(k)
    seconds, busy = [], []
    for k in range(repeat):
        start, start_busy = time.perf_counter(), time.process_time()
        step(k)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - start_busy)
    return {"step_s": summary(seconds), "step_cpu_s": summary(busy), "first_step_s": round(first, 3)}


def summary(values: list[float]) -> dict[str, Any]:
    """Minimum, median, maximum and number."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return {"min": round(low, 6), "med": round(middle, 6), "max": round(high, 6), "n": len(values)}


def child(argv: list[str], folder: str | Path | None = None) -> tuple[float, float, float, str]:
    """Run another program: seconds, seconds of all processors, peak memory in MB, and what it wrote."""
    before, peak = os.times(), 0.0
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
        while process.poll() is None:
            with contextlib.suppress(OSError, IndexError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                peak = max(peak, int(re.findall(r"VmHWM:\s*(\d+) kB", status)[0]) / 1024.0)
            time.sleep(0.002)
        wall, after = time.perf_counter() - start, os.times()
        log.seek(0)
        text = log.read().decode(errors="replace")
    if process.returncode:
        sys.exit(f"{' '.join(map(str, argv))} failed: {text[-2000:]}")
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used, peak, text


def emit(result: dict[str, Any]) -> None:
    """Print one line of JSON; ``memory_mb`` is the peak above ``rss_before_mb``."""
    peak = result.get("rss_peak_mb", round(peak_mb(), 1))
    if "rss_before_mb" in result:
        result = {**result, "memory_mb": round(peak - result["rss_before_mb"], 1)}
    print(json.dumps({**result, "argv": sys.argv[1:], "rss_peak_mb": peak}), flush=True)
