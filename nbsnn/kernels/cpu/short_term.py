"""Short-term plasticity: what a spike releases depends on the spikes before it (``nbsnn.synapses.short_term``)."""

from typing import Any

from ...hole import hole
from . import tables as at


@hole
def released(u, r, gap, numbers) -> Any:
    raise NotImplementedError


def release(part, t, pops, wires, short, spikes, counts, values, factors):
    """Step t of one connection: each spike of a thread's own units takes its share, and leaves it in ``factors``."""
    wire = wires[short[at.WIRE]]
    pop = pops[wire[at.SOURCE]]
    slot, parts = t % spikes.shape[0], counts.shape[2]
    R, place, n = values[11], short[at.RESOURCES], pop[at.UNITS]
    base = pop[at.FIRST] + n * part // parts
    for k in range(counts[slot, wire[at.SOURCE], part]):
        i = place + spikes[slot, base + k]
        u, r, factor = released(R[i], R[n + i], t - R[2 * n + i], R[short[at.NUMBERS] : short[at.NUMBERS] + 4])
        R[i], R[n + i], R[2 * n + i] = u, r, t
        factors[wire[at.SHORT] + spikes[slot, base + k]] = factor
