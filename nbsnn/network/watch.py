"""A run's look at what is not finite: before it begins, now and then, and at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .home import Home

Array = np.ndarray

INTERVAL = 64  # steps between two looks, at least: a sum over the state takes as long as a fraction of a step


class Watch:
    """Raises ``ValueError`` where variables or weights are not finite, with the first look at which they were not."""

    def __init__(self, network: Home):
        self.network, self.since = network, network.step
        on_gpu = network.device == "cuda"  # where weights are set as a whole, and have been checked then
        for what in self._found(weights=not on_gpu):
            raise ValueError(f"{what}: a run cannot begin there")

    def look(self, step: int) -> None:
        """Look at the state, unless the last look is too near."""
        if step - self.since >= INTERVAL:
            self._look(step)

    def end(self) -> None:
        """Look at the state, and at the weights of synapses that change."""
        self._look(self.network.step, weights=any(c.changes for c in self.network.connections))

    def _look(self, step: int, weights: bool = False) -> None:
        dt = self.network.dt
        for what in self._found(weights):
            raise ValueError(
                f"{what} at {step * dt:.10g} ms; at {self.since * dt:.10g} ms all were finite. The equations have left "
                "the range of numbers: a shorter dt, weaker input or weaker synapses may keep them in it"
            )
        self.since = step

    def _found(self, weights: bool) -> Iterator[str]:
        """What is not finite, in words."""
        layout = self.network.layout
        if not _finite(states := layout.memory.read("states")):
            for (owner, name), (place, n) in layout.place.items():
                group, label = (owner.group, owner.label(name)) if hasattr(owner, "group") else (owner, name)
                yield from _words(f"{label} of {group.name}", "unit", states[place : place + n])
        if weights and not _finite(values := layout.memory.read("weights")):
            for c in self.network.connections:
                if c.own_weights:
                    yield from _words(f"the weight of {c.name}", "synapse", values[c.place : c.place + len(c)])


def _finite(array: Array) -> bool:
    """Whether all elements are finite; False also where their sum overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(array.sum()))


def _words(what: str, one: str, values: Any) -> Iterator[str]:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        more = f", the first of {len(bad)}" if len(bad) > 1 else ""
        yield f"{what} is {values[bad[0]]} in {one} {bad[0]}{more}"
