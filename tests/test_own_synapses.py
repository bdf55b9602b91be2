"""Synapses of one's own, and those made of them, against plain NumPy: at targets, with gates of sources, on threads."""

import inspect
import pickle

import numpy as np
import pytest

import nbsnn
from nbsnn import synapses
from nbsnn.neuron import Neuron
from nbsnn.neurons import LI, LIF, ConductanceLIF, Izhikevich
from nbsnn.synapses import NMDA, CustomSynapse, Exponential, GapJunction, Gate, Graded, gap_junction, graded, nmda
from nbsnn.synapses.synapse import make

AllToAll, DT = nbsnn.AllToAll, 0.1
STILL = ConductanceLIF(v_threshold=1e6)


def falling(a, y, decay):
    y = y + a
    return y, y * decay


def gated(a, v, y, decay, half):
    y = y + a * (v > half)
    return y, y * decay


def two_inputs(x, nmda, v, w, decay):
    return 0.0, decay * v + x, w + nmda


def open_step(spike, s, decay):
    s = s + spike * (1.0 - s)
    return s, s * decay


def plain(a):
    return (a,)


FALLING = {"state": {"y": 0.0}, "params": {"tau": 5.0}, "per_step": {"tau": "exp"}}
OPEN = Gate(open_step, state={"s": 0.0}, params={"tau": 20.0}, per_step={"tau": "exp"})


def two(decay):
    """A neuron with an input of its own, "nmda", which adds up in w."""
    start, inputs = {"v": 0.0, "w": 0.0}, ("current", "nmda")
    return Neuron(two_inputs, state=start, params={"decay": decay}, inputs=inputs, output="none")


def network(**options):
    return nbsnn.Network(**{"dt": DT, "dtype": np.float64, "device": "python"} | options)


KINDS = [f for name, f in sorted(vars(synapses).items()) if inspect.isfunction(f) and name != "TsodyksMarkram"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_synapses_that_differ_in_any_argument_share_no_port(kind):
    names = inspect.signature(kind).parameters
    given = {name: 0.5 + 0.1 * k for k, name in enumerate(names) if name != "saturating"}
    assert kind(**given) == kind(**given)
    for name, value in given.items():
        assert kind(**given) != kind(**{**given, name: value + 0.05}), name
    assert all(f"{name}=" in repr(kind(**given)) for name in names)


def test_a_synapse_whose_variables_drive_each_other_is_refused():
    with pytest.raises(ValueError, match="matrix of Swinging must be a lower triangle"):
        make("Swinging", falling, ("y", "z"), ((-1.0, 1.0), (-1.0, -1.0)), (1.0, 0.0), (1.0, 0.0), None, {})


def test_a_decaying_current_of_ones_own_is_summed_as_plain_numpy_sums_it():
    net = network()
    source, cell = net.spikes([1.0, 1.4, 9.0], [0, 0, 0], 1), net.population(STILL, 1)
    net.connect(source, cell, AllToAll(), weight=30.0, delay=0.5, synapse=CustomSynapse(falling, **FALLING))
    run = net.run(20.0, record={cell: ["v", "custom.y"]})
    y, v, decay = 0.0, -60.0, np.exp(-DT / 5.0)
    for k in range(200):
        y += 30.0 * (k in (15, 19, 95))  # steps that begin at 1.5, 1.9 and 9.5 ms
        v = -60.0 + y / 10.0 + (v + 60.0 - y / 10.0) * np.exp(-DT * 10.0 / 200.0)
        y *= decay
        np.testing.assert_allclose([run[cell, "v"][k, 0], run[cell, "custom.y"][k, 0]], [v, y], rtol=1e-12)


def test_a_current_into_a_leaky_membrane_is_in_its_unit():
    net = network()
    cells, source = net.population(LIF(10.0, 1e6), 1), net.spikes([1.0], [0], 1)
    hold = CustomSynapse(lambda a, y: (y + a, y + a), state={"y": 0.0})
    net.connect(source, cells, AllToAll(), weight=2.0, synapse=hold)
    net.run(300.0)
    assert cells["v"] == pytest.approx(2.0)  # 1 mV of current holds the membrane 1 mV above rest


def test_a_membrane_with_time_constants_of_its_own_per_unit_takes_them_too():
    net = network()
    cells, source = net.population(LIF(10.0, 1e6), 3, tau=[5.0, 10.0, 20.0]), net.spikes([1.0], [0], 1)
    hold = CustomSynapse(lambda a, y: (y + a, y + a), state={"y": 0.0})
    net.connect(source, cells, AllToAll(), weight=2.0, synapse=hold)
    net.run(400.0)
    np.testing.assert_allclose(cells["v"], 2.0, rtol=1e-6)


def test_what_a_spike_does_may_depend_on_the_membrane():
    net = network()
    cells, source = net.population(STILL, 2, v=[-60.0, -50.0]), net.spikes([1.0], [0], 1)
    synapse = CustomSynapse(
        gated, state={"y": 0.0}, params={"tau": 5.0, "half": -55.0}, per_step={"tau": "exp"}, reads="v",
        output="conductance", reversal=0.0,
    )  # fmt: skip
    net.connect(source, cells, AllToAll(), weight=3.0, synapse=synapse)
    net.run(1.2)
    np.testing.assert_allclose(cells["custom.y"], [0.0, 3.0 * np.exp(-DT / 5.0)])


@pytest.mark.parametrize("output", ["nmda", "w", "current"])
def test_a_synapse_addresses_an_input_or_a_variable_by_name(output):
    net = network()
    cells, source = net.population(two(0.9), 1), net.spikes([0.1], [0], 1)
    net.connect(source, cells, AllToAll(), weight=4.0, synapse=CustomSynapse(plain, output=output))
    net.run(1.0)
    wanted = [4.0 * 0.9**7, 0.0] if output == "current" else [0.0, 4.0]
    np.testing.assert_allclose([cells["v"][0], cells["w"][0]], wanted)


def test_several_outputs_go_each_to_its_own_place():
    net = network()
    cells, source = net.population(two(0.0), 1), net.spikes([0.1], [0], 1)
    net.connect(
        source,
        cells,
        AllToAll(),
        synapse=CustomSynapse(lambda a: (a, 2.0 * a, 5.0 * a), output=("nmda", "w", "current")),
    )
    net.run(0.3)
    assert (cells["v"][0], cells["w"][0]) == (5.0, 3.0)


def test_state_starts_where_it_is_said_and_again_after_reset():
    net = network()
    cells, source = net.population(STILL, 2), net.spikes([50.0], [0], 1)
    synapse = CustomSynapse(falling, **{**FALLING, "state": {"y": 8.0}}, name="mine", gate=OPEN)
    net.connect(source, cells, AllToAll(), synapse=synapse)
    for _ in range(2):
        net.run(1.0)
        np.testing.assert_allclose(cells["mine.y"], 8.0 * np.exp(-0.2))
        net.reset()
        assert cells["mine.y"].tolist() == [8.0, 8.0]


def naive_gates(spikes, W, delays, steps, tau=20.0):
    """Gates of sources that a spike opens wholly, and their weighted sums at targets, in each step."""
    n, m = W.shape
    s, sums = np.zeros(n), np.zeros((steps + delays.max() + 1, m))
    for t in range(steps):
        s = np.where(spikes[t], 1.0, s)
        for i, j in np.ndindex(n, m):
            sums[t + delays[i, j], j] += W[i, j] * s[i]
        s = s * np.exp(-DT / tau)
    return sums[:steps]


@pytest.mark.parametrize("kind", ["one weight", "own weights", "own delays", "own both", "sparse"])
def test_gates_of_sources_add_up_at_the_targets_as_plain_numpy_adds_them(kind):
    n, m, steps = 6, 4, 200
    rng = np.random.default_rng(3)
    fired = rng.random((steps, n)) < 0.05
    times, units = np.nonzero(fired)
    W = np.full((n, m), 0.7)
    weight, delay, delays = 0.7, 0.3, np.full((n, m), 3)
    if kind in ("own weights", "own both", "sparse"):
        weight = rng.uniform(0.0, 2.0, n * m)
        W = weight.reshape(n, m)
    if kind in ("own delays", "own both"):
        delays = rng.integers(1, 9, (n, m))
        delay = delays.reshape(-1) * DT
    pattern = AllToAll()
    if kind == "sparse":
        pairs = np.argwhere(rng.random((n, m)) < 0.5)
        pattern, weight = nbsnn.Explicit(*pairs.T), W[tuple(pairs.T)]
        W = np.where(np.isin(np.arange(n * m).reshape(n, m), pairs @ [m, 1]), W, 0.0)
    net = network()
    neuron = Neuron(
        two_inputs, state={"v": 0.0, "w": 0.0}, params={"decay": 0.0}, inputs=("current", "nmda"), output="none"
    )
    source, cells = net.spikes((times + 1) * DT, units, n), net.population(neuron, m)
    net.connect(source, cells, pattern, weight=weight, delay=delay, synapse=CustomSynapse(plain, gate=OPEN))
    run = net.run(steps * DT, record={cells: "v"})
    before = np.concatenate([np.zeros((1, n), bool), fired[:-1]])  # a spike of a step has come to the next one
    np.testing.assert_allclose(run[cells, "v"], naive_gates(before, W, delays, steps), rtol=1e-12, atol=1e-15)


def test_all_to_all_without_autapses_leaves_each_unit_out_of_its_own_sum():
    nets = []
    for pattern in (AllToAll(autapses=False), nbsnn.Explicit(*np.argwhere(~np.eye(5, dtype=bool)).T)):
        net = network()
        cells = net.population(ConductanceLIF(), 5, v=np.linspace(-60.0, -51.0, 5))
        net.inject(cells, np.linspace(150.0, 250.0, 5))
        net.connect(cells, cells, pattern, weight=3.0, delay=0.5, synapse=NMDA())
        nets.append(net.run(60.0, record={cells: ["v", "spikes"]})["population1", "v"])
    np.testing.assert_allclose(nets[0], nets[1], rtol=1e-12)


def test_sections_take_gates_of_their_own_units_alone():
    net = network()
    source, cells = net.spikes([1.0, 1.0], [0, 3], 4), net.population(STILL, 6)
    net.connect(source[2:], cells[1:4], AllToAll(), weight=5.0, synapse=NMDA(mg=0.0))
    net.run(5.0)
    assert (cells["v"] > -60.0).tolist() == [False, True, True, True, False, False]


def wang(device, dtype=np.float32, cut=None):
    net = nbsnn.Network(dt=DT, seed=4, dtype=dtype, device=device)
    exc = net.population(ConductanceLIF(capacitance=500.0, g_leak=25.0, v_rest=-70.0), 37, name="exc")
    inh = net.population(ConductanceLIF(refractory=1.0), 11, name="inh")
    net.drive(exc, 1800.0, 4.0, Exponential(2.0, reversal=0.0))
    net.drive(inh, 1800.0, 3.0, Exponential(2.0, reversal=0.0))
    net.connect(exc, exc, AllToAll(autapses=False), weight=2.0, delay=0.5, synapse=NMDA())
    net.connect(
        exc, inh, nbsnn.Sparse(probability=0.5), weight=nbsnn.values.Uniform(0.5, 1.5), delay=0.5, synapse=NMDA()
    )
    net.connect(inh, exc, AllToAll(), weight=3.0, delay=0.5, synapse=Exponential(10.0, reversal=-70.0))
    net.connect(inh, inh, nbsnn.Sparse(probability=0.4), weight=2.0, synapse=GapJunction())
    net.connect(exc, inh, nbsnn.Sparse(probability=0.3), weight=2.0, delay=nbsnn.values.Uniform(0.5, 3.0),
                synapse=Graded(-55.0, 3.0, 5.0, reversal=0.0))  # fmt: skip
    pieces = [60.0] if cut is None else [cut, 60.0 - cut]
    runs = [net.run(piece, record={exc: ["v", "spikes", "nmda.s", "graded.s"], inh: "v"}) for piece in pieces]
    return net, np.concatenate([np.hstack([run[exc, "v"], run[exc, "nmda.s"], run[inh, "v"]]) for run in runs])


def test_a_run_in_pieces_and_one_from_a_restored_state_are_the_whole_run_bit_for_bit():
    net, whole = wang("python")
    assert len(np.unique(whole)) > 1000
    np.testing.assert_array_equal(wang("python", cut=23.4)[1], whole)
    net.reset()
    net.run(20.0)
    state = net.state()
    end = net.run(5.0, record={"exc": "nmda.s"})["exc", "nmda.s"]
    net.restore(state)
    np.testing.assert_array_equal(net.run(5.0, record={"exc": "nmda.s"})["exc", "nmda.s"], end)


@pytest.mark.long
def test_compiled_on_any_number_of_threads_as_interpreted(monkeypatch):
    monkeypatch.setattr("nbsnn.network.loop.SHARE", 1)
    expected = wang("python")[1]
    try:
        for threads in (1, 2, 3):
            nbsnn.set_threads(threads)
            net, found = wang("cpu")
            assert net.loop().parts == threads
            np.testing.assert_array_equal(found, expected)
    finally:
        nbsnn.set_threads(None)


def test_a_state_file_holds_gates(tmp_path):
    net, _ = wang("python")
    net.state().save(tmp_path / "state.npz")
    other, _ = wang("python", cut=10.0)
    other.restore(nbsnn.network.State.load(tmp_path / "state.npz"))
    np.testing.assert_array_equal(other.group("exc")["nmda.s"], net.group("exc")["nmda.s"])


def test_unsaturated_nmda_adds_up_at_its_target_and_agrees_where_gates_are_nearly_closed():
    found = []
    for saturating in (True, False):
        net = network()
        source, cell = net.spikes([1.0, 30.0], [0, 0], 1), net.population(STILL, 1)
        synapse = NMDA(alpha=0.001, saturating=saturating)
        net.connect(source, cell, AllToAll(), weight=500.0, delay=1.0, synapse=synapse)
        found.append(net.run(100.0, record={cell: "v"})[cell, "v"] + 60.0)
    np.testing.assert_allclose(*found, rtol=5e-3)
    assert found[0].max() > 0.5


def test_a_strong_gap_junction_is_stable_and_brings_membranes_together():
    for neuron in (STILL, LIF(10.0, 1e6)):
        net = network()
        cells = net.population(neuron, 2, v=[0.0, -30.0])
        net.connect(cells, cells, AllToAll(autapses=False), weight=1e4, synapse=GapJunction())
        net.run(3.0)
        assert np.ptp(cells["v"]) < 30.0


def test_a_gap_junction_of_neurons_that_take_no_conductance_is_the_difference_of_membranes():
    neuron = Neuron(
        lambda x, v, k: (0.0, v + k * v * v + x), state={"v": 1.0}, params={"k": 0.01}, output="none", membrane="v"
    )
    net = network()
    cells = net.population(neuron, 2, v=[1.0, 3.0])
    net.connect(cells, cells, AllToAll(autapses=False), weight=0.01, synapse=GapJunction())
    run, v = net.run(0.5, record={cells: "v"}), np.array([[1.0, 3.0]])
    means = [v[0]]
    for k in range(5):  # the mean over a step is at first that at its beginning, then goes on as it went
        v = np.vstack([v, v[k] + 0.01 * v[k] ** 2 + 0.01 * (means[k][::-1] - v[k])])
        moves = np.diff(v, axis=0)
        curved = 5.0 / 12.0 * (moves[-1] - moves[-2]) if k > 0 else 0.0
        means.append(v[-1] + 0.5 * moves[-1] + curved)
    np.testing.assert_allclose(run[cells, "v"], v[1:])


def test_gap_junctions_are_of_second_order_in_the_step():
    errors = []
    for dt in (0.2, 0.1):
        net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
        cells = net.population(STILL, 2, v=[-70.0, -50.0])
        net.connect(cells, cells, AllToAll(autapses=False), weight=30.0, synapse=GapJunction())
        net.run(4.0)
        errors.append(abs(np.ptp(cells["v"]) - 20.0 * np.exp(-4.0 * (10.0 + 2 * 30.0) / 200.0)))
    assert errors[0] > 3.5 * errors[1] and errors[1] < 0.003


def test_izhikevich_cells_are_coupled_by_gap_junctions():
    net = network()
    cells = net.population(Izhikevich(), 2)
    net.inject(cells, np.array([12.0, 0.0]))
    net.connect(cells, cells, AllToAll(autapses=False), weight=3.0, synapse=GapJunction())
    assert set(net.run(300.0).spikes(cells)[1].tolist()) == {0, 1}


def test_graded_synapses_read_readouts_which_emit_no_spikes():
    net = network()
    source, cell = net.population(LI(10.0), 1, v=3.0), net.population(STILL, 1)
    net.connect(source, cell, AllToAll(), weight=100.0, synapse=Graded(1.0, 1.0))
    net.run(0.1)
    assert cell["v"][0] == pytest.approx(-60.0 + 100.0 / (1.0 + np.exp(-2.0)) / 10.0 * -np.expm1(-DT * 10.0 / 200.0))


def test_what_is_set_between_runs_is_seen_at_once():
    net = network()
    cells = net.population(STILL, 2)
    net.connect(cells, cells, AllToAll(autapses=False), weight=10.0, synapse=GapJunction())
    net.run(1.0)
    cells["v"] = [-60.0, -30.0]
    net.run(0.1)
    assert cells["v"][0] > -60.0


def test_custom_synapses_without_gates_run_on_a_gpu_and_gates_are_refused_by_name():
    runs = []
    for device in ("python", "cuda"):
        net = nbsnn.Network(dt=DT, dtype=np.float64, device=device)
        cells, source = net.population(ConductanceLIF(), 3, name="cells"), net.spikes([1.0, 2.0], [0, 1], 2)
        net.connect(source, cells, AllToAll(), weight=40.0, delay=0.5, synapse=NMDA(saturating=False))
        runs.append(net.run(6.0, record={cells: "v"})["cells", "v"])
        if device == "cuda":
            gated = nbsnn.Network(dt=DT, device=device)
            one = gated.population(ConductanceLIF(), 1)
            with pytest.raises(ValueError, match=r"NMDA\(.*gate of each source, which a GPU does not run"):
                gated.connect(one, one, AllToAll(), synapse=NMDA())
    np.testing.assert_allclose(*runs, rtol=1e-9)


def test_synapses_of_equal_functions_and_numbers_share_variables_and_are_pickled_by_name():
    a, b = (CustomSynapse(falling, **FALLING, gate=OPEN) for _ in range(2))
    assert a == b and hash(a) == hash(b)
    assert a != CustomSynapse(falling, **{**FALLING, "params": {"tau": 6.0}}, gate=OPEN)
    assert pickle.loads(pickle.dumps(a)) == a and pickle.loads(pickle.dumps(NMDA())) == NMDA()
    assert repr(pickle.loads(pickle.dumps(NMDA(mg=0.5)))) == repr(NMDA(mg=0.5))
    net = network()
    cells = net.population(STILL, 2)
    net.connect(cells, cells, AllToAll(), synapse=a)
    net.connect(cells, cells, AllToAll(), synapse=b)
    assert len(cells.ports) == len(cells.gates) == 1


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: CustomSynapse(falling), "step must be a function"),
        (lambda: CustomSynapse(plain, output=()), "output must name"),
        (lambda: CustomSynapse(plain, reversal=0.0), "reversal is of a conductance"),
        (lambda: CustomSynapse(falling, **{**FALLING, "per_step": {"t": "exp"}}), "'t', which is not among"),
        (lambda: CustomSynapse(falling, **{**FALLING, "per_step": {"tau": "slow"}}), "must be one of"),
        (lambda: CustomSynapse(plain, gate=plain), "gate must be a Gate"),
        (lambda: Gate(open_step), "step must be a function"),
        (lambda: CustomSynapse(lambda a: (a, a)), r"step must return \(\*outputs, \*state\), 1 in"),
        (lambda: Gate(lambda spike: (spike,), outputs=2), "step must return .* 2 in"),
        (lambda: NMDA(tau_rise=0.0), "tau_rise of NMDA"), (lambda: NMDA(tau_decay=1e-40), "tau_decay of NMDA"),
        (lambda: Graded(0.0, 0.0), "slope of Graded"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_where_it_is_made(make, error):
    with pytest.raises((TypeError, ValueError), match=error):
        make()


def test_what_does_not_fit_a_network_is_refused_when_it_is_connected():
    net = network()
    cells, source = net.population(LIF(10.0), 2), net.spikes([1.0], [0], 1)
    for synapse, error, one in (
        (CustomSynapse(plain, output="nmda"), "output 'nmda'.*has the inputs", cells),
        (CustomSynapse(lambda a, q: (a,), reads="q"), "reads 'q'", cells),
        (GapJunction(), "reads 'v', and spikes1 has no variables", source),
    ):
        with pytest.raises(ValueError, match=error):
            net.connect(one, cells, AllToAll(), synapse=synapse)
    assert not net.connections and not cells.ports and not source.gates
    with pytest.raises(ValueError, match="takes no plasticity"):
        net.connect(cells, cells, AllToAll(), synapse=NMDA(), plasticity=nbsnn.plasticity.PairSTDP())
    with pytest.raises(ValueError, match="a drive has no sources"):
        net.drive(cells, 10.0, 1.0, NMDA())
    with pytest.raises(ValueError, match="names of its own"):
        Neuron(two_inputs, state={"v": 0.0, "w": 0.0}, params={"decay": 0.9}, inputs=("nmda", "current"))


def test_transmitter_is_released_as_the_membrane_lets_it():
    for v in (-70.0, -50.0, -41.5):
        wanted = 1.0 / (1.0 + np.exp(-(v + 50.0) / 4.0))
        assert graded.instant(0.0, v, -50.0, 4.0) == pytest.approx((wanted,), rel=1e-14)
        mean, after = graded.slow(0.0, v, 0.3, -50.0, 4.0, 0.9)  # s = wanted + (0.3 - wanted) exp(-t / tau)
        assert after == pytest.approx(0.9 * 0.3 + 0.1 * wanted, rel=1e-14)
        assert mean == pytest.approx(0.5 * (0.3 + after), rel=1e-14)


def test_magnesium_blocks_at_the_membrane_in_the_middle_of_the_step_unless_it_has_jumped():
    for last, middle in ((-60.2, -59.9), (-59.5, -60.25), (-61.0, -60.0), (-59.0, -60.0), (-80.0, -60.0)):
        found = nmda.blocked(0.7, -60.0, last, 1.2)
        assert found == pytest.approx((0.7 / (1.0 + 1.2 * np.exp(-0.062 * middle) / 3.57), -60.0), rel=1e-14)


def means(v, spikes=()):
    """What a source with these membranes puts out in each step."""
    state, found = [v[0], 0.0, 0.0, 0.0], []
    for t, each in enumerate(v):
        mean, one, *state = gap_junction.membrane(float(t in spikes), each, *state)
        assert one == 1.0 and state[0] == each
        found.append(mean)
    return np.array(found)


def test_the_mean_membrane_of_a_step_is_that_of_a_parabola_once_three_steps_are_known():
    a, b, c = -50.0, 0.8, 0.05
    v = a + b * np.arange(8.0) + c * np.arange(8.0) ** 2
    wanted = v + (b + 2.0 * c * np.arange(8.0)) / 2.0 + c / 3.0  # its mean over the step that follows
    found = means(v)
    np.testing.assert_allclose(found[2:], wanted[2:] - np.where(np.arange(2, 8) < 3, 5.0 * c / 6.0, 0.0), rtol=1e-13)
    assert found[0] == v[0]


def test_a_membrane_that_has_jumped_been_reset_or_swings_goes_on_from_where_it_is():
    smooth = [0.0, 1.0, 2.0, 3.0, 4.0]
    assert means(smooth)[-1] == 4.5
    assert means([*smooth, 24.0])[-1] == pytest.approx(34.0 + 5.0 / 12.0 * 19.0)  # 20 times as far is no jump yet
    assert means([*smooth, 24.5])[-1] == 24.5  # and this is one
    assert means([*smooth, 24.5, 25.5])[-1] == 26.0 and means([*smooth, 24.5, 25.5, 26.5])[-1] == 27.0
    assert means([*smooth, 3.0], {5})[-1] == 3.0  # a reset
    assert means([*smooth, 5.5], {5})[-1] == pytest.approx(6.25 + 5.0 / 12.0 * 0.5)  # a spike without one
    assert means([*smooth, 4.5], {5})[-1] == pytest.approx(4.75 - 5.0 / 24.0)
    assert means([*smooth, 3.5])[-1] == pytest.approx(3.25 - 5.0 / 12.0 * 1.5)  # it turns once
    assert means([*smooth, 3.5, 4.0])[-1] == 4.0  # and again: it swings
    assert means([*smooth, 4.0])[-1] == pytest.approx(4.0 - 5.0 / 12.0)  # that it rests is no turn
    assert means([*smooth, 4.0, 5.0])[-1] == pytest.approx(5.5 + 5.0 / 12.0)
