"""Threads of the CPU: windows of a population are split over them.

Kernels release Python's lock, so plain threads share the work; below ``SERIAL`` updates a second thread costs more
than it saves. Windows are cut along samples or units, which do not touch each other: results do not depend on their
number.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any

import numpy as np

from .. import validate
from ..validate import choice
from . import cuda_setup
from .buffers import Argument
from .profile import OPEN, Work, span

SERIAL = 100_000
"""Up to this many updates run on one thread."""

EVEN = 1.2
"""Threads split lines of units; if that is unbalanced by more than this factor, they split samples."""

DEVICES = ("cpu", "cuda", "python")
"""Where kernels run: compiled on the CPU, on an NVIDIA GPU, or interpreted, for checks and debuggers."""

MOST = 4096
"""Threads that can be asked for."""

_threads: int | None = None
_pool: Pool | None = None
_lock = threading.Lock()


def resolve(device: Any, allowed: Sequence[str] = DEVICES) -> str:
    """The device that ``device`` stands for, once it is known that it can be used.

    Parameters
    ----------
    device : str
        One of ``allowed``, or "auto": "cuda" if it is allowed and there is a GPU that can be used, else "cpu". Numba's
        simulator of a GPU runs where "cuda" is asked for, never where "auto" is.
    allowed : sequence of str
        What the caller can run on.

    Raises
    ------
    ValueError
        The device is not known, or not allowed.
    nbsnn.device.cuda_setup.NoGPU
        "cuda" cannot be used; the message says what is missing and how to get it.

    >>> resolve("auto", ("cpu", "python"))
    'cpu'
    """
    if isinstance(allowed, str) or not isinstance(allowed, Sequence) or not all(isinstance(a, str) for a in allowed):
        raise TypeError(f"allowed must be a sequence of devices, not {allowed!r}")
    choice("device", device, (*allowed, "auto"))
    if device == "auto":
        return "cuda" if "cuda" in allowed and cuda_setup.usable() else "cpu"
    if device == "cuda":
        cuda_setup.require()
    return device


def threads() -> int:
    """Number of threads of kernels: ``set_threads``, else NBSNN_THREADS, else the processors this process may use.

    Raises
    ------
    ValueError
        NBSNN_THREADS is not a number of threads.
    """
    if _threads is not None:
        return _threads
    given = os.environ.get("NBSNN_THREADS")
    if given:
        if not given.strip().isdecimal() or not 1 <= int(given) <= MOST:
            raise ValueError(f"NBSNN_THREADS must be an integer from 1 to {MOST}, not {given!r}")
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def set_threads(count: int | None) -> None:
    """Set the number of threads on which kernels and products run; NumPy's own setting stays as it is.

    Work that other threads of the program have begun ends on as many threads as it began with.

    Parameters
    ----------
    count : int or None
        How many; None for the default, ``NBSNN_THREADS`` or all processors.

    Raises
    ------
    TypeError, ValueError
        ``count`` is not an integer from 1 to 4096.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.set_threads(1)
    >>> nbsnn.set_threads(None)
    """
    global _threads, _pool
    if count is not None:
        count = validate.count("count of threads", count, most=MOST)
    with _lock:
        _threads, before, _pool = count, _pool, None
    if before:
        before.close()


class Task:
    """A call that another thread makes, in this one's context: with its ``np.errstate``."""

    __slots__ = ("call", "context", "ended", "error", "lock", "part", "result")

    def __init__(self, call: Callable[..., Any], part: tuple[Any, ...]):
        self.call, self.part, self.lock, self.context = call, part, threading.Lock(), copy_context()
        self.result, self.ended = None, False
        self.error: BaseException | None = None
        self.lock.acquire()

    def run(self) -> None:
        """Make the call; what it raises, the thread that gave it finds in ``error``."""
        try:
            self.result = self.context.run(self.call, *self.part)
        except BaseException as error:
            self.error = error
        self.ended = True
        self.lock.release()


class Pool:
    """Threads that wait for tasks. Those of a training step are short: ``concurrent.futures`` takes twice as long to
    hand one over.

    Parameters
    ----------
    count : int
        How many threads.
    """

    def __init__(self, count: int):
        self.count, self.tasks = count, SimpleQueue[Task | None]()
        for k in range(count):
            threading.Thread(target=_serve, args=(self.tasks,), name=f"nbsnn_{k}", daemon=True).start()

    def close(self) -> None:
        """Let the threads end, after the tasks that have been given."""
        for _ in range(self.count):
            self.tasks.put(None)


def _serve(tasks: SimpleQueue[Task | None]) -> None:
    """Run tasks until there is a None."""
    while (task := tasks.get()) is not None:
        task.run()
        del task  # whose arrays nobody should keep while this waits


def windows(count: int, parts: int) -> list[tuple[int, int]]:
    """Cut ``range(count)`` into at most ``parts`` pieces of nearly equal length."""
    parts = min(parts, count)
    return [(count * k // parts, count * (k + 1) // parts) for k in range(parts)]


def shares(count: int, work: int) -> list[tuple[int, int]]:
    """``range(count)``, cut for as many threads as ``work`` updates are worth."""
    return windows(count, threads()) if work > SERIAL else [(0, count)]


def run_threaded(call: Callable[[int, int], Any], count: int, work: int, part: Work | None = None) -> list[Any]:
    """What ``call(lo, hi)`` returns over ``range(count)``, on as many threads as ``work`` updates are worth; for a
    profile, a ``part`` of the whole."""
    return run_each(call, shares(count, work), part)


def run_each(call: Callable[..., Any], parts: Sequence[tuple[Any, ...]], part: Work | None = None) -> list[Any]:
    """What ``call(*arguments)`` returns for each of ``parts``, one to a thread; for a profile, a ``part`` of the whole.

    What threads need is best made before they begin: one that gives up Python's lock for a moment may wait long for it.
    """
    global _pool
    if part is not None and OPEN.profile is not None:
        with span(*part):
            return run_each(call, parts)
    if len(parts) == 1:
        return [call(*parts[0])]
    with _lock:
        if _pool is None:
            _pool = Pool(threads())
        tasks = [Task(call, arguments) for arguments in parts[1:]]
        for task in tasks:
            _pool.tasks.put(task)
    try:
        first = call(*parts[0])
    finally:
        _wait(tasks)
    for task in tasks:
        if task.error is not None:
            raise task.error
    return [first, *(task.result for task in tasks)]


def _wait(tasks: list[Task]) -> None:
    """Wait until all have ended, whatever happens: nobody writes to the caller's arrays any more."""
    interruption = None
    for task in tasks:
        while not task.ended:
            try:
                task.lock.acquire()
            except KeyboardInterrupt as error:
                interruption = error
    if interruption is not None:
        raise interruption


def shares_lines(samples: int, lines: int) -> bool:
    """True if threads should share lines, not samples: if these are too few, or lines can be shared evenly."""
    count = threads()
    return -(-lines // count) * count <= EVEN * lines or samples < count


def tiles(samples: int, lines: int, by_lines: bool, work: int) -> list[tuple[int, int, int, int]]:
    """The samples [b0, b1) and lines [q0, q1) of each thread, which share lines or samples."""
    if by_lines:
        return [(0, samples, lo, hi) for lo, hi in shares(lines, work)]
    return [(lo, hi, 0, lines) for lo, hi in shares(samples, work)]


def clear(array: np.ndarray) -> None:
    """Set all of an array to zero: 16 numbers take no longer than one update."""
    run_threaded(lambda lo, hi: array[lo:hi].fill(0), len(array), array.size // 16)


def balanced(first: np.ndarray, units: int) -> np.ndarray:
    """Where to cut units among threads so that each has as many entries: unit i ``first[i]`` to ``first[i + 1]``."""
    parts = threads()
    edges = np.searchsorted(first, [int(first[-1]) * k // parts for k in range(parts + 1)]).astype(np.uintp)
    edges[0], edges[-1] = 0, units
    return np.minimum(edges, np.uintp(units))


def run_kernel(
    kernel: Callable[..., Any], count: int, work: int, *arguments: Argument, part: Work | None = None
) -> list[Any]:
    """``kernel(lo, hi, *arguments)`` likewise, with indices as kernels take them."""
    return run_each(kernel, [(np.uintp(lo), np.uintp(hi), *arguments) for lo, hi in shares(count, work)], part)


def _forked() -> None:
    """Begin anew in a forked child: it has none of the parent's threads, neither those of the pool nor one that held
    the lock."""
    global _pool, _lock
    _pool, _lock = None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def launch(
    kernel: Callable[..., None], device: str, t0: int, t1: int, batch: int, units: int,
    *arrays: np.ndarray | tuple[Any, ...],
) -> None:  # fmt: skip
    """Run a population kernel on steps [t0, t1) of all samples and units."""
    if device == "python":
        kernel(t0, t1, 0, batch, 0, units, *arrays)
        return
    u = np.uintp
    if batch >= threads():
        run_threaded(
            lambda lo, hi: kernel(t0, t1, u(lo), u(hi), u(0), u(units), *arrays), batch, (t1 - t0) * batch * units
        )
    else:
        run_threaded(
            lambda lo, hi: kernel(t0, t1, u(0), u(batch), u(lo), u(hi), *arrays), units, (t1 - t0) * batch * units
        )
