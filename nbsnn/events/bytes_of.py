"""The bytes of a file, or of one in a zip archive, read with suspicion: no more than there can be."""

from __future__ import annotations

import os
import zipfile
from os import PathLike
from pathlib import Path

from .. import validate
from ..files.npz import PIECE, believable, reading


def bytes_of(path: str | PathLike[str], member: str | None = None) -> bytes:
    """The content of a file, or of ``member`` of a zip archive.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If the archive is damaged, or has no such member.
    """
    path = Path(validate.path("path", path))
    if member is None:
        return path.read_bytes()
    with opened(path) as archive:
        return read_member(archive, path, member)


def opened(path: Path) -> zipfile.ZipFile:
    """A zip archive."""
    with path.open("rb"):  # what the operating system says of a file that is not there
        pass
    with reading(path):
        archive = zipfile.ZipFile(path)
        if len(set(names := archive.namelist())) < len(names):
            raise ValueError("two of its files have one name")
        return archive


def read_member(archive: zipfile.ZipFile, path: Path, member: str) -> bytes:
    """The content of one file in an archive."""
    if not isinstance(member, str):
        raise TypeError(f"member must be the name of a file in {path}, not {member!r}")
    with reading(path):
        try:
            info = archive.getinfo(member)
        except KeyError:
            raise ValueError(f"it has no file {member!r}; some are {archive.namelist()[:3]}") from None
        if not believable(info.file_size, min(info.compress_size, os.path.getsize(path))):
            raise ValueError(f"{member!r} would unpack {info.compress_size} bytes to {info.file_size}")
        with archive.open(info) as stream:
            parts, size = list[bytes](), 0
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > info.file_size:
                    break
                parts.append(piece)
        if size != info.file_size:
            raise ValueError(f"{member!r} has not the {info.file_size} bytes that the archive says")
    return b"".join(parts)


def called(path: str | PathLike[str], member: str | None) -> str:
    """What messages call a file."""
    return str(path) if member is None else f"{path}: {member}"
