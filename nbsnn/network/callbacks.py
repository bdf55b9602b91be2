"""Callbacks of a run, each with its interval, and the spikes that have been fired since its last call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

import numpy as np

from .. import validate
from ..scalar.times import whole
from ..validate import function
from ..validate.kinds import is_mapping
from ..validate.sealed import Sealed
from .home import Home
from .section import Section

Array = np.ndarray


class Activity(Sealed):
    """Spikes since the last call of a callback, which gets it after the network if it takes two arguments.

    Attributes
    ----------
    start, stop : float, ms
        The network's time at the last call, or at the beginning of the run, and now.

    Examples
    --------
    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cells = net.population(nbsnn.neurons.LIF(tau=10.0), 2)
    >>> current, seen = net.inject(cells, 0.0), []
    >>> def control(net, since):
    ...     seen.append(since.counts(cells).tolist())
    ...     current.set(2.0 if net.time < 20.0 else 0.0)
    >>> run = net.run(30.0, callback={control: 10.0})
    >>> seen
    [[0, 0], [1, 1], [0, 0]]
    """

    def __init__(self, network: Home, start: int, stop: int, parts: list[tuple[Array, Array]]):
        self.start, self.stop = start * network.dt, stop * network.dt
        self._network, self._parts = network, parts
        self.seal(Activity)

    def _of(self, group: object) -> tuple[Array, Array, int]:
        """Steps and units of spikes, and how many units there are."""
        if not self._parts:
            steps, units = np.zeros(0, np.int64), np.zeros(0, np.int32)
        elif len(self._parts) == 1:
            steps, units = self._parts[0]
        else:
            steps, units = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        if group is None:
            return steps, units, self._network.units
        owner = self._network.owner(group)
        local = units - self._network.first(owner.group)
        if isinstance(owner, Section):
            local = owner.local(local)
        mine = (local >= 0) & (local < owner.n)
        return steps[mine], local[mine].astype(units.dtype), owner.n

    def spikes(self, group: object = None) -> tuple[Array, Array]:
        """Spikes of a group, of a section of one, or of the whole network: times in ms, and units."""
        steps, units, _ = self._of(group)
        return (steps + 1) * self._network.dt, units.copy()

    def counts(self, group: object = None) -> Array:
        """How many spikes each unit has fired: int64 [n]."""
        _, units, n = self._of(group)
        return np.bincount(units, minlength=n)


class Callback:
    """A function that is called every so many steps; with an ``ear`` for spikes if it takes two arguments."""

    def __init__(self, call: Callable[..., Any], every: int, start: int):
        self.call, self.every, self.last = call, every, start
        self.ear: list[tuple[Array, Array]] | None = [] if _takes_two(call) else None
        say = "a function that takes the network, or the network and an Activity"
        function("callback", call, say, takes=1 if self.ear is None else 2)

    def __call__(self, network: Home, t: int) -> None:
        if self.ear is None:
            self.call(network)
            return
        activity = Activity(network, self.last, t, self.ear.copy())
        self.ear.clear()
        self.last = t
        self.call(network, activity)


def _takes_two(call: Callable[..., Any]) -> bool:
    """True if a function needs two arguments."""
    try:
        given = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return False
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in given) == 2


def callbacks_of(
    given: Callable[..., Any] | Mapping[Callable[..., Any], float] | None, every: float | None, dt: float, start: int
) -> list[Callback]:
    """The callbacks of a run that begins at a step: one function, or a mapping from functions to intervals in ms."""
    if is_mapping(given):
        if every is not None:
            raise ValueError("callback_every is the interval of one callback; a mapping says those of several")
        return [Callback(call, whole(time, dt, "the interval of a callback"), start) for call, time in given.items()]
    if given is not None:
        return [Callback(given, 1 if every is None else whole(every, dt, "callback_every"), start)]
    if every is not None:
        raise ValueError("callback_every is the interval of a callback; there is none")
    return []


def checkpoints_of(path: str | PathLike[str] | None, every: float | None, dt: float, start: int) -> list[Callback]:
    """The callback that keeps the state in a file, if there is to be one."""
    if path is None and every is None:
        return []
    if path is None or every is None:
        raise ValueError(
            "checkpoint is the file of the state and checkpoint_every how often it is written: both, or none"
        )
    file = validate.path("checkpoint", path)

    def keep(network: Home) -> None:
        network.state().save(file)

    return [Callback(keep, whole(every, dt, "checkpoint_every"), start)]
