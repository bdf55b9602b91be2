"""Content of a page, as plain arrays: activity, weights, the course of a training, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..diagnosis.rows import Report

Array = np.ndarray

SHARES = (0.5, 0.01)
"""A surrogate's window is shown where its slope is at least this share of its peak."""

INPUTS = 4
"""The most lines of input of a unit."""


@dataclass(frozen=True)
class Population:
    """Units of one kind, and spikes of those that are drawn.

    Attributes
    ----------
    name, model, n
        Its name, its neuron in words, its number of units.
    drawn : int array [R]
        Units that have a row, ascending.
    times, units : arrays [S]
        Spikes of these.
    rates : float array [R]
        Of each drawn unit; NaN where spikes are not known.
    silent, saturated : bool array [R]
        Drawn units that never spike, and that spike in more than half of the steps.
    window : tuple of (low, high)
        For each of ``SHARES``, between which membranes minus threshold the surrogate's slope is at least that share.
    inputs : tuple of str
        Names of the lines of input.
    course : (times, rate), optional
        The rate of the whole population over time, in Hz.
    """

    name: str
    model: str
    n: int
    drawn: Array
    times: Array
    units: Array
    rates: Array
    silent: Array
    saturated: Array
    window: tuple[tuple[float, float], ...] = ()
    inputs: tuple[str, ...] = ()
    course: tuple[Array, Array] | None = None


@dataclass(frozen=True)
class Traces:
    """Variables of K units over time.

    Attributes
    ----------
    times : array [T]
    population, unit : int array [K]
        Whose they are.
    lines : dict of str to float32 array [K, T]
        "membrane", "threshold", "input0" and on; "error" and "passed", the gradient of the loss with respect to the
        unit's spikes and to its input; "slope" of the surrogate as a share of its peak. NaN where there is none.
    """

    times: Array
    population: Array
    unit: Array
    lines: dict[str, Array]

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True)
class Activity:
    """Spikes and traces of populations; ``clock`` is the unit of time, "ms" or "step"."""

    clock: str
    start: float
    stop: float
    populations: list[Population]
    traces: Traces
    title: str = ""


@dataclass(frozen=True)
class Weights:
    """A matrix of weights at several times.

    Attributes
    ----------
    name : str
    labels : list of str
        When, one for each picture: "epoch 3".
    pictures : list of float32 array [rows, columns]
        Sources downwards, targets to the right; NaN where there is no synapse.
    shape : (sources, targets)
    values : list of float array
        All weights at each time, of which the histogram is made.
    """

    name: str
    labels: list[str]
    pictures: list[Array]
    shape: tuple[int, int]
    values: list[Array]


@dataclass(frozen=True)
class Panel:
    """Curves over the course of a training, by name, and what they are."""

    axis: str
    lines: dict[str, Array]
    log: bool = False


@dataclass(frozen=True)
class Course:
    """The course of a training: ``x`` is the number of epochs or of samples."""

    label: str
    x: Array
    panels: list[Panel]


@dataclass
class Content:
    """All that a page shows; ``report`` is what ``nbsnn.report`` returns."""

    title: str
    subtitle: str = ""
    activity: Activity | None = None
    weights: list[Weights] = field(default_factory=list)
    course: Course | None = None
    report: Report | None = None
    left_out: list[str] = field(default_factory=list)
