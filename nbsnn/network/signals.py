"""Ctrl-C during a piece of a run."""

from __future__ import annotations

import importlib
import signal
import threading

_signal = importlib.import_module("_signal")  # ``signal`` without its enums, which take longer than a short piece


class HeldBack:
    """A block for whose end Ctrl-C waits, so that a piece is handed on whole."""

    def __enter__(self) -> None:
        main = threading.get_ident() == threading.main_thread().ident
        self.before, self.came = _signal.getsignal(signal.SIGINT) if main else None, False
        if self.before is not None:  # otherwise it comes elsewhere
            _signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: object) -> None:
        self.came = True

    def __exit__(self, *error: object) -> None:
        if self.before is not None:
            _signal.signal(signal.SIGINT, self.before)
        if self.came:
            signal.raise_signal(signal.SIGINT)
