"""Progress for people: a bar that redraws itself on a terminal, plain lines in a log."""

from __future__ import annotations

import shutil
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
        self._drawn, self._titled = 0.0, False
        self._task, self._since, self._from, self._done = ("", 0), 0.0, 0, 0

    @classmethod
    def of(cls, progress: object) -> Progress:
        """Progress from an argument ``progress``: True, False, or a Progress."""
        return progress if isinstance(progress, Progress) else cls(shown=switch("progress", progress))

    def bar(self, title: str, done: int, total: int, note: str = "") -> None:
        """Draw how much of a task is done, how fast, and how long the rest takes.

        A terminal gets a bar, ten times a second at most, and no wider than it is; a log gets a line twice a minute.
        """
        if not self.shown:
            return
        now = time.perf_counter()
        if (title, total) != self._task or done < self._done:
            self._task, self._since, self._from = (title, total), now, done
            self._drawn = 0.0 if self.terminal else now
        self._done = done
        if now - self._drawn < (0.1 if self.terminal else 30.0) and not (self.terminal and done == total):
            return
        self._drawn, pace = now, ""
        if done > self._from and now - self._since > 0.5:
            rate = (done - self._from) / (now - self._since)
            pace = f"  {rate:.3g}/s" if rate < 1000.0 else f"  {rate:,.0f}/s"
            pace += f", {_clock((total - done) / rate)} left" if done < total else ""
        if not self.terminal:
            self.line(f"{title} {done}/{total}{pace}  {note}".rstrip())
            return
        full = self.WIDTH * done // total
        text = f"{title} [{'#' * full}{'.' * (self.WIDTH - full)}] {done}/{total}{pace}  {note}"
        self.stream.write(f"\r{text[: shutil.get_terminal_size().columns - 1]}\x1b[K")
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
            if self.terminal:
                text = f"\r\x1b[K{text}"  # in the place of a bar
            print(text, file=self.stream, flush=True)


def _clock(seconds: float) -> str:
    """A time as minutes and seconds, or hours, minutes and seconds."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
