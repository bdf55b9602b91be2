"""When a spike arrives: what a rule sees of it, with which weight and share it travels, and what goes on in a pause."""

import numpy as np
import pytest

import nbsnn
from nbsnn.kernels.synapses.connect import cut
from nbsnn.neurons import LIF, ConductanceLIF, Izhikevich
from nbsnn.plasticity import (
    MSTDP,
    MSTDPET,
    DiehlCook,
    MetaNearestSTDP,
    NearestSTDP,
    Normalize,
    PairSTDP,
    PostPreInt,
    Scaling,
    TripletSTDP,
    VogelsSTDP,
)
from nbsnn.synapses import Alpha, Delta, DoubleExponential, Exponential, TsodyksMarkram

from .test_network_plasticity import dense, learner, same, shape_of, trains

COURSES = [Delta(), Exponential(4.0), Alpha(3.0), DoubleExponential(1.0, 5.0), Exponential(3.0, reversal=2.0)]
RULES = {
    "pair": PairSTDP(0.1, 0.11),
    "nearest": NearestSTDP(0.1, 0.1, order="causal", bounds="soft"),
    "triplet": TripletSTDP(rate=10.0),
    "diehl-cook": DiehlCook(0.1, 0.05, w_max=3.0),
    "own": shape_of(0.1, 0.1),
    "rewarded": MSTDP(0.2),
    "eligible": MSTDPET(0.4, tau_e=12.0),
}


@pytest.mark.parametrize("synapse", COURSES, ids=str)
@pytest.mark.parametrize("gap", [-1.0, -0.1, 0.0, 0.1, 1.0])
def test_a_pair_counts_from_the_arrival_to_the_spike_through_any_synapse(synapse, gap):
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    pre, kick = net.spikes([3.0], [0], 1), net.spikes([4.9 + gap], [0], 1)
    cells = net.population(LIF(tau=10.0, v_threshold=0.5), 1)
    net.connect(kick, cells, nbsnn.AllToAll(), weight=1.0, delay=0.1)
    made = net.connect(
        pre,
        cells,
        nbsnn.AllToAll(),
        weight=1e-3,
        delay=2.0,
        synapse=synapse,
        plasticity=PairSTDP(0.01, 0.02, w_min=-1.0),
    )
    np.testing.assert_allclose(net.run(10.0).spikes(cells)[0], 5.0 + gap)
    expected = 0.01 * np.exp(-gap / 20.0) if gap > 0.0 else -0.02 * np.exp(gap / 20.0) if gap < 0.0 else 0.0
    np.testing.assert_allclose(made.weight - 1e-3, expected, atol=1e-12)


@pytest.mark.parametrize(("cell", "current"), [(ConductanceLIF(refractory=0.0), 1e5), (Izhikevich(), 1e3)], ids=str)
def test_a_pair_counts_so_through_conductances_too(cell, current):
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    pre, cells, steps = net.spikes([2.0], [0], 1), net.population(cell, 1), np.zeros((100, 1))
    steps[31] = current
    net.inject(cells, steps, every=0.1)
    synapse = Exponential(5.0, reversal=0.0)
    made = net.connect(
        pre, cells, nbsnn.AllToAll(), weight=1e-6, delay=1.0, synapse=synapse, plasticity=PairSTDP(0.01, 0.01)
    )
    times = net.run(8.0).spikes(cells)[0]
    assert 3.1 < times[0] < 3.5
    np.testing.assert_allclose(made.weight - 1e-6, 0.01 * np.exp(-(times - 3.0) / 20.0).sum(), rtol=1e-9)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("delay", [1, 3])
def test_rules_equal_dense_ones_through_synapses_with_a_course(name, delay):
    rule = RULES[name]
    net, made = learner(rule, delay=float(delay), synapse=Exponential(4.0), sizes=(25, 6))
    net.build()
    start, given = made.weight.copy(), {}
    if made.kind.waits:
        made.reward = given["reward"] = 0.7
    arrived, spiked = trains([net.run(120.0)], net, 120, delay)
    learned = rule.run(dense(made, start), arrived, spiked, device="python", **given).weights[made.pre, made.post]
    assert np.abs(made.weight - start).max() > 0.02
    np.testing.assert_allclose(made.weight, learned, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "rule",
    [MetaNearestSTDP(0.1, 0.05, 20.0, 30.0), PairSTDP(0.1, 0.11, normalize=Normalize(4.0, "every"))],
    ids=["steered", "normalised"],
)
def test_so_do_rules_that_keep_a_factor_per_unit(rule):
    net, made = learner(rule, delay=2.0, synapse=Alpha(3.0), pattern=nbsnn.AllToAll(), sizes=(20, 6))
    net.build()
    start = np.array(made.weight)
    arrived, spiked = trains([net.run(100.0)], net, 100, 2)
    learned = rule.run(dense(made, start), arrived, spiked, device="python").weights
    np.testing.assert_allclose(made.weight, learned[made.pre, made.post], rtol=1e-10)


def test_so_does_the_rule_in_integers():
    rule = PostPreInt(-800, 5000, w_max=60)
    net = nbsnn.Network(dt=1.0, seed=5, device="python")
    source, cells = (
        net.poisson(14, 150.0, name="source"),
        net.population(LIF(tau=10.0, v_threshold=60.0), 9, name="cells"),
    )
    made = net.connect(
        source, cells, nbsnn.AllToAll(), weight=nbsnn.values.Uniform(0.0, 50.0), delay=2.0, synapse=Exponential(3.0),
        plasticity=rule,
    )  # fmt: skip
    net.build()
    start = dense(made, made.weight).astype(np.int32)
    arrived, spiked = trains([net.run(80.0)], net, 80, 2)
    learned = rule.run(start, arrived, spiked, draws=made.draws, device="python").weights
    np.testing.assert_array_equal(made.weight, learned[made.pre, made.post])


@pytest.mark.parametrize("synapse", [Delta(), Exponential(4.0)], ids=str)
def test_a_spike_travels_with_the_weight_from_before_the_step_of_its_arrival(synapse):
    """What arrives, by a rule that adds 1 to the weight at every arrival: 1, then 2, then 3 times as much."""
    rule = nbsnn.plasticity.Rule(lambda w, pre, post: (0.0, 1.0 * pre), bounds="none")
    net = nbsnn.Network(dt=0.5, dtype=np.float64, device="python")
    source, cells = net.spikes([1.0, 1.5, 3.0], [0, 0, 0], 1), net.population(LIF(tau=20.0, v_threshold=99.0), 1)
    made = net.connect(source, cells, nbsnn.OneToOne(), weight=1.0, delay=1.5, synapse=synapse, plasticity=rule)
    fixed = nbsnn.Network(dt=0.5, dtype=np.float64, device="python")
    thrice, others = fixed.spikes([1.0, 1.5, 3.0], [0, 1, 2], 3), fixed.population(LIF(tau=20.0, v_threshold=99.0), 1)
    fixed.connect(thrice, others, nbsnn.AllToAll(), weight=[1.0, 2.0, 3.0], delay=1.5, synapse=synapse)
    one, other = net.run(8.0, record={cells: "v"}), fixed.run(8.0, record={others: "v"})
    np.testing.assert_allclose(one[cells, "v"], other[others, "v"], rtol=1e-12)
    assert made.weight[0] == 4.0


# Which of two spikes of one step comes first.


def together(rule, device="python"):
    """What a weight gains when a spike that arrives makes its target fire at once, sparse and dense."""
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device=device)
    pre, cells = net.spikes([1.0], [0], 1), net.population(LIF(tau=10.0, v_threshold=0.5), 1)
    made = net.connect(pre, cells, nbsnn.AllToAll(), weight=20.0, delay=1.0, plasticity=rule)
    np.testing.assert_allclose(net.run(5.0).spikes(cells)[0], [2.0])
    spike = np.ones((1, 1, 1))
    learned = rule.run(np.full((1, 1), 20.0), spike, spike, dt=0.1, device="python").weights
    np.testing.assert_allclose(made.weight, learned[0])
    return made.weight[0] - 20.0


@pytest.mark.parametrize("make", [PairSTDP, NearestSTDP])
def test_an_arrival_that_makes_its_target_fire_at_once_potentiates_by_the_causal_order(make):
    assert together(make(0.5, 0.25, w_max=50.0)) == 0.0
    assert together(make(0.5, 0.25, w_max=50.0, order="decay add use")) == pytest.approx(0.5 - 0.25)
    assert together(make(0.5, 0.25, w_max=50.0, order="causal")) == pytest.approx(0.5)


def test_the_causal_order_of_triplets_sees_earlier_spikes_alone_of_the_same_side():
    rule = TripletSTDP("hippocampal", w_max=50.0, order="causal")
    assert together(rule) == pytest.approx(6.1e-3)  # r1 = 1, o2 = 0: a2_plus; o1 = 0
    spikes = np.array([1.0, 0.0, 1.0]).reshape(3, 1, 1)
    learned = rule.run(np.full((1, 1), 20.0), spikes, spikes, device="python").weights[0, 0]
    up = 6.1e-3 + (1.0 + np.exp(-2.0 / 16.8)) * (6.1e-3 + 6.7e-3 * np.exp(-2.0 / 27.0))
    down = np.exp(-2.0 / 33.7) * (1.6e-3 + 1.4e-3 * np.exp(-2.0 / 946.0))
    assert learned == pytest.approx(20.0 + up - down, rel=1e-12)


SEEN = {"causal": "xy", "brian": "xy", "post_sees_pre": "xy", "pre_sees_post": "yx", "neither": "yy", "nest": "yy",
        "both": "xx"}  # fmt: skip
"""Name -> orders of the traces that spikes of the other side meet: x holds the spike of the same step, y does not."""


@pytest.mark.parametrize("name", SEEN)
def test_names_of_what_two_spikes_of_one_step_do_mean_the_same_to_all_rules(name):
    words = {"decay add use": "x", "decay use add": "y"}
    for make, traces in (
        (PairSTDP, "x y"), (NearestSTDP, "x y"), (VogelsSTDP, "x y"), (MSTDP, "x y"), (MSTDPET, "x y"),
        (MetaNearestSTDP, "x y"), (TripletSTDP, "r1 o1"), (DiehlCook, "x y1"),
    ):  # fmt: skip
        rule = make(order=name)
        every = {**rule.pre, **rule.post}
        assert "".join(words[every[trace].order] for trace in traces.split()) == SEEN[name]
        own = set(every) - set(traces.split())  # which spikes of their own side meet
        assert all(every[trace].order == "decay use add" for trace in own)
    with pytest.raises(TypeError, match="order"):
        PostPreInt(order=name)


def test_the_rules_whose_paper_says_it_have_their_order_by_default():
    for make, name in (DiehlCook, "brian"), (MetaNearestSTDP, "both"), (MSTDP, "both"), (VogelsSTDP, "nest"):
        for side in ("pre", "post"):
            assert dict(getattr(make(), side)) == dict(getattr(make(order=name), side))


def test_the_causal_order_of_a_rewarded_rule_and_one_that_there_is_not():
    traces = MSTDP(order="causal")
    assert (traces.pre["x"].order, traces.post["y"].order) == ("decay add use", "decay use add")
    for make in (PairSTDP, NearestSTDP, TripletSTDP, MSTDPET):
        with pytest.raises(ValueError, match=r"order must be one of 'causal', 'decay add use'.*, not 'acausal'"):
            make(order="acausal")


# Short-term plasticity of synapses that learn.


def tired(plastic, *, device="python", synapse=None, dtype=np.float64, delays=(0.5, 2.0, 0.5), **options):
    """Sources that fire more often than their delays are long, onto a cell that only listens."""
    net = nbsnn.Network(dt=0.1, seed=4, device=device, dtype=dtype)
    source, cells = net.poisson(4, 900.0), net.population(LIF(tau=20.0, v_threshold=99.0), 3, name="cells")
    for k, delay in enumerate(delays):
        net.connect(
            source, cells, nbsnn.AllToAll(), weight=np.linspace(0.2, 1.0, 12), delay=delay, synapse=synapse,
            short_term=TsodyksMarkram(U=0.5, tau_rec=20.0 + 60.0 * k, tau_facil=5.0 * k), plasticity=plastic, **options,
        )  # fmt: skip
    return net


STILL = {
    "pair": PairSTDP(0.0, 0.0),
    "rewarded": MSTDPET(0.0),
    "normalised": PairSTDP(0.0, 0.0, normalize=Normalize(4.0, "every")),
    "none but homeostasis": None,
}


@pytest.mark.parametrize("name", STILL)
@pytest.mark.parametrize("synapse", [Delta(), Exponential(4.0)], ids=str)
def test_each_spike_takes_its_own_share_along_synapses_that_learn(name, synapse):
    care = Scaling(0.0, 0.0, every=1.0) if name.startswith("none") else None
    learns, fixed = tired(STILL[name], synapse=synapse, homeostasis=care), tired(None, synapse=synapse)
    if name == "normalised":
        for net in (learns, fixed):
            net.build()
            for c in net.connections:
                c.weight = np.full(12, 1.0)
    v, w = (net.run(15.0, record={"cells": "v"})["cells", "v"] for net in (learns, fixed))
    np.testing.assert_allclose(v, w, rtol=1e-9)


def test_a_spike_that_waits_keeps_its_share_by_hand():
    """U = 0.5: shares 0.5 and 0.5 (1 - 0.5 exp(-2/100)); both spikes are fired before the first arrives."""
    net = nbsnn.Network(dt=1.0, dtype=np.float64, device="python")
    source, cells = net.spikes([1.0, 3.0], [0, 0], 1), net.population(LIF(tau=20.0, v_threshold=99.0), 1)
    short = TsodyksMarkram(U=0.5, tau_rec=100.0)
    net.connect(source, cells, nbsnn.OneToOne(), weight=1.0, delay=4.0, short_term=short, plasticity=PairSTDP(0.0, 0.0))
    v = net.run(7.0, record={cells: "v"})[cells, "v"][:, 0]
    assert v[4] == pytest.approx(0.5) and np.all(v[:4] == 0.0)
    assert v[6] == pytest.approx(0.5 * np.exp(-2.0 / 20.0) + 0.5 * (1.0 - 0.5 * np.exp(-2.0 / 100.0)))


@pytest.mark.parametrize("name", ["pair", "rewarded", "normalised"])
def test_shares_of_waiting_spikes_survive_pieces_states_and_resets(name, tmp_path):
    whole = tired(STILL[name])
    v = whole.run(8.0, record={"cells": "v"})["cells", "v"]
    net = tired(STILL[name])
    parts = [net.run(0.7, record={"cells": "v"})["cells", "v"]]
    net.state().save(tmp_path / "state.npz")
    net.run(3.0)
    for other in (net, tired(STILL[name])):
        other.restore(nbsnn.network.State.load(tmp_path / "state.npz"))
        rest = [other.run(t, record={"cells": "v"})["cells", "v"] for t in (0.1, 1.2, 6.0)]
        np.testing.assert_array_equal(np.concatenate([*parts, *rest]), v)
    net.reset()
    np.testing.assert_array_equal(net.run(8.0, record={"cells": "v"})["cells", "v"], v)


# What goes on while a connection does not learn.


PAUSED = {
    **RULES,
    "steered": MetaNearestSTDP(0.1, 0.05, 20.0, 30.0),
    "normalised": PairSTDP(0.1, 0.11, normalize=Normalize(4.0, "every")),
}
PIECES = ((20, True), (3, False), (25, True), (40, False), (30, True))  # steps, and whether the connection learns


@pytest.mark.parametrize("name", PAUSED)
def test_traces_and_eligibility_go_on_in_a_pause(name):
    rule, options = PAUSED[name], {"pattern": nbsnn.AllToAll(), "sizes": (20, 6)}
    net, made = learner(rule, delay=2.0, **options)
    net.build()
    start, given = np.array(made.weight), {}
    if made.kind.waits:
        made.reward = 0.7
    runs = []
    for steps, learns in PIECES:
        made.learning = learns
        before = np.array(made.weight)
        runs.append(net.run(float(steps)))
        assert learns == bool(np.any(made.weight != before))
    arrived, spiked = trains(runs, net, 118, 2)
    weights, first = dense(made, start), 0
    state = rule.initial(1, weights)
    for steps, learns in PIECES:
        part, kept = slice(first, first + steps), weights.copy()
        if made.kind.waits:
            given["reward"] = 0.7 if learns else 0.0
        after = rule.run(weights, arrived[part], spiked[part], state, device="python", **given).state
        if not learns:
            weights, after = kept, {**after, **{k: state[k] for k in ("m", "M") if k in state}}
        state, first = after, first + steps
    np.testing.assert_allclose(made.weight, weights[made.pre, made.post], rtol=1e-9, atol=1e-12)


def test_integer_traces_go_on_in_a_pause():
    rule = PostPreInt(0, 1 << 14, w_max=500)
    net = nbsnn.Network(dt=1.0, device="python")
    pre, kick = net.spikes([1.0], [0], 1), net.spikes([29.0], [0], 1)
    cells = net.population(LIF(tau=5.0, v_threshold=100.0), 1)
    net.connect(kick, cells, nbsnn.AllToAll(), weight=500.0)
    made = net.connect(pre, cells, nbsnn.AllToAll(), weight=0.0, plasticity=rule)
    net.run(4.0)
    made.learning = False
    net.run(20.0)
    made.learning = True
    net.run(10.0)
    trace = 127
    for _ in range(28):  # from the arrival at 2 ms to the spike at 30 ms
        trace = trace * 31169 >> 15
    assert made.weight[0] == trace > 10


def test_mean_rates_go_on_in_a_pause():
    care = Scaling(40.0, 2e-3, every=5.0, tau=50.0)
    one, held = (learner(PairSTDP(0.0, 0.0), homeostasis=care, weight=0.5) for _ in range(2))
    one[0].run(20.0)
    held[0].run(18.0)
    weights = held[1].weight.copy()
    held[1].learning = False
    held[0].run(2.0)
    run = held[0].run(30.0)
    np.testing.assert_array_equal(held[1].weight, weights)
    rates = one[0].layout.rates.copy()
    times, units = run.spikes("cells")
    assert len(times) > 10
    for k in range(6):
        part = (times > 20.0 + 5.0 * k + 1e-6) & (times < 25.0 + 5.0 * k + 1e-6)
        rates += (1.0 - np.exp(-5.0 / 50.0)) * (200.0 * np.bincount(units[part], minlength=6) - rates)
    np.testing.assert_allclose(held[0].layout.rates[:6], rates[:6], rtol=1e-12)


def test_a_rule_may_pause_from_the_start_in_a_callback_and_in_a_state():
    def network():
        net, made = learner(MSTDPET(0.4, tau_e=30.0), delay=2.0)
        made.reward = 0.5
        return net, made

    net, made = network()
    net.run(20.0, callback=lambda n: setattr(made, "learning", n.step >= 12), callback_every=1.0)
    other, same_ = network()
    other.run(1.0)
    same_.learning = False
    other.run(11.0)
    same_.learning = True
    other.run(8.0)
    np.testing.assert_allclose(made.weight, same_.weight, rtol=1e-12)
    learning, (idle, paused) = net.state(), network()
    paused.learning = False
    idle.restore(learning)
    np.testing.assert_allclose(paused.weight, made.weight, rtol=1e-12)
    idle.run(5.0)
    np.testing.assert_allclose(paused.weight, made.weight, rtol=1e-12)
    net.restore(idle.state())  # of a network that pauses into one that learns
    np.testing.assert_allclose(made.weight, paused.weight, rtol=1e-12)
    net.run(5.0)
    assert np.any(made.weight != paused.weight)
    early, never = network()
    never.learning = False
    early.build()
    start = never.weight.copy()
    early.run(30.0)
    np.testing.assert_array_equal(never.weight, start)
    never.learning = True
    np.testing.assert_array_equal(never.weight, start)
    early.run(1.0)
    assert np.any(never.weight != start)  # what became eligible in the pause meets the reward now
    with pytest.raises(TypeError, match="learning must be True or False, not 'no'"):
        never.learning = "no"


@pytest.mark.long
def test_compiled_threads_and_pieces_change_no_bit_of_shares_and_pauses(monkeypatch):
    import nbsnn.network.loop as loops

    def everything(device, pieces):
        net = tired(MSTDPET(0.1), device=device, dtype=np.float32, synapse=Exponential(3.0))
        cells = net.population(LIF(tau=5.0, v_threshold=0.5), 40, name="more")
        net.connect(
            "cells", cells, nbsnn.AllToAll(), weight=0.3, delay=0.3, plasticity=PairSTDP(0.1, 0.1, order="causal")
        )
        for k, steps in enumerate(pieces):
            for c in net.connections:
                if c.kind.waits:
                    c.reward = 0.5
            net.connections[0].learning = k % 2 == 0
            net.run(steps)
        return [*net.state().arrays.values(), *(np.array(c.weight) for c in net.connections)]

    nbsnn.set_threads(1)
    whole = everything("python", [3.0, 2.0, 6.0])
    monkeypatch.setattr(loops, "SHARE", 1)
    nbsnn.set_threads(3)
    same(whole, everything("cpu", [3.0, 2.0, 6.0]))
    nbsnn.set_threads(None)


@pytest.mark.parametrize(("modulus", "slots"), [(0, 0), (10, [3, 1, 7, 2, 5, 0])])
def test_rows_are_cut_where_their_targets_pass_a_border(modulus, slots):
    targets = np.array([1, 4, 5, 7, 2, 9])
    bounds = np.array([[0, 0, 0, 4], [4, 0, 0, 6]])
    cut(targets + modulus * np.array(slots), np.array([0, 3, 6, 10]), modulus, bounds)
    assert bounds.tolist() == [[0, 1, 3, 4], [4, 5, 5, 6]]
