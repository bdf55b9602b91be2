"""What a run has recorded: spikes, variables of chosen units at intervals, weights."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import statistics
from ..validate import number
from .files import Files
from .group import Group, Section
from .home import Home
from .request import Wanted
from .sealed import Sealed
from .tape import Tape

Array = np.ndarray


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

    def __init__(self, network: Home, start: int, steps: int):
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
        self, tape: Tape, wanted: Wanted, weights: list[list[Array]], start: int, interval: int, files: Files,
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
            owner, name = what
            owner = self.network.owner(owner) if isinstance(owner, str) else owner
            if (owner, name) not in self.variables:
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
