"""One call of ``run``: pieces between returns to Python, and checks for values that are not finite."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from os import PathLike
from typing import Any

import numpy as np

from ..files.spikes import SpikeWriter
from ..files.variables import VariableWriter
from ..progress.bar import Progress
from ..scalar.times import LATEST
from ..scalar.times import whole as whole
from . import off_grid
from .callbacks import Callback, callbacks_of, checkpoints_of
from .files import Files, opened
from .home import Home
from .loop import Loop
from .recording import Recording
from .request import Intervals, RecordRequest
from .running import RUNNING

Array = np.ndarray

WEIGHTS = "numbers", "weights", "eligible", "since"  # arrays that are read and written with weights

HALF = 2**31  # steps after which synapses that wait are brought up to date, as they count modulo twice as many

INTERVAL = 64  # steps between two looks, at least: a sum over the state takes as long as a fraction of a step


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
            network.present.recorded = frozenset()
            del RUNNING[id(network)]


def _run(
    network: Home, duration: float, record: Mapping[Any, Any] | None, every: float | Mapping[Any, float] | None,
    to: str | PathLike[str] | SpikeWriter | None, variables_to: str | PathLike[str] | VariableWriter | None,
    progress: Progress | bool, callback: Callable[..., Any] | None, callback_every: float | None,
    checkpoint: str | PathLike[str] | None, checkpoint_every: float | None,
) -> Recording:  # fmt: skip
    dt = network.dt
    steps = whole(duration, dt, "duration")
    start = network.step
    if start + steps > LATEST:
        raise ValueError(
            f"a network runs for 2^53 steps at most: {duration!r} ms after {network.time!r} ms are too many"
        )
    if network.off_grid and to is not None:
        off_grid.refuse("a file of spikes, which holds whole steps", "run(to=None) keeps spikes in memory")
    calls: list[Callback] = []
    if any(given is not None for given in (callback, callback_every, checkpoint, checkpoint_every)):
        calls = callbacks_of(callback, callback_every, dt, start)
        calls += checkpoints_of(checkpoint, checkpoint_every, dt, start)
    intervals = Intervals(network, every)
    network.build()
    ranks = network.ranks
    if ranks.size > 1:
        ranks.agree("run", (start, steps, None if isinstance(every, Mapping) else every))
    request = RecordRequest(network, record, intervals)
    loop, t, end = network.loop(), start, start + steps
    network.begin(start, end, request.connections)
    files = None
    if to is not None or variables_to is not None:
        columns = request.columns
        files = opened(
            ranks, lambda: Files(network, to, variables_to, columns, request.every, start, end), columns
        )  # fmt: skip
    bar = None if progress is False or ranks.rank else Progress.of(progress)
    began = time.perf_counter()

    def recorded(stop: int) -> Recording:
        return Recording(network, request, tape, files, start, stop - start, time.perf_counter() - began)

    def look(t: int) -> None:
        watch.look(t)
        if network.present.halted:
            raise KeyboardInterrupt
        if bar:
            bar.bar("simulating", t - start, steps, f"{tape.count} spikes")

    try:
        tape = request.tape(network, loop, files, [call.ear for call in calls if call.ear is not None])
        _bound(network)
        watch = Watch(network, loop, start)
        loop.prepare(tape, start)
        began = time.perf_counter()
        while t < end:
            goal = min(end, (t // HALF + 1) * HALF)
            for call in calls:
                goal = min(goal, t + call.every - (t - start) % call.every)
            for item in request.slow:
                goal = min(goal, (t // item.every + 1) * item.every)
            loop.advance(goal, tape, look)
            t = goal
            if t % HALF == 0:
                for connection in network.connections:
                    if connection.kind.waits:
                        connection.stored.settle()
            due = [call for call in calls if (t - start) % call.every == 0 or t == end]
            for call in due:
                call(network, t)
            if due:
                _bound(network)
                end = network.go_on(t, end)
                if network.layout is not watch.layout:  # wired anew
                    loop = network.loop()
                    watch = Watch(network, loop, t)
                    tape = request.tape(network, loop, files, tape.ears, tape)
                    loop.prepare(tape, t)
            request.read(t, tape, files)
        watch.end(t)
    except BaseException:
        if network.step != start:
            _finish(network)
        elif files:
            files.discard()
        if files:
            files.close()
        if network.step != start and ranks.size == 1:
            with suppress(OSError, ValueError):  # of a file that could not be written
                network.present.interrupted = recorded(network.step)
        raise
    if files:
        ranks.first(files.close)
    _finish(network)
    made = recorded(end)
    if files:
        ranks.every(None)  # all have found the files before one of them may move them
    return made


class Watch:
    """Raises ``ValueError`` where variables or weights are not finite, with the first look at which they were not."""

    def __init__(self, network: Home, loop: Loop, start: int):
        self.network, self.loop, self.layout, self.since = network, loop, loop.layout, start
        for what in self._found(weights=not self.layout.memory.whole):
            raise ValueError(f"{what}: a run cannot begin there")

    def look(self, step: int) -> None:
        """Look at the state, unless the last look is too near."""
        if step - self.since >= INTERVAL:
            self._look(step)

    def end(self, step: int) -> None:
        """Look at the state, and at the weights of synapses that change."""
        self._look(step, weights=any(c.changes for c in self.network.connections))

    def _look(self, step: int, weights: bool = False) -> None:
        dt = self.network.dt
        for what in self._found(weights):
            raise ValueError(
                f"{what} at {step * dt:.10g} ms; at {self.since * dt:.10g} ms all were finite. The equations have left "
                "the range of numbers: a shorter dt, weaker input or weaker synapses may keep them in it"
            )
        self.since = step

    def _found(self, weights: bool) -> Iterator[str]:
        """Message on what is not finite."""
        layout = self.layout
        if not self.loop.finite("states"):
            states = self.loop.read("states")
            for (owner, name), (place, n) in layout.place.items():
                label = owner.label(name) if hasattr(owner, "label") else name
                yield from _words(f"{label} of {owner.group.name}", "unit", states[place : place + n])
        if weights and not self.loop.finite("weights"):
            values = self.loop.read("weights")
            for c in self.network.connections:
                if c.own_weights:
                    yield from _words(f"the weight of {c.name}", "synapse", values[c.place : c.place + len(c)])


def _words(what: str, one: str, values: Array) -> Iterator[str]:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        more = f", the first of {len(bad)}" if len(bad) > 1 else ""
        yield f"{what} is {values[bad[0]]} in {one} {bad[0]}{more}"


def _finish(network: Home) -> None:
    """Work of rules at the end of a run."""
    due = [c for c in network.connections if c.rule.normalize is not None and not c.kind.normalizes and c.learning]
    if due:
        with network.layout.memory.at_hand(*WEIGHTS):
            for connection in due:
                connection.normalize()


def _bound(network: Home) -> None:
    """Bring weights within their bounds where a rule wants it of all."""
    due = [c for c in network.connections if c.changes and not c.kind.lines and c.stored.bounded and c.learning]
    if due:
        with network.layout.memory.at_hand("weights"):
            for connection in due:
                connection.stored.clip()
