"""Files that grow as a run goes: a header, then records or rows, which are whole or not there.

What has been handed to the operating system survives the end of the process, by whatever way. Of a piece that was cut
short readers take the whole records and ignore the rest.
"""

from __future__ import annotations

import os
import struct
from os import PathLike
from pathlib import Path
from typing import Any

from .. import validate
from .whole import named, writing

MARK = 0x01020304
"""Stands in every header: read in the wrong order of bytes, it is another number."""


def create(path: str | PathLike[str], header: bytes, resume: str) -> Path:
    """A new file that holds ``header``: complete, or not there. ``FileExistsError`` if there is one of this name."""
    path = Path(validate.path("path", path))
    if path.exists():
        raise FileExistsError(f"{path} exists: {resume} continues it, another name starts anew")
    with writing(path) as file:
        file.write(header)
    return path


def head(path: Path, header: struct.Struct, magic: bytes, kind: str) -> tuple[Any, ...]:
    """The fields of a file's header, which begins with ``magic``.

    Raises
    ------
    ValueError
        The file is not of this ``kind``, or ends within its header.
    """
    with path.open("rb") as file:
        found = file.read(header.size)
    if not found or found[: len(magic)] != magic[: len(found)]:
        raise ValueError(f"{path} is not a file of {kind}: it begins with {found[:8]!r}, not {magic!r}")
    if len(found) < header.size:
        raise ValueError(f"{path} ends within its header, after {len(found)} of {header.size} bytes")
    return header.unpack(found)


def understood(path: Path, mark: int, version: int, known: int) -> None:
    """Raise ``ValueError`` unless a header is whole and of the version that is known."""
    if mark != MARK:
        raise ValueError(f"{path} has a damaged header: its order mark is {mark:#010x}, not {MARK:#010x}")
    if version != known:
        raise ValueError(f"{path} has version {version} of the format; this program reads version {known}")


class Appended:
    """A file at whose end is written; a context manager that closes it.

    Parameters
    ----------
    path : path
    size : int
        Bytes that count; what follows them is removed.
    """

    def __init__(self, path: Path, size: int):
        self.path, self.size = path, size
        self.handle = path.open("r+b", buffering=0)
        self.handle.truncate(size)

    def append(self, data: bytes) -> None:
        """All of ``data`` or nothing."""
        if self.handle.closed:
            raise ValueError(f"{self.path} is closed")
        rest = memoryview(data)
        try:
            with named(self.path):
                self.handle.seek(self.size)
                while rest:
                    rest = rest[self.handle.write(rest) :]
        except BaseException:
            self.handle.truncate(self.size)
            raise
        self.size += len(data)

    def sync(self) -> None:
        """Wait until the file is on the disk, where it survives a failure of power too."""
        os.fsync(self.handle.fileno())

    def close(self) -> None:
        """Close the file."""
        self.handle.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
