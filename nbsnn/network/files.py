"""The files into which a run writes what it records: spikes, and variables with weights."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..files.spikes import SpikeFile, SpikeWriter
from ..files.variables import Column, Description, VariableFile, VariableWriter
from ..ranks import Alone
from ..validate import path
from .home import Home

Array = np.ndarray


class Files:
    """The files of one run, opened; a path makes a new one, a writer continues where it is and stays open."""

    def __init__(
        self, network: Home, to: str | PathLike[str] | SpikeWriter | None,
        variables_to: str | PathLike[str] | VariableWriter | None, columns: list[Column], interval: int, start: int,
        end: int,
    ):  # fmt: skip
        self.columns, self.own = tuple(columns), list[VariableWriter | SpikeWriter]()
        self.spikes: Any = None
        self.variables: Any = None if variables_to is None else self._variables(network, variables_to, interval, start)
        try:
            self.spikes = None if to is None else self._spikes(network, to, start, end)
        except BaseException:
            self.discard()
            raise
        self._first_row = self.variables.rows if self.variables else 0
        self._first_spike = len(SpikeFile(self.spikes.path)) if self.spikes else 0

    def _variables(self, network: Home, to: str | PathLike[str] | VariableWriter, interval: int, start: int) -> Any:
        if not self.columns:
            raise ValueError(
                'variables_to needs variables or weights to write: record={cells: "v"}, say, not spikes alone'
            )
        first = (start // interval + 1) * interval
        dtype = network.dtype.newbyteorder("<").str
        wanted = Description(network.dt, interval, first, dtype, self.columns)
        if not isinstance(to, VariableWriter):
            self.own.append(made := VariableWriter(path("variables_to", to), wanted))
            return made
        for field in ("dt", "every", "dtype", "columns"):
            there, here = getattr(to.description, field), getattr(wanted, field)
            if there != here:
                raise ValueError(f"{to.path} was begun with {field} = {there}, which this run cannot go on: {here}")
        if to.next != first:
            raise ValueError(f"the next row of {to.path} is that after {to.next} steps, that of this run after {first}")
        return to

    def _spikes(self, network: Home, to: str | PathLike[str] | SpikeWriter, start: int, end: int) -> Any:
        if not isinstance(to, SpikeWriter):
            self.own.append(made := SpikeWriter(path("to", to), dt=network.dt, n=network.units, long=end >= 2**31))
            return made
        if end >= 2**31 and to.dtype["step"].itemsize < 8:
            raise ValueError(
                f"{to.path} holds steps below 2^31, but this run ends at step {end}: SpikeWriter(long=True) holds more"
            )
        if (to.dt, to.n) != (network.dt, network.units):
            here = f"{network.units} and {network.dt:g} ms"
            raise ValueError(f"{to.path} was begun with {to.n} units and dt = {to.dt:g} ms, not {here}")
        if to.last > start:
            raise ValueError(f"{to.path} holds spikes up to step {to.last}, but this run begins at step {start}")
        return to

    def seen(self) -> tuple[Path | None, Path | None, int, int]:
        """Paths of spikes and variables, and where this run begins in them."""
        spikes, variables = (w and Path(w.path).resolve() for w in (self.spikes, self.variables))
        return spikes, variables, self._first_spike, self._first_row

    def spike(self, steps: Array, units: Array) -> None:
        """Write spikes. In the file, a spike's step is that at whose beginning it is over: its time is step dt."""
        self.spikes.write(steps + 1, units)

    def row(self, variables: list[Array], weights: list[Array]) -> None:
        """Write a row: the variables' part, if there are any, and weights."""
        self.variables.write(np.concatenate([*variables, *(part[None] for part in weights)], axis=1))

    def written_rows(self) -> Array:
        """The rows of this run [rows, columns], which stay in the file."""
        return VariableFile(self.variables.path).rows[self._first_row :]

    def written_spikes(self) -> tuple[Array, Array]:
        """Steps at whose beginning the spikes of this run are over, and units; they stay in the file."""
        records = SpikeFile(self.spikes.path).records[self._first_spike :]
        return records["step"], records["unit"]

    def discard(self) -> None:
        """Remove the files that were opened here: they are of no use."""
        self.close()
        for writer in self.own:
            writer.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files that were opened here."""
        for writer in self.own:
            writer.close()


class Elsewhere:
    """A file that another rank writes."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, *parts: Array) -> None:
        """Leave it to the other."""


class FilesOfFirst(Files):
    """The files that the first rank writes, which another reads at the end."""

    def __init__(self, columns: list[Column], seen: tuple[Path | None, Path | None, int, int]):
        self.columns, self.own = tuple(columns), list[VariableWriter | SpikeWriter]()
        self.spikes, self.variables = (None if path is None else Elsewhere(path) for path in seen[:2])
        self._first_spike, self._first_row = seen[2:]


def opened(ranks: Alone, make: Callable[[], Files], columns: list[Column]) -> Files:
    """The files that the first rank opens, as each rank sees them.

    Raises
    ------
    FileNotFoundError
        If a rank does not see them. They are removed then.
    """
    files = ranks.first(make)
    seen = ranks.every(files.seen() if files else None)[0]
    assert seen is not None  # the first rank has them, or has raised
    files = files or FilesOfFirst(columns, seen)
    places = [place for place in seen[:2] if place is not None]
    for rank, hidden in enumerate(ranks.every([place for place in places if not place.exists()])):
        if hidden:
            files.discard()
            raise FileNotFoundError(
                f"rank {rank} does not see {hidden[0]}, which the first rank writes: files need a place that all share"
            )
    return files
