"""Tempotrons over time on a GPU, event by event: the sweeps of ``kernels.tempotron.sweeps``, one thread for each output
of each sample.

Neighbouring threads serve neighbouring outputs of one sample: they read the same events, and weights that lie side by
side. Derivatives with respect to weights and times are sums over threads, made by atomic additions in any order. Loops
cover the outputs [lo, hi) of all samples.
"""

from math import exp

import numpy as np
from numba import cuda

from .sweeps import TIMES, Constants, Maxima, Spikes, rise, rises, slope_of, stationary, turns


def forward(lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, found: Maxima) -> None:
    """See ``sweeps.forward``."""
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // weight.shape[1], lane % weight.shape[1]
        v, at, before, kink = maximum(b, o, constants, spikes, weight)
        found.v[b, o], found.t[b, o], found.n_before[b, o], found.left_slope[b, o] = v, at, before, kink


def maximum(
    b: int, o: int, constants: Constants, spikes: Spikes, weight: np.ndarray
) -> tuple[float, float, int, float]:
    """The maximum of a membrane, its time, the events before it, and the slope from the left if it is a kink."""
    tau, tau_s, T = constants
    first: int = spikes.begin[b]
    last: int = spikes.end[b]
    time, pre = spikes.time, spikes.pre
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


def crossings(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, level: float, t_max: np.ndarray,
    fires: np.ndarray, spike_time: np.ndarray,
) -> None:  # fmt: skip
    """See ``sweeps.crossings``."""
    tau, tau_s, T = constants
    begin, end, time, pre = spikes
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi and fires[lane // weight.shape[1], lane % weight.shape[1]] != 0.0:
        b, o = lane // weight.shape[1], lane % weight.shape[1]
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


def reverse(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, g: np.ndarray, found: Maxima,
    g_weight: np.ndarray, g_time: np.ndarray,
) -> None:  # fmt: skip
    """See ``sweeps.reverse``; both derivatives are added to what is there."""
    tau, tau_s, _ = constants
    begin, end, time, pre = spikes
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi and g[lane // weight.shape[1], lane % weight.shape[1]] != 0.0:
        b, o = lane // weight.shape[1], lane % weight.shape[1]
        e = found.n_before[b, o]
        if TIMES and e < end[b]:
            cuda.atomic.add(g_time, e, g[b, o] * found.left_slope[b, o])  # type: ignore[call-arg]
        slow, fast, now = g[b, o], g[b, o], found.t[b, o]
        while e > begin[b]:  # events after the maximum do not matter
            e -= 1
            t = time[e]
            slow *= exp(-(now - t) / tau)
            fast *= exp(-(now - t) / tau_s)
            now = t
            add_event(e, pre[e], o, slow - fast, slow / tau - fast / tau_s, weight, g_weight, g_time)


def add_event(
    e: int, row: int, o: int, of_weight: float, of_time: float, weight: np.ndarray, g_weight: np.ndarray,
    g_time: np.ndarray,
) -> None:  # fmt: skip
    """Give event ``e`` what output ``o`` holds for it."""
    cuda.atomic.add(g_weight, (row, o), of_weight)  # type: ignore[call-arg]
    if TIMES:
        cuda.atomic.add(g_time, e, of_time * weight[row, o])  # type: ignore[call-arg]


def membrane(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, at: np.ndarray, v: np.ndarray
) -> None:
    """See ``sweeps.membrane``."""
    tau, tau_s, _ = constants
    begin, end, time, pre = spikes
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // weight.shape[1], lane % weight.shape[1]
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


def membrane_reverse(
    lo: int, hi: int, constants: Constants, spikes: Spikes, weight: np.ndarray, at: np.ndarray, g: np.ndarray,
    g_weight: np.ndarray, g_time: np.ndarray,
) -> None:  # fmt: skip
    """See ``sweeps.membrane_reverse``; both derivatives are added to what is there."""
    tau, tau_s, _ = constants
    begin, end, time, pre = spikes
    lane = lo + cuda.grid(1)  # type: ignore[call-arg]
    if lane < hi:
        b, o = lane // weight.shape[1], lane % weight.shape[1]
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
                add_event(e, pre[e], o, slow - fast, slow / tau - fast / tau_s, weight, g_weight, g_time)
