"""The event simulator: its loop against closed forms and a naive simulation, its state, its inputs, its errors."""

import os
import pickle

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import nbsnn
import nbsnn.network.loop as loops
from nbsnn.events import Recording
from nbsnn.neurons import LIF, ConductanceLIF, EscapeLIF, Izhikevich
from nbsnn.plasticity import PairSTDP, PostPreInt, TripletSTDP
from nbsnn.synapses import Alpha, Delta, DoubleExponential, Exponential, TsodyksMarkram

CELL = LIF(tau=20.0, v_rest=-60.0, v_threshold=1e3, v_reset=-60.0)


@pytest.fixture(autouse=True)
def _threads():
    yield
    nbsnn.set_threads(None)


def psp(synapse, dt=0.1, weight=2.0, neuron=CELL, delay=1.5):
    """The membrane after one spike at 1 ms, in float64: times and deviation from rest."""
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
    source, cell = net.spikes([1.0], [0], 1), net.population(neuron, 1, name="cell")
    net.connect(source, cell, nbsnn.AllToAll(), weight=weight, delay=delay, synapse=synapse)
    run = net.run(40.0, record={cell: ["v"]})
    return run.times, run[cell, "v"][:, 0] + 60.0


SHAPES = {
    "exponential": (Exponential(5.0), lambda s: np.exp(-s / 5.0)),
    "alpha": (Alpha(3.0), lambda s: s / 3.0 * np.exp(1.0 - s / 3.0)),
    "double": (DoubleExponential(0.5, 5.0), None),
    "as slow as the membrane": (Exponential(20.0), lambda s: np.exp(-s / 20.0)),
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_postsynaptic_potentials_are_exact(name, dt):
    synapse, shape = SHAPES[name]
    if shape is None:
        peak = np.log(5.0 / 0.5) * 0.5 * 5.0 / 4.5
        top = np.exp(-peak / 5.0) - np.exp(-peak / 0.5)
        shape = lambda s: (np.exp(-s / 5.0) - np.exp(-s / 0.5)) / top  # noqa: E731
    times, v = psp(synapse, dt)
    arrival = 2.5
    late = times[times > arrival + 1e-9]
    exact = solve_ivp(
        lambda t, v: (-v + 2.0 * shape(t - arrival)) / 20.0, (arrival, 40.0), [0.0], t_eval=late, rtol=1e-10, atol=1e-12
    )
    assert np.all(v[times <= arrival + 1e-9] == 0.0)
    np.testing.assert_allclose(v[times > arrival + 1e-9], exact.y[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("decay_input", [False, True])
def test_a_delta_synapse_lets_the_membrane_jump_when_the_spike_arrives(decay_input):
    cell = LIF(tau=20.0, v_rest=-60.0, v_threshold=1e3, v_reset=-60.0, decay_input=decay_input)
    times, v = psp(Delta(), neuron=cell)
    exact = np.where(times > 2.5 - 1e-9, 2.0 * np.exp(-(times - 2.5) / 20.0), 0.0)
    np.testing.assert_allclose(v, exact, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("neuron", [LIF(tau=20.0, v_rest=-60.0, v_threshold=0.0), ConductanceLIF(v_threshold=0.0)])
def test_conductances_pull_to_their_reversal_potential(neuron):
    """With a small step, the solution of C dv/dt = gl (El - v) + g (E - v), g in units of the leak for LIF."""
    leak = 1.0 if neuron.kind == "LIF" else 10.0
    net = nbsnn.Network(dt=0.01, dtype=np.float64, device="python")
    source, cell = net.spikes([1.0], [0], 1), net.population(neuron, 1, name="cell", v=-60.0)
    net.connect(source, cell, nbsnn.AllToAll(), weight=2.0 * leak, delay=1.0, synapse=Exponential(5.0, reversal=-20.0))
    run = net.run(12.0, record={cell: ["v", "exponential.y"]}, every=0.5)
    exact = solve_ivp(
        lambda t, v: (-60.0 - v + 2.0 * np.exp(-(t - 2.0) / 5.0) * (-20.0 - v)) / 20.0,
        (2.0, 12.0), [-60.0], t_eval=run.times[run.times > 2.0], rtol=1e-9,
    )  # fmt: skip
    np.testing.assert_allclose(run[cell, "v"][run.times > 2.0, 0], exact.y[0], atol=0.02)
    y = run[cell, "exponential.y"][run.times > 2.0, 0] / leak
    np.testing.assert_allclose(y, 2.0 * np.exp(-(run.times[run.times > 2.0] - 2.0) / 5.0), rtol=1e-9)


def test_rate_of_a_leaky_neuron_under_constant_current():
    """The closed form on the grid: ceil of the time to threshold, and the refractory period."""
    current, dt = np.array([10.5, 12.0, 20.0, 50.0]), 0.1
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
    cells = net.population(LIF(tau=20.0, v_rest=-60.0, v_threshold=-50.0, v_reset=-60.0, refractory=2.0), 4)
    net.inject(cells, current)
    times, units = net.run(400.0).spikes(cells)
    for unit, strength in enumerate(current):
        to_threshold = -20.0 * np.log(1.0 - 10.0 / strength)
        interval = np.ceil(to_threshold / dt - 1e-9) * dt + 2.0
        np.testing.assert_allclose(np.diff(times[units == unit]), interval, rtol=1e-6)


def naive(pre, weight, delay, steps, n, decay, dt_tau, threshold):
    """Leaky neurons with exponential synapses, in plain NumPy: spikes [steps, n] from input spikes [steps, n_pre]."""
    v, y, out = np.zeros(n), np.zeros(n), np.zeros((steps, n))
    arriving = np.zeros((steps + 100, n))
    share = dt_tau
    for t in range(steps):
        y = y + arriving[t]
        v = decay[0] * v + share * y
        y = decay[1] * y
        out[t] = v >= threshold
        v[out[t] > 0] = 0.0
        for i in np.flatnonzero(pre[t]):
            for j in range(n):
                arriving[t + 1 + delay[i, j], j] += weight[i, j]
    return out


@pytest.mark.parametrize("one_delay", [True, False])
@pytest.mark.parametrize("one_weight", [True, False])
def test_delivery_equals_a_naive_simulation(one_delay, one_weight):
    rng = np.random.default_rng(2)
    n_pre, n, steps, dt = 7, 9, 120, 1.0
    pre = rng.random((steps, n_pre)) < 0.2
    weight = np.full((n_pre, n), 0.4) if one_weight else rng.uniform(0.1, 0.7, (n_pre, n))
    delay = np.full((n_pre, n), 3) if one_delay else rng.integers(1, 6, (n_pre, n))
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
    step, unit = np.nonzero(pre)
    source = net.spikes(step + 1.0, unit, n_pre)
    cells = net.population(LIF(tau=10.0, v_threshold=1.0), n)
    made = net.connect(
        source, cells, nbsnn.AllToAll(), weight=0.4 if one_weight else weight.ravel(),
        delay=3.0 if one_delay else delay.ravel().astype(float), synapse=Exponential(4.0),
    )  # fmt: skip
    run = net.run(steps * dt)
    decay = np.exp(-1.0 / 10.0), np.exp(-1.0 / 4.0)
    share = (decay[1] - decay[0]) * 4.0 / (4.0 - 10.0)
    times, units = run.spikes(cells)
    spikes = np.zeros((steps, n))
    spikes[np.rint(times).astype(int) - 1, units] = 1.0
    assert spikes.sum() > 20
    np.testing.assert_array_equal(spikes, naive(pre, weight, delay, steps, n, decay, share, 1.0))
    np.testing.assert_allclose(np.broadcast_to(made.delay, n_pre * n), delay.ravel())
    np.testing.assert_allclose(np.broadcast_to(made.weight, n_pre * n), weight.ravel())
    np.testing.assert_array_equal(made.post, np.tile(np.arange(n), n_pre))


def test_sections_that_overlap_have_no_autapses():
    net = nbsnn.Network(dt=1.0, device="python")
    cells = net.population(CELL, 20)
    made = net.connect(cells[:12], cells[5:18], nbsnn.AllToAll(autapses=False), weight=1.0)
    few = net.connect(cells[:12], cells[5:18], nbsnn.Sparse(indegree=9, autapses=False, multapses=False), weight=1.0)
    net.build()
    assert not np.any(made.pre == made.post) and not np.any(few.pre == few.post)
    assert len(made) == 12 * 13 - 7 == made.estimate() and len(few) == 9 * 13
    assert (made.pre.max(), made.post.min(), made.post.max()) == (11, 5, 17)


def test_short_term_plasticity_releases_what_the_equations_say():
    net = nbsnn.Network(dt=1.0, dtype=np.float64, device="python")
    times = np.array([1.0, 11.0, 21.0, 24.0, 90.0])
    source, cell = net.spikes(times, np.zeros(5, int), 1), net.population(CELL, 1, name="cell")
    kind = TsodyksMarkram(U=0.3, tau_rec=80.0, tau_facil=40.0)
    net.connect(source, cell, nbsnn.AllToAll(), weight=1.0, short_term=kind)
    v = net.run(100.0, record={cell: ["v"]})[cell, "v"][:, 0] + 60.0
    arrival = times.astype(int)  # one step later, in the row of the step that ends then
    jumps = v[arrival] - v[arrival - 1] * np.exp(-1.0 / 20.0)
    u, r, expected = 0.0, 1.0, []
    for k in range(5):
        gap = np.inf if k == 0 else times[k] - times[k - 1]
        r = 1.0 + (r * (1.0 - u) - 1.0) * np.exp(-gap / 80.0)
        u = 0.3 + u * 0.7 * np.exp(-gap / 40.0)
        expected.append(u * r)
    np.testing.assert_allclose(jumps, expected, rtol=1e-6)


def mixed(device="cpu", dtype=np.float32, learning=True):
    """A network with one of everything."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=dtype)
    source = net.poisson(40, 60.0, name="source")
    listed = net.spikes([5.0, 5.0, 7.5], [0, 3, 1], 5, name="listed")
    cell = LIF(tau=20.0, v_rest=-60.0, v_threshold=-50.0, v_reset=-60.0, refractory=2.0)
    cells = net.population(cell, 60, name="cells", v=nbsnn.values.Uniform(-60.0, -50.0))
    noisy = net.population(EscapeLIF(tau=20.0, v_rest=-60.0, v_threshold=-50.0, v_reset=-60.0), 20, name="noisy")
    normal, uniform = nbsnn.values.Normal, nbsnn.values.Uniform
    net.connect(
        source, cells, nbsnn.Sparse(probability=0.3), weight=normal(2.0, 0.2), delay=uniform(0.5, 3.0),
        synapse=Exponential(5.0),
    )  # fmt: skip
    net.connect(listed, cells, nbsnn.AllToAll(), weight=3.0, delay=1.5)
    net.connect(cells, cells, nbsnn.Sparse(indegree=5), weight=-1.0, delay=uniform(0.5, 2.0), synapse=Alpha(3.0))
    net.connect(cells[:30], cells[20:], nbsnn.Sparse(indegree=5), weight=0.2, synapse=Exponential(2.0, reversal=0.0))
    net.connect(cells, noisy, nbsnn.Sparse(indegree=5), weight=1.0, short_term=TsodyksMarkram(0.5, 100.0, 50.0))
    plastic = nbsnn.Sparse(probability=0.3)
    net.connect(source, cells, plastic, weight=uniform(0.0, 1.0), delay=2.0, plasticity=PairSTDP(), name="learns")
    net.drive(cells, 200.0, 0.5, Exponential(5.0))
    net.inject(cells, np.linspace(0.0, 5.0, 60))
    return net


def outcome(net, pieces, **options):
    parts = [net.run(40.0 / pieces, **options).spikes() for _ in range(pieces)]
    return [np.concatenate(part) for part in zip(*parts, strict=True)], net.state()


def same(first, second):
    (spikes, state), (others, other) = first, second
    for a, b in zip(spikes, others, strict=True):
        np.testing.assert_array_equal(a, b)
    for name, array in state.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name], err_msg=name)


@pytest.fixture(scope="module")
def whole():
    """The outcome of one run, interpreted."""
    result = outcome(mixed("python"), 1)
    assert len(result[0][0]) > 200
    return result


@pytest.mark.parametrize(("threads", "pieces"), [(1, 1), (2, 1), (3, 5), (1, 8)])
def test_compiled_on_any_threads_in_any_pieces_equals_interpreted(whole, threads, pieces, monkeypatch):
    monkeypatch.setattr(loops, "SHARE", 1)
    nbsnn.set_threads(threads)
    net = mixed()
    same(whole, outcome(net, pieces))
    assert net.loop().parts == threads or os.environ.get("NUMBA_DISABLE_JIT") == "1"


def test_many_pieces_of_the_kernel_lose_no_spike(whole, monkeypatch):
    """A record that is full makes the loop return early."""
    monkeypatch.setattr(loops, "ROOM", 1)
    same(whole, outcome(mixed("python"), 1))


@pytest.mark.parametrize("rule", [PairSTDP(), TripletSTDP()], ids=["pair", "triplet"])
@pytest.mark.parametrize("delay", [1.0, 4.0])
def test_sparse_plasticity_equals_dense(rule, delay):
    """The weights of a run are those that the rule makes of the recorded spikes, dense."""
    net = nbsnn.Network(dt=1.0, seed=5, dtype=np.float64, device="python")
    source = net.poisson(12, 80.0, name="source")
    cells = net.population(LIF(tau=10.0, v_threshold=1.0), 6, name="cells")
    made = net.connect(
        source, cells, nbsnn.Sparse(probability=0.6), weight=nbsnn.values.Uniform(0.1, 0.9), delay=delay,
        synapse=Delta(), plasticity=rule,
    )  # fmt: skip
    net.build()
    start, pre, post = made.weight.copy(), made.pre, made.post
    run = net.run(150.0)
    spikes = {}
    for group in (source, cells):
        times, units = run.spikes(group)
        spikes[group] = np.zeros((150, 1, group.n))
        spikes[group][np.rint(times).astype(int) - 1, 0, units] = 1.0
    arrived = np.roll(spikes[source], int(delay), axis=0)
    arrived[: int(delay)] = 0.0
    assert spikes[cells].sum() > 30
    dense = np.zeros((12, 6))
    dense[pre, post] = start
    learned = rule.run(dense, arrived, spikes[cells]).weights
    assert np.abs(made.weight - start).max() > 0.01
    np.testing.assert_allclose(made.weight, learned[pre, post], rtol=1e-12)


def test_learning_can_be_switched_off():
    net = mixed("python")
    made = net.connections[-1]
    made.learning = False
    before = made.weight.copy()
    net.run(20.0)
    np.testing.assert_array_equal(made.weight, before)


def test_a_state_can_be_kept_changed_saved_and_restored(tmp_path):
    net = mixed("python")
    net.run(10.0)
    state = net.state()
    first = net.run(10.0).spikes()
    state.save(tmp_path / "state.npz")
    net.restore(state)
    second = net.run(10.0).spikes()
    other = mixed("python")
    other.restore(nbsnn.network.State.load(tmp_path / "state.npz"))
    third = other.run(10.0).spikes()
    other.restore(str(tmp_path / "state.npz"))
    fourth = other.run(10.0).spikes()
    for a, b in ((first, second), (first, third), (first, fourth)):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    net.restore(state)
    net.group("cells")["v"] = -55.0
    assert np.all(net.group("cells")["v"] == -55.0)
    assert np.all(state.copy().arrays["states"] == state.arrays["states"])
    net.run(10.0)
    net.reset()
    assert net.time == 0.0
    np.testing.assert_array_equal(net.group("cells")["v"], mixed("python").group("cells")["v"])


def test_a_state_that_does_not_fit_changes_nothing(tmp_path):
    net = mixed("python")
    net.run(5.0)
    state, before = net.state(), net.state()
    state.arrays["ring"] = state.arrays["ring"][:, :-1]
    with pytest.raises(ValueError, match="ring of this network is float32"):
        net.restore(state)
    for name, array in net.state().arrays.items():
        np.testing.assert_array_equal(array, before.arrays[name])
    (tmp_path / "no.npz").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="not a readable"):
        nbsnn.network.State.load(tmp_path / "no.npz")


def test_poisson_inputs_have_the_rate_they_are_given():
    net = nbsnn.Network(dt=1.0, seed=1, dtype=np.float64, device="python")
    source = net.poisson(150, 50.0)
    cells = net.population(LIF(tau=20.0, v_threshold=1e9), 150, name="cells")
    net.drive(cells, 2000.0, 0.1)
    run = net.run(600.0, record={source: "spikes", cells: ["v"]})
    assert abs(run.rate(source) - 50.0) < 3.0 * np.sqrt(50.0 / (150 * 0.6))
    v = run[cells, "v"][200:]
    decay = np.exp(-1.0 / 20.0)  # a sum of Poisson numbers of mean 2 that decays
    assert v.mean() == pytest.approx(2.0 * 0.1 / (1.0 - decay), rel=0.003)
    assert v.var() == pytest.approx(2.0 * 0.01 / (1.0 - decay**2), rel=0.03)


def test_currents_change_in_time():
    net = nbsnn.Network(dt=0.5, dtype=np.float64, device="python")
    cells = net.population(LIF(tau=10.0, v_threshold=1e9), 3)
    rows = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]])
    net.inject(cells, rows, every=5.0, start=2.0)
    net.inject(cells, 0.5)
    v = net.run(20.0, record={cells: ["v"]})[cells, "v"]
    expected, now = [], np.zeros(3)
    for t in np.arange(40) * 0.5:
        given = 0.5 + (rows[0] if 2.0 <= t < 7.0 else rows[1] if 7.0 <= t < 12.0 else 0.0)
        now = given + (now - given) * np.exp(-0.05)
        expected.append(now)
    np.testing.assert_allclose(v, expected, rtol=1e-9)


def test_recording_of_chosen_units_at_intervals_and_of_weights(tmp_path):
    net = mixed("python")
    cells, made = net.group("cells"), net.connections[-1]
    seen = []
    run = net.run(
        12.0, record={cells: {"v": [3, 59], "spikes": None}, made: "weight"}, every=2.0,
        callback=lambda network: seen.append(network.time), callback_every=3.0,
    )  # fmt: skip
    np.testing.assert_allclose(run.times, [2, 4, 6, 8, 10, 12])
    assert run[cells, "v"].shape == (6, 2)
    assert run[made, "weight"].shape == (6, len(made))
    np.testing.assert_array_equal(run[made, "weight"][-1], made.weight)
    np.testing.assert_allclose(seen, [3, 6, 9, 12])
    with pytest.raises(KeyError, match="spikes of source were not recorded"):
        run.spikes("source")
    all_times = [time for time in mixed("python").steps(3.0)]
    np.testing.assert_allclose(all_times, np.arange(1, 7) * 0.5)
    with pytest.raises(KeyError, match="was not recorded"):
        run[cells, "left"]


def test_spikes_go_to_a_file(tmp_path):
    net, again = mixed("python"), mixed("python")
    kept = net.run(20.0).spikes()
    again.run(20.0, to=tmp_path / "spikes.bin")
    from nbsnn.files.spikes import SpikeFile

    times, units = SpikeFile(tmp_path / "spikes.bin").spikes()
    np.testing.assert_allclose(times, kept[0])
    np.testing.assert_array_equal(units, kept[1])


def test_a_network_of_other_neurons_runs():
    """Izhikevich's cells, whose input is a current and whose membrane is not linear."""
    net = nbsnn.Network(dt=0.5, seed=1, device="python")
    cells = net.population(Izhikevich(), 20)
    net.connect(cells, cells, nbsnn.Sparse(probability=0.2), weight=1.0, synapse=Exponential(5.0))
    net.inject(cells, 10.0)
    assert cells.membrane is None
    assert 5.0 < net.run(200.0).rate() < 100.0


def test_inputs_that_nothing_adds_to_are_zero_without_a_sign():
    neuron = nbsnn.Neuron(
        step=lambda x, g, j, seen, open_, moved: (0.0, x, g, j), state={"seen": 1.0, "open_": 1.0, "moved": 1.0},
        inputs=("current", "conductance", "jump"),
    )  # fmt: skip
    net = nbsnn.Network(dt=1.0, device="python")
    cells = net.population(neuron, 1)
    run = net.run(2.0, record={cells: list(neuron.state)})
    assert not any(np.any(run[cells, name]) or np.any(np.signbit(run[cells, name])) for name in neuron.state)


def test_event_streams_are_inputs():
    events = np.array(
        [(90, 1, 0, 1), (95, 1, 0, 1), (1500, 0, 1, 0), (1501, 2, 1, 1)],
        [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")],
    )
    net = nbsnn.Network(dt=1.0, device="python")
    group = net.events(events, (2, 2, 3))
    times, units = net.run(5.0).spikes(group)
    np.testing.assert_array_equal(times, [1.0, 2.0, 2.0])
    np.testing.assert_array_equal(units, [6 + 1, 3, 6 + 3 + 2])
    assert group.merged == 1
    with pytest.raises(ValueError, match="x of events must be below 2"):
        net.events(events, (2, 2, 2))
    with pytest.raises(ValueError, match="events need fields t, y, x"):
        net.events(events[["t", "x"]], (2, 3))


@pytest.mark.parametrize(("unit", "factor"), [("us", 1.0), ("ms", 1e-3), ("s", 1e-6)])
def test_event_streams_come_in_any_unit_and_their_coincidences_are_counted(unit, factor):
    events = np.zeros(5, [("x", "i2"), ("t", "f8")])
    events["t"], events["x"] = np.array([0, 50, 120, 199, 200]) * factor, [1, 1, 0, 0, 1]
    for given in ({"events": events, "shape": (2,), "unit": unit}, {"events": Recording(events, unit, (2,))}):
        group = nbsnn.Network(dt=0.1, device="python").events(**given)
        assert group.merged == 2
        np.testing.assert_array_equal(group.list, [[0, 1, 1], [1, 0, 1]])
    with pytest.raises(ValueError, match="'us', 'ms', 's'"):
        nbsnn.Network().events(events, (2,), unit="ns")


def test_a_recording_counts_and_draws(tmp_path):
    pytest.importorskip("matplotlib")
    net = nbsnn.Network(dt=1.0, seed=1, device="python")
    group = net.poisson(50, 40.0)
    run = net.run(1000.0)
    assert abs(run.rate(group) - 40.0) < 3.0 and abs(run.cv(group) - 1.0) < 0.1
    run.plot(tmp_path / "raster.png")
    assert (tmp_path / "raster.png").stat().st_size > 10_000


def test_spikes_that_were_not_recorded_are_an_error_and_not_a_rate_of_zero(tmp_path):
    net = nbsnn.Network(dt=1.0, seed=1, device="python")
    a, b = net.poisson(4, 100.0, name="a"), net.poisson(2, 100.0, name="b")
    first = net.run(50.0, record={a[:2]: "spikes"})
    for run in (first, pickle.loads(pickle.dumps(first))):
        assert len(run.spikes("a")[0]) == len(run.spikes(a[:2])[0]) > 0 and run.rate(a[:2]) > 0.0
        for call in (lambda run=run: run.spikes("b"), lambda run=run: run["b"], lambda run=run: run.spikes(a[2:])):
            with pytest.raises(KeyError, match="were not recorded: run"):
                call()
        for call in (lambda run=run: run.rate("a"), lambda run=run: run.cv("a"), lambda run=run: run.rate()):
            with pytest.raises(KeyError, match="of only 2 of 4 units recorded"):
                call()
        run.to_csv(tmp_path / "spikes.csv")
        assert (tmp_path / "spikes.csv").read_text().count(",a,") == len(run.spikes()[0])
    assert net.run(50.0).rate(b) > 0.0
    with pytest.raises(ValueError, match="no spikes were recorded"):
        net.run(5.0, record={}).plot()


def small():
    net = nbsnn.Network(dt=0.1)
    return net, net.population(CELL, 4, name="cells")


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda net, c: nbsnn.Network(dt=0.0), ValueError, "dt must be greater than 0"),
        (lambda net, c: nbsnn.Network(dtype=np.int32), TypeError, "float32 or float64"),
        (lambda net, c: nbsnn.Network(device="gpu"), ValueError, "device must be"),
        (lambda net, c: net.population(CELL, 0), ValueError, "n must be at least 1"),
        (lambda net, c: net.population("LIF", 3), TypeError, "made of a Neuron"),
        (lambda net, c: net.population(CELL, 3, name="cells"), ValueError, "has a population 'cells' already"),
        (lambda net, c: net.population(CELL, 3, w=1.0), ValueError, "no variable 'w'"),
        (lambda net, c: net.population(CELL, 3, initial={"w": 1.0}), ValueError, "no variable 'w'"),
        (lambda net, c: net.population(CELL, 3, v=1.0, initial={"v": 1.0}), ValueError, "v is given twice"),
        (lambda net, c: net.population(CELL, 3, initial=1.0), TypeError, "initial must be a mapping"),
        (
            lambda net, c: net.population(CELL.replace(params={**CELL.params, "tau": np.ones(2)}), 3),
            ValueError,
            r"\[3\]",
        ),
        (lambda net, c: net.connect("other", c, nbsnn.AllToAll()), KeyError, "no population 'other'"),
        (lambda net, c: net.connect(c, c, 0.1), TypeError, "needs a pattern"),
        (lambda net, c: net.connect(c, c, np.eye(4)), TypeError, "nbsnn.from_scipy makes one"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), synapse=Delta), TypeError, r"Exponential\(tau=5.0\) say"),
        (lambda net, c: nbsnn.optim.Adam({"w": np.eye(2)}), TypeError, "lr must be a number or a schedule, not a dict"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll), TypeError, "with parentheses"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), weight=np.eye(4)), ValueError, r"weight.ravel\(\)"),
        (lambda net, c: net.population(nbsnn.neurons.LIF, 3), TypeError, "with parentheses"),
        (lambda net, c: net.connect(c[2:2], c, nbsnn.AllToAll()), ValueError, "a section of cells"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), weight=np.nan), ValueError, "weight must be finite"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), synapse="delta"), TypeError, "synapse must be a Synapse"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), plasticity=3), TypeError, "plasticity must be a Rule"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), delay=0.01) and net.build(), ValueError, "half a step"),
        (lambda net, c: net.connect(c, c, nbsnn.AllToAll(), weight=[1.0, 2.0]) and net.build(), ValueError, r"\[16\]"),
        (
            lambda net, c: (
                net.connect(c, c, nbsnn.AllToAll(), delay=np.arange(1.0, 17.0), plasticity=PostPreInt()) and net.build()
            ),
            ValueError,
            "synapses of PostPreInt share one delay",
        ),
        (lambda net, c: net.run(0.25), ValueError, "whole number of steps"),
        (lambda net, c: net.run(-1.0), ValueError, "whole number of steps"),
        (lambda net, c: net.run(1.0, record={"cells": ["u"]}), KeyError, "no variable 'u'"),
        (lambda net, c: net.run(1.0, record={"cells": {"v": [9]}}), ValueError, "integers from 0 to 3"),
        (lambda net, c: net.run(1.0, every=0.33), ValueError, "every must be a whole number"),
        (lambda net, c: net.spikes([0.0], [0], 1), ValueError, "at least one step"),
        (lambda net, c: net.spikes([1.0, 1.0], [0, 0], 1), ValueError, "two spikes in the step"),
        (lambda net, c: net.spikes([1.0], [5], 1), ValueError, "units must be from 0 to 0"),
        (lambda net, c: net.inject(c, [1.0, 2.0]), ValueError, "a current must be a number"),
        (lambda net, c: net.inject(c, np.datetime64("2020-01-01")), TypeError, "a current must be a number"),
        (lambda net, c: net.inject(c, np.nan), ValueError, "a current must be finite, not nan"),
        (lambda net, c: net.drive(c, -1.0, 1.0), ValueError, "rate must be at least 0"),
        (lambda net, c: c.__setitem__("v", [1.0, 2.0]), ValueError, r"must be a number or have shape \[4\]"),
        (lambda net, c: Exponential(0.0), ValueError, "tau of Exponential must be greater than 0"),
        (lambda net, c: Exponential(-1.0), ValueError, "greater than 0"),
        (lambda net, c: DoubleExponential(2.0, 2.0), ValueError, "must differ"),
        (lambda net, c: TsodyksMarkram(U=0.0), ValueError, "U must be above 0"),
        (lambda net, c: nbsnn.Network().run(1.0), ValueError, "no population"),
        (lambda net, c: (net.build(), net.population(LIF(), 1)), ValueError, "has been built"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call(*small())


def test_a_network_too_large_for_this_machine_says_so_before_building(monkeypatch):
    net = nbsnn.Network()
    cells = net.population(CELL, 100_000)
    net.connect(cells, cells, nbsnn.Sparse(indegree=50_000), weight=nbsnn.values.Normal(1.0, 0.1))
    assert net.estimate() == 8 * 5_000_000_000
    monkeypatch.setattr("nbsnn.network.simulation.free_memory", lambda: 24 << 30)
    with pytest.raises(MemoryError, match=r"5,000,000,000 synapses take 40.0 GB"):
        net.build()


def test_variables_with_the_names_of_arguments_start_where_initial_says():
    net = nbsnn.Network(device="python")
    cells = net.population(nbsnn.neurons.HodgkinHuxley(), 2, initial={"n": [0.3, 0.4], "m": 0.1}, v=-60.0)
    found = cells["n"].tolist(), cells["m"].tolist(), cells["v"].tolist()
    assert found == (np.float32([0.3, 0.4]).tolist(), [np.float32(0.1)] * 2, [-60.0] * 2)
    cells["n"] = 0.5
    assert cells["n"].tolist() == [0.5, 0.5]
    net.reset()
    assert cells["n"].tolist() == found[0]
