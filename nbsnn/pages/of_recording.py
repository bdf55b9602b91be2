"""What a page shows of a simulation: a network's recording."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..network.connection import Connection
from ..network.group import Group
from ..network.membrane import membrane_of
from ..network.recording import Recording
from ..statistics import population_rate
from .budget import Budget, left_out
from .content import INPUTS, Activity, Content, Population, Traces
from .described import described
from .probe import Probe
from .weights import over_time

Array = np.ndarray

BINS = 200
"""The rate of a population has about so many bins, fewer where it has few spikes."""


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
    def inputs(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name != self.membrane)[:INPUTS]


def of_recording(recording: Recording, budget: Budget, title: str) -> Content:
    """Activity of a simulation, and weights if they were recorded."""
    parts, dt = _parts(recording), recording.dt
    start, stop = recording.start, recording.start + recording.duration
    candidates = [np.array(sorted(part.columns.get(part.membrane, {})), np.int64) for part in parts]
    times = recording.times
    traced, stride = budget.traced(candidates, len(times))
    spikes = [_spikes(recording, part) for part in parts]
    counts = [np.bincount(units, minlength=part.n) for part, (_, units) in zip(parts, spikes, strict=True)]
    drawn = budget.drawn([part.n for part in parts], counts, traced)
    end, until = _cut(spikes, drawn, budget.spikes, stop)
    populations, shown = [], 0
    for part, (t, u), rows, total in zip(parts, spikes, drawn, counts, strict=True):
        mine = np.isin(u, rows) & (t <= end)
        shown += int(mine.sum())
        rates = 1000.0 * total[rows] / recording.duration if part.spiking else np.full(len(rows), np.nan)
        course = None
        if part.spiking:
            bins = min(BINS, max(10, len(t) // 5))
            width = max(dt, round(recording.duration / bins / dt) * dt)
            course = population_rate(t - start - 0.5 * dt, u, part.n, recording.duration, width=width)
            course = course[0] + start, course[1]
        populations.append(
            Population(
                part.name, described(part.group.neuron, learns=False), part.n, rows, t[mine],
                u[mine], rates, rates == 0.0, np.zeros(len(rows), bool), inputs=_said(part), course=course,
            )
        )  # fmt: skip
    number, everything = sum(map(len, traced)), sum(int(c.sum()) for c in counts)
    sizes = [part.n for part in parts]
    said = left_out(drawn, sizes, shown, everything, until, number, sum(map(len, candidates)), stride, "ms")
    if number and len(times) > 1 and times[1] - times[0] > 1.5 * dt:
        said.append(f"Membranes were recorded every {times[1] - times[0]:g} ms, in steps of {dt:g} ms.")
    weights = []
    for (owner, _), values in recording.variables.items():
        if isinstance(owner, Connection) and len(values):
            weights.append(over_time(owner, times, values, said))
    unheard = [part.name for part in parts if not part.spiking and part.group.spiking]
    if unheard:
        said.append(f"Spikes of {', '.join(unheard)} were not recorded.")
    if (outside := recording.network.units - sum(sizes)) > 0:
        said.append(f"Units: {outside:,} are in no named section, or emit no spikes and were not recorded.")
    traces = Traces(times[::stride], *whose(traced), _lines(parts, traced, stride, len(times[::stride]), recording))
    units = f"{sum(sizes):,} units in {len(parts)} population{'s' * (len(parts) > 1)}"
    return Content(
        title or f"Simulation of {recording.duration:g} ms",
        f"{units}, {everything:,} spikes, steps of {dt:g} ms",
        Activity("ms", start, stop, populations, traces),
        weights,
        left_out=said,
    )


def _parts(recording: Recording) -> list[_Part]:
    """Named sections, and groups of which none is named, with what was recorded of them."""
    net = recording.network
    sections = {name: (s.group, net.first(s.group) + s.lo, s.n) for name, s in net.sections.items()}
    cut = {id(group) for group, _, _ in sections.values()}
    groups = {g.name: (g, net.first(g), g.n) for g in net.groups if id(g) not in cut}
    parts = sorted((_Part(name, *place) for name, place in {**sections, **groups}.items()), key=lambda p: p.first)
    heard = [(net.first(owner.group) + owner.lo, owner.n) for owner in recording.heard]
    for part in parts:
        part.spiking = any(first < part.first + part.n and part.first < first + n for first, n in heard)
    for (owner, name), values in recording.variables.items():
        if isinstance(owner, Connection):
            continue
        base = net.first(owner.group) + owner.lo
        for unit, column in zip(recording.units[owner, name] + base, values.T, strict=True):
            for part in parts:
                if part.first <= unit < part.first + part.n:
                    part.columns.setdefault(name, {}).setdefault(int(unit) - part.first, column)
    return [part for part in parts if part.spiking or part.columns or part.group.spiking]


def _said(part: _Part) -> tuple[str, ...]:
    """The lines of input in words: from whom, through which synapse, in which unit."""
    group = part.group
    said = {}
    for port in group.ports:
        sources = [c.sources.name for c in group.network.connections if c.port is port]
        if port.synapse.reversal is not None:
            unit = "nS" if port.mode == "conductance" else "x leak"
        else:
            unit = "pA" if group.neuron and "capacitance" in group.neuron.params else "mV"
        origin = f"from {', '.join(dict.fromkeys(sources))}: " if sources else ""
        said |= {port.label(name): f"{origin}{port.label(name)} ({unit})" for name in port.synapse.variables}
    return tuple(said.get(name, name) for name in part.inputs)


def _spikes(recording: Recording, part: _Part) -> tuple[Array, Array]:
    times, units = recording.spikes(part.group)
    units = units - (part.first - recording.network.first(part.group))
    mine = (units >= 0) & (units < part.n)
    return times[mine], units[mine]


def _cut(spikes: list[tuple[Array, Array]], drawn: list[Array], most: int, stop: float) -> tuple[float, str]:
    """The time up to which spikes of drawn units are no more than ``most``, and that in words."""
    pairs = zip(spikes, drawn, strict=True)
    times = np.sort(np.concatenate([np.zeros(0), *(t[np.isin(u, rows)] for (t, u), rows in pairs)]))
    if len(times) <= most:
        return stop, ""
    end = np.nextafter(times[most], -np.inf)  # spikes of one time are all in or all out
    return float(end), f", before {times[most]:g} ms"


def whose(traced: list[Array]) -> tuple[Array, Array]:
    """Population and unit of each line of traces."""
    population = np.repeat(np.arange(len(traced)), [len(units) for units in traced])
    return population, np.concatenate([np.zeros(0, np.int64), *traced])


def _lines(parts: list[_Part], traced: list[Array], stride: int, steps: int, recording: Recording) -> dict[str, Array]:
    """Traces of the chosen units, [K, T] each."""
    most = max((len(part.inputs) for part, units in zip(parts, traced, strict=True) if len(units)), default=0)
    names = ["membrane", "threshold", *(f"input{k}" for k in range(most))]
    lines = {name: np.full((sum(map(len, traced)), steps), np.nan, np.float32) for name in names}
    row = 0
    for part, units in zip(parts, traced, strict=True):
        threshold = _Threshold(part, recording) if len(units) else None
        for unit in units.tolist():
            lines["membrane"][row] = part.columns[part.membrane][unit][::stride]
            for k, name in enumerate(part.inputs):
                if unit in part.columns[name]:
                    lines[f"input{k}"][row] = part.columns[name][unit][::stride]
            if threshold is not None:
                lines["threshold"][row] = threshold.of(unit, stride)
            row += 1
    return lines


class _Threshold:
    """The threshold of units of a part, from their parameters and, where it moves, from recorded states."""

    def __init__(self, part: _Part, recording: Recording):
        self.part, self.probe = part, Probe(neuron) if (neuron := part.group.neuron) else None
        times = recording.times
        # With every step recorded, a row is what the next step starts from.
        self.late = len(times) > 1 and times[1] - times[0] < 1.5 * recording.dt

    def of(self, unit: int, stride: int) -> Array | float:
        """Array [T], or a number; NaN where it is not known."""
        part, probe = self.part, self.probe
        if probe is None:
            return np.nan
        place = unit + part.first - part.group.network.first(part.group)
        params = [float(np.ravel(v)[place if np.size(v) > 1 else 0]) for v in part.group.values.values()]
        moving = probe.moves(params)
        if moving is None:
            return np.nan
        if not moving:
            return probe(0.0, probe.starts, params)[1]
        if not all(unit in part.columns.get(name, ()) for name in moving):
            return np.nan
        known = {name: part.columns[name][unit] for name in moving}
        rows = range(len(next(iter(known.values()))))
        names = list(zip(probe.names, probe.starts, strict=True))
        states = ([float(known[name][t]) if name in known else start for name, start in names] for t in rows)
        found = np.array([probe(0.0, state, params)[1] for state in states])
        return (np.concatenate([[np.nan], found[:-1]]) if self.late else found)[::stride]
