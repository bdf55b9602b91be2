"""Plasticity of sparse synapses, per event: the rows of units whose spike arrives, the columns of units that fire.

The traces of both sides decay in every step, a loop over units; synapses are touched at spikes alone. A thread visits
the synapses onto its own units. What happens at a synapse is that of ``plasticity.visit``, for a batch of one.
"""

from typing import Any

from ...compile.prefetch import AHEAD, fetch
from ...scalar.hole import hole
from .synapse import COINCIDENCE, clip, constants, increment, limits_of, traces_post, traces_pre


@hole
def follow_pre(s, a, used, D) -> Any:
    raise NotImplementedError


@hole
def follow_post(s, a, used, D) -> Any:
    raise NotImplementedError


def follow_source(lo, hi, seen, carried, used, factors):
    """Carry the traces of units [lo, hi) of the source through the spikes ``seen``."""
    follow_pre(seen[lo:hi].reshape(1, -1), carried[:, lo:hi], used[:, :, lo:hi], factors)


def follow_target(lo, hi, seen, carried, used, factors):
    """The same for the target."""
    follow_post(seen[lo:hi].reshape(1, -1), carried[:, lo:hi], used[:, :, lo:hi], factors)


def mark(seen, lo, hi, units):
    """``seen`` is 1 at ``units`` and 0 at the others of [lo, hi)."""
    for i in range(lo, hi):
        seen[i] = 0
    for k in range(units.shape[0]):
        seen[units[k]] = 1


def row_change(i, part, parts, arrived, spiked, X, Y, P, L, late, bounds, index, shift, weights):
    """A spike of source ``i`` has arrived: its synapses onto the units of a thread change."""
    p = constants(P, 0)
    limits = limits_of(L)
    for e in range(bounds[i * (parts + 1) + part], bounds[i * (parts + 1) + part + 1]):
        j = index[e]
        if COINCIDENCE or spiked[j] == 0:
            w = weights[e + shift]
            d = increment(w, arrived[i], spiked[j], traces_pre(X, 0, 0, i), traces_post(Y, 0, 0, j), p, limits)
            weights[e + shift] = clip(w + d, limits.low, limits.high)


def column_change(j, arrived, spiked, X, Y, P, L, late, start, source, synapse, base, weights):
    """Target ``j`` has fired: the synapses onto it change, except those whose row has been visited."""
    p = constants(P, 0)
    limits = limits_of(L)
    for c in range(start[j], start[j + 1]):
        fetch(weights, base + synapse[min(c + AHEAD, start[j + 1] - 1)])
        i = source[c]
        if arrived[i] == 0:
            e = base + synapse[c]
            w = weights[e]
            d = increment(w, arrived[i], spiked[j], traces_pre(X, 0, 0, i), traces_post(Y, 0, 0, j), p, limits)
            weights[e] = clip(w + d, limits.low, limits.high)
