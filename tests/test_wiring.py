"""Connections, synapses and delays added, removed and set between runs and in callbacks; what stays keeps its state."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nbsnn
from nbsnn.network import State
from nbsnn.network.arrays import ARRAYS
from nbsnn.neurons import LI, LIF, ClopathAdEx
from nbsnn.plasticity import MSTDPET, Clopath, MetaNearestSTDP, Normalize, PairSTDP, PostPreInt, Scaling
from nbsnn.synapses import NMDA, Delta, Exponential, Graded, TsodyksMarkram

DT = 0.5
STDP = PairSTDP(0.1, 0.12, w_max=4.0)


def network(device="python", **options):
    """Cells under noise, with synapses of many kinds, and the connections by name."""
    net = nbsnn.Network(dt=DT, seed=4, device=device, **options)
    units = net.poisson(12, 60.0, name="units")
    cells = net.population(LIF(10.0, 1.0, refractory=1.0), 10, name="cells", v=nbsnn.values.Uniform(0.0, 0.9))
    made = {
        "fixed": net.connect(
            units, cells, nbsnn.Sparse(probability=0.5), weight=0.4, delay=2.0, synapse=Exponential(4.0)
        ),
        "late": net.connect(
            cells, cells, nbsnn.Sparse(probability=0.3), weight=nbsnn.values.Uniform(-0.3, 0.3),
            delay=nbsnn.values.Uniform(0.5, 6.0), synapse=Delta(),
        ),
        "listed": net.connect(units, cells, nbsnn.Explicit([5, 1, 1], [2, 7, 0]), weight=[0.3, 0.2, 0.1], delay=3.0),
        "short": net.connect(
            units, cells, nbsnn.Sparse(probability=0.4), weight=0.3, delay=1.5,
            short_term=TsodyksMarkram(U=0.5, tau_rec=40.0),
        ),
        "plastic": net.connect(
            units, cells, nbsnn.Sparse(probability=0.5), weight=0.3, delay=2.5, plasticity=STDP,
            short_term=TsodyksMarkram(U=0.5, tau_rec=40.0),
        ),
    }  # fmt: skip
    if net.device != "cuda":
        made["delays"] = net.connect(
            units, cells, nbsnn.Sparse(probability=0.5), weight=0.2, delay=nbsnn.values.Uniform(1.0, 5.0),
            plasticity=STDP,
        )  # fmt: skip
        made["gated"] = net.connect(
            cells, cells, nbsnn.AllToAll(autapses=False), weight=0.02, delay=1.0, synapse=NMDA(alpha=0.1, mg=0.0)
        )
    return net, cells, made


def test_synapses_of_weight_0_change_nothing():
    (one, cells, _), (other, others, made) = network(), network()
    before = other.run(20.0)
    more = {"fixed": {}, "late": {"delay": [0.5, 20.0]}, "listed": {}, "short": {}, "gated": {}}
    for name, options in more.items():
        made[name].add([3, 4], [1, 8], weight=0.0, **options)
    units = other.group("units")
    other.connect(units, others, nbsnn.AllToAll(), weight=0.0, delay=9.0, synapse=Exponential(7.0))
    other.connect(units, others, nbsnn.AllToAll(), weight=0.0, delay=4.0, plasticity=STDP).learning = False
    whole, after = one.run(60.0, record={cells: ["spikes", "v"]}), other.run(40.0, record={others: ["spikes", "v"]})
    np.testing.assert_array_equal(whole[cells, "v"][40:], after[others, "v"])
    joined = [np.concatenate(pair) for pair in zip(before.spikes(others), after.spikes(others), strict=True)]
    np.testing.assert_array_equal(whole.spikes(cells), joined)
    assert len(joined[0]) > 50
    for plastic in ("plastic", "delays"):
        np.testing.assert_array_equal(one.counterpart(made[plastic]).weight, made[plastic].weight)


def test_synapses_that_are_removed_are_as_those_of_weight_0():
    (one, cells, made), (other, others, gone) = network(), network()
    for net in (one, other):
        net.run(20.0)
    for name in ("late", "plastic", "delays"):
        made[name].learning = gone[name].learning = name not in ("plastic", "delays") and made[name].learning
        rest = np.arange(len(made[name])) % 3 > 0
        weight = np.array(made[name].weight)
        made[name].weight = weight * rest
        kept = gone[name].pairs[rest]
        gone[name].disconnect(synapses=~rest)
        np.testing.assert_array_equal(gone[name].pairs, kept)
        np.testing.assert_array_equal(gone[name].weight, weight[rest])
    made["fixed"].weight = 0.0
    gone["fixed"].disconnect()
    made["listed"].weight = [0.3, 0.2, 0.0]
    gone["listed"].disconnect(1, 0)
    assert gone["listed"].pairs.tolist() == [[5, 2], [1, 7]]
    found = [net.run(40.0, record={group: "v"}) for net, group in ((one, cells), (other, others))]
    np.testing.assert_array_equal(found[0][cells, "v"], found[1][others, "v"])


def test_removing_and_adding_again_leaves_the_state_of_all_that_stays():
    net, _, made = network()
    net.run(20.0)
    was, weights = net.state(), {name: np.array(c.weight) for name, c in made.items()}
    pre, post = made["late"].pairs.T
    delay = made["late"].delay
    made["late"].disconnect()
    made["late"].add(pre, post, weight=weights["late"], delay=delay)
    again = made["fixed"].pairs[:5].T
    made["fixed"].disconnect(*again)
    made["fixed"].add(*again)
    now = net.state()
    assert now.network == was.network
    for name in ARRAYS:
        np.testing.assert_array_equal(now.arrays[name], was.arrays[name], err_msg=name)
    for mine, theirs in zip(now.history, was.history, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for name, c in made.items():
        np.testing.assert_array_equal(c.weight, weights[name])


KINDS = {
    "delta": {"weight": 0.6},
    "exponential, of its own delays": {
        "weight": nbsnn.values.Uniform(0.0, 1.0), "delay": nbsnn.values.Uniform(0.5, 5.0), "synapse": Exponential(3.0),
    },
    "gates": {"weight": 0.2, "delay": 1.0, "synapse": NMDA(mg=0.0, reversal=5.0)},
    "pairs": {"weight": 0.6, "delay": 2.0, "plasticity": STDP},
    "plastic delays": {"weight": 0.6, "delay": nbsnn.values.Uniform(0.5, 5.0), "plasticity": STDP},
    "short": {"weight": 0.6, "delay": 2.0, "short_term": TsodyksMarkram(U=0.5, tau_rec=40.0)},
    "reward": {"weight": 0.6, "delay": 2.0, "plasticity": MSTDPET(w_max=4.0)},
    "scaled": {"weight": 0.6, "delay": 2.0, "homeostasis": Scaling(rate=50.0, beta=0.1, every=10.0)},
    "mean weight": {"weight": 0.6, "plasticity": MetaNearestSTDP(0.1, 0.05, 20.0, 30.0)},
    "normalised": {"weight": 0.6, "plasticity": PairSTDP(0.1, 0.12, normalize=Normalize(3.0, "every"))},
    "integers": {"weight": 3, "plasticity": PostPreInt()},
}  # fmt: skip


def with_connection(kind, when, more=0.0):
    """A network in which spikes come from 10 ms on, and which is connected at ``when``; run to 60 ms."""
    net = nbsnn.Network(dt=DT, seed=4, device="python")
    rng = np.random.default_rng(0)
    source = net.spikes(rng.choice(np.arange(20, 110), 60, replace=False) * DT, rng.integers(0, 5, 60), 5)
    cells = net.population(LIF(10.0, 1.0), 6, name="cells")
    net.inject(cells, lambda t: 1.05 * (t > 12.0))
    if when:
        net.run(when)
    c = net.connect(source, cells, nbsnn.Sparse(probability=0.6), name="new", **KINDS[kind])
    if kind == "reward":
        net.run(30.0 - net.time)
        c.reward = 1.0
    run = net.run(60.0 - net.time, record={cells: ["spikes", "v"]})
    return run[cells, "v"][-40:], c.weight, run.spikes(cells)


@pytest.mark.parametrize("kind", KINDS)
def test_a_connection_made_before_a_spike_is_fired_is_as_one_there_from_the_beginning(kind):
    first, later = with_connection(kind, 0.0), with_connection(kind, 8.0)
    assert len(first[2][0]) > 10
    for mine, theirs in zip(first[:2], later[:2], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_a_graded_connection_made_later_reads_membranes_from_then_on():
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source = net.population(LI(), 1, v=1.0)
    cell = net.population(LIF(10.0, 1e9), 1)
    net.run(2.0)
    assert not cell["v"].any()
    net.connect(source, cell, nbsnn.AllToAll(), weight=1.0, synapse=Graded(0.5, 1.0))
    net.run(DT)
    assert cell["v"][0] > 0.0


def arrivals(spikes, delay, steps):
    """What comes into each step of spikes [(step, weight)]."""
    x = np.zeros(steps)
    for step, weight in spikes:
        x[step + delay - 1] += weight
    return x


def test_what_is_under_way_arrives_when_it_was_to_arrive_whatever_is_done_to_synapses():
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source = net.spikes(np.array([2, 6, 10, 14]) * DT, [0, 0, 0, 0], 1)
    cell = net.population(LIF(10.0, 1e9), 1)
    c = net.connect(source, cell, nbsnn.AllToAll(), weight=1.0, delay=12 * DT)
    v = [net.run(4 * DT, record={cell: "v"})[cell, "v"]]
    c.delay = 3 * DT  # of the spikes at 6 and 10
    v.append(net.run(4 * DT, record={cell: "v"})[cell, "v"])
    c.add(0, 0, weight=0.25, delay=30 * DT)  # which carries those at 10 and 14
    assert np.array(c.delay).tolist() == [3 * DT, 30 * DT] and c.weight.tolist() == [1.0, 0.25]
    v.append(net.run(4 * DT, record={cell: "v"})[cell, "v"])
    c.disconnect()
    v.append(net.run(48 * DT, record={cell: "v"})[cell, "v"])
    assert net.layout.ring.shape[0] == 28  # as long as something is to arrive
    c.add(0, 0, weight=2.0, delay=DT)
    assert net.layout.ring.shape[0] == 1
    x = arrivals([(2, 1.0)], 12, 60) + arrivals([(6, 1.0), (10, 1.0)], 3, 60) + arrivals([(10, 0.25)], 30, 60)
    wanted, now = [], 0.0
    for a in x:
        now = now * np.exp(-DT / 10.0) + a
        wanted.append(now)
    np.testing.assert_allclose(np.concatenate(v)[:, 0], wanted, rtol=1e-12)


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_a_plastic_connection_carries_no_spike_fired_before_it_was_made(device, tmp_path):
    def made(early):
        net = nbsnn.Network(dt=DT, dtype=np.float64, device=device)
        source = net.spikes(np.array([4, 12]) * DT, [0, 0], 1)
        cells = net.population(LIF(10.0, 1e9), 2, name="cells")
        net.connect(source, cells[:1], nbsnn.AllToAll(), weight=1.0, delay=10 * DT, plasticity=STDP)  # waits for both
        if not early:
            net.run(6 * DT)
        new = net.connect(source, cells[1:], nbsnn.AllToAll(), weight=1.0, delay=5 * DT, plasticity=STDP, name="new")
        return net, cells, new

    net, cells, _ = made(False)
    net.state().save(tmp_path / "state.npz")
    other, others, _ = made(True)
    other.restore(State.load(tmp_path / "state.npz"))
    decay = np.exp(-DT / 10.0)
    for one, group in ((net, cells), (other, others)):
        one.run(20 * DT)
        wanted = [decay ** (26 - 14) + decay ** (26 - 22), decay ** (26 - 17)]
        np.testing.assert_allclose(group["v"], wanted, rtol=1e-12)


def test_plastic_synapses_that_are_added_are_as_those_whose_weight_was_0():
    nets = []
    for early in (True, False):
        net = nbsnn.Network(dt=DT, seed=2, device="python")
        units = net.poisson(6, 80.0)
        cells = net.population(LIF(10.0, 1.0), 4, name="cells")
        net.connect(units, cells, nbsnn.AllToAll(), weight=0.5)
        pre, post, delay = [0, 1, 2, 3], [0, 1, 2, 3], np.array([2.0, 4.0, 6.0, 2.0])
        new = [4, 0, 5], [0, 3, 3], np.array([3.0, 6.0, 2.0])
        weight = [0.5] * 4
        if early:
            pre, post, delay = pre + new[0], post + new[1], np.concatenate([delay, new[2]])
            weight = weight + [0.0] * 3
        c = net.connect(units, cells, nbsnn.Explicit(pre, post), weight=weight, delay=delay, plasticity=STDP)
        c.learning = False
        net.run(30.0)
        if early:
            c.weight = [0.5] * 4 + [0.7, 0.8, 0.9]
        else:
            c.add(*new[:2], weight=[0.7, 0.8, 0.9], delay=new[2])
        c.learning = True
        nets.append((net.run(60.0, record={cells: "v"})[cells, "v"], c.weight, c.pairs, c.delay))
    for mine, theirs in zip(*nets, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert np.all(nets[0][1] != [0.5] * 4 + [0.7, 0.8, 0.9])


def test_a_state_saved_after_rewiring_belongs_to_a_network_wired_so_from_the_start(tmp_path):
    nets = []
    for early in (False, True):
        net = nbsnn.Network(dt=DT, seed=2, device="python")
        units = net.poisson(6, 80.0, name="units")
        cells = net.population(LIF(10.0, 1.0), 4, name="cells")
        net.connect(units, cells, nbsnn.AllToAll(), weight=0.3, delay=1.0)
        pre, post, weight = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 3]), np.array([0.3, 0.2, 0.6, 0.8])
        some = slice(None) if early else slice(0, 2)
        c = net.connect(units, cells, nbsnn.Explicit(pre[some], post[some]), weight=weight[some], delay=3.0)
        if not early:
            net.run(20.0)
            c.add(pre[2:], post[2:], weight=weight[2:])
            net.connect(units, cells, nbsnn.Explicit([0], [3]), weight=1.0, delay=9.0)
            net.run(11.0)
        else:
            net.connect(units, cells, nbsnn.Explicit([0], [3]), weight=1.0, delay=9.0)
        nets.append((net, cells))
    (net, _), (other, _) = nets
    net.state().save(tmp_path / "state.npz")
    other.restore(State.load(tmp_path / "state.npz"))
    runs = [one.run(40.0, record={group: "v"})[group, "v"] for one, group in nets]
    np.testing.assert_array_equal(*runs)


def test_a_state_fits_a_shorter_ring_if_nothing_is_under_way_beyond():
    def made():
        net = nbsnn.Network(dt=DT, device="python")
        source = net.spikes([1.0], [0], 1)
        cell = net.population(LIF(10.0, 1e9), 1, name="cell")
        return net, cell, net.connect(source, cell, nbsnn.Explicit([0], [0]), weight=[1.0], delay=2.0)

    net, cell, c = made()
    c.add(0, 0, weight=0.5, delay=20.0)
    net.run(2.0)
    c.disconnect(synapses=[1])
    other, others, _ = made()
    with pytest.raises(ValueError, match="under way for more than the 4 steps"):
        other.restore(net.state())
    assert other.time == 0.0
    net.run(30.0)
    other.restore(net.state())
    np.testing.assert_array_equal(others["v"], cell["v"])


def rewired(device="python", pieces=(40.0, 40.0), threads=None):
    """All that changes wiring, and where it led."""
    net, cells, made = network(device)
    net._threads = threads
    spikes, rng = [], np.random.default_rng(1)
    for k, piece in enumerate(pieces * 2):
        run = net.run(piece, record={cells: ["spikes", "v"]})
        spikes += [*run.spikes(cells), run[cells, "v"].ravel()]
        if k == len(pieces) - 1:
            made["fixed"].disconnect(synapses=rng.random(len(made["fixed"])) < 0.3)
            made["fixed"].add([1, 1, 2], [3, 3, 9], weight=[0.5, -0.1, 0.2])
            made["late"].delay = 4.0
            made["listed"].delay = [1.0, 2.0, 12.0]
            made["plastic"].add([0, 3], [1, 1], weight=0.5)
            made["plastic"].disconnect(pre=[4, 5])
            made["plastic"].delay = 4.0
            made["short"].disconnect(post=2)
            if device != "cuda":
                made["delays"].add([0, 3], [1, 1], weight=0.5, delay=[2.0, 3.5])
                made["delays"].delay = nbsnn.values.Uniform(0.5, 9.0)
                made["gated"].disconnect(2, 3)
            net.connect(
                cells, cells, nbsnn.Sparse(probability=0.2), weight=0.2, delay=7.0, synapse=Exponential(9.0),
                plasticity=STDP,
            )  # fmt: skip
    return np.concatenate(spikes), *(np.array(c.weight) for c in net.connections)


def test_runs_that_are_cut_give_the_same_bits():
    cut = rewired(pieces=(2.5, 37.5, 0.5, 39.5))
    for mine, theirs in zip(rewired()[1:], cut[1:], strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.long
def test_compiled_on_any_number_of_threads_as_interpreted():
    wanted = rewired()
    for threads in (1, 2, 3):
        for mine, theirs in zip(wanted, rewired("cpu", threads=threads), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_on_a_gpu_as_in_the_computers_memory():
    found = []
    for device in ("python", "cuda"):
        net = nbsnn.Network(dt=DT, seed=4, dtype=np.float64, device=device)
        units = net.poisson(6, 80.0, name="units")
        cells = net.population(LIF(10.0, 1.0), 4, name="cells")
        fixed = net.connect(units, cells, nbsnn.AllToAll(), weight=0.4, delay=2.0, synapse=Exponential(4.0))
        plastic = net.connect(units, cells, nbsnn.AllToAll(), weight=0.4, delay=3.0, plasticity=STDP)
        net.run(15.0)
        fixed.disconnect(synapses=np.arange(24) % 3 == 0)
        fixed.add([1, 2], [0, 0], weight=[0.5, 0.6], delay=[1.0, 8.0])
        plastic.disconnect(pre=2)
        plastic.add(3, 3, weight=1.0)
        plastic.delay = 1.5
        net.connect(units, cells, nbsnn.AllToAll(), weight=0.1, delay=5.0, plasticity=STDP)
        run = net.run(30.0)
        found.append([*run.spikes(cells), cells["v"], *(np.array(c.weight) for c in net.connections)])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_trials_may_be_wired_each_in_its_own_way():
    net = nbsnn.Network(dt=DT, device="python")
    source = net.spikes([1.0, 5.0], [0, 0], 1)
    cell = net.population(LIF(10.0, 1.0), 1, name="cell")
    c = net.connect(source, cell, nbsnn.AllToAll(), weight=0.1)

    def more(trial, k):
        trial.counterpart(c).add([0] * k, [0] * k, weight=0.5)

    assert [len(run.spikes(cell)[0]) for run in net.trials(3, 20.0, prepare=more)] == [0, 1, 2]
    assert len(c) == 1


WRONG = {
    "unit": (lambda c: c.add(12, 0), ValueError, "pre must be units of units, of 12, not 12"),
    "large": (lambda c: c.add(np.array([2**63], np.uint64), 0), ValueError, "of 12, not 9223372036854775808"),
    "target": (lambda c: c.add([0, 1], [3, -1]), ValueError, "post must be units of cells"),
    "fraction": (lambda c: c.add([0.5], [1]), TypeError, "pre must be a unit or a list"),
    "lengths": (lambda c: c.add([0, 1], [1, 2, 3]), ValueError, "one length, not 2 and 3"),
    "weights": (lambda c: c.add([0, 1], [1, 2], weight=[1.0, 2.0, 3.0]), ValueError, r"shape \[2\]"),
    "nan": (lambda c: c.add(0, 1, weight=np.nan), ValueError, "weight"),
    "text": (lambda c: c.add(0, 1, weight="much"), TypeError, "weight must be a number"),
    "delay": (lambda c: c.add(0, 1, delay=0.1), ValueError, "half a step"),
    "none": (lambda c: c.disconnect(0, 0) or c.disconnect(0, 0), ValueError, "no synapse from 0 to 0"),
    "both": (lambda c: c.disconnect(0, 0, synapses=[1]), ValueError, "not both"),
    "mask": (lambda c: c.disconnect(synapses=[True]), TypeError, "booleans or by numbers"),
    "number": (lambda c: c.disconnect(synapses=[10**6]), ValueError, "numbered from 0"),
    "no delay": (lambda c: setattr(c, "delay", None), TypeError, "delay must be a number, .* not None"),
    "delays": (lambda c: setattr(c, "delay", -1.0), ValueError, "half a step"),
    "endless": (lambda c: setattr(c, "delay", 1e10), (ValueError, MemoryError), "delay"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_is_refused_and_nothing_is_changed(what):
    net, _, made = network()
    net.run(10.0)
    made["fixed"].add([0, 0], [0, 0])
    call, error, message = WRONG[what]
    if what == "none":
        made["fixed"].disconnect(0, 0)
        call = lambda c: c.disconnect(0, 0)  # noqa: E731
    was, seen = net.state(), [dict(c.__dict__) for c in net.connections]
    with pytest.raises(error, match=message):
        call(made["fixed"])
    assert_unchanged(net, was, seen)


def assert_unchanged(net, was, seen):
    now = net.state()
    assert now.network == was.network and [dict(c.__dict__) for c in net.connections] == seen
    for name in ARRAYS:
        np.testing.assert_array_equal(now.arrays[name], was.arrays[name])


def test_a_failure_in_the_middle_leaves_all_as_it_was(monkeypatch):
    (net, cells, made), (other, others, _) = network(), network()
    for one in (net, other):
        one.run(10.0)
    was, seen = net.state(), [dict(c.__dict__) for c in net.connections]
    with pytest.raises(ValueError, match=r"plastic synapses of .* have delays from"):
        made["plastic"].add(0, 0, weight=1.0, delay=9.0)
    for wrong in (-1.0, [1.0, 2.0], "long"):
        with pytest.raises((ValueError, TypeError), match="delay"):
            made["plastic"].delay = wrong
    with pytest.raises(ValueError, match="have weights of their own"):
        made["late"].add(0, 0, delay=1.0)
    with pytest.raises(ValueError, match="have delays of their own"):
        made["late"].add(0, 0, weight=1.0)
    with pytest.raises(ValueError):
        net.connect("units", cells, nbsnn.Explicit([50], [0]), weight=1.0, synapse=Exponential(77.0))
    monkeypatch.setattr("nbsnn.network.rewired._carry", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        made["fixed"].add(0, 0, weight=3.0, delay=50.0)
    with pytest.raises(ZeroDivisionError):
        net.connect("units", cells, nbsnn.AllToAll(), weight=1.0, synapse=Exponential(77.0))
    monkeypatch.undo()
    assert_unchanged(net, was, seen)
    assert len(cells.ports) == len(others.ports)
    runs = [one.run(20.0, record={group: "v"})[group, "v"] for one, group in ((net, cells), (other, others))]
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("synapse", [Delta(), Exponential(3.0)], ids=repr)
@pytest.mark.parametrize("short", [None, TsodyksMarkram(U=0.5, tau_rec=40.0)])
def test_spikes_under_way_of_plastic_synapses_arrive_as_those_of_static_ones_when_delays_change(synapse, short):
    nets = []
    for plasticity in (None, STDP):
        net = nbsnn.Network(dt=DT, seed=2, dtype=np.float64, device="python")
        units = net.poisson(6, 150.0, name="units")
        cells = net.population(LIF(10.0, 1e9), 4, name="cells")
        weight, delay = np.linspace(0.1, 1.0, 24), DT * (1 + np.arange(24) % 7)
        how = {"weight": weight, "delay": delay, "synapse": synapse, "plasticity": plasticity, "short_term": short}
        c = net.connect(units, cells, nbsnn.AllToAll(), **how)
        if plasticity:
            c.learning = False
        v = [net.run(20.0, record={cells: "v"})[cells, "v"]]
        for change in (DT * (1 + np.arange(24)[::-1] % 9), 12 * DT, DT, DT * (1 + np.arange(24) % 2)):
            c.delay = change
            np.testing.assert_allclose(c.delay, change)
            v.append(net.run(7.0, record={cells: "v"})[cells, "v"])
            net.restore(net.state())
        nets.append(np.concatenate(v))
    assert np.abs(nets[0]).max() > 0.3
    np.testing.assert_allclose(nets[1], nets[0], rtol=1e-12)


@pytest.mark.parametrize("kind", ["pairs", "reward", "scaled", "mean weight", "normalised", "integers"])
def test_a_rule_sees_spikes_at_the_delays_that_synapses_have_by_then(kind):
    """As one delay whose sources fire later, in steps in which nothing is under way."""
    sources, weights = np.arange(30) % 3, []
    fired = np.concatenate([np.arange(4, 34), np.arange(80, 110)])
    for moved in (False, True):
        net = nbsnn.Network(dt=DT, seed=4, dtype=np.float64, device="python")
        later = np.where(fired < 60, 5, 11) if moved else 0
        source = net.spikes((fired + later) * DT, np.tile(sources, 2), 3)
        cells = net.population(LIF(10.0, 1.0), 4, name="cells")
        net.inject(cells, [1.1, 1.2, 1.5, 0.0])
        c = net.connect(source, cells, nbsnn.AllToAll(), **{**KINDS[kind], "delay": DT if moved else 6 * DT})
        net.run(25.0)
        if kind == "reward":
            c.reward = 1.0
        net.run(5.0)
        if not moved:
            c.delay = 12 * DT
        net.run(40.0)
        weights.append(np.array(c.weight))
    assert np.ptp(weights[0]) > 0.0
    np.testing.assert_allclose(*weights, rtol=1e-12)


def test_delays_of_their_own_come_and_go_while_a_rule_learns():
    """Learned as with these delays from the start, where all earlier traces have decayed."""
    fast, burst = PairSTDP(0.01, 0.012, tau_pre=2.0, tau_post=2.0, w_max=4.0), np.arange(4, 24)
    fired, late, weights = np.concatenate([burst, burst + 180]), DT * np.array([1, 2, 3, 4, 5, 6, 7, 8, 9]), []
    for first in (late, 3 * DT, late[::-1]):
        net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
        source, kicks = (net.spikes((fired + more) * DT, np.tile(np.arange(20) % 3, 2), 3) for more in (0, 5))
        cells = net.population(LIF(1.0, 1.0), 3, name="cells")
        net.connect(kicks, cells, nbsnn.OneToOne(), weight=9.0)
        c = net.connect(source, cells, nbsnn.AllToAll(), weight=0.01, delay=first, plasticity=fast)
        net.run(60.0)
        c.delay, c.weight = late, 0.01
        np.testing.assert_allclose(c.delay, late)
        net.run(60.0)
        weights.append(np.array(c.weight))
    assert np.ptp(weights[0]) > 1e-3
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-9)
    np.testing.assert_allclose(weights[2], weights[0], rtol=1e-9)


def test_the_delay_of_a_connection_without_synapses_is_that_of_those_added():
    for plasticity in (None, STDP):
        net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
        source, cell = net.spikes([1.0], [0], 1), net.population(LIF(10.0, 1e9), 1)
        c = net.connect(source, cell, nbsnn.Explicit([], []), weight=1.0, plasticity=plasticity)
        c.delay = 2.0
        c.add(0, 0, weight=1.0)
        assert np.flatnonzero(net.run(5.0, record={cell: "v"})[cell, "v"])[0] == 5
        c.disconnect()
        with pytest.raises(ValueError, match="no synapses to draw delays for"):
            c.delay = nbsnn.values.Uniform(1.0, 2.0)


def test_delays_that_a_rule_cannot_have_are_refused():
    net = nbsnn.Network(dt=DT, device="python")
    source, cells = net.spikes([1.0], [0], 2), net.population(ClopathAdEx(), 2)
    voltage = net.connect(source, cells, nbsnn.AllToAll(), plasticity=Clopath())
    whole = net.connect(source, cells, nbsnn.AllToAll(), weight=3, plasticity=PostPreInt())
    with pytest.raises(ValueError, match="a rule that sees membranes keep their delays"):
        voltage.delay = 2.0
    with pytest.raises(ValueError, match="PostPreInt share one delay"):
        whole.delay = [1.0, 1.0, 2.0, 1.0]
    whole.delay = 2.0
    assert whole.delay == 2.0 and voltage.delay == DT


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_wiring_in_a_callback_is_as_between_two_runs(device):
    def change(net, cells, made):
        made["fixed"].disconnect(pre=[1, 4])
        made["fixed"].add([0, 1], [2, 3], weight=[0.5, -0.2], delay=[4.0, 12.0])
        made["late"].delay = 3.0
        name = f"new {net.time:g}"
        net.connect("units", cells, nbsnn.AllToAll(), weight=0.05, delay=6.0, synapse=Exponential(net.time), name=name)

    found = []
    for inside in (False, True):
        net, cells, made = network(device)
        heard, what = [], {cells: ["spikes", "v"], made["plastic"]: "weight"}
        how = {"record": what, "every": {cells: DT, made["plastic"]: 10.0}}

        def rewire(net, since, cells=cells, made=made, heard=heard):
            heard.append(since.counts())
            if net.time < 60.0:
                change(net, cells, made)

        if inside:
            run = net.run(60.0, callback={rewire: 20.0}, **how)
        else:
            parts = []
            for _ in range(3):
                parts.append(net.run(20.0, **how))
                heard.append(np.bincount(parts[-1].spikes(cells)[1], minlength=cells.n))
                if net.time < 60.0:
                    change(net, cells, made)
            run = parts[0].join(*parts[1:])
        found.append((*run.spikes(cells), run[cells, "v"], run[made["plastic"], "weight"], run.times_of(cells, "v")))
        found[-1] += (np.array([counts[-cells.n :] for counts in heard]), *net.state().arrays.values())
    assert len(found[0][0]) > 30 and len(net.connections) == len(made) + 2
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_wiring_in_a_callback_goes_on_in_the_files_of_the_run(tmp_path):
    runs = []
    for files in ({}, {"to": tmp_path / "spikes", "variables_to": tmp_path / "v"}):
        net, cells, made = network()
        grow = lambda net, made=made: made["fixed"].add(0, 1, weight=0.1)  # noqa: E731
        runs.append((net.run(40.0, record={cells: ["spikes", "v"]}, callback={grow: 10.0}, **files), cells))
    (memory, here), (disk, there) = runs
    np.testing.assert_array_equal(memory[here, "v"], disk[there, "v"])
    np.testing.assert_array_equal(memory.spikes(here), disk.spikes(there))


def test_what_a_run_cannot_follow_is_refused_and_a_network_may_grow_afterwards():
    net, _, made = network()
    was, late = len(made["late"]), made["late"]
    for change in (lambda net: late.add(0, 0, weight=0.1, delay=1.0), lambda net: late.disconnect()):
        with pytest.raises(RuntimeError, match="cells to cells is being recorded"):
            net.run(1.0, record={late: "weight"}, callback=change)
    late.add(0, 0, weight=0.1, delay=1.0)
    assert len(late) == was + 1
    with pytest.raises(ValueError, match="a population must be added before the first run"):
        net.population(LIF(), 1)

    def elsewhere(net):
        with ThreadPoolExecutor() as pool, pytest.raises(RuntimeError, match="in another thread"):
            pool.submit(late.disconnect).result()

    net.run(1.0, callback={elsewhere: 1.0})
    assert len(late) == was + 1


@pytest.mark.parametrize("kind", [name for name in KINDS if name not in ("gates", "integers")])
def test_several_synapses_of_a_pair_are_each_a_synapse(kind):
    def made(pattern, weight):
        net = nbsnn.Network(dt=DT, seed=4, device="python")
        units = net.poisson(5, 60.0, name="units")
        cells = net.population(LIF(10.0, 1.0), 4, name="cells")
        how = {**KINDS[kind], "weight": weight}
        if kind == "plastic delays":
            how["delay"] = np.tile([0.5, 2.0, 2.0], 20)
        c = net.connect(units, cells, pattern, **how)
        first = net.run(40.0, record={cells: "v"})[cells, "v"]
        c.disconnect(synapses=np.arange(60) % 3 == 1)
        c.add([2, 2], [3, 3], weight=0.5, **({"delay": 1.5} if np.ndim(c.delay) else {}))
        return first, net.run(40.0, record={cells: "v"})[cells, "v"], np.sort(c.weight), c.targets_of(2)

    each = np.random.default_rng(0).uniform(0.1, 0.5, 60)
    pairs = np.divmod(np.repeat(np.arange(20), 3), 4)
    found = [made(pattern, each) for pattern in (nbsnn.Multiple(nbsnn.AllToAll(), 3), nbsnn.Explicit(*pairs))]
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert found[0][3].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 3, 3]


def test_several_synapses_of_a_pair_with_their_own_delays_arrive_each_in_its_step():
    net = nbsnn.Network(dt=DT, dtype=np.float64, device="python")
    source, cell = net.spikes([1.0], [0], 1), net.population(LIF(10.0, 1e9), 1)
    for plasticity in (None, STDP):
        net.connect(
            source, cell, nbsnn.Multiple(nbsnn.OneToOne(), 3), weight=[1.0, 2.0, 4.0], delay=[2.0, 1.0, 2.0],
            plasticity=plasticity,
        )  # fmt: skip
    v = net.run(4.0, record={cell: "v"})[cell, "v"][:, 0]
    jumps = np.diff(v, prepend=0.0) + np.append(0.0, v[:-1]) * -np.expm1(-DT / 10.0)
    np.testing.assert_allclose(jumps, [0.0, 0.0, 0.0, 4.0, 0.0, 10.0, 0.0, 0.0], atol=1e-12)
