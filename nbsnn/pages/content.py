"""Content of a page, as plain arrays: activity, weights, the course of a training, and what was left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..diagnosis.rows import Report
from ..progress.history import History

Array = np.ndarray

SHARES = (0.5, 0.01)
"""A surrogate's window is shown where its slope is at least this share of its peak."""


@dataclass(frozen=True)
class Population:
    """Units of one kind.

    Attributes
    ----------
    name, model, n
        Its name, its neuron in words, its number of units.
    times, units : arrays [S]
        Spikes; of the units that are drawn, once ``within`` has chosen these.
    rates : float array [N], then [R]
        Of each (drawn) unit; NaN where spikes are not known.
    known : int array
        Units whose membranes are known.
    trace : callable
        ``trace(units, stride)``: lines of these units, see ``Activity``, at every ``stride``-th time.
    window : tuple of (low, high)
        For each of ``SHARES``, between which membranes minus threshold the surrogate's slope is at least that share.
    inputs : tuple of str
        Names of the lines of input.
    course : (times, rate), optional
        The rate of the whole population over time, in Hz.
    drawn : int array [R]
        Units that have a row, ascending.
    """

    name: str
    model: str
    n: int
    times: Array
    units: Array
    rates: Array
    known: Array
    trace: Callable[[Array, int], dict[str, Array]]
    window: tuple[tuple[float, float], ...] = ()
    inputs: tuple[str, ...] = ()
    course: tuple[Array, Array] | None = None
    drawn: Array = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Activity:
    """Spikes of populations, and variables of K of their units over time.

    Attributes
    ----------
    clock : {"ms", "step"}
        The unit of time.
    start, stop : float
    populations : list of Population
    times : array [T]
    owner, unit : int array [K]
        Whose the variables are: number of the population, unit.
    lines : dict of str to float32 array [K, T]
        "membrane", "threshold", "input0" and on; "error" and "passed", the gradient of the loss with respect to the
        unit's spikes and to its input; "slope" of the surrogate as a share of its peak. NaN where there is none.
    title : str
    """

    clock: str
    start: float
    stop: float
    populations: list[Population]
    times: Array
    owner: Array
    unit: Array
    lines: dict[str, Array]
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


@dataclass
class Content:
    """All that a page shows; ``report`` is what ``nbsnn.report`` returns."""

    title: str
    subtitle: str = ""
    activity: Activity | None = None
    weights: list[Weights] = field(default_factory=list)
    course: History | None = None
    report: Report | None = None
    left_out: list[str] = field(default_factory=list)
