"""Up to which activity sums of chosen rows beat BLAS on this machine.

Both are timed once, for a layer of 784 to 800 units, and the result is kept on disk beside the compiled kernels. The
share of ones at which both take equally long is the break-even point: one for currents, one for the weights' gradient.

The environment variable NBSNN_BREAK_EVEN overrules it: "0.2" or, currents first, "0.25,0.15". With it, or with
``path`` of a connection, results do not depend on what was measured (the two ways round differently).
"""

from __future__ import annotations

import functools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.threads import run_threaded, threads
from ..kernels.products import gather as loops
from .blocks import LINE, add_in_lines, as_lines, lines_of, rows_of
from .events import turn

ROWS, N_PRE, N_POST, SHARE = 1024, 784, 832, 0.2
TURNS, REPEATS, PAUSE = 3, 5, 0.1
LEAST, MOST = 0.02, 0.5  # what a measurement, disturbed or not, may say


def break_even(dtype: Any = np.float32) -> tuple[float, float]:
    """The break-even points for currents and for the weights' gradient.

    Returns
    -------
    (float, float)
        Shares of ones in [0, 1].

    Raises
    ------
    ValueError
        NBSNN_BREAK_EVEN is set, but not to one or two numbers.
    """
    given = os.environ.get("NBSNN_BREAK_EVEN")
    if given is not None:
        return _given(given)
    return _known(np.dtype(dtype).name, threads())


def report() -> str:
    """The break-even points in words, as far as they are known without measuring."""
    if "NBSNN_BREAK_EVEN" in os.environ:
        return f"{_shown(break_even())} (NBSNN_BREAK_EVEN)"
    found = _read(_file()).get(_key("float32", threads()))
    return f"{_shown(found)} with {threads()} threads" if found else "not measured yet"


def _shown(points: Any) -> str:
    return f"events up to {points[0]:.0%} ones for currents, {points[1]:.0%} for weight gradients"


def _given(text: str) -> tuple[float, float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(0.0 <= n <= 1.0 for n in numbers):
        raise ValueError(f"NBSNN_BREAK_EVEN must be one or two numbers from 0 to 1, not {text!r}")
    return numbers[0], numbers[-1]


@functools.cache
def _known(dtype: str, count: int) -> tuple[float, float]:
    file, key = _file(), _key(dtype, count)
    found = _read(file)
    if key not in found:
        found[key] = measure(np.dtype(dtype))
        _write(file, found)
    low, high = found[key]
    return float(low), float(high)


def measure(dtype: np.dtype) -> tuple[float, float]:
    """Time both ways, and return where they meet."""
    rng = np.random.default_rng(0)
    x = (rng.random((ROWS, N_PRE)) < SHARE).astype(dtype)
    start = np.zeros(ROWS + 1, np.uintp)
    np.cumsum(np.count_nonzero(x, axis=1), out=start[1:])
    index = np.nonzero(x)[1].astype(np.uint32)
    first, row = np.zeros(N_PRE + 1, np.uintp), np.zeros(len(index), np.uint32)
    weight, y = np.ones((N_PRE, N_POST), dtype), np.zeros((ROWS, N_POST), dtype)
    u, count = np.uintp, N_POST // LINE
    W, Y, bias = (np.zeros((n * count, LINE), dtype) for n in (N_PRE, ROWS, 1))
    gather, collect = (kernel(f, dtype=dtype) for f in (loops.all_currents, loops.collect))

    def currents() -> None:
        run_threaded(lambda lo, hi: gather(start, index, W, bias, Y, u(lo), u(hi)), count, y.size)

    def currents_by_blas() -> None:
        np.matmul(x, weight, out=y)
        lines_of(Y, count)[...] = as_lines(y, count)

    def gradient() -> None:
        turn(0, ROWS, start, index, first, row)
        run_threaded(
            lambda lo, hi: collect(u(0), u(N_PRE), first, row, Y, u(0), W, u(count), u(lo), u(hi)), count, y.size
        )

    def gradient_by_blas() -> None:
        add_in_lines(x.T @ rows_of(Y, count), count, W)

    pairs = (currents_by_blas, currents), (gradient_by_blas, gradient)
    points = [float(np.clip(SHARE * _ratio(*pair), LEAST, MOST)) for pair in pairs]
    return round(points[0], 3), round(points[1], 3)


def _ratio(one: Callable[[], Any], other: Callable[[], Any]) -> float:
    """How many times longer ``one`` takes than ``other``: the shortest calls of some turns, so that both meet the same
    load; with a pause between, as BLAS threads wait busily for more and would take the other's processors."""
    seconds: tuple[list[float], list[float]] = [], []
    for _ in range(TURNS):
        for call, found in zip((one, other), seconds, strict=True):
            time.sleep(PAUSE)
            for _ in range(REPEATS):
                start = time.perf_counter()
                call()
                found.append(time.perf_counter() - start)
    return min(seconds[0]) / min(seconds[1])


def _key(dtype: str, count: int) -> str:
    return f"{dtype}, {count} threads, numpy {np.__version__}"


def _file() -> Path:
    from ..compile.cache import folder

    return folder() / "__pycache__" / "break_even.json"


def _read(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _write(file: Path, points: dict[str, Any]) -> None:
    """Replace the file in one go; a folder that cannot be written only means that every process measures."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(f".{os.getpid()}")
        draft.write_text(json.dumps(points, indent=1))
        draft.replace(file)
    except OSError:
        pass
