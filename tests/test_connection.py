"""What connections are given and hand out: pairs and their values in one order, copies, and errors at the call."""

import itertools

import numpy as np
import pytest
from scipy import sparse

import nbsnn
from nbsnn.neurons import LIF, PoissonNeuron
from nbsnn.plasticity import MSTDPET, Normalize, PairSTDP, PostPreInt
from nbsnn.synapses import Delta, Exponential

Normal, Uniform = nbsnn.values.Normal, nbsnn.values.Uniform
PRE, POST = np.array([2, 0, 1, 0, 2, 0]), np.array([0, 1, 1, 0, 0, 1])  # unsorted, two pairs twice
WEIGHT, DELAY = np.array([30.0, 10.0, 20.0, 5.0, 7.0, 11.0]), np.array([0.3, 0.1, 0.6, 0.2, 0.4, 0.5])


def network(pattern=None, sizes=(3, 2), **options):
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    a, b = net.spikes(np.arange(1, sizes[0] + 1) * 1.0, np.arange(sizes[0]), sizes[0], name="a"), None
    b = net.population(LIF(tau=20.0, v_threshold=1e9), sizes[1], name="b")
    return net, net.connect(a, b, pattern or nbsnn.Explicit(PRE, POST), **options)


def arrivals(net):
    """What arrives at each unit of b in each step, as a delta synapse: {(step, unit): weight}, by v of a slow cell."""
    v = net.run(6.0, record={"b": "v"})["b", "v"]
    jumps = v - np.exp(-0.1 / 20.0) * np.vstack([np.zeros((1, v.shape[1])), v[:-1]])
    return {(t + 1, j): jumps[t, j] for t, j in zip(*np.nonzero(np.abs(jumps) > 1e-9), strict=True)}


EXPECTED: dict = {}
for i, j, w, d in zip(PRE, POST, WEIGHT, DELAY, strict=True):
    at = (round(10 * (i + 1) + 10 * d), int(j))
    EXPECTED[at] = EXPECTED.get(at, 0.0) + w


@pytest.mark.parametrize("by_pattern", itertools.product((True, False), repeat=2), ids=str)
def test_weights_and_delays_are_those_of_the_pairs(by_pattern):
    given = dict(zip(("weight", "delay"), zip((WEIGHT, DELAY), by_pattern, strict=True), strict=True))
    pattern = nbsnn.Explicit(PRE, POST, **{name: values for name, (values, own) in given.items() if own})
    net, made = network(pattern, **{name: values for name, (values, own) in given.items() if not own})
    assert arrivals(net) == pytest.approx(EXPECTED)
    for found, values in ((made.pre, PRE), (made.post, POST), (made.weight, WEIGHT)):
        np.testing.assert_array_equal(found, values)
    np.testing.assert_allclose(made.delay, DELAY)
    np.testing.assert_array_equal(made.pairs, np.stack([PRE, POST], axis=1))


def test_weights_are_read_and_set_in_the_order_of_the_pairs():
    net, made = network(weight=WEIGHT, delay=0.1)
    made.weight = made.weight * 2.0
    np.testing.assert_array_equal(made.weight, 2.0 * WEIGHT)
    made.weight = WEIGHT
    found = arrivals(net)
    assert found[31, 0] == pytest.approx(30.0 + 7.0) and found[11, 1] == pytest.approx(10.0 + 11.0)
    with pytest.raises(ValueError, match="read-only"):
        made.weight[0] = 1.0
    _, in_order = network(nbsnn.Explicit([0, 0, 1], [0, 1, 1]), weight=[1.0, 2.0, 3.0])
    in_order.weight[1] = 9.0
    np.testing.assert_array_equal(in_order.weight, [1.0, 9.0, 3.0])


@pytest.mark.parametrize(
    "rule",
    [
        PairSTDP(0.0, 0.0, w_max=99.0),
        PairSTDP(0.0, 0.0, w_max=99.0, normalize=Normalize(40.0)),
        PairSTDP(0.0, 0.0, w_max=99.0, normalize=Normalize(40.0, "every")),
        MSTDPET(w_max=99.0),
        PostPreInt(0, 0),
    ],
    ids=["pair", "normalised at the end", "normalised", "rewarded", "integers"],
)
def test_so_are_those_of_synapses_that_learn(rule):
    net, made = network(weight=WEIGHT, delay=0.2, plasticity=rule)
    recorded = net.run(0.4, record={made: "weight"}, every=0.2)[made, "weight"]
    expected = WEIGHT
    if getattr(rule, "normalize", None):
        expected = WEIGHT * 40.0 / np.bincount(POST, WEIGHT)[POST]
    np.testing.assert_allclose(made.weight, expected)
    np.testing.assert_allclose(recorded[0], expected if made.kind.normalizes else WEIGHT)
    made.weight = WEIGHT[::-1]
    np.testing.assert_array_equal(made.weight, WEIGHT[::-1])


def test_a_rule_changes_the_pair_whose_units_fire():
    net = nbsnn.Network(dt=1.0, dtype=np.float64, device="python")
    a, kick = net.spikes([1.0, 2.0, 3.0], [0, 1, 2], 3), net.spikes([5.0], [1], 2)
    b = net.population(LIF(tau=10.0, v_threshold=1e3), 2)
    net.connect(kick, b, nbsnn.OneToOne(), weight=2e3)
    made = net.connect(a, b, nbsnn.Explicit(PRE, POST), weight=WEIGHT, plasticity=PairSTDP(1.0, 0.0, w_max=99.0))
    net.run(10.0)
    gain = np.where(POST == 1, np.exp(-(6.0 - (PRE + 2.0)) / 20.0), 0.0)
    np.testing.assert_allclose(made.weight, WEIGHT + gain)


def test_pairs_of_sections_count_from_their_first_units():
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    a, b = net.population(PoissonNeuron(1.0), 9), net.population(LIF(), 7)
    made = net.connect(a[4:7], b[3:5], nbsnn.Explicit(PRE, POST), weight=WEIGHT, delay=DELAY, synapse=Exponential(2.0))
    np.testing.assert_array_equal(made.pairs, np.stack([PRE + 4, POST + 3], axis=1))
    np.testing.assert_array_equal(made.weight, WEIGHT)
    np.testing.assert_allclose(made.delay, DELAY)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_a_matrix_gives_its_pairs_in_its_own_order(kind):
    dense = np.array([[0.0, 2.0], [0.0, 4.0], [5.0, 6.0]])
    matrix = sparse.coo_array(dense).asformat(kind)
    rows, columns = matrix.tocoo().coords
    _, made = network(nbsnn.from_scipy(matrix))
    np.testing.assert_array_equal(made.weight, matrix.tocoo().data)
    np.testing.assert_array_equal(made.pairs, np.stack([rows, columns], axis=1))
    _, other = network(nbsnn.from_scipy(matrix), weight=matrix.data * 2.0)
    found = np.zeros((3, 2))
    found[other.pre, other.post] = other.weight
    np.testing.assert_array_equal(found, 2.0 * dense)


def test_a_matrix_of_booleans_gives_weights_of_one_and_another_shape_is_refused():
    _, made = network(nbsnn.from_scipy(sparse.csr_array(np.array([[True, False], [True, True], [False, True]]))))
    np.testing.assert_array_equal(made.weight, np.ones(4))
    with pytest.raises(ValueError, match=r"a matrix of shape \[3, 2\] does not connect 3 units to 3"):
        network(nbsnn.from_scipy(sparse.csr_array(np.ones((3, 2)))), sizes=(3, 3))


def test_other_patterns_go_by_source_then_by_target():
    _, made = network(nbsnn.AllToAll(), weight=np.arange(6.0))
    np.testing.assert_array_equal(made.pairs, [[0, 0], [0, 1], [1, 0], [1, 1], [2, 0], [2, 1]])
    np.testing.assert_array_equal(made.weight, np.arange(6.0))
    made.weight[2] = 9.0
    assert made.weight[2] == 9.0


# What is handed over stays as it was; what is handed out has an effect or cannot be changed.


def test_arrays_keep_the_values_they_had_at_the_call():
    pre, post, weight, delay = PRE.copy(), POST.copy(), WEIGHT.copy(), DELAY.copy()
    own = nbsnn.Explicit(pre, post, weight=weight, delay=delay)
    pairs = [network(own), network(nbsnn.Explicit(pre, post), weight=weight, delay=delay)]
    for array in (pre, post, weight, delay):
        array[:] = 0
    for net, _ in pairs:
        assert arrivals(net) == pytest.approx(EXPECTED)
    places = np.arange(3.0)[:, None]
    net = nbsnn.Network(dt=0.1, device="python")
    cells, disc = net.population(LIF(), 3), nbsnn.Distance(nbsnn.sparse.Disc(0.5, 1.0))
    made = net.connect(cells, cells, disc, coordinates=places)
    places[:] = 0.0
    np.testing.assert_array_equal(made.pairs, [[0, 0], [1, 1], [2, 2]])


def test_arrays_that_say_how_a_connection_was_built_cannot_be_written_to():
    _, made = network(weight=WEIGHT, delay=DELAY)
    own = nbsnn.Explicit(PRE, POST, WEIGHT, DELAY)
    for array in (made.pre, made.post, made.delay, own.pre, own.post, own.weight, own.delay):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 1
    assert isinstance(network(delay=0.5)[1].delay, float)


@pytest.mark.parametrize(
    "name", ["wieght", "pairs", "synapse", "plasticity", "homeostasis", "pre", "short_term", "source"]
)
def test_what_cannot_be_set_says_what_can(name):
    _, made = network()
    with pytest.raises(AttributeError, match=f"{name}.*; of a connection weight, delay, learning and reward can"):
        setattr(made, name, 1.0)
    made.weight = 2.0
    assert made.weight == 2.0


def test_plastic_layers_and_rules_stay_as_they_were_made():
    rule = PairSTDP()
    layer = nbsnn.plasticity.Plastic(nbsnn.Dense(3, 2), LIF(), rule)
    for name in ("rule", "delay", "lag", "defer", "ruel"):
        with pytest.raises(AttributeError, match=f"'{name}'.* make another"):
            setattr(layer, name, 0)
    with pytest.raises(AttributeError, match="cannot assign to field"):
        rule.w_max = 2.0
    with pytest.raises(TypeError, match=r"stays as it was made; replace\(.*\) gives another"):
        rule.params["a_post"] = 1.0
    given = {"a_post": 0.1, "a_pre": 0.1}
    own = rule.replace(params=given)
    given["a_post"] = 5.0
    assert own.params == {"a_post": 0.1, "a_pre": 0.1}


# Errors come at connect, and leave the network as it was.

ARRAY = "must be a number, a distribution or have shape"
BAD = {
    "too few weights": ({"weight": [1.0]}, ValueError, rf"weight of a to b {ARRAY} \[6\], .* not \[1\]"),
    "a matrix of weights": ({"weight": np.ones((3, 2))}, ValueError, rf"{ARRAY} \[6\], .* not \[3, 2\]"),
    "too many delays": ({"delay": np.ones(7)}, ValueError, rf"delay of a to b {ARRAY} \[6\], .* not \[7\]"),
    "a weight that is no number": ({"weight": np.nan}, ValueError, "weight must be finite, not nan"),
    "weights that are none": ({"weight": [1.0, np.inf, 1, 1, 1, 1]}, ValueError, r"weight contains 1 NaN .*\(1,\)"),
    "a text": ({"weight": "1"}, TypeError, "weight must be a number, an array .* or a distribution .*, not '1'"),
    "lists of several lengths": ({"weight": [[1.0], [1.0, 2.0]]}, TypeError, "weight must be a number, an array"),
    "a switch": ({"delay": True}, TypeError, "delay must be a number, an array"),
    "a short delay": ({"delay": 0.01}, ValueError, "half a step"),
    "a negative delay": ({"delay": -1.0}, ValueError, "a delay must be a time"),
    "an endless delay": ({"delay": np.inf}, ValueError, "delay"),
    "one short delay": ({"delay": [1, 1, 1, 0.01, 1, 1]}, ValueError, "1 of 6 are not, the first at index 3"),
    "delays drawn below 0": ({"delay": Uniform(-1.0, 1.0)}, ValueError, "a delay must be a time"),
    "normal delays below 0": ({"delay": Normal(0.2, 1.0)}, ValueError, "a delay must be a time"),
    "a huge delay": ({"delay": 1e300}, ValueError, "a delay must be a time"),
    "delays of plastic synapses": (
        {"delay": np.linspace(1.0, 2.0, 6), "plasticity": PostPreInt()}, ValueError, "share one delay",
    ),
    "drawn delays of plastic synapses": (
        {"delay": Uniform(1.0, 2.0), "plasticity": PostPreInt()}, ValueError, "share one delay",
    ),
    "half an integer weight": ({"weight": 0.5, "plasticity": PostPreInt()}, ValueError, "must be whole numbers"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_errors_come_at_connect(name):
    options, error, message = BAD[name]
    net = nbsnn.Network(dt=0.1, device="python")
    a, b = net.spikes([1.0], [0], 3, name="a"), net.population(LIF(), 2, name="b")
    with pytest.raises(error, match=message):
        net.connect(a, b, nbsnn.AllToAll(), synapse=Exponential(5.0), **options)
    assert not net.connections and not b.ports
    net.run(1.0)


def test_a_delay_for_which_memory_does_not_last_is_refused(monkeypatch):
    monkeypatch.setattr("nbsnn.network.given.free_memory", lambda: 5 << 30)
    with pytest.raises(MemoryError, match=r"a to b: a delay of 1e\+07 ms is 100,000,000 steps, .* 12.8 GB; 5.4 GB are"):
        network(delay=1e7)


@pytest.mark.parametrize(
    ("pattern", "options", "message"),
    [
        (nbsnn.OneToOne(), {}, "one size, not of 3 and 2"),
        (nbsnn.Explicit([3], [0]), {}, "pre must be from 0 to 2, one of the 3 units"),
        (nbsnn.Explicit([0, 1], [0, 1], delay=[1.0, 2.0]), {"plasticity": PostPreInt()}, "share one delay"),
        (nbsnn.Explicit([0], [0], delay=[0.001]), {}, "half a step"),
        (nbsnn.Sparse(indegree=4, multapses=False), {}, "asks for 4 synapses"),
        (nbsnn.Sparse(probability=0.5), {"weight": np.ones(6)}, r"shape \[\d\], one per synapse, not \[6\]"),
        (nbsnn.Distance(nbsnn.sparse.Disc(0.5, 1.0)), {}, "needs the units' coordinates"),
    ],
    ids=lambda value: repr(value) if not isinstance(value, (str, dict)) else "",
)
def test_so_do_errors_of_patterns(pattern, options, message):
    with pytest.raises(ValueError, match=message):
        network(pattern, synapse=Delta(), **options)


def test_distance_takes_the_positions_of_populations():
    places, fewer = nbsnn.sparse.grid((6, 6)), nbsnn.sparse.grid((3, 3), 2.0)
    rule = nbsnn.Distance(nbsnn.sparse.Disc(1.5, 0.8), autapses=False)

    def made(own, target, **options):
        net = nbsnn.Network(device="python", seed=3)
        cells = net.population(LIF(), 36, name="cells", positions=places if own else None)
        few = net.population(LIF(), 9, name="few")
        few.positions = fewer if own else None
        units = {"cells": cells, "few": few, "some": cells[3:]}
        return net.connect(cells, units[target], rule, **options).pairs.tolist()

    for target, coordinates in (("cells", places), ("few", (places, fewer)), ("some", (places, places[3:]))):
        found = made(True, target)
        assert found == made(False, target, coordinates=coordinates) and len(found) > 10
    with pytest.raises(ValueError, match="needs the units' coordinates"):
        made(False, "cells")


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 2)), np.zeros((4, 0)), [[0.0, np.nan]] * 4, "here", np.zeros((4, 2, 2))]
)
def test_positions_are_one_row_per_unit(wrong):
    net = nbsnn.Network(device="python")
    with pytest.raises((ValueError, TypeError), match="positions of cells"):
        net.population(LIF(), 4, name="cells", positions=wrong)
    assert not net.groups
    cells = net.population(LIF(), 4, name="cells", positions=[0.0, 1.0, 2.0, 3.0])
    with pytest.raises((ValueError, TypeError), match="positions of cells"):
        cells.positions = wrong
    assert cells.positions.tolist() == [[0.0], [1.0], [2.0], [3.0]] and not cells.positions.flags.writeable
    cells.positions = None
    assert cells.positions is None


def test_targets_and_sources_of_a_unit_are_those_of_its_synapses():
    net = nbsnn.Network(device="python")
    cells = net.population(LIF(), 6, name="cells")
    made = net.connect(cells, cells[2:], nbsnn.Explicit([3, 0, 3, 3], [1, 3, 0, 0]), weight=1.0)
    assert made.targets_of(3).tolist() == [2, 2, 3] and made.targets_of(1).tolist() == []
    assert made.sources_of(5).tolist() == [0] and made.sources_of(2).tolist() == [3, 3]
    made.add(1, 5)
    assert made.sources_of(5).tolist() == [0, 1]
    for wrong, error in ((1, ValueError), (-1, ValueError), (6, ValueError), (2.5, TypeError), ("a", TypeError)):
        with pytest.raises(error):
            made.sources_of(wrong)
