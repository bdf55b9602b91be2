"""Python's collector of cyclic garbage rests while a kernel is compiled.

Numba makes millions of objects, which the collector would look at again and again: a sixth of the time of compiling.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class _Resting:
    """How many threads want it to rest, and whether it was at work before."""

    count, enabled, lock = 0, False, threading.Lock()


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the collector rest until the block ends, in all threads; one that the program has switched off stays off.

    Examples
    --------
    >>> with uncollected():
    ...     gc.isenabled()
    False
    """
    with _Resting.lock:
        if not _Resting.count:
            _Resting.enabled = gc.isenabled()
            gc.disable()
        _Resting.count += 1
    try:
        yield
    finally:
        with _Resting.lock:
            _Resting.count -= 1
            if not _Resting.count and _Resting.enabled:
                gc.enable()
