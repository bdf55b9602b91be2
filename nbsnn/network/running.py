"""One call of ``run``: what is recorded, and the pieces between which Python looks in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels.cpu import tables as at
from ..progress import Progress
from ..times import LATEST
from ..times import whole as whole
from ..validate import function, real
from . import eventwise, waiting
from .connection import Connection
from .files import Files
from .gpu_loop import GpuTape
from .group import Group, Section
from .recording import Recording, Tape
from .watch import Watch

if TYPE_CHECKING:
    from .simulation import Simulation

Array = np.ndarray

HALF = 2**31  # steps after which synapses that wait are brought up to date, as they count modulo twice as many

RUNNING: dict[int, tuple[int]] = {}
"""Which networks are running, and in which thread."""


def at_rest(network: Simulation, what: str) -> None:
    """``RuntimeError`` if the network is running, in any thread."""
    if id(network) in RUNNING:
        raise RuntimeError(f"this network is running: {what} is for the time between two runs")


def mine(network: Simulation, what: str) -> None:
    """``RuntimeError`` if the network is running in another thread."""
    if RUNNING.get(id(network), (threading.get_ident(),)) != (threading.get_ident(),):
        raise RuntimeError(f"this network is running in another thread: {what} is for the time between two runs")


class Wanted:
    """What a run shall record."""

    def __init__(self, network: Simulation, record: Any):
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
                    if not _group(owner).spiking:
                        raise ValueError(f"{owner!r} is a readout, which emits no spikes: record its variables")
                    if chosen is not None:
                        raise ValueError(
                            f"spikes of {owner.name} are recorded of all units, or of a section, not of {chosen!r}"
                        )
                    self.spikes.append(owner)
                else:
                    network.place(_group(owner), name)
                    self.variables.append((owner, name, _units(owner, name, chosen)))

    def _connection(self, network: Simulation, connection: Connection, names: Any) -> None:
        if connection not in network.connections:
            raise KeyError(f"this network has no connection {connection!r}")
        for name in _names(names):
            if name != "weight" or not connection.own_weights:
                raise KeyError(
                    f"of {connection.name} weights can be recorded if each synapse has its own, not {name!r}"
                )
            self.weights.append(connection)

    def tape(self, network: Simulation, every: int, files: Files) -> Tape:
        """Room for what the loop records."""
        places, units, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for owner, name, chosen in self.variables:
            group, chosen = _group(owner), chosen + _first(owner)
            places.append(network.place(group, name)[0] + chosen)
            units.append(chosen + (network.first(group) if network.device == "cuda" else 0))
            sizes.append(np.full(len(chosen), group.n))
        whole = [_group(owner) for owner in self.spikes]
        for group in network.groups:
            network.layout.pops[group.index, at.RECORDED] = group in whole
        make = GpuTape if network.device == "cuda" else Tape
        tape = make(*map(np.concatenate, (places, units, sizes)), every, network.dtype)  # type: ignore[call-arg]
        tape.clock = network._clock
        if any(isinstance(owner, Section) for owner in self.spikes):
            tape.kept = np.zeros(network.units, bool)
            for owner in self.spikes:
                first = network.first(_group(owner)) + _first(owner)
                tape.kept[first : first + owner.n] = True
        tape.sink = files.spike if files.spikes else None
        if files.variables and not self.weights:  # otherwise a row is complete when weights have been looked at
            tape.keep = files.variables.write
        return tape


def _names(names: Any) -> Any:
    return [names] if isinstance(names, str) else names


def _group(owner: Group | Section) -> Group:
    return owner.group if isinstance(owner, Section) else owner


def _first(owner: Group | Section) -> int:
    """The number of the first unit within its population."""
    return owner.lo if isinstance(owner, Section) else 0


def _units(owner: Group | Section, name: str, chosen: Any) -> Array:
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


def run(network: Simulation, *arguments: Any) -> Recording:
    """See ``Network.run``."""
    token = (threading.get_ident(),)
    try:
        if RUNNING.setdefault(id(network), token) is not token:
            where = "in another thread" if RUNNING[id(network)] != token else "and its callback must not run it"
            raise RuntimeError(f"this network is running already, {where}")
        return _run(network, *arguments)
    finally:
        if RUNNING.get(id(network)) is token:
            del RUNNING[id(network)]


def _run(
    network: Simulation, duration: float, record: Any, every: float | None, to: Any, variables_to: Any,
    progress: bool, callback: Callable | None, callback_every: float | None,
) -> Recording:  # fmt: skip
    dt = network.dt
    steps = whole(duration, dt, "duration")
    interval = 1 if every is None else whole(every, dt, "every")
    between = 1 if callback_every is None else whole(callback_every, dt, "callback_every")
    if network.step + steps > LATEST:
        raise ValueError(
            f"a network runs for 2^53 steps at most: {duration!r} ms after {network.time!r} ms are too many"
        )
    if callback is not None:
        function("callback", callback, "a function that takes the network", takes=1, classes=True)
    if callback is None and callback_every is not None:
        raise ValueError("callback_every is the interval of a callback; there is none")
    network.build()
    wanted = Wanted(network, record)
    if every is not None and variables_to is None and not (wanted.variables or wanted.weights):
        raise ValueError('every is the interval of variables and weights; none are recorded: record={cells: "v"}, say')
    loop, start = network.loop(), network.step
    recording = Recording(network, start, steps)
    files = Files(network, to, variables_to, wanted, interval, start, start + steps)
    weights: list[list[Array]] = [[] for _ in wanted.weights]
    bar = Progress.of(progress)
    began = time.perf_counter()

    def look(t: int) -> None:
        watch.look(t)
        bar.bar("simulating", t - start, steps, f"{tape.count} spikes")

    try:
        tape = wanted.tape(network, interval, files)
        _bound(network)
        watch = Watch(network)
        loop.prepare(tape, start)
        began = time.perf_counter()
        while network.step < start + steps:
            goal = min(start + steps, (network.step // HALF + 1) * HALF)
            if callback:
                goal = min(goal, network.step + between - (network.step - start) % between)
            if wanted.weights:
                goal = min(goal, (network.step // interval + 1) * interval)
            loop.advance(goal, tape, look)
            if network.step % HALF == 0:
                for connection in network.connections:
                    waiting.bring(connection)
            if callback and ((network.step - start) % between == 0 or network.step == start + steps):
                callback(network)
                _bound(network)
            if network.step % interval == 0:
                now = [np.array(connection.weight) for connection in wanted.weights]
                if files.variables and now:
                    files.row(tape.taken(), now)
                    continue
                for kept, values in zip(weights, now, strict=True):
                    kept.append(values)
        watch.end()
    except BaseException:
        if network.step == start:
            files.discard()
        else:
            _finish(network)
        raise
    finally:
        files.close()
    _finish(network)
    recording.take(tape, wanted, weights, start, interval, files, time.perf_counter() - began)
    return recording


def _finish(network: Simulation) -> None:
    """What rules do at the end of a run."""
    with network.layout.memory.at_hand(*(waiting.ARRAYS if _wanted(network, "normalize") else ())):
        eventwise.finish(network)


def _bound(network: Simulation) -> None:
    """Bring weights within their bounds where a rule wants it of all."""
    with network.layout.memory.at_hand(*(["weights"] if _wanted(network, "clip", "all") else ())):
        eventwise.bound(network)


def _wanted(network: Simulation, option: str, *values: Any) -> bool:
    """Whether a rule that is learning has one of ``values`` of an option, by default any but None."""
    found = [getattr(c.rule, option) for c in network.connections if c.learning]
    return any(value in values if values else value is not None for value in found)
