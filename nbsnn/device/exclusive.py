"""One thread at a time, for objects that keep arrays from call to call."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])


class Exclusive:
    """A lock that does not wait: ``with`` raises ``RuntimeError`` while another thread is inside.

    Copies and pickles of it are new locks.
    """

    def __init__(self, who: str):
        self.who, self._lock = who, threading.RLock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(f"{self.who} is at work in another thread: give each thread one of its own")

    def __exit__(self, *error: object) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[Any, ...]:
        return Exclusive, (self.who,)


def exclusive(method: Method) -> Method:
    """A method that holds ``self.exclusive``, an ``Exclusive``, while it runs."""

    @functools.wraps(method)
    def held(self: Any, *args: Any, **options: Any) -> Any:
        with self.exclusive:
            return method(self, *args, **options)

    return held  # type: ignore[return-value]
