"""What a page shows of a simulation: a network's recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from ..network.connection import Connection
from ..network.group import Group
from ..network.membrane import membrane_of
from ..network.recording import Recording
from ..statistics import population_rate
from .budget import Budget
from .content import Array, Content, Population
from .described import described
from .probe import Probe
from .weights import over_time

BINS = 200
"""The rate of a population has about so many bins, fewer where it has few spikes."""

INPUTS = 4
"""The most lines of input of a unit."""


@dataclass
class _Part:
    """A population or a named section: its first unit among all, and the columns recorded of its units."""

    name: str
    group: Group
    first: int
    n: int
    columns: dict[str, dict[int, Array]] = field(default_factory=dict)  # variable -> unit -> its course
    spiking: bool = True

    @property
    def membrane(self) -> str:
        return "" if self.group.neuron is None else membrane_of(self.group.neuron)

    @property
    def inputs(self) -> list[str]:
        return [name for name in self.columns if name != self.membrane][:INPUTS]

    @property
    def offset(self) -> int:
        """Its first unit in its group."""
        return self.first - self.group.network.first(self.group)


def of_recording(recording: Recording, budget: Budget, title: str) -> Content:
    """Activity of a simulation, and weights if they were recorded."""
    parts, dt, times, said = _parts(recording), recording.dt, recording.times, list[str]()
    populations = [_population(part, recording) for part in parts]
    start, stop = recording.start, recording.start + recording.duration
    activity = budget.within(populations, times, "ms", start, stop, said)
    if len(activity.unit) and len(times) > 1 and times[1] - times[0] > 1.5 * dt:
        said.append(f"Membranes were recorded every {times[1] - times[0]:g} ms, in steps of {dt:g} ms.")
    if unheard := [part.name for part in parts if not part.spiking and part.group.spiking]:
        said.append(f"Spikes of {', '.join(unheard)} were not recorded.")
    units = sum(part.n for part in parts)
    if (outside := recording.network.units - units) > 0:
        said.append(f"Units: {outside:,} are in no named section, or emit no spikes and were not recorded.")
    weights = [
        over_time(owner, times, values, said)
        for (owner, _), values in recording.variables.items()
        if isinstance(owner, Connection) and len(values)
    ]
    where, spikes = f"{len(parts)} population{'s' * (len(parts) > 1)}", sum(len(p.times) for p in populations)
    subtitle = f"{units:,} units in {where}, {spikes:,} spike{'s' * (spikes != 1)}, steps of {dt:g} ms"
    return Content(title or f"Simulation of {recording.duration:g} ms", subtitle, activity, weights, left_out=said)


def _parts(recording: Recording) -> list[_Part]:
    """Named sections, and groups of which none is named, with what was recorded of them."""
    net = recording.network
    sections = {name: (s.group, net.first(s.group) + s.lo, s.n) for name, s in net.sections.items()}
    cut = {id(group) for group, _, _ in sections.values()}
    groups = {g.name: (g, net.first(g), g.n) for g in net.groups if id(g) not in cut}
    parts = sorted((_Part(name, *place) for name, place in {**sections, **groups}.items()), key=lambda p: p.first)
    heard = [(net.first(part.group) + part.lo, part.hi - part.lo) for part in map(net.section, recording.heard)]
    for part in parts:
        part.spiking = any(first < part.first + part.n and part.first < first + n for first, n in heard)
    for (owner, name), values in recording.variables.items():
        if isinstance(owner, Connection):
            continue
        units = net.first(owner.group) + net.section(owner).units[recording.units[owner, name]]
        for unit, column in zip(units, values.T, strict=True):
            for part in parts:
                if part.first <= unit < part.first + part.n:
                    part.columns.setdefault(name, {}).setdefault(int(unit) - part.first, column)
    return [part for part in parts if part.spiking or part.columns or part.group.spiking]


def _population(part: _Part, recording: Recording) -> Population:
    dt, duration = recording.dt, recording.duration
    times, units = recording.spikes(part.group) if part.spiking else (np.zeros(0), np.zeros(0, np.int32))
    mine = (units >= part.offset) & (units < part.offset + part.n)
    times, units = times[mine], units[mine] - part.offset
    rates, course = np.full(part.n, np.nan), None
    if part.spiking:
        rates = 1000.0 * np.bincount(units, minlength=part.n) / duration
        width = max(dt, round(duration / min(BINS, max(10, len(times) // 5)) / dt) * dt)
        at, rate = population_rate(times - recording.start - 0.5 * dt, units, part.n, duration, width=width)
        course = at + recording.start, rate
    known = np.array(sorted(part.columns.get(part.membrane, {})), np.int64)
    return Population(
        part.name, described(part.group.neuron, learns=False), part.n, times, units, rates, known,
        partial(_trace, part, recording), (), _said(part), course,
    )  # fmt: skip


def _said(part: _Part) -> tuple[str, ...]:
    """The lines of input in words: from whom, through which synapse, in which unit."""
    group, said = part.group, {}
    for port in group.ports:
        sources = [c.sources.name for c in group.network.connections if c.port is port]
        if port.synapse.reversal is not None:
            unit = "nS" if port.mode == "conductance" else "x leak"
        else:
            unit = "pA" if group.neuron and "capacitance" in group.neuron.params else "mV"
        origin = f"from {', '.join(dict.fromkeys(sources))}: " if sources else ""
        said |= {port.label(name): f"{origin}{port.label(name)} ({unit})" for name in port.synapse.variables}
    return tuple(said.get(name, name) for name in part.inputs)


def _trace(part: _Part, recording: Recording, units: Array, stride: int) -> dict[str, Array]:
    """Lines of these units, [K, T]."""
    none = np.full(len(recording.times), np.nan)
    names = {"membrane": part.membrane, **{f"input{k}": name for k, name in enumerate(part.inputs)}}
    lines = {line: np.stack([part.columns[name].get(u, none) for u in units]) for line, name in names.items()}
    lines["threshold"] = np.stack([np.broadcast_to(_threshold(part, recording, u), none.shape) for u in units])
    if part.spiking and part.group.neuron is not None:
        times, spiking = recording.spikes(part.group)
        for k, u in enumerate(units):
            if Probe(part.group.neuron).inside(_params(part, u)):
                row = np.searchsorted(recording.times, times[spiking == u + part.offset] - 0.5 * recording.dt)
                row = row[row < len(none)]
                top = np.where(np.isnan(lines["membrane"][k, row]), np.nan, lines["threshold"][k, row])
                lines["membrane"][k, row] = np.fmax(lines["membrane"][k, row], top)
    return {name: line[:, ::stride] for name, line in lines.items()}


def _params(part: _Part, unit: int) -> list[float]:
    """The parameters of a unit."""
    place = unit + part.offset
    return [float(np.ravel(v)[place if np.size(v) > 1 else 0]) for v in part.group.values.values()]


def _threshold(part: _Part, recording: Recording, unit: int) -> Array | float:
    """From the unit's parameters and, where it moves, from recorded states; NaN where it is not known."""
    if part.group.neuron is None:
        return np.nan
    probe, times, params = Probe(part.group.neuron), recording.times, _params(part, unit)
    moving = probe.moves(params)
    if not moving:
        return np.nan if moving is None else probe(0.0, probe.starts, params)[1]
    if not all(unit in part.columns.get(name, ()) for name in moving):
        return np.nan
    states = np.tile(probe.starts, (len(times), 1))
    for name in moving:
        states[:, probe.names.index(name)] = part.columns[name][unit]
    found = np.array([probe(0.0, state, params)[1] for state in states.tolist()])
    # With every step recorded, a row is what the next step starts from.
    late = len(times) > 1 and times[1] - times[0] < 1.5 * recording.dt
    return np.append(np.nan, found[:-1]) if late else found
