"""Budgets: which units get a row and which get traces, how many spikes are written, and words on what is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..validate import count
from .content import Activity, Population

Array = np.ndarray

ROWS = 2000
"""The most units that have a row of spikes."""

FEW = 20
"""So many units have traces before traces are thinned out in time."""


@dataclass(frozen=True)
class Budget:
    """The most spikes, units with traces, and points of time of all traces together."""

    spikes: int
    membranes: int
    points: int

    def __post_init__(self) -> None:
        count("spikes", self.spikes, least=0)
        count("membranes", self.membranes, least=0)
        count("points", self.points)

    def traced(self, known: Sequence[Array], steps: int) -> tuple[list[Array], int]:
        """Units with traces in each population, of those whose membranes are known, and every how many steps."""
        room = min(self.membranes, max(FEW, self.points // max(1, steps)))
        chosen: list[Array] = [np.zeros(0, np.int64)] * len(known)
        for left, k in zip(
            range(len(known), 0, -1), sorted(range(len(known)), key=lambda k: len(known[k])), strict=True
        ):
            chosen[k] = known[k][spread(len(known[k]), -(-room // left))]
            room -= len(chosen[k])
        return chosen, max(1, math.ceil(sum(map(len, chosen)) * steps / self.points))

    def drawn(self, populations: Sequence[Population], traced: Sequence[Array]) -> list[Array]:
        """Units with a row in each population: every second, third, ..., and those with traces.

        The spikes of these may still be too many, if few units fire much.
        """
        sizes = [p.n for p in populations]
        counts = [np.bincount(p.units, minlength=p.n) for p in populations]
        every = max(1, math.ceil(sum(sizes) / ROWS))
        while True:
            rows = [np.union1d(np.arange(0, n, every), kept) for n, kept in zip(sizes, traced, strict=True)]
            total = sum(int(c[r].sum()) for c, r in zip(counts, rows, strict=True))
            if total <= self.spikes or every >= max(sizes):
                return rows
            every = min(max(sizes), max(every + 1, math.ceil(every * total / max(1, self.spikes))))

    def within(
        self, populations: list[Population], times: Array, clock: str, start: float, stop: float, said: list[str]
    ) -> Activity:
        """What is drawn of these populations; what is not is ``said``."""
        traced, stride = self.traced([p.known for p in populations], len(times))
        rows = self.drawn(populations, traced)
        shown, until = [], stop
        for p, r in zip(populations, rows, strict=True):
            mine = np.isin(p.units, r)
            shown.append(replace(p, drawn=r, times=p.times[mine], units=p.units[mine], rates=p.rates[r]))
        spikes = np.sort(np.concatenate([p.times for p in shown]))
        if len(spikes) > self.spikes:  # those of one time are all in or all out
            until = float(spikes[self.spikes])
            kept = [p.times < until for p in shown]
            shown = [replace(p, times=p.times[k], units=p.units[k]) for p, k in zip(shown, kept, strict=True)]
        said += _left_out(
            populations, shown, sum(map(len, traced)), stride, f", before {until:g} {clock}" * (until < stop)
        )
        found = [p.trace(u, stride) if len(u) else {} for p, u in zip(populations, traced, strict=True)]
        names = list(dict.fromkeys(name for lines in found for name in lines))
        none = [np.full((len(u), len(times[::stride])), np.nan) for u in traced]
        with np.errstate(over="ignore"):
            lines = {
                name: np.concatenate([f.get(name, nan) for f, nan in zip(found, none, strict=True)]).astype(np.float32)
                for name in names
            }
        owner = np.repeat(np.arange(len(traced)), [len(u) for u in traced])
        return Activity(clock, start, stop, shown, times[::stride], owner, np.concatenate(traced), lines)


def spread(n: int, k: int) -> Array:
    """``k`` of ``n`` places, evenly spread.

    >>> spread(10, 3)
    array([0, 4, 9])
    """
    return np.arange(n) if k >= n else np.linspace(0, n - 1, k).astype(np.int64)


def _left_out(before: list[Population], after: list[Population], traced: int, stride: int, until: str) -> list[str]:
    """Sentences on what a page does not show of its activity."""
    units, rows = sum(p.n for p in before), sum(len(p.drawn) for p in after)
    spikes, drawn = (sum(len(p.times) for p in populations) for populations in (before, after))
    known, said = sum(len(p.known) for p in before), []
    if drawn < spikes:
        of = f"{rows:,} of the {units:,} units" if rows < units else "all units"
        said.append(f"Spikes: {drawn:,} of {spikes:,} are drawn, those of {of}{until}.")
    elif rows < units:
        said.append(f"Units: {rows:,} of {units:,} have a row, among them all that spiked.")
    if not known:
        said.append("Membranes were not recorded.")
    elif known < units:
        said.append(f"Membranes: those of {known:,} of the {units:,} units were recorded.")
    if traced < known:
        said.append(f"Membranes: {traced:,} of the {known:,} that were recorded are written.")
    if stride > 1 and traced:
        said.append(f"Membranes: one in {stride} recorded times is written, so a short peak may be missing.")
    return said
