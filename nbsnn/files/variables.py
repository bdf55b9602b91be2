"""Variables and weights on disk, for runs too long to keep them in memory: a header, and rows appended as the run goes.

    header   24 bytes: "NBSNNVAR", version u32, order mark u32, bytes of the description u64
    JSON     the description: dt, every, first, dtype, columns, padded with spaces
    row      one number per column

Everything is little-endian, and the order mark is 0x01020304. ``columns`` lists what lies beside each other in a row:
owner, variable, how many numbers, and the units they belong to (null: all, in order). Row k belongs to the time
(first + k every) dt. "check" is the CRC-32 of the description without it; older files have none, and nothing is
checked. Rows survive the end of the process as ``nbsnn.files.append`` says.
"""

from __future__ import annotations

import json
import math
import struct
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import validate
from ..validate import count, instance, real, scale
from .append import MARK, Appended, create, head, understood
from .json_fields import fields, listed

Array = np.ndarray
Column = tuple[str, str, int, tuple[int, ...] | None]

FAR = 2**52
"""Steps that a row may lie from the beginning or from the next one."""
MOST = 2**32
"""Numbers that one owner may write into a row: a weight for each of its synapses."""

HEADER = struct.Struct("<8sIIQ")
MAGIC = b"NBSNNVAR"
VERSION = 1


@dataclass(frozen=True)
class Description:
    """Description of a file's rows.

    Attributes
    ----------
    dt : float, ms
        Time step.
    every, first : int
        Steps from one row to the next, and steps done at the first.
    dtype : str
        "<f4" or "<f8".
    columns : tuple of (owner, variable, count, units or None)
    """

    dt: float
    every: int
    first: int
    dtype: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        scale("dt", self.dt)
        count("every", self.every)
        count("first", self.first)
        if self.dtype not in ("<f4", "<f8"):
            raise ValueError(f"dtype must be '<f4' or '<f8', not {self.dtype!r}")
        if not self.columns:
            raise ValueError("columns must not be empty")
        if max(self.every, self.first) > FAR or not math.isfinite(float(self.dt) * FAR):
            span = f"{self.every} and {self.first} steps of {self.dt:g} ms"
            raise ValueError(f"every and first must be at most {FAR} steps, of which all times are finite, not {span}")
        if len({column[:2] for column in self.columns}) < len(self.columns):
            raise ValueError("columns must not have an owner's variable twice")
        for owner, name, numbers, units in self.columns:
            if not (isinstance(owner, str) and isinstance(name, str)):
                raise ValueError(f"owner and variable must be texts, not {owner!r} and {name!r}")
            if count(f"numbers of {owner}.{name}", numbers) > MOST:
                raise ValueError(f"numbers of {owner}.{name} must be at most {MOST}, not {numbers}")
            if units is None:
                continue
            if len(units) != numbers or len(set(units)) != numbers:
                raise ValueError(f"{owner}.{name} has {numbers} numbers for {len(set(units))} units")
            for unit in units:
                if count(f"a unit of {owner}.{name}", unit, least=0) >= MOST:
                    raise ValueError(f"{owner}.{name} must have units below {MOST}, not {unit}")

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(column[2] for column in self.columns)

    def bytes(self) -> bytes:
        """The head of a file."""
        text = json.dumps({**vars(self), "check": _check(vars(self))}).encode()
        text += b" " * (-len(text) % 8)  # so that rows are aligned
        return HEADER.pack(MAGIC, VERSION, MARK, len(text)) + text


class VariableWriter(Appended):
    """Appends rows to a file; ``nbsnn.Network.run`` does.

    Parameters
    ----------
    path : str or path
        A file that does not exist yet; ``VariableWriter.resume`` continues one.
    description : Description

    Raises
    ------
    FileExistsError
        If the file exists.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "run.variables")
    >>> with VariableWriter(path, Description(0.1, 10, 10, "<f4", (("cells", "v", 2, None),))) as writer:
    ...     writer.write([[1.0, 2.0], [3.0, 4.0]])
    >>> file = VariableFile(path)
    >>> file.times, file["cells", "v"][:, 1]
    (array([1., 2.]), memmap([2., 4.], dtype=float32))
    """

    def __init__(self, path: str | PathLike[str], description: Description):
        instance("description", description, Description, "a Description")
        path = create(path, description.bytes(), "VariableWriter.resume")
        self._open(path, VariableFile(path), 0)

    @classmethod
    def resume(cls, path: str | PathLike[str], step: int | None = None) -> VariableWriter:
        """Continue a file; a row that was cut short is removed.

        Parameters
        ----------
        path : str or path
        step : int, optional
            Steps done where the run is taken up again, for instance from a saved state: rows of later times are
            removed.
        """
        writer, file = cls.__new__(cls), VariableFile(path)
        rows = len(file)
        if step is not None:
            about = file.description
            rows = min(rows, max(0, (count("step", step, least=0) - about.first) // about.every + 1))
        writer._open(Path(path), file, rows)
        return writer

    def _open(self, path: Path, file: VariableFile, rows: int) -> None:
        self.description, self.rows, begin = file.description, rows, file.begin
        del file
        super().__init__(path, begin + rows * self.description.width * np.dtype(self.description.dtype).itemsize)

    @property
    def next(self) -> int:
        """Steps done at the time of the next row."""
        return self.description.first + self.rows * self.description.every

    def write(self, rows: ArrayLike) -> None:
        """Append rows [k, columns].

        Raises
        ------
        ValueError
            If they have another width, or the file is closed. Nothing is written then.
        OSError
            If the disk is full, say. The file then holds what it held before.
        """
        with np.errstate(over="ignore"):
            rows = real("rows", rows).astype(self.description.dtype)
        if rows.ndim != 2 or rows.shape[1] != self.description.width:
            raise ValueError(f"rows must have shape [rows, {self.description.width}], not {list(rows.shape)}")
        self.append(rows.tobytes())
        self.rows += len(rows)


class VariableFile:
    """The variables of a file, which stay on disk: only what is asked for is read.

    ``file["cells", "v"]`` is the array [rows, units] of a variable, ``file.units("cells", "v")`` says whose they are.

    Parameters
    ----------
    path : str or path

    Attributes
    ----------
    description : Description
    rows : float array [rows, columns]
        All columns, mapped into memory, read-only. What is written later is not seen.

    Raises
    ------
    ValueError
        If the file is of another kind, or its header is damaged.

    Examples
    --------
    >>> import tempfile, nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(), 3, name="cells")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = net.run(2.0, record={cells: {"v": [0, 2]}}, variables_to=f"{folder}/run.variables")
    ...     file = nbsnn.files.VariableFile(f"{folder}/run.variables")
    ...     file["cells", "v"].shape, file.units("cells", "v").tolist()
    ((4, 2), [0, 2])
    """

    def __init__(self, path: str | PathLike[str]):
        path = Path(validate.path("path", path))
        _, version, mark, size = head(path, HEADER, MAGIC, "variables")
        understood(path, mark, version, VERSION)
        if size > path.stat().st_size - HEADER.size:
            raise ValueError(f"{path} ends within its description, of {size} bytes")
        with path.open("rb") as file:
            file.seek(HEADER.size)
            text = file.read(size)
        self.description = _described(path, text)
        self.begin, dtype, width = HEADER.size + size, np.dtype(self.description.dtype), self.description.width
        whole = (path.stat().st_size - self.begin) // (width * dtype.itemsize)
        if self.description.first + whole * self.description.every > 2 * FAR:
            raise ValueError(f"{path} has a damaged description: its {whole} rows do not end")
        self.rows = np.empty((0, width), dtype)
        if whole:  # nothing cannot be mapped
            self.rows = np.memmap(path, dtype, "r", offset=self.begin, shape=(whole, width))

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def names(self) -> list[tuple[str, str]]:
        """Owner and variable of what the file holds."""
        return [(owner, name) for owner, name, _, _ in self.description.columns]

    @property
    def times(self) -> Array:
        """The time of each row, ms."""
        about = self.description
        return (about.first + np.arange(len(self)) * about.every) * about.dt

    def __getitem__(self, what: tuple[str, str]) -> Array:
        place, (_, _, numbers, _) = self._column(what)
        return self.rows[:, place : place + numbers]

    def units(self, owner: str, name: str) -> Array:
        """The units to which the numbers of a variable belong."""
        _, (_, _, numbers, units) = self._column((owner, name))
        return np.arange(numbers) if units is None else np.array(units)

    def _column(self, what: tuple[str, str]) -> tuple[int, tuple]:
        if not (isinstance(what, tuple) and all(isinstance(part, str) for part in what)):
            raise TypeError(f"owner and name must be texts, file['cells', 'v'], not {what!r}")
        place = 0
        for column in self.description.columns:
            if column[:2] == what:
                return place, column
            place += column[2]
        raise KeyError(f"{what} is not in this file, which holds {self.names}")


def _described(path: Path, text: bytes) -> Description:
    try:
        found = json.loads(text)
        types: dict[str, Any] = {"dt": float, "every": int, "first": int, "dtype": str, "columns": list}
        columns = [_column(column) for column in fields("it", found, types, {"check": int})["columns"]]
        check = found.pop("check", None)
        about = Description(**{**found, "dt": float(found["dt"]), "columns": tuple(columns)})
        if check not in (None, _check(found)):
            raise ValueError(f"its checksum is not {check}")
        return about
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} has a damaged description: {error}") from None


def _check(about: object) -> int:
    return zlib.crc32(json.dumps(about).encode())


def _column(given: object) -> tuple[str, str, int, tuple[int, ...] | None]:
    owner, name, numbers, units = listed("a column", given, object)
    return owner, name, numbers, None if units is None else tuple(listed("units", units, int))
