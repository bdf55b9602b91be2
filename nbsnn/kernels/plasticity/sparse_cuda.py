"""Plasticity of one sparse synapse and one trace on a GPU: what ``kernels.plasticity.sparse`` does in loops."""

from typing import Any

from ...scalar.hole import hole
from ..network import tables as at
from .rewarded import bring, waiting
from .synapse import COINCIDENCE, SIGN, advance, change, clip, weigh


@hole
def constants(P, place) -> Any:
    raise NotImplementedError


@hole
def traces_pre(traces, used, n, i) -> Any:
    raise NotImplementedError


@hole
def traces_post(traces, used, n, i) -> Any:
    raise NotImplementedError


def follow(k, i, n, s, traces, carried, used, P, factors):
    """Carry trace ``k`` of unit ``i`` of ``n`` through the spike ``s``."""
    a = carried + k * n + i
    r = advance(traces[a], s, P[factors + 2 * k], P[factors + 2 * k + 1])
    traces[used + k * n + i] = r[0]
    traces[a] = r[1]


def increment(i, j, n, m, w, row, P, traces):
    """What the rule asks for at a synapse of weight ``w``."""
    arrived, spiked, limits = traces[row[at.ARRIVED] + i], traces[row[at.SPIKED] + j], row[at.LIMITS]
    low, high, mu, scale = P[limits], P[limits + 1], P[limits + 2], SIGN * P[limits + 3]
    x, y = traces_pre(traces, row[at.PRE_USED] + i, n, 0), traces_post(traces, row[at.POST_USED] + j, m, 0)
    r = change(w, arrived, spiked, *x, *y, *constants(P, row[at.PARAMS]))
    return weigh(w, scale * r[0], low, high, mu) + weigh(w, scale * r[1], low, high, mu)


def counts(i, j, row, traces):
    """Whether the rule is to be asked: not at a coincidence that is ignored."""
    return COINCIDENCE or traces[row[at.ARRIVED] + i] == 0.0 or traces[row[at.SPIKED] + j] == 0.0


def at_once(i, j, n, m, o, row, t, P, traces, weights, late):
    """The synapse from ``i`` to ``j``, whose weight is at ``o``, changes."""
    if counts(i, j, row, traces):
        w = weights[o]
        d = increment(i, j, n, m, w, row, P, traces)
        weights[o] = clip(w + d, P[row[at.LIMITS]], P[row[at.LIMITS] + 1])


def in_time(i, j, n, m, o, row, t, P, traces, weights, late):
    """The same for a rule whose increments wait for a reward."""
    waits = waiting(t, row, P, late)
    bring(o, waits, weights)
    if counts(i, j, row, traces):
        late[0][0][o + row[at.GAP]] += waits[4] * increment(i, j, n, m, weights[o], row, P, traces)
