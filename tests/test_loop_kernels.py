"""Kernels of the simulator, called by themselves, in what a run on one thread does not reach."""

import numpy as np
import pytest
from scipy.stats import binom

from nbsnn.kernels.network import loop, loop_cuda, tables
from nbsnn.kernels.network.arrays import GpuRecord, Record, SpikeLists
from nbsnn.kernels.network.exchange import packed_row
from nbsnn.kernels.synapses.connect import binomial_below, cut, even


def test_a_thread_notes_the_spikes_that_all_have_listed():
    """Populations of 5 and 4 units on three threads, each of which lists from its own share; the second is recorded."""
    parts, sizes, offsets = 3, (5, 4), (0, 5)
    pops = np.zeros((2, 1 + max(tables.UNITS, tables.FIRST, tables.RECORDED)), np.int64)
    pops[:, tables.UNITS], pops[:, tables.FIRST], pops[:, tables.RECORDED] = sizes, offsets, (0, 1)
    fired = np.random.default_rng(0).random((4, 9)) < 0.6  # of steps 10 to 13
    units, counts = np.full((8, 9), -7), np.zeros((8, 2, parts), np.int64)
    for t, step in enumerate(fired, 10):
        for k, (n, first) in enumerate(zip(sizes, offsets, strict=True)):
            for part in range(parts):
                lo, hi = n * part // parts, n * (part + 1) // parts
                its = lo + np.flatnonzero(step[first + lo : first + hi])
                units[t % 8, first + lo : first + lo + len(its)], counts[t % 8, k, part] = its, len(its)
    zeros = np.zeros((1, 40), np.int64)
    record = Record(zeros[0], zeros[0], zeros, 1, 0, zeros.copy(), zeros.copy(), np.zeros((2, 1), np.int64),
                    np.zeros(1, np.int64), 9, np.array([0, 6]))  # fmt: skip
    loop.note(0, 0, parts, parts, 10, 14, 1, pops, SpikeLists(units, counts, zeros, zeros), record)
    wanted = [(t - 6, 5 + j) for t, step in enumerate(fired, 10) for j in np.flatnonzero(step[5:])]
    count = record.position[0]
    assert list(zip(record.steps[0, :count], record.units[0, :count], strict=True)) == wanted
    assert record.used[:, 0].tolist() == [0, count]


def test_a_source_is_found_among_those_with_synapses_here():
    for sources in ([], [3], [0, 1], [1, 4, 6, 7, 9]):
        bounds = np.array([-9, -9, *sources, len(sources)])
        found = [packed_row(unit, 0, len(bounds), bounds, 1) for unit in range(11)]
        assert found == [sources.index(unit) if unit in sources else len(sources) for unit in range(11)]
    assert packed_row(7, 0, 1, np.array([-1]), 1) == 7


def test_a_gpu_records_at_intervals():
    """Variables at places 4 and 2 of unit 1, every third step, of which the second is the first row."""
    S, rows, none = np.arange(6.0), np.full((2, 3), -1.0), np.zeros(1, np.int64)
    starts, columns, places = (np.array(a) for a in ([0, 1, 3], [2, 0, 1], [5, 4, 2]))
    record = GpuRecord(**{name: none for name in GpuRecord._fields} | {
        "starts": starts, "columns": columns, "places": places, "rows": rows, "every": 3, "first": 2})  # fmt: skip
    for t in range(5, 9):
        loop_cuda.sample(1, t, record, S + t)
    np.testing.assert_array_equal(rows, [[9.0, 7.0, -1.0], [12.0, 10.0, -1.0]])


def test_rows_are_cut_where_their_targets_pass_a_number():
    """Rows of targets below 20, one of them empty, with and without a lag above the target's bits."""
    rng, cuts = np.random.default_rng(0), np.array([0, 3, 9, 9, 20])
    rows = [np.sort(rng.integers(0, 20, size)) for size in (7, 0, 12, 5)]
    start, targets = np.cumsum([0, *map(len, rows)]), np.concatenate(rows)
    for modulus in (0, 32):
        index = np.concatenate([[19, 19], targets + modulus * rng.integers(0, 4, len(targets))])
        bounds = np.full((4, 5), 7)
        cut(start, 2, index, cuts, modulus, bounds)
        wanted = [2 + start[i] + np.searchsorted(row, cuts) for i, row in enumerate(rows)]
        np.testing.assert_array_equal(bounds, wanted)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(("n", "p"), [(40, 0.4), (3000, 0.01), (500, 0.5)])
def test_a_binomial_number_is_accepted_by_its_probability(n, p):
    """Hormann's BTRS without its shortcut, and with SciPy's probabilities in place of Stirling's formula."""
    deviation, mode = np.sqrt(n * p * (1.0 - p)), np.floor((n + 1) * p)
    b = 1.15 + 2.53 * deviation
    a, alpha = -0.0873 + 0.0248 * b + 0.01 * p, (2.83 + 5.1 / b) * deviation
    units, wanted, key = np.arange(1000), np.full(1000, -1.0), np.uint64(0x9E3779B97F4A7C15)
    for at in range(0, 20, 2):
        u, v = (np.array([even(unit, at + k, key) for unit in units]) for k in (0, 1))
        edge = 0.5 - abs(u - 0.5)
        found = np.floor((2.0 * a / edge + b) * (u - 0.5) + n * p + 0.5)
        height = np.log(v * alpha / (a / edge**2 + b))
        fits = height <= binom.logpmf(found, n, p) - binom.logpmf(mode, n, p)
        wanted = np.where((wanted < 0) & fits, found, wanted)
    assert [binomial_below(n, p, unit, key) for unit in units] == wanted.tolist()
