"""One call of ``run``: what is recorded, and the pieces between which Python looks in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels.cpu import tables as at
from ..progress import Progress
from ..times import LATEST
from ..times import whole as whole
from .files import Files
from .group import Section
from .home import Home
from .recording import Recording
from .request import Wanted, first_of, group_of
from .tape import Tape
from .tape_cuda import GpuTape
from .watch import Watch

Array = np.ndarray

WEIGHTS = "numbers", "weights", "eligible", "since"  # arrays that are read and written with weights

HALF = 2**31  # steps after which synapses that wait are brought up to date, as they count modulo twice as many

RUNNING: dict[int, tuple[int]] = {}
"""Which networks are running, and in which thread."""


def at_rest(network: Home, what: str) -> None:
    """``RuntimeError`` if the network is running, in any thread."""
    if id(network) in RUNNING:
        raise RuntimeError(f"this network is running: {what} is for the time between two runs")


def mine(network: Home, what: str) -> None:
    """``RuntimeError`` if the network is running in another thread."""
    if RUNNING.get(id(network), (threading.get_ident(),)) != (threading.get_ident(),):
        raise RuntimeError(f"this network is running in another thread: {what} is for the time between two runs")


def run(network: Home, *arguments: Any) -> Recording:
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
    network: Home, duration: float, record: Any, every: float | None, to: Any, variables_to: Any,
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
    if callback is not None and not callable(callback):
        raise TypeError(f"callback must be a function that takes the network, not {callback!r}")
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
        tape = tape_for(wanted, network, interval, files)
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
                    if connection.kind.waits:
                        connection.stored.settle()
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


def tape_for(wanted: Wanted, network: Home, every: int, files: Files) -> Tape:
    """Room for what the loop records."""
    places, units, sizes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for owner, name, chosen in wanted.variables:
        group, chosen = group_of(owner), chosen + first_of(owner)
        places.append(network.place(group, name)[0] + chosen)
        units.append(chosen + (network.first(group) if network.device == "cuda" else 0))
        sizes.append(np.full(len(chosen), group.n))
    whole = [group_of(owner) for owner in wanted.spikes]
    for group in network.groups:
        network.layout.pops[group.index, at.RECORDED] = group in whole
    make = GpuTape if network.device == "cuda" else Tape
    tape = make(*map(np.concatenate, (places, units, sizes)), every, network.dtype)  # type: ignore[call-arg]
    tape.clock = network.clock
    if any(isinstance(owner, Section) for owner in wanted.spikes):
        tape.kept = np.zeros(network.units, bool)
        for owner in wanted.spikes:
            first = network.first(group_of(owner)) + first_of(owner)
            tape.kept[first : first + owner.n] = True
    tape.sink = files.spike if files.spikes else None
    if files.variables and not wanted.weights:  # otherwise a row is complete when weights have been looked at
        tape.keep = files.variables.write
    return tape


def _finish(network: Home) -> None:
    """What rules do at the end of a run alone."""
    due = [c for c in network.connections if c.rule.normalize is not None and not c.kind.normalizes and c.learning]
    if due:
        with network.layout.memory.at_hand(*WEIGHTS):
            for connection in due:
                connection.normalize()


def _bound(network: Home) -> None:
    """Bring weights within their bounds where a rule wants it of all."""
    due = [c for c in network.connections if c.changes and c.stored.clips and c.learning]
    if due:
        with network.layout.memory.at_hand("weights"):
            for connection in due:
                connection.stored.clip()
