"""Connection rules: exact degrees, the distributions they promise, and rows that are sorted and complete."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse as scipy_sparse
from scipy import stats

import nbsnn
from nbsnn.device import threads as device
from nbsnn.random import Draws, counter, key, squares32
from nbsnn.sparse import (
    AllToAll,
    Decay,
    Disc,
    Distance,
    Explicit,
    Gaussian,
    Multiple,
    OneToOne,
    Rows,
    Sparse,
    from_scipy,
    grid,
    values,
)
from nbsnn.sparse.delay import delays
from nbsnn.sparse.rows import compiled
from nbsnn.sparse.values import Normal, Uniform

N = 400


class Odd:
    """A profile that is no probability."""

    reach, parameters = 1.0, (0.5, 0.0)

    @staticmethod
    def function(d, a, b):
        return d + 1.0 + a

    def __repr__(self):
        return "Odd"


def dense(rows):
    """How many synapses each pair has, by the slow way: [n_pre, n_post]."""
    pairs = np.zeros((rows.n_pre, rows.n_post), int)
    for i in range(rows.n_pre):
        for e in range(rows.start[i], rows.start[i + 1]):
            pairs[i, rows.post[e]] += 1
    return pairs


def chi_square(observed, expected):
    """The probability of a worse fit; cells with few expected are joined with their neighbours."""
    o, e, joined = 0.0, 0.0, []
    for a, b in zip(observed, expected, strict=True):
        o, e = o + a, e + b
        if e >= 8.0:
            joined.append((o, e))
            o, e = 0.0, 0.0
    joined[-1] = joined[-1][0] + o, joined[-1][1] + e
    o, e = np.array(joined).T
    return stats.chi2.sf(((o - e) ** 2 / e).sum(), len(o) - 1)


def fits_binomial(degrees, n, p):
    k = np.arange(n + 1)
    return chi_square(np.bincount(degrees, minlength=n + 1), len(degrees) * stats.binom.pmf(k, n, p))


RULES = [
    AllToAll(),
    AllToAll(autapses=False),
    OneToOne(),
    Sparse(probability=0.1),
    Sparse(probability=0.1, autapses=False),
    Sparse(probability=1.0, autapses=False),
    Sparse(probability=0.0),
    *(Sparse(**{kind: n}, autapses=a, multapses=m)  # type: ignore[arg-type]
      for kind, n in (("indegree", 30), ("outdegree", 30), ("total", 700))
      for a in (True, False) for m in (True, False)),
    Distance(Gaussian(0.5, 2.0), autapses=False),
    Multiple(OneToOne(), 3),
    Multiple(AllToAll(autapses=False), 2),
    Multiple(Sparse(probability=0.1, autapses=False), 3),
    Multiple(Sparse(indegree=30, multapses=False), 2),
    Multiple(Distance(Gaussian(0.5, 2.0), autapses=False), 2),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_rows_are_sound_and_keep_what_they_exclude(rule):
    n = 60
    rows = rule.build(n, n, seed=3, stream=("a", 1), same=True, coordinates=grid((6, 10)))
    pairs = dense(rows.check())
    assert len(rows) == pairs.sum() <= rule.count(n, n, same=True, coordinates=grid((6, 10)))
    np.testing.assert_array_equal(rows.indegree(), pairs.sum(0))
    np.testing.assert_array_equal(rows.outdegree(), pairs.sum(1))
    if not getattr(rule, "autapses", True):
        assert not pairs.diagonal().any()
    elif isinstance(rule, Sparse) and len(rows):
        assert pairs.diagonal().any()
    several = getattr(rule, "multapses", False) is True or isinstance(rule, Multiple)
    assert (pairs.max(initial=0) > 1) == several
    for kind, degree in (("indegree", pairs.sum(0)), ("outdegree", pairs.sum(1)), ("total", pairs.sum())):
        wanted = getattr(rule, kind, None)
        assert wanted is None or (degree == wanted).all()


@pytest.mark.parametrize("own", [0, 7, -20, 33, -45, 60])
@pytest.mark.parametrize("rule", [rule for rule in RULES if not getattr(rule, "autapses", True)], ids=repr)
def test_units_on_both_sides_are_not_connected_to_themselves(rule, own):
    """Source i is target i + own, of sections that overlap in part, or not at all."""
    n_pre, n_post = 60, 50
    places = grid((260, 1))
    coordinates = places[100:160], places[100 - own : 150 - own]
    rows = rule.build(n_pre, n_post, seed=3, own=own, coordinates=coordinates)
    pairs = dense(rows.check())
    assert len(rows) > 0 or "Distance" in repr(rule)
    assert len(rows) <= rule.count(n_pre, n_post, own=own, coordinates=coordinates)
    here = np.arange(n_pre)[:, None] + own == np.arange(n_post)
    assert here.sum() == max(0, min(60, 50 - own) - max(0, -own))
    assert not pairs[here].any()
    if isinstance(rule, AllToAll) or getattr(rule, "probability", None) == 1.0:
        np.testing.assert_array_equal(pairs, ~here)
    for kind, degree in (("indegree", pairs.sum(0)), ("outdegree", pairs.sum(1)), ("total", pairs.sum())):
        wanted = getattr(rule, kind, None)
        assert wanted is None or (degree == wanted).all()


@pytest.mark.parametrize(
    ("kind", "multapses"),
    [*((kind, m) for kind in ("indegree", "outdegree", "total") for m in (True, False)), ("probability", None)],
)
def test_pairs_are_uniform_where_some_units_are_on_both_sides(kind, multapses):
    n_pre, n_post, own, seeds = 12, 8, 3, 600
    here = np.arange(n_pre)[:, None] + own == np.arange(n_post)
    value = {"indegree": 4, "outdegree": 4, "total": 40, "probability": 0.4}[kind]
    rule = Sparse(**{kind: value}, multapses=multapses, autapses=False)  # type: ignore[arg-type]
    total = sum(dense(rule.build(n_pre, n_post, seed=seed, own=own)) for seed in range(seeds))
    expected = (
        {
            "indegree": 4 / (~here).sum(0, keepdims=True),
            "outdegree": 4 / (~here).sum(1, keepdims=True),
            "total": 40 / (~here).sum(),
            "probability": 0.4,
        }[kind]
        * seeds
        * ~here
    )
    assert not total[here].any()
    z = ((total - expected) / np.sqrt(expected + here))[~here]
    assert abs(z).max() < 4.5 and 0.3 < z.var() < 1.3
    barred = here.any(1)
    if kind == "total":  # sources that are barred from one target have a seventh fewer synapses
        ratio = total[barred].sum(1).mean() / total[~barred].sum(1).mean()
        assert abs(ratio - 7 / 8) < 0.03


def test_multiple_repeats_the_synapses_of_a_rule():
    for rule in (AllToAll(autapses=False), Sparse(probability=0.2), Sparse(total=90), Distance(Gaussian(0.5, 2.0))):
        one, three = (r.build(20, 20, seed=5, own=0, coordinates=grid((4, 5))) for r in (rule, Multiple(rule, 3)))
        np.testing.assert_array_equal(three.pre(), np.repeat(one.pre(), 3))
        np.testing.assert_array_equal(three.post, np.repeat(one.post, 3))
    weights = values.of(values.Uniform(0.0, 1.0), Multiple(OneToOne(), 50).build(4, 4))
    assert len(set(weights.tolist())) == 200  # each has its own


def test_regular_rules():
    np.testing.assert_array_equal(dense(AllToAll().build(3, 4)), np.ones((3, 4)))
    np.testing.assert_array_equal(dense(AllToAll(autapses=False).build(4, 4, same=True)), 1 - np.eye(4))
    np.testing.assert_array_equal(dense(AllToAll(autapses=False).build(4, 4)), np.ones((4, 4)))  # two populations
    np.testing.assert_array_equal(dense(OneToOne().build(4, 4)), np.eye(4))
    np.testing.assert_array_equal(dense(Sparse(probability=1.0).build(5, 4)), np.ones((5, 4)))
    for barred in (True, False):
        rows = Sparse(indegree=5 - barred, autapses=not barred, multapses=False).build(5, 5, same=True)
        np.testing.assert_array_equal(dense(rows), 1 - barred * np.eye(5))  # all there are
        rows = Sparse(total=25 - 5 * barred, autapses=not barred, multapses=False).build(5, 5, same=True)
        np.testing.assert_array_equal(dense(rows), 1 - barred * np.eye(5))
    for sizes in ((0, 3), (3, 0), (0, 0)):
        for rule in (AllToAll(), Sparse(probability=0.5), Sparse(total=0), Explicit([], [])):
            assert len(rule.build(*sizes)) == 0 == rule.count(*sizes) == len(rule.build(*sizes).transposed()[1])


@pytest.mark.parametrize("autapses", [True, False])
def test_probability_gives_binomial_degrees_and_uniform_pairs(autapses):
    same, p = not autapses, 0.07
    others, total = N - same, np.zeros((N, N), int)
    for seed in range(20):
        pairs = dense(Sparse(probability=p, autapses=autapses).build(N, N, seed=seed, same=same))
        total += pairs
        if seed == 0:
            assert fits_binomial(pairs.sum(0), others, p) > 1e-3
            assert fits_binomial(pairs.sum(1), others, p) > 1e-3
    every = total[~np.eye(N, dtype=bool)] if same else total.reshape(-1)
    assert fits_binomial(every, 20, p) > 1e-3
    assert abs(total.sum() - 20 * N * others * p) < 4 * np.sqrt(20 * N * others * p)


@pytest.mark.parametrize("multapses", [True, False])
@pytest.mark.parametrize("kind", ["indegree", "outdegree", "total"])
def test_fixed_numbers_give_uniform_pairs(kind, multapses):
    n, k, seeds = 40, 8, 300
    value = k * n if kind == "total" else k
    total = np.zeros((n, n), int)
    for seed in range(seeds):
        rule = Sparse(**{kind: value}, multapses=multapses, autapses=False)  # type: ignore[arg-type]
        total += dense(rule.build(n, n, seed=seed, same=True))
    off = total[~np.eye(n, dtype=bool)]
    expected = seeds * k / (n - 1)
    # A pair's count has the variance of a sum of draws with, or of choices without repetition.
    variance = expected * ((1 - 1 / (n - 1)) if multapses else (1 - k / (n - 1)))
    assert off.mean() == pytest.approx(expected)
    assert 0.9 < off.var() / variance < 1.1
    # The other ends' degrees are binomial where draws are repeated.
    if multapses and kind != "total":
        degrees = [
            dense(Sparse(**{kind: k}).build(n, n, seed=s)).sum(1 if kind == "indegree" else 0) for s in range(20)
        ]  # type: ignore[arg-type]
        assert fits_binomial(np.concatenate(degrees), n * k, 1 / n) > 1e-3


def test_a_fixed_total_spreads_over_both_ends():
    rows = Sparse(total=20 * N).build(N, N, seed=5)
    assert fits_binomial(rows.indegree(), 20 * N, 1 / N) > 1e-3
    assert fits_binomial(rows.outdegree(), 20 * N, 1 / N) > 1e-3
    rows = Sparse(total=20 * N, multapses=False).build(N, N, seed=5)
    low, high = stats.hypergeom.interval(0.999999, N * N, N, 20 * N)  # N pairs per unit, 20 N of them taken
    assert low <= rows.indegree().min() and rows.outdegree().max() <= high
    assert stats.hypergeom.var(N * N, N, 20 * N) == pytest.approx(rows.outdegree().var(), rel=0.25)


def test_no_correlation_between_neighbours_seeds_and_streams():
    rule = Sparse(probability=0.5)
    a = dense(rule.build(N, N, seed=1)) - 0.5
    others = [rule.build(N, N, seed=2), rule.build(N, N, seed=1, stream="b"), rule.build(N, N, seed=1, stream=("b", 1))]
    for b in [a.T, np.roll(a, 1, 0), np.roll(a, 1, 1), *(dense(rows) - 0.5 for rows in others)]:
        assert abs((a * b).mean() * 4) < 4 / N


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_threads_do_not_change_rows(rule, monkeypatch):
    monkeypatch.setattr(device, "SERIAL", 0)
    results = []
    for threads in (1, 2, 5):
        nbsnn.set_threads(threads)
        rows = rule.build(100, 100, seed=9, same=True, coordinates=grid((10, 10)))
        results.append([rows.start, rows.post, *rows.transposed()])
    nbsnn.set_threads(None)
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_choices_are_the_documented_draws():
    n, k, word = 50, 6, key(4, "x")
    rows = Sparse(indegree=k).build(n, 7, seed=4, stream="x")
    for j in range(7):
        drawn = sorted(squares32(counter(j, e), word) * n >> 32 for e in range(k))
        assert sorted(rows.pre()[rows.post == j]) == drawn


@settings(max_examples=40)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 60), st.integers(0, 99))
def test_explicit_pairs_and_their_values_are_sorted_together(n_pre, n_post, synapses, seed):
    rng = np.random.default_rng(seed)
    pre, post = rng.integers(0, n_pre, synapses), rng.integers(0, n_post, synapses)
    weight, delay = rng.random(synapses), np.arange(synapses)
    rows = Explicit(pre, post, weight, delay).build(n_pre, n_post).check()
    order = np.lexsort((delay, post, pre))
    np.testing.assert_array_equal(rows.pre(), pre[order])
    np.testing.assert_array_equal(rows.post, post[order])
    np.testing.assert_array_equal(rows.weight, weight[order])
    np.testing.assert_array_equal(rows.delay, delay[order])
    start, source, synapse = rows.transposed()
    turned = np.lexsort((np.arange(synapses), rows.post))
    np.testing.assert_array_equal(synapse, turned)
    np.testing.assert_array_equal(source, rows.pre()[turned])
    np.testing.assert_array_equal(start, np.searchsorted(rows.post[turned], np.arange(n_post + 1)))


def test_scipy_there_and_back():
    rng = np.random.default_rng(0)
    matrix = scipy_sparse.csr_array(rng.random((30, 20)) * (rng.random((30, 20)) < 0.2))
    for form in (matrix, matrix.tocsc(), matrix.tocoo(), scipy_sparse.csr_matrix(matrix)):
        rows = from_scipy(form).build(30, 20)
        np.testing.assert_array_equal(rows.to_scipy().toarray(), matrix.toarray())
    twice = scipy_sparse.coo_array(([1.0, 2.0, 0.0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    rows = from_scipy(twice).build(2, 2)
    assert rows.weight.tolist() == [1.0, 2.0, 0.0]
    np.testing.assert_array_equal(rows.to_scipy(2.0).toarray(), [[0, 4], [2, 0]])
    weight = from_scipy(scipy_sparse.csr_array(np.array([[False, True], [True, True]]))).build(2, 2).weight
    assert weight.dtype == np.float64 and weight.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("period", [None, 12.0, (12.0, 9.0)])
@pytest.mark.parametrize(
    "profile", [Gaussian(0.9, 1.5), Disc(2.0, 0.7), pytest.param(Decay(0.8, 1.0), marks=pytest.mark.long)], ids=repr
)
def test_distance_against_all_pairs(profile, period, monkeypatch):
    rng = np.random.default_rng(0)
    a, b = rng.random((80, 2)) * (12, 9), rng.random((90, 2)) * (12, 9)
    d = a[:, None] - b
    if period:
        d -= np.round(d / period) * period
    d = np.hypot(d[..., 0], d[..., 1])
    p = {Gaussian: 0.9 * np.exp(-(d**2) / 4.5), Decay: 0.8 * np.exp(-d), Disc: 0.7 * (d <= 2.0)}[type(profile)]
    place = counter(np.arange(80, dtype=np.uint64)[:, None], np.arange(90, dtype=np.uint64))
    expected = squares32(place, key(2, "d")) * 2.0**-32 < p
    rule = Distance(profile, period=period)
    whole = rule.build(80, 90, seed=2, stream="d", coordinates=(a, b)).check()
    np.testing.assert_array_equal(dense(whole), expected)
    assert p.sum() < rule.count(80, 90, coordinates=(a, b)) < 1.5 * p.sum() + 100
    monkeypatch.setattr("nbsnn.sparse.cells.FINENESS", 1)  # cells are no part of the result
    np.testing.assert_array_equal(rule.build(80, 90, seed=2, stream="d", coordinates=(a, b)).post, whole.post)
    near = Distance(profile, cutoff=1.0, period=period).build(80, 90, seed=2, stream="d", coordinates=(a, b))
    np.testing.assert_array_equal(dense(near), expected & (d <= 1.0))


def test_distance_on_a_line_and_at_one_place():
    rows = Distance(Disc(1.0), autapses=False).build(5, 5, same=True, coordinates=np.arange(5.0))
    np.testing.assert_array_equal(dense(rows), np.eye(5, k=1) + np.eye(5, k=-1))
    rows = Distance(Disc(1.0)).build(3, 3, same=True, coordinates=np.zeros((3, 3)))
    assert dense(rows).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: Sparse(), "exactly one of probability, indegree, outdegree, total, not none"),
        (lambda: Sparse(probability=0.1, total=3), "not probability and total"),
        (lambda: Sparse(probability=1.1), "from 0 to 1, not 1.1"),
        (lambda: Sparse(probability=0.1, multapses=True), "multapses must be False or None"),
        (lambda: Sparse(indegree=-1), "indegree must be at least 0"),
        (lambda: Sparse(indegree=2.0), "indegree must be an integer"),
        (lambda: Sparse(indegree=5, multapses=False).build(4, 3), "asks for 5 synapses where there are only 4 pairs"),
        (lambda: Sparse(outdegree=4, multapses=False, autapses=False).build(4, 4, same=True), "only 3 pairs"),
        (lambda: Sparse(total=13, multapses=False).build(4, 3), "only 12 pairs"),
        (lambda: Sparse(indegree=1).build(0, 3), "only 0 pairs"),
        (lambda: AllToAll().build(3, 4, same=True), "one size, not n_pre=3 and n_post=4"),
        (lambda: AllToAll().build(3, -1), "n_post must be at least 0"),
        (lambda: AllToAll().build(3, 2**31), "n_post must be at most"),
        (lambda: OneToOne().build(3, 4), "one size, not of 3 and 4"),
        (lambda: Multiple(OneToOne(), 0), "n must be at least 1"),
        (lambda: Multiple(OneToOne(), 1.5), "n must be an integer"),
        (lambda: Multiple(Explicit([0], [1]), 2), "pairs of Explicit are named several times"),
        (lambda: Multiple(Multiple(OneToOne(), 2), 2), "repeats the synapses of AllToAll"),
        (lambda: Multiple(0.1, 2), "not those of 0.1"),  # type: ignore[arg-type]
        (lambda: Explicit([0, 1], [0]), "one length, not 2 and 1"),
        (lambda: Explicit([0.5], [0]), "pre must be a list of integers, not float64"),
        (lambda: Explicit([0, 3], [0, 0]).build(3, 1), "pre must be from 0 to 2, one of the 3 units, but spans 0 to 3"),
        (lambda: Explicit([0], [-1]).build(3, 1), "post must be from 0"),
        (lambda: Explicit([0], [0], weight=[1, 2]), r"weight must have shape \[1\]"),
        (lambda: from_scipy(np.eye(3)), "sparse matrix, not ndarray"),
        (lambda: from_scipy(scipy_sparse.csr_array(np.eye(3) * 1j)), "real numbers or bool, not of complex128"),
        (lambda: Rows(np.array([0, 2]), np.zeros(3, np.int32), 3), "ascend from 0 to the number of synapses, 3"),
        (lambda: Rows(np.array([0, 3]), np.zeros(3), 3), "post must be a list of int32, not float64"),
        (lambda: Rows(np.array([0, 3]), np.zeros(3, np.int32), 3, np.ones(2)), "one per synapse"),
        (lambda: Rows(np.array([0, 2]), np.array([0, 3], np.int32), 3).check(), "from 0 to 2, but span 0 to 3"),
        (lambda: Rows(np.array([0, 1, 3]), np.array([2, 1, 0], np.int32), 3).check(), "that of synapse 2 does not"),
        (lambda: Gaussian(1.2, 1.0), "at most 1, not 1.2"),
        (lambda: Decay(0.5, 0.0), "length must be greater than 0"),
        (lambda: Distance(Disc(1.0)).build(3, 3), "needs the units' coordinates"),
        (lambda: Distance(Disc(1.0)).build(3, 3, coordinates=np.zeros((2, 2))), r"must have shape \[3, dimensions\]"),
        (lambda: Distance(Disc(1.0)).build(1, 1, coordinates=[[np.nan, 0]]), "NaN"),
        (lambda: Distance(Disc(1.0), period=(1.0, 2.0, 3.0)).build(1, 1, coordinates=[[0.0, 0.0]]), "2 dimensions"),
        (lambda: Distance(lambda d: d), "profile must be like"),  # type: ignore[arg-type]
        (lambda: Distance(Disc(1.0), period=0.0), "period must be greater than 0"),
        (
            lambda: Distance(Odd()).build(1, 1, coordinates=[[0.0]]),
            "Odd must give probabilities from 0 to 1; for 1 pairs",
        ),
    ],
)
def test_errors(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()


def test_too_few_pairs_are_drawn_anew(monkeypatch):
    from nbsnn.sparse import random_pairs

    calls, bernoulli = [], random_pairs.bernoulli

    def unlucky(n_pre, lo, hi, own, probability, draws, *counted):
        calls.append(draws)
        short = len(set(calls)) < 3
        return bernoulli(n_pre, lo, hi, own, probability * (0.5 if short else 1.0), draws, *counted)

    monkeypatch.setattr(random_pairs, "bernoulli", unlucky)
    rows = Sparse(total=300, multapses=False).build(40, 40, seed=1).check()
    assert len(rows) == 300 and dense(rows).max() == 1
    assert len(set(calls)) == 3 == len(calls) - 1  # each time with other numbers, and the last again to keep them


@pytest.mark.parametrize("rule", [*RULES, Explicit([2, 5, 2, 9, 0, 2], [7, 3, 7, 0, 9, 1], weight=range(6))], ids=repr)
def test_synapses_of_some_targets_are_those_among_all(rule, monkeypatch):
    from nbsnn.sparse import random_pairs

    monkeypatch.setattr(random_pairs, "PIECE", 100)  # out-degrees are drawn in pieces
    options = {"seed": 5, "same": True, "coordinates": grid((8, 5))}
    whole, cuts = rule.build(40, 40, **options), [0, 0, 7, 8, 25, 40]
    pre, numbers = whole.pre(), whole.numbers()
    for lo, hi in itertools.pairwise(cuts):
        part, mine = rule.build(40, 40, targets=(lo, hi), **options).check(), (whole.post >= lo) & (whole.post < hi)
        assert (part.n_pre, part.n_post) == (40, 40)
        np.testing.assert_array_equal(part.pre(), pre[mine])
        np.testing.assert_array_equal(part.post, whole.post[mine])
        np.testing.assert_array_equal(part.numbers(), numbers[mine])
        if whole.weight is not None:
            np.testing.assert_array_equal(part.weight, whole.weight[mine])
        for spec in (Normal(1.0, 2.0, low=0.0), Uniform(0.5, 3.0)):
            kept = values.of(spec, whole, seed=3)[mine], delays(spec, whole, dt=0.5, seed=3)[mine]
            np.testing.assert_array_equal(values.of(spec, part, seed=3), kept[0])
            np.testing.assert_array_equal(delays(spec, part, dt=0.5, seed=3), kept[1])


def test_halves_share_a_total_binomially():
    """Degrees of 16 targets, many times: each is binomial, and so is each half, however large the numbers."""
    for total, n_pre in ((40, 3), (4000, 30)):
        degrees = np.array([Sparse(total=total).build(n_pre, 16, seed=seed).indegree() for seed in range(400)])
        assert (degrees.sum(axis=1) == total).all()
        for part, share in (
            (degrees[:, 3], 1 / 16),
            (degrees[:, :8].sum(axis=1), 0.5),
            (degrees[:, 8:12].sum(1), 0.25),
        ):
            below = stats.binom.cdf(part - 1, total, share)
            spread = below + np.random.default_rng(0).random(400) * stats.binom.pmf(part, total, share)
            assert stats.kstest(spread, "uniform").pvalue > 1e-4


@pytest.mark.parametrize(("n", "p"), [(3, 0.4), (15, 0.5), (19, 0.9), (60, 0.3), (500, 0.97), (10**9, 0.25)])
def test_binomial_numbers(n, p):
    draw = compiled("binomial")
    with np.errstate(over="ignore"):
        found = np.array([draw(n, p, unit, np.uint64(key(7, n))) for unit in range(3000)])
    spread = stats.binom.cdf(found - 1, n, p) + np.random.default_rng(1).random(3000) * stats.binom.pmf(found, n, p)
    assert found.min() >= 0 and found.max() <= n and stats.kstest(spread, "uniform").pvalue > 1e-4


def test_values_belong_to_targets_and_their_synapses():
    """By the scalar functions: the k-th synapse of a target takes the number at counter(64 k, target)."""
    rows = Sparse(indegree=3).build(5, 4, seed=2)
    drawn = values.of(Uniform(0.0, 1.0), rows, seed=2, dtype=np.float64)
    draws = Draws(2)
    for value, target, k in zip(drawn, rows.post, rows.numbers(), strict=True):
        place = counter(64 * int(k), int(target))
        word = squares32(place, draws.key) << 20 | squares32(place, draws._low_key) >> 12
        assert value == (word + 0.5) * 2.0**-52
    # A value that is drawn again and again does not meet those of the next synapse.
    rare = values.of(Uniform(0.0, 1.0), 200, seed=2), values.of(Normal(0.0, 1.0, low=3.0), rows, seed=2)
    assert len(np.unique(np.concatenate(rare))) == 200 + len(rows)


def test_bad_targets():
    for targets, message in (((0, 5), "at most 4"), ((3, 2), "from 3 to 2"), (2, "two places"), ((0, 1, 2), "two")):
        with pytest.raises((ValueError, TypeError), match=message):
            AllToAll().build(4, 4, targets=targets)  # type: ignore[arg-type]
