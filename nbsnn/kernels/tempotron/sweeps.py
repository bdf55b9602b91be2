"""Tempotrons over time, event by event: their maximum, their course, and the reverse of both.

The events of sample ``b`` are ``begin[b] ... end[b] - 1`` of the arrays ``time`` and ``pre`` (the input's number), in
the order of time. A sweep carries, for each output, the decayed sums ``m`` (slow) and ``s`` (fast) of the weights
that have arrived, so a sample costs time and memory for its events and not for steps. Membranes here lack the factor
v0; the reverse sweeps return derivatives of membranes without it, too.

Events at the same time arrive together. Loops cover the samples [b0, b1), which do not touch each other. ``n_out`` is
the number of outputs O, unsigned. ``work`` [4, O] is scratch.
"""

from math import exp
from typing import Any

from ...scalar.hole import hole

TIMES = 0  # whether the reverse sweeps also fill the derivative by the times of the input spikes


@hole
def stationary(m: float, s: float, tau: float, tau_s: float) -> float:
    """Where the slope of a membrane vanishes; filled."""
    raise NotImplementedError("stationary is a hole; compile.kernel fills it")


@hole
def rise(m: float, s: float, level: float, tau: float, tau_s: float) -> float:
    """When a membrane gets to a level; filled."""
    raise NotImplementedError("rise is a hole; compile.kernel fills it")


def turns(m: float, s: float, dm: float, ds: float, tau: float, tau_s: float) -> bool:
    """Whether a membrane has a maximum while its sums fall by the factors ``dm`` and ``ds``."""
    return (s * tau > m * tau_s) & (s * ds * tau < m * dm * tau_s)


def slope_of(m: float, s: float, tau: float, tau_s: float) -> float:
    """The slope of a membrane."""
    return s / tau_s - m / tau


def rises(m: float, s: float, m1: float, s1: float, level: float, tau: float, tau_s: float) -> bool:
    """Whether a membrane gets to a level while its sums fall from ``m`` and ``s`` to ``m1`` and ``s1``."""
    if m > 0.0 and s * tau > m * tau_s and m > level:
        top = m1 - s1
        if s1 * tau < m1 * tau_s:
            top = (1.0 - tau_s / tau) * m * exp(-stationary(m, s, tau, tau_s) / tau)
        return top >= level
    return False


def advance(now: float, t: float, e: int, n_out: int, tau: float, tau_s: float, work: Any, b: int, v_max: Any,
            t_max: Any, upto: Any, slope: Any) -> None:  # fmt: skip
    """Let the membranes decay from ``now`` to ``t``, the time of event ``e``, and note maxima on the way."""
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
                    v_max[b, o], t_max[b, o], upto[b, o], slope[b, o] = v, now + d, e, 0.0
    for o in range(n_out):
        m, s = work[0, o] * dm, work[1, o] * ds
        work[0, o] = m
        work[1, o] = s
        better = m - s > v_max[b, o]
        v_max[b, o] = m - s if better else v_max[b, o]
        t_max[b, o] = t if better else t_max[b, o]
        upto[b, o] = e if better else upto[b, o]
        slope[b, o] = slope_of(m, s, tau, tau_s) if better else slope[b, o]


def sweep(b: int, first: int, last: int, T: float, n_out: int, tau: float, tau_s: float, time: Any, pre: Any,
          weight: Any, work: Any, v_max: Any, t_max: Any, upto: Any, slope: Any) -> None:  # fmt: skip
    """The maximum of each membrane of one sample; see ``forward``."""
    for o in range(n_out):
        work[0, o] = work[1, o] = 0.0
        v_max[b, o] = t_max[b, o] = slope[b, o] = 0.0
        upto[b, o] = first
    now, e = time[first] if first < last else T, first
    while e < last:
        t = time[e]
        advance(now, t, e, n_out, tau, tau_s, work, b, v_max, t_max, upto, slope)
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
    advance(now, T, last, n_out, tau, tau_s, work, b, v_max, t_max, upto, slope)


def forward(b0: int, b1: int, T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
            weight: Any, work: Any, v_max: Any, t_max: Any, upto: Any, slope: Any) -> None:  # fmt: skip
    """Fill ``v_max`` and ``t_max`` [B, O]: the largest membrane in [0, T], 0 at least, and when it is first reached.

    ``upto``: the events from ``begin[b]`` up to this one, exclusive, came before. ``slope``: from the left, if the
    maximum is a kink at the event ``upto``, else 0.
    """
    for b in range(b0, b1):
        sweep(b, begin[b], end[b], T, n_out, tau, tau_s, time, pre, weight, work, v_max, t_max, upto, slope)


def crossings(b0: int, b1: int, T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any,
              pre: Any, weight: Any, level: float, t_max: Any, spikes: Any, spike_time: Any) -> None:  # fmt: skip
    """Where ``spikes`` is not 0, fill ``spike_time`` with the first time at which the membrane is at ``level``."""
    for b in range(b0, b1):
        for o in range(n_out):
            if spikes[b, o] == 0.0:
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


def reverse(b0: int, b1: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
            weight: Any, g: Any, t_max: Any, upto: Any, slope: Any, work: Any, g_weight: Any,
            g_time: Any) -> None:  # fmt: skip
    """Add the derivative of ``sum(g * v_max)`` by the weights to ``g_weight``; fill that by the times, ``g_time``.

    ``work`` holds what a spike at the current time would get: adjoint sums that decay as the sweep goes back.
    """
    for b in range(b0, b1):
        for o in range(n_out):
            work[0, o] = work[1, o] = 0.0
        stop = end[b]
        now = time[stop - 1] if stop > begin[b] else t_max[b, 0]
        while stop > begin[b]:
            t, start = time[stop - 1], stop - 1
            while start > begin[b] and time[start - 1] == t:
                start -= 1
            dm, ds = exp(-(now - t) / tau), exp(-(now - t) / tau_s)
            for o in range(n_out):
                work[0, o] *= dm
                work[1, o] *= ds
            for o in range(n_out):
                if upto[b, o] == stop and g[b, o] != 0.0:
                    work[0, o] = g[b, o] * exp(-(t_max[b, o] - t) / tau)
                    work[1, o] = g[b, o] * exp(-(t_max[b, o] - t) / tau_s)
            scatter(start, stop, n_out, tau, tau_s, pre, weight, work, g_weight, g_time)
            if TIMES:
                for o in range(n_out):
                    if upto[b, o] == start:
                        g_time[start] += g[b, o] * slope[b, o]
            now, stop = t, start


def scatter(start: int, stop: int, n_out: int, tau: float, tau_s: float, pre: Any, weight: Any, work: Any,
            g_weight: Any, g_time: Any) -> None:  # fmt: skip
    """Give the events of one time what ``work`` holds for them."""
    for o in range(n_out):
        work[2, o] = work[0, o] - work[1, o]
        work[3, o] = work[0, o] / tau - work[1, o] / tau_s
    for e in range(start, stop):
        row = pre[e]
        for o in range(n_out):
            g_weight[row, o] += work[2, o]
        if TIMES:
            total = work[3, 0] * weight[row, 0]
            for o in range(1, n_out):
                total += work[3, o] * weight[row, o]
            g_time[e] = total


def membrane(b0: int, b1: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
             weight: Any, at: Any, work: Any, v: Any) -> None:  # fmt: skip
    """Fill ``v`` [G, B, O] with the membranes at the times ``at`` [G], ascending."""
    for b in range(b0, b1):
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


def membrane_reverse(b0: int, b1: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
                     weight: Any, at: Any, g: Any, work: Any, g_weight: Any, g_time: Any) -> None:  # fmt: skip
    """Add the derivative of ``sum(g * v)``, ``g`` [G, B, O], by the weights to ``g_weight``; fill that by the times."""
    for b in range(b0, b1):
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
            scatter(e, e + 1, n_out, tau, tau_s, pre, weight, work, g_weight, g_time)
