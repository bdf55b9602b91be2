"""Inputs and parameters that are set, replaced and removed between runs and in callbacks; callbacks with intervals."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import EIF, LIF, AdEx, ConductanceLIF, Izhikevich
from nbsnn.synapses import Exponential

TAU = 10.0


def cell(device="python", **options):
    """Cells that never spike, whose membrane goes to the current: exactly, in steps."""
    net = nbsnn.Network(dt=0.5, dtype=np.float64, device=device)
    return net, net.population(LIF(TAU, 1e9), 2, name="cells", **options)


def membrane(net, group, currents):
    """The membrane after each step, by hand, from the present one on."""
    v, rows = group["v"].copy(), []
    for x in currents:
        v = np.asarray(x) + (v - x) * np.exp(-net.dt / TAU)
        rows.append(v)
    return np.array(rows)


def test_a_current_is_set_replaced_and_removed_between_runs():
    net, cells = cell()
    current = net.inject(cells, 1.0)
    for change, expected in (
        (lambda: None, [1.0, 1.0]),
        (lambda: current.set(2.5), [2.5, 2.5]),
        (lambda: current.set([0.5, -1.0]), [0.5, -1.0]),
        (lambda: current.set([[1.0], [2.0], [3.0]], start=net.time), None),
        (current.remove, [0.0, 0.0]),
    ):
        change()
        rows = [expected] * 4 if expected else [[1.0] * 2, [2.0] * 2, [3.0] * 2, [0.0] * 2]
        wanted = membrane(net, cells, rows)
        np.testing.assert_allclose(net.run(2.0, record={cells: "v"})[cells, "v"], wanted, rtol=1e-12)
    with pytest.raises(ValueError, match="has been removed"):
        current.set(1.0)
    with pytest.raises(ValueError, match="has been removed"):
        current.remove()


@pytest.mark.parametrize("device", ["python", "cuda", pytest.param("cpu", marks=pytest.mark.long)])
def test_a_current_that_comes_after_the_network_was_built_flows(device):
    net, cells = cell(device)
    net.run(1.0)
    net.inject(cells, lambda t: np.array([t, 2.0 * t]), start=2.0, stop=4.0)
    t = np.array([1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.25, 4.75])
    x = np.where((t > 2.0) & (t < 4.0), t, 0.0)[:, None] * [1.0, 2.0]
    wanted = membrane(net, cells, x)
    np.testing.assert_allclose(net.run(4.0, record={cells: "v"})[cells, "v"], wanted, rtol=1e-12)


def test_a_function_of_time_is_sampled_in_the_middle_of_its_rows_however_a_run_is_cut():
    runs = []
    for pieces in ([12.0], [0.5, 3.5, 6.0, 2.0]):
        net, cells = cell()
        net.inject(cells, lambda t: np.sin(t), every=1.5, start=1.0, stop=9.0)
        runs.append(np.concatenate([net.run(d, record={cells: "v"})[cells, "v"] for d in pieces]))
    np.testing.assert_array_equal(*runs)
    net, cells = cell()
    steps = np.arange(24)
    x = np.where((steps >= 2) & (steps < 18), np.sin(1.0 + ((steps - 2) // 3 + 0.5) * 1.5), 0.0)
    np.testing.assert_allclose(runs[0], membrane(net, cells, x[:, None] * [1.0, 1.0]), rtol=1e-12)


def test_a_current_set_in_a_callback_flows_from_the_next_step_on():
    net, cells = cell()
    current = net.inject(cells, 0.0)
    wanted = membrane(net, cells, np.arange(8)[:, None] * [1.0, 1.0])
    run = net.run(4.0, record={cells: "v"}, callback=lambda net: current.set(net.time / net.dt))
    np.testing.assert_allclose(run[cells, "v"], wanted, rtol=1e-12)
    added = []
    run = net.run(2.0, callback={lambda net: added.append(net.inject(cells, 1.0)): 1.0})
    assert len(cells.currents) == 1 + len(added) == 3


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_rates_of_poisson_units_are_set_between_runs(device):
    net = nbsnn.Network(dt=0.5, seed=3, device=device)
    units = net.poisson(40, 100.0)

    def counted(duration):
        return np.bincount(net.run(duration).spikes(units)[1], minlength=40)

    for rate in (400.0, 0.0, np.linspace(0.0, 1500.0, 40)):
        units.rate = rate
        np.testing.assert_array_equal(units.rate, np.broadcast_to(rate, 40))
        found, expected = counted(50.0), np.broadcast_to(rate, 40) * 0.05
        assert abs(found - expected).max() <= 5.0 * np.sqrt(expected.max()) + 1e-9
    units.set_rate([[2000.0], [0.0]], every=10.0, start=net.time + 5.0)
    run = net.run(40.0)
    times = run.spikes(units)[0] - run.start
    assert len(times) == 20 * 40 and times.min() == 5.5 and times.max() == 15.0
    units.rate = lambda t: 2000.0 * (t % 4.0 < 2.0)
    run = net.run(8.0)
    assert sorted(set(np.mod(run.spikes(units)[0], 4.0))) == [0.5, 1.0, 1.5, 2.0]
    units.rate = 0.0
    assert not counted(20.0).any()
    with pytest.raises(ValueError, match="at most one per step"):
        units.rate = 2001.0
    with pytest.raises(AttributeError, match="no Poisson units"):
        _ = net.spikes if False else nbsnn.Network().population(LIF(), 1).rate


def test_a_poisson_rate_that_is_set_gives_the_spikes_of_one_that_was_given():
    given, later = (nbsnn.Network(dt=0.5, seed=3, device="python") for _ in range(2))
    a, b = given.poisson(30, 300.0, name="p"), later.poisson(30, 10.0, name="p")
    b.rate = 300.0
    np.testing.assert_array_equal(given.run(50.0).spikes(a), later.run(50.0).spikes(b))


@pytest.mark.parametrize("device", ["python", "cuda"])
def test_lists_of_spikes_are_replaced_and_added_to(device):
    net = nbsnn.Network(dt=0.5, device=device)
    a, b = net.spikes([1.0], [0], 2), net.spikes([1.0, 6.0], [1, 0], 2)
    assert net.run(2.0).spikes()[0].tolist() == [1.0, 1.0]
    a.set_spikes([4.0, 3.0], [1, 0])
    run = net.run(2.0)
    assert [part.tolist() for part in run.spikes(a)] == [[3.0, 4.0], [0, 1]]
    b.set_spikes([5.0, 7.5], [0, 1], add=True)
    run = net.run(4.0)
    assert [part.tolist() for part in run.spikes(b)] == [[5.0, 6.0, 7.5], [0, 0, 1]]
    seen = []

    def echo(net, since):
        seen.extend(since.spikes(b)[0].tolist())
        if len(seen) < 4:
            b.set_spikes([net.time + 1.0], [0])

    b.set_spikes([net.time + 1.0], [0])
    net.run(6.0, callback={echo: 1.0})
    assert seen == [9.0, 10.0, 11.0, 12.0]
    with pytest.raises(ValueError, match="two spikes in the step"):
        b.set_spikes([20.0, 20.0], [0, 0])


def test_drives_are_set_and_removed_between_runs():
    net = nbsnn.Network(dt=0.5, seed=5, dtype=np.float64, device="python")
    cells = net.population(LIF(TAU, 1e9), 400)
    drive = net.drive(cells, 400.0, 0.5)  # 0.2 events in a step

    def mean_input(duration):
        before = cells["v"].copy()
        v = net.run(duration, record={cells: "v"})[cells, "v"]
        before = np.concatenate([before[None], v[:-1]])
        return (v - before * np.exp(-0.05)).mean(axis=1)

    assert mean_input(20.0).mean() == pytest.approx(0.1, abs=0.01)
    drive.set(rate=1000.0)
    assert mean_input(20.0).mean() == pytest.approx(0.25, abs=0.02)
    drive.set(weight=-1.0)
    assert mean_input(20.0).mean() == pytest.approx(-0.5, abs=0.03)
    drive.set(rate=lambda t: 1000.0 * (t < 70.0), weight=1.0, start=64.0, stop=72.0)
    x = mean_input(20.0)  # from 60 ms on
    assert not x[:8].any() and not x[20:].any()
    assert x[8:20].mean() == pytest.approx(0.5, abs=0.05)
    drive.set(rate=[[2000.0], [0.0]], every=2.0, start=80.0)
    x = mean_input(6.0)
    assert x[:4].mean() == pytest.approx(1.0, abs=0.1) and not x[4:].any()
    drive.remove()
    assert not mean_input(5.0).any()
    net.drive(cells, 400.0, 0.5)
    assert mean_input(20.0).mean() == pytest.approx(0.1, abs=0.01)
    with pytest.raises(ValueError, match="synapses of a new kind must be added before the first run"):
        net.drive(cells, 400.0, 0.5, Exponential(5.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda **p: LIF(**{"tau": 10.0, "v_threshold": 1.0, "v_rest": 0.1, **p}),
        lambda **p: LIF(**{"tau": 10.0, "v_threshold": 1.0, "refractory": 1.0, **p}),
        lambda **p: ConductanceLIF(**p),
        lambda **p: AdEx(**{"substeps": 1, **p}),
        lambda **p: EIF(**p),
        lambda **p: Izhikevich(**{"substeps": 1, **p}),
    ],
    ids=["LIF", "refractory LIF", "ConductanceLIF", "AdEx", "EIF", "Izhikevich"],
)
def test_a_network_whose_parameters_are_set_is_one_that_was_made_with_them(make):
    """Every number of the model, one after the other, as a number and as an array, before and after it is built."""
    model = make()
    names = [name for name in model.params if name not in ("dt", "v_critical", "k")]
    level = {"LIF": 1.5, "Izhikevich": 12.0}.get(model.kind, 900.0)

    def network(neuron, n=3):
        net = nbsnn.Network(dt=0.5, dtype=np.float64, device="python")
        cells = net.population(neuron, n, name="cells")
        cells.start(**{name: np.full(n, value) for name, value in model.state.items()})
        net.connect(net.spikes([1.0, 2.0], [0, 0], 1), cells, nbsnn.AllToAll(), weight=3.0, synapse=Exponential(4.0))
        net.inject(cells, level)
        return net, cells

    for name in names:
        base = float(np.ravel(model.options[name])[0])
        for value in (base * 1.1 + 0.5 * (base == 0.0), base * np.array([1.0, 1.05, 1.1])):
            expected_net, expected = network(make(**{name: value}))
            for built in (False, True):
                net, cells = network(make())
                if built:
                    net.build()
                cells[name] = value
                np.testing.assert_allclose(cells[name], np.broadcast_to(value, 3))
                found, wanted = (
                    one.run(15.0, record={group: list(model.state)})
                    for one, group in ((net, cells), (expected_net, expected))
                )
                for variable in model.state:
                    np.testing.assert_array_equal(found[cells, variable], wanted[expected, variable], err_msg=name)
                expected_net.reset()


def test_parameters_may_be_distributions_and_functions_of_the_unit():
    net = nbsnn.Network(dt=0.5, device="python")
    wide = nbsnn.values.Uniform(1.0, 2.0)
    cells = net.population(LIF(TAU), 50, v_threshold=wide, v_rest=lambda k: 0.01 * k, v=0.5)
    assert 1.0 <= cells["v_threshold"].min() < 1.3 and 1.7 < cells["v_threshold"].max() <= 2.0
    np.testing.assert_allclose(cells["v_rest"], 0.01 * np.arange(50))
    assert (cells["v"] == 0.5).all()
    again = nbsnn.Network(dt=0.5, device="python").population(LIF(TAU), 50)
    again["v_threshold"] = wide
    np.testing.assert_array_equal(again["v_threshold"], cells["v_threshold"])


def test_parameters_that_cannot_be_leave_everything_as_it_was():
    net, cells = cell()
    net.inject(cells, 1.0)
    net.run(1.0)
    for values in ({"tau": -1.0}, {"tau": 3.0, "v_threshold": np.nan}, {"v_rest": [1.0, 2.0, 3.0]}, {"tau": "x"}):
        with pytest.raises((ValueError, TypeError)):
            cells.parameters(**values)
    with pytest.raises(KeyError, match=r"no parameter 'nu'; it has \['tau', 'v_threshold', 'v_reset', 'v_rest'"):
        cells.parameters(nu=1.0)
    with pytest.raises(ValueError, match="asks for other equations"):
        cells["refractory"] = 2.0
    with pytest.raises(ValueError, match="v_peak"):
        nbsnn.Network(device="python").population(AdEx(), 2)["v_peak"] = -60.0
    wanted = membrane(net, cells, [[1.0, 1.0]] * 2)
    np.testing.assert_allclose(net.run(1.0, record={cells: "v"})[cells, "v"], wanted, rtol=1e-12)
    assert cells["tau"].tolist() == [TAU, TAU] and not cells["tau"].flags.writeable


def test_numbers_that_are_set_compile_nothing():
    net = nbsnn.Network(dt=0.5, device="python")
    cells = net.population(LIF(TAU), 3)
    current, drive = net.inject(cells, 0.5), net.drive(cells, 100.0, 0.1)
    units = net.poisson(2, 10.0)
    net.run(1.0)
    loop = net.loop().call
    cells["tau"], units.rate = 12.0, 20.0
    current.set(lambda t: t)
    drive.remove()
    net.run(1.0)
    assert net.loop().call is loop


def test_callbacks_have_intervals_of_their_own_and_hear_the_spikes_since_their_last_call():
    net = nbsnn.Network(dt=0.5, device="python")
    source = net.spikes(np.arange(1, 21) * 0.5, np.arange(20) % 3, 3)
    other = net.spikes([4.0], [0], 1)
    calls = []

    def slow(net, since):
        calls.append(("slow", since.start, since.stop, since.counts(source).tolist(), len(since.spikes()[0])))

    def quick(net):
        calls.append(("quick", net.time))

    run = net.run(9.0, record={other: "spikes"}, callback={slow: 4.0, quick: 3.0})
    assert [call[:2] for call in calls if call[0] == "quick"] == [("quick", 3.0), ("quick", 6.0), ("quick", 9.0)]
    assert [call for call in calls if call[0] == "slow"] == [
        ("slow", 0.0, 4.0, [3, 3, 2], 9), ("slow", 4.0, 8.0, [3, 2, 3], 8), ("slow", 8.0, 9.0, [0, 1, 1], 2),
    ]  # fmt: skip
    assert run.spikes()[0].tolist() == [4.0]  # what is recorded stays what was asked for
    np.testing.assert_array_equal(net.run(1.0).spikes(source)[0], [9.5, 10.0])


def test_a_callback_ends_a_run():
    net, cells = cell()
    net.inject(cells, 10.0)

    def until(net):
        if cells["v"][0] > 4.0:
            net.stop()

    run = net.run(100.0, record={cells: "v"}, callback=until)
    assert net.time == run.duration == 0.5 * len(run.times) < 10.0
    assert run[cells, "v"][-1, 0] > 4.0 >= run[cells, "v"][-2, 0]
    assert net.run(2.0).duration == 2.0
    with pytest.raises(RuntimeError, match="not running"):
        net.stop()


@pytest.mark.parametrize("device", ["python", "cuda", pytest.param("cpu", marks=pytest.mark.long)])
@pytest.mark.parametrize("decay_input", [False, True])
def test_units_with_time_constants_of_their_own_are_single_units(decay_input, device):
    """Currents, delta, exponential and alpha synapses, when it is made so, and when it is set later."""
    taus = np.array([3.0, 10.0, 10.0, 25.0])

    def network(tau, n):
        net = nbsnn.Network(dt=0.5, dtype=np.float64, device=device)
        cells = net.population(LIF(tau, 1.0, v_rest=0.2, decay_input=decay_input, refractory=1.0), n, name="cells")
        source = net.spikes([1.0, 2.0, 6.0], [0, 0, 0], 1)
        for synapse, weight in ((None, 0.3), (Exponential(4.0), 2.0), (nbsnn.synapses.Alpha(2.0), 1.0)):
            net.connect(source, cells, nbsnn.AllToAll(), weight=weight, synapse=synapse)
        return net, cells, net.inject(cells, 0.9)

    expected = []
    for tau in taus:
        net, cells, current = network(tau, 1)
        first = net.run(10.0, record={cells: "v"})[cells, "v"]
        current.set(1.5)
        expected.append(np.concatenate([first, net.run(5.0, record={cells: "v"})[cells, "v"]]))
    expected = np.concatenate(expected, axis=1)
    for later in (False, True):
        net, cells, current = network(20.0 if later else taus, 4)
        if later:
            net.build()
            cells["tau"] = taus
        first = net.run(10.0, record={cells: "v"})[cells, "v"]
        current.set(1.5)
        found = np.concatenate([first, net.run(5.0, record={cells: "v"})[cells, "v"]])
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert np.ptp(expected[3]) > 0.05
