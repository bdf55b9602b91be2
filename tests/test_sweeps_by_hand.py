"""Sweeps over the events of tempotrons, on the CPU and on a GPU, against membranes as sums over all spikes."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from nbsnn.compile.fill import kernel
from nbsnn.device import gpu
from nbsnn.kernels.tempotron import classic, sweeps
from nbsnn.tempotron.potential import psp, rise, stationary
from nbsnn.tempotron.sweeps_cuda import compiled as compiled_gpu

TAU, TAU_S, T, LEVEL = 3.0, 0.8, 9.0, 0.4
CONSTANTS = sweeps.Constants(TAU, TAU_S, T)
RNG = np.random.default_rng(2)
SIZES, OUT = (5, 0, 6, 1, 4), 2
EDGES = np.cumsum([0, *SIZES])
BEGIN, END = EDGES[:-1].copy(), EDGES[1:].copy()
TIME = np.concatenate([np.sort(RNG.integers(0, 8, n) / 2.0) for n in SIZES])
TIME[EDGES[2]] = TIME[EDGES[1] - 1]  # a sample begins when another has ended
TIME[EDGES[1] : EDGES[3]].sort()
TIME[-1] = T
PRE, WEIGHT = RNG.integers(0, 4, EDGES[-1]), RNG.normal(0.4, 1.0, (4, OUT))
SPIKES = sweeps.Spikes(BEGIN, END, TIME, PRE)
SAMPLES = range(len(SIZES))


def potential(d, slope=False):
    """Of a spike d ago, or its derivative."""
    if slope:
        return math.exp(-d / TAU_S) / TAU_S - math.exp(-d / TAU) / TAU
    return math.exp(-d / TAU) - math.exp(-d / TAU_S)


def membrane(b, o, t, slope=False, weight=WEIGHT):
    """At time t; its slope, from the left."""
    its = [e for e in range(BEGIN[b], END[b]) if TIME[e] < t or (TIME[e] == t and not slope)]
    return sum(weight[PRE[e], o] * potential(t - TIME[e], slope) for e in its)


def maximum(b, o, weight=WEIGHT):
    """The largest value from 0 on, its time, the events before it, and the slope from the left at a kink."""
    edges, found = [*np.unique(TIME[BEGIN[b] : END[b]]), T], (0.0, 0.0, BEGIN[b], 0.0)
    for t, after in zip(edges, [*edges[1:], None], strict=True):
        first = BEGIN[b] + int((TIME[BEGIN[b] : END[b]] < t).sum())
        places = [(t, first, membrane(b, o, t, True, weight))]
        if after is not None:
            its = [e for e in range(BEGIN[b], END[b]) if TIME[e] <= t]
            m = sum(weight[PRE[e], o] * math.exp(-(t - TIME[e]) / TAU) for e in its)
            s = sum(weight[PRE[e], o] * math.exp(-(t - TIME[e]) / TAU_S) for e in its)
            if m > 0.0 and s > 0.0:
                d = math.log(s * TAU / (m * TAU_S)) / (1.0 / TAU_S - 1.0 / TAU)
                if 0.0 < d < after - t:
                    places.append((t + d, BEGIN[b] + len(its), 0.0))
        for at, before, left in places:
            v = membrane(b, o, at, False, weight)
            if v > found[0] + 1e-12:
                found = v, at, before, left
    return found


MAXIMA = [np.array([[maximum(b, o)[k] for o in range(OUT)] for b in SAMPLES]) for k in range(4)]


def found_maxima():
    v, t, before, left = MAXIMA
    return sweeps.Maxima(v.copy(), t.copy(), before.astype(np.int64), left.copy())


def interpreted(function, times=0):
    """A kernel as Python code."""
    return kernel(function, device="python", dtype=float, stationary=stationary, rise=rise, psp=psp, TIMES=times)


def run(device, name, *arrays, times=1):
    """Samples 1 to 4 (of a GPU, lanes from the second sample on); arrays are changed in place."""
    given = CONSTANTS, SPIKES, WEIGHT
    if device == "cpu":
        interpreted(getattr(sweeps, name), times)(1, len(SIZES), *given, *arrays)
        return
    spikes = sweeps.Spikes(*map(gpu.put, SPIKES))
    there = [sweeps.Maxima(*map(gpu.put, a)) if isinstance(a, tuple) else
             gpu.put(a) if isinstance(a, np.ndarray) else a for a in arrays]  # fmt: skip
    lanes = len(SIZES) * OUT
    call = compiled_gpu("sweeps_cuda", name, np.dtype(float), times)
    gpu.start(call, lanes - OUT, OUT, lanes, CONSTANTS, spikes, gpu.put(WEIGHT), *there, block=3)
    for array, other in zip(arrays, there, strict=True):
        pairs = zip(array, other, strict=True) if isinstance(array, tuple) else [(array, other)]
        for a, b in pairs:
            if isinstance(a, np.ndarray):
                a[...] = gpu.get(b)


DEVICES = pytest.mark.parametrize("device", ["cpu", "cuda"])


@DEVICES
def test_maxima_are_found(device):
    found = sweeps.Maxima(*(np.full((len(SIZES), OUT), 7, k) for k in (float, float, np.int64, float)))
    run(device, "forward", found)
    for one, wanted in zip(found, MAXIMA, strict=True):
        np.testing.assert_allclose(one[1:], wanted[1:], 1e-10, 1e-12)
        assert (one[0] == 7).all()
    kinds = {(left != 0.0, before == END[b]) for b in SAMPLES for _, _, before, left in (maximum(b, o) for o in (0, 1))}
    assert len(kinds) >= 3 and (MAXIMA[0] == 0.0).any()


@DEVICES
def test_crossings_are_found(device):
    fires, found = (MAXIMA[0] >= LEVEL).astype(float), np.full((len(SIZES), OUT), 7.0)
    fires[2, 1] = 0.0
    run(device, "crossings", LEVEL, MAXIMA[1].copy(), fires, found, times=0)
    assert 2 <= fires[1:].sum() < fires[1:].size
    for b, o in np.ndindex(found.shape):
        if b == 0 or not fires[b, o]:
            assert found[b, o] == 7.0
            continue
        grid = np.linspace(0.0, MAXIMA[1][b, o], 4001)
        k = next(k for k, t in enumerate(grid) if membrane(b, o, t) >= LEVEL)
        wanted = brentq(lambda t, b=b, o=o: membrane(b, o, t) - LEVEL, grid[k - 1], grid[k], xtol=1e-13)
        assert found[b, o] == pytest.approx(wanted, rel=1e-6)


def reversed_(g, time, first=None):
    """What a membrane's derivative g at a time gives to weights and times of the events before it."""
    g_weight, g_time = np.zeros_like(WEIGHT), np.zeros(len(TIME))
    for b, o in np.ndindex(len(SIZES), OUT):
        for e in range(BEGIN[b], END[b]) if b else ():
            if TIME[e] <= time[b, o] and (first is None or e < first[b, o]):
                d = time[b, o] - TIME[e]
                g_weight[PRE[e], o] += g[b, o] * potential(d)
                g_time[e] -= g[b, o] * WEIGHT[PRE[e], o] * potential(d, True)
    return g_weight, g_time


@DEVICES
@pytest.mark.parametrize("times", [0, 1])
def test_derivatives_of_maxima(device, times):
    g = RNG.normal(size=(len(SIZES), OUT))
    g[3], g[2, 0] = (0.0, 1.0), 0.0
    g_weight, g_time = np.zeros_like(WEIGHT), np.zeros(len(TIME))
    wanted, by_time = reversed_(g, MAXIMA[1], first=MAXIMA[2])
    for b, o in np.ndindex(g.shape):
        if b and MAXIMA[2][b, o] < END[b]:  # a kink moves with its event
            by_time[MAXIMA[2][b, o]] += g[b, o] * MAXIMA[3][b, o]
    run(device, "reverse", g, found_maxima(), g_weight, g_time, times=times)
    np.testing.assert_allclose(g_weight, wanted, 1e-10, 1e-12)
    np.testing.assert_allclose(g_time, by_time * times, 1e-10, 1e-12)


@DEVICES
def test_membranes_and_their_derivatives(device):
    at = np.array([0.0, 0.5, 1.75, 3.0, 3.5, 6.0])
    v = np.full((len(at), len(SIZES), OUT), 7.0)
    run(device, "membrane", at, v, times=0)
    wanted = [[[membrane(b, o, t) for o in range(OUT)] for b in SAMPLES] for t in at]
    np.testing.assert_allclose(v[:, 1:], np.array(wanted)[:, 1:], 1e-11, 1e-13)
    assert (v[:, 0] == 7.0).all()
    for times in (0, 1):
        g, g_weight, g_time = RNG.normal(size=v.shape), np.zeros_like(WEIGHT), np.zeros(len(TIME))
        run(device, "membrane_reverse", at, g, g_weight, g_time, times=times)
        parts = [reversed_(g[k], np.full(g[k].shape, t)) for k, t in enumerate(at)]
        np.testing.assert_allclose(g_weight, sum(part[0] for part in parts), 1e-10, 1e-12)
        np.testing.assert_allclose(g_time, times * sum(part[1] for part in parts), 1e-10, 1e-12)


@DEVICES
@pytest.mark.parametrize("momentum", [0.0, 0.6])
def test_the_classic_rule_learns_where_an_answer_is_wrong(device, momentum):
    target = np.array([[1, 0], [0, 1], [0, 0], [1, 1], [0, 1]])
    level, rate = MAXIMA[0][0, 0], 0.1  # which the first output reaches exactly: so it fires
    weight, change = WEIGHT.copy(), np.full_like(WEIGHT, 0.05)
    seen = np.zeros((len(SIZES), OUT))
    for b in SAMPLES:
        now = [maximum(b, o, weight) for o in range(OUT)]
        for o, (v, t, before, _) in enumerate(now):
            seen[b, o] = v
            if (v >= level) == bool(target[b, o]):
                continue
            change[:, o] *= momentum
            for e in range(BEGIN[b], before):
                change[PRE[e], o] += (1 if target[b, o] else -1) * rate * potential(t - TIME[e])
            weight[:, o] += change[:, o]
    assert not np.array_equal(weight, WEIGHT)
    found, rule = found_maxima(), classic.Learning(level - 1e-12, rate, momentum)
    w, c = WEIGHT.copy(), np.full_like(WEIGHT, 0.05)
    if device == "cpu":
        interpreted(classic.learn)(CONSTANTS, SPIKES, w, target, rule, c, found)
        v = found.v
    else:
        there = [gpu.put(a) for a in (w, target, c)]
        spikes, maxima = sweeps.Spikes(*map(gpu.put, SPIKES)), sweeps.Maxima(*map(gpu.put, found))
        call = compiled_gpu("classic_cuda", "learn", np.dtype(float))
        call[OUT, 3](CONSTANTS, spikes, there[0], there[1], rule, there[2], maxima)
        w, c, v = gpu.get(there[0]), gpu.get(there[2]), gpu.get(maxima.v)
    for one, wanted in ((w, weight), (c, change), (v, seen)):
        np.testing.assert_allclose(one, wanted, 1e-10, 1e-12)
