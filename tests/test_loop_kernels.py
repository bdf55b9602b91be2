"""Kernels of the simulator, called by themselves, in what a run on one thread does not reach."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom

from nbsnn.compile.fill import kernel
from nbsnn.kernels.network import exchange, gates, loop, loop_cuda, tables
from nbsnn.kernels.network.arrays import GpuRecord, Record, SpikeLists
from nbsnn.kernels.plasticity import step as plastic_step
from nbsnn.kernels.synapses.connect import binomial_below, cut, even, pairs


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


def populations(sizes, recorded=1):
    """Their table, and the first unit of each."""
    pops, firsts = np.zeros((len(sizes), 40), np.int64), np.cumsum([0, *sizes[:-1]])
    pops[:, tables.UNITS], pops[:, tables.FIRST], pops[:, tables.RECORDED] = sizes, firsts, recorded
    return pops, firsts


def listed(fired, t0, sizes, parts, depth):
    """Lists of spikes [steps, units], from step t0 on, as all threads fill them; and of which part each unit is."""
    _, firsts = populations(sizes)
    units, counts = np.full((depth, sum(sizes)), -7), np.zeros((depth, len(sizes), parts), np.int64)
    owner = np.concatenate([(np.arange(n) * parts + parts - 1) // n for n in sizes])
    for t, step in enumerate(fired, t0):
        for k, (n, first) in enumerate(zip(sizes, firsts, strict=True)):
            for part in range(parts):
                its = np.flatnonzero(owner[first : first + n] == part)
                on = its[step[first + its]]
                units[t % depth, first + its[:1].sum() :][: len(on)], counts[t % depth, k, part] = on, len(on)
    return units, counts, owner


def test_spikes_are_packed_for_other_processes_and_unpacked():
    """Eight threads, of which a process has those from 3 to 5: it numbers its own units through, step after step."""
    sizes, parts, depth = (9, 1, 14), 8, 5
    fired = np.random.default_rng(1).random((3, 24)) < 0.5  # of steps 6 to 8
    units, counts, owner = listed(fired, 6, sizes, parts, depth)
    pops, out, mine = populations(sizes)[0], np.full(99, -1), (owner >= 3) & (owner < 6)
    wanted = np.flatnonzero(fired[:, mine])
    assert exchange.pack(6, 9, 3, 3, parts, pops, units, counts, out) == len(wanted) > 10
    assert out[: len(wanted)].tolist() == wanted.tolist() and (out[len(wanted) :] == -1).all()
    others = np.full_like(units, -7), counts.copy()
    others[1][..., 3:6] = 77
    exchange.unpack(6, 9, 3, 3, parts, pops, *others, out[: len(wanted)])
    np.testing.assert_array_equal(others[1][[6 % 5, 7 % 5, 8 % 5]], counts[[6 % 5, 7 % 5, 8 % 5]])
    own, _, _ = listed(fired & mine, 6, sizes, parts, depth)
    np.testing.assert_array_equal(others[0], own)


def wait(cells, threads):
    cells[8] += threads


def send(cells):
    cells[9] = 1000 * cells[2] + cells[3]


@pytest.mark.parametrize(
    ("part", "parts", "threads", "waits", "sends", "noted"),
    [
        (0, 1, 1, 0, 0, [0]), (1, 3, 3, 1, 0, [1]), (1, 3, 1, 0, 1, [0, 1, 2]), (2, 4, 2, 2, 1, [0, 1, 2, 3]),
        (3, 4, 2, 2, 0, []),
    ],
)  # fmt: skip
def test_spikes_are_shared_between_threads_then_processes(part, parts, threads, waits, sends, noted):
    """Each thread notes its own spikes; of several processes the first thread notes those of all."""
    fired, zeros, cells = np.ones((2, 8), bool), np.zeros((1, 40), np.int64), np.zeros(16, np.int64)
    units, counts, owner = listed(fired, 4, (8,), parts, 6)
    network = SimpleNamespace(
        tables=SimpleNamespace(pops=populations((8,))[0]), synapses=SimpleNamespace(threads=threads),
        spikes=SpikeLists(units, counts, zeros, zeros),
    )  # fmt: skip
    record = Record(zeros[0], zeros[0], zeros, 1, 0, *np.zeros((2, 4, 40), np.int64), np.zeros((2, 4), np.int64),
                    np.zeros(4, np.int64), 9, np.array([0, 3]))  # fmt: skip
    share = kernel(loop.share_spikes, device="python", dtype=float, wait_for_all=wait, exchange=send)
    share(part, parts, 4, 6, 1, network, record, cells)
    assert cells[8] == waits * threads and cells[9] == sends * 4006
    row = part if parts == threads else 0
    wanted = [(t - 3, unit) for t in (4, 5) for unit in range(8) if owner[unit] in noted]
    assert list(zip(record.steps[row, : len(wanted)], record.units[row, : len(wanted)], strict=True)) == wanted
    assert record.position.sum() == record.used[1].sum() == len(wanted) and not record.used[0].any()


def test_a_sum_in_four_parts_is_that_of_all_numbers():
    numbers = np.random.default_rng(0).integers(-99, 99, 12).astype(float)
    for first in range(12):
        for last in range(first, 13):
            assert gates.sum_of(numbers, np.uintp(first), np.uintp(last)) == numbers[first:last].sum()


def test_threads_that_read_the_last_step_are_not_overtaken():
    """What is known of sources lies elsewhere in every other step, if there are others who may still read it."""
    for threads, wanted in ((1, [False] * 4), (2, [False, True, False, True])):
        network = SimpleNamespace(synapses=SimpleNamespace(threads=threads))
        assert [plastic_step.turned(t, network) for t in range(6, 10)] == wanted


def test_a_source_is_found_among_those_with_synapses_here():
    for sources in ([], [3], [0, 1], [1, 4, 6, 7, 9]):
        bounds = np.array([-9, -9, *sources, len(sources)])
        found = [exchange.packed_row(unit, 0, len(bounds), bounds, 1) for unit in range(11)]
        assert found == [sources.index(unit) if unit in sources else len(sources) for unit in range(11)]
    assert exchange.packed_row(7, 0, 1, np.array([-1]), 1) == 7


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


@pytest.mark.parametrize("own", [-4, 0, 2, 9])
def test_pairs_are_all_but_those_of_a_unit_with_itself(own):
    """Of units a to b and n places; unit u is place u + own, if there is one."""
    for a, b, n in ((0, 6, 6), (2, 5, 4), (3, 4, 9), (5, 9, 3), (0, 12, 5)):
        wanted = sum(place != unit + own for unit in range(a, b) for place in range(n))
        assert pairs(a, b, n, own) == wanted
