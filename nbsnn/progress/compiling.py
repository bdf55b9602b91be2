"""A word where kernels are compiled, so that the first run is not taken for one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..compile.log import at_work
from .bar import Progress

SILENCE = 2.0
"""Seconds of compiling after which it is said."""


@contextmanager
def compiling(show: Progress) -> Iterator[None]:
    """Say once that kernels are being compiled, if that takes long."""
    if not show.shown:
        yield
        return
    over = threading.Event()

    def watch() -> None:
        seconds = 0.0
        while not over.wait(0.1):
            seconds = seconds + 0.1 if at_work else 0.0
            if seconds > SILENCE:
                show.line("compiling kernels; they are kept on disk, so the next run will not wait")
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
