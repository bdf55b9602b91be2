"""What arrives at a membrane: jumps of delta synapses, conductances; and how a step is ordered."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import nbsnn
from nbsnn import Neuron, spike
from nbsnn import neurons as of
from nbsnn.neurons import (
    ALIF,
    EIF,
    LI,
    LIF,
    QIF,
    AdEx,
    ConductanceLIF,
    CubaLIF,
    DiehlCook,
    Discontinuous,
    EscapeLIF,
    HodgkinHuxley,
    Izhikevich,
    NoisyLIF,
)
from nbsnn.plasticity import PairSTDP, Scaling
from nbsnn.synapses import Alpha, Delta, Exponential

HIGH = {"tau": 10.0, "v_threshold": 99.0}
NEURONS = {
    "LIF": LIF(**HIGH), "LIF euler": LIF(**HIGH, decay="euler"), "LIF, scaled input": LIF(**HIGH, decay_input=True),
    "LIF refractory": LIF(**HIGH, refractory=2.0), "ALIF": ALIF(v_threshold=99.0), "IF": of.IF(v_threshold=99.0),
    "NoReset": of.NoReset(v_threshold=99.0), "PLIF": of.PLIF(20.0, 99.0), "Adaptive": of.Adaptive(v_threshold=99.0),
    "LI": LI(10.0), "LI, scaled input": LI(10.0, decay_input=True), "DiehlCook": DiehlCook(),
    "NoisyLIF": NoisyLIF(**HIGH, sigma=0.0), "NoisyLIF, scaled input": NoisyLIF(**HIGH, sigma=0.0, decay_input=True),
    "EscapeLIF": EscapeLIF(**HIGH), "EscapeLIF, scaled input": EscapeLIF(**HIGH, decay_input=True),
    "ConductanceLIF": ConductanceLIF(), "EIF": EIF(), "EIF in parts": EIF(substeps=3), "AdEx": AdEx(),
    "AdEx in parts": AdEx(substeps=3), "HodgkinHuxley": HodgkinHuxley(), "QIF": QIF(), "Izhikevich": Izhikevich(),
    "capacitances": ConductanceLIF(capacitance=np.array([100.0, 300.0])),
    "rests": LIF(**HIGH, v_rest=np.array([0.0, -3.0])),
}  # fmt: skip


def own_euler(x, v, dt, capacitance):
    """A quadratic neuron with a current in pA, by Euler's method."""
    u = v + dt / capacitance * (0.7 * (v + 60.0) * (v + 40.0) + x)
    s = spike(u - 35.0)
    return s, u * (1.0 - s) - 50.0 * s


def own_two(x, v, w, dt):
    """One whose second variable sees the current, and whose membrane does not answer in proportion."""
    u = v + dt * (x - v + 0.01 * x * x)
    s = spike(u - 5.0)
    return s, u * (1.0 - s), w + dt * x


def own_conductor(x, g, v, dt):
    u = v + dt * (x - (0.1 + g) * v)
    s = spike(u - 5.0)
    return s, u * (1.0 - s)


MS = {"params": {"dt": 1.0}, "per_step": {"dt": "dt"}}
EULER = Neuron(
    own_euler, state={"v": -60.0}, params={"dt": 1.0, "capacitance": np.array([100.0, 100.0])}, per_step={"dt": "dt"}
)
TWO = Neuron(own_two, state={"v": 0.0, "w": 0.0}, **MS)
CONDUCTOR = Neuron(own_conductor, state={"v": 0.0}, inputs=("current", "conductance"), **MS)
OWN = {
    "its current makes the jump": EULER, "named": TWO.replace(membrane="v"), "another": TWO.replace(membrane="w"),
    "a conductor": CONDUCTOR,
}  # fmt: skip


def course(neuron, weight, dt=0.1, name="v", device="python", units=2, **options):
    """A variable after each step to 2 ms; a spike arrives at 1 ms."""
    net = nbsnn.Network(dt=dt, dtype=np.float64, device=device)
    source, cells = net.spikes([0.5], [0], 1), net.population(neuron, units)
    net.connect(source, cells, nbsnn.AllToAll(), weight=weight, delay=0.5, **options)
    run = net.run(2.0, record={cells: name})
    return run[cells, name]


def jumped(neuron, dt, name="v", **options):
    """By how much a weight of 1 lets the membrane jump: before, at, and after the arrival."""
    difference = course(neuron, 1.0, dt, name, **options) - course(neuron, 0.0, dt, name, **options)
    at = round(1.0 / dt) - 1
    return difference[at - 1], difference[at], difference[at + 1]


@pytest.mark.parametrize("dt", [0.1, 0.5])
@pytest.mark.parametrize("name", NEURONS)
def test_a_delta_synapse_lets_every_membrane_jump_by_the_weight_whatever_the_step(name, dt):
    before, at, after = jumped(NEURONS[name], dt)
    np.testing.assert_array_equal(before, 0.0)
    np.testing.assert_allclose(at, 1.0, rtol=1e-9)
    assert np.all(after != 0.0)


@pytest.mark.parametrize("dt", [0.1, 0.5])
@pytest.mark.parametrize("name", OWN)
def test_the_membrane_of_an_own_neuron_jumps_by_the_weight(name, dt):
    before, at, _ = jumped(OWN[name], dt, OWN[name].membrane or "v")
    np.testing.assert_array_equal(before, 0.0)
    np.testing.assert_allclose(at, 1.0, rtol=1e-9)


@pytest.mark.parametrize(
    "options", [{"plasticity": PairSTDP(w_max=9.0)}, {"short_term": nbsnn.synapses.TsodyksMarkram(U=1.0)}, {}],
    ids=["plastic", "short-term", "plain"],
)  # fmt: skip
def test_jumps_are_the_same_along_all_kinds_of_synapses(options):
    np.testing.assert_allclose(jumped(ConductanceLIF(), 0.1, **options)[1], 1.0, rtol=1e-9)


@pytest.mark.parametrize("device", [pytest.param("cpu", marks=pytest.mark.long), "cuda"])
@pytest.mark.parametrize("name", ["ConductanceLIF", "LIF", "a conductor"])
def test_jumps_are_the_same_on_other_devices(name, device):
    neuron = (NEURONS | OWN)[name]
    options = {} if name == "a conductor" else {"synapse": Exponential(5.0, reversal=-20.0)}
    for more in ({}, options):
        np.testing.assert_allclose(course(neuron, 2.0, device=device, **more), course(neuron, 2.0, **more), rtol=1e-12)


def test_poisson_drives_jump_too():
    net = nbsnn.Network(dt=0.5, dtype=np.float64, device="python")
    cells = net.population(ConductanceLIF(capacitance=1e12, v_threshold=1e9), 300)  # a membrane that hardly leaks
    net.drive(cells, 400.0, 0.25)
    v = net.run(50.0, record={cells: "v"}, every=50.0)[cells, "v"][-1] + 60.0
    np.testing.assert_allclose(v / 0.25, np.rint(v / 0.25), atol=1e-6)  # a whole number of jumps
    assert v.mean() / 0.25 == pytest.approx(20.0, abs=4.5 * np.sqrt(20.0 / 300))


def test_a_membrane_that_is_held_does_not_jump():
    net = nbsnn.Network(dt=0.1, device="python")
    cells = [ConductanceLIF(refractory=1.0), EIF(refractory=1.0), AdEx(refractory=1.0), QIF(refractory=1.0)]
    cells = [*cells, LIF(10.0, -50.0, -60.0, v_rest=-60.0, refractory=1.0)]
    source = net.spikes([0.9, 1.4], [0, 0], 1)
    groups = [net.population(cell, 1) for cell in cells]
    for group in groups:
        net.connect(source, group, nbsnn.AllToAll(), weight=300.0)  # fires at 1.0, arrives again at 1.5
    run = net.run(3.0, record={group: ["spikes", "v"] for group in groups})
    for group, cell in zip(groups, cells, strict=True):
        assert run.spikes(group)[0].tolist() == [1.0]
        np.testing.assert_allclose(run[group, "v"][9:20], cell.params["v_reset"], rtol=1e-6)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("make", [LIF, NoisyLIF, EscapeLIF, LI])
def test_units_of_several_time_constants_are_those_of_one_and_take_no_conductance(make, scaled):
    taus = np.array([10.0, 20.0])
    options = {"decay_input": scaled, **({} if make is LI else {"v_threshold": 99.0})}
    options |= {"sigma": 0.0} if make is NoisyLIF else {}

    def membranes(tau, n):
        net = nbsnn.Network(dtype=np.float64, device="python")
        source, cells = net.spikes([1.0], [0], 1), net.population(make(tau, **options), n)
        net.connect(source, cells, nbsnn.AllToAll(), weight=2.0)
        net.connect(source, cells, nbsnn.AllToAll(), weight=3.0, synapse=Exponential(5.0))
        net.inject(cells, 0.7)
        if n > 1:
            with pytest.raises(ValueError, match="has several values of tau"):
                net.connect(source, cells, nbsnn.AllToAll(), synapse=Exponential(5.0, reversal=0.0))
        return net.run(4.0, record={cells: "v"})[cells, "v"]

    expected = np.concatenate([membranes(tau, 1) for tau in taus], axis=1)
    np.testing.assert_allclose(membranes(taus, 2), expected, rtol=1e-12)
    assert expected[9:12].max() > 2.0


def test_a_neuron_that_names_no_membrane_refuses_a_delta_synapse():
    net = nbsnn.Network(device="python")
    source, cells = net.poisson(3, 10.0), net.population(TWO, 2)
    for connect in (lambda: net.connect(source, cells, nbsnn.AllToAll()), lambda: net.drive(cells, 10.0, 1.0)):
        with pytest.raises(ValueError, match=r'does not say which variable is its membrane: Neuron.membrane="v"'):
            connect()
    assert not net.connections and not cells.ports
    with pytest.raises(ValueError, match="membrane must be a state of"):
        TWO.replace(membrane="u")


def test_a_weight_can_be_the_input_of_a_step():
    for neuron, result in ((CubaLIF(v_threshold=9.0), "i"), (TWO.replace(membrane="input"), "w")):
        change = jumped(neuron, 0.5, result)[1]
        np.testing.assert_allclose(change, 1.0 if result == "i" else 0.5)
    net = nbsnn.Network(dt=0.1, device="python")
    source = net.spikes([1.0], [0], 1)
    relay, noise = net.population(Discontinuous(), 1), net.population(of.PoissonNeuron(0.0), 1)
    net.connect(source, relay, nbsnn.AllToAll(), weight=1.0)
    net.connect(source, noise, nbsnn.AllToAll(), weight=1e4)  # Hz, for a step of 0.1 ms
    run = net.run(3.0)
    assert run.spikes(relay)[0].tolist() == run.spikes(noise)[0].tolist() == [1.1]


def test_a_population_of_a_training_network_is_fed_no_jump():
    x = np.full((50, 1, 1), 300.0)
    run = nbsnn.Population(ConductanceLIF(), 1, dt=0.5, dtype=np.float64, device="python").run(x)
    v = -60.0 + 30.0 * (1.0 - np.exp(-0.5 / 20.0))
    assert run["v"][0, 0, 0] == pytest.approx(v, rel=1e-12)


# Conductances.

REST = {"tau": 20.0, "v_rest": -60.0, "v_threshold": 50.0, "v_reset": -60.0}


def own_leak(x, v, decay, rest):
    """A leaky neuron of one's own that names no leak; its conductances are in units of its input per mV."""
    u = rest + decay * (v - rest) + x
    s = spike(u - 50.0)
    return s, (1.0 - s) * u + s * rest


CONDUCT = {
    "LIF": LIF(**REST), "euler": LIF(**REST, decay="euler"), "scaled input": LIF(**REST, decay_input=True),
    "refractory": LIF(**REST, refractory=2.0), "ALIF": ALIF(**REST), "NoisyLIF": NoisyLIF(**REST, sigma=0.0),
    "EscapeLIF": EscapeLIF(**REST), "DiehlCook": DiehlCook(**REST), "LI": LI(20.0, v_rest=-60.0),
    "rests": LIF(20.0, 50.0, -60.0, v_rest=np.array([-60.0, -70.0])), "no memory": LIF(1e-4, 50.0, v_rest=-60.0),
    "own": Neuron(own_leak, state={"v": -60.0}, params={"decay": 20.0, "rest": -60.0}, per_step={"decay": "exp"}),
    "QIF": QIF(v_critical=20.0, k=0.05), "ConductanceLIF": ConductanceLIF(v_threshold=50.0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", CONDUCT)
def test_no_conductance_takes_a_membrane_beyond_its_reversal_potential(name, dtype):
    for dt, weight, reversal in ((0.1, 2e3, -80.0), (1.0, 20.0, -80.0), (1.0, 1e6, 0.0), (5.0, 1.0, -80.0)):
        net = nbsnn.Network(dt=dt, device="python", dtype=dtype)
        source, cells = net.spikes(np.arange(1, 5) * 5.0, np.zeros(4, int), 1), net.population(CONDUCT[name], 2)
        net.connect(source, cells, nbsnn.AllToAll(), weight=weight, synapse=Alpha(3.0, reversal=reversal))
        v = net.run(30.0, record={cells: "v"})[cells, "v"]
        lowest = np.broadcast_to([-60.0, -70.0] if name == "rests" else -60.0, 2)
        slack = 3e-4 if dtype == np.float32 else 1e-9
        assert np.all(v >= np.minimum(lowest, reversal) - slack)
        assert np.all(v <= np.maximum(lowest, reversal) + slack)
        assert np.ptp(v) > 1.0


@pytest.mark.parametrize("name", ["LIF", "euler", "scaled input", "ALIF", "NoisyLIF", "EscapeLIF", "LI", "rests"])
@pytest.mark.parametrize("weight", [0.05, 3.0])
def test_conductances_follow_their_equation(name, weight):
    """Two at once and a current, in units of the leak: 20 ms dv/dt = rest - v + g (E - v) + h (F - v) + I."""
    dt = 0.1
    net = nbsnn.Network(dt=dt, device="python", dtype=np.float64)
    source, cells = net.spikes([1.0], [0], 1), net.population(CONDUCT[name], 2)
    net.connect(source, cells, nbsnn.AllToAll(), weight=weight, synapse=Exponential(5.0, reversal=0.0))
    net.connect(source, cells, nbsnn.AllToAll(), weight=weight, delay=2.1, synapse=Exponential(5.0, reversal=-80.0))
    net.connect(source, cells, nbsnn.AllToAll(), weight=1.5, delay=1.1)  # a jump as well, at 2.1 ms
    net.inject(cells, 4.0)
    run = net.run(20.0, record={cells: "v"})
    for unit, rest in enumerate((-60.0, -70.0 if name == "rests" else -60.0)):

        def slope(t, v, rest=rest):
            g = weight * np.exp(-np.maximum(t - 1.1, 0.0) / 5.0) * (t > 1.1)
            h = weight * np.exp(-np.maximum(t - 3.1, 0.0) / 5.0) * (t > 3.1)
            return (rest - v + g * (0.0 - v) + h * (-80.0 - v) + 4.0) / 20.0

        v, exact = np.array([rest]), []
        for a, z in ((0.0, 1.1), (1.1, 2.1), (2.1, 3.1), (3.1, 20.0)):
            inside = run.times[(run.times > a + 1e-9) & (run.times < z + 1e-9)]
            solved = solve_ivp(slope, (a, z), v, t_eval=inside, rtol=1e-10, atol=1e-10).y
            v = solved[:, -1] + (1.5 if z == 2.1 else 0.0)
            exact += [*solved[0, :-1], v[0]]
        swing = 5e-3 if name != "euler" else 0.05  # a conductance that changes is taken as its mean over a step
        np.testing.assert_allclose(run[cells, "v"][:, unit], exact, atol=swing)


def test_a_conductance_onto_a_neuron_that_cannot_take_it_is_refused():
    net = nbsnn.Network(device="python")
    source = net.poisson(3, 10.0)
    for neuron in (TWO, EULER, CubaLIF(), Discontinuous()):
        with pytest.raises(ValueError, match=r"is a conductance, which .* does not take"):
            net.connect(source, net.population(neuron, 2), nbsnn.AllToAll(), synapse=Exponential(5.0, reversal=0.0))
    with pytest.raises(ValueError, match="has no course in time"):
        Delta().conductance(-80.0)


def test_inhibition_makes_no_spikes_in_izhikevich_neurons():
    for dt, current in ((1.0, -300.0), (1.0, -1e4), (0.5, -1e3), (0.1, -1e5)):
        net = nbsnn.Network(dt=dt, device="python")
        cells = net.population(Izhikevich(), 1)
        net.inject(cells, np.full((round(5.0 / dt), 1), current), start=5.0)
        run = net.run(10.0, record={cells: ["v", "spikes"]})
        assert not len(run.spikes(cells)[0]) and run[cells, "v"].max() < -60.0


@pytest.mark.parametrize("current", [-1e7, -1e5, 1e7])
def test_hodgkin_huxley_neurons_come_back_from_far_away(current):
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(HodgkinHuxley(), 1)
    net.inject(cells, np.full((50, 1), current), start=1.0)
    run = net.run(30.0, record={cells: ["v", "m", "h", "n"]})
    for gate in "mhn":
        assert np.all((run[cells, gate] >= 0.0) & (run[cells, gate] <= 1.0 + 1e-6))
    v = run[cells, "v"][:, 0]
    assert np.abs(v).max() > 500.0
    if current < 0.0:  # all channels are shut but the leak, of 20 ms
        np.testing.assert_allclose(v[-1] + 60.0, (v[60] + 60.0) * np.exp(-23.9 / 20.0), rtol=1e-3)


# Readouts.


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_a_readout_is_followed_and_emits_no_spikes(device):
    net = nbsnn.Network(dt=0.5, dtype=np.float64, device=device)
    source, readout = net.spikes([1.0], [0], 1), net.population(LI(10.0), 2, name="readout")
    net.connect(source, readout, nbsnn.AllToAll(), weight=3.0)
    run = net.run(5.0, record={readout: "v", source: "spikes"})
    arrived = run.times - 1.5
    np.testing.assert_allclose(
        run[readout, "v"][:, 0], np.where(arrived > -1e-9, 3.0 * np.exp(-arrived / 10.0), 0.0), rtol=1e-12
    )
    assert len(net.run(5.0).spikes()[0]) == 0 and len(run.spikes(source)[0]) == 1


def test_a_readout_has_no_spikes_for_others():
    net = nbsnn.Network(device="python")
    readout, cells = net.population(LI(), 2), net.population(LIF(), 2)
    calls = [
        lambda: net.connect(readout, cells, nbsnn.AllToAll()),
        lambda: net.connect(readout[:1], cells, nbsnn.AllToAll()),
        lambda: net.connect(cells, readout, nbsnn.AllToAll(), plasticity=PairSTDP()),
        lambda: net.connect(cells, readout, nbsnn.AllToAll(), homeostasis=Scaling(5.0, 10.0)),
        lambda: net.run(1.0, record={readout: "spikes"}),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(ValueError, match="is a readout"):
            call()


@pytest.mark.parametrize("dt", [0.1, 1.0])
@pytest.mark.parametrize("make", [LIF, LI, NoisyLIF, EscapeLIF])
@pytest.mark.parametrize("scaled", [False, True])
def test_a_current_holds_a_membrane_above_rest_by_itself_whatever_the_step(make, dt, scaled):
    options = {} if make is LI else {"v_threshold": 99.0}
    options |= {"sigma": 0.0} if make is NoisyLIF else {}
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
    cells = net.population(make(10.0, **options, decay_input=scaled), 1)
    net.inject(cells, 5.0)
    v = net.run(30.0, record={cells: "v"})[cells, "v"][-1, 0]
    assert v == pytest.approx(5.0 * (1.0 - np.exp(-3.0)), rel=1e-9)


# What is not finite.


def small(**options):
    net = nbsnn.Network(dt=0.5, device="python", **options)
    source, cells = net.poisson(4, 100.0, name="source"), net.population(LIF(tau=10.0), 3, name="cells")
    weight = nbsnn.values.Uniform(0.1, 0.2)
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=weight, synapse=Exponential(5.0), name="wires")
    net.build()
    return net, cells, made


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_run_does_not_begin_with_what_is_not_finite(value):
    net, cells, _ = small()
    cells["v"][1] = value
    with pytest.raises(ValueError, match=f"v of cells is {value} in unit 1: a run cannot begin"):
        net.run(5.0)
    assert net.time == 0.0
    net, cells, _ = small()
    net.run(5.0)
    cells["exponential.y"][:2] = value
    with pytest.raises(ValueError, match=f"exponential.y of cells is {value} in unit 0, the first of 2: a run"):
        net.run(5.0)
    net, _, made = small()
    made.weight[7] = value
    with pytest.raises(ValueError, match=f"the weight of wires is {value} in synapse 7: a run"):
        net.run(5.0)


def grows(x, v):
    u = 2.0 * v + x
    return spike(u - 1e39), u


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_a_state_that_leaves_the_range_of_numbers_ends_the_run(device):
    net = nbsnn.Network(dt=0.5, device=device)
    cells = net.population(Neuron(grows, state={"v": 0.0}), 3, name="cells")
    net.inject(cells, np.array([0.0, 0.0, 1.0]))
    with np.errstate(over="ignore"):
        net.run(50.0)
        with pytest.raises(ValueError, match=r"v of cells is inf in unit 2 at 82 ms; at 50 ms all were finite"):
            net.run(500.0)  # 2^128 at 64 ms
        with pytest.raises(ValueError, match="a run cannot begin there"):
            net.run(1.0)
        net.reset()
        with pytest.raises(ValueError, match="v of cells is inf in unit 2 at"):
            net.run(500.0, callback=lambda network: None)


def test_weights_that_learn_beyond_the_range_of_numbers_end_the_run():
    def change(w, pre, post):
        return 0.0, w * w * pre

    rule = nbsnn.plasticity.Rule(change, bounds="none")
    net = nbsnn.Network(dt=1.0, device="python")
    source, cells = net.spikes(np.arange(1.0, 9.0), np.zeros(8, int), 1), net.population(ConductanceLIF(), 1)
    net.connect(source, cells, nbsnn.AllToAll(), weight=2.0, plasticity=rule, name="wires")
    with (
        np.errstate(over="ignore", invalid="ignore"),
        pytest.raises(ValueError, match="the weight of wires is inf in synapse 0 at 9 ms"),
    ):
        net.run(9.0)


def test_a_population_that_leaves_the_range_of_numbers_says_so():
    net = nbsnn.Sequential(nbsnn.Dense(1, 2), Neuron(grows, state={"v": 0.0}), device="python", seed=0)
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="neuron1/v at the end of the run contains 2 NaN"):
        net.run(np.ones((200, 1, 1)))


# The order of a step, as ``Network`` states it.


def arrivals(neuron, times, weight, *, dt=0.1, until=3.0, **options):
    """Spike times and membrane of a neuron at which spikes arrive at ``times``."""
    net = nbsnn.Network(dt=dt, dtype=np.float64, device="python")
    source = net.spikes(np.array(times) - dt, np.zeros(len(times), int), 1)
    cells = net.population(neuron, 1)
    made = net.connect(source, cells, nbsnn.AllToAll(), weight=weight, delay=dt, **options)
    run = net.run(until, record={cells: ["spikes", "v"]})
    return run.spikes(cells)[0].tolist(), run[cells, "v"][:, 0], made


FIRES = {"LIF": LIF(20.0), "ConductanceLIF": ConductanceLIF(200.0, 10.0, 0.0, 1.0, 0.0, 0.0), "QIF": QIF()}


@pytest.mark.parametrize("name", FIRES)
def test_a_jump_fires_in_the_step_that_ends_with_its_arrival_and_the_record_shows_the_reset(name):
    times, v, _ = arrivals(FIRES[name], [1.0], 200.0)
    assert times == [1.0]
    assert v[9] == FIRES[name].params["v_reset"]  # the record of 1.0 ms


def test_a_jump_comes_after_the_leak_and_before_the_threshold():
    decay = np.exp(-0.1 / 20.0)
    _, v, _ = arrivals(LIF(20.0, 99.0), [1.0, 1.1], 0.5)
    np.testing.assert_allclose(v[8:12], [0.0, 0.5, 0.5 * decay + 0.5, (0.5 * decay + 0.5) * decay], rtol=1e-12)
    assert arrivals(LIF(20.0, 1.0), [1.0, 1.1], 0.5)[0] == []  # 0.5 has leaked when the next comes
    assert arrivals(LIF(20.0, 0.5 * decay + 0.5), [1.0, 1.1], 0.5)[0] == [1.1]  # which was at the threshold for a step


def test_a_course_in_time_begins_at_its_arrival_and_acts_from_the_next_step_on():
    _, v, _ = arrivals(LIF(20.0, 99.0), [1.0], 1.0, synapse=Exponential(5.0))
    share = (np.exp(-0.1 / 5.0) - np.exp(-0.1 / 20.0)) * 5.0 / (5.0 - 20.0)
    np.testing.assert_allclose(v[8:11], [0.0, 0.0, share], rtol=1e-9)


@pytest.mark.parametrize("make", [LIF, ConductanceLIF, NoisyLIF])
def test_the_refractory_period_ends_with_its_edge(make):
    options = {"v_rest": 0.0, "v_threshold": 1.0, "v_reset": 0.0, "refractory": 1.0}
    options |= {"sigma": 0.0} if make is NoisyLIF else {}
    for second, expected in ((2.1, [1.0]), (2.0, [1.0]), (1.9, [1.0])):
        times, _, _ = arrivals(make(**options), [1.0, second], 2.0)
        assert times == ([*expected, 2.1] if second == 2.1 else expected)


def test_plasticity_comes_last_and_a_new_weight_is_that_of_later_arrivals():
    rule = nbsnn.plasticity.Rule(lambda w, pre, post: (post, pre), bounds="none")
    _, v, made = arrivals(LIF(20.0, 99.0), [1.0, 1.1], 2.0, plasticity=rule, until=1.2)
    decay = np.exp(-0.1 / 20.0)
    np.testing.assert_allclose(v[[9, 10]], [2.0, 2.0 * decay + 3.0], rtol=1e-12)
    assert made.weight[0] == 4.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("x", "n"), [(0.02, 50), (0.1, 10), (0.25, 4), (0.0625, 16)])
def test_thresholds_are_compared_without_tolerance(x, n, dtype):
    run = nbsnn.Population(of.IF(), 1, dtype=dtype, device="python").run(np.full((n + 1, 1, 1), x))
    total = dtype(0.0)
    for _ in range(n):
        total += dtype(x)
    first = int(np.flatnonzero(run["spikes"].ravel())[0]) + 1
    assert first == (n if total >= 1.0 else n + 1)
    assert x not in (0.25, 0.0625) or first == n  # sums of powers of 2 are exact
    ramp = (np.arange(8) * 0.25).astype(dtype).reshape(8, 1, 1)
    assert nbsnn.encode.delta(T=8, threshold=0.25)(ramp)[:, 0, 0].sum() == 7.0
