"""Loops that draw who is connected to whom, and values of synapses, against the same in plain Python."""

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from nbsnn.compile.fill import kernel
from nbsnn.kernels.synapses import connect, distance, values
from nbsnn.kernels.synapses.distance import Cells, Reach
from nbsnn.random import Draws, counter, squares32
from nbsnn.sparse import random_pairs, rows, rule

pytestmark = pytest.mark.filterwarnings("ignore:overflow")
KEY = np.uint64(0x9E3779B97F4A7C15)


def word(unit, k, key=KEY):
    return int(squares32(counter(np.uint64(unit), np.uint64(k)), key))


def test_draws_of_a_unit():
    for unit, k in ((0, 0), (3, 0), (3, 1), (70000, 9)):
        assert connect.bits(unit, k, KEY) == word(unit, k)
        assert connect.even(unit, k, KEY) == (word(unit, k) + 0.5) / 2**32
        for n in (1, 7, 2**31 - 1):
            assert connect.below(n, unit, k, KEY) == word(unit, k) * n // 2**32
    assert [connect.barred(u, -2, 3) for u in range(7)] == [0, 0, 1, 1, 1, 0, 0]


def moved(choice, u, own, n):
    """Places that skip the unit's own."""
    return choice + (0 <= u + own < n and choice >= u + own)


@pytest.mark.parametrize("own", [-9, -2, 0, 1])
@pytest.mark.parametrize("n", [1, 2, 6])
def test_who_is_drawn(n, own):
    """Units 2 to 4, with the gaps of each, with repetition, and without."""
    first, units, p = 1, range(2, 5), 0.4
    begin, degree = np.arange(6) * 8, np.zeros(5, np.int64)
    out, repeated, distinct = (np.full(40, -1) for _ in range(3))
    scale = 1.0 / math.log(1.0 - p)
    connect.bernoulli(1, 4, first, n, own, scale, KEY, begin, degree, np.zeros(0, np.int64))
    counted = degree.copy()
    connect.bernoulli(1, 4, first, n, own, scale, KEY, begin, degree, out)
    np.testing.assert_array_equal(degree, counted)
    left = [n - connect.barred(u, own, n) for u in units]
    some = np.array([0, 0, *(np.cumsum([min(s, m) for s, m in zip((2, 1, 2), left, strict=True)]))])
    connect.distinct(1, 4, first, n, own, KEY, some, distinct)
    if min(left):
        connect.repeated(1, 4, first, n, own, KEY, begin, repeated)
    for i, u in enumerate(units, 1):
        at, wanted = -1, []
        while True:
            at += 1 + int(math.log((word(u, len(wanted)) + 0.5) / 2**32) * scale)
            if at >= left[i - 1]:
                break
            wanted.append(moved(at, u, own, n))
        assert degree[i] == len(wanted) and out[begin[i] : begin[i] + len(wanted)].tolist() == wanted
        if min(left):
            drawn = [moved(word(u, k) * left[i - 1] // 2**32, u, own, n) for k in range(8)]
            assert repeated[begin[i] : begin[i + 1]].tolist() == drawn
        count, chosen = some[i + 1] - some[i], []
        for k, t in enumerate(range(left[i - 1] - count, left[i - 1])):
            r = word(u, k) * (t + 1) // 2**32
            chosen.append(t if r in chosen else r)
        assert distinct[some[i] : some[i + 1]].tolist() == [moved(r, u, own, n) for r in chosen]
    assert degree[[0, 4]].tolist() == [0, 0] and (out[:8] == -1).all()


def test_few_successes_are_drawn_by_the_inverse_of_their_distribution():
    for n, p in ((1, 0.5), (4, 0.3), (300, 0.03), (10**6, 9e-6)):
        u = [(word(unit, 0) + 0.5) / 2**32 for unit in range(60)]
        assert [connect.binomial(n, p, unit, KEY) for unit in range(60)] == binom.ppf(u, n, p).tolist()
        if p < 0.5:
            assert [connect.binomial(n, 1.0 - p, k, KEY) for k in range(60)] == (n - binom.ppf(u, n, p)).tolist()


@pytest.mark.parametrize(("n", "m", "own"), [(7, 4, -9), (7, 7, 0), (5, 3, 1), (1, 3, -9)])
def test_a_total_is_dealt_out_by_halves(n, m, own):
    def share(a, b, count):
        if b - a == 1:
            return [count]
        middle = (a + b) // 2
        here, all_ = (sum(place != u + own for u in range(a, z) for place in range(m)) for z in (middle, b))
        left = connect.binomial(count, here / all_, middle, KEY) if count else 0
        return [*share(a, middle, left), *share(middle, b, count - left)]

    wanted = share(0, n, 200)
    for u0, u1 in ((0, n), (n // 2, n), (0, max(1, n - 1))):
        degree = np.zeros(u1 - u0, np.int64)
        connect.deal(200, n, u0, u1, m, own, KEY, degree)
        assert degree.tolist() == wanted[u0:u1]


def test_lists_are_turned_and_numbered():
    lists = [[2, 0], [], [1, 2, 2], [0]]
    begin, index = np.cumsum([0, *map(len, lists)]), np.concatenate(lists).astype(int)
    count = np.zeros(3, np.int64)
    connect.turn(0, 3, begin, index, count, np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert count.tolist() == [1, 1, 3]
    for placing in (True, False):
        cursor, out, place = np.array([0, 2, 3]), np.full(6, -1), np.full(6 * placing, -1)
        connect.turn(0, 4, begin, index, cursor, out, place)
        assert out.tolist() == [0, 3, 2, 0, 2, 2] and cursor.tolist() == [2, 3, 6]
        assert place.tolist() == ([1, 5, 2, 0, 3, 4] if placing else [])
    out = np.full(6, -1)
    connect.number(index, np.zeros(3, np.int64), out)
    assert out.tolist() == [0, 0, 0, 1, 2, 1]


def test_lists_are_turned_alike_by_numpy_and_by_the_kernel(monkeypatch):
    rng = np.random.default_rng(0)
    for units, n, most in ((5, 3, 4), (1, 1, 0), (40, 9, 12)):
        begin = np.append(0, np.cumsum(rng.integers(0, most + 1, units)))
        index, found = rng.integers(0, n, begin[-1]).astype(np.int32), []
        for few in (-1, len(index)):
            monkeypatch.setattr(rows, "FEW", few)
            place = np.empty(len(index), np.int32)
            found.append((*rows.turn(begin, index, n, place), place))
        for one, other in zip(*found, strict=True):
            assert one.dtype == other.dtype and one.tolist() == other.tolist()


@pytest.mark.parametrize("p", [0.0, 0.02, 0.4, 1.0])
def test_pairs_are_drawn_alike_by_plain_python_and_by_the_kernel(monkeypatch, p):
    for n, lo, hi, own in ((1, 0, 1, 0), (30, 3, 40, -5), (60, 0, 60, 0), (25, 10, 33, rule.NOWHERE)):
        found = [random_pairs.bernoulli(n, lo, hi, -own, p, Draws(5))]
        with monkeypatch.context() as m:
            m.setattr(random_pairs, "FEW", -1)
            found.append(random_pairs.bernoulli(n, lo, hi, -own, p, Draws(5)))
        for one, other in zip(*found, strict=True):
            assert one.dtype == other.dtype and one.tolist() == other.tolist()


def test_values_by_the_inverse_of_their_distribution():
    for u in (1e-12, 1e-4, 0.03, 0.3, 0.5, 0.6, 0.99, 1.0 - 1e-9):
        x = norm.ppf(u)
        assert values.inverse_normal(u) == pytest.approx(x, rel=1e-9, abs=1e-12)
        assert values.normal(u, 2.0, 3.0) == pytest.approx(2.0 + 3.0 * x, rel=1e-9)
        assert values.lognormal(u, 0.5, 0.25) == pytest.approx(math.exp(0.5 + 0.25 * x), rel=1e-9)
        assert values.uniform(u, 2.0, 5.0) == pytest.approx(2.0 + 3.0 * u)
        assert values.exponential(u, 2.0, 9.0) == pytest.approx(-2.0 * math.log(u))


def test_a_value_is_drawn_again_until_it_lies_within_its_bounds():
    low_key, unit, number, out = (
        np.uint64(0xB5297A4D3F84D5A3),
        np.array([4, 9, 4]),
        np.array([0, 3, 1]),
        np.full(3, -1.0),
    )

    def even(attempt, k, u):
        turn, place = attempt // 64 * 2, (k * 64 + attempt % 64, u)
        high, low = word(*place, KEY ^ np.uint64(turn)), word(*place, low_key ^ np.uint64(turn))
        return (high * 2**20 + low // 2**12 + 0.5) / 2**52

    for attempt, k, u in ((0, 0, 0), (1, 2, 3), (63, 1, 9), (64, 1, 9), (200, 5, 1)):
        assert values.uniform_at(attempt, k, u, KEY, low_key) == even(attempt, k, u)
    draw = kernel(values.draw, device="python", dtype=float, shape=values.uniform)
    draw(1, 3, unit, number, KEY, low_key, -1.0, 1.0, 0.9, 0.95, out)
    wanted = (next(x for a in range(10**4) if 0.9 <= (x := 2 * even(a, k, u) - 1) <= 0.95) for k, u in ((3, 9), (1, 4)))
    np.testing.assert_allclose(out, [-1.0, *wanted], rtol=1e-12)


@pytest.mark.parametrize("period", [0.0, 3.0])
@pytest.mark.parametrize("own", [-99, 0, 2])
@pytest.mark.parametrize("profile", [distance.gaussian, distance.decay, distance.disc])
def test_who_is_near(period, own, profile):
    """Nine targets in three cells on a line, which may go round; the number of a pair decides."""
    rng = np.random.default_rng(0)
    source, target = rng.uniform(0.0, 3.0, (6, 1)), rng.uniform(0.0, 3.0, (9, 1))
    order = np.argsort(target[:, 0])
    first = np.searchsorted(target[order, 0], [0.0, 1.0, 2.0, 3.0])
    near = Cells(np.floor(source).astype(int), np.array([[-1], [0], [1]]), np.zeros(3), np.array([3]),
                 np.array([period]), first, order, target[order])  # fmt: skip
    bound, reach, a, b = np.full(3, 1.0), 0.8, 0.9, 0.6
    wanted, expected = [], np.zeros(6)
    for u in range(6):
        found = []
        for j in range(9):
            d = abs(source[u, 0] - target[j, 0])
            d = min(d, period - d) if period else d
            p = (
                a
                * {"gaussian": math.exp(-0.5 * (d / b) ** 2), "decay": math.exp(-d / b), "disc": d <= b}[
                    profile.__name__
                ]
            )
            if d <= reach and j != u + own:
                expected[u] += p
                found += [j] * int(word(u, j) < p * 2**32)
        wanted.append(sorted(found))
    filling = {"device": "python", "dtype": float, "profile": profile}
    choose, expect = kernel(distance.choose, **filling), kernel(distance.expect, **filling)
    begin, degree, out = np.arange(7) * 9, np.full(6, -1), np.full(54, -1)
    given = source, near, bound, Reach(reach, a, b, own)
    for array in (np.zeros(0, np.int64), out):
        assert choose(1, 6, *given, KEY, begin, degree, array) == 0
        assert degree.tolist() == [-1, *map(len, wanted[1:])]
    assert [sorted(out[begin[u] : begin[u] + degree[u]]) for u in range(1, 6)] == wanted[1:]
    some, found = np.array([4, 1]), np.zeros(2)
    assert expect(some, *given, found) == 0
    np.testing.assert_allclose(found, expected[some], rtol=1e-12)
    if profile is distance.gaussian:
        for wrong in (-0.5, 1.5, math.nan):
            given = source, near, np.full(3, 9.0), Reach(reach, wrong, 1e9, own)
            pairs = sum(min(d, (period or 99.0) - d) <= reach and j != own + 4
                        for j, d in enumerate(abs(source[4, 0] - target[:, 0])))  # fmt: skip
            assert expect(np.array([4]), *given, np.zeros(1)) == pairs > 0
            assert choose(4, 5, *given, KEY, begin, degree, np.zeros(0, np.int64)) == pairs
