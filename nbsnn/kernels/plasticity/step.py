"""One step of the plastic connections of a network: traces first, then, when all threads have theirs, synapses.

A rule sees the source's spikes as they arrive, together with the target's spikes of that step, whatever a synapse does
with them from then on. Traces continue while a connection does not learn.
"""

from typing import Any

import numpy as np

from ...scalar.hole import hole, optional
from ..arrays.pieces import lines_at, numbers_at, samples_at, steps_at
from ..network import tables as at
from ..network.arrays import Network, all_of, laid_out
from ..network.deliver import connection, row_of, sources
from .delays import keep_past, kept
from .normalized import row_sum
from .sparse import Synapses, UnitLines, clear, mark


@hole
def follow_source(
    rule: int, lo: int, hi: int, seen: np.ndarray, carried: np.ndarray, used: np.ndarray, factors: np.ndarray
):
    raise NotImplementedError


@hole
def follow_target(
    rule: int, lo: int, hi: int, seen: np.ndarray, carried: np.ndarray, used: np.ndarray, factors: np.ndarray
):
    raise NotImplementedError


@hole
def change_row(rule: int, row, known: int, c: Synapses) -> None:
    """A spike of a source has arrived: its synapses onto the units of a thread change."""
    raise NotImplementedError


@hole
def change_column(rule: int, j: int, c: Synapses) -> None:
    """Target ``j`` has fired: synapses onto it change."""
    raise NotImplementedError


@optional
def follow_variables(
    t: int, lo: int, hi: int, pop: int, list_: int, ring: int, carried: np.ndarray, used: np.ndarray,
    factors: np.ndarray, row: np.ndarray, network: Network,
) -> None:  # fmt: skip
    """Variables of neurons that a rule sees in the place of traces, if one does."""


@optional
def rewarded(t: int, row: np.ndarray, network: Network) -> Any:
    """What synapses need that wait for a reward, if there are any."""
    return 0


@optional
def normalization(t: int, row: np.ndarray, P: np.ndarray) -> Any:
    """How weights are normalised in every step, if any are."""
    return 0


@optional
def drift_units(rule: int, lo: int, hi: int, c: Synapses) -> None:
    """What weights onto the units [lo, hi) do without spikes, if a rule says so."""


@optional
def catch_up_rows(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Bring synapses up to date that wait for a reward, if there are any."""


@optional
def apply_homeostasis(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Homeostasis at intervals, if there is any."""


@optional
def steer(lo: int, hi: int, rule: int, c: Synapses) -> None:
    """Where mean weights are steered to, if a rule does."""


@hole
def balance(lo: int, hi: int, rule: int, c: Synapses) -> None:
    """Factors of units whose weights are normalised in every step."""
    raise NotImplementedError


@optional
def normalize(part: int, parts: int, t: int, lo: int, hi: int, row: np.ndarray, c: Synapses, network: Network) -> None:
    """What weights onto the units [lo, hi) are divided by, if any are normalised in every step."""


@optional
def decay_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Traces of a rule in integers, if there is one."""


@optional
def change_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Synapses under a rule in integers, if there is one."""


def stretch(part: int, parts: int, t: int, k: int, network: Network) -> tuple[int, int, int]:
    """Where the units of population ``k`` in a thread's share are listed that spiked in step t: row, from, to."""
    pops, slot = network.tables.pops, t % network.spikes.units.shape[0]
    base = pops[k, at.FIRST] + pops[k, at.UNITS] * part // parts
    return slot, base, base + network.spikes.counts[slot, k, part]


def sent(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> tuple[int, int, int]:
    """The same of a plastic connection's source: none of a step before the connection was made."""
    slot, a, z = stretch(part, parts, t, network.tables.wires[row[at.WIRE], at.SOURCE], network)
    return slot, a, z if t >= network.plastic.tallies[row[at.BEGUN]] else a


def turned(t: int, network: Network) -> bool:
    """Which of two arrays holds what is known of sources in step t, as others may still read that of the last one."""
    return network.synapses.threads > 1 and t % 2 == 1


def update_traces(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Traces after step t: of a thread's share of the source, of its own units of the target."""
    row, traces, P = network.plastic.table[k], network.plastic.traces, network.values.numbers
    wire, pops = network.tables.wires[row[at.WIRE]], network.tables.pops
    source, target = wire[at.SOURCE], wire[at.TARGET]
    n, m = pops[source, at.UNITS], pops[target, at.UNITS]
    lo, hi = sources(part, n, network)
    now = network.plastic.others if turned(t, network) else traces
    seen = numbers_at(now, row[at.ARRIVED], n)
    clear(seen, lo, hi)
    for other in range(parts):
        mark(seen, lo, hi, *sent(other, parts, t - row[at.AFTER], row, network), network.spikes.units)
    count = row[at.PRE_TRACES]
    carried, used = lines_at(traces, row[at.PRE_CARRIED], count, n), lines_at(now, row[at.PRE_USED], count, n)
    factors = lines_at(P, row[at.PRE_FACTORS], count, 2)
    follow_source(row[at.RULE_MODEL], lo, hi, seen, carried, steps_at(now, row[at.PRE_USED], count, n), factors)
    follow_variables(t, lo, hi, source, row[at.PRE_VARIABLES], row[at.PRE_RING], carried, used, factors, row, network)
    keep_past(t, lo, hi, seen, used, row, network)
    lo, hi = m * part // parts, m * (part + 1) // parts
    seen = numbers_at(traces, row[at.SPIKED], m)
    clear(seen, lo, hi)
    mark(seen, lo, hi, *stretch(part, parts, t, target, network), network.spikes.units)
    count = row[at.POST_TRACES]
    carried, used = lines_at(traces, row[at.POST_CARRIED], count, m), lines_at(traces, row[at.POST_USED], count, m)
    factors = lines_at(P, row[at.POST_FACTORS], count, 2)
    follow_target(row[at.RULE_MODEL], lo, hi, seen, carried, steps_at(traces, row[at.POST_USED], count, m), factors)
    follow_variables(t, lo, hi, target, row[at.POST_VARIABLES], row[at.POST_RING], carried, used, factors, row, network)
    if row[at.INTEGERS] >= 0:
        decay_integers(part, parts, t, row, network)


def update_synapses(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Synapses onto a thread's own units after step t."""
    row = network.plastic.table[k]
    learns, waits = row[at.LEARNS], row[at.REWARD] >= 0  # eligibility continues as traces do, without reward
    if row[at.CHANGES] and (learns or waits):
        visit_all(part, parts, t, row, network)
    if row[at.INTEGERS] >= 0 and learns:
        change_integers(part, parts, t, row, network)
    if row[at.TENDED]:
        apply_homeostasis(part, parts, t, row, network)
    if waits and learns:
        catch_up_rows(part, parts, t, row, network)


def synapses_of(here: int, t: int, row: np.ndarray, network: Network) -> Synapses:
    """What a rule's visits on a thread see of a plastic connection in step t."""
    wire, pops, P = network.tables.wires[row[at.WIRE]], network.tables.pops, network.values.numbers
    bounds, index, weights, _ = all_of(network.synapses)
    plastic, traces, shift = network.plastic, network.plastic.traces, wire[at.SHIFT]
    n, m = pops[wire[at.SOURCE], at.UNITS], pops[wire[at.TARGET], at.UNITS]
    pre, post = row[at.PRE_TRACES], row[at.POST_TRACES]
    arrived, used, turn, size = kept(t, n, row)
    now = plastic.others if size == n and turned(t, network) else traces
    return Synapses(
        numbers_at(now, arrived, size),
        numbers_at(traces, row[at.SPIKED], m),
        samples_at(now, used, pre, size),
        samples_at(traces, row[at.POST_USED], post, m),
        lines_at(P, row[at.PARAMS], row[at.PARAM_COUNT], 1),
        numbers_at(P, row[at.LIMITS], 4),
        bounds,
        index,
        shift,
        numbers_at(plastic.starts, row[at.COLUMN_BOUNDS], m + 1),
        numbers_at(plastic.sources, row[at.COLUMNS], plastic.sources.shape[0] - row[at.COLUMNS]),
        numbers_at(plastic.numbered, row[at.COLUMNS], plastic.numbered.shape[0] - row[at.COLUMNS]),
        bounds[wire[at.BOUNDS]] + shift,
        weights,
        rewarded(t, row, network),
        UnitLines(plastic.lines, row[at.STEERED], m),
        normalization(t, row, P),
        turn,
        size,
        plastic.room[here],
    )


def visit_all(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Changes of synapses at spikes."""
    wire, pops, spikes = network.tables.wires[row[at.WIRE]], network.tables.pops, network.spikes.units
    c = laid_out(synapses_of(part % network.synapses.threads, t, row, network))
    target, model = wire[at.TARGET], row[at.RULE_MODEL]
    m = pops[target, at.UNITS]
    lo, hi = m * part // parts, m * (part + 1) // parts
    drift_units(model, lo, hi, c)
    if row[at.BALANCED] >= 0:
        normalize(part, parts, t, lo, hi, row, c, network)
    elif row[at.STEERED] >= 0:
        steer(lo, hi, model, c)
    visit_rows(part, parts, t, False, row, c, network)
    slot, a, z = stretch(part, parts, t, target, network)
    for k in range(a, z):
        change_column(model, spikes[slot, k], c)


def add_up_and_balance(
    part: int, parts: int, t: int, lo: int, hi: int, row: np.ndarray, c: Synapses, network: Network
) -> None:  # fmt: skip
    """Filling of ``normalize``."""
    visit_rows(part, parts, t, True, row, c, network)
    balance(lo, hi, row[at.RULE_MODEL], c)


@optional
def visit_rows(part: int, parts: int, t: int, adding: bool, row: np.ndarray, c: Synapses, network: Network) -> None:
    """All rows onto a thread's own units along which a spike has arrived, to change them or to add up."""
    wires, spikes, threads = network.tables.wires, network.spikes.units, network.synapses.threads
    model, number = row[at.RULE_MODEL], row[at.WIRE]
    first, stride = wires[number, at.BOUNDS], wires[number, at.BOUNDS_STRIDE]
    for other in range(parts):
        slot, a, z = sent(other, parts, t - row[at.AFTER], row, network)
        for k in range(a, z):
            i = spikes[slot, k]
            place = first + part % threads + row_of(i, first, wires[number, at.EXTENT], c.bounds, threads) * stride
            if adding:
                row_sum(model, np.uintp(place), i, c)
            else:
                change_row(model, np.uintp(place), i, c)


def deliver_plain(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Spikes that arrive after step t: the weight is that of the arrival, so they wait here and not in the ring."""
    row = network.plastic.table[k]
    emitted = t + 1 - row[at.AFTER]
    if emitted >= network.plastic.tallies[row[at.BEGUN]]:
        connection(emitted, part, parts, row[at.WIRE], network)
