"""Spikes on disk, for runs too long to keep them in memory: a header, and records appended as the run goes.

    header   40 bytes: "NBSNNSPK", version u32, bytes per step u32, order mark u32, check u32, dt in ms f64, units i64
    record   step i32 (or i64), unit i32

Everything is little-endian, and the order mark is 0x01020304. The check is the CRC-32 of the header with 0 in its
place; in files that are older than the check it is 0, and nothing is checked. Records are in the order of time, and
survive the end of the process as ``nbsnn.files.append`` says.
"""

from __future__ import annotations

import math
import struct
import zlib
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import validate
from ..scalar.times import edge
from ..validate import count, number, real, scale, switch
from .append import MARK, Appended, create, head, understood

Array = np.ndarray

HEADER = struct.Struct("<8sIIIIdq")
MAGIC = b"NBSNNSPK"
VERSION = 1

PIECE = 2**20
"""Records that are looked at together."""


def _header(magic: bytes, version: int, step_bytes: int, mark: int, dt: float, n: int, check: int = 0) -> bytes:
    return HEADER.pack(magic, version, step_bytes, mark, check, dt, n)


def _check(*fields: Any) -> int:
    """The CRC-32 of a header; 1 in place of 0, which stands for none."""
    return zlib.crc32(_header(*fields)) or 1


def _record(step_bytes: int) -> np.dtype:
    return np.dtype([("step", f"<i{step_bytes}"), ("unit", "<i4")])


class SpikeWriter(Appended):
    """Appends spikes to a file.

    Parameters
    ----------
    path : str or path
        A file that does not exist yet; ``SpikeWriter.resume`` continues one.
    n : int
        Number of units.
    dt : float
        Time step in ms.
    long : bool
        Whether steps are stored in eight bytes instead of four, which end after 2^31 steps (2.5 days of 0.1 ms).

    Raises
    ------
    FileExistsError
        If the file exists.

    Examples
    --------
    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "run.spikes")
    >>> with SpikeWriter(path, n=10, dt=0.1) as writer:
    ...     writer.write([0, 5], [3, 9])
    >>> SpikeFile(path).spikes()
    (array([0. , 0.5]), array([3, 9], dtype=int32))
    """

    def __init__(self, path: str | PathLike[str], n: int, dt: float, *, long: bool = False):
        n, dt = count("n", n), scale("dt", dt)
        if n > 2**31:
            raise ValueError(f"n must be at most 2**31, not {n}")
        fields = MAGIC, VERSION, 8 if switch("long", long) else 4, MARK, dt, n
        path = create(path, _header(*fields, check=_check(*fields)), "SpikeWriter.resume")
        self._open(path, SpikeFile(path))

    @classmethod
    def resume(cls, path: str | PathLike[str], step: int | None = None) -> SpikeWriter:
        """Continue a file; a record that was cut short is removed.

        Parameters
        ----------
        path : str or path
        step : int, optional
            Where the run is taken up again, for instance from a saved state: records from this step on are removed.
        """
        writer = cls.__new__(cls)
        file = SpikeFile(path)
        if step is not None:
            file.records = file.records[: file.find(count("step", step, least=0))]
        writer._open(Path(path), file)
        return writer

    def _open(self, path: Path, file: SpikeFile) -> None:
        """Continue after the records of ``file``."""
        self.n, self.dt, self.dtype = file.n, file.dt, file.records.dtype
        file.checked(max(0, len(file) - 1), len(file))
        self.last = int(file.records["step"][-1]) if len(file) else 0
        size = HEADER.size + file.records.nbytes
        del file
        super().__init__(path, size)

    def write(self, steps: ArrayLike, units: ArrayLike) -> None:
        """Append spikes.

        Parameters
        ----------
        steps : int or int array [spikes]
            Time steps, ascending, none before the last one written; or one step for all.
        units : int array [spikes]

        Raises
        ------
        TypeError, ValueError
            If these are not integers of one length, in order and in range. Nothing is written then.
        OSError
            If the disk is full, say. The file then holds what it held before.
        """
        if self.handle.closed:
            raise ValueError(f"{self.path} is closed")
        units, steps = real("units", units), real("steps", steps)
        units, steps = (a if a.size else a.astype(np.int32) for a in (units, steps))
        steps = np.broadcast_to(steps, units.shape) if steps.ndim == 0 else steps
        if units.ndim != 1 or units.shape != steps.shape:
            shapes = f"{list(steps.shape)} and {list(units.shape)}"
            raise ValueError(f"steps and units must be lists of one length, not of shapes {shapes}")
        if steps.dtype.kind not in "iu" or units.dtype.kind not in "iu":
            raise TypeError(f"steps and units must be integers, not {steps.dtype} and {units.dtype}")
        if not units.size:
            return
        if units.min() < 0 or units.max() >= self.n:
            raise ValueError(f"units must be from 0 to {self.n - 1}, but span {units.min()} to {units.max()}")
        if steps[0] < self.last or (steps[1:] < steps[:-1]).any():
            raise ValueError(f"steps must ascend from the last one written, {self.last}")
        if steps[-1] > np.iinfo(self.dtype["step"]).max:
            raise ValueError(f"steps: {steps[-1]} does not fit in four bytes: open the writer with long=True")
        chunk = np.empty(len(units), self.dtype)
        chunk["step"], chunk["unit"] = steps, units
        self.append(chunk.tobytes())
        self.last = int(steps[-1])


class SpikeFile:
    """The spikes of a file, which stays on disk: only what is asked for is read.

    Parameters
    ----------
    path : str or path

    Attributes
    ----------
    n : int
        Number of units.
    dt : float
        Time step in ms.
    records : structured array [spikes]
        Fields "step" and "unit", mapped into memory, read-only. What is written later is not seen.

    Raises
    ------
    ValueError
        If the file is of another kind, or its header is damaged.

    Examples
    --------
    >>> import tempfile, nbsnn
    >>> net = nbsnn.Network(dt=0.1, device="python")
    >>> source = net.spikes(times=[1.0, 2.0], units=[0, 1], n=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = net.run(5.0, record={source: "spikes"}, to=f"{folder}/run.spikes")
    ...     file = nbsnn.files.SpikeFile(f"{folder}/run.spikes")
    ...     file.n, file.dt, file.records["unit"].tolist()
    (2, 0.1, [0, 1])
    """

    def __init__(self, path: str | PathLike[str]):
        path = Path(validate.path("path", path))
        magic, version, step_bytes, mark, check, dt, n = head(path, HEADER, MAGIC, "spikes")
        understood(path, mark, version, VERSION)
        right = check in (0, _check(magic, version, step_bytes, mark, dt, n))
        if not right or step_bytes not in (4, 8) or not (0.0 < dt < math.inf) or not 1 <= n <= 2**31:
            raise ValueError(f"{path} has a damaged header: {step_bytes} bytes per step, dt = {dt:g} ms, {n} units")
        self.path, self.n, self.dt, dtype = path, n, dt, _record(step_bytes)
        whole = (path.stat().st_size - HEADER.size) // dtype.itemsize
        self.records = np.empty(0, dtype)
        if whole:  # nothing cannot be mapped
            self.records = np.memmap(path, dtype, "r", offset=HEADER.size, shape=(whole,))

    def __len__(self) -> int:
        return len(self.records)

    def spikes(self, start: float = 0.0, stop: float = math.inf) -> tuple[Array, Array]:
        """The spikes with ``start <= time < stop``: times in ms, float64, and units, int32.

        Raises
        ------
        ValueError
            If ``start`` exceeds ``stop``, or is NaN; if a record among them cannot be: of a unit that there is not, or
            of an earlier step than the one before it.
        """
        start = start if isinstance(start, float) and start == -math.inf else number("start", start)
        stop = stop if isinstance(stop, float) and stop == math.inf else number("stop", stop)
        if not start <= stop:
            raise ValueError(f"start must not exceed stop, not {start:g} and {stop:g} ms")
        # Step k lies at k dt.
        edges = (time if math.isinf(time) else math.ceil(edge(time) / self.dt) for time in (start, stop))
        first, end = (self.find(step) for step in edges)
        steps, units = self.checked(first, end)
        return steps * self.dt, units

    def find(self, step: float) -> int:
        """The number of the first record that is not before ``step``."""
        place = int(np.searchsorted(self.records["step"], step))
        # Where a damaged record has misled the search, it lies beside the place that was found.
        self.checked(max(0, place - 2), min(len(self), place + 2))
        return place

    def checked(self, first: int, end: int) -> tuple[Array, Array]:
        """Steps and units of the records [first, end), copied; ``ValueError`` if one of them cannot be."""
        part = self.records[first:end]
        steps, units = np.array(part["step"]), np.array(part["unit"], np.int32)
        last = self.records["step"][first - 1] if first else 0
        for place in range(0, len(steps), PIECE):
            piece = slice(place, place + PIECE)
            before = np.concatenate([steps.dtype.type([last]), steps[piece][:-1]])
            wrong = (units[piece] < 0) | (units[piece] >= self.n) | (steps[piece] < before)
            if wrong.any():
                k = int(wrong.argmax())
                raise ValueError(
                    f"{self.path} is damaged: record {first + place + k} is step {steps[place + k]}, unit "
                    f"{units[place + k]}, after step {before[k]}; units are from 0 to {self.n - 1}"
                )
            last = steps[piece][-1]
        return steps, units
