"""Parts of a report: rows of numbers, and their tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerReport:
    """Activity of one population; what does not apply is None.

    Attributes
    ----------
    name, neuron, units
        Which population.
    rate : float
        Spikes per unit and step.
    silent, saturated : float
        Share of units that never spike in the batch; that spike in more than half of the steps.
    distance : float
        Mean of v_threshold - membrane before the spike, in units of v_threshold.
    dead : float
        Share of (step, sample, unit) where the surrogate's slope is below 1 % of its value at the threshold, or
        nothing depends on the spike (refractory).
    mean, std : float
        Of the output, for a readout that does not spike.
    """

    name: str
    neuron: str
    units: int
    rate: float | None = None
    silent: float | None = None
    saturated: float | None = None
    distance: float | None = None
    dead: float | None = None
    mean: float | None = None
    std: float | None = None


@dataclass(frozen=True)
class GradientReport:
    """Gradient of one parameter.

    Attributes
    ----------
    name : str
    weight, gradient, ratio : float
        Norms of the parameter and of its gradient, and the second by the first.
    zero : float
        Share of exactly zero gradients.
    stuck : float or None
        Of a connection, the share of postsynaptic units or channels that learn nothing: all their weights have a
        gradient of zero.
    """

    name: str
    weight: float
    gradient: float
    ratio: float
    zero: float
    stuck: float | None = None


@dataclass(frozen=True)
class Report:
    """Result of ``report``; ``print`` it."""

    layers: list[LayerReport]
    gradients: list[GradientReport]
    advice: list[str]
    loss: float | None = None

    def tables(self) -> list[list[list[str]]]:
        """Its tables, of layers and where there is a loss of gradients: rows of cells, the heading first."""
        tables = [_cells(self.layers, ("rate", "silent", "saturated", "distance", "dead", "mean", "std"))]
        shown = ("weight", "gradient", "ratio", "zero", "stuck")
        return tables + [_cells(self.gradients, shown)] * bool(self.gradients)

    def __str__(self) -> str:
        layers, *gradients = map(_text, self.tables())
        tables = [layers, *(part for table in gradients for part in (f"loss {self.loss:.6g}", table))]
        return "\n\n".join([*tables, "\n".join(f"- {line}" for line in self.advice) or "no advice"])


def percent(share: float) -> str:
    """A share as text."""
    return f"{100.0 * share:.0f} %"


def _cell(column: str, value: float | None) -> str:
    if value is None:
        return ""
    return percent(value) if column in ("silent", "saturated", "dead", "zero", "stuck") else f"{value:.3g}"


def _cells(rows: list[Any], columns: tuple[str, ...]) -> list[list[str]]:
    """Rows of equal dataclasses with a ``name``, as text; columns without any value are left out."""
    columns = tuple(column for column in columns if any(getattr(row, column) is not None for row in rows))
    lines = [["layer" if rows and isinstance(rows[0], LayerReport) else "parameter", *columns]]
    return lines + [[row.name, *(_cell(column, getattr(row, column)) for column in columns)] for row in rows]


def _text(lines: list[list[str]]) -> str:
    """Cells in columns."""
    widths = [max(map(len, line)) for line in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in lines
    )
