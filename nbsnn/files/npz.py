"""Arrays of an ``.npz`` file, read with suspicion.

A file may be cut, bent, or made to do harm. So nothing is unpickled; an entry is unpacked only when it is asked for,
and only if its size is what its header says, what is wanted, and no more than a file of this length can hold. Whatever
is wrong ends in a ``ValueError`` that has the path.
"""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import IO, Any, NamedTuple

import numpy as np

Array = np.ndarray

TEXT = 2**27
"""Bytes of the longest text that is read."""
PLAIN, RATIO = 2**26, 64
"""Bytes up to which packed data may unpack to any multiple of themselves, and the multiple beyond."""
PIECE = 2**22

LONGEST = 2**12
HEADER = re.compile(
    r"\{'descr': '(?P<dtype>[<>|=]?[fiubU]\d{1,9})', 'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>[\d, ]*)\), ?\}\s*"
)
"""How NumPy and others write the head of an array of numbers or texts."""


class Stream(NamedTuple):
    """An array of one dimension to be written, of which there is only a part at a time."""

    dtype: np.dtype
    count: int
    parts: Iterator[Array]


def write_entries(file: IO[bytes], arrays: Mapping[str, Array | Stream]) -> None:
    """Write arrays as ``np.savez`` does."""
    with zipfile.ZipFile(file, "w") as zipped:
        for name, array in arrays.items():
            with zipped.open(f"{name}.npy", "w", force_zip64=True) as stream:
                if not isinstance(array, Stream):
                    np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
                    continue
                head = {"descr": array.dtype.str, "fortran_order": False, "shape": (array.count,)}
                np.lib.format.write_array_header_1_0(stream, head)
                for part in array.parts:
                    stream.write(np.ascontiguousarray(part).view(np.uint8).data)


@contextmanager
def reading(path: object) -> Iterator[None]:
    """Whatever is raised within becomes a ``ValueError`` that says that ``path`` is damaged, unless it has the path."""
    try:
        yield
    except Exception as error:
        if type(error) is ValueError and str(error).startswith(str(path)):
            raise
        said = str(error).strip("\"'") or type(error).__name__
        raise ValueError(f"{path} is damaged: {said if len(said) < 400 else said[:400] + ' ...'}") from error


def believable(unpacked: int, packed: int) -> bool:
    """True unless few packed bytes would become very many."""
    return unpacked <= max(PLAIN, RATIO * packed)


class Entries(Mapping[str, Array]):
    """The arrays of a file, by name; each is read when it is asked for.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no .npz file, or an entry is damaged.
    """

    def __init__(self, path: str | PathLike[str]):
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self._size = os.path.getsize(path)
        except (FileNotFoundError, PermissionError, IsADirectoryError):
            raise
        except Exception as error:
            kind = "it is damaged, or of another kind"
            raise ValueError(f"{path} is not a readable .npz file: {kind} ({error})") from None
        with reading(path):
            names = self._zip.namelist()
            if twice := _twice(names):
                raise ValueError(f"it has {twice[0]!r} twice")
            self._infos = {i.filename[:-4]: i for i in self._zip.infolist() if i.filename.endswith(".npy")}

    def __getitem__(self, name: str) -> Array:
        if name not in self._infos:
            raise KeyError(name)
        return self.array(name)

    def __contains__(self, name: object) -> bool:
        return name in self._infos

    def __iter__(self) -> Iterator[str]:
        return iter(self._infos)

    def __len__(self) -> int:
        return len(self._infos)

    def array(self, name: str, kinds: str = "fiubU", shape: tuple[int, ...] | None = None, most: int = 2**62) -> Array:
        """One array, in native byte order, writable.

        Parameters
        ----------
        name : str
        kinds : str
            The kinds of dtype that are allowed; of "f", only float32 and float64.
        shape : tuple of int, optional
            What it must have.
        most : int
            Bytes that it may have.
        """
        with reading(self.path):
            info = self._infos.get(name)
            if info is None:
                raise ValueError(f"it has no entry {name!r}, only {sorted(self._infos)[:5]}")
            try:
                return self._read(info, kinds, shape, most)
            except Exception as error:
                raise ValueError(f"{name}: {error}") from error

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an entry, of which nothing else is read."""
        with reading(self.path), self._zip.open(self._infos[name]) as stream:
            return _header(stream)[0]

    def text(self, name: str) -> str:
        """An entry that is one text."""
        array = self.array(name, "U", (), TEXT)
        with reading(self.path):
            return str(array)

    def description(self, name: str) -> Any:
        """Content of an entry's JSON text; duplicate names are refused."""
        text = self.text(name)
        with reading(self.path):
            try:
                return json.loads(text, object_pairs_hook=_once)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{name} is not the text that it should be: {error}") from error

    def whole(self, name: str, least: int = 0, most: int = 2**53) -> int:
        """An entry that is one integer."""
        found = int(self.array(name, "iu", ()))
        if not least <= found <= most:
            raise ValueError(f"{self.path} is damaged: {name} must be from {least} to {most}, not {found}")
        return found

    @contextmanager
    def pieces(self, name: str, dtype: np.dtype, count: int) -> Iterator[Callable[[int], Array]]:
        """A function that reads the next n of an entry's ``count`` numbers; all must be read."""
        info = self._infos[name]
        with reading(self.path), self._opened(info, dtype.kind, (count,), 2**62) as (stream, _, _, found):
            if found.newbyteorder("=") != dtype:
                raise ValueError(f"{name} holds {found}, not {dtype}")
            yield lambda n: _taken(stream, n * dtype.itemsize).view(found).astype(dtype, copy=False)

    def _read(self, info: zipfile.ZipInfo, kinds: str, wanted: tuple[int, ...] | None, most: int) -> Array:
        with self._opened(info, kinds, wanted, most) as (stream, shape, fortran, dtype):
            raw = _taken(stream, math.prod(shape) * dtype.itemsize)
        array = raw.view(dtype).astype(dtype.newbyteorder("="), copy=False)
        return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)

    @contextmanager
    def _opened(
        self, info: zipfile.ZipInfo, kinds: str, wanted: tuple[int, ...] | None, most: int
    ) -> Iterator[tuple[IO[bytes], tuple[int, ...], bool, np.dtype]]:
        """An entry where its numbers begin, with its shape, order and dtype; they must be read to their end."""
        packed = info.compress_type == zipfile.ZIP_DEFLATED
        if not packed and (info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size):
            raise ValueError("it is neither stored nor deflated")
        if info.compress_size > self._size or not believable(info.file_size, info.compress_size):
            raise ValueError(f"it cannot be {info.file_size} bytes in a file of {self._size}")
        with self._zip.open(info) as stream:
            shape, fortran, dtype = _header(stream)
            if dtype.kind not in kinds or (dtype.kind == "f" and dtype.itemsize not in (4, 8)):
                raise ValueError(f"it holds {dtype}, which is not among what is wanted, {_words(kinds)}")
            if wanted is not None and shape != wanted:
                raise ValueError(f"it has shape {list(shape)}, not {list(wanted)}")
            count = math.prod(shape) * dtype.itemsize
            if stream.tell() + count != info.file_size:
                raise ValueError(f"{count} bytes of {dtype} {list(shape)} are not the rest of {info.file_size}")
            if count > most:
                raise ValueError(f"it has {count} bytes; at most {most} are expected")
            yield stream, shape, fortran, dtype
            if stream.read(1):  # also compares the checksum
                raise ValueError("it is longer than it says")


def _taken(stream: IO[bytes], count: int) -> Array:
    """The next ``count`` bytes."""
    raw = np.empty(count, np.uint8)
    view: Any = raw.data
    for place in range(0, count, PIECE):
        wanted = min(PIECE, count - place)
        piece = stream.read(wanted)
        if len(piece) < wanted:
            raise ValueError(f"it ends after {place + len(piece)} of {count} bytes")
        view[place : place + wanted] = piece
    return raw


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and dtype from the head of a .npy stream."""
    begin = stream.read(10)
    if begin[:8] == b"\x93NUMPY\x02\x00":
        length = int.from_bytes(begin[8:] + stream.read(2), "little")
    elif begin[:8] == b"\x93NUMPY\x01\x00" and len(begin) == 10:
        length = int.from_bytes(begin[8:], "little")
    else:
        raise ValueError(f"it begins with {begin[:8]!r}, not as an array does")
    said = stream.read(min(length, LONGEST)).decode("latin1")
    match = HEADER.fullmatch(said) if len(said) == length else None
    lengths = match["shape"].replace(" ", "").removesuffix(",") if match else ""
    shape = tuple(int(n) for n in lengths.split(",")) if lengths else ()
    if match is None or len(shape) > 32:
        raise ValueError(f"it is no plain array: {said[:80]!r}")
    return shape, match["fortran"] == "True", np.dtype(match["dtype"])


def _words(kinds: Collection[str]) -> str:
    words = {"f": "float32 or float64", "i": "integers", "u": "unsigned integers", "b": "bool", "U": "text"}
    return ", ".join(words[kind] for kind in kinds)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"{_twice([name for name, _ in pairs])[0]!r} stands twice in one object")
    return found


def _twice(names: list[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
