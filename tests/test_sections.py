"""Some units of a population, strided and listed: connected, given currents and drives, recorded, set."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.synapses import NMDA

UNITS = {"strided": slice(1, 9, 3), "listed": [0, 2, 7], "masked": np.arange(9) % 4 == 1, "one": 4, "last": -1}


def network(**options):
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python", **options)
    return net, net.population(LIF(10.0, 1e6), 9, name="cells")


def numbers(chosen):
    return np.atleast_1d(np.arange(9)[chosen])


@pytest.mark.parametrize("name", UNITS)
def test_units_are_those_that_numpy_chooses(name):
    _, cells = network()
    section = cells[UNITS[name]]
    assert section.units.tolist() == numbers(UNITS[name]).tolist() and len(section) == section.n == len(section.units)


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("pattern", [nbsnn.AllToAll(), nbsnn.AllToAll(autapses=False), nbsnn.Sparse(probability=0.5)])
def test_synapses_are_those_between_as_many_units_with_their_numbers(name, pattern):
    net, cells = network(seed=3)
    other = net.population(LIF(10.0), 5)
    chosen = numbers(UNITS[name])
    weight = np.arange(5.0 * len(chosen)) if isinstance(pattern, nbsnn.AllToAll) else 0.5
    into, out = (
        net.connect(*pair, pattern, weight=weight, delay=1.0)
        for pair in ((other, cells[UNITS[name]]), (cells[UNITS[name]], other))
    )
    small = nbsnn.Network(dt=0.1, seed=3, device="python")
    few, more = small.population(LIF(10.0), len(chosen)), small.population(LIF(10.0), 5)
    small_into, small_out = (
        small.connect(*pair, pattern, weight=weight, delay=1.0) for pair in ((more, few), (few, more))
    )
    np.testing.assert_array_equal(into.pre, small_into.pre)
    np.testing.assert_array_equal(into.post, chosen[small_into.post])
    np.testing.assert_array_equal(out.pre, chosen[small_out.pre])
    np.testing.assert_array_equal(out.post, small_out.post)
    np.testing.assert_array_equal(into.weight, small_into.weight)


def test_units_on_both_sides_have_no_autapses():
    net, cells = network()
    pairs = [
        (slice(0, 9, 2),) * 2,
        (slice(0, 9, 2), slice(1, 9, 2)),
        ([1, 4, 6], [1, 4, 6, 8]),
        (slice(2, 9), [3, 4, 5]),
    ]
    for one, other in pairs:
        net, cells = network()
        made = net.connect(cells[one], cells[other], nbsnn.AllToAll(autapses=False))
        wanted = [(i, j) for i in cells[one].units for j in cells[other].units if i != j]
        assert [tuple(pair) for pair in made.pairs] == wanted
    net, cells = network()
    with pytest.raises(ValueError, match="numbered differently in both"):
        net.connect(cells[::2], cells[:6], nbsnn.AllToAll(autapses=False))
    assert len(net.connect(cells[::2], cells[:6], nbsnn.AllToAll())) == 30


def test_spikes_reach_the_targets_of_listed_units_alone():
    net, cells = network()
    source = net.spikes([1.0, 1.0, 1.0], [0, 1, 3], 4)
    net.connect(source[[1, 3]], cells[::4], nbsnn.AllToAll(), weight=np.arange(1.0, 7.0))
    net.run(1.2)
    np.testing.assert_allclose(
        cells["v"][[0, 4, 8]], [5.0 * np.exp(-0.01), 7.0 * np.exp(-0.01), 9.0 * np.exp(-0.01)], rtol=0.02
    )
    assert np.count_nonzero(cells["v"]) == 3


def test_gates_of_listed_units_reach_listed_units():
    net, cells = network()
    source = net.spikes([1.0, 1.0], [0, 2], 4)
    net.connect(source[[1, 2]], cells[[0, 5]], nbsnn.AllToAll(), weight=5.0, synapse=NMDA(mg=0.0, reversal=10.0))
    net.run(8.0)
    assert (cells["v"] != 0.0).tolist() == [k in (0, 5) for k in range(9)]


@pytest.mark.parametrize("name", UNITS)
def test_currents_flow_into_them_alone(name):
    net, cells = network()
    chosen = numbers(UNITS[name])
    each = np.arange(1.0, 1.0 + len(chosen))
    current = net.inject(cells[UNITS[name]], each)
    net.inject(cells[:2], lambda t: 0.0 * t)
    net.run(500.0)
    wanted = np.zeros(9)
    wanted[chosen] = each
    np.testing.assert_allclose(cells["v"], wanted)
    current.set(7.0)
    net.run(500.0)
    wanted[chosen] = 7.0
    np.testing.assert_allclose(cells["v"], wanted)
    current.set(lambda t: np.full(len(chosen), 3.0))
    net.run(500.0)
    wanted[chosen] = 3.0
    np.testing.assert_allclose(cells["v"], wanted)


@pytest.mark.parametrize("name", UNITS)
def test_variables_and_parameters_of_them_are_read_and_set(name):
    net, cells = network()
    section, chosen = cells[UNITS[name]], numbers(UNITS[name])
    section["v"] = 2.0
    assert np.flatnonzero(cells["v"]).tolist() == chosen.tolist() and section["v"].tolist() == [2.0] * len(chosen)
    section["v"] = np.arange(len(chosen)) + 5.0
    np.testing.assert_array_equal(cells["v"][chosen], np.arange(len(chosen)) + 5.0)
    section["tau"] = 5.0
    np.testing.assert_array_equal(cells["tau"], np.where(np.isin(np.arange(9), chosen), 5.0, 10.0))
    section["v"] = nbsnn.values.Uniform(1.0, 2.0)
    assert (cells["v"][chosen] >= 1.0).all() and (np.delete(cells["v"], chosen) == 0.0).all()
    with pytest.raises(ValueError, match="read-only"):
        section["v"][0] = 1.0
    assert net.step == 0


@pytest.mark.parametrize("name", UNITS)
def test_they_are_recorded_and_heard_with_numbers_of_their_own(name):
    net, cells = network()
    cells["v"] = np.arange(9.0)
    cells["v_threshold"] = np.full(9, 0.5)
    section, chosen = cells[UNITS[name]], numbers(UNITS[name])
    net.inject(cells, np.arange(1.0, 10.0))
    heard = []
    run = net.run(
        20.0,
        record={section: ["v", "spikes"]},
        callback=lambda n, a: heard.append(a.counts(section)),
        callback_every=10.0,
    )
    net.reset()
    cells["v"] = np.arange(9.0)
    whole = net.run(20.0, record={cells: ["v", "spikes"]})
    np.testing.assert_array_equal(run[section, "v"], whole[cells, "v"][:, chosen])
    times, units = whole.spikes(cells)
    for k, unit in enumerate(chosen):
        np.testing.assert_array_equal(run.spikes(section)[0][run.spikes(section)[1] == k], times[units == unit])
    np.testing.assert_array_equal(np.sum(heard, axis=0), np.bincount(units, minlength=9)[chosen])
    np.testing.assert_array_equal(whole.spikes(section)[1], run.spikes(section)[1])


def test_sections_of_sections_and_equal_sections():
    _, cells = network()
    assert cells[2:8][::2].units.tolist() == [2, 4, 6] and cells[::2][[1, 3]].units.tolist() == [2, 6]
    assert cells[::2] == cells[[0, 2, 4, 6, 8]] and hash(cells[::2]) == hash(cells[[0, 2, 4, 6, 8]])
    assert (
        cells[[3, 4, 5]] == cells[3:6] and cells[::2] != cells[[0, 2, 4, 8]] and cells[[3, 4, 5]].name == "cells[3:6]"
    )


@pytest.mark.parametrize(
    ("chosen", "error", "words"),
    [
        ([3, 1], ValueError, "ascending order"),
        ([1, 1], ValueError, "each once"),
        ([9], ValueError, "numbered from 0 to 8"),
        ([], ValueError, "some of its 9 units"),
        (slice(None, None, -1), ValueError, "ascending order"),
        ([0.5], TypeError, "chosen by a slice"),
        ([True, False], TypeError, "9 booleans"),
        (None, TypeError, "chosen by a slice"),
    ],
)
def test_what_chooses_no_units_is_refused(chosen, error, words):
    _, cells = network()
    with pytest.raises(error, match=words):
        cells[chosen]


def test_only_neighbours_have_a_name():
    _, cells = network()
    with pytest.raises(ValueError, match="only units that are neighbours"):
        cells[::2].named("even")


@pytest.mark.parametrize("name", UNITS)
@pytest.mark.parametrize("device", ["python", "cuda"])
def test_drives_reach_them_alone_with_the_numbers_of_the_whole_population(name, device):
    found = []
    for chosen in (UNITS[name], slice(None)):
        net = nbsnn.Network(dt=0.1, dtype=np.float64, seed=2, device=device)
        cells = net.population(LIF(10.0, 1e6), 9)
        drive = net.drive(cells[chosen] if len(found) == 0 else cells, 3000.0, 0.5)
        net.run(3.0)
        drive.set(weight=1.5)
        net.run(3.0)
        found.append(np.array(cells["v"]))
    chosen = np.isin(np.arange(9), numbers(UNITS[name]))
    np.testing.assert_array_equal(found[0], np.where(chosen, found[1], 0.0))
    assert found[1].all()
