"""One step of the plastic connections of a network: traces first, then, when all threads have theirs, synapses.

A rule sees the source's spikes as they arrive, together with the target's spikes of that step, whatever a synapse does
with them from then on. Traces continue while a connection does not learn.
"""

import numpy as np

from ...scalar.hole import hole, optional
from ..network import tables as at
from ..network.arrays import Network
from ..network.deliver import connection, sources
from .delays import after_of, delays_of, keep_past, line, view
from .normalized import normalization, row_sum
from .rewarded import rewarded
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
def change_row(rule: int, i: int, part: int, parts: int, c: Synapses) -> None:
    """A spike of source ``i`` has arrived: its synapses onto the units of a thread change."""
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


@optional
def balance(lo: int, hi: int, rule: int, c: Synapses) -> None:
    """Factors of units whose weights are normalised in every step, if there are any."""


@optional
def decay_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Traces of a rule in integers, if there is one."""


@optional
def change_integers(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Synapses under a rule in integers, if there is one."""


def stretch(part: int, parts: int, t: int, k: int, network: Network):
    """The units of population ``k`` in a thread's share that spiked in step t."""
    pops, spikes = network.tables.pops, network.spikes.units
    slot = t % spikes.shape[0]
    base = pops[k, at.FIRST] + pops[k, at.UNITS] * part // parts
    return spikes[slot, base : base + network.spikes.counts[slot, k, part]]


def sent(part: int, parts: int, t: int, row: np.ndarray, network: Network):
    """The units of a plastic connection's source, of a thread's share, whose spikes of step t it carries."""
    pops, spikes = network.tables.pops, network.spikes.units
    k, slot = network.tables.wires[row[at.WIRE], at.SOURCE], t % spikes.shape[0]
    base = pops[k, at.FIRST] + pops[k, at.UNITS] * part // parts
    count = network.spikes.counts[slot, k, part] if t >= network.plastic.tallies[row[at.BEGUN]] else 0
    return spikes[slot, base : base + count]


def side(place: int, count: int, units: int, traces: np.ndarray):
    """Traces of one side: [count, units]."""
    return traces[place : place + count * units].reshape(count, units)


def known(t: int, network: Network):
    """The array of what is known of sources in step t: one of two, so that others may still read the last step's."""
    return network.plastic.others if network.synapses.threads > 1 and t % 2 == 1 else network.plastic.traces


def update_traces(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Traces after step t: of a thread's share of the source, of its own units of the target."""
    row, traces, P = network.plastic.table[k], network.plastic.traces, network.values.numbers
    wire, pops = network.tables.wires[row[at.WIRE]], network.tables.pops
    source, target = wire[at.SOURCE], wire[at.TARGET]
    n, m = pops[source, at.UNITS], pops[target, at.UNITS]
    lo, hi = sources(part, n, network)
    now = known(t, network)
    seen = now[row[at.ARRIVED] : row[at.ARRIVED] + n]
    clear(seen, lo, hi)
    for other in range(parts):
        mark(seen, lo, hi, sent(other, parts, t - row[at.AFTER], row, network))
    count = row[at.PRE_TRACES]
    carried, used = side(row[at.PRE_CARRIED], count, n, traces), side(row[at.PRE_USED], count, n, now)
    factors = P[row[at.PRE_FACTORS] : row[at.PRE_FACTORS] + 2 * count].reshape(count, 2)
    follow_source(row[at.RULE_MODEL], lo, hi, seen, carried, used.reshape(count, 1, n), factors)
    follow_variables(t, lo, hi, source, row[at.PRE_VARIABLES], row[at.PRE_RING], carried, used, factors, row, network)
    keep_past(t, lo, hi, seen, used, row, network)
    lo, hi = m * part // parts, m * (part + 1) // parts
    seen = traces[row[at.SPIKED] : row[at.SPIKED] + m]
    clear(seen, lo, hi)
    mark(seen, lo, hi, stretch(part, parts, t, target, network))
    count = row[at.POST_TRACES]
    carried, used = side(row[at.POST_CARRIED], count, m, traces), side(row[at.POST_USED], count, m, traces)
    factors = P[row[at.POST_FACTORS] : row[at.POST_FACTORS] + 2 * count].reshape(count, 2)
    follow_target(row[at.RULE_MODEL], lo, hi, seen, carried, used.reshape(count, 1, m), factors)
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


def synapses_of(t: int, row: np.ndarray, network: Network) -> Synapses:
    """What a rule's visits see of a plastic connection in step t."""
    wire, pops, P = network.tables.wires[row[at.WIRE]], network.tables.pops, network.values.numbers
    bounds, index, weights, _ = network.synapses
    plastic, traces, shift, now = network.plastic, network.plastic.traces, wire[at.SHIFT], known(t, network)
    n, m = pops[wire[at.SOURCE], at.UNITS], pops[wire[at.TARGET], at.UNITS]
    own = bounds[wire[at.BOUNDS] : wire[at.BOUNDS] + wire[at.EXTENT]]
    return Synapses(
        now[row[at.ARRIVED] : row[at.ARRIVED] + n],
        traces[row[at.SPIKED] : row[at.SPIKED] + m],
        side(row[at.PRE_USED], row[at.PRE_TRACES], n, now).reshape(row[at.PRE_TRACES], 1, 1, n),
        side(row[at.POST_USED], row[at.POST_TRACES], m, traces).reshape(row[at.POST_TRACES], 1, 1, m),
        P[row[at.PARAMS] : row[at.PARAMS] + row[at.PARAM_COUNT]].reshape(row[at.PARAM_COUNT], 1),
        P[row[at.LIMITS] : row[at.LIMITS] + 4],
        own,
        index,
        shift,
        plastic.starts[row[at.COLUMN_BOUNDS] : row[at.COLUMN_BOUNDS] + m + 1],
        plastic.sources[row[at.COLUMNS] :],
        plastic.numbered[row[at.COLUMNS] :],
        own[0] + shift,
        weights,
        rewarded(t, row, network),
        UnitLines(plastic.lines, row[at.STEERED], m),
        normalization(t, row, P),
        0,
        n,
    )


def visit_all(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Changes of synapses at spikes."""
    wire, pops = network.tables.wires[row[at.WIRE]], network.tables.pops
    c = view(t, row, row[at.WIRE], synapses_of(t, row, network), network)
    target, model = wire[at.TARGET], row[at.RULE_MODEL]
    m, threads = pops[target, at.UNITS], network.synapses.threads
    here = part % threads
    lo, hi = m * part // parts, m * (part + 1) // parts
    drift_units(model, lo, hi, c)
    if row[at.BALANCED] >= 0:
        for d in range(delays_of(row)):
            number = line(row, d)
            v, emitted = view(t, row, number, c, network), t - after_of(row, number, network)
            for other in range(parts):
                arrived = sent(other, parts, emitted, row, network)
                for k in range(arrived.shape[0]):
                    row_sum(model, arrived[k], here, threads, v)
        balance(lo, hi, model, c)
    elif row[at.STEERED] >= 0:
        steer(lo, hi, model, c)
    for d in range(delays_of(row)):
        number = line(row, d)
        v, emitted = view(t, row, number, c, network), t - after_of(row, number, network)
        for other in range(parts):
            arrived = sent(other, parts, emitted, row, network)
            for k in range(arrived.shape[0]):
                change_row(model, arrived[k], here, threads, v)
    fired = stretch(part, parts, t, target, network)
    for k in range(fired.shape[0]):
        change_column(model, fired[k], c)


def deliver_plain(part: int, parts: int, t: int, k: int, network: Network) -> None:
    """Spikes that arrive after step t: the weight is that of the arrival, so they wait here and not in the ring."""
    row = network.plastic.table[k]
    for d in range(delays_of(row)):
        number = line(row, d)
        emitted = t + 1 - after_of(row, number, network)
        if emitted >= network.plastic.tallies[row[at.BEGUN]]:
            connection(emitted, part, parts, number, network)
