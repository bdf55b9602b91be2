"""Spikes along synapses on a GPU: neighbouring threads, a row's *lanes*, serve neighbouring synapses of one spike.

What arrives at a unit is added up by atomic additions, in any order: its last digits may differ from run to run.
"""

from numba import cuda

from . import tables as at
from .arrays import Network
from .deliver import shares


def connection(emitted: int, turn, rows_at_once: int, lane: int, lanes: int, c: int, network: Network):
    """Deliver the spikes ``turn``, ``turn + rows_at_once``, ... of step ``emitted`` along connection ``c``.

    Returns what ``turn`` is for the connection that comes next, so that all spikes of a window are dealt out evenly.
    """
    pops, wires, P = network.tables.pops, network.tables.wires, network.values.numbers
    spikes, counts, factors = network.spikes.units, network.spikes.counts, network.spikes.factors
    bounds, index, weights, _ = network.synapses
    R, rows, places = network.ring
    source, delay, short = wires[c, at.SOURCE], wires[c, at.DELAY], shares(emitted, c, network.tables)
    slot = emitted % spikes.shape[0]
    count, base = counts[slot, source], pops[source, at.FIRST]
    if turn < count:
        weight, shift, size = wires[c, at.WEIGHT], wires[c, at.SHIFT], rows * places
        row = ((emitted + 1 + max(delay, 0)) % rows) * places + (wires[c, at.TARGET_ROW] if delay >= 0 else 0)
        while turn < count:
            unit = spikes[slot, base + turn]
            if wires[c, at.FROM] <= unit < wires[c, at.TO]:
                factor = factors[short + unit] if short >= 0 else 1.0
                if weight >= 0:
                    factor = factor * P[weight]
                place = wires[c, at.BOUNDS] + unit
                for e in range(bounds[place] + lane, bounds[place + 1], lanes):
                    at_ring = row + index[e]  # beyond the last row only where synapses have their own delays
                    value = factor if weight >= 0 else factor * weights[e + shift]
                    cuda.atomic.add(R, at_ring - size if at_ring >= size else at_ring, value)  # type: ignore[call-arg]
            turn += rows_at_once
    return turn - count
