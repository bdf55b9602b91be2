"""Numba's cache of compiled kernels, in files that are checked before anything in them is run.

Numba unpickles what it finds and runs the machine code in it: a file that was cut short ends the process with an error
that names no file, and one with bent code kills it. Here every file begins with a checksum of its name and content; one
whose checksum does not fit is deleted, and what was in it is compiled anew.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

from numba.core.base import BaseContext
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.codegen import Codegen
from numba.core.runtime.nrt import rtsys
from numba.core.types import NamedTuple
from numba.core.typing.templates import Signature

MAGIC = b"NBSNNKER"
DIGEST = 16


class SealedCache(FunctionCache):
    """The cache of one kernel."""

    def __init__(self, function: FunctionType):
        super().__init__(function)
        self._name = function.__name__
        # A name that plain Numba never takes: its files have no checksum.
        base, stamp = f"{self._impl.filename_base}s", self._impl.locator.get_source_stamp()
        self._cache_file = SealedFiles(cache_path=self._cache_path, filename_base=base, source_stamp=stamp)

    def load_overload(self, sig: Signature, target_context: BaseContext) -> Any:
        """As Numba's; on a terminal, what is not there and takes seconds to compile is said to be.

        Numba's own first imports all that it can compile, SciPy's linear algebra included; what lies in a file needs
        the runtime alone.
        """
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            found = self._load_overload(sig, target_context)
        if found is None and sys.stderr is not None and sys.stderr.isatty():
            print(f"compiling {self._name} ..., once", file=sys.stderr, flush=True)
        return found

    def save_overload(self, sig: Signature, data: Any) -> None:
        """As Numba's; where a disk is full or another process has removed the folder, the kernel runs all the same."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            warnings.warn(f"kernel {self._name} is not kept for the next start: {error}", RuntimeWarning, stacklevel=2)

    def _index_key(self, sig: Signature, codegen: Codegen) -> tuple:
        """Types by name, and those of named tuples with their fields: a class that is gone, or has others, is not met.

        Numba's own key holds the types, so an index could not be read once a class in it has another name.
        """
        return repr(sig), tuple(fields(sig)), *super()._index_key(sig, codegen)[1:]


def fields(types: Any) -> Iterator[tuple]:
    """Module, name and fields of every named tuple in a signature or tuple of types."""
    for kind in types if isinstance(types, (tuple, list)) else getattr(types, "types", getattr(types, "args", ())):
        if isinstance(kind, NamedTuple):
            yield kind.instance_class.__module__, kind.instance_class.__qualname__, kind.fields
        yield from fields(kind)


class SealedFiles(IndexDataCacheFile):
    """An index, and one file for each signature."""

    def load(self, key: tuple) -> Any:
        """Entry of ``key``, or None."""
        name = self._load_index().get(key)
        content = None if name is None else self._unsealed(self._data_path(name))
        found = None if content is None else _unpickled(content)
        if found is None:
            return None
        kept, data = found
        return data if kept == repr(key) else None  # two processes that compile at once may take one name for two keys

    def save(self, key: tuple, data: Any) -> None:
        """Keep ``data`` for ``key``."""
        super().save(key, (repr(key), data))

    def _load_index(self) -> dict:
        content = self._unsealed(self._index_path)
        found = None if content is None else _unpickled(content)
        if found is None:
            return {}
        version, stamp, overloads = found
        return overloads if (version, stamp) == (self._version, self._source_stamp) else {}

    def _save_index(self, overloads: dict) -> None:
        self._seal(self._index_path, self._dump((self._version, self._source_stamp, overloads)))

    def _save_data(self, name: str, data: Any) -> None:
        self._seal(self._data_path(name), self._dump(data))

    def _seal(self, path: str, content: bytes) -> None:
        with self._open_for_write(path) as file:
            file.write(MAGIC + _digest(path, content))
            file.write(content)

    def _unsealed(self, path: str) -> bytes | None:
        """The content of a file; None if there is none, or if it was damaged and is gone now."""
        try:
            whole = Path(path).read_bytes()
        except OSError:  # not there, or not for us: the kernel is compiled
            return None
        begin = len(MAGIC) + DIGEST
        if whole[:begin] == MAGIC + _digest(path, whole[begin:]):
            return whole[begin:]
        with suppress(OSError):
            os.unlink(path)
        gone = "was damaged and is gone" if not os.path.exists(path) else "is damaged and cannot be deleted"
        warnings.warn(f"{path} {gone}: its kernel is compiled anew", RuntimeWarning, stacklevel=2)
        return None


def _unpickled(content: bytes) -> tuple | None:
    """What a file holds; None if it names what is no more: kernels of another version, which are compiled anew."""
    try:
        return pickle.loads(content)
    except (ImportError, AttributeError):
        return None


def _digest(path: str, content: bytes) -> bytes:
    return hashlib.blake2b(os.path.basename(path).encode() + b"\0" + content, digest_size=DIGEST).digest()
