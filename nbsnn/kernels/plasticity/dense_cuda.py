"""Traces and synapses of a dense plastic layer on a GPU: ``kernels.plasticity.dense`` and ``settle``, step by step.

Each function does a thread's share of one step: the traces of its units, or its synapses, which neighbouring threads
have in a row. Arrays are those of the CPU's loops: w [n_pre, n_post], spikes [B, N], traces in use [K, 1, B, N].
"""

from typing import Any

from numba import cuda

from ...scalar.hole import hole
from .bounds import BEFORE_CLIP, BOUNDED, CLIP_ALL, GUARD
from .dense import draw
from .synapse import (
    COINCIDENCE,
    SIGN,
    advance,
    change,
    clip,
    constants,
    decayed,
    synapse,
    traces_post,
    traces_pre,
    weigh,
)

WHOLE = 0  # whether increments are noted, for what concerns all weights


@hole
def faded(e, zeta, decay, share) -> Any:
    raise NotImplementedError


def follow(k, b, n, s, a, used, D):
    """Carry trace ``k`` of unit ``n`` of sample ``b`` through the spike ``s``."""
    r = advance(a[k, b, n], s, D[k, 0], D[k, 1])
    used[k, 0, b, n] = r[0]
    a[k, b, n] = r[1]


def wanted(i, j, w, b0, b1, pre, post, X, Y, p, L):
    """What the samples [b0, b1) ask for at synapse (i, j), and whether one of its units spikes."""
    low, high, mu, scale = L[0], L[1], L[2], SIGN * L[3]
    on_post, on_pre = 0.0, 0.0
    met = False
    for b in range(b0, b1):
        s, q = pre[b, i], post[b, j]
        if s != 0.0 or q != 0.0:
            met = True
            if COINCIDENCE or s == 0.0 or q == 0.0:
                r = change(w, s, q, *traces_pre(X, 0, b, i), *traces_post(Y, 0, b, j), *p)
                on_post += r[0]
                on_pre += r[1]
    return weigh(w, scale * on_post, low, high, mu) + weigh(w, scale * on_pre, low, high, mu), met


def visit(part, parts, t, pre, post, X, Y, rule, w, noted):
    """The synapses of the units that spike: they change, or what they gain is noted."""
    P, L = rule
    p, columns, new = constants(P, 0), w.shape[1], noted[0]
    for e in range(part, w.shape[0] * columns, parts):
        i, j = e // columns, e % columns
        d, met = wanted(i, j, w[i, j], 0, pre.shape[0], pre, post, X, Y, p, L)
        if WHOLE:
            new[t % new.shape[0], i, j] = d if met else 0.0
        elif met:
            w[i, j] = clip(w[i, j] + d, L[0], L[1])


def settle(part, parts, t, w, rule, noted):
    """Add what was noted, bound and normalise, column by column: the sum runs down the rows in order."""
    dw, total, step, first = noted
    low, high, old = rule[1][0], rule[1][1], (t + 1) % dw.shape[0]
    due = step + t >= first
    # Without increments of its own a weight can be out of bounds at the start, and after a normalisation.
    cut = CLIP_ALL and (due or t == 0 or step + t > first)
    for j in range(part, w.shape[1], parts):
        if due and BEFORE_CLIP:
            for i in range(w.shape[0]):
                w[i, j] += dw[old, i, j]
            normalize(w, j, total)
        for i in range(w.shape[0]):
            d = dw[old, i, j]
            value = w[i, j] if due and BEFORE_CLIP else w[i, j] + d
            w[i, j] = clip(value, low, high) if BOUNDED and (cut or d != 0.0) else value
        if due and not BEFORE_CLIP:
            normalize(w, j, total)


def normalize(w, j, total):
    """Scale column ``j`` to a total of absolute values."""
    size = abs(w[0, j])
    for i in range(1, w.shape[0]):
        size += abs(w[i, j])
    if not GUARD or size != 0.0:
        for i in range(w.shape[0]):
            w[i, j] = total * w[i, j] / size


def normalize_all(lo, hi, w, total):
    """Scale the columns [lo, hi)."""
    j = lo + cuda.grid(1)  # type: ignore[call-arg]
    if j < hi:
        normalize(w, j, total)


def no_settle(part, parts, t, w, rule, noted):
    """In the place of ``settle`` where nothing concerns all weights."""


def reward(part, parts, t, pre, post, X, Y, rule, w, noted):
    """Eligible increments [B, n_pre, n_post] are rewarded; those of this step become eligible."""
    P, L = rule
    zeta, eligible, rewards, (decay, share, gain) = noted
    p, columns, batch = constants(P, 0), w.shape[1], pre.shape[0]
    for e in range(part, w.shape[0] * columns, parts):
        i, j = e // columns, e % columns
        d = 0.0
        for b in range(batch):
            if eligible.shape[0] > 0:
                eligible[b, i, j] = faded(eligible[b, i, j], zeta[b, i, j], decay, share)
                d += rewards[t, b] * eligible[b, i, j]
            else:
                d += rewards[t, b] * zeta[b, i, j]
        d = gain * d
        value = w[i, j] + d
        w[i, j] = clip(value, L[0], L[1]) if BOUNDED and (CLIP_ALL or d != 0.0) else value
        for b in range(batch):
            z, met = wanted(i, j, w[i, j], b, b + 1, pre, post, X, Y, p, L)
            zeta[b, i, j] = z if met else 0.0


def integer(part, parts, t, pre, post, X, Y, rule, w, noted):
    """The integer rule: every synapse is visited, as its unit's threshold may have it halved."""
    P, columns = rule[0], w.shape[1]
    thresh, later, r_pre, r_post, keys, step = noted
    for e in range(part, w.shape[0] * columns, parts):
        i, j = e // columns, e % columns
        s, q = pre[0, i], post[0, j]
        w[i, j] = synapse(
            w[i, j], s, q, X[0, 0, 0, i], Y[0, 0, 0, j],
            draw(r_pre, keys[0], t, step, e) if s != 0 else 0,
            draw(r_post, keys[1], t, step, e) if q != 0 else 0,
            P[1], P[2], P[0], 1 if thresh[t + later, 0, j] > P[8] else 0, P[3], P[4],
        )  # fmt: skip


def follow_integer(k, b, n, s, a, used, D):
    """As ``follow``, for the trace of the integer rule."""
    a[k, b, n] = decayed(a[k, b, n], s, D[0], D[1], D[2])
    used[k, 0, b, n] = a[k, b, n]
