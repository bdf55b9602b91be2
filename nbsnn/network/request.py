"""Request of what a run records: spikes, variables of chosen units, weights and variables of chosen synapses."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..files.variables import Column
from ..kernels.network import tables as at
from ..scalar.times import whole
from ..validate import real
from ..validate.kinds import is_mapping, is_tuple
from .connection import Connection
from .files import Files
from .group import Group, Section
from .home import Home
from .loop import Loop, Tape
from .synaptic import reader

Array = np.ndarray
NAMES: tuple[type, ...] = (str, list, tuple, set, Mapping)


@dataclass
class Slow:
    """Variable that is read between two pieces of a run, every so many steps: of synapses, or rarer than others."""

    owner: Group | Section | Connection
    name: str
    every: int
    n: int
    units: Array | None  # if not all
    read: Callable[[], Array]
    rows: list[Array] = field(default_factory=list[np.ndarray])

    def array(self, dtype: np.dtype) -> Array:
        """What has been read, [rows, n]."""
        return np.array(self.rows) if self.rows else np.zeros((0, self.n), dtype)


class RecordRequest:
    """Request of what a run records.

    Attributes
    ----------
    spikes : list of Group or Section
    variables : list of (Group or Section, str, units)
        What the loop records, every ``every`` steps.
    slow : list of Slow
    """

    def __init__(self, network: Home, record: Mapping[Any, Any] | None, intervals: Intervals):
        self.network = network
        self.spikes: list[Group | Section] = [group for group in network.groups if group.spiking and record is None]
        self.variables: list[tuple[Group | Section, str, Array]] = []
        self.slow: list[Slow] = []
        if record is not None and not isinstance(record, Mapping):
            raise TypeError(
                f'record must say what of whom: {{cells: ["spikes", "v"], connection: "weight"}}, not {record!r}'
            )
        for owner, names in (record or {}).items():
            if not isinstance(names, NAMES) or not all(isinstance(n, str) for n in _names(names)):
                raise TypeError(f'record: what to record must be names, ["spikes", "v"] say, not {names!r}')
            if isinstance(owner, Connection):
                self._connection(network, owner, names, intervals)
                continue
            owner = network.owner(owner, "record")
            for name in _names(names):
                chosen = names[name] if is_mapping(names) else None
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
                    self.variables.append((owner, name, _units(owner, name, chosen, owner.n)))
        self._sort(intervals)

    def _connection(self, network: Home, connection: Connection, names: Any, intervals: Intervals) -> None:
        if connection not in network.connections:
            raise KeyError(f"this network has no connection {connection!r}")
        for name in _names(names):
            chosen = names[name] if is_mapping(names) else None
            n = network.layout.shares.count(connection)
            units = None if chosen is None else _units(connection, name, chosen, n)
            n = n if units is None else len(units)
            read = reader(connection, name, units)
            self.slow.append(Slow(connection, name, intervals.of(connection, name), n, units, read))

    def _sort(self, intervals: Intervals) -> None:
        """Let the loop record the variables of the shortest interval."""
        steps = [intervals.of(owner, name) for owner, name, _ in self.variables]
        self.every = min(steps or [item.every for item in self.slow], default=intervals.of(None, ""))
        for every, (owner, name, units) in zip(steps, self.variables, strict=True):
            if every > self.every:
                place = self.network.section(owner).units[units]
                read = _variable(self.network, owner.group, name, place)
                self.slow.append(Slow(owner, name, every, len(units), units, read))
        self.variables = [item for item, every in zip(self.variables, steps, strict=True) if every == self.every]
        intervals.check(bool(self.variables or self.slow))

    def times(self, start: int, rows: int, every: int) -> Array:
        """Times of rows of a run that begins at a step, ms."""
        return (start // every + 1 + np.arange(rows)) * every * self.network.dt

    @property
    def columns(self) -> list[Column]:
        """Owner, name, number and choice of units for all that a file of variables holds."""
        columns: list[Column] = [
            (owner.name, name, len(units), None if len(units) == owner.n else tuple(units.tolist()))
            for owner, name, units in self.variables
        ]
        for item in self.slow:
            if item.every != self.every:
                raise ValueError("rows of variables_to have one interval: every must be a number, or one for all")
            columns.append(
                (item.owner.name, item.name, item.n, None if item.units is None else tuple(item.units.tolist()))
            )
        return columns

    @property
    def connections(self) -> frozenset[Connection]:
        """Those of which something is recorded."""
        return frozenset(item.owner for item in self.slow if isinstance(item.owner, Connection))

    def tape(
        self, network: Home, loop: Loop, files: Files | None, ears: list[list[tuple[Array, Array]]],
        so_far: Tape | None = None,
    ) -> Tape:  # fmt: skip
        """Room for what the loop records, after what another tape holds; all spikes go to the ``ears``."""
        columns = [np.zeros((4, 0), np.int64)]
        for owner, name, chosen in self.variables:
            group, units = owner.group, network.section(owner).units[chosen]
            place = network.place(group, name)[0] + units
            columns.append(np.stack(np.broadcast_arrays(place, units, network.first(group), group.n)))
        whole = [owner.group for owner in self.spikes]
        for group in network.groups:
            loop.layout.pops[group.index, at.RECORDED] = group in whole or (bool(ears) and group.spiking)
        places, owners, firsts, sizes = np.concatenate(columns, axis=1)
        tape = loop.tape(places, owners, firsts, sizes, self.every, network.dtype)
        tape.clock, tape.ears = network.clock, ears
        if so_far:
            tape.spikes, tape.count = so_far.spikes, so_far.count
            tape.rows += so_far.taken()
            for item in self.slow:
                if isinstance(item.owner, Connection):
                    item.read = reader(item.owner, item.name, item.units)
        if any(isinstance(owner, Section) for owner in self.spikes) or ears:
            tape.kept = np.zeros(network.units, bool)
            for owner in self.spikes:
                tape.kept[network.first(owner.group) + network.section(owner).units] = True
        if files and files.spikes:
            tape.sink = files.spike
        if files and files.variables and not self.slow:  # else a row is complete once all has been read
            tape.keep = files.variables.write
        return tape

    def read(self, t: int, tape: Tape, files: Files | None) -> None:
        """Read what is due after step t."""
        due = [item for item in self.slow if t % item.every == 0]
        if files and files.variables and due:
            files.row(tape.taken(), [item.read() for item in due])
            return
        for item in due:
            item.rows.append(item.read())


class Intervals:
    """Intervals in steps: one for all, or those of owners and of their variables."""

    def __init__(self, network: Home, every: float | Mapping[Any, float] | None):
        self.given = every is not None
        if isinstance(every, Mapping) and not every:
            raise ValueError("every is the interval of variables and weights: a number, or one for each, not {}")
        self.default = 1 if every is None or isinstance(every, Mapping) else whole(every, network.dt, "every")
        self.each: dict[tuple[Any, str | None], int] = {}
        for key, value in every.items() if isinstance(every, Mapping) else ():
            owner, name = key if is_tuple(key) and len(key) == 2 else (key, None)
            owner = owner if isinstance(owner, Connection) else network.owner(owner, "every")
            self.each[owner, name] = whole(value, network.dt, "every")
        self.used: set[tuple[Any, str | None]] = set()

    def of(self, owner: object, name: str) -> int:
        """The interval of a variable."""
        for key in ((owner, name), (owner, None)) if self.each else ():
            if key in self.each:
                self.used.add(key)
                return self.each[key]
        return self.default

    def check(self, recorded: bool) -> None:
        """``ValueError`` if an interval is that of nothing."""
        if self.given and not recorded:
            raise ValueError(
                'every is the interval of variables and weights; none are recorded: record={cells: "v"}, say'
            )
        for owner, name in self.each.keys() - self.used:
            raise ValueError(f"every: no {'variable' if name is None else name} of {owner.name} is recorded")


def _variable(network: Home, group: Group, name: str, units: Array) -> Callable[[], Array]:
    return lambda: network.variable(group, name)[units]


def _names(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


def _units(owner: Group | Section | Connection, name: str, chosen: ArrayLike | None, n: int) -> Array:
    """The units, or synapses, of which a variable is recorded."""
    if chosen is None:
        return np.arange(n)
    units = np.atleast_1d(real(f"record: units of {owner.name}.{name}", chosen))
    if units.ndim != 1 or units.dtype.kind not in "iu" or (len(units) and not 0 <= units.min() <= units.max() < n):
        raise ValueError(f"record: units of {owner.name}.{name} must be integers from 0 to {n - 1}, not {chosen!r}")
    return units.astype(np.int64)
