"""Rules that see membranes: against plain NumPy, in pieces, on threads, from a state, and where they do not run."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import nbsnn
from nbsnn.neurons import LIF, ClopathAdEx, clopath_adex
from nbsnn.plasticity import Clopath, LowPass, MembraneRule, Normalize, PairSTDP, Plastic, Trace, window
from nbsnn.synapses import Exponential

DT = 0.1


def change(w, pre, post, x, a, y, v, u, rate, theta):
    return rate * post * x * (u - a), -rate * pre * (v + y)


def drift(w, x, a, y, v, u, rate, theta):
    return rate * (x + a) * max(u - theta, 0.0) * (1.0 - w)


def active(y, v, u, rate, theta):
    return u > theta


def seen(**options):
    options = {"drift": drift, "active": active, "w_min": 0.2, "w_max": 0.501, **options}
    return MembraneRule(
        change, {"x": Trace(8.0), "a": LowPass("v", 3.0, delay=0.2)},
        {"y": Trace(4.0, order="decay use add"), "v": LowPass("v"), "u": LowPass("v", 5.0, delay=0.4)},
        {"rate": 0.01, "theta": 0.2}, **options,
    )  # fmt: skip


def learner(rule, delay=0.3, device="python", synapse=None, **options):
    net = nbsnn.Network(dt=DT, dtype=np.float64, seed=3, device=device, **options)
    cells = net.population(LIF(tau=5.0, v_rest=0.1), 3, name="cells", v=[0.3, 0.5, 0.7])
    others = net.population(LIF(tau=9.0), 4, name="others", v=0.2)
    net.inject(cells, [2.2, 1.6, 0.6])
    net.inject(others, [2.3, 1.9, 1.6, 0.5])
    made = net.connect(
        cells, others, nbsnn.AllToAll(), weight=np.linspace(0.3, 0.5, 12), delay=delay, synapse=synapse,
        plasticity=rule, name="made",
    )  # fmt: skip
    return net, cells, others, made


def oracle(run, cells, others, delays, steps):
    """Weights after each step, from recorded membranes and spikes, synapse by synapse."""
    v = {group: run[group, "v"] for group in (cells, others)}
    fired = {group: np.zeros((steps, group.n)) for group in (cells, others)}
    for group, spikes in fired.items():
        times, units = run.spikes(group)
        spikes[np.rint(times / DT).astype(int) - 1, units] = 1.0

    def low_pass(values, tau, late):
        u = [values[0]]
        for each in values:
            u.append(each + (u[-1] - each) * (np.exp(-DT / tau) if tau else 0.0))
        return np.array([u[max(t - late, 0) + (t >= late)] for t in range(steps)])

    ws = np.empty((steps, 12))
    for k, w in enumerate(np.linspace(0.3, 0.5, 12)):
        i, j, late = k // 4, k % 4, round(delays[k] / DT)
        a, (plain, u) = (
            low_pass(v[cells][:, i], 3.0, 2 + late),
            (low_pass(v[others][:, j], *p) for p in ((0.0, 0), (5.0, 4))),
        )
        x = y = 0.0
        for t in range(steps):
            pre, post = fired[cells][t - late, i] if t >= late else 0.0, fired[others][t, j]
            x, y = x * np.exp(-DT / 8.0) + pre, y * np.exp(-DT / 4.0)
            if u[t] > 0.2:
                w = np.clip(w + DT * drift(w, x, a[t], y, plain[t], u[t], 0.01, 0.2), 0.2, 0.501)
            if pre or post:
                w = np.clip(w + sum(change(w, pre, post, x, a[t], y, plain[t], u[t], 0.01, 0.2)), 0.2, 0.501)
            y += post
            ws[t, k] = w
    return ws


@pytest.mark.parametrize("delay", [0.1, 0.3, np.tile([0.2, 0.5, 0.3], 4)], ids=["a step", "three", "their own"])
@pytest.mark.parametrize("synapse", [None, Exponential(3.0)], ids=["delta", "exponential"])
def test_variables_of_both_sides_and_drift_are_those_of_plain_numpy(delay, synapse):
    net, cells, others, made = learner(seen(), delay, synapse=synapse)
    run = net.run(12.0, record={cells: ["v", "spikes"], others: ["v", "spikes"], made: "weight"}, every=DT)
    wanted = oracle(run, cells, others, np.broadcast_to(delay, 12), 120)
    assert len(run.spikes(cells)[0]) > 3 < len(run.spikes(others)[0])
    assert wanted.max() == 0.501 and wanted.min() < 0.3  # a bound is met, and both signs
    np.testing.assert_allclose(run[made, "weight"], wanted, rtol=1e-12)


def test_weights_drift_onto_all_units_unless_the_rule_says_where():
    weights = []
    for options in {}, {"active": None}:
        net, *_, made = learner(seen(**options))
        net.run(10.0)
        weights.append(made.weight.copy())
    np.testing.assert_array_equal(*weights)  # where it is not active the drift is 0


def test_variables_of_a_rule_can_be_recorded_and_rest_in_a_state():
    net, _, others, made = learner(seen())
    net.run(3.0)
    kept = net.state()
    first = net.run(5.0, record={others: "v", made: {"u": [0, 1], "v": None, "weight": None}}, every=DT)
    np.testing.assert_array_equal(first[made, "v"][:, :4], first[others, "v"])
    u = first[made, "u"]
    after = first[others, "v"][1:, :2]
    np.testing.assert_allclose(u[1:], after + (u[:-1] - after) * np.exp(-DT / 5.0), rtol=1e-12)
    net.restore(kept)
    again = net.run(5.0, record={made: "weight"}, every=DT)
    np.testing.assert_array_equal(again[made, "weight"], first[made, "weight"])
    net.reset()
    made.weight = np.linspace(0.3, 0.5, 12)
    net.run(3.0)
    np.testing.assert_array_equal(net.state().arrays["traces"], kept.arrays["traces"])


def test_a_connection_made_between_runs_begins_with_the_membrane_of_then():
    net, cells, others, made = learner(seen())
    alone, *_, same = learner(seen())
    for each in net, alone:
        each.run(3.0)
    idle = MembraneRule(lambda w, pre, post, u: (0.0, 0.0), post={"u": LowPass("v", 5.0, delay=0.4)})
    late = net.connect(cells, others, nbsnn.AllToAll(), weight=0.0, plasticity=idle)
    run = net.run(2.0, record={late: {"u": [0, 1]}, others: "v"}, every=DT)
    np.testing.assert_array_equal(run[late, "u"][0], run[others, "v"][0, :2])
    alone.run(2.0)
    np.testing.assert_array_equal(made.weight, same.weight)


def test_a_pause_of_learning_keeps_weights_and_goes_on_with_averages():
    still, _, _, made = learner(seen())
    made.learning = False
    before = made.weight.copy()
    still.run(4.0)
    np.testing.assert_array_equal(made.weight, before)
    made.learning = True
    still.run(4.0)
    assert not np.array_equal(made.weight, before)


def voltage(device, pieces=(30.0,)):
    """Random input onto cells whose synapses learn by the rule of Clopath."""
    net = nbsnn.Network(dt=DT, dtype=np.float64, seed=2, device=device)
    source, cells = net.poisson(12, 80.0), net.population(ClopathAdEx(), 7)
    rule = Clopath(1e-3, 1e-3, u_ref=70.6, w_max=30.0, dendrite=0.2)
    learned = net.connect(source, cells, nbsnn.AllToAll(), weight=12.0, delay=0.5, plasticity=rule)
    for piece in pieces:
        net.run(piece)
    return learned.weight.copy(), net.state().arrays["traces"]


def test_pieces_give_the_same_bits():
    whole, traces = voltage("python")
    for found, wanted in zip(voltage("python", (0.4, 17.3, 12.3)), (whole, traces), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert np.ptp(whole) > 0.1


@pytest.mark.long
def test_threads_and_the_compiler_give_the_same_bits(monkeypatch):
    monkeypatch.setattr("nbsnn.network.loop.SHARE", 1)
    wanted = voltage("python")
    for threads in 1, 2, 3:
        nbsnn.set_threads(threads)
        for pieces in (30.0,), (0.4, 17.3, 12.3):
            for found, right in zip(voltage("cpu", pieces), wanted, strict=True):
                np.testing.assert_array_equal(found, right)


def test_what_it_cannot_do_is_refused_by_name():
    rule, w, one = seen(), np.full((1, 1), 0.5), np.ones((1, 1, 1))
    for wrong in (
        lambda: rule.run(w, one, one), lambda: window(rule),
        lambda: Plastic(nbsnn.Dense(2, 3, bias=False), LIF(), rule),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="MembraneRule reads neurons between spikes"):
            wrong()
    with pytest.raises(NotImplementedError, match='MembraneRule reads neurons between spikes: it runs on device="cpu"'):
        learner(rule, device="cuda")
    with pytest.raises(ValueError, match="normalises at intervals alone"):
        seen(normalize=Normalize(3.0, "every"))
    with pytest.raises(ValueError, match="active says where weights drift"):
        seen(drift=None)
    with pytest.raises(TypeError, match=r"drift must be a function.*called with 8 arguments"):
        seen(drift=lambda w, x: 0.0)
    with pytest.raises(TypeError, match=r"active must be a function.*called with 5 arguments"):
        seen(active=lambda v: True)
    with pytest.raises(TypeError, match="trace y must be a Trace, not LowPass"):
        PairSTDP().replace(post={"y": LowPass("v")})
    with pytest.raises(TypeError, match="trace y must be a Trace or a LowPass, not 3"):
        seen().replace(post={"y": 3})


def test_variables_that_there_are_not_and_times_between_steps_are_refused_at_the_call():
    net = nbsnn.Network(dt=DT, device="python")
    source, cells = net.poisson(3, 100.0), net.population(LIF(), 2, name="cells")

    def connect(**of):
        rule = MembraneRule(lambda w, pre, post, u: (0.0, -u * pre), **of)
        net.connect(source, cells, nbsnn.AllToAll(), weight=0.5, plasticity=rule)

    with pytest.raises(ValueError, match="reads 'w', and cells has"):
        connect(post={"u": LowPass("w")})
    with pytest.raises(ValueError, match="reads 'v', and"):
        connect(pre={"u": LowPass("v")})
    with pytest.raises(ValueError, match=r"delay of LowPass.* must be a whole number of steps"):
        connect(post={"u": LowPass("v", 3.0, delay=0.25)})
    for wrong in {"tau": -1.0}, {"tau": np.nan}, {"delay": -0.1}, {"tau": None}:
        with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
            LowPass("v", **wrong)
    assert not net.connections


@pytest.mark.parametrize(("u_ref", "factor"), [(None, 1.0), (50.0, (60.0 / 50.0) ** 2)])
def test_the_rule_of_clopath_has_its_equations(u_ref, factor):
    rule = Clopath(a_ltd=2e-4, u_ref=u_ref)
    at = {"x": 0.1, "v": 20.0, "u_plus": -60.0, "u_minus": -65.0, "u_mean": -60.0, **rule.params}
    assert list(at) == [*rule.pre, *rule.post, *rule.params]
    assert rule.drift(0.5, *at.values()) == pytest.approx(8e-5 * 0.1 * (20.0 + 45.3) * (-60.0 + 70.6))
    assert rule.change(0.5, 1.0, 0.0, *at.values()) == (0.0, pytest.approx(-2e-4 * factor * (-65.0 + 70.6)))
    for name, low in ("v", -50.0), ("u_plus", -71.0), ("x", 0.0):
        assert rule.active(*list({**at, name: low}.values())[1:]) == (name == "x")
    assert rule.change(0.5, 1.0, 0.0, *{**at, "u_minus": -71.0}.values())[1] == 0.0


def clopath_step(**options):
    """One step of 0.1 ms of ``ClopathAdEx`` of this state: spike, v, w, z, theta, left."""
    neuron = ClopathAdEx()
    state = {**neuron.state, "w": 5.0, "z": 50.0, "theta": -45.0, **options}
    jump = state.pop("jump", 0.0)
    values = {**{k: float(v) for k, v in neuron.params.items()}, "dt": DT}
    values |= {"lasts": 2.0 / DT, "tau_z": np.exp(-DT / 40.0), "tau_theta": np.exp(-DT / 50.0)}
    return clopath_adex.step(100.0, 0.0, jump, *map(float, state.values()), *values.values())


def test_the_neuron_of_clopath_follows_its_equations_between_spikes():
    def slopes(t, y):
        v, w, z, theta = y
        current = 30.0 * (-70.6 - v) + 30.0 * 2.0 * np.exp((v - theta) / 2.0) - w + z + 100.0
        return [current / 281.0, (4.0 * (v + 70.6) - w) / 144.0, -z / 40.0, (-50.4 - theta) / 50.0]

    for left in (0.0, 0.4, 0.5):  # a spike ends with the step that is nearest
        wanted = solve_ivp(slopes, (0.0, DT), [-60.0, 5.0, 50.0, -45.0], rtol=1e-10, atol=1e-10).y[:, -1]
        fired, *found, after = clopath_step(v=-60.0, left=left)
        assert (fired, after) == (0.0, 0.0)
        np.testing.assert_allclose(found, wanted, rtol=3e-5)


def test_a_spike_of_the_neuron_of_clopath_lasts():
    w = 4.0 * (20.0 + 70.6) + (5.0 - 4.0 * (20.0 + 70.6)) * np.exp(-0.5 * DT / 144.0) + 0.0805
    after = [w, 400.0 * np.exp(-DT / 40.0), -50.4 + (30.4 + 50.4) * np.exp(-DT / 50.0)]
    fired, v, *found, left = clopath_step(v=20.0)
    assert (fired, v) == (1.0, 33.0) and 19.0 < left < 20.0  # it began inside the step
    np.testing.assert_allclose(found, after, rtol=1e-12)
    fired, v, *_, left = clopath_step(v=-60.0, jump=200.0)
    assert (fired, v, left) == (1.0, 33.0, 20.0)  # what arrives, arrives at the end
    for before, ends in ((1.6, 33.0), (1.2, -49.6)):
        fired, v, w, z, theta, left = clopath_step(v=33.0, left=before)
        assert (fired, v, w) == (0.0, ends, 5.0) and left == pytest.approx(before - 1.0)
        assert (z, theta) == pytest.approx((50.0 * np.exp(-DT / 40.0), -50.4 + 5.4 * np.exp(-DT / 50.0)))
