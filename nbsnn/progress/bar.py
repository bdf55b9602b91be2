"""Progress for people: a bar that redraws itself on a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from ..validate import switch
from .history import History


class Progress:
    """Shows a bar while an epoch runs and a table row when it ends.

    Parameters
    ----------
    shown : bool
        False shows nothing.
    stream : text stream, optional
        Where to; standard output by default. Only a terminal gets the bar.
    """

    WIDTH = 24

    def __init__(self, shown: bool = True, stream: TextIO | None = None):
        switch("shown", shown)
        self.shown, self.stream = shown, stream or sys.stdout
        self.terminal = shown and self.stream.isatty()
        self._drawn, self._start, self._titled = 0.0, time.perf_counter(), False

    @classmethod
    def of(cls, progress: object) -> Progress:
        """Progress from an argument ``progress``: True, False, or a Progress."""
        return progress if isinstance(progress, Progress) else cls(shown=switch("progress", progress))

    def bar(self, title: str, done: int, total: int, note: str = "") -> None:
        """Draw how much of a task is done; at most ten times a second."""
        now = time.perf_counter()
        if not self.terminal or (now - self._drawn < 0.1 and done < total):
            return
        self._drawn = now
        full = self.WIDTH * done // total
        self.stream.write(f"\r{title} [{'#' * full}{'.' * (self.WIDTH - full)}] {done}/{total}  {note} \x1b[K")
        if done == total:
            self.stream.write("\r\x1b[K")
        self.stream.flush()

    def row(self, history: History) -> None:
        """Print the newest row of a table, under its header if it is the first here."""
        if not self.shown:
            return
        if not self._titled:
            self.line(history.header())
            self._titled = True
        self.line(history.line(history.rows[-1]))

    def line(self, text: str) -> None:
        """Print a line."""
        if self.shown:
            print(text, file=self.stream, flush=True)
