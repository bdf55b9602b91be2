"""Tempotrons over time, event by event: their maximum, their course, and the reverse of both.

A sweep carries, for each output, the decayed sums ``m`` (slow) and ``s`` (fast) of the weights that have arrived, so a
sample costs time and memory for its events and not for steps. Membranes here lack the factor v0; the reverse sweeps
return derivatives of membranes without it, too.

Events at the same time arrive together. Loops cover the samples [lo, hi), which do not touch each other. ``weight`` is
[N, O]; ``work`` [4, O] is scratch.
"""

from math import exp
from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole

TIMES = 0  # whether the reverse sweeps also fill the derivative with respect to the times of the input spikes


class Constants(NamedTuple):
    """Time constants of membrane and synapse, and the end of the window, in the precision of the weights."""

    tau: float
    tau_s: float
    T: float


class Spikes(NamedTuple):
    """Input spikes: those of sample ``b`` are ``begin[b] ... end[b] - 1`` of ``time`` and ``pre`` (the input's number),
    in the order of time."""

    begin: np.ndarray
    end: np.ndarray
    time: np.ndarray
    pre: np.ndarray


class Maxima(NamedTuple):
    """The largest membrane in [0, T], at least 0, and when it is first reached, each [B, O].

    The events from ``begin[b]`` up to ``n_before``, exclusive, came before. ``left_slope``: the slope from the left, if
    the maximum is a kink at the event ``n_before``, else 0.
    """

    v: np.ndarray
    t: np.ndarray
    n_before: np.ndarray
    left_slope: np.ndarray


@hole
def stationary(m: float, s: float, tau: float, tau_s: float) -> float:
    """Time at which the slope of a membrane vanishes; filled."""
    raise NotImplementedError("stationary is a hole; compile.kernel fills it")


@hole
def rise(m: float, s: float, level: float, tau: float, tau_s: float) -> float:
    """Time at which a membrane gets to a level; filled."""
    raise NotImplementedError("rise is a hole; compile.kernel fills it")


def turns(m: float, s: float, dm: float, ds: float, tau: float, tau_s: float) -> bool:
    """True if a membrane has a maximum while its sums fall by the factors ``dm`` and ``ds``."""
    return (s * tau > m * tau_s) & (s * ds * tau < m * dm * tau_s)


def slope_of(m: float, s: float, tau: float, tau_s: float) -> float:
    """The slope of a membrane."""
    return s / tau_s - m / tau


def rises(m: float, s: float, m1: float, s1: float, level: float, tau: float, tau_s: float) -> bool:
    """True if a membrane gets to a level while its sums fall from ``m`` and ``s`` to ``m1`` and ``s1``."""
    if m > 0.0 and s * tau > m * tau_s and m > level:
        top = m1 - s1
        if s1 * tau < m1 * tau_s:
            top = (1.0 - tau_s / tau) * m * exp(-stationary(m, s, tau, tau_s) / tau)
        return top >= level
    return False


def advance(now: float, t: float, e: int, b: int, constants: Constants, work: np.ndarray, found: Maxima) -> None:
    """Let the membranes decay from ``now`` to ``t``, the time of event ``e``, and note maxima on the way."""
    tau, tau_s, _ = constants
    v_max, t_max, n_before, left_slope = found
    n_out = np.uintp(work.shape[1])
    dm, ds = exp(-(t - now) / tau), exp(-(t - now) / tau_s)
    share = 1.0 - tau_s / tau  # a maximum is this share of what m has decayed to
    inside = 0
    for o in range(n_out):
        m, s = work[0, o], work[1, o]
        inside |= turns(m, s, dm, ds, tau, tau_s) & (m * share > v_max[b, o])
    if inside:
        for o in range(n_out):
            m, s = work[0, o], work[1, o]
            if turns(m, s, dm, ds, tau, tau_s) & (m * share > v_max[b, o]):
                d = stationary(m, s, tau, tau_s)
                v = share * m * exp(-d / tau)
                if v > v_max[b, o]:
                    v_max[b, o], t_max[b, o], n_before[b, o], left_slope[b, o] = v, now + d, e, 0.0
    for o in range(n_out):
        m, s = work[0, o] * dm, work[1, o] * ds
        work[0, o] = m
        work[1, o] = s
        better = m - s > v_max[b, o]
        v_max[b, o] = m - s if better else v_max[b, o]
        t_max[b, o] = t if better else t_max[b, o]
        n_before[b, o] = e if better else n_before[b, o]
        left_slope[b, o] = slope_of(m, s, tau, tau_s) if better else left_slope[b, o]


def sweep(b: int, constants: Constants, spikes: Spikes, weight: np.ndarray, work: np.ndarray, found: Maxima) -> None:
    """Find the maxima of the membranes of one sample."""
    first: int = spikes.begin[b]
    last: int = spikes.end[b]
    time, pre, T, n_out = spikes.time, spikes.pre, constants.T, np.uintp(weight.shape[1])
    for o in range(n_out):
        work[0, o] = work[1, o] = 0.0
        found.v[b, o] = found.t[b, o] = found.left_slope[b, o] = 0.0
        found.n_before[b, o] = first
    now, e = time[first] if first < last else T, first
    while e < last:
        t = time[e]
        advance(now, t, e, b, constants, work, found)
        for o in range(n_out):
            work[2, o] = 0.0
        while e < last and time[e] == t:
            row = pre[e]
            for o in range(n_out):
                work[2, o] += weight[row, o]
            e += 1
        for o in range(n_out):
            work[0, o] += work[2, o]
            work[1, o] += work[2, o]
        now = t
    advance(now, T, last, b, constants, work, found)


def scratch(weight: np.ndarray) -> np.ndarray:
    """Room for the sums of all outputs."""
    return np.empty((4, weight.shape[1]), weight.dtype)


def forward(lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, found: Maxima) -> None:
    """Fill ``found``."""
    work = scratch(weight)
    for b in range(lo, hi):
        sweep(b, constants, spikes, weight, work, found)


def crossings(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, level: float, t_max: np.ndarray,
    fires: np.ndarray, spike_time: np.ndarray,
) -> None:  # fmt: skip
    """Fill ``spike_time``, where ``fires`` is not 0, with the first time at which the membrane is at ``level``."""
    tau, tau_s, T = constants
    begin, end, time, pre = spikes
    for b in range(lo, hi):
        for o in range(np.uintp(weight.shape[1])):
            if fires[b, o] == 0.0:
                continue
            spike_time[b, o] = t_max[b, o]  # for a maximum that only rounding lifts to the level
            m, s, now = T * 0.0, T * 0.0, T * 0.0
            for e in range(begin[b], end[b] + 1):
                t = time[e] if e < end[b] else T
                m1, s1 = m * exp(-(t - now) / tau), s * exp(-(t - now) / tau_s)
                if rises(m, s, m1, s1, level, tau, tau_s):
                    spike_time[b, o] = min(now + rise(m, s, level, tau, tau_s), t_max[b, o])
                    break
                m, s, now = m1, s1, t
                if e < end[b]:
                    m += weight[pre[e], o]
                    s += weight[pre[e], o]


def reverse(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, g: np.ndarray, found: Maxima,
    g_weight: np.ndarray, g_time: np.ndarray,
) -> None:  # fmt: skip
    """Add the derivative of ``sum(g * v_max)`` with respect to the weights to ``g_weight``; fill that with respect to
    the times, ``g_time``. ``g`` is [B, O].

    The scratch holds what a spike at the current time would get: adjoint sums that decay as the sweep goes back.
    """
    tau, tau_s, _ = constants
    begin, end, time, _ = spikes
    work, n_out = scratch(weight), np.uintp(weight.shape[1])
    for b in range(lo, hi):
        for o in range(n_out):
            work[0, o] = work[1, o] = 0.0
        stop = end[b]
        now = time[stop - 1] if stop > begin[b] else found.t[b, 0]
        while stop > begin[b]:
            t, start = time[stop - 1], stop - 1
            while start > begin[b] and time[start - 1] == t:
                start -= 1
            dm, ds = exp(-(now - t) / tau), exp(-(now - t) / tau_s)
            for o in range(n_out):
                work[0, o] *= dm
                work[1, o] *= ds
            for o in range(n_out):
                if found.n_before[b, o] == stop and g[b, o] != 0.0:
                    work[0, o] = g[b, o] * exp(-(found.t[b, o] - t) / tau)
                    work[1, o] = g[b, o] * exp(-(found.t[b, o] - t) / tau_s)
            scatter(start, stop, constants, spikes, weight, work, g_weight, g_time)
            if TIMES:
                for o in range(n_out):
                    if found.n_before[b, o] == start:
                        g_time[start] += g[b, o] * found.left_slope[b, o]
            now, stop = t, start


def scatter(
    start: int, stop: int, constants: Constants, spikes: Spikes, weight: np.ndarray, work: np.ndarray,
    g_weight: np.ndarray, g_time: np.ndarray,
) -> None:  # fmt: skip
    """Give the events of one time what ``work`` holds for them."""
    n_out = np.uintp(weight.shape[1])
    for o in range(n_out):
        work[2, o] = work[0, o] - work[1, o]
        work[3, o] = work[0, o] / constants.tau - work[1, o] / constants.tau_s
    for e in range(start, stop):
        row = spikes.pre[e]
        for o in range(n_out):
            g_weight[row, o] += work[2, o]
        if TIMES:
            total = work[3, 0] * weight[row, 0]
            for o in range(1, n_out):
                total += work[3, o] * weight[row, o]
            g_time[e] = total


def membrane(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, at: np.ndarray, v: np.ndarray
) -> None:
    """Fill ``v`` [G, B, O] with the membranes at the times ``at`` [G], ascending."""
    tau, tau_s, _ = constants
    begin, end, time, pre = spikes
    work, n_out = scratch(weight), np.uintp(weight.shape[1])
    for b in range(lo, hi):
        for o in range(n_out):
            work[0, o] = work[1, o] = 0.0
        e, now = begin[b], time[begin[b]] if begin[b] < end[b] else at[0]
        for k in range(at.shape[0]):
            while e < end[b] and time[e] <= at[k]:
                dm, ds = exp(-(time[e] - now) / tau), exp(-(time[e] - now) / tau_s)
                row, now = pre[e], time[e]
                for o in range(n_out):
                    work[0, o] = work[0, o] * dm + weight[row, o]
                    work[1, o] = work[1, o] * ds + weight[row, o]
                e += 1
            late = at[k] - now if e > begin[b] else now - now  # before the first event all is 0
            dm, ds = exp(-late / tau), exp(-late / tau_s)
            for o in range(n_out):
                v[k, b, o] = work[0, o] * dm - work[1, o] * ds


def membrane_reverse(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, at: np.ndarray, g: np.ndarray,
    g_weight: np.ndarray, g_time: np.ndarray,
) -> None:  # fmt: skip
    """Add the derivative of ``sum(g * v)``, ``g`` [G, B, O], with respect to the weights to ``g_weight``; fill that
    with respect to the times, ``g_time``."""
    tau, tau_s, _ = constants
    begin, end, time, _ = spikes
    work, n_out = scratch(weight), np.uintp(weight.shape[1])
    for b in range(lo, hi):
        for o in range(n_out):
            work[0, o] = work[1, o] = 0.0
        k, now = at.shape[0] - 1, at[at.shape[0] - 1]
        for e in range(end[b] - 1, begin[b] - 1, -1):
            t = time[e]
            while k >= 0 and at[k] >= t:
                dm, ds = exp(-(now - at[k]) / tau), exp(-(now - at[k]) / tau_s)
                for o in range(n_out):
                    work[0, o] = work[0, o] * dm + g[k, b, o]
                    work[1, o] = work[1, o] * ds + g[k, b, o]
                now = at[k]
                k -= 1
            if k < at.shape[0] - 1:  # else nothing lies behind this event
                dm, ds = exp(-(now - t) / tau), exp(-(now - t) / tau_s)
                for o in range(n_out):
                    work[0, o] *= dm
                    work[1, o] *= ds
                now = t
            scatter(e, e + 1, constants, spikes, weight, work, g_weight, g_time)
