"""Kernels of the simulator, called by themselves, in what a run on one thread does not reach."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import bernoulli
from scipy.stats import binom

from nbsnn.compile.fill import kernel
from nbsnn.kernels.network import exchange, gates, loop, loop_cuda, off_grid, tables
from nbsnn.kernels.network.arrays import GpuRecord, Record, SpikeLists
from nbsnn.kernels.plasticity import normalized
from nbsnn.kernels.plasticity import step as plastic_step
from nbsnn.kernels.products import gather
from nbsnn.kernels.synapses.connect import beyond, binomial_below, cut, even, pairs
from nbsnn.kernels.synapses.distance import Cells, cell


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
    share = kernel(loop.share_spikes, device="python", dtype=float, wait_for_all=wait, exchange=send,
                   share_with_others=exchange.share_with_others)  # fmt: skip
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
        bounds[:, 0], bounds[:, -1] = 2 + start[:-1], 2 + start[1:]
        cut(index, cuts, modulus, bounds)
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


def test_what_stirlings_formula_leaves_out_is_a_series_of_bernoulli_numbers():
    for k in (0, 1, 2, 10, 1000):
        series = [bernoulli(2 * j)[-1] / (2 * j * (2 * j - 1)) / (k + 1.0) ** (2 * j - 1) for j in (1, 2, 3, 4)]
        assert beyond(k) == pytest.approx(sum(series), rel=1e-14)


def test_an_offset_leads_to_a_cell_or_outside():
    """Five columns of three cells, of which none, one or both directions go round."""
    home, offsets = np.argwhere(np.ones((5, 3))), np.argwhere(np.ones((5, 5))) - 2
    for period in ([0.0, 0.0], [0.0, 2.0], [2.0, 2.0]):
        near = Cells(home, offsets, *[np.zeros(0)] * 6)._replace(cells=np.array([5, 3]), period=np.array(period))
        for u, m in np.ndindex(15, 25):
            a, b = home[u] + offsets[m]
            a, b = (at % n if round else at for at, n, round in zip((a, b), (5, 3), period, strict=True))
            assert cell(u, m, near) == (3 * a + b if 0 <= a < 5 and 0 <= b < 3 else -1)


def test_all_rows_get_their_bias_and_the_weights_of_their_events():
    """Three rows, one without events, in the last two of three lines."""
    rng, events = np.random.default_rng(0), ([0, 3, 4], [], [2])
    start, index = np.cumsum([0, *map(len, events)]).astype(np.uint64), np.concatenate(events).astype(np.uint64)
    weight, bias, x = rng.normal(size=(3, 5, 64)), rng.normal(size=(3, 64)), np.full((3, 3, 64), 7.0)
    gather.all_currents(start, index, weight.reshape(15, 64), bias, x.reshape(9, 64), np.uintp(1), np.uintp(3))
    wanted = [[bias[q] + weight[q, np.array(row, int)].sum(axis=0) for row in events] for q in (1, 2)]
    np.testing.assert_allclose(x[1:], wanted, 1e-13)
    assert (x[0] == 7.0).all()


def test_weights_are_cut_where_there_is_a_bound():
    row = np.zeros(50, np.int64)
    row[tables.BALANCED], row[tables.DUE] = 2, 5
    for least, most, wanted in (
        (-np.inf, np.inf, False), (0.0, np.inf, True), (-np.inf, 1.0, True), (0.0, 1.0, True),
    ):  # fmt: skip
        for t, due in ((4, False), (5, True)):
            P = np.array([9.0, 9.0, 3.0, 1.0, least, most])
            assert normalized.normalization(t, row, P) == (3.0, True, least, most, due, wanted)


def test_gates_of_a_share_of_units_move_on():
    """Units 2 to 4 of six: a gate adds up marks, and puts out twice its state."""
    S, P = np.arange(24.0), np.array([0.5])
    row, pop = np.zeros(20, np.int64), np.zeros(20, np.int64)
    row[tables.STATE], row[tables.ROW], pop[tables.STATE], pop[tables.STRIDE] = 6, 12, 18, 6
    move = kernel(
        gates.units_of, device="python", dtype=float,
        step=lambda mark, seen, state, factor: (mark + seen + factor * state,), seen=lambda S, v, w, k: (S[v + k],),
        state=lambda S, o, w, k: (S[o + k],), params=lambda P, o: (P[o],),
        put_out=lambda S, r, o, w, k: S.__setitem__(o + k, 2.0 * r[0]),
        keep=lambda S, r, o, w, k: S.__setitem__(o + k, r[0]),
    )  # fmt: skip
    move(2, 5, row, pop, SimpleNamespace(values=SimpleNamespace(states=S, numbers=P)))
    wanted = np.arange(24.0)
    wanted[8:11] = [14 + 20 + 4.0, 15 + 21 + 4.5, 16 + 22 + 5.0]
    wanted[14:17] = 2.0 * wanted[8:11]
    np.testing.assert_array_equal(S, wanted)


def test_a_step_between_steps_begins_with_all_currents():
    """One current for all units and one for each, both with a factor, and one that is over; units 1 and 2 of three."""
    pops, table = np.zeros((1, 40), np.int64), np.zeros((3, tables.CURRENT_COLUMNS), np.int64)
    pops[0, [tables.UNITS, tables.FIRST, tables.CURRENTS]] = 3, 1, 3
    table[:, tables.ROWS], table[:, tables.EVERY], table[:, tables.END] = 2, 2, (9, 9, 3)
    table[:, tables.VALUES], table[:, tables.WIDTH], table[:, tables.FACTOR] = (2, 4, 2), (1, 3, 1), (0, 1, 0)
    C = np.array([10.0, 0.5, 3.0, 4.0, 1.0, 2.0, 3.0, 5.0, 6.0, 7.0])
    room = SimpleNamespace(come=np.zeros(4), currents=np.full(4, 8.0))
    network = SimpleNamespace(
        tables=SimpleNamespace(pops=pops, currents=table), values=SimpleNamespace(currents=C),
        ring=SimpleNamespace(arriving=np.zeros(9)),
    )  # fmt: skip
    off_grid.begin(1, 3, 3, 0, 5, network, room)
    assert room.currents.tolist() == [8.0, 8.0, 10.0 * 4.0 + 0.5 * 6.0, 10.0 * 4.0 + 0.5 * 7.0]
    assert room.come.tolist() == [0.0, 0.0, 1.0, 1.0]
    assert network.ring.arriving.tolist() == [0.0] * 7 + [-1.0, -1.0]


def test_how_steep_a_membrane_is_and_at_most_becomes():
    """Unit 1 of two, with two ports of their own constants a, b, c, o: of |z| and |y|, whose sizes can only fall but
    for what z adds to y."""
    rng, h, leak, w, j = np.random.default_rng(0), 0.3, 0.8, 2, 1
    pops, ports = np.zeros((1, 40), np.int64), np.zeros((3, tables.PORT_COLUMNS), np.int64)
    pops[0, [tables.STRIDE, tables.PORT, tables.PORTS]] = w, 1, 2
    ports[1:, tables.STATE], ports[1:, tables.VARIABLES], ports[1:, tables.SCALARS] = (0, 4), 2, (0, 7)
    S, P, F, v, v_end = rng.normal(size=8), rng.random(14), rng.random((4, 5)), 0.2, 1.5
    network = SimpleNamespace(
        tables=SimpleNamespace(pops=pops, ports=ports), values=SimpleNamespace(states=S, numbers=P)
    )  # fmt: skip
    v1, steep, bound = off_grid.ahead(h, j, 0, v, v_end, leak, network, F)
    (a, b, c, o), z, y = P.reshape(2, 7)[:, 3:].T, S[[1, 5]], S[[3, 7]]
    assert v1 == pytest.approx(v_end + (v - v_end) * F[0, 3] + F[2:, 3] @ z + F[2:, 4] @ y, rel=1e-13)
    assert steep == pytest.approx(leak * abs(v_end - v + o @ z + y.sum()), rel=1e-13)
    drift = ((o * a) @ abs(z) + c @ abs(z) + b @ (abs(y) + c * h * abs(z))).sum()
    assert bound == pytest.approx(leak * (drift + leak * h * drift + steep), rel=1e-13)
