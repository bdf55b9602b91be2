"""A recording as objects of Neo, the data model of electrophysiology in Python, and of its file formats."""
# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from ..validate import instance
from .connection import Connection
from .group import Group, Section
from .home import Home

Array = np.ndarray


class Recorded(Protocol):
    """What is asked of a recording."""

    network: Home
    dt: float
    start: float
    duration: float
    variables: dict[tuple[Any, str], Array]
    units: dict[tuple[Any, str], Array]
    heard: list[Group | Section]

    def spikes(self, group: Group | Section | str | None = None) -> tuple[Array, Array]:
        """Times and units."""
        ...

    def times_of(self, owner: Group | Section | Connection | str, name: str) -> Array:
        """Times of a variable."""
        ...


def block_of(run: Recorded, group: Group | Section | str | None, units: Mapping[str, str]) -> Any:
    """See ``Recording.to_neo``."""
    try:
        neo = import_module("neo")
    except ImportError:
        raise ImportError('to_neo needs Neo: pip install "nbsnn[neo]"') from None
    instance("units", units, Mapping, "a mapping from names of variables to their units")
    wrong = set(units) - {name for _, name in run.variables}
    if wrong:
        raise ValueError(f"units: {min(wrong)!r} was not recorded; recorded were {[name for _, name in run.variables]}")
    for name, unit in units.items():
        try:
            good = isinstance(unit, str) and bool(import_module("quantities").Quantity(1.0, unit).units)
        except Exception:  # of many kinds: what is no name of a unit is evaluated
            good = False
        if not good:
            raise ValueError(f"units: that of {name!r} must be one that Neo knows, such as 'mV', not {unit!r}")
    heard = run.heard if group is None else [run.network.section(group)]
    segment = neo.Segment(name="run")
    for owner in heard:
        times, unit = run.spikes(owner)
        order = np.argsort(unit, kind="stable")
        trains = np.split(times[order], np.searchsorted(unit[order], np.arange(1, owner.n)))
        stop = max(run.start + run.duration, times.max(initial=0.0))  # but for rounding they are equal
        for k, train in enumerate(trains):
            said = {"name": f"{owner.name}[{k}]", "population": owner.name, "unit": k}
            segment.spiketrains.append(neo.SpikeTrain(train, units="ms", t_start=run.start, t_stop=stop, **said))
    for owner, name in run.variables:
        if group is None or owner is heard[0]:
            made = _signal(neo, run, owner, name, units.get(name, "dimensionless"))
            once = isinstance(made, neo.IrregularlySampledSignal)
            (segment.irregularlysampledsignals if once else segment.analogsignals).append(made)
    block = neo.Block(name="nbsnn", dt_ms=run.dt)
    block.segments.append(segment)
    return block


def _signal(neo: ModuleType, run: Recorded, owner: Group | Section | Connection, name: str, unit: str) -> Any:
    """A variable as a signal."""
    values, times = np.array(run.variables[owner, name]), run.times_of(owner, name)
    kind, one = ("connection", "synapse") if isinstance(owner, Connection) else ("population", "unit")
    said: dict[str, object] = {"name": f"{owner.name}.{name}", "variable": name, "units": unit, kind: owner.name}
    said["array_annotations"] = {one: np.array(run.units.get((owner, name), np.arange(int(values.shape[1]))))}
    if len(times) < 2:
        return neo.IrregularlySampledSignal(times, values, time_units="ms", **said)
    ms = import_module("quantities").ms
    period = (times[-1] - times[0]) / (len(times) - 1)
    return neo.AnalogSignal(values, t_start=times[0] * ms, sampling_period=period * ms, **said)
