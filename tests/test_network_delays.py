"""Plastic synapses with delays of their own: as a connection for each delay, in pieces, on threads, from a state."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LIF
from nbsnn.plasticity import MSTDPET, MetaNearestSTDP, Normalize, PairSTDP, PostPreInt, Scaling, TripletSTDP
from nbsnn.synapses import Exponential, TsodyksMarkram

N, M, DT = 7, 5, 0.1
PRE, POST = np.argwhere(np.random.default_rng(0).random((N, M)) < 0.7).T
DELAYS = np.random.default_rng(1).choice([0.1, 0.3, 0.4, 1.7, 2.2], len(PRE))
WEIGHTS = np.random.default_rng(2).uniform(0.3, 0.7, len(PRE))

RULES = {
    "pairs": {"plasticity": PairSTDP(0.02, 0.021, 10.0, 12.0)},
    "causal": {
        "plasticity": PairSTDP(0.02, 0.021, order="causal"),
        "synapse": Exponential(2.0),
    },
    "triplets": {"plasticity": TripletSTDP()},
    "rewarded": {"plasticity": MSTDPET(tau_e=20.0, w_max=1.0)},
    "scaled": {"plasticity": PairSTDP(0.02, 0.021), "homeostasis": Scaling(rate=30.0, beta=0.01, every=5.0)},
    "short-term": {"plasticity": PairSTDP(0.02, 0.021), "short_term": TsodyksMarkram(0.4, 50.0)},
}
ALONE = {  # weights onto a unit belong together, and a connection for each delay is another rule
    "mean weight": {"plasticity": MetaNearestSTDP()},
    "normalised": {"plasticity": PairSTDP(0.02, 0.021, normalize=Normalize(2.0, "every"))},
}


def driven(options, pairs, device="python", dtype=np.float64, seed=5):
    """A network whose spikes are given, and the connections of synapses in ``pairs``, a list of places for each."""
    rng = np.random.default_rng(seed)
    net = nbsnn.Network(dt=DT, dtype=dtype, device=device)
    trains = [np.nonzero(rng.random((400, n)) < 0.06) for n in (N, M)]
    source, driver = (net.spikes((t + 1) * DT, k, n) for (t, k), n in zip(trains, (N, M), strict=True))
    cells = net.population(LIF(1.0, 1e6), M, name="cells")
    net.connect(driver, cells, nbsnn.OneToOne(), weight=1e9, delay=DT)
    made = [
        net.connect(source, cells, nbsnn.Explicit(PRE[k], POST[k]), weight=WEIGHTS[k],
                    delay=DELAYS[k] if len(pairs) == 1 else DELAYS[k][0], **options)
        for k in pairs
    ]  # fmt: skip
    for connection in made:
        if connection.kind.waits:
            connection.reward = 0.5
    return net, made


ORDERS = "decay add use", "decay use add", "use decay add", "add decay use", "add use decay", "use add decay"
TOGETHER = [np.arange(len(PRE))]
APART = [np.flatnonzero(delay == DELAYS) for delay in np.unique(DELAYS)]


@pytest.mark.parametrize("name", RULES)
def test_weights_are_those_of_a_connection_for_each_delay(name):
    (one, (connection,)), (other, parts) = driven(RULES[name], TOGETHER), driven(RULES[name], APART)
    runs = [net.run(40.0, record={"cells": "v"})["cells", "v"] for net in (one, other)]
    expected = np.empty(len(PRE))
    for k, part in zip(APART, parts, strict=True):
        expected[k] = part.weight
    if name == "scaled":  # rates are counted by each
        np.testing.assert_allclose(connection.weight, expected, rtol=1e-9)
    else:
        np.testing.assert_array_equal(connection.weight, expected)
    assert abs(expected - WEIGHTS).max() > 1e-3
    np.testing.assert_allclose(*runs, rtol=1e-6, atol=1e-9)  # sums in another order, of spikes of 1e9


@pytest.mark.parametrize("name", ALONE)
def test_rules_over_all_weights_of_a_unit_keep_what_they_promise(name):
    net, (connection,) = driven(ALONE[name], TOGETHER)
    before = np.bincount(POST, connection.weight, M)
    net.run(40.0)
    after = np.bincount(POST, connection.weight, M)
    assert abs(connection.weight - WEIGHTS).max() > 1e-3
    if name == "normalised":
        np.testing.assert_allclose(after, 2.0, rtol=1e-9)
    else:
        assert np.isfinite(after / before).all()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("mode", ["add", "set"])
def test_recorded_traces_are_those_behind_the_delay_of_each_synapse(order, mode):
    options = {"plasticity": PairSTDP(0.02, 0.021, 10.0, 12.0, order=order, mode=mode)}
    (one, (connection,)), (other, parts) = driven(options, TOGETHER), driven(options, APART)
    runs = []
    for net, made in ((one, [connection]), (other, parts)):
        net.run(3.0)
        runs.append(net.run(9.0, record={each: ["x", "y"] for each in made}, every=0.7))
    for trace in "xy":
        found = runs[0][connection, trace]
        for part, k in zip(parts, APART, strict=True):
            np.testing.assert_allclose(found[:, k], runs[1][part, trace], rtol=1e-12)
        assert len(np.unique(found)) > 15


def test_synapses_are_shown_in_the_order_in_which_they_were_given():
    _, (connection,) = driven(RULES["pairs"], TOGETHER)
    np.testing.assert_array_equal(connection.pairs, np.stack([PRE, POST], axis=1))
    np.testing.assert_allclose(connection.delay, DELAYS)
    np.testing.assert_array_equal(connection.weight, WEIGHTS)
    connection.weight = WEIGHTS[::-1]
    np.testing.assert_array_equal(connection.weight, WEIGHTS[::-1])
    drawn = net_of_a_distribution()
    assert (np.diff(drawn.pairs[:, 0]) >= 0).all() and len(np.unique(drawn.delay)) > 5


def net_of_a_distribution():
    net = nbsnn.Network(dt=DT, device="python")
    cells = net.population(LIF(10.0), 9)
    delay = nbsnn.values.Uniform(0.5, 3.0)
    return net.connect(cells, cells, nbsnn.Sparse(probability=0.6), weight=0.1, delay=delay, plasticity=PairSTDP())


@pytest.mark.parametrize("name", ["pairs", "rewarded", "short-term", "normalised"])
def test_pieces_and_a_restored_state_give_the_same_bits(name):
    options = (RULES | ALONE)[name]
    weights = []
    for pieces in ([40.0], [0.3, 16.9, 22.8]):
        net, (connection,) = driven(options, TOGETHER)
        for piece in pieces:
            net.run(piece)
        weights.append(np.array(connection.weight))
    net, (connection,) = driven(options, TOGETHER)
    net.run(17.2)
    state = net.state()
    fresh, (again,) = driven(options, TOGETHER)
    fresh.restore(state)
    fresh.run(22.8)
    weights.append(again.weight)
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])


@pytest.mark.long
def test_compiled_on_any_number_of_threads_as_interpreted(monkeypatch):
    monkeypatch.setattr("nbsnn.network.loop.SHARE", 1)
    options = RULES["pairs"]
    net, (connection,) = driven(options, TOGETHER, dtype=np.float32)
    net.run(40.0)
    expected = np.array(connection.weight)
    try:
        for threads in (1, 2, 3):
            nbsnn.set_threads(threads)
            net, (connection,) = driven(options, TOGETHER, device="cpu", dtype=np.float32)
            net.run(40.0)
            assert net.loop().parts == threads
            np.testing.assert_array_equal(connection.weight, expected)
    finally:
        nbsnn.set_threads(None)


@pytest.mark.parametrize("device", ["python", pytest.param("cpu", marks=pytest.mark.long)])
def test_rows_longer_than_a_list_and_many_rows_of_a_step(device):
    """A list holds 256 synapses; here 300 of one row, and 360 of three rows, arrive together."""
    pre, post = np.repeat([0, 1, 2], 300), np.tile(np.arange(300), 3)
    delay = np.where((pre == 0) | (post < 120), 0.3, np.where(post < 200, 0.1, 1.0))

    def weights(parts):
        net = nbsnn.Network(dt=DT, device=device, dtype=np.float64)
        source = net.spikes([1.0, 1.0, 1.0, 1.2, 2.0], [0, 1, 2, 1, 0], 3)
        cells = net.population(LIF(1.0, 1e6), 300)
        net.connect(
            net.spikes([1.4] * 300 + [2.2], [*range(300), 7], 300), cells, nbsnn.OneToOne(), weight=1e9, delay=DT
        )
        found = np.empty(900)
        made = [net.connect(source, cells, nbsnn.Explicit(pre[k], post[k]), weight=0.5,
                            delay=delay[k] if len(parts) == 1 else delay[k][0],
                            plasticity=PairSTDP(0.02, 0.021)) for k in parts]  # fmt: skip
        v = net.run(4.0, record={cells: "v"})[cells, "v"]
        for k, connection in zip(parts, made, strict=True):
            found[k] = connection.weight
        return found, v

    (one, v), (other, u) = weights([np.arange(900)]), weights([np.flatnonzero(delay == d) for d in np.unique(delay)])
    np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(v, u, rtol=1e-6, atol=1e-9)
    assert len(np.unique(one)) > 4


def test_who_cannot_have_delays_of_their_own_is_refused_by_name():
    net = nbsnn.Network(dt=DT, device="python")
    cells = net.population(LIF(10.0), 4)
    with pytest.raises(ValueError, match="PostPreInt share one delay"):
        net.connect(cells, cells, nbsnn.OneToOne(), weight=1.0, delay=[0.1, 0.2, 0.3, 0.4], plasticity=PostPreInt())
    net = nbsnn.Network(dt=DT, device="cuda")
    cells = net.population(LIF(10.0), 4)
    with pytest.raises(ValueError, match="on a GPU plastic synapses share one delay"):
        net.connect(cells, cells, nbsnn.OneToOne(), weight=0.1, delay=[0.1, 0.2, 0.3, 0.4], plasticity=PairSTDP())


def test_a_state_of_other_delays_is_refused(monkeypatch):
    state = driven(RULES["pairs"], TOGETHER)[0].state()
    monkeypatch.setitem(globals(), "DELAYS", DELAYS[::-1].copy())
    with pytest.raises(ValueError, match="another network"):
        driven(RULES["pairs"], TOGETHER)[0].restore(state)
