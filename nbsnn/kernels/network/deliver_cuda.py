"""Spikes along synapses on a GPU: neighbouring threads, a row's *lanes*, serve neighbouring synapses of one spike.

What arrives at a unit is added up by atomic additions, in any order: its last digits may differ from run to run.
"""

from numba import cuda

from . import tables as at
from .deliver import shares


def connection(
    emitted, turn, rows_at_once, lane, lanes, wires, c, pops, spikes, counts, factors, P, bounds, index, weights,
    R, rows, places,
):  # fmt: skip
    """Deliver the spikes ``turn``, ``turn + rows_at_once``, ... of step ``emitted`` along connection ``c``.

    Returns what ``turn`` is for the connection that comes next, so that all spikes of a window are dealt out evenly.
    """
    source, delay, short = wires[c, at.SOURCE], wires[c, at.DELAY], shares(wires, c, pops, emitted)
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
                place = wires[c, at.BOUNDS] + 2 * unit
                for e in range(bounds[place] + lane, bounds[place + 1], lanes):
                    at_ring = row + index[e]  # beyond the last row only where synapses have their own delays
                    value = factor if weight >= 0 else factor * weights[e + shift]
                    cuda.atomic.add(R, at_ring - size if at_ring >= size else at_ring, value)  # type: ignore[call-arg]
            turn += rows_at_once
    return turn - count
