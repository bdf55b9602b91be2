"""Spikes on disk, for runs too long to keep them in memory: a header, and records appended as the run goes.

    header   40 bytes: "NBSNNSPK", version u32, bytes per step u32, order mark u32, 0 u32, dt in ms f64, units i64
    record   step i32 (or i64), unit i32

Everything is little-endian, and the order mark is 0x01020304. Records are in the order of time, and survive the end of
the process as ``nbsnn.append`` says.
"""

from __future__ import annotations

import math
import struct
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from . import validate
from .append import MARK, Appended, create, head, understood
from .validate import count, number, switch

Array = np.ndarray

HEADER = struct.Struct("<8sIIIIdq")
MAGIC = b"NBSNNSPK"
VERSION = 1


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
        n, dt = count("n", n), number("dt", dt, above=0.0)
        if n > 2**31:
            raise ValueError(f"n must be at most 2**31, not {n}")
        header = HEADER.pack(MAGIC, VERSION, 8 if switch("long", long) else 4, MARK, 0, dt, n)
        path = create(path, header, "SpikeWriter.resume")
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
            file.records = file.records[: np.searchsorted(file.records["step"], count("step", step, least=0))]
        writer._open(Path(path), file)
        return writer

    def _open(self, path: Path, file: SpikeFile) -> None:
        """Continue after the records of ``file``."""
        self.n, self.dt, self.dtype = file.n, file.dt, file.records.dtype
        self.last = int(file.records["step"][-1]) if len(file) else 0
        size = HEADER.size + file.records.nbytes
        del file
        super().__init__(path, size)

    def write(self, steps: Any, units: Any) -> None:
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
        units = np.asarray(units)
        units = units if units.size else units.astype(np.int32)
        steps = np.asarray(steps)
        steps = np.broadcast_to(steps, units.shape) if steps.ndim == 0 else steps
        if not units.size and not steps.size:
            return
        if units.ndim != 1 or units.shape != steps.shape:
            shapes = f"{list(steps.shape)} and {list(units.shape)}"
            raise ValueError(f"steps and units must be lists of one length, not of shapes {shapes}")
        if steps.dtype.kind not in "iu" or units.dtype.kind not in "iu":
            raise TypeError(f"steps and units must be integers, not {steps.dtype} and {units.dtype}")
        if units.min() < 0 or units.max() >= self.n:
            raise ValueError(f"units must be from 0 to {self.n - 1}, but span {units.min()} to {units.max()}")
        if steps[0] < self.last or (steps[1:] < steps[:-1]).any():
            raise ValueError(f"steps must ascend from the last one written, {self.last}")
        if steps[-1] > np.iinfo(self.dtype["step"]).max:
            raise ValueError(f"step {steps[-1]} does not fit in four bytes: open the writer with long=True")
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
    """

    def __init__(self, path: str | PathLike[str]):
        path = Path(validate.path("path", path))
        _, version, step_bytes, mark, _, dt, n = head(path, HEADER, MAGIC, "spikes")
        understood(path, mark, version, VERSION)
        if step_bytes not in (4, 8) or not (0.0 < dt < math.inf) or not 1 <= n <= 2**31:
            raise ValueError(f"{path} has a damaged header: {step_bytes} bytes per step, dt = {dt:g} ms, {n} units")
        self.n, self.dt, dtype = n, dt, _record(step_bytes)
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
            If ``start`` exceeds ``stop``, or is NaN.
        """
        start = start if isinstance(start, float) and start == -math.inf else number("start", start)
        stop = stop if isinstance(stop, float) and stop == math.inf else number("stop", stop)
        if not start <= stop:
            raise ValueError(f"start must not exceed stop, not {start:g} and {stop:g} ms")
        # Step k lies at k dt; the edges are moved down by a little, so that rounding does not push a spike over them.
        edges = (edge if math.isinf(edge) else math.ceil(edge / self.dt * (1.0 - 1e-12)) for edge in (start, stop))
        first, end = np.searchsorted(self.records["step"], np.array(list(edges)))
        part = self.records[first:end]
        return np.array(part["step"]) * self.dt, np.array(part["unit"], np.int32)
