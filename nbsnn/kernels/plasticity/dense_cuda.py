"""Traces and synapses of a dense plastic layer on a GPU: ``kernels.plasticity.dense`` and ``settle``, step by step.

Each function does a thread's share of one step: the traces of its units, or its synapses, which neighbouring threads
have in a row. Arrays are those of the CPU's loops: w [n_pre, n_post], spikes [B, N], traces in use [K, 1, B, N].
"""

from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from ...scalar.hole import hole
from .bounds import BEFORE_CLIP, BOUNDED, CLIP_ALL, GUARD
from .dense import draw
from .synapse import (
    COINCIDENCE,
    Limits,
    Numbers,
    advance,
    change,
    clip,
    constants,
    decayed,
    integer_rule,
    limits_of,
    synapse,
    traces_post,
    traces_pre,
    weighed,
)

WHOLE = 0  # whether increments are noted, for what concerns all weights


class Increments(NamedTuple):
    """Increments of this step and, if they are added one step late, of the one before: [slots, n_pre, n_post]; the
    total of the weights onto a unit; the number of the first step, and of the first after which it is restored."""

    dw: np.ndarray
    total: float
    step: int
    first: int


class Rewards(NamedTuple):
    """Increments of the latest step and eligibility [B, n_pre, n_post], rewards [T, B]; what is left of eligibility
    after a step, the share of an increment that becomes eligible, and a factor of all changes."""

    zeta: np.ndarray
    eligible: np.ndarray
    rewards: np.ndarray
    decay: float
    share: float
    gain: float


class Rounding(NamedTuple):
    """Thresholds, of which step t has row t + ``later``, and random integers as given, or the keys to draw them from
    ``step`` on."""

    thresh: np.ndarray
    later: int
    r_pre: np.ndarray
    r_post: np.ndarray
    keys: np.ndarray
    step: int


@hole
def faded(e: float, zeta: float, decay: float, share: float) -> float:
    """Eligibility after a step."""
    raise NotImplementedError


def follow_unit(k: int, b: int, n: int, s: float, a: np.ndarray, used: np.ndarray, D: np.ndarray) -> None:
    """Carry trace ``k`` of unit ``n`` of sample ``b`` through the spike ``s``."""
    r = advance(a[k, b, n], s, D[k, 0], D[k, 1])
    used[k, 0, b, n] = r[0]
    a[k, b, n] = r[1]


def asked(
    i: int, j: int, w: float, b0: int, b1: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray,
    p: tuple, limits: Limits,
) -> tuple[float, bool]:  # fmt: skip
    """Increments of samples [b0, b1) at synapse (i, j), and whether one of its units spikes."""
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
    return weighed(w, on_post, on_pre, limits), met


# Fillings of ``layer_cuda.synapses``: what step t does to the synapses.


def pair_synapses(
    part: int, parts: int, t: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, rule: Numbers,
    w: np.ndarray, noted: tuple[Any, ...],
) -> None:  # fmt: skip
    """The synapses of the units that spike: they change, or what they gain is noted."""
    p, limits, new = constants(rule.params, 0), limits_of(rule.limits), noted[0]
    columns: int = w.shape[1]
    for e in range(part, w.shape[0] * columns, parts):
        i, j = e // columns, e % columns
        d, met = asked(i, j, w[i, j], 0, pre.shape[0], pre, post, X, Y, p, limits)
        if WHOLE:
            new[t % new.shape[0], i, j] = d if met else 0.0
        elif met:
            w[i, j] = clip(w[i, j] + d, limits.low, limits.high)


def rewarded_synapses(
    part: int, parts: int, t: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, rule: Numbers,
    w: np.ndarray, noted: Rewards,
) -> None:  # fmt: skip
    """Eligible increments are rewarded; those of this step become eligible."""
    zeta, eligible, rewards, decay, share, gain = noted
    p, limits, batch = constants(rule.params, 0), limits_of(rule.limits), pre.shape[0]
    columns: int = w.shape[1]
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
        w[i, j] = clip(value, limits.low, limits.high) if BOUNDED and (CLIP_ALL or d != 0.0) else value
        for b in range(batch):
            z, met = asked(i, j, w[i, j], b, b + 1, pre, post, X, Y, p, limits)
            zeta[b, i, j] = z if met else 0.0


def integer_synapses(
    part: int, parts: int, t: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, rule: np.ndarray,
    w: np.ndarray, noted: Rounding,
) -> None:  # fmt: skip
    """The integer rule: every synapse is visited, as its unit's threshold may have it halved."""
    columns: int = w.shape[1]
    numbers = integer_rule(rule)
    thresh, later, r_pre, r_post, keys, step = noted
    for e in range(part, w.shape[0] * columns, parts):
        i, j = e // columns, e % columns
        s, q = pre[0, i], post[0, j]
        w[i, j] = synapse(
            w[i, j], s, q, X[0, 0, 0, i], Y[0, 0, 0, j],
            draw(r_pre, keys[0], t, step, e) if s != 0 else 0,
            draw(r_post, keys[1], t, step, e) if q != 0 else 0,
            1 if thresh[t + later, 0, j] > numbers.max_threshold else 0, numbers,
        )  # fmt: skip


def follow_integer(k: int, b: int, n: int, s: int, a: np.ndarray, used: np.ndarray, D: np.ndarray) -> None:
    """As ``follow_unit``, for the trace of the integer rule."""
    a[k, b, n] = decayed(a[k, b, n], s, integer_rule(D))
    used[k, 0, b, n] = a[k, b, n]


# Fillings of ``layer_cuda.settle``: what ends a step.


def settle(part: int, parts: int, t: int, w: np.ndarray, rule: Numbers, noted: Increments) -> None:
    """Add what was noted, bound and normalise, column by column: the sum runs down the rows in order."""
    dw, total, step, first = noted
    low, high, old = rule.limits[0], rule.limits[1], (t + 1) % dw.shape[0]
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


def normalize(w: np.ndarray, j: int, total: float) -> None:
    """Scale column ``j`` to a total of absolute values."""
    size = abs(w[0, j])
    for i in range(1, w.shape[0]):
        size += abs(w[i, j])
    if not GUARD or size != 0.0:
        for i in range(w.shape[0]):
            w[i, j] = total * w[i, j] / size


def normalize_all(lo: int, hi: int, w: np.ndarray, total: float) -> None:
    """Scale the columns [lo, hi)."""
    j = lo + cuda.grid(1)  # type: ignore[call-arg]
    if j < hi:
        normalize(w, j, total)


def no_settle(part: int, parts: int, t: int, w: np.ndarray, rule: Numbers, noted: tuple[Any, ...]) -> None:
    """Stand-in for ``settle`` where nothing concerns all weights."""
