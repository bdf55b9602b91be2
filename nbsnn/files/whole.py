"""Files that are there whole or not at all: they are written beside their place, and renamed when they are complete.

What a process that was killed has left beside the place (".NAME.PID.part") goes when the file is next written.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Any

_lock = threading.Lock()
_open: set[Path] = set()


@contextmanager
def writing(path: str | PathLike[str]) -> Iterator[Any]:
    """A binary file to write, which is at ``path`` when the block has ended; see ``beside``."""
    with beside(path) as part, part.open("wb") as file:
        yield file


@contextmanager
def beside(path: str | PathLike[str]) -> Iterator[Path]:
    """Write to a temporary path that replaces ``path`` when the block ends; an exception leaves ``path`` unchanged.

    Raises
    ------
    OSError
        If it cannot be written; the message has ``path``, as given.
    """
    place = Path(path)
    _clear(place)
    part = _part(place)
    try:
        with named(path):
            yield part
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.replace(place)
    finally:
        with suppress(OSError):
            part.unlink()
        _open.discard(part)


@contextmanager
def named(path: str | PathLike[str]) -> Iterator[None]:
    """Errors of the operating system name ``path``, whatever file they met."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise OSError(f"{path}: {error}") from error
        raise OSError(error.errno, error.strerror, str(path)) from None


def _part(place: Path) -> Path:
    """Temporary path beside ``place``, different for each thread."""
    with _lock:
        stem = f".{place.name}.{os.getpid()}"
        tries = (place.with_name(f"{stem}-{k}.part" if k else f"{stem}.part") for k in range(len(_open) + 1))
        part = next(part for part in tries if part not in _open)
        _open.add(part)
    return part


def _clear(place: Path) -> None:
    """Delete what processes have left that are no more."""
    left = re.compile(rf"\.{re.escape(place.name)}\.(\d{{1,9}})(-\d+)?\.part")
    with suppress(OSError):
        for name in os.listdir(place.parent):
            match = left.fullmatch(name)
            if match and not _lives(int(match[1])):
                with suppress(OSError):
                    place.with_name(name).unlink()


def _lives(pid: int) -> bool:
    """True if a process of this number exists; where asking would harm it, it is assumed to."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
