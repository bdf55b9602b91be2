"""Plasticity of sparse synapses, per event: the rows of units whose spike arrives, the columns of units that fire.

The traces of both sides decay in every step, a loop over units; synapses are touched at spikes alone. A thread visits
the synapses onto its own units. What happens at a synapse is that of ``dense.visit``, for a batch of one. The holes say
how weights are stored: as they are, unless another module fills them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ...compile.prefetch import AHEAD, fetch
from ...scalar.hole import hole, optional
from ..arrays.pieces import lines_at
from .synapse import COINCIDENCE, Limits, clip, constants, increment, limits_of, traces_post, traces_pre, widen


class Rewarded(NamedTuple):
    """What synapses need that wait for a reward: their eligibility and the step of its last visit, at the distance
    ``gap`` from their weights; the present step; the share of an increment that is eligible; the reward times its
    factor; fall of log eligibility in a step; bounds.
    """

    eligible: np.ndarray
    since: np.ndarray
    gap: int
    now: int
    share: float
    gain: float
    fall: float
    low: float
    high: float


class UnitLines(NamedTuple):
    """Lines of numbers of the units of a target: line k of unit j is at ``lines[first + k * units + j]``."""

    lines: np.ndarray
    first: int
    units: int


class Normalization(NamedTuple):
    """Total of the weights onto a unit, whether they are normalised before they are clipped, bounds of all weights,
    whether it is due in this step, and whether there are such bounds.
    """

    total: float
    before_clip: bool
    least: float
    most: float
    due: bool
    cut: bool


class Synapses(NamedTuple):
    """A plastic connection in one step.

    0/1 spikes that have arrived [n] and of targets [m]; traces in use [K, 1, 1, n] and [K, 1, 1, m]; parameters
    [params, 1] and limits [4] of the rule. Rows: bounds of all connections, targets, and how far from its place in
    the list a synapse's weight is. Columns: bounds [m + 1], sources, places in the list counted from the first weight.
    Where delays differ: where the present step is in the ring of what is known of sources, and the size of the ring,
    which stands in the place of n; room for a list of synapses and of what is known of their sources [2, places].
    """

    arrived: np.ndarray
    spiked: np.ndarray
    X: np.ndarray
    Y: np.ndarray
    P: np.ndarray
    L: np.ndarray
    bounds: np.ndarray
    index: np.ndarray
    shift: int
    start: np.ndarray
    source: np.ndarray
    synapse: np.ndarray
    first: int
    weights: np.ndarray
    rewarded: Rewarded
    units: UnitLines
    normalization: Normalization
    turn: int
    size: int
    room: np.ndarray


def place_of(line: int, j: int, units: UnitLines):
    """The place of a unit's number of this line."""
    return units.first + line * units.units + np.int64(j)


@hole
def follow_pre(s: np.ndarray, a: np.ndarray, used: np.ndarray, D: np.ndarray) -> None:
    raise NotImplementedError


@hole
def follow_post(s: np.ndarray, a: np.ndarray, used: np.ndarray, D: np.ndarray) -> None:
    raise NotImplementedError


@optional
def begin_row(a, z, c: Synapses) -> None:
    """What comes before a visit of the weights [a, z) of a row, if anything."""


@optional
def begin_synapse(o, c: Synapses) -> None:
    """What comes before a visit of a weight of a column, if anything."""


@optional
def fetch_more(o: int, c: Synapses) -> None:
    """Ask for what is read with the weight at ``o``, if anything."""


@optional
def known_at(i: int, c: Synapses) -> int:
    """Where spikes and traces of source ``i`` of a column are."""
    return i


@optional
def in_row(j, c: Synapses):
    """True if synapses onto unit ``j`` are visited along rows."""
    return COINCIDENCE or c.spiked[j] == 0


@optional
def in_column(i: int, c: Synapses) -> bool:
    """True if synapses from unit ``i`` are visited along columns: not if their row has been."""
    return c.arrived[i] == 0


@optional
def weight_of(o, j, c: Synapses) -> float:
    """The weight at ``o`` of a synapse onto unit ``j``."""
    return c.weights[o]  # type: ignore[return-value]


@optional
def store(o, j, w: float, d: float, limits: Limits, c: Synapses) -> None:
    """Add ``d`` to a weight."""
    c.weights[o] = clip(w + d, limits.low, limits.high)


@optional
def weight_of_column(o: int, j: int, c: Synapses, sums: Any) -> float:
    """The same in a column, over which ``sums`` are taken."""
    return c.weights[o]


@optional
def add(o: int, j: int, w: float, d: float, limits: Limits, sums: Any, c: Synapses) -> Any:
    """Add ``d`` to a weight of a column; returns the sums."""
    c.weights[o] = clip(w + d, limits.low, limits.high)
    return sums


@hole
def visit(j: int, c: Synapses, sums: Any) -> Any:
    """``visit_column`` with its holes filled."""
    raise NotImplementedError


def follow_source(
    lo: int, hi: int, seen: np.ndarray, carried: np.ndarray, used: np.ndarray, factors: np.ndarray
) -> None:
    """Carry the traces of units [lo, hi) of the source through the spikes ``seen``."""
    follow_pre(lines_at(seen, lo, 1, hi - lo), carried[:, lo:hi], used[:, :, lo:hi], factors)


def follow_target(
    lo: int, hi: int, seen: np.ndarray, carried: np.ndarray, used: np.ndarray, factors: np.ndarray
) -> None:
    """The same for the target."""
    follow_post(lines_at(seen, lo, 1, hi - lo), carried[:, lo:hi], used[:, :, lo:hi], factors)


def clear(seen, lo, hi):
    """``seen`` is 0 in [lo, hi)."""
    for i in range(lo, hi):
        seen[i] = 0


def mark(seen, lo, hi, slot, a, z, units):
    """``seen`` is 1 at those of the units listed from a to z that lie in [lo, hi)."""
    for k in range(a, z):
        if lo <= units[slot, k] < hi:
            seen[units[slot, k]] = 1


def asked(w: float, s, q: float, x: tuple, y: tuple, p: tuple, limits: Limits) -> float:
    """What a rule adds to a weight, be there spikes or not."""
    if not ((s != 0 or q != 0) and (COINCIDENCE or s == 0 or q == 0)):
        return widen(0.0)
    return increment(w, s, q, x, y, p, limits)


def visit_row(row: np.ndarray, known: np.ndarray, c: Synapses) -> None:
    """A spike of a source has arrived: its synapses onto the units of a thread change.

    Their bounds are at ``row``, and spikes and traces of the source at ``known``.
    """
    p, x, limits = constants(c.P, 0), traces_pre(c.X, 0, 0, known), limits_of(c.L)
    a, z, shift = np.uintp(c.bounds[row]), np.uintp(c.bounds[row + np.uintp(1)]), np.uintp(c.shift)
    begin_row(a + shift, z + shift, c)
    for e in range(a, z):
        j = np.uintp(c.index[e])
        if in_row(j, c):
            w = weight_of(e + shift, j, c)
            d = increment(w, c.arrived[known], c.spiked[j], x, traces_post(c.Y, 0, 0, j), p, limits)
            store(e + shift, j, w, d, limits, c)


def visit_list(count: int, c: Synapses) -> None:
    """The same for listed synapses, of which each knows its source: one loop in the place of many short ones."""
    p, limits, shift = constants(c.P, 0), limits_of(c.L), np.uintp(c.shift)
    for k in range(np.uintp(count)):
        e, known = c.room[0, k], c.room[1, k]
        j = np.uintp(c.index[e])
        begin_synapse(e + shift, c)
        if in_row(j, c):
            w = weight_of(e + shift, j, c)
            x, y = traces_pre(c.X, 0, 0, known), traces_post(c.Y, 0, 0, j)
            store(e + shift, j, w, increment(w, c.arrived[known], c.spiked[j], x, y, p, limits), limits, c)


def visit_column(j: int, c: Synapses, sums: Any) -> Any:
    """Target ``j`` has fired: synapses onto it change; returns what ``add`` has made of ``sums``."""
    p, y, q, limits = constants(c.P, 0), traces_post(c.Y, 0, 0, j), c.spiked[j], limits_of(c.L)
    last = c.start[j + 1] - 1
    for k in range(c.start[j], c.start[j + 1]):
        ahead = c.first + c.synapse[k + AHEAD if k + AHEAD < last else last]
        fetch(c.weights, ahead)
        fetch_more(ahead, c)
        i = known_at(c.source[k], c)
        if in_column(i, c):
            o = c.first + c.synapse[k]
            begin_synapse(o, c)
            w = weight_of_column(o, j, c, sums)
            d = asked(w, c.arrived[i], q, traces_pre(c.X, 0, 0, i), y, p, limits)
            sums = add(o, j, w, d, limits, sums, c)
    return sums


def change_column(j: int, c: Synapses) -> None:
    """Target ``j`` has fired: the synapses onto it change, except those whose row has been visited."""
    visit(j, c, 0)


ROWS: dict[str, Callable] = {}
COLUMNS: dict[str, dict[str, Callable]] = {"visit": {}}
