"""Loops over spikes and synapses for plasticity, for any rule.

The weights are ``w`` [n_pre, n_post]. A step visits the rows of presynaptic units that spiked and, in the other rows,
the columns of postsynaptic units that spiked; no other synapse is touched. Spikes are [T, B, N], the values of traces
[K, T, B, N]. What the samples of a batch ask for is added up before the weight changes.
"""

from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole
from .synapse import (
    COINCIDENCE,
    Limits,
    advance,
    change,
    clip,
    constants,
    decayed,
    increment,
    integer_rule,
    limits_of,
    synapse,
    top_bits,
    traces_post,
    traces_pre,
    weighed,
)


class Found(NamedTuple):
    """Spikes x [B, N] at known places: those of sample b are ``where[begin[b]:begin[b + 1]]``."""

    begin: np.ndarray
    where: np.ndarray


@hole
def put(w: np.ndarray, dw: np.ndarray, i: int, j: int, d: float, limits: Limits) -> None:
    """What becomes of the increment ``d`` of a synapse."""
    raise NotImplementedError


@hole
def draw(given: np.ndarray, key: np.uint64, t: int, step: int, unit: int) -> int:
    """The random integer of synapse ``unit`` at step t of a run that began at ``step``."""
    raise NotImplementedError


def follow(s: np.ndarray, a: np.ndarray, used: np.ndarray, decay: float, amount: float) -> None:
    """Carry the trace ``a`` [n] through the spikes ``s`` [T, n]; ``used[t]`` is what a rule sees at step t."""
    for t in range(s.shape[0]):
        for n in range(s.shape[1]):
            r = advance(a[n], s[t, n], decay, amount)
            used[t, n] = r[0]
            a[n] = r[1]


def spiked(s: np.ndarray, t: int, n: int) -> bool:
    """True if unit ``n`` spikes at step ``t`` in any sample."""
    for b in range(s.shape[1]):  # noqa: SIM110 (Numba compiles no generator here)
        if s[t, b, n] != 0.0:
            return True
    return False


def visit(
    t0: int, t1: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, P: np.ndarray, L: np.ndarray,
    columns: np.ndarray, w: np.ndarray, dw: np.ndarray,
) -> None:  # fmt: skip
    """Visit the synapses of the units that spike at steps [t0, t1), and ``put`` their increments.

    An increment is the sum of ``change`` over the samples in which the synapse has a spike, weighed by the bound. P
    [params, 1]; L holds w_min, w_max, mu and a factor of all increments; ``columns`` [n_post] is scratch.
    """
    p, limits = constants(P, 0), limits_of(L)
    for t in range(t0, t1):
        count = 0
        for j in range(w.shape[1]):
            if spiked(post, t, j):
                columns[count] = j
                count += 1
        for i in range(w.shape[0]):
            row = spiked(pre, t, i)
            # The body stands here and not in a function of its own: passing the arrays costs four times its work.
            for k in range(w.shape[1] if row else count):
                j = k if row else columns[k]
                on_post = 0.0
                on_pre = 0.0
                for b in range(pre.shape[1]):
                    s, q = pre[t, b, i], post[t, b, j]
                    if (s != 0.0 or q != 0.0) and (COINCIDENCE or s == 0.0 or q == 0.0):
                        r = change(w[i, j], s, q, *traces_pre(X, t, b, i), *traces_post(Y, t, b, j), *p)
                        on_post += r[0]
                        on_pre += r[1]
                put(w, dw, i, j, weighed(w[i, j], on_post, on_pre, limits), limits)


def visit_one(
    pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, P: np.ndarray, L: np.ndarray, rows: Found,
    columns: Found, w: np.ndarray, dw: np.ndarray,
) -> None:  # fmt: skip
    """Variant of ``visit`` for one step of one sample, whose spikes are at known places, so that loops vectorise."""
    p, limits = constants(P, 0), limits_of(L)
    for k in range(rows.begin[1]):
        i = rows.where[k]
        s, x = pre[0, 0, i], traces_pre(X, 0, 0, i)
        for j in range(np.uintp(0), np.uintp(w.shape[1])):
            q = post[0, 0, j]
            r = change(w[i, j], s, q, *x, *traces_post(Y, 0, 0, j), *p)
            counted = COINCIDENCE or q == 0.0
            on_post, on_pre = r[0] if counted else 0.0, r[1] if counted else 0.0
            put(w, dw, i, j, weighed(w[i, j], on_post, on_pre, limits), limits)
    for k in range(columns.begin[1]):
        j = columns.where[k]
        q, y = post[0, 0, j], traces_post(Y, 0, 0, j)
        for i in range(np.uintp(0), np.uintp(w.shape[0])):
            if pre[0, 0, i] == 0.0:
                put(w, dw, i, j, increment(w[i, j], 0.0, q, traces_pre(X, 0, 0, i), y, p, limits), limits)


def into_weights(w: np.ndarray, dw: np.ndarray, i: int, j: int, d: float, limits: Limits) -> None:
    """Filling of ``put``: change the weight."""
    w[i, j] = clip(w[i, j] + d, limits.low, limits.high)


def into_increments(w: np.ndarray, dw: np.ndarray, i: int, j: int, d: float, limits: Limits) -> None:
    """Filling of ``put``: leave the weight and note the increment."""
    dw[i, j] = d


def integer(
    pre: np.ndarray, post: np.ndarray, thresh: np.ndarray, a: np.ndarray, c: np.ndarray, r_pre: np.ndarray,
    r_post: np.ndarray, keys: np.ndarray, step: int, P: np.ndarray, columns: np.ndarray, w: np.ndarray,
) -> None:  # fmt: skip
    """Steps of an integer rule: pre [T, n_pre], post and thresh [T, n_post], traces a and c in place.

    ``P`` holds the rule's numbers. The first step visits all synapses, as it clips weights that came from outside the
    bounds; later steps visit rows and columns with spikes and columns to be halved.
    """
    rule, n_post = integer_rule(P), w.shape[1]
    for t in range(pre.shape[0]):
        for i in range(w.shape[0]):
            a[i] = decayed(a[i], pre[t, i], rule)
        count = 0
        for j in range(n_post):
            c[j] = decayed(c[j], post[t, j], rule)
            if t == 0 or post[t, j] != 0 or thresh[t, j] > rule.max_threshold:
                columns[count] = j
                count += 1
        for i in range(w.shape[0]):
            row = pre[t, i] != 0
            for k in range(n_post if row else count):
                j = k if row else columns[k]
                unit = i * n_post + j
                w[i, j] = synapse(
                    w[i, j], pre[t, i], post[t, j], a[i], c[j],
                    draw(r_pre, keys[0], t, step, unit) if row else 0,
                    draw(r_post, keys[1], t, step, unit) if post[t, j] != 0 else 0,
                    1 if thresh[t, j] > rule.max_threshold else 0, rule,
                )  # fmt: skip


def given_draws(given: np.ndarray, key: np.uint64, t: int, step: int, unit: int) -> int:
    """Filling of ``draw``: random integers that somebody else drew, [T, n_pre * n_post]."""
    return given[t, unit]


def counted_draws(given: np.ndarray, key: np.uint64, t: int, step: int, unit: int) -> int:
    """Filling of ``draw``: the top ``given[0, 0]`` bits of the counter generator's number at (step + t, unit)."""
    return top_bits(given[0, 0], key, step + t, unit)
