"""Plasticity of one sparse synapse and one trace on a GPU: what ``kernels.plasticity.sparse`` does in loops."""

from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole
from ..network import tables as at
from ..network.arrays import Network
from .rewarded import catch_up, rewarded
from .synapse import COINCIDENCE, advance, clip, increment, limits_of


class Place(NamedTuple):
    """A synapse: its source of ``n`` units, its target of ``m``, the place of its weight, and its row of the table."""

    i: int
    j: int
    n: int
    m: int
    o: int
    row: np.ndarray


@hole
def constants(P: np.ndarray, place: int) -> tuple[float, ...]:
    raise NotImplementedError


@hole
def traces_pre(traces: np.ndarray, used: int, n: int, i: int) -> tuple[float, ...]:
    raise NotImplementedError


@hole
def traces_post(traces: np.ndarray, used: int, n: int, i: int) -> tuple[float, ...]:
    raise NotImplementedError


def follow(k: int, i: int, n: int, s: float, carried: int, used: int, factors: int, network: Network) -> None:
    """Carry trace ``k`` of unit ``i`` of ``n`` through the spike ``s``."""
    traces, P = network.plastic.traces, network.values.numbers
    a = carried + k * n + i
    r = advance(traces[a], s, P[factors + 2 * k], P[factors + 2 * k + 1])
    traces[used + k * n + i] = r[0]
    traces[a] = r[1]


def increment_of(w: float, s: Place, network: Network) -> float:
    """Increment of a weight."""
    traces, P, row = network.plastic.traces, network.values.numbers, s.row
    limits = limits_of(P[row[at.LIMITS] : row[at.LIMITS] + 4])
    x, y = traces_pre(traces, row[at.PRE_USED] + s.i, s.n, 0), traces_post(traces, row[at.POST_USED] + s.j, s.m, 0)
    arrived, spiked = traces[row[at.ARRIVED] + s.i], traces[row[at.SPIKED] + s.j]
    return increment(w, arrived, spiked, x, y, constants(P, row[at.PARAMS]), limits)


def counts(s: Place, traces: np.ndarray):
    """True if the rule is to be increment_of: not at a coincidence that is ignored."""
    return COINCIDENCE or traces[s.row[at.ARRIVED] + s.i] == 0.0 or traces[s.row[at.SPIKED] + s.j] == 0.0


def at_once(s: Place, t: int, network: Network) -> None:
    """A synapse changes."""
    weights, P = network.synapses.weights, network.values.numbers
    if counts(s, network.plastic.traces):
        w = weights[s.o]
        weights[s.o] = clip(w + increment_of(w, s, network), P[s.row[at.LIMITS]], P[s.row[at.LIMITS] + 1])


def in_time(s: Place, t: int, network: Network) -> None:
    """Variant for a rule whose increments wait for a reward."""
    weights, r = network.synapses.weights, rewarded(t, s.row, network)
    catch_up(s.o, r, weights)
    if counts(s, network.plastic.traces):
        r.eligible[s.o + r.gap] += r.share * increment_of(weights[s.o], s, network)
