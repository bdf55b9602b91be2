"""Sparse synapses whose increments wait for a reward, carried from event to event.

A synapse keeps c, its eligibility in the step after its last visit, and the number of that step. While no event meets
it and the reward r stays the same, n steps change it by

    w += g r c (1 + q + ... + q^(n-1)) = g r c (1 - q^n) / (1 - q),      c <- q^n c

The sum grows in one direction, so that bounds at its end are bounds in every step: of a weight that lies within them.
One that does not, because it was set or normalised, is clipped after the first of the steps, too.

A synapse is brought up to date when a spike travels along it, for that needs its weight, and when the rule visits it.
Steps are counted modulo 2^32.
"""

import numpy as np

from ...compile.prefetch import fetch
from ...scalar.exponential import expm1
from ...scalar.hole import hole
from ..network import tables as at
from ..network.arrays import Network, all_of
from ..network.deliver import row_of
from .delays import after_of, delays_of, line
from .sparse import Rewarded, Synapses
from .sparse import change_column as change_column
from .synapse import Limits


@hole
def real(x) -> float:
    """Number in the precision of the kernel."""
    return float(x)


def rewarded(t: int, row: np.ndarray, network: Network) -> Rewarded:
    """Filling of ``step.rewarded``; any where a connection's own rule waits for no reward."""
    place = max(row[at.REWARD], 0)
    numbers = network.values.numbers[place : place + at.REWARD_NUMBERS]
    return with_numbers(
        network.plastic.eligible, network.plastic.since, row[at.GAP], np.uint32(t & 4294967295), numbers
    )


def with_numbers(eligible: np.ndarray, since: np.ndarray, gap: int, now, numbers: np.ndarray) -> Rewarded:
    """The same from a rule's numbers, as ``tables`` names them."""
    gain = numbers[at.REWARD_VALUE] * numbers[at.REWARD_FACTOR]
    share, fall = numbers[at.SHARE], numbers[at.FALL]
    return Rewarded(eligible, since, gap, now, share, gain, fall, numbers[at.REWARD_LOW], numbers[at.REWARD_HIGH])


def later(w, c, steps, gain, fall, low, high):
    """Weight and eligibility after ``steps`` without an event."""
    lost = expm1(-(real(steps) * fall))
    d = -(gain * (c * lost))
    within = min(max(w, low), high) == w
    first = real(0.0) if within else -(gain * (c * expm1(-fall)))
    start = w if within else min(max(w + first, low), high)
    return (min(max(start + (d - first), low), high) if d != 0.0 else w), c + c * lost


def catch_up(o: int, r: Rewarded, weights: np.ndarray) -> None:
    """Bring the synapse whose weight is at place ``o`` up to date."""
    e = np.int64(o) + r.gap
    after = later(weights[o], r.eligible[e], np.uint32(r.now - r.since[e]), r.gain, r.fall, r.low, r.high)
    weights[o] = after[0]
    r.eligible[e] = after[1]
    r.since[e] = r.now


def catch_up_range(a: int, z: int, r: Rewarded, weights: np.ndarray) -> None:
    """Bring the synapses whose weights lie in [a, z) up to date: a loop that is vectorised."""
    E, U, now, gain, fall, low, high = r.eligible, r.since, r.now, r.gain, r.fall, r.low, r.high
    o, e = np.uintp(a), np.uintp(np.int64(a) + r.gap)
    for k in range(np.uintp(z - a)):
        after = later(weights[o + k], E[e + k], np.uint32(now - U[e + k]), gain, fall, low, high)
        weights[o + k] = after[0]
        E[e + k] = after[1]
        U[e + k] = now


def catch_up_all(lo: int, hi: int, now: int, numbers: np.ndarray, weights: np.ndarray, E: np.ndarray, U: np.ndarray):
    """Bring a connection's synapses [lo, hi) to the end of step ``now``; ``numbers`` as in ``tables``."""
    catch_up_range(lo, hi, with_numbers(E, U, 0, now, numbers), weights)


def catch_up_rows(part: int, parts: int, t: int, row: np.ndarray, network: Network) -> None:
    """Bring the synapses up to date along which spikes are about to travel, onto a thread's own units."""
    wires, pops = network.tables.wires, network.tables.pops
    bounds, _, weights, threads = all_of(network.synapses)
    spikes, counts, r = network.spikes.units, network.spikes.counts, rewarded(t, row, network)
    for d in range(delays_of(row)):
        number = line(row, d)
        source, shift = wires[number, at.SOURCE], wires[number, at.SHIFT]
        slot = (t + 1 - after_of(row, number, network)) % spikes.shape[0]
        for other in range(parts):
            base = pops[source, at.FIRST] + pops[source, at.UNITS] * other // parts
            for k in range(counts[slot, source, other]):
                place = wires[number, at.BOUNDS]
                row_number = row_of(spikes[slot, base + k], place, wires[number, at.EXTENT], bounds, threads)
                place += row_number * wires[number, at.BOUNDS_STRIDE] + part % threads
                catch_up_range(bounds[place] + shift, bounds[place + 1] + shift, r, weights)


def catch_up_column(start: int, stop: int, first: int, t: int, row: np.ndarray, network: Network) -> None:
    """Bring synapses [start, stop) of the list by targets up to date."""
    r = rewarded(t, row, network)
    for c in range(start, stop):
        catch_up(first + network.plastic.numbered[c], r, network.synapses.weights)


# What fills the holes of a visit.


def begin_row(a: int, z: int, c: Synapses) -> None:
    """Bring the weights [a, z) up to date."""
    catch_up_range(a, z, c.rewarded, c.weights)


def begin_synapse(o: int, c: Synapses) -> None:
    """Bring the weight at ``o`` up to date."""
    catch_up(o, c.rewarded, c.weights)


def fetch_more(o: int, c: Synapses) -> None:
    """Ask for eligibility and the step of the last visit."""
    fetch(c.rewarded.eligible, np.int64(o) + c.rewarded.gap)
    fetch(c.rewarded.since, np.int64(o) + c.rewarded.gap)


def store(o: int, j: int, w: float, d: float, limits: Limits, c: Synapses) -> None:
    """Let a share of the increment be eligible."""
    c.rewarded.eligible[np.int64(o) + c.rewarded.gap] += c.rewarded.share * d


def add(o: int, j: int, w: float, d: float, limits: Limits, sums: int, c: Synapses) -> int:
    """The same in a column."""
    store(o, j, w, d, limits, c)
    return sums


ROWS = {"begin_row": begin_row, "begin_synapse": begin_synapse, "store": store}
COLUMNS = {"visit": {"begin_synapse": begin_synapse, "fetch_more": fetch_more, "add": add}}
