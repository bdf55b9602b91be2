"""Counter-based randomness: the same function in three forms, uniform, independent, and without collisions."""

import ctypes

import numpy as np
import pytest
from scipy import stats

from nbsnn.compile import fill as compile
from nbsnn.random import MASK, Draws, counter, key, splitmix64, squares32

PAPER_KEY = 0xC58EFD154CE32F6D


def naive_squares32(ctr: int, k: int) -> int:
    """The paper's loop in C's arithmetic, written independently."""

    def u64(value: int) -> int:
        return ctypes.c_uint64(value).value

    x = y = u64(ctr * k)
    z = u64(y + k)
    for term in (y, z, y):
        x = u64(x * x + term)
        x = u64(x >> 32 | x << 32)
    return u64(x * x + z) >> 32


def fill(out, start, k, n):
    for i in range(n):
        out[i] = squares32(start + i, k)


PLACES = [0, 1, 2, 12345, 2**32 - 3, 2**32, counter(7, 9), counter(2**32 - 1, 2**32 - 40)]


@pytest.mark.parametrize("start", PLACES)
@pytest.mark.parametrize("k", [PAPER_KEY, key(0), key(1, "a")])
def test_squares32_has_one_value_in_python_numpy_and_numba(start, k):
    n = 40
    oracle = [naive_squares32(start + i, k) for i in range(n)]
    assert [squares32(start + i, k) for i in range(n)] == oracle
    places = np.uint64(start) + np.arange(n, dtype=np.uint64)
    assert squares32(places, k).tolist() == oracle
    out = np.empty(n, np.uint64)
    with np.errstate(over="ignore"):
        compile.kernel(fill)(out, np.uint64(start), np.uint64(k), np.uintp(n))
    assert out.tolist() == oracle


def test_steps_and_units_have_places_of_their_own():
    assert counter(3, 5) == 3 * 2**32 + 5
    places = counter(np.arange(50, dtype=np.uint64)[:, None], np.arange(50, dtype=np.uint64))
    assert len(np.unique(places)) == 2500
    assert Draws(0).bits(step=1, start=0) != Draws(0).bits(step=0, start=1)


def test_splitmix64_gives_the_published_sequence():
    # First outputs of SplitMix64 seeded with 1234567, as in the reference implementation's published check values.
    golden = 0x9E3779B97F4A7C15
    values = [splitmix64((1234567 + (i + 1) * golden) & MASK) for i in range(3)]
    assert values == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_keys_are_odd_irregular_and_do_not_collide():
    pairs = [(seed, stream) for seed in range(-50, 50) for stream in range(900)]
    keys = [key(seed, stream) for seed, stream in pairs]
    keys += [key(seed, "w", f"layer{i}") for seed in range(100) for i in range(100)]
    assert len(set(keys)) == len(keys) == 100_000
    assert all(k % 2 == 1 and 24 <= k.bit_count() <= 40 and 0 < k <= MASK for k in keys)
    ones = np.unpackbits(np.array(keys, ">u8").view(np.uint8).reshape(-1, 8), axis=1).mean(0)
    assert abs(ones[:-1] - 0.5).max() < 0.01  # each bit but the last is a fair coin


def test_keys_tell_apart_what_looks_alike():
    alike = [(0,), (0, 0), (0, 0, 0), (0, ""), (0, "", ""), (0, "a", "b"), (0, "ab"), (0, "1"), (0, 1), (1, 0), (0, -1)]
    alike += [(256,), (2**64,), (2**64 - 1,), (-1,), (0, "abcdefgh"), (0, "abcdefgh\0"), (0, "abcdefgh", ""), (2**200,)]
    assert len({key(*path) for path in alike}) == len(alike)
    assert key(np.int64(3), np.uint8(4)) == key(3, 4)


def test_streams_never_change_between_versions():
    # Recorded once: other values would change every network that a seed has ever made.
    assert key(0) == 0xFAD6E24671254235
    assert key(42, "layer", 1) == 0x5EA6DFE2DA022E39
    assert Draws(0).bits(4).tolist() == [1090411638, 2854533846, 3475356365, 3460874238]


@pytest.mark.parametrize("bad", [1.5, None, True, b"a", (1,)])
def test_seeds_and_streams_are_integers_and_strings(bad):
    with pytest.raises(TypeError, match="integers and strings"):
        Draws(bad)
    with pytest.raises(TypeError, match="integers and strings"):
        Draws(0).fold(bad)


def test_draws_are_values():
    assert Draws(1, "a").fold(2, "b") == Draws(1, "a", 2, "b")
    assert hash(Draws(1, 2)) == hash(Draws(np.int64(1), np.int32(2)))
    assert Draws(1, "a") != Draws(1, "b")
    assert eval(repr(Draws(3, "x", 1))) == Draws(3, "x", 1)


@pytest.mark.parametrize("name", ["bits", "uniform", "normal"])
def test_a_part_equals_that_part_of_the_whole(name):
    draw = getattr(Draws(5, name), name)
    whole = draw((4, 25), step=3)
    parts = np.concatenate([draw(30, step=3), draw(30, step=3, start=30), draw(40, step=3, start=60)])
    assert (whole.reshape(-1) == parts).all()
    assert (draw((4, 25), step=4) != whole).mean() > 0.99


@pytest.mark.parametrize("path", [(0,), (1,), (0, "a"), (12345, 6, 7)])
def test_uniform_is_uniform(path):
    draws = Draws(*path)
    n = 100_000
    for dtype in (np.float32, np.float64):
        u = draws.uniform(n, dtype=dtype)
        assert u.dtype == dtype and u.min() >= 0.0 and u.max() < 1.0
        assert stats.kstest(u.astype(np.float64), "uniform").pvalue > 1e-4
    bits = draws.bits(n)
    assert bits.dtype == np.uint32
    for shift in range(0, 32, 8):  # each byte
        assert stats.chisquare(np.bincount(bits >> shift & 255, minlength=256)).pvalue > 1e-4


@pytest.mark.parametrize("step", [0, 1, 1000])
def test_first_numbers_of_many_streams_are_uniform(step):
    u = np.array([Draws(0, stream).uniform(2, step=step) for stream in range(4000)])
    assert stats.kstest(u[:, 0], "uniform").pvalue > 1e-4
    assert stats.kstest(u[:, 1], "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(u.T)[0, 1]) < 5 / np.sqrt(4000)


def over_steps(first):
    return np.array([Draws(9).uniform((), step=t, start=3) for t in range(first, first + 1500)])


N = 60_000
NEIGHBOURS = {
    "unit": lambda: (Draws(9).uniform(N), Draws(9).uniform(N, start=1)),
    "step": lambda: (Draws(9).uniform(N), Draws(9).uniform(N, step=1)),
    "seed": lambda: (Draws(9).uniform(N), Draws(10).uniform(N)),
    "stream": lambda: (Draws(9, 0).uniform(N), Draws(9, 1).uniform(N)),
    "longer stream": lambda: (Draws(9).uniform(N), Draws(9, 0).uniform(N)),
    "steps of one unit": lambda: (over_steps(0), over_steps(1)),
}


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbours_are_independent(name):
    a, b = NEIGHBOURS[name]()
    assert abs(np.corrcoef(a, b)[0, 1]) < 4.5 / np.sqrt(len(a))
    table = np.histogram2d(a, b, bins=10, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(table.reshape(-1)).pvalue > 1e-4


def test_lower_half_of_long_words_is_independent_of_the_upper():
    word = Draws(2)._long(60_000, 0, 0)
    high, low = (word >> 32).astype(float), (word & 0xFFFFFFFF).astype(float)
    assert abs(np.corrcoef(high, low)[0, 1]) < 4.5 / np.sqrt(len(word))
    assert stats.kstest(low / 2**32, "uniform").pvalue > 1e-4


def test_both_dtypes_read_the_same_bits():
    draws = Draws(3)
    assert abs(draws.uniform(1000) - draws.uniform(1000, dtype=np.float64)).max() <= 2.0**-24
    assert (draws.normal(1000) == draws.normal(1000, dtype=np.float64).astype(np.float32)).all()


def test_uniform_and_normal_have_the_asked_range_and_moments():
    draws = Draws(4)
    u = draws.uniform(100_000, -2.0, 3.0, dtype=np.float64)
    assert stats.kstest((u + 2.0) / 5.0, "uniform").pvalue > 1e-4
    z = draws.normal(100_000, 1.0, 2.0, dtype=np.float64)
    assert stats.kstest((z - 1.0) / 2.0, "norm").pvalue > 1e-4
    assert draws.normal(100_000).dtype == np.float32 and np.isfinite(z).all()
    assert draws.uniform().shape == draws.normal().shape == ()
    assert (draws.normal(3, 5.0, 0.0) == 5.0).all()
    with pytest.raises(ValueError, match="low must not exceed high"):
        draws.uniform(3, 1.0, 0.0)
    with pytest.raises(TypeError, match="float32 or float64"):
        draws.uniform(3, dtype=np.int32)


def test_normal_is_finite_at_the_ends_of_the_uniform(monkeypatch):
    for word, sign in ((0, -1.0), (2**64 - 1, 1.0)):
        monkeypatch.setattr(Draws, "_long", lambda self, *a, w=word: np.array([w], np.uint64))
        z = Draws(0).normal(1, dtype=np.float64)
        assert np.isfinite(z).all() and 8.0 < sign * z[0] < 8.3


@pytest.mark.parametrize(("low", "high"), [(0, 10), (-5, 8), (0, 1), (2**40, 2**40 + 3)])
def test_integers_are_uniform(low, high):
    values = Draws(6).integers(low, high, 20_000)
    assert values.dtype == np.int64 and values.min() == low and values.max() == high - 1
    counts = np.bincount(values - low, minlength=high - low)
    assert high - low == 1 or stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("n", [3, 1000, 2**31 + 11, 2**32])
def test_integers_scale_the_long_word_exactly(n):
    draws = Draws(8)
    words = draws._long(200, 0, 0).tolist()
    assert draws.integers(0, n, 200).tolist() == [n * (w >> 32 << 32 | w & 0xFFFFFFFF) >> 64 for w in words]


@pytest.mark.parametrize(("low", "high"), [(0, 0), (3, 1), (0, 2**32 + 1)])
def test_integers_refuse_other_ranges(low, high):
    with pytest.raises(ValueError, match="high - low"):
        Draws(0).integers(low, high, 3)


def test_permutations_are_permutations_and_uniform():
    p = Draws(0).permutation(1000)
    assert p.dtype == np.int64 and (np.sort(p) == np.arange(1000)).all() and (p != np.arange(1000)).any()
    assert Draws(0).permutation(0).shape == (0,)
    orders = [tuple(Draws(0, i).permutation(3)) for i in range(3000)]
    counts = [orders.count(order) for order in sorted(set(orders))]
    assert len(counts) == 6 and stats.chisquare(counts).pvalue > 1e-4


def test_generator_is_a_function_of_the_stream():
    a, b, c = (Draws(*path).generator().random(5) for path in [(0, "g"), (0, "g"), (0, "h")])
    assert (a == b).all() and (a != c).all()


def test_places_outside_a_stream_are_refused():
    for arguments in ({"start": 2**32 - 2}, {"step": 2**32}, {"start": -1}, {"step": -1}):
        with pytest.raises(ValueError):
            Draws(0).bits(3, **arguments)
    assert Draws(0).bits(2, step=2**32 - 1, start=2**32 - 2).shape == (2,)
    with pytest.raises(ValueError, match="shape"):
        Draws(0).bits((2, -1))
    with pytest.raises(TypeError, match="shape"):
        Draws(0).bits((2.0,))  # type: ignore[arg-type]
