"""Recording: the result of a run, or of several: spikes, variables of chosen units, weights."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np

from .. import statistics
from ..files.csv import write_csv
from ..validate import number
from ..validate.kinds import is_tuple
from ..validate.sealed import Sealed
from .cast import Cast
from .connection import Connection
from .files import Files
from .group import Group, Section
from .home import Home, Whole
from .loop import Tape
from .request import RecordRequest
from .to_neo import block_of

Array = np.ndarray


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
        Times of recorded variables, ms; ``times_of`` has those of each, where intervals differ.
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
    _times: dict[tuple[Any, str], Array]

    def __init__(
        self, network: Home, request: RecordRequest, tape: Tape, files: Files | None, start: int, steps: int,
        seconds: float,
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
        variables, chosen, times, column = dict[Whole, Array](), dict[Whole, Array](), dict[Whole, Array](), 0
        for group, name, units in request.variables:
            variables[group, name], chosen[group, name] = rows[:, column : column + len(units)], units
            column += len(units)
            times[group, name] = request.times(start, len(rows), request.every)
        for item in request.slow:
            key = item.owner, item.name
            variables[key] = rows[:, column : column + item.n] if in_file else item.array(network.dtype)
            column += item.n
            times[key] = request.times(start, len(variables[key]), item.every)
            if item.units is not None:
                chosen[key] = item.units
        first = min(times.values(), key=lambda t: t[1] - t[0] if len(t) > 1 else math.inf, default=np.zeros(0))
        self.__dict__.update(
            network=network, dt=dt, start=start * dt, duration=steps * dt, seconds=seconds, times=first,
            variables=variables, units=chosen, heard=request.spikes, _step=step, _unit=unit, _times=times,
            _sealed=type(self) is Recording,
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        kept = object.__new__(Recording)
        kept.__dict__.update(self.__dict__, _step=np.array(self._step), _unit=np.array(self._unit))
        kept.__dict__["variables"] = {key: np.array(values) for key, values in self.variables.items()}  # also of files
        return kept.at_home(Cast(self.network)).__dict__

    def at_home(self, network: Home | Cast) -> Recording:
        """This recording of a copy of a network as one of that network."""
        of = network.counterpart
        self.__dict__.update(network=network, heard=[of(owner) for owner in self.heard])
        for name in ("variables", "units", "_times"):
            self.__dict__[name] = {(of(owner), what): a for (owner, what), a in self.__dict__[name].items()}
        return self

    def __repr__(self) -> str:
        kept = ", ".join(f"{owner.name}.{name}" for owner, name in self.variables)
        return f"Recording({self.duration:g} ms, {len(self._step)} spikes{', ' + kept if kept else ''})"

    def spikes(self, group: Group | Section | str | None = None) -> tuple[Array, Array]:
        """Spikes of a group, of a section of one, or of the whole network: times in ms, ascending, and units.

        A spike's time is the end of the step in which it was fired. In the whole network, units are counted through in
        the order in which populations were made. ``KeyError`` if none of the group's were recorded.
        """
        step, unit = self._step, self._unit
        if group is not None:
            section = self.network.section(group)
            self._heard(section, any_will_do=True)
            local = section.local(unit - self.network.first(section.group))
            step, unit = step[local >= 0], local[local >= 0].astype(unit.dtype)
        return step.astype(np.float64) * self.dt, np.array(unit)

    def _heard(self, section: Section, *, any_will_do: bool = False) -> None:
        """Raise unless the spikes of all units of a section, or of any, were recorded."""
        heard = np.zeros(section.group.n, bool)
        for part in map(self.network.section, self.heard):
            if part.group is section.group:
                heard[part.units] = True
        heard = heard[section.units]
        if not (heard.any() if any_will_do else heard.all()):
            some = f"of only {heard.sum()} of {section.n} units" if heard.any() else "not"
            raise KeyError(
                f"spikes of {section.name} were {some} recorded: run(..., record={{{section.name}: 'spikes'}})"
            )

    def _count(self, group: Group | Section | str | None) -> int:
        """Number of units of a group or of the network, all of whose spikes were recorded."""
        for part in [each for each in self.network.groups if each.spiking] if group is None else [group]:
            self._heard(self.network.section(part))
        return self.network.units if group is None else self.network.section(group).n

    @property
    def _speaking(self) -> list[Group]:
        """Populations of which some spikes were recorded."""
        heard = [self.network.section(part).group for part in self.heard]
        return [group for group in self.network.groups if group in heard]

    def _key(self, owner: object, name: str) -> tuple[Any, str]:
        """The key of a variable among ``variables``."""
        if isinstance(self.network, Cast) and isinstance(owner, (Group, Section, Connection, str)):
            owner = self.network.counterpart(owner)
        elif isinstance(owner, str):
            owner = self.network.owner(owner)
        if not (isinstance(owner, Hashable) and isinstance(name, str)) or (owner, name) not in self.variables:
            known = [f"{o.name}.{n}" for o, n in self.variables]
            raise KeyError(f"{getattr(owner, 'name', owner)}.{name} was not recorded; recorded were {known}")
        return owner, name

    def __getitem__(self, what: Any) -> Any:
        if not is_tuple(what):
            return self.spikes(what)
        if len(what) != 2 or not isinstance(what[1], str):
            raise KeyError(f"recording[group, 'v'] is a recorded variable; {what!r} is none")
        return self.variables[self._key(*what)]

    def times_of(self, owner: Group | Section | Connection | str, name: str) -> Array:
        """Times of a recorded variable, ms."""
        return self._times[self._key(owner, name)]

    @property
    def _recorded(self) -> dict[tuple[Any, str], tuple[int, list[int] | None]]:
        """Of each variable the number of columns, and which units they are if not all."""
        chosen = {key: units.tolist() for key, units in self.units.items()}
        return {key: (array.shape[1], chosen.get(key)) for key, array in self.variables.items()}

    def join(self, *later: Recording) -> Recording:
        """One recording of successive runs: this one and those that follow, as if the network had run once.

        Raises
        ------
        ValueError, TypeError
            If one is not of this network or does not begin where the one before ends, or if they have recorded
            different things or at different intervals.

        Examples
        --------
        >>> import nbsnn
        >>> net = nbsnn.Network(dt=0.5, device="python")
        >>> cells = net.population(nbsnn.neurons.LIF(tau=10.0), 1)
        >>> current = net.inject(cells, 2.0)
        >>> whole = net.run(20.0).join(net.run(20.0))
        >>> whole.duration, whole.spikes(cells)[0].tolist()
        (40.0, [7.0, 14.0, 21.0, 28.0, 35.0])
        """
        parts = [self, *later]
        for one, other in pairwise(parts):
            if not isinstance(other, Recording):
                raise TypeError(f"recordings are joined with recordings, not with {other!r}")
            if other.network is not self.network or (other.dt, other.heard) != (self.dt, self.heard):
                raise ValueError(f"{other!r} has recorded other units than {self!r}, or is of another network")
            if abs(other.start - one.start - one.duration) > 0.5 * self.dt:
                raise ValueError(f"{other!r} begins at {other.start:g} ms, not at {one.start + one.duration:g} ms")
            if other._recorded != self._recorded:
                raise ValueError(f"{other!r} has recorded other variables, or units, than {self!r}")
        made = object.__new__(Recording)
        joined: dict[str, Any] = {
            name: np.concatenate([part.__dict__[name] for part in parts]) for name in ("_step", "_unit", "times")
        }
        for name in ("variables", "_times"):
            joined[name] = {key: np.concatenate([part.__dict__[name][key] for part in parts]) for key in self.variables}
        for key, times in joined["_times"].items():
            if len(times) > 2 and np.ptp(np.diff(times)) > 0.5 * self.dt:
                raise ValueError(f"{key[0].name}.{key[1]} has been recorded at different intervals")
        sums = {name: sum(part.__dict__[name] for part in parts) for name in ("duration", "seconds")}
        made.__dict__.update({**self.__dict__, **joined, **sums})
        return made

    def __iter__(self) -> Iterator[Any]:
        return iter(self.variables)

    def rate(self, group: Group | Section | str | None = None) -> float:
        """Mean rate in Hz of a group, or of all units; ``KeyError`` if spikes of some of them were not recorded."""
        return len(self.spikes(group)[0]) / self._count(group) / (self.duration / 1000.0)

    def cv(self, group: Group | Section | str | None = None, start: float = 0.0) -> float:
        """Coefficient of variation of inter-spike intervals, from ``start`` ms of the run on.

        The mean over units with four spikes or more; NaN if there are none, as in a silent network.
        """
        if not 0.0 <= number("start", start) < self.duration:
            raise ValueError(f"start must be within the run of {self.duration:g} ms, not {start!r}")
        n, (times, units) = self._count(group), self.spikes(group)
        values = statistics.cv_per_unit(times, units, n, start=self.start + start)
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else math.nan

    def to_csv(self, path: str | PathLike[str], group: Group | Section | str | None = None) -> None:
        """Write spikes as text, "time_ms,population,unit", which ``nbsnn.files.read_csv`` reads; of one group or all.

        The file is complete or not there.
        """
        owners = self._speaking if group is None else [self.network.section(group)]
        write_csv(path, {owner.name: self.spikes(owner) for owner in owners})

    def to_pandas(self, group: Group | Section | Connection | str | None = None, variable: str | None = None) -> Any:
        """Spikes, or a recorded variable, as a ``pandas.DataFrame``; pandas must be installed.

        Parameters
        ----------
        group : Group, Section, Connection or str, optional
            Whose spikes; of all populations by default.
        variable : str, optional
            A recorded variable of the group or connection: rows are times (ms), columns units or synapses.

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
            key = self._key(group, variable)
            values, index = self.variables[key], pandas.Index(self._times[key], name="time_ms")
            name, units = ("synapse" if isinstance(key[0], Connection) else "unit"), self.units.get(key)
            columns = pandas.Index(np.arange(values.shape[1]) if units is None else units, name=name)
            return pandas.DataFrame(values, index=index, columns=columns)
        owners = self._speaking if group is None else [self.network.section(group)]
        parts = [(owner.name, *self.spikes(owner)) for owner in owners]
        names = np.concatenate([np.full(len(times), name, object) for name, times, _ in parts])
        times, units = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
        order = np.argsort(times, kind="stable")
        return pandas.DataFrame({"time_ms": times[order], "population": names[order], "unit": units[order]})

    def to_neo(self, group: Group | Section | str | None = None, *, units: Mapping[str, str] = {}) -> Any:
        """Spikes and variables as a ``neo.Block`` of one segment; Neo must be installed, ``pip install "nbsnn[neo]"``.

        Parameters
        ----------
        group : Group, Section or str, optional
            Whose spikes and variables; by default all that was recorded.
        units : mapping
            Physical units of variables by name, ``{"v": "mV"}``; the others are dimensionless.

        Returns
        -------
        neo.Block
            A ``SpikeTrain`` of each unit, with the annotations "population" and "unit", and an ``AnalogSignal`` of each
            variable ("population" or "connection", "variable"; array annotation "unit" or "synapse"), or an
            ``IrregularlySampledSignal`` if it was recorded only once. ``nbsnn.files.read_neo`` reads the spikes, and
            ``neo.io`` writes files: ``neo.io.NWBIO("run.nwb", "w").write_all_blocks([block])``.

        Raises
        ------
        ImportError
            If Neo is not installed.
        ValueError, TypeError
            If ``units`` names a variable that was not recorded, or a unit that Neo does not know.
        """
        return block_of(self, group, units)

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """Draw a raster of all recorded populations, with their rates under it; write it to ``path`` if one is given.

        Returns the matplotlib figure.
        """
        from .. import plot

        spikes = {group.name: (*self.spikes(group), group.n) for group in self._speaking}
        if not spikes:
            raise ValueError(
                "no spikes were recorded: run(..., record={cells: 'spikes'}), or without record=, keeps them"
            )
        width = min(5.0, self.duration)
        figure = plot.activity(spikes, self.start + self.duration, start=self.start, width=width)
        if path is not None:
            plot.save(figure, path)
        return figure
