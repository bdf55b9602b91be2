"""Spikes off the grid: NEST's test of convergence, an event-driven oracle, threads, pieces, and what is refused."""

import copy
import heapq
import itertools
import math
import pickle
from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LI, LIF, AdEx
from nbsnn.plasticity import PairSTDP, Scaling
from nbsnn.scalar.divided import divided, divided2
from nbsnn.synapses import NMDA, Alpha, Delta, DoubleExponential, Exponential, TsodyksMarkram

TAU, THRESHOLD, REFRACTORY = 10.0, 15.0, 2.0
KINDS = {"delta": Delta(), "exp": Exponential(2.0), "alpha": Alpha(1.5), "double": DoubleExponential(0.4, 3.0),
         "as the membrane": Alpha(TAU)}  # fmt: skip


def off_grid(dt, device="python", **options):
    return nbsnn.Network(dt=dt, device=device, off_grid=True, **options)


def course(synapse, s):
    """What a spike of weight 1 has made of a membrane that only leaks, s after its arrival; by integration in steps."""
    if synapse == Delta():
        return np.where(s >= 0.0, np.exp(-s / TAU), 0.0)
    system = np.zeros((len(synapse.jump) + 1,) * 2)
    system[:-1, :-1], system[-1, :-1], system[-1, -1] = synapse.matrix, np.array(synapse.output) / TAU, -1.0 / TAU
    step = np.eye(len(system)) + sum(
        np.linalg.matrix_power(system * s / 4096, k) / math.factorial(k) for k in range(1, 7)
    )
    return (np.linalg.matrix_power(step, 4096) @ [*synapse.jump, 0.0])[-1]


@pytest.mark.parametrize("name", KINDS)
def test_the_membrane_after_an_input_off_the_grid_does_not_depend_on_dt(name):
    """As in Morrison et al. 2007, figure 3, and NEST's test_iaf_ps_psp_accuracy."""
    found = []
    for dt in 2.0 ** -np.arange(0, 7, 2):
        net = off_grid(dt)
        cell = net.population(LIF(TAU, 1e6, refractory=1.0), 1)
        net.connect(
            net.spikes([np.pi - 2.0], [0], 1), cell, nbsnn.AllToAll(), weight=3.0, delay=1.0, synapse=KINDS[name]
        )
        net.run(9.0)
        found.append(cell["v"][0])
    assert np.ptp(found) < 1e-13
    assert abs(found[0] - 3.0 * course(KINDS[name], 10.0 - np.pi)) < 1e-8


@pytest.mark.parametrize("dt", 2.0 ** -np.arange(0, 8, 2))
def test_spikes_under_a_constant_current_are_those_of_the_closed_form(dt):
    """As NEST's test_iaf_ps_dc_accuracy; also with a soft reset, and a period that is no whole number of steps."""
    net = off_grid(dt)
    hard = net.population(LIF(TAU, THRESHOLD, refractory=1.0 + math.e / 10.0), 2, v=[0.0, 3.0])
    soft = net.population(LIF(TAU, THRESHOLD, None, refractory=1.0), 1)
    net.inject(hard, 40.0)
    net.inject(soft, 40.0)
    run = net.run(64.0)
    for unit, start in enumerate((0.0, 3.0)):
        first, interval = (TAU * math.log((40.0 - v) / (40.0 - THRESHOLD)) for v in (start, 0.0))
        interval += 1.0 + math.e / 10.0
        expected = np.arange(first, 64.0, interval)
        found = run.spikes(hard[unit : unit + 1])[0]
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)
    first = TAU * math.log(40.0 / 25.0)
    np.testing.assert_allclose(run.spikes(soft)[0], np.arange(first, 64.0, first + 1.0), rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("dt", [8.0, 2.0, 0.5])
def test_a_maximum_between_two_events_is_not_missed(dt):
    """The membrane is above its threshold for 1e-4 ms, in the middle of a step."""
    slow, fast = TAU, 2.0
    peak = math.log(slow / fast) / (1.0 / fast - 1.0 / slow)
    height = fast / (fast - slow) * (math.exp(-peak / fast) - math.exp(-peak / slow))
    for above, count in ((1e-9, 1), (-1e-9, 0)):
        net = off_grid(dt)
        cell = net.population(LIF(TAU, height * (1.0 - above), refractory=8.0), 1)
        net.connect(net.spikes([0.3], [0], 1), cell, nbsnn.AllToAll(), weight=1.0, delay=8.0, synapse=Exponential(fast))
        times = net.run(24.0, record={cell: "spikes"}).spikes(cell)[0]
        assert len(times) == count
        assert np.all(np.abs(times - 8.3 - peak) < 1e-3)


N_EXC, N_INH, STOP = 6, 3, 40.0
NAMES = ("exc", "inh")
RNG = np.random.default_rng(4)
INPUT = np.sort(RNG.uniform(0.5, STOP, 150))
TARGETS = RNG.integers(0, N_EXC + N_INH, 150)
WIRES = {  # source and target population: pairs of units, weights, delays, time constant
    (a, b): (np.argwhere(RNG.random((n, m)) < 0.6), weight, tau)
    for a, n, weight, tau in (("exc", N_EXC, 12.0, 2.0), ("inh", N_INH, -25.0, 4.0))
    for b, m in (("exc", N_EXC), ("inh", N_INH))
}
DELAYS = {key: np.random.default_rng(k).choice([0.5, 1.0, 1.5, 3.0], len(WIRES[key][0])) for k, key in enumerate(WIRES)}


def balanced(dt, device="python"):
    """A small network of two populations that a list of spikes drives."""
    net = off_grid(dt, device)
    cells = {name: net.population(LIF(TAU, THRESHOLD, refractory=REFRACTORY), n, name=name)
             for name, n in zip(NAMES, (N_EXC, N_INH), strict=True)}  # fmt: skip
    source = net.spikes(INPUT, np.arange(len(INPUT)), len(INPUT), name="source")
    for name, first in (("exc", 0), ("inh", N_EXC)):
        mine = np.isin(TARGETS - first, np.arange(cells[name].n))
        pairs = nbsnn.Explicit(np.flatnonzero(mine), TARGETS[mine] - first)
        net.connect(source, cells[name], pairs, weight=60.0, delay=0.5, synapse=Exponential(2.0))
        net.inject(cells[name], 5.0)
    for (a, b), (pairs, weight, tau) in WIRES.items():
        net.connect(
            a, b, nbsnn.Explicit(*pairs.T), weight=weight, delay=DELAYS[a, b], synapse=Exponential(tau),
        )  # fmt: skip
    return net


def oracle():
    """Times and units of its spikes, from event to event in continuous time."""
    n = N_EXC + N_INH
    v, y, free, now, number = np.zeros(n), np.zeros((2, n)), np.zeros(n), 0.0, itertools.count()
    taus, spikes = np.array([2.0, 4.0]), []
    events = [(t + 0.5, next(number), unit, 0, 60.0) for t, unit in zip(INPUT, TARGETS, strict=True)]
    heapq.heapify(events)

    def after(s, begin):
        """Membranes at times s [k, n] after ``begin``, from where they are free."""
        e = np.exp(-s / TAU)
        start = y * np.exp(-np.maximum(begin - now, 0.0) / taus[:, None])
        made = 5.0 + (v - 5.0) * e
        for k, tau in enumerate(taus):
            made = made + start[k] * tau / (tau - TAU) * (np.exp(-s / tau) - e)
        return np.where(s > 0.0, made, v)

    while events:
        goal = min(events[0][0], STOP)
        begin = np.maximum(free, now)
        cuts = np.linspace(0.0, 1.0, 200)[:, None] * np.maximum(goal - begin, 0.0)
        over = after(cuts, begin) >= THRESHOLD
        fires = np.flatnonzero(over.any(axis=0))
        crossings = {}
        for j in fires:
            k = int(np.argmax(over[:, j]))
            low, high = cuts[max(k - 1, 0), j], cuts[k, j]
            for _ in range(60):
                middle = 0.5 * (low + high)
                low, high = (low, middle) if after(np.full(n, middle), begin)[j] >= THRESHOLD else (middle, high)
            crossings[begin[j] + high] = j
        if crossings:
            goal = min(crossings)
        v = after(np.maximum(goal - begin, 0.0), begin)
        y *= np.exp(-(goal - now) / taus[:, None])
        now = goal
        if crossings:
            j = crossings[goal]
            spikes.append((now, j))
            v[j], free[j] = 0.0, now + REFRACTORY
            a, i = ("exc", j) if j < N_EXC else ("inh", j - N_EXC)
            for b, first in (("exc", 0), ("inh", N_EXC)):
                pairs, weight, _ = WIRES[a, b]
                for (pre, post), delay in zip(pairs, DELAYS[a, b], strict=True):
                    if pre == i:
                        heapq.heappush(events, (now + delay, next(number), first + post, NAMES.index(a), weight))
        elif now >= STOP:
            break
        else:
            _, _, unit, port, weight = heapq.heappop(events)
            y[port, unit] += weight
    return np.array(spikes).T


def fired(net, run):
    times, units = (np.concatenate(parts) for parts in zip(*(run.spikes(name) for name in NAMES), strict=True))
    units = units + np.repeat([0, N_EXC], [len(run.spikes(name)[0]) for name in NAMES])
    order = np.argsort(times)
    return times[order], units[order]


@pytest.fixture(scope="module")
def expected():
    return oracle()


@pytest.mark.parametrize("dt", [0.5, 0.125])
def test_a_recurrent_network_is_that_of_an_event_driven_oracle(dt, expected):
    net = balanced(dt)
    times, units = fired(net, net.run(STOP))
    assert len(times) > 40
    assert len(set(units)) == N_EXC + N_INH
    np.testing.assert_array_equal(units, expected[1])
    np.testing.assert_allclose(times, expected[0], rtol=0.0, atol=1e-10)


def test_bits_are_the_same_on_threads_in_pieces_from_a_file_and_interpreted(monkeypatch, tmp_path):
    monkeypatch.setattr("nbsnn.network.loop.SHARE", 1)
    net = balanced(0.5)
    whole = net.run(STOP, record={"exc": ["v", "spikes"], "inh": "spikes"}, every=2.0)
    bits = [*fired(net, whole), whole["exc", "v"]]
    for threads in (1, 2, 3):
        nbsnn.set_threads(threads)
        other = balanced(0.5, "cpu")
        first = other.run(10.5, record={"exc": ["v", "spikes"], "inh": "spikes"}, every=2.0)
        other.state().save(tmp_path / f"{threads}.npz")
        other = balanced(0.5, "cpu")
        other.restore(nbsnn.network.State.load(tmp_path / f"{threads}.npz"))
        parts = [other.run(t, record={"exc": ["v", "spikes"], "inh": "spikes"}, every=2.0) for t in (0.5, STOP - 11.0)]
        joined = parts[0].join(parts[1])
        found = [np.concatenate(pair) for pair in zip(fired(net, first), fired(net, joined), strict=True)]
        found.append(np.concatenate([first["exc", "v"], joined["exc", "v"]]))
        for a, b in zip(bits, found, strict=True):
            np.testing.assert_array_equal(a, b)
        assert other.loop().threads == threads
    nbsnn.set_threads(None)


def test_copies_pickles_and_trials_go_on_with_the_same_bits():
    net = balanced(0.5)
    net.run(10.0)
    others = [copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    wanted = fired(net, net.trials(1, 10.0)[0])
    for other in (*others, net):
        np.testing.assert_array_equal(fired(other, other.run(10.0)), wanted)
    net.reset()
    assert net.run(10.0).spikes()[0].max() < 10.0


def test_spikes_on_the_grid_do_off_the_grid_what_they_do_on_it():
    """Jumps alone: also those in and at the end of a refractory period, which are lost."""
    rng, spikes = np.random.default_rng(0), []
    train = np.sort(rng.choice(300, 120, replace=False)) + 1
    for grid in (True, False):
        net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python", off_grid=not grid)
        cells = net.population(LIF(1e9, 2.5, refractory=0.7), 3)
        chain = net.population(LIF(1e9, 1.5, refractory=0.3), 3)
        net.connect(net.spikes(train * 0.1, train % 4, 4), cells, nbsnn.Sparse(probability=0.7), delay=0.2)
        net.connect(cells, chain, nbsnn.AllToAll(), delay=0.5)
        run = net.run(35.0)
        spikes.append([*run.spikes(cells), *run.spikes(chain)])
    assert len(spikes[0][0]) > 20
    for a, b in zip(*spikes, strict=True):
        np.testing.assert_allclose(a, b, rtol=0.0, atol=1e-9)


def test_random_spikes_are_those_of_the_grid_moved_into_their_steps():
    trains, counts = [], []
    for grid in (True, False):
        net = nbsnn.Network(dt=1.0, dtype=np.float64, device="python", off_grid=not grid, seed=3)
        source = net.poisson(20, lambda t: 200.0 + t)
        cells = net.population(LIF(1e9, 1e9, refractory=1.0), 5)
        net.drive(cells[1:], 2500.0, 1.0)
        run = net.run(100.0, record={source: "spikes", cells: "v"})
        trains.append(run.spikes(source))
        counts.append(run[cells, "v"])
    np.testing.assert_allclose(counts[1], counts[0], rtol=0.0, atol=1e-5)
    (on, units), (off, others) = trains
    order = np.lexsort((others, np.ceil(off)))
    np.testing.assert_array_equal(np.ceil(off)[order], on)
    np.testing.assert_array_equal(others[order], units)
    inside = off % 1.0
    assert np.all(np.diff(off) >= 0.0)
    assert abs(inside.mean() - 0.5) < 0.05
    assert abs(inside.var() - 1.0 / 12.0) < 0.01


def test_drives_arrive_within_steps():
    """Campbell's theorem, which holds for arrivals in continuous time: their mean is rate tau weight."""
    net = off_grid(1.0, seed=1)
    cells = net.population(LIF(1.0, 1e9, refractory=1.0), 200)
    net.drive(cells, 3000.0, 1.0)
    v = net.run(15.0, record={cells: "v"})[cells, "v"][8:]
    assert abs(v.mean() - 3.0) < 0.15
    assert abs(v.var() - 1.5) < 0.25


def test_exact_times_go_where_spikes_go(tmp_path):
    net, heard = balanced(0.5), []

    def listen(net, since):
        heard.append(since.spikes("exc")[0])

    run = net.run(STOP, callback={listen: 10.0})
    times = run.spikes("exc")[0]
    np.testing.assert_array_equal(np.sort(np.concatenate(heard)), times)
    run.to_csv(tmp_path / "a.csv")
    again = nbsnn.files.read_csv(tmp_path / "a.csv", "exc")
    np.testing.assert_array_equal(again[0], times)
    replay = off_grid(0.25)
    source = replay.spikes(*again, N_EXC)
    np.testing.assert_allclose(replay.run(STOP).spikes(source)[0], times, rtol=0.0, atol=1e-12)
    source.set_spikes([STOP + 0.3], [0])
    source.set_spikes([STOP + 0.1], [1], add=True)
    np.testing.assert_allclose(replay.run(1.0).spikes(source)[0], [STOP + 0.1, STOP + 0.3], rtol=0.0, atol=1e-12)
    assert pickle.loads(pickle.dumps(run)).spikes("exc")[0].tolist() == times.tolist()


def test_parameters_and_weights_can_be_set_between_runs():
    net = off_grid(0.5)
    cells = net.population(LIF(TAU, THRESHOLD, refractory=REFRACTORY), 2)
    net.inject(cells, 40.0)
    synapses = net.connect(net.spikes([0.7], [0], 1), cells, nbsnn.AllToAll(), weight=0.0, delay=8.0)
    net.run(8.0)
    cells.parameters(tau=[5.0, 20.0], refractory=lambda k: 0.6 + k)
    synapses.weight = 1.0
    before = cells["v"].copy()
    net.run(1.0)
    s = np.array([5.0, 20.0])
    np.testing.assert_allclose(cells["v"], 40.0 + (before - 40.0) * np.exp(-1.0 / s) + np.exp(-0.3 / s), atol=1e-12)
    with pytest.raises(ValueError, match=r"refractory of population1, .*at least one step"):
        cells["refractory"] = 0.3


def connected(**options) -> Any:
    net = off_grid(0.1)
    cells = net.population(LIF(refractory=1.0), 2)
    return net.connect(cells, cells, nbsnn.AllToAll(), **options)


def built():
    connection = connected()
    connection.network.run(1.0)
    return connection


EVENTS = np.zeros(1, [("t", np.int64), ("x", np.int64)])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: off_grid(0.1, dtype=np.float32), "does not take dtype=float32"),
        (lambda: off_grid(0.1, device="cpu").population(AdEx(), 2), r"does not take AdEx.*LIF"),
        (lambda: off_grid(0.1).population(LIF(decay="euler", refractory=1.0), 2), "does not take LIF"),
        (lambda: off_grid(0.1).population(LI(), 2), "does not take LI"),
        (lambda: off_grid(0.1).population(LIF(), 2, name="cells"), "refractory of cells.* at least one step"),
        (lambda: off_grid(0.1).population(LIF(refractory=0.05), 2), "at least one step .0.1 ms.*not 0.05"),
        (lambda: connected(synapse=Exponential(5.0, reversal=0.0)), "does not take Exponential.*as currents"),
        (lambda: connected(synapse=NMDA()), "does not take NMDA"),
        (lambda: connected(plasticity=PairSTDP(0.1, 0.1)), "does not take plasticity"),
        (lambda: connected(short_term=TsodyksMarkram()), "does not take TsodyksMarkram"),
        (lambda: connected(homeostasis=Scaling(rate=3.0, beta=0.1, every=1.0)), "does not take Scaling"),
        (lambda: built().network.connect("population1", "population1", nbsnn.OneToOne()), "once it has been built"),
        (lambda: built().disconnect(pre=0), "once it has been built"),
        (lambda: setattr(built(), "delay", 0.3), "once it has been built"),
        (lambda: built().network.run(1.0, to="spikes"), "does not take a file of spikes"),
        (lambda: off_grid(0.1).events(EVENTS, (1,)), "does not take events"),
        (lambda: off_grid(0.1).spikes([-0.1], [0], 1), "must not be negative"),
    ],
)  # fmt: skip
def test_what_has_no_times_within_steps_is_refused_by_name(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_poisson_units_take_no_synapses():
    net = off_grid(0.1)
    with pytest.raises(ValueError, match="synapses onto noise"):
        net.drive(net.poisson(2, 5.0, name="noise"), 5.0, 1.0)


def test_divided_differences():
    rng = np.random.default_rng(0)
    for width in (1e-9, 1e-3, 0.5, 3.0, 40.0):
        for p, q, r in rng.uniform(-width, 0.0, (20, 3)):
            nodes, weights = np.polynomial.legendre.leggauss(40)
            nodes, weights = 0.5 * (nodes + 1.0), 0.5 * weights
            first = weights @ np.exp(q + nodes * (p - q))
            inner = r + nodes[:, None] * (q - r + nodes * (p - q))
            second = weights @ (nodes * (np.exp(inner) @ weights))
            assert abs(divided(p, q) - first) < 1e-14 * max(1.0, first)
            assert abs(divided2(p, q, r) / second - 1.0) < 2e-13
            assert divided2(p, q, r) == divided2(r, p, q)
