"""Stacks: the compact way equals the plain one in values, gradients and records, with any neuron, within any budget."""

import copy
import functools
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nbsnn
from nbsnn import BPTT, Dense, Dropout, Recurrent, Sequential, losses
from nbsnn.layers.fused import block as block_module
from nbsnn.layers.fused import layout
from nbsnn.layers.fused import memory_plan as plan_module
from nbsnn.layers.fused.block_tape import BlockGradients, BlockTape, Workspace
from nbsnn.layers.fused.network import fuse
from nbsnn.layers.fused.stack import StackTape
from nbsnn.neurons import ALIF, IF, LI, LIF, CubaLIF
from nbsnn.spikes.packed import PackedSpikes

from .graded import GRADED

BOUNDS = {np.float32: 1e-5, np.float64: 1e-12}


def spikes(shape, rate=0.2, dtype=np.float32, seed=0):
    return (np.random.default_rng(seed).random(shape) < rate).astype(dtype)


def network(neuron, path="auto", loop=False, bias=True, hidden=70, n_pre=40, last=None, dtype=np.float32, seed=0, **kw):
    first = Dense(n_pre, hidden, bias=bias, path=path, weight=nbsnn.init.normal(0.0, 0.4))
    back = Dense(hidden, hidden, bias=bias, path=path, weight=nbsnn.init.normal(0.0, 0.1))
    middle = Recurrent(neuron, back) if loop else neuron
    return Sequential(first, middle, Dense(hidden, 6, path=path), last or LI(), seed=seed, dtype=dtype, **kw)


def gradients(net, x, target, loss=losses.step_mse, **options):
    learner = BPTT(net, loss, **options)
    value, grads = learner.gradients(x, target)
    return value, {name: g.copy() for name, g in grads.items()}, learner


def same(one, other, bound):
    assert abs(one[0] - other[0]) <= bound * abs(one[0])
    assert one[1].keys() == other[1].keys()
    for name, g in one[1].items():
        assert np.any(g), name
        np.testing.assert_allclose(other[1][name], g, rtol=0, atol=bound * np.abs(g).max(), err_msg=name)


def small(learner, k):
    """What block ``k`` of a network that is one stack left of its run."""
    return learner.tape["dense1"].blocks[k]


def target_of(x, seed=2):
    return np.random.default_rng(seed).random((*x.shape[:2], 6)).astype(x.dtype)


NEURONS = {
    "lif": lambda: LIF(2.0, 0.5),
    "soft, learned": lambda: LIF(2.0, 0.5, v_reset=None, learn=("tau", "v_threshold", "initial_v")),
    "own parameters": lambda: LIF(np.linspace(1.5, 4.0, 70), 0.5, learn=("tau",)),
    "two states": lambda: CubaLIF(),
    "three numbers": lambda: ALIF(learn=("v_threshold",)),
}


LONG = ("own parameters", "three numbers", "two states", "soft, learned")  # compiling takes seconds


@pytest.mark.parametrize("loop", [pytest.param(False, marks=pytest.mark.long), True])
@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.long) if n in LONG else n for n in NEURONS])
def test_compact_gradients_and_records_equal_plain_ones(name, loop):
    x = spikes((14, 3, 40), dtype=np.float64)
    results = []
    for compact in (False, True):
        net = network(NEURONS[name](), "events", loop, dtype=np.float64)
        value, grads, learner = gradients(net, x, target_of(x), compact=compact)
        assert (learner.net is not net) == compact
        layer = learner.net.record(learner.tape, list(net.children)[1])
        layer = layer["neurons"] if loop else layer
        results.append((value, grads, {variable: layer[variable].copy() for variable in layer}))
    same(results[0], results[1], 1e-12)
    for variable, values in results[0][2].items():
        np.testing.assert_allclose(results[1][2][variable], values, rtol=1e-9, atol=1e-12, err_msg=variable)


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize(("bytes_less", "hidden"), [(0, 5), (1, 5), (10**6, 5), (10**6, 67)])
def test_interpreted_with_parameters_of_units_that_learn(loop, bytes_less, hidden, monkeypatch):
    """All that a neuron can have, with all currents kept, and with as few as a budget leaves; also in two lines."""
    monkeypatch.setattr(plan_module, "EVERY", 4)
    monkeypatch.setattr(layout.prefetch, "filling", dict)
    monkeypatch.setattr(layout, "kernel", functools.partial(layout.kernel, device="python"))
    neuron = LIF(
        np.linspace(1.5, 3.0, hidden), np.linspace(0.3, 0.5, hidden), learn=("tau", "v_threshold", "initial_v")
    )
    x, results = spikes((9, 3, 6) if hidden < 9 else (5, 2, 6), 0.4, np.float64), []
    for compact in (False, True):
        net = network(
            neuron, "events", loop, hidden=hidden, n_pre=6, dtype=np.float64, device="cpu" if compact else "python"
        )
        learner, options = BPTT(net, losses.step_mse, compact=compact), {}
        if compact and bytes_less:
            (plan,) = learner.plan(*x.shape[:2]).values()
            with pytest.raises(ValueError, match="at least") as refusal:
                BPTT(net, losses.step_mse, max_bytes=1).plan(*x.shape[:2])
            least = int(str(refusal.value).split("at least ")[1].split()[0])
            options["max_bytes"] = max(least, plan.bytes - bytes_less)
        results.append(gradients(net, x, target_of(x), compact=compact, **options))
    same(results[0], results[1], 1e-12)


@settings(max_examples=25)
@given(
    st.integers(1, 20), st.integers(1, 7), st.integers(1, 90), st.integers(1, 90), st.floats(0.0, 1.0),
    st.sampled_from([("events", "dense"), ("dense", "events"), ("auto", "dense")]), st.booleans(), st.booleans(),
    st.sampled_from([np.float32, np.float64]), st.integers(0, 99),
)  # fmt: skip
def test_event_path_equals_dense_path_on_random_networks(
    steps, batch, n_pre, hidden, rate, paths, loop, bias, dtype, seed
):
    x, results = spikes((steps, batch, n_pre), rate, dtype, seed), []
    # Smooth errors and weak weights: a membrane at the threshold must not spike in one and not in the other.
    for path in paths:
        net = network(LIF(2.0, 0.77), path, loop, bias, hidden, n_pre, dtype=dtype, seed=seed)
        value, grads, learner = gradients(net, x, target_of(x))
        results.append((value, grads, learner.output.copy()))
    (a, ga, ya), (b, gb, yb) = results
    if dtype is np.float32 and np.abs(ya - yb).max() > 1e-3:
        return  # rounding moved a spike
    assert abs(a - b) <= BOUNDS[dtype] * max(abs(a), 1e-3)
    for name in ga:
        np.testing.assert_allclose(gb[name], ga[name], rtol=0, atol=BOUNDS[dtype] * max(np.abs(ga[name]).max(), 1e-3))


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("units", [1, 21, 63, 64, 65, 100])
@pytest.mark.parametrize(
    "neuron",
    [
        lambda: LIF(2.0, 0.45, v_rest=0.5),
        pytest.param(lambda: IF(drain=-0.3), marks=pytest.mark.long),
        pytest.param(lambda: CubaLIF(v_threshold=0.4, v_rest=0.5), marks=pytest.mark.long),
        pytest.param(lambda: LIF(np.full(1, 2.0), -0.1, v_reset=-1.0), marks=pytest.mark.long),
    ],
)
def test_units_that_fire_by_themselves_fire_only_where_there_are_units(neuron, units, loop):
    x, results = spikes((9, 3, 40), 0.1, np.float64), []
    for compact in (False, True):
        both = [Recurrent(neuron()), Recurrent(neuron())] if loop else [neuron(), neuron()]
        parts = Dense(40, units, path="events"), both[0], Dense(units, units, path="events"), both[1], Dense(units, 6)
        net = Sequential(*parts, LI(), seed=0, dtype=np.float64)
        results.append(gradients(net, x, target_of(x), compact=compact))
        for k in (0, 1):
            layer = results[-1][2].net.record(results[-1][2].tape, list(net.children)[2 * k + 1])
            results[-1] += ((layer["neurons"] if loop else layer)["spikes"],)
    same(results[0], results[1], 1e-12)
    for k in (3, 4):
        assert results[0][k].any()
        np.testing.assert_array_equal(results[1][k], results[0][k])
    for k in (0, 1):
        bits = small(results[1][2], k).spikes.bits
        assert not np.unpackbits(bits.view(np.uint8), axis=1, bitorder="little")[:, units:].any()


def test_truncated_gradients_and_states_between_chunks():
    x = spikes((13, 3, 40), dtype=np.float64)
    plain, compact = (
        gradients(network(LIF(2.0, 0.5), "events", True, dtype=np.float64), x, target_of(x), chunk=5, compact=c)
        for c in (False, True)
    )
    same(plain, compact, 1e-12)


@pytest.mark.parametrize("neuron", [lambda: LIF(2.0, 0.5), pytest.param(CubaLIF, marks=pytest.mark.long)])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("units", [30, 70])
def test_states_outlive_the_next_run(neuron, batch, units):
    x = spikes((7, batch, 40), 0.3, np.float64)
    net = Sequential(Dense(40, units), neuron(), Dense(units, 6), LI(), seed=0, dtype=np.float64)
    stack, tape = fuse(net), {}
    _, final = stack.forward(x, stack.initial(batch), tape)
    kept = copy.deepcopy(final)
    _, after = stack.forward(x[::-1].copy(), final, tape)
    for layer, states in final.items():
        for name, state in states.items():
            np.testing.assert_array_equal(state, kept[layer][name], err_msg=f"{layer} {name}")
            assert (state != after[layer][name]).any()
    for chunk in (2, 3, 4):  # the last chunk is shorter
        plain, compact = (
            BPTT(net, lambda y, target: ((y**2).sum(), 2.0 * y), chunk=chunk, compact=c).gradients(x, None)[1]
            for c in (False, True)
        )
        for name, gradient in plain.items():
            np.testing.assert_allclose(compact[name], gradient, rtol=1e-11, atol=1e-11, err_msg=f"{name}, {chunk}")


def test_an_input_that_is_no_spikes_and_layers_that_make_no_stack():
    x = np.random.default_rng(3).normal(0.5, 1.0, (9, 4, 40))
    results = []
    for compact in (False, True):
        parts = Dense(40, 30), LIF(2.0, 0.5), Dropout(0.5), Dense(30, 30), LIF(2.0, 0.5), Dense(30, 6), LI()
        results.append(gradients(Sequential(*parts, seed=1, dtype=np.float64), x, target_of(x), compact=compact))
    names = [list(part.children) for part in results[1][2].net.parts]
    assert names == [["dense1", "lif1"], ["dropout1"], ["dense2", "lif2", "dense3", "li1"]]
    same(results[0], results[1], 1e-12)


def test_an_input_that_does_not_change_runs_plainly_and_its_spikes_in_a_stack():
    x = np.broadcast_to(np.random.default_rng(3).normal(0.5, 1.0, (1, 4, 40)), (9, 4, 40))
    plain, compact = (
        gradients(network(LIF(2.0, 0.5), dtype=np.float64), x, target_of(x), compact=c) for c in (False, True)
    )
    assert compact[2].tape["dense1"].first == 1
    same(plain, compact, 1e-12)


def test_a_loop_that_runs_plainly_beside_a_population_in_no_stack_starts_from_its_own_state():
    x, results = np.broadcast_to(spikes((1, 5, 40), 0.3, np.float64), (9, 5, 40)), []
    for compact in (False, True):
        loop = network(LIF(2.0, 0.5), loop=True).children.values()
        net = Sequential(*loop, Dropout(0.0), LIF(2.0, 0.1), seed=1, dtype=np.float64)
        results.append(gradients(net, x, target_of(x), compact=compact))
    assert results[1][2].tape["dense1"].first == 1
    same(*results, 1e-12)


def test_regularised_spikes():
    x = spikes((9, 4, 40), dtype=np.float64)
    regularizers = {"lif1": pull_up}
    plain, compact = (
        gradients(network(LIF(2.0, 0.5), dtype=np.float64), x, target_of(x), compact=c, regularizers=regularizers)
        for c in (False, True)
    )
    same(plain, compact, 1e-12)


def pull_up(s):
    return float(((s - 0.3) ** 2).sum()), 2.0 * (s - 0.3)


def test_a_population_that_puts_out_other_numbers_than_spikes_runs_plainly():
    x = spikes((9, 4, 40), dtype=np.float64)
    plain, compact = (gradients(network(GRADED, dtype=np.float64), x, target_of(x), compact=c) for c in (False, True))
    assert compact[2].tape["dense1"].first == 1
    same(plain, compact, 1e-12)


# The network that trains


def test_a_learner_shows_what_trains_and_shares_its_layers():
    parts = Dense(40, 30), LIF(2.0, 0.5), Dropout(0.5), Dense(30, 30), Recurrent(LIF()), Dense(30, 6), LI()
    net = Sequential(*parts, seed=1)
    learner = BPTT(net, losses.step_mse)
    assert [type(part).__name__ for part in learner.net.parts] == ["FusedStack", "Part", "FusedStack"]
    assert str(learner.net).splitlines()[:3] == ["FusedNetwork(", "  FusedStack(", "    dense1: Dense(40, 30)"]
    assert learner.net.unfused() is net and BPTT(learner.net, losses.step_mse).net.unfused() is net
    assert learner.net["recurrent1/feedback"] is net["recurrent1/feedback"]
    assert list(learner.net.parameters()) == list(net.parameters())
    assert BPTT(net, losses.step_mse, compact=False).net is net
    assert BPTT(Sequential(Dense(4, 2), Dense(2, 2)), losses.step_mse).net.unfused().children.keys() == {
        "dense1",
        "dense2",
    }


def test_parameters_that_change_after_the_learner_was_made_train_on():
    x, outcomes = spikes((9, 4, 40)), []
    for early in (True, False):
        net, other = network(LIF(2.0, 0.5), seed=1), network(LIF(2.0, 0.5), seed=2)
        learner = BPTT(net, losses.step_mse) if early else None
        for name, array in other.parameters().items():
            net[name.rpartition("/")[0]].params[name.rpartition("/")[2]] = array
        outcomes.append(gradients_of(learner or BPTT(net, losses.step_mse), x))
    assert outcomes[0][0] == outcomes[1][0]
    for name, g in outcomes[0][1].items():
        np.testing.assert_array_equal(outcomes[1][1][name], g)


def gradients_of(learner, x):
    value, grads = learner.gradients(x, target_of(x))
    return value, {name: g.copy() for name, g in grads.items()}


@pytest.mark.parametrize("rule", [BPTT, nbsnn.OTTT, nbsnn.SLTT])
def test_a_layer_that_is_replaced_after_the_learner_was_made_is_noticed(rule):
    net, x = network(LIF(2.0, 0.5)), spikes((9, 4, 40))
    learner, old = rule(net, losses.step_mse), net.children["dense1"]
    net.children["dense1"] = network(LIF(2.0, 0.5)).children["dense1"]
    with pytest.raises(ValueError, match="replaced since this learner was made: dense1"):
        learner.step(x, target_of(x))
    net.children["dense1"] = old
    assert np.isfinite(learner.step(x, target_of(x)))


def test_a_learners_network_is_saved_run_and_copied_as_the_one_it_was_given(tmp_path):
    net, x = network(LIF(2.0, 0.5)), spikes((9, 4, 40))
    learner = BPTT(net, losses.step_mse)
    nbsnn.save(learner.net, tmp_path / "net")
    np.testing.assert_array_equal(nbsnn.load(tmp_path / "net").run(x).output, net.run(x).output)
    np.testing.assert_array_equal(learner.net.run(x).output, net.run(x).output)
    assert str(nbsnn.report(learner.net, x)) == str(nbsnn.report(net, x))
    for other in (copy.deepcopy(learner), pickle.loads(pickle.dumps(learner))):
        assert other.net.unfused() is not net and other.net.children is other.net.unfused().children
        assert other.step(x, target_of(x)) == BPTT(net, losses.step_mse).gradients(x, target_of(x))[0]
        assert not np.array_equal(other.net["dense1"].params["weight"], net["dense1"].params["weight"])


# Memory


@pytest.mark.parametrize("path", ["events", "dense"])
@pytest.mark.parametrize("loop", [False, True])
def test_a_budget_changes_no_bit(loop, path, monkeypatch):
    monkeypatch.setattr(
        plan_module, "LOOP_BYTES" if loop else "LINE_BYTES", 2 * 30 * (128 if loop else 64) * 4
    )  # three samples of seven at a time
    x, kept = spikes((30, 7, 40)), []
    most = BPTT(network(LIF(2.0, 0.5), path, loop), losses.step_mse).plan(30, 7)
    (plan,) = most.values()
    with pytest.raises(ValueError, match="at least") as refusal:
        BPTT(network(LIF(2.0, 0.5), path, loop), losses.step_mse, max_bytes=1).plan(30, 7)
    least = int(str(refusal.value).split("at least ")[1].split()[0])
    results = []
    for max_bytes in (None, plan.bytes - 1, least):
        net = network(LIF(2.0, 0.5), path, loop)
        results.append(gradients(net, x, target_of(x), max_bytes=max_bytes))
        found = small(results[-1][2], 1).plan
        assert max_bytes is None or found.bytes <= max_bytes
        kept.append((found.listed, sum(found.kept.values())))
        record = results[-1][2].net.record(results[-1][2].tape, list(net.children)[1])
        results[-1] += ((record["neurons"] if loop else record)["v"],)
    assert kept[0] == (True, 2) and not kept[1][0] and kept[2] == (False, 0)
    for other in results[1:]:
        assert other[0] == results[0][0]
        for name, g in results[0][1].items():
            np.testing.assert_array_equal(other[1][name], g)
        np.testing.assert_array_equal(other[3], results[0][3])


def test_currents_that_are_made_again_change_no_bit(monkeypatch):
    x, results = spikes((30, 7, 40), 0.1), []
    for far in (2**22, 0):
        monkeypatch.setattr(block_module, "FAR", far)
        net = network(LIF(2.0, 0.5), "events", hidden=200)
        results.append((*gradients(net, x, target_of(x)), net))
        learner = results[-1][2]
        assert small(learner, 0).kept == bool(far) and small(learner, 1).kept  # many spikes in between
    v = [learner.net.record(learner.tape, "lif1")["v"] for _, _, learner, _ in results]
    np.testing.assert_array_equal(v[1], v[0])
    assert results[1][0] == results[0][0]
    for name, g in results[0][1].items():
        np.testing.assert_array_equal(results[1][1][name], g)


def test_a_budget_that_is_too_small_says_what_is_needed():
    learner = BPTT(network(LIF()), losses.step_mse, max_bytes=1000)
    with pytest.raises(ValueError, match="max_bytes is 1000, but T = 30 and a batch of 7 take at least"):
        learner.plan(30, 7)
    with pytest.raises(ValueError, match="max_bytes is 1000"):
        learner.gradients(spikes((30, 7, 40)), np.zeros((30, 7, 6), np.float32))
    assert learner.iteration == 0
    with pytest.raises(ValueError, match="needs compact=True"):
        BPTT(network(LIF()), losses.step_mse, max_bytes=10**9, compact=False)


def test_the_tape_takes_no_more_than_the_plan_says():
    net = network(LIF(2.0, 0.5), "events", loop=True, hidden=200)
    learner = BPTT(net, losses.step_mse)
    (plan,) = learner.plan(40, 16).values()
    x = spikes((40, 16, 40))
    learner.gradients(x, target_of(x))
    assert 0.2 * plan.bytes < taken(learner.tape) <= plan.bytes
    assert "together" in str(plan)


def taken(tape, seen=None):
    """Bytes of all arrays in a tape, each counted once."""
    seen = {} if seen is None else seen
    for value in tape.values():
        if isinstance(value, StackTape):
            taken(dict(enumerate(value.blocks)), seen)
        elif isinstance(value, (BlockTape, BlockGradients, Workspace)):
            taken(vars(value), seen)
        elif isinstance(value, dict):
            taken(value, seen)
        elif isinstance(value, np.ndarray):
            while isinstance(value.base, np.ndarray):
                value = value.base
            seen[id(value)] = value.nbytes
    return sum(seen.values())


def test_threads_do_not_change_results(monkeypatch):
    from nbsnn.device import threads as device

    monkeypatch.setattr(device, "SERIAL", 0)
    x, results = spikes((12, 5, 40)), []
    for threads in (1, 2, 3, 7):  # 7: more than samples, so that lines are shared out
        nbsnn.set_threads(threads)
        results.append(gradients(network(LIF(2.0, 0.5), "events", hidden=200), x, target_of(x)))
    nbsnn.set_threads(None)
    for other in results[1:]:
        for name, g in results[0][1].items():
            np.testing.assert_array_equal(other[1][name], g)


# Packed spikes


@settings(max_examples=30)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 200), st.floats(0.0, 1.0), st.integers(0, 99))
def test_packed_spikes_are_the_spikes(steps, batch, units, rate, seed):
    x = spikes((steps, batch, units), rate, seed=seed)
    packed = PackedSpikes.of(x, {})
    rows = x.transpose(1, 0, 2).reshape(-1, units)
    np.testing.assert_array_equal(packed.index, np.nonzero(rows)[1])
    np.testing.assert_array_equal(np.diff(packed.start), rows.sum(1))
    np.testing.assert_array_equal(packed.dense(np.float32), x)
    np.testing.assert_array_equal(packed.at(steps - 1), x[-1])
    start, index = PackedSpikes.of(x, {}, listed=False).rows(1 % len(rows), len(rows))
    np.testing.assert_array_equal(index, np.nonzero(rows[1 % len(rows) :])[1])
    assert len(start) == len(rows) + 1 - 1 % len(rows)


def test_other_numbers_and_high_activity_are_no_packed_spikes():
    x = spikes((100, 10, 70), 0.1)
    assert PackedSpikes.of(x, {}, 0.2) is not None
    assert PackedSpikes.of(x, {}, 0.05) is None
    for place in ((0, 0, 3), (51, 3, 3), (99, 9, 69)):  # seen by the sample of rows or not, in a whole word or not
        for value in (0.5, -1.0, 2.0, np.nan):
            other = x.copy()
            other[place] = value
            assert PackedSpikes.of(other, {}) is None


def test_layers_may_be_called_as_they_please():
    named = {"runs": Dense(40, 30), "compact": LIF(2.0, 0.5), "shared": Dense(30, 6), "small": LI()}
    x = spikes((9, 4, 40), dtype=np.float64)
    plain, compact = (
        gradients(Sequential(**named, dtype=np.float64), x, target_of(x), compact=c) for c in (False, True)
    )
    same(plain, compact, 1e-12)
