"""Short-term plasticity on a GPU: the thread of a unit that spikes lets its synapses release what they have."""

from . import tables as at
from .arrays import Network
from .deliver import shares
from .short_term import released


def release(i: int, t: int, k: int, network: Network) -> None:
    """A spike of unit ``i`` of population ``k`` takes its share in each connection, and leaves it in ``factors``."""
    wires, short, R = network.tables.wires, network.tables.short, network.values.resources
    n = network.tables.pops[k, at.UNITS]
    for c in range(short.shape[0]):
        wire, o = short[c, at.WIRE], short[c, at.NUMBERS]
        if wires[wire, at.SOURCE] == k:
            e = short[c, at.RESOURCES] + i
            u, r, factor = released(R[e], R[n + e], t - R[2 * n + e], (R[o], R[o + 1], R[o + 2]))
            R[e], R[n + e], R[2 * n + e] = u, r, t
            network.spikes.factors[shares(t, wire, network.tables) + i] = factor
