"""What is recorded of a run: spikes as they come, variables of chosen units at intervals, weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import statistics
from ..validate import number
from .files import Files
from .group import Group, Section
from .sealed import Sealed

if TYPE_CHECKING:
    from .simulation import Simulation

Array = np.ndarray

BLOCK = 1 << 23  # numbers of variables that the loop notes before Python fetches them


class Tape:
    """The arrays into which the loop writes, and what has been fetched from them.

    ``places`` are those of the variables to record, ``units`` the units they belong to, of ``sizes``. Spikes go to
    ``sink`` if there is one, and rows of variables to ``keep``.
    """

    def __init__(self, places: Array, units: Array, sizes: Array, every: int, dtype: Any):
        self.places, self.owners, self.sizes = places, units, sizes
        self.every, self.dtype = every, dtype
        self.spikes: list[tuple[Array, Array]] = []
        self.rows: list[Array] = []
        self.sink: Callable[[Array, Array], Any] | None = None
        self.keep: Callable[[Array], Any] = self.rows.append
        self.kept: Array | None = None  # of which units spikes are kept, if not of all
        self.clock = np.zeros(2, np.int64)  # steps done, and where the piece began
        self.count = 0

    @property
    def most(self) -> int:
        """The most steps between two fetches: blocks of variables have bounds too."""
        return self.every * max(1, BLOCK // max(1, len(self.places)))

    def taken(self) -> list[Array]:
        """The rows that are kept here, which are forgotten."""
        rows = self.rows.copy()
        self.rows.clear()
        return rows

    def room(self, parts: int, capacity: int) -> None:
        """Make room for ``capacity`` spikes of each of ``parts`` threads between two fetches."""
        self.parts = parts
        self.steps, self.units = np.empty((parts, capacity), np.int32), np.empty((parts, capacity), np.int32)
        self.used, self.position = np.zeros((2, parts), np.int64), np.zeros(parts, np.int64)
        # A column belongs to the thread in whose share of the population its unit lies.
        owner = ((self.owners + 1) * parts - 1) // self.sizes
        self.order = np.argsort(owner, kind="stable")
        self.starts = np.searchsorted(owner[self.order], np.arange(parts + 1))
        self.sorted_places = self.places[self.order]

    def arrays(self, t0: int, t1: int, own: int) -> tuple:
        """What the kernel writes into between steps t0 and t1; a thread has at most ``own`` units."""
        self.used[...], self.position[...], self.clock[1] = 0, 0, t0
        first = t0 // self.every + 1
        count = max(0, t1 // self.every - first + 1) if len(self.places) else 0
        self.block = np.empty((count, len(self.places)), self.dtype)
        return (
            self.sorted_places, self.starts, self.block, self.every, first, self.steps, self.units, self.used,
            self.position, own, self.clock,
        )  # fmt: skip

    def fetch(self, t0: int, reached: int) -> None:
        """Take what the loop has written in steps [t0, reached)."""
        steps = np.concatenate([self.steps[k, :n] for k, n in enumerate(self.position)])
        units = np.concatenate([self.units[k, :n] for k, n in enumerate(self.position)])
        if self.parts > 1:
            order = np.lexsort((units, steps))
            steps, units = steps[order], units[order]
        if self.kept is not None:
            mine = self.kept[units]
            steps, units = steps[mine], units[mine]
        steps = (steps if reached < 2**31 - 1 else steps.astype(np.int64)) + t0
        self.count += len(steps)
        if self.sink is not None:
            self.sink(steps, units)
        elif len(steps):
            self.spikes.append((steps, units))
        rows = reached // self.every - t0 // self.every
        if rows and len(self.places):
            block = np.empty((rows, len(self.places)), self.dtype)
            block[:, self.order] = self.block[:rows]
            self.keep(block)


class Recording(Sealed):
    """What a run has recorded.

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
    """

    def __init__(self, network: Simulation, start: int, steps: int):
        self.network, self.dt = network, network.dt
        self.start, self.duration = start * network.dt, steps * network.dt
        self.seconds = 0.0
        self.times = np.zeros(0)
        self.variables: dict[tuple[Any, str], Array] = {}
        self.units: dict[tuple[Any, str], Array] = {}
        self._step, self._unit = np.zeros(0, np.int32), np.zeros(0, np.int32)  # steps done when it is over; unit
        self.seal(Recording)

    def __getstate__(self) -> dict[str, Any]:
        raise TypeError(
            "a recording belongs to its network and cannot be pickled or copied: take its arrays, "
            'recording.spikes(group) and recording[group, "v"]'
        )

    def __repr__(self) -> str:
        kept = ", ".join(f"{owner.name}.{name}" for owner, name in self.variables)
        return f"Recording({self.duration:g} ms, {len(self._step)} spikes{', ' + kept if kept else ''})"

    def take(
        self, tape: Tape, wanted: Any, weights: list[list[Array]], start: int, interval: int, files: Files,
        seconds: float,
    ) -> None:  # fmt: skip
        """Fill this recording with what the loop has left on its tape, or in files."""
        if files.spikes:
            self._step, self._unit = files.written_spikes()
        elif tape.spikes:
            self._step, self._unit = (np.concatenate(parts) for parts in zip(*tape.spikes, strict=True))
            self._step += 1
        rows = np.concatenate([np.zeros((0, len(tape.places)), tape.dtype), *tape.rows])
        if files.variables:
            rows = files.written_rows()
        column = 0
        for group, name, units in wanted.variables:
            self.variables[group, name] = rows[:, column : column + len(units)]
            self.units[group, name] = units
            column += len(units)
        for connection, kept in zip(wanted.weights, weights, strict=True):
            in_file = rows[:, column : column + len(connection)]
            self.variables[connection, "weight"] = in_file if files.variables else np.array(kept)
            column += len(connection)
        count = max(len(rows), *map(len, weights), 0) if weights else len(rows)
        times = (start // interval + 1 + np.arange(count)) * interval * self.dt
        self.__dict__.update(times=times, seconds=seconds)

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
            owner = self.network.owner(owner) if isinstance(owner, str) else owner
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

    def plot(self, path: Any = None) -> Any:
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
