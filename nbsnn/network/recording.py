"""Recording: what to record of a run, and the result: spikes, variables of chosen units, weights."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from importlib import import_module
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import statistics
from ..files.csv import write_csv
from ..kernels.network import tables as at
from ..validate import number, real
from .cast import Cast
from .connection import Connection
from .files import Files
from .group import Group, Section
from .home import Home
from .loop import Loop, Tape
from .sealed import Sealed

Array = np.ndarray


class RecordRequest:
    """Request of what a run records."""

    def __init__(self, network: Home, record: Mapping[Any, Any] | None):
        self.spikes: list[Group | Section] = [group for group in network.groups if group.spiking and record is None]
        self.variables: list[tuple[Group | Section, str, Array]] = []
        self.weights: list[Connection] = []
        if record is not None and not isinstance(record, Mapping):
            raise TypeError(
                f'record must say what of whom: {{cells: ["spikes", "v"], connection: "weight"}}, not {record!r}'
            )
        for owner, names in (record or {}).items():
            if not isinstance(names, (str, list, tuple, set, Mapping)) or not all(
                isinstance(n, str) for n in _names(names)
            ):
                raise TypeError(f'record: what to record must be names, ["spikes", "v"] say, not {names!r}')
            if isinstance(owner, Connection):
                self._connection(network, owner, names)
                continue
            owner = network.owner(owner, "record")
            for name in _names(names):
                chosen = names[name] if isinstance(names, Mapping) else None
                if name == "spikes":
                    if not owner.group.spiking:
                        raise ValueError(f"{owner!r} is a readout, which emits no spikes: record its variables")
                    if chosen is not None:
                        raise ValueError(
                            f"spikes of {owner.name} are recorded of all units, or of a section, not of {chosen!r}"
                        )
                    self.spikes.append(owner)
                else:
                    network.place(owner.group, name)
                    self.variables.append((owner, name, _units(owner, name, chosen)))

    def _connection(self, network: Home, connection: Connection, names: Any) -> None:
        if connection not in network.connections:
            raise KeyError(f"this network has no connection {connection!r}")
        for name in _names(names):
            if name != "weight" or not connection.own_weights:
                raise KeyError(
                    f"of {connection.name} weights can be recorded if each synapse has its own, not {name!r}"
                )
            self.weights.append(connection)

    @property
    def columns(self) -> list[tuple]:
        """Owner, name, number and choice of units for all that a file of variables holds."""
        columns = [
            (owner.name, name, len(units), None if len(units) == owner.n else tuple(units.tolist()))
            for owner, name, units in self.variables
        ]
        return columns + [(c.name, "weight", c.network.layout.shares.count(c), None) for c in self.weights]

    def tape(self, network: Home, loop: Loop, every: int, files: Files | None, ears: list[list]) -> Tape:
        """Room for what the loop records; all spikes go to the ``ears``."""
        columns = [np.zeros((4, 0), np.int64)]
        for owner, name, chosen in self.variables:
            group, units = owner.group, chosen + owner.lo
            place = network.place(group, name)[0] + units
            columns.append(np.stack(np.broadcast_arrays(place, units, network.first(group), group.n)))
        whole = [owner.group for owner in self.spikes]
        for group in network.groups:
            loop.layout.pops[group.index, at.RECORDED] = group in whole or (bool(ears) and group.spiking)
        places, owners, firsts, sizes = np.concatenate(columns, axis=1)
        tape = loop.tape(places, owners, firsts, sizes, every, network.dtype)
        tape.clock, tape.ears = network.clock, ears
        if any(isinstance(owner, Section) for owner in self.spikes) or ears:
            tape.kept = np.zeros(network.units, bool)
            for owner in self.spikes:
                first = network.first(owner.group) + owner.lo
                tape.kept[first : first + owner.n] = True
        if files and files.spikes:
            tape.sink = files.spike
        if files and files.variables and not self.weights:  # else a row is complete once weights have been read
            tape.keep = files.variables.write
        return tape


class Recording(Sealed):
    """Recording of a run.

    ``recording[group]`` or ``recording.spikes(group)`` are spikes as (times, units); ``recording[group, "v"]`` is the
    array of a variable at ``recording.times``; ``recording[connection, "weight"]`` that of weights. What a run has
    written to files is read from there when it is asked for.

    Attributes
    ----------
    duration, start : float, ms
        Length of the run, and the network's time at which it began.
    times : float array
        Times of recorded variables, ms.
    seconds : float
        How long the run took, without building and compiling.
    heard : list of Group or Section
        Whose spikes were recorded.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> source = net.spikes(times=[1.0], units=[0], n=1)
    >>> cell = net.population(nbsnn.neurons.LIF(tau=10.0), 1)
    >>> synapse = net.connect(source, cell, nbsnn.AllToAll(), weight=2.0, delay=0.5)
    >>> run = net.run(3.0, record={cell: {"spikes": None, "v": [0]}})
    >>> run.spikes(cell)[0].tolist(), run[cell, "v"].shape, run.times[-1].item()
    ([1.5], (6, 1), 3.0)
    """

    network: Home
    dt: float
    start: float
    duration: float
    seconds: float
    times: Array
    variables: dict[tuple[Any, str], Array]
    units: dict[tuple[Any, str], Array]
    heard: list[Group | Section]
    _step: Array
    _unit: Array

    def __init__(
        self, network: Home, request: RecordRequest, tape: Tape, files: Files | None, weights: list[list[Array]],
        start: int, steps: int, interval: int, seconds: float,
    ):  # fmt: skip
        dt, step, unit = network.dt, np.zeros(0, np.int32), np.zeros(0, np.int32)
        if files and files.spikes:
            step, unit = files.written_spikes()
        elif tape.spikes:
            step, unit = (np.concatenate(parts) for parts in zip(*tape.spikes, strict=True))
            step += 1  # steps done when it is over
        rows = np.concatenate([np.zeros((0, len(tape.places)), tape.dtype), *tape.rows])
        in_file = bool(files and files.variables)
        if files and in_file:
            rows = files.written_rows()
        variables, chosen, column = {}, {}, 0
        for group, name, units in request.variables:
            variables[group, name], chosen[group, name] = rows[:, column : column + len(units)], units
            column += len(units)
        for connection, kept in zip(request.weights, weights, strict=True):
            count = network.layout.shares.count(connection)
            variables[connection, "weight"] = rows[:, column : column + count] if in_file else np.array(kept)
            column += count
        count = max([len(rows), *map(len, weights)])
        times = (start // interval + 1 + np.arange(count)) * interval * dt
        self.__dict__.update(
            network=network, dt=dt, start=start * dt, duration=steps * dt, seconds=seconds, times=times,
            variables=variables, units=chosen, heard=request.spikes, _step=step, _unit=unit,
            _sealed=type(self) is Recording,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        cast = Cast(self.network)
        of = cast.counterpart
        kept: dict[str, Any] = {"network": cast, "heard": [of(owner) for owner in self.heard]}
        for name in ("variables", "units"):
            kept[name] = {(of(owner), what): np.array(a) for (owner, what), a in getattr(self, name).items()}
        return {**self.__dict__, **kept, "_step": np.array(self._step), "_unit": np.array(self._unit)}

    def __repr__(self) -> str:
        kept = ", ".join(f"{owner.name}.{name}" for owner, name in self.variables)
        return f"Recording({self.duration:g} ms, {len(self._step)} spikes{', ' + kept if kept else ''})"

    def spikes(self, group: Group | Section | str | None = None) -> tuple[Array, Array]:
        """Spikes of a group, of a section of one, or of the whole network: times in ms, ascending, and units.

        A spike's time is the end of the step in which it was fired. In the whole network, units are counted through in
        the order in which populations were made.
        """
        step, unit = self._step, self._unit
        if group is not None:
            section = self.network.section(group)
            first = self.network.first(section.group) + section.lo
            mine = (unit >= first) & (unit < first + section.n)
            step, unit = step[mine], unit[mine] - first
        return step.astype(np.float64) * self.dt, np.array(unit)

    def __getitem__(self, what: Any) -> Any:
        if isinstance(what, tuple):
            if len(what) != 2 or not isinstance(what[1], str):
                raise KeyError(f"recording[group, 'v'] is a recorded variable; {what!r} is none")
            owner, name = what
            if isinstance(self.network, Cast):
                owner = self.network.counterpart(owner)
            elif isinstance(owner, str):
                owner = self.network.owner(owner)
            if not isinstance(owner, Hashable) or (owner, name) not in self.variables:
                known = [f"{o.name}.{n}" for o, n in self.variables]
                raise KeyError(f"{getattr(owner, 'name', owner)}.{name} was not recorded; recorded were {known}")
            return self.variables[owner, name]
        return self.spikes(what)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.variables)

    def rate(self, group: Group | Section | str | None = None) -> float:
        """Mean rate in Hz."""
        n = self.network.units if group is None else self.network.section(group).n
        return len(self.spikes(group)[0]) / n / (self.duration / 1000.0)

    def cv(self, group: Group | Section | str | None = None, start: float = 0.0) -> float:
        """Coefficient of variation of inter-spike intervals, from ``start`` ms of the run on.

        The mean over units with four spikes or more; NaN if there are none, as in a silent network.
        """
        if not 0.0 <= number("start", start) < self.duration:
            raise ValueError(f"start must be within the run of {self.duration:g} ms, not {start!r}")
        times, units = self.spikes(group)
        n = self.network.units if group is None else self.network.section(group).n
        values = statistics.cv_per_unit(times, units, n, start=self.start + start)
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else math.nan

    def to_csv(self, path: str | PathLike[str], group: Group | Section | str | None = None) -> None:
        """Write spikes as text, "time_ms,population,unit", which ``nbsnn.files.read_csv`` reads; of one group or all.

        The file is complete or not there.
        """
        owners = self.network.groups if group is None else [self.network.section(group)]
        write_csv(path, {owner.name: self.spikes(owner) for owner in owners})

    def to_pandas(self, group: Group | Section | str | None = None, variable: str | None = None) -> Any:
        """Spikes, or a recorded variable, as a ``pandas.DataFrame``; pandas must be installed.

        Parameters
        ----------
        group : Group, Section or str, optional
            Whose spikes; of all populations by default.
        variable : str, optional
            A recorded variable of the group: rows are times (ms), columns units.

        Returns
        -------
        DataFrame
            Of spikes: the columns "time_ms", "population", "unit", in the order of time.
        """
        try:
            pandas = import_module("pandas")
        except ImportError:
            raise ImportError("to_pandas needs pandas: pip install pandas") from None
        if variable is not None:
            if group is None:
                raise ValueError(f"to_pandas: of which group is the variable {variable!r}?")
            owner, values = self.network.owner(group), self[group, variable]
            index = pandas.Index(self.times, name="time_ms")
            return pandas.DataFrame(values, index=index, columns=pandas.Index(self.units[owner, variable], name="unit"))
        owners = self.network.groups if group is None else [self.network.section(group)]
        parts = [(owner.name, *self.spikes(owner)) for owner in owners]
        names = np.concatenate([np.full(len(times), name, object) for name, times, _ in parts])
        times, units = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
        order = np.argsort(times, kind="stable")
        return pandas.DataFrame({"time_ms": times[order], "population": names[order], "unit": units[order]})

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Draw a raster of all populations, with their rates under it; write it to ``path`` if one is given.

        Returns the matplotlib figure.
        """
        from .. import plot

        spikes = {group.name: (*self.spikes(group), group.n) for group in self.network.groups}
        width = min(5.0, self.duration)
        figure = plot.activity(spikes, self.start + self.duration, start=self.start, width=width)
        if path is not None:
            plot.save(figure, path)
        return figure


def _names(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


def _units(owner: Group | Section, name: str, chosen: ArrayLike | None) -> Array:
    """The units of which a variable is recorded."""
    if chosen is None:
        return np.arange(owner.n)
    units = np.atleast_1d(real(f"record: units of {owner.name}.{name}", chosen))
    if (
        units.ndim != 1
        or units.dtype.kind not in "iu"
        or (len(units) and not 0 <= units.min() <= units.max() < owner.n)
    ):
        raise ValueError(
            f"record: units of {owner.name}.{name} must be integers from 0 to {owner.n - 1}, not {chosen!r}"
        )
    return units.astype(np.int64)
