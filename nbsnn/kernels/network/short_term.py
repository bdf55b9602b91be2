"""Short-term plasticity: what a spike releases depends on the spikes before it (``nbsnn.synapses.short_term``)."""

from ...scalar.hole import hole
from . import tables as at
from .arrays import Network
from .deliver import shares, sources


@hole
def released(u, r, gap, numbers) -> tuple[float, float, float]:
    raise NotImplementedError


def release(part: int, t: int, c: int, network: Network):
    """Step t of entry ``c``: each spike of a thread's share takes what it releases, and leaves it in ``factors``."""
    pops, wires, short = network.tables.pops, network.tables.wires, network.tables.short
    spikes, counts, factors, R = (
        network.spikes.units,
        network.spikes.counts,
        network.spikes.factors,
        network.values.resources,
    )
    wire = short[c, at.WIRE]
    source = wires[wire, at.SOURCE]
    slot, parts = t % spikes.shape[0], counts.shape[2]
    place, n = short[c, at.RESOURCES], pops[source, at.UNITS]
    numbers = R[short[c, at.NUMBERS] : short[c, at.NUMBERS] + 4]
    first, (lo, hi) = shares(t, wire, network.tables), sources(part, n, network)
    for other in range(parts):
        base = pops[source, at.FIRST] + n * other // parts
        for k in range(counts[slot, source, other]):
            unit = spikes[slot, base + k]
            if lo <= unit < hi:
                i = place + unit
                u, r, factor = released(R[i], R[n + i], t - R[2 * n + i], numbers)
                R[i], R[n + i], R[2 * n + i] = u, r, t
                factors[first + unit] = factor
