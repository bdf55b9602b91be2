"""Windows of steps in online rules: gradients equal those of one step after the other, for all that may stand in a
network, and what they cost in memory is bounded."""

from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn import (
    OTTT,
    SLTT,
    AvgPool2d,
    Conv2d,
    Delay,
    Dense,
    Dropout,
    Flatten,
    Identity,
    MaxPool2d,
    Parallel,
    Recurrent,
    Residual,
    Sequential,
    TemporalConv,
)
from nbsnn.device.products import add_product
from nbsnn.device.threads import set_threads
from nbsnn.layers.spike_trace import LowPass
from nbsnn.learning import windows
from nbsnn.losses import StepCrossEntropy, StepMSE
from nbsnn.neurons import LI, LIF

from .graded import GRADED

T, B = 11, 3
RNG = np.random.default_rng(0)
X = (RNG.random((T, B, 4)) < 0.5).astype(float)
IMAGES = (RNG.random((T, B, 1, 4, 4)) < 0.5).astype(float)
EACH = RNG.integers(0, 3, (T, B))
rules = pytest.mark.parametrize("rule", [OTTT, SLTT])


def lif(**options):
    return LIF(**{"tau": 3.0, "v_threshold": 0.4, "detach_reset": True, **options})


def plain():
    return [Dense(4, 6), lif(), Dense(6, 5), lif(), Dense(5, 3), LI(3.0)]


def learned():
    decays = np.linspace(2.0, 5.0, 6)
    return [Dense(4, 6), lif(tau=decays, learn=("tau", "initial_v")), Dense(6, 3), lif(learn=("tau", "v_threshold"))]


def branched():
    branches = Parallel(Dense(6, 4), Sequential(Identity(), Dense(6, 4), lif()), join="sum")
    block = Residual(Dense(6, 6), lif(), shortcut=Dense(6, 6))
    beside = Parallel(lif(tau=2.0), Sequential(Dropout(0.3), lif(tau=4.0)))
    return [Dense(4, 6), Residual(Identity(), lif()), Dropout(0.3), block, branches, beside, Dense(8, 3), LI(3.0)]


def images():
    soft = lif(v_threshold=0.1)
    front = [Conv2d(1, 2, 3, padding=1), soft, AvgPool2d(2, stride=1), Conv2d(2, 3, 2), soft, MaxPool2d(2, stride=1)]
    return [*front, Conv2d(3, 2, 1), soft, Flatten(), Dense(2, 3), LI(3.0)]


def products():
    blocks = Residual(Dense(6, 6), lif(v_threshold=0.1), join="and"), Residual(Dense(6, 6), lif(), join="iand")
    return [Dense(4, 6), lif(v_threshold=0.1), *blocks, Dense(6, 3), LI(3.0)]


def looped():
    return [Dense(4, 6), Recurrent(lif()), Delay(1), Dense(6, 6), lif(), TemporalConv(6, 3, 2), LI(3.0)]


def net(layers, **options):
    shape = (1, 4, 4) if layers is images else 4
    return Sequential(
        *layers(), **{"input_shape": shape, "seed": 1, "dtype": np.float64, "device": "python", **options}
    )


def found(learner, x, target):
    value, grads = learner.gradients(x, target)
    return value, {name: g.copy() for name, g in grads.items()}, learner.output.copy()


def assert_same(one, other, bound):
    assert one[0] == pytest.approx(other[0], rel=bound)
    np.testing.assert_allclose(one[2], other[2], 0, bound)
    for name, g in other[1].items():
        scale = np.abs(g).max()
        assert scale > 0, name
        np.testing.assert_allclose(one[1][name], g, 0, bound * scale, err_msg=name)


def test_windows_of_products_equal_single_steps_and_have_no_trace():
    made = net(products)
    assert_same(found(SLTT(made), X, EACH), found(SLTT(made, window=1), X, EACH), 1e-12)
    with pytest.raises(NotImplementedError, match="join='and' of a residual has no trace for OTTT"):
        OTTT(made).gradients(X, EACH)


@pytest.mark.parametrize("window", [None, 4, 50])
@pytest.mark.parametrize("layers", [plain, learned, branched, images])
@rules
def test_windows_equal_single_steps(rule, layers, window):
    x = IMAGES if layers is images else X
    options: Any = {"input_decay": 0.7} if rule is OTTT else {}
    made = net(layers)
    assert windows.Windows(made).at_once
    alone = found(rule(made, seed=3, window=1, **options), x, EACH)
    together = rule(made, seed=3, window=window, **options)
    assert_same(found(together, x, EACH), alone, 1e-12)
    assert_same(found(together, (step for step in x), iter(EACH)), alone, 1e-12)
    assert_same(
        found(together, x[:5], EACH[:5]), found(rule(made, seed=3, window=1, **options), x[:5], EACH[:5]), 1e-12
    )


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 1e-5), (np.float64, 1e-12)])
@rules
def test_compiled_and_with_events(rule, dtype, bound):
    x = (np.random.default_rng(1).random((T, 8, 40)) < 0.1).astype(np.uint8)
    layers = [Dense(40, 36, path="events"), lif(), Dense(36, 33, path="events"), lif(), Dense(33, 3), LI(3.0)]
    made = Sequential(*layers, seed=1, dtype=dtype)
    options: Any = {"input_decay": 0.7} if rule is OTTT else {}
    labels = np.arange(8) % 3
    learner = rule(made, window=4, compact=False, **options)
    assert_same(found(learner, x, labels), found(rule(made, window=1, compact=False, **options), x, labels), bound)
    assert learner.tape["dense2"]["pre"].events is not None


@pytest.mark.parametrize("what", ["few spikes", "many spikes", "numbers"])
@pytest.mark.parametrize("readout", [LI(3.0), lif(learn="v_threshold")], ids=["LI", "LIF"])
@rules
def test_blocks_equal_layers(rule, readout, what):
    rng = np.random.default_rng(1)
    x = (
        rng.normal(size=(T, 6, 70)) * 2.0
        if what == "numbers"
        else rng.random((T, 6, 70)) < (what[0] == "m") * 0.5 + 0.1
    )
    layers = [Dense(70, 130), lif(learn="tau"), Dense(130, 40, bias=False), lif(tau=2.0), Dense(40, 5), readout]
    made = Sequential(*layers, seed=1, dtype=np.float64)
    for options in [{"input_decay": 0.7}, {}] if rule is OTTT else [{}]:
        alone = found(rule(made, compact=False, **options), x.astype(float), np.arange(6) % 5)
        for window in (None, 1, 5):
            learner: Any = rule(made, window=window, **options)
            assert learner.fused is learner.net
            assert_same(found(learner, x.astype(float), np.arange(6) % 5), alone, 1e-11)
            assert_same(found(learner, x.astype(float), np.arange(6) % 5), alone, 1e-11)  # nothing is left of before


@rules
def test_blocks_up_to_a_population_that_puts_out_other_numbers(rule):
    """The layers up to it run by themselves, and their traces go on where the blocks begin."""
    x = np.random.default_rng(1).random((T, 6, 20)) < 0.3
    layers = [Dense(20, 12), GRADED, Dense(12, 11), LIF(2.0), Dense(11, 3), LI()]
    made = Sequential(*layers, seed=1, dtype=np.float64)
    alone, together = (found(rule(made, window=4, compact=c), x.astype(float), np.arange(6) % 3) for c in (False, True))
    assert_same(together, alone, 1e-11)


@pytest.mark.parametrize("between", [[Flatten()], [Identity()], [Dense(7, 7), GRADED]], ids=repr)
@rules
def test_a_stack_behind_another_has_its_trace_whatever_the_window(rule, between):
    """Windows of one step too, whether asked for or the last: traces of single steps are numbers in plain layers."""
    x = RNG.random((10, 3, 5)) < 0.4
    layers = [Dense(5, 7), lif(), *between, Dense(7, 6), lif(), Dense(6, 3), LI(3.0)]
    made = Sequential(*layers, seed=1, dtype=np.float64)
    for given in (x.astype(float), np.broadcast_to(x[0] * 2.0, x.shape)):  # the latter runs its first layers by itself
        alone = found(rule(made, compact=False, window=1), given, np.arange(3))
        for window in (1, 3, 5):
            learner = rule(made, window=window)
            assert learner.fused
            assert_same(found(learner, given, np.arange(3)), alone, 1e-11)


def test_layers_run_by_themselves_where_a_trace_is_not_of_spikes():
    """Units that leak at rates of their own leave no trace whose decay could act on errors; masks change spikes."""
    own = [Dense(4, 3), LIF(np.array([2.0, 3.0, 4.0])), Dense(3, 2), LI()]
    masked = [Dense(4, 3), LIF(), Dropout(0.5), Dense(3, 2), LI()]
    for layers, fits in ((own, False), (masked, False), ([Flatten(), Dense(4, 3), LIF(), Dense(3, 2), LI()], True)):
        made = Sequential(*layers, seed=1, input_shape=4)
        assert bool(OTTT(made).fused) == fits and SLTT(made).fused
        assert not OTTT(made, update="step").fused and not OTTT(made, compact=False).fused


@rules
def test_results_do_not_depend_on_threads(rule):
    x = (np.random.default_rng(1).random((T, 32, 200)) < 0.1).astype(np.uint8)
    made = Sequential(Dense(200, 100), lif(), Dense(100, 10), LI(3.0), seed=1)
    learner = rule(made, window=6, **({"input_decay": 0.7} if rule is OTTT else {}))
    results = []
    try:
        for threads in (1, 3):
            set_threads(threads)
            results.append(found(learner, x, np.arange(32) % 10))
    finally:
        set_threads(None)
    assert results[0][0] == results[1][0]
    for name, g in results[0][1].items():
        np.testing.assert_array_equal(results[1][1][name], g, err_msg=name)


@rules
def test_loops_and_delays_go_step_by_step(rule):
    made = net(looped)
    assert not windows.Windows(made).at_once
    assert windows.Windows(made).length(B) == 1
    one, other = (found(rule(made, window=window), X, EACH) for window in (None, 1))
    assert one[0] == other[0]
    for name, g in other[1].items():
        np.testing.assert_array_equal(one[1][name], g)


@pytest.mark.parametrize("loss", [StepCrossEntropy(), StepCrossEntropy(0.5, 0.1), StepMSE(), StepMSE("sum")])
@rules
def test_losses(rule, loss):
    """Those that know windows, and the same ones as functions that do not."""
    target = EACH if isinstance(loss, StepCrossEntropy) else RNG.normal(size=(T, B, 3))
    made = net(plain)
    for given in (target, target[0]):
        alone = found(rule(made, loss, window=1), X, given)
        assert_same(found(rule(made, loss, window=4), X, given), alone, 1e-12)
        assert_same(found(rule(made, lambda y, wanted: loss(y, wanted), window=4), X, given), alone, 1e-12)


def test_a_step_whose_loss_is_not_finite_is_named():
    def loss(y, target):
        loss.calls += 1
        return (np.inf if loss.calls == 7 else 1.0), np.zeros_like(y)

    loss.calls = 0
    with pytest.raises(ValueError, match="the loss of step 6 is inf"):
        SLTT(net(plain), loss, window=4).step(X, EACH)


def test_input_without_change_and_a_tape_used_for_other_lengths():
    learner = OTTT(net(plain), window=4)
    still = np.broadcast_to(X[:1], X.shape)
    assert_same(found(learner, still, EACH), found(learner, np.array(still), EACH), 1e-12)
    for steps in (3, 11, 1, 5):
        single = found(OTTT(learner.net, window=1), X[:steps], EACH[:steps])
        assert_same(found(learner, X[:steps], EACH[:steps]), single, 1e-12)
    steps = [value for value, _ in learner.passes(X, EACH)]
    assert len(steps) == T
    assert sum(steps) == pytest.approx(learner.gradients(X, EACH)[0], rel=1e-12)


def test_the_length_follows_the_bytes():
    small = net(plain)
    assert windows.Windows(small).length(1) == windows.STEPS
    assert windows.Windows(small).length(10**9) == 1
    lengths = [windows.Windows(small).length(batch) for batch in (2**14, 2**15)]
    assert windows.STEPS > lengths[0] > lengths[1] > 1


@pytest.mark.parametrize("window", [0, -1, 2.5])
def test_bad_windows(window):
    with pytest.raises((ValueError, TypeError), match="window"):
        SLTT(net(plain), window=window)


@pytest.mark.parametrize("device", ["python", "cpu"])
def test_low_pass(device):
    rng = np.random.default_rng(2)
    s, g, before = rng.normal(size=(6, 2, 5)), rng.normal(size=(6, 2, 3)), rng.normal(size=(2, 5))
    trace = LowPass(s, 0.8, before, device)
    expected, a = [], before
    for now in s:
        a = 0.8 * a + now
        expected.append(a)
    np.testing.assert_allclose(trace.array(), expected, 1e-14)
    np.testing.assert_allclose(trace.after(), expected[-1], 1e-14)
    assert not np.shares_memory(trace.after(), before)
    wanted = np.einsum("tbi,tbj->ij", np.array(expected), g)
    trace.spread(g)
    np.testing.assert_allclose(np.einsum("tbi,tbj->ij", s, g) + 0.8 * before.T @ g[0], wanted, 1e-12)


def test_a_layer_of_ones_own_need_not_know_of_windows():
    class Double(nbsnn.layers.Layer):
        kind = "double"

        def build(self, in_shape, setting, draws):
            self.in_shape = self.shape = in_shape
            self.setting, self.built = setting, True

        def forward(self, x, state, tape, draws=None):
            return 2.0 * x, {}

        def backward(self, gy, tape, grads, *, after=None, inject=None, wanted=True):
            return 2.0 * gy, {}

        def trace(self, x, tape, traces):
            return 2.0 * x

    made = net(lambda: [Dense(4, 6), lif(), Double(), Dense(6, 3), LI(3.0)])
    assert not windows.Windows(made).at_once
    OTTT(made).step(X, EACH)


@pytest.mark.parametrize("middle", [1, 8, 19])
def test_products_with_few_rows_in_the_middle(middle):
    rng = np.random.default_rng(3)
    x, w, y = rng.normal(size=(30, middle)), rng.normal(size=(70, middle)).T, rng.normal(size=(30, 70))
    expected = y + x @ w
    add_product(x, w, y)
    np.testing.assert_allclose(y, expected, 1e-12, 1e-13)
