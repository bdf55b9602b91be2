"""One call of ``run``: what is recorded, and the pieces between which Python looks in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.cpu import tables as at
from ..progress import Progress
from ..validate import number
from . import eventwise, waiting
from .connection import Connection
from .files import Files
from .gpu_loop import GpuTape
from .group import Group
from .recording import Recording, Tape

if TYPE_CHECKING:
    from .simulation import Simulation

Array = np.ndarray


def whole(duration: Any, dt: float, name: str, least: int = 1) -> int:
    """A time as a whole number of steps."""
    steps = number(name, duration) / dt
    if round(steps) < least or abs(steps - round(steps)) > 1e-6 * max(1.0, steps):
        raise ValueError(f"{name} must be a whole number of steps of {dt:g} ms, at least {least}, not {duration!r} ms")
    return round(steps)


class Wanted:
    """What a run shall record."""

    def __init__(self, network: Simulation, record: Mapping[Any, Any] | None):
        self.spikes: list[Group] = list(network.groups) if record is None else []
        self.variables: list[tuple[Group, str, Array]] = []
        self.weights: list[Connection] = []
        for owner, names in (record or {}).items():
            if isinstance(owner, Connection):
                self._connection(owner, names)
                continue
            group = network.group(owner)
            for name in [names] if isinstance(names, str) else names:
                chosen = names[name] if isinstance(names, Mapping) else None
                if name == "spikes":
                    self.spikes.append(group)
                else:
                    network.place(group, name)
                    self.variables.append((group, name, _units(group, name, chosen)))

    def _connection(self, connection: Connection, names: Any) -> None:
        for name in [names] if isinstance(names, str) else names:
            if name != "weight" or not connection.own_weights:
                raise KeyError(
                    f"of {connection.name} weights can be recorded if each synapse has its own, not {name!r}"
                )
            self.weights.append(connection)

    def tape(self, network: Simulation, every: int, files: Files) -> Tape:
        """Room for what the loop records."""
        places, units, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for group, name, chosen in self.variables:
            places.append(network.place(group, name)[0] + chosen)
            units.append(chosen + (network.first(group) if network.device == "cuda" else 0))
            sizes.append(np.full(len(chosen), group.n))
        for group in network.groups:
            network.layout.pops[group.index, at.RECORDED] = group in self.spikes
        make = GpuTape if network.device == "cuda" else Tape
        tape = make(*map(np.concatenate, (places, units, sizes)), every, network.dtype)  # type: ignore[call-arg]
        tape.sink = files.spike if files.spikes else None
        if files.variables and not self.weights:  # otherwise a row is complete when weights have been looked at
            tape.keep = files.variables.write
        return tape


def _units(group: Group, name: str, chosen: Any) -> Array:
    """The units of which a variable is recorded."""
    if chosen is None:
        return np.arange(group.n)
    units = np.atleast_1d(np.asarray(chosen))
    if (
        units.ndim != 1
        or units.dtype.kind not in "iu"
        or (len(units) and not 0 <= units.min() <= units.max() < group.n)
    ):
        raise ValueError(f"units of {group.name}.{name} must be integers from 0 to {group.n - 1}, not {chosen!r}")
    return units.astype(np.int64)


def run(
    network: Simulation, duration: float, record: Any, every: float | None, to: Any, variables_to: Any,
    progress: bool, callback: Callable | None, callback_every: float | None,
) -> Recording:  # fmt: skip
    """See ``Network.run``."""
    dt = network.dt
    steps = whole(duration, dt, "duration")
    interval = 1 if every is None else whole(every, dt, "every")
    between = 1 if callback_every is None else whole(callback_every, dt, "callback_every")
    network.build()
    wanted = Wanted(network, record)
    _bound(network)
    loop, start = network.loop(), network.step
    recording = Recording(network, start, steps)
    files = Files(network, to, variables_to, wanted, interval, start)
    tape = wanted.tape(network, interval, files)
    weights: list[list[Array]] = [[] for _ in wanted.weights]
    bar = Progress.of(progress)
    began = time.perf_counter()
    try:
        loop.load(network._history, start)
        loop.prepare(tape, start)
        began = time.perf_counter()
        while network.step < start + steps:
            goal = start + steps
            if callback:
                goal = min(goal, network.step + between - (network.step - start) % between)
            if wanted.weights:
                goal = min(goal, (network.step // interval + 1) * interval)

            def look(t: int) -> None:
                network.step = t
                bar.bar("simulating", t - start, steps, f"{tape.count} spikes")

            loop.advance(network.step, goal, tape, look)
            network._history = loop.history(network.step)
            if callback and ((network.step - start) % between == 0 or network.step == start + steps):
                callback(network)
                _bound(network)
                loop.load(network._history, network.step)
            if network.step % interval == 0:
                now = [np.array(connection.weight) for connection in wanted.weights]
                if files.variables and now:
                    files.row(tape.taken(), now)
                    continue
                for kept, values in zip(weights, now, strict=True):
                    kept.append(values)
    finally:
        files.close()
    with network.layout.memory.at_hand(*(waiting.ARRAYS if _wanted(network, "normalize") else ())):
        eventwise.finish(network)
    recording.seconds = time.perf_counter() - began
    recording.take(tape, wanted, weights, start, interval, files)
    return recording


def _bound(network: Simulation) -> None:
    """Bring weights within their bounds where a rule wants it of all."""
    with network.layout.memory.at_hand(*(["weights"] if _wanted(network, "clip", "all") else ())):
        eventwise.bound(network)


def _wanted(network: Simulation, option: str, *values: Any) -> bool:
    """Whether a rule that is learning has one of ``values`` of an option, by default any but None."""
    found = [getattr(c.rule, option) for c in network.connections if c.learning]
    return any(value in values if values else value is not None for value in found)
