"""Every launch of a kernel, timed, and held against what the GPU could do at best.

The floor of a launch is the larger of two times: its arrays, each read or written once, at the bandwidth of a copy; and
its products at the rate of multiplications and additions in registers. Both rates are measured on the same GPU.
"""

from __future__ import annotations

import contextlib
import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import cuda

from nbsnn.device import gpu

CHAINS = 8  # multiplications and additions of a thread that do not wait for each other


def seconds(call: Callable[[], Any], repeat: int) -> float:
    """The shortest of several times that ``call`` took until the GPU was done; one goes before."""
    best = float("inf")
    for k in range(repeat + 1):
        cuda.synchronize()
        start = time.perf_counter()
        call()
        cuda.synchronize()
        best = min(best, time.perf_counter() - start) if k else best
    return best


def rates(tiny: bool, repeat: int) -> dict[str, float]:
    """What the GPU can do: bytes of a copy and float32 operations in a second, and seconds of an empty launch."""
    n = 64 if tiny else 1 << 26
    x, y = gpu.zeros(n, np.float32), gpu.empty(n, np.float32)
    copied = 8.0 * n / seconds(lambda: gpu.copy(x, y), repeat)
    compiled, lanes, again = cuda.jit(multiply_add), 8 if tiny else 1 << 20, 2 if tiny else 2000
    out = gpu.empty(lanes, np.float32)
    grid, one = (-(-lanes // gpu.BLOCK), gpu.BLOCK), np.float32(1.0)
    took = seconds(lambda: compiled[grid](out, one, one, again), repeat)
    few = 1 if tiny else 1000
    small = gpu.empty(1, np.float32)
    launch = seconds(lambda: [gpu.fill(small, 0.0) for _ in range(few)], repeat) / few
    return {"bytes/s": copied, "operations/s": 2.0 * CHAINS * lanes * again / took, "launch_s": launch}


def multiply_add(y: Any, a: Any, b: Any, again: int) -> None:
    """CHAINS sums in registers; what they add up to is of no interest."""
    i = cuda.grid(1)
    if i < y.shape[0]:
        p = q = r = s = t = u = v = w = a
        for _ in range(again):
            p, q, r, s = p * a + b, q * a + b, r * a + b, s * a + b
            t, u, v, w = t * a + b, u * a + b, v * a + b, w * a + b
        y[i] = p + q + r + s + t + u + v + w


class Launches:
    """Kernel -> number of launches, seconds, bytes and operations, all together."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, float]] = {}

    def note(self, kernel: Any, arguments: tuple, took: float) -> None:
        """One launch more."""
        function = getattr(kernel, "py_func", None) or kernel.fn
        name = f"{function.__module__.rpartition('.')[2].removesuffix('_cuda')}.{function.__name__}"
        moved, operations = work(name, dict(zip(inspect.signature(function).parameters, arguments, strict=True)))
        row = self.rows.setdefault(name, {"launches": 0, "s": 0.0, "bytes": 0.0, "operations": 0.0})
        for key, value in (("launches", 1), ("s", took), ("bytes", moved), ("operations", operations)):
            row[key] += value

    def table(self, best: dict[str, float]) -> dict[str, dict[str, Any]]:
        """Each kernel's time beside its floor, the slowest first."""
        found: dict[str, dict[str, Any]] = {}
        for name, row in sorted(self.rows.items(), key=lambda item: -item[1]["s"]):
            floor = max(row["bytes"] / best["bytes/s"], row["operations"] / best["operations/s"])
            found[name] = {**row, "floor_s": floor, "times_floor": row["s"] / floor if floor else None}
        return found


@contextlib.contextmanager
def watched() -> Iterator[Launches]:
    """Time every launch in the block by itself: the GPU is waited for, so together they take longer than otherwise."""
    found, kind = Launches(), type(gpu.compiled("arrays.fill_cuda", "fill", np.dtype(np.float32)))
    real = kind.__getitem__

    def configured(kernel: Any, configuration: Any) -> Callable[..., None]:
        launch = real(kernel, configuration)

        def call(*arguments: Any) -> None:
            found.note(kernel, arguments, _time(lambda: launch(*arguments)))

        return call

    kind.__getitem__ = configured
    try:
        yield found
    finally:
        kind.__getitem__ = real


def _time(launch: Callable[[], None]) -> float:
    """Seconds between two marks in the GPU's queue; the simulator has no clock there."""
    cuda.synchronize()
    start, first, last = time.perf_counter(), cuda.event(), cuda.event()
    first.record()
    launch()
    last.record()
    last.synchronize()
    wall = time.perf_counter() - start
    took = cuda.event_elapsed_time(first, last) / 1000.0 if hasattr(cuda, "event_elapsed_time") else 0.0
    return took or wall


def work(name: str, arguments: dict[str, Any]) -> tuple[float, float]:
    """Bytes that a launch has to move, and operations of its products."""
    if name in DATA:  # it depends on the spikes
        return 0.0, 0.0
    operations = (
        2.0 * arguments["rows"] * arguments["depth"] * arguments["columns"] if name == "products.tiles" else 0.0
    )
    if name in PARTS:
        array = arguments[PARTS[name]]
        return 2.0 * (arguments["hi"] - arguments["lo"]) * array.dtype.itemsize, operations
    return float(sum(map(size, arguments.values()))), operations


DATA = ("network.simulate", "plastic.live")
PARTS = {"encode.rows": "y", "record.enter": "record"}
"""Kernels that read and write one number in a thread, of arrays that are larger: and of which."""


def size(value: Any) -> int:
    """Bytes of an array on the GPU, or of those in a tuple."""
    if isinstance(value, tuple):
        return sum(map(size, value))
    return value.size * value.dtype.itemsize if gpu.on_gpu(value) else 0
