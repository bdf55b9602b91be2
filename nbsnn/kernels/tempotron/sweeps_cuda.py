"""Tempotrons over time on a GPU, event by event: the sweeps of ``kernels.tempotron.sweeps``, one thread for each output
of each sample.

Neighbouring threads serve neighbouring outputs of one sample: they read the same events, and weights that lie side by
side. Derivatives by weights and by times are sums over threads, made by atomic additions in any order.
"""

from math import exp
from typing import Any

from numba import cuda

from .sweeps import TIMES, rise, rises, slope_of, stationary, turns


def forward(lo: int, hi: int, T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
            weight: Any, v_max: Any, t_max: Any, upto: Any, slope: Any) -> None:  # fmt: skip
    """As on the CPU, of the outputs [lo, hi) of all samples."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // n_out, lane % n_out
        v, at, before, kink = sweep(begin[b], end[b], T, tau, tau_s, time, pre, weight, o)
        v_max[b, o], t_max[b, o], upto[b, o], slope[b, o] = v, at, before, kink


def sweep(first: int, last: int, T: float, tau: float, tau_s: float, time: Any, pre: Any, weight: Any, o: int) -> Any:
    """The maximum of a membrane, its time, the events before it, and the slope from the left if it is a kink."""
    m, s, v, at, before, kink = 0.0, 0.0, 0.0, 0.0, first, 0.0
    share = 1.0 - tau_s / tau  # a maximum is this share of what m has decayed to
    now, e = time[first] if first < last else T, first
    going = True
    while going:  # the end of the window comes like an event
        going = e < last
        t = time[e] if going else T
        dm, ds = exp(-(t - now) / tau), exp(-(t - now) / tau_s)
        if turns(m, s, dm, ds, tau, tau_s) and m * share > v:
            d = stationary(m, s, tau, tau_s)
            top = share * m * exp(-d / tau)
            if top > v:
                v, at, before, kink = top, now + d, e, 0.0
        m *= dm
        s *= ds
        if m - s > v:
            v, at, before, kink = m - s, t, e, slope_of(m, s, tau, tau_s)
        total = 0.0
        while e < last and time[e] == t:
            total += weight[pre[e], o]
            e += 1
        m += total
        s += total
        now = t
    return v, at, before, kink


def crossings(lo: int, hi: int, T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any,
              pre: Any, weight: Any, level: float, t_max: Any, spikes: Any, spike_time: Any) -> None:  # fmt: skip
    """As on the CPU, of the outputs [lo, hi) of all samples."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi and spikes[lane // n_out, lane % n_out] != 0.0:
        b, o = lane // n_out, lane % n_out
        found = t_max[b, o]  # for a maximum that only rounding lifts to the level
        m, s, now, e = 0.0, 0.0, 0.0, begin[b]
        while e <= end[b]:
            t = time[e] if e < end[b] else T
            m1, s1 = m * exp(-(t - now) / tau), s * exp(-(t - now) / tau_s)
            if rises(m, s, m1, s1, level, tau, tau_s):
                found = min(now + rise(m, s, level, tau, tau_s), t_max[b, o])
                break
            m, s, now = m1, s1, t
            if e < end[b]:
                m += weight[pre[e], o]
                s += weight[pre[e], o]
            e += 1
        spike_time[b, o] = found


def reverse(lo: int, hi: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
            weight: Any, g: Any, t_max: Any, upto: Any, slope: Any, g_weight: Any, g_time: Any) -> None:  # fmt: skip
    """As on the CPU, of the outputs [lo, hi) of all samples; both derivatives are added to what is there."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi and g[lane // n_out, lane % n_out] != 0.0:
        b, o = lane // n_out, lane % n_out
        e = upto[b, o]
        if TIMES and e < end[b]:
            cuda.atomic.add(g_time, e, g[b, o] * slope[b, o])  # type: ignore[call-arg]
        slow, fast, now = g[b, o], g[b, o], t_max[b, o]
        while e > begin[b]:  # events after the maximum do not matter
            e -= 1
            t = time[e]
            slow *= exp(-(now - t) / tau)
            fast *= exp(-(now - t) / tau_s)
            now = t
            scatter(e, o, tau, tau_s, slow, fast, pre, weight, g_weight, g_time)


def scatter(e: int, o: int, tau: float, tau_s: float, slow: float, fast: float, pre: Any, weight: Any, g_weight: Any,
            g_time: Any) -> None:  # fmt: skip
    """Give event ``e`` what output ``o`` holds for it."""
    row = pre[e]
    cuda.atomic.add(g_weight, (row, o), slow - fast)  # type: ignore[call-arg]
    if TIMES:
        cuda.atomic.add(g_time, e, (slow / tau - fast / tau_s) * weight[row, o])  # type: ignore[call-arg]


def membrane(lo: int, hi: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
             weight: Any, at: Any, v: Any) -> None:  # fmt: skip
    """As on the CPU, of the outputs [lo, hi) of all samples."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // n_out, lane % n_out
        m, s, e = 0.0, 0.0, begin[b]
        now = time[e] if e < end[b] else at[0]
        for k in range(at.shape[0]):
            while e < end[b] and time[e] <= at[k]:
                w = weight[pre[e], o]
                m = m * exp(-(time[e] - now) / tau) + w
                s = s * exp(-(time[e] - now) / tau_s) + w
                now = time[e]
                e += 1
            late = at[k] - now if e > begin[b] else 0.0  # before the first event all is 0
            v[k, b, o] = m * exp(-late / tau) - s * exp(-late / tau_s)


def membrane_reverse(lo: int, hi: int, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any,
                     weight: Any, at: Any, g: Any, g_weight: Any, g_time: Any) -> None:  # fmt: skip
    """As on the CPU, of the outputs [lo, hi) of all samples; both derivatives are added to what is there."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // n_out, lane % n_out
        slow, fast, k = 0.0, 0.0, at.shape[0] - 1
        now = at[k]
        for e in range(end[b] - 1, begin[b] - 1, -1):
            t = time[e]
            while k >= 0 and at[k] >= t:
                slow = slow * exp(-(now - at[k]) / tau) + g[k, b, o]
                fast = fast * exp(-(now - at[k]) / tau_s) + g[k, b, o]
                now = at[k]
                k -= 1
            if k < at.shape[0] - 1:  # else nothing lies behind this event
                slow *= exp(-(now - t) / tau)
                fast *= exp(-(now - t) / tau_s)
                now = t
                scatter(e, o, tau, tau_s, slow, fast, pre, weight, g_weight, g_time)
