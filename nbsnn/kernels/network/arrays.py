"""The arrays of a network as its kernels take them.

On a CPU they are handed over by their place in memory (``compile.reference``). Kernels of a GPU are called with plain
tuples, of which ``network_of`` makes named ones: Numba takes 0.7 us longer to find out the type of each array in a
named tuple, which short runs would feel.
"""

from typing import Any, NamedTuple, TypeVar

import numpy as np

from ...scalar.hole import hole

T = TypeVar("T")


class Tables(NamedTuple):
    """Tables of integers that say where everything is; their columns are those of ``tables``."""

    pops: np.ndarray
    ports: np.ndarray
    drives: np.ndarray
    currents: np.ndarray
    wires: np.ndarray
    short: np.ndarray


class Values(NamedTuple):
    """Variables; shared numbers; parameters of which each unit has its own; injected currents; keys of random numbers;
    tables of Poisson numbers; spikes of lists, by step and unit; variables of short-term plasticity.
    """

    states: np.ndarray
    numbers: np.ndarray
    own: np.ndarray
    currents: np.ndarray
    keys: np.ndarray
    thresholds: np.ndarray
    steps: np.ndarray
    units: np.ndarray
    resources: np.ndarray


class Synapses(NamedTuple):
    """Rows of targets: where each begins, for each of ``threads``; targets; weights of their own."""

    bounds: np.ndarray
    index: np.ndarray
    weights: np.ndarray
    threads: int


class Ring(NamedTuple):
    """What arrives in each of the coming steps: flat, and its rows and places in a row."""

    arriving: np.ndarray
    rows: int
    places: int


class SpikeLists(NamedTuple):
    """The latest spikes: units [steps, units] by population, counts [steps, populations, threads], factors of
    short-term plasticity, and marks [steps, units] for those on a GPU who do not read lists.
    """

    units: np.ndarray
    counts: np.ndarray
    factors: np.ndarray
    marks: np.ndarray


class Plastic(NamedTuple):
    """What plastic connections have: their table; spikes and traces of both sides, and those of sources in every second
    step of threads; the synapses by target (bounds, sources, places in the rows); eligibility and the step of its last
    visit; mean rates and tallies of units; factors of units' weights; integers of rules in integers; room of each
    thread for a list of synapses and what is known of their sources.
    """

    table: np.ndarray
    traces: np.ndarray
    others: np.ndarray
    starts: np.ndarray
    sources: np.ndarray
    numbered: np.ndarray
    eligible: np.ndarray
    since: np.ndarray
    rates: np.ndarray
    tallies: np.ndarray
    lines: np.ndarray
    integers: np.ndarray
    room: np.ndarray


class Network(NamedTuple):
    """All arrays of a network."""

    tables: Tables
    values: Values
    synapses: Synapses
    ring: Ring
    spikes: SpikeLists
    plastic: Plastic


class Scratch(NamedTuple):
    """Room for a block of units: currents, outputs, random bits, numbers of events."""

    x: np.ndarray
    y: np.ndarray
    bits: np.ndarray
    events: np.ndarray


class Record(NamedTuple):
    """Where a run is recorded.

    Variables: places of them, those of each thread from ``starts``; into ``rows``, of which ``first`` is the number of
    the first, at intervals of steps. Spikes: steps since the piece began, and units; how many each thread has noted, in
    two rows by turns; how many a step can have. Steps done, which are set at the end, and where the piece began.
    """

    places: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    every: int
    first: int
    steps: np.ndarray
    units: np.ndarray
    used: np.ndarray
    position: np.ndarray
    most: int
    clock: np.ndarray


class GpuRecord(NamedTuple):
    """The same on a GPU: columns of each unit from ``starts``, and their places; two numbers that are returned, spikes
    and the step reached; how many spikes fit in, and most of a step.
    """

    starts: np.ndarray
    columns: np.ndarray
    places: np.ndarray
    rows: np.ndarray
    every: int
    first: int
    begin: int
    steps: np.ndarray
    units: np.ndarray
    cells: np.ndarray
    capacity: int
    most: int


@hole
def all_of(items: T) -> T:
    """The items of what may lie in memory; a named tuple is itself."""
    return items


@hole
def laid_out(items: T) -> T:
    """A named tuple of what a kernel was handed, for its functions."""
    return items


def network_of(arrays: tuple[Any, ...]) -> Network:
    """The arrays of a network by name."""
    tables, values, synapses, ring, spikes, plastic = arrays
    return Network(
        Tables(*tables), Values(*values), Synapses(*synapses), Ring(*ring), SpikeLists(*spikes), Plastic(*plastic)
    )


def plain(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    """Named tuples, at any depth, as plain ones."""
    return tuple(plain(item) if isinstance(item, tuple) else item for item in arrays)
