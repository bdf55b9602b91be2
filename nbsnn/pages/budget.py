"""Budgets: which units get a row and which get traces, how many spikes are written, and words on what is left out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..validate import count

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

    def traced(self, candidates: Sequence[Array], steps: int) -> tuple[list[Array], int]:
        """Units with traces in each population, of those that have some, and every how many steps."""
        sizes = [len(units) for units in candidates]
        room = min(self.membranes, sum(sizes), max(FEW, self.points // max(1, steps)))
        shares = dict.fromkeys(range(len(sizes)), 0)
        for k, left in zip(sorted(shares, key=lambda k: sizes[k]), range(len(sizes), 0, -1), strict=True):
            shares[k] = min(sizes[k], -(-(room - sum(shares.values())) // left))
        chosen = [units[spread(len(units), shares[k])] for k, units in enumerate(candidates)]
        return chosen, max(1, math.ceil(sum(map(len, chosen)) * steps / self.points))

    def drawn(self, sizes: Sequence[int], counts: Sequence[Array], traced: Sequence[Array]) -> list[Array]:
        """Units with a row in each population: every second, third, ..., and those with traces.

        ``counts`` are the spikes of each unit. The spikes of these may still be too many, if few units fire much.
        """
        every = max(1, math.ceil(sum(sizes) / ROWS))
        while True:
            rows = [np.union1d(np.arange(0, n, every), kept) for n, kept in zip(sizes, traced, strict=True)]
            total = sum(int(c[r].sum()) for c, r in zip(counts, rows, strict=True))
            if total <= self.spikes or every >= max(sizes, default=1):
                return rows
            every = min(max(sizes), max(every + 1, math.ceil(every * total / max(1, self.spikes))))


def spread(n: int, k: int) -> Array:
    """``k`` of ``n`` places, evenly spread.

    >>> spread(10, 3)
    array([0, 4, 9])
    """
    return np.arange(n) if k >= n else np.linspace(0, n - 1, k).astype(np.int64)


def left_out(
    drawn: Sequence[Array], sizes: Sequence[int], spikes: int, all_spikes: int, until: str, traced: int,
    with_traces: int, stride: int, clock: str,
) -> list[str]:  # fmt: skip
    """Sentences on what a page does not show of its activity."""
    said = []
    rows, units = sum(map(len, drawn)), sum(sizes)
    if spikes < all_spikes:
        of = f" of {rows:,} of the {units:,} units" if rows < units else ""
        said.append(f"Spikes: {spikes:,} of {all_spikes:,} are drawn, those{of or ' of all units'}{until}.")
    elif rows < units:
        said.append(f"Units: {rows:,} of {units:,} have a row, among them all that spiked.")
    if not with_traces:
        said.append("Membranes were not recorded.")
    elif with_traces < units:
        said.append(f"Membranes: those of {with_traces:,} of the {units:,} units were recorded.")
    if traced < with_traces:
        said.append(f"Membranes: {traced:,} of the {with_traces:,} that were recorded are written.")
    if stride > 1 and traced:
        kind = "recorded time" if clock == "ms" else "step"
        said.append(f"Membranes: every {ordinal(stride)} {kind} is written, so a short peak may be missing.")
    return said


def ordinal(n: int) -> str:
    """
    >>> [ordinal(n) for n in (2, 3, 11, 22)]
    ['2nd', '3rd', '11th', '22nd']
    """
    last = "th" if n // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{last}"
