"""Training on a GPU, in Numba's simulator, against the interpreted loops of the CPU: in float64 to 1e-10.

Gradients of every kind of layer, all losses and learners, two steps of the optimisers, launches per step, refusals.
"""

from types import SimpleNamespace

import numpy as np
import pytest

from nbsnn import BPTT, OTTT, SLTT, Dense, EProp, Recurrent, Sequential, losses, optim
from nbsnn.device import gpu
from nbsnn.layers import Layer
from nbsnn.layers.cuda import recurrent
from nbsnn.neurons import ALIF, LI, LIF

from .cuda_nets import KINDS, LABELS, batch, net

QUICK = ("dense", "recurrent learned")

pytestmark = pytest.mark.filterwarnings("ignore:overflow")  # the simulator's uint64 are NumPy's, which warn


def gradients(learner, x, target=LABELS):
    value, grads = learner.gradients(x, target)
    return value, {name: gpu.get(array).copy() for name, array in grads.items()}


def assert_same_gradients(make, x, target=LABELS, rtol=1e-10):
    """Of ``make(device)``, a learner, on both devices; the one on the GPU is returned."""
    (value, grads), (expected, wanted) = (gradients(make(device), x, target) for device in ("cuda", "python"))
    np.testing.assert_allclose(value, expected, rtol)
    assert grads.keys() == wanted.keys()
    assert np.mean([np.any(g) for g in wanted.values()]) > 0.4, "nothing to compare"
    for name, g in wanted.items():
        np.testing.assert_allclose(grads[name], g, rtol, 1e-12 if rtol < 1e-8 else 1e-6, err_msg=name)


def check_bptt(kind, static):
    x = batch(kind, 5 if kind == "delay" else 3)
    if static:
        x = np.broadcast_to(x[:1], x.shape)
    loss = losses.StepCrossEntropy(reduction="sum")
    assert_same_gradients(lambda device: BPTT(net(kind, device), loss), x)


@pytest.mark.parametrize("kind", QUICK)
def test_gradients_of_layers(kind):
    check_bptt(kind, static=kind == "dense")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_all_layers(kind):
    check_bptt(
        kind, static=kind in ("events", "learned", "recurrent", "residual", "temporal", "conv strided", "dropout")
    )
    if kind in ("parallel", "delay", "conv"):
        check_bptt(kind, static=True)


@pytest.mark.parametrize("fits", [(False, False), (False, True), (True, False)])
def test_a_loop_that_needs_too_many_registers_for_a_block_runs_step_by_step(monkeypatch, fits):
    asked = iter(fits)
    monkeypatch.setattr(gpu, "fits", lambda *_: next(asked))
    check_bptt("recurrent learned", static=False)
    assert next(asked, None) is None


@pytest.mark.parametrize(
    ("threads", "bound"), [(1, None), (256, None), (257, 512), (512, 512), (513, 1024), (1024, 1024)]
)
def test_kernels_of_large_blocks_are_bound_to_their_registers_and_asked_whether_they_fit(monkeypatch, threads, bound):
    def asked(most, spilled):
        made = SimpleNamespace(max_threads_per_block=most, local_mem_per_thread=spilled)
        return SimpleNamespace(typeof_pyval=type, compile={(int, float): made}.get)

    assert gpu.bound(threads) == bound
    monkeypatch.setattr(gpu, "simulated", lambda: False)
    assert gpu.fits(asked(threads, 0), threads, 1, 2.0)
    assert (
        gpu.fits(asked(threads - 1, 0), threads, 1, 2.0) == gpu.fits(asked(threads, 4), threads, 1, 2.0) == (not bound)
    )


@pytest.mark.long
def test_a_loop_too_wide_for_a_block_runs_step_by_step(monkeypatch):
    monkeypatch.setattr(recurrent, "WIDEST", 2)
    check_bptt("recurrent", static=False)


def test_float32():
    x = batch("dense").astype(np.float32)
    make = lambda device: BPTT(net("dense", device, dtype=np.float32), losses.rate_cross_entropy)  # noqa: E731
    assert_same_gradients(make, x, rtol=1e-4)
    assert all(array.dtype == np.float32 for array in make("cuda").gradients(x, LABELS)[1].values())


OPTIMIZERS = {
    "sgd": lambda: optim.SGD(0.1),
    "nesterov": lambda: optim.SGD(0.1, momentum=0.9, nesterov=True),
    "adam": lambda: optim.Adam(0.05, weight_decay=0.1),
    "adamw": lambda: optim.AdamW(0.05),
    "adamax": lambda: optim.Adamax(0.05),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("by_hand", [True, False])
def test_a_step_beyond_float32_changes_nothing(name, by_hand):
    params = {"w": np.float32([[1.0, -1.0], [0.5, 0.0]])}
    there, large = {"w": gpu.put(params["w"])}, gpu.put(np.float32([[0.1, 0.2], [3e38, 3e38]]))
    optimizer = {"sgd": lambda: optim.SGD(10.0)}.get(name, OPTIMIZERS[name])()
    for _ in range(30):
        before, said = gpu.get(there["w"]).copy(), ""
        try:
            optimizer.step(there, {"w": large}, **({} if by_hand else {"largest": np.inf}))
        except ValueError as error:
            said = str(error)
            break
    if name == "adamax":  # it never squares
        assert not said and np.isfinite(gpu.get(there["w"])).all()
    else:
        assert "of 'w' infinite or NaN in float32: nothing is changed" in said
        np.testing.assert_array_equal(gpu.get(there["w"]), before)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimisers(name):
    rng = np.random.default_rng(0)
    params = {"w": rng.normal(size=(3, 2)).astype(np.float32), "b": rng.normal(size=2).astype(np.float32)}
    there = {k: gpu.put(p) for k, p in params.items()}
    here, other = OPTIMIZERS[name](), OPTIMIZERS[name]()
    for _ in range(2):
        grads = {k: rng.normal(size=p.shape).astype(np.float32) for k, p in params.items()}
        here.step(params, grads)
        other.step(there, {k: gpu.put(g) for k, g in grads.items()})
    for k, p in params.items():
        np.testing.assert_allclose(gpu.get(there[k]), p, 1e-6, 1e-7)
    for k, slot in here.state.items():
        np.testing.assert_allclose(gpu.get(other.state[k]), slot, 1e-6, 1e-7)
    again = OPTIMIZERS[name]()
    again.load({k: gpu.get(slot) for k, slot in other.state.items()}, other.iteration)
    grads = {k: np.ones_like(p) for k, p in params.items()}
    here.step(params, grads)
    again.step(there, {k: gpu.put(g) for k, g in grads.items()})
    np.testing.assert_allclose(gpu.get(there["w"]), params["w"], 1e-6, 1e-7)


def trained(device, x, options, steps=2):
    learner = BPTT(net("learned", device), losses.rate_cross_entropy, optim.Adam(0.05), **options)
    values = [learner.step(x, LABELS) for _ in range(steps)]
    return values, learner


PENALTY = {"alif1": losses.SpikeCount(0.1, over="population")}


@pytest.mark.parametrize(
    "options",
    [{"clip": 0.05, "regularizers": PENALTY}, pytest.param({"chunk": 2}, marks=pytest.mark.long)],
    ids=lambda options: next(iter(options)),
)
def test_two_steps(options):
    x = batch("learned")
    (values, learner), (expected, other) = (trained(device, x, options) for device in ("cuda", "python"))
    np.testing.assert_allclose(values, expected, 1e-9)
    for name, array in other.net.parameters().items():
        np.testing.assert_allclose(gpu.get(learner.net.parameters()[name]), array, 1e-8, 1e-11, err_msg=name)
    np.testing.assert_allclose(learner.output, other.output, 1e-9)
    state = learner.state()
    assert all(isinstance(array, np.ndarray) for array in state.values())
    learner.load_state(state)
    np.testing.assert_array_equal(learner.state()["optimizer/m/alif1/tau"], state["optimizer/m/alif1/tau"])


def losses_and_targets():
    rng = np.random.default_rng(0)
    numbers, spikes = rng.random((5, 4, 3)), (rng.random((5, 4, 3)) < 0.3).astype(np.float64)
    labels = np.array([0, 2, 1, 1])
    return {
        "rate": (losses.RateCrossEntropy(3.0, 0.1), numbers, labels),
        "sum": (losses.sum_cross_entropy, numbers, labels),
        "max": (losses.max_cross_entropy, spikes, labels),
        "last": (losses.LastCrossEntropy(2.0), numbers, labels),
        "step": (losses.StepCrossEntropy(2.0, 0.1), numbers, labels),
        "moving": (losses.StepCrossEntropy(reduction="sum"), numbers, rng.integers(0, 3, (5, 4))),
        "rate mse": (losses.rate_mse, numbers, labels),
        "step mse": (losses.step_mse, numbers, rng.random((5, 4, 3))),
        "step mse, fixed": (losses.StepMSE("sum"), numbers, rng.random((4, 3))),
        "first spike": (losses.first_spike_cross_entropy, spikes, labels),
        "first spike mse": (losses.first_spike_mse, spikes, labels),
        "van rossum": (losses.van_rossum, spikes, np.roll(spikes, 1, axis=0)),
    }


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", losses_and_targets())
def test_losses(name, dtype):
    loss, y, target = losses_and_targets()[name]
    y, total = y.astype(dtype), gpu.zeros(1, np.float64)
    value, gradient = loss(y, target)
    found = gpu.get(loss.on_gpu(gpu.put(y), target, total, {}))
    rtol, atol = (1e-12, 1e-15) if dtype == np.float64 else (1e-5, 1e-8)
    np.testing.assert_allclose(gpu.get(total)[0], value, rtol)
    np.testing.assert_allclose(found, gradient, rtol, atol)
    assert found.dtype == dtype and np.any(gradient)


PENALTIES = [
    losses.SpikeCount(2.0),
    losses.SpikeCount(2.0, 1.0, 1.5, 2),
    losses.SpikeCount(2.0, 2.0, float("inf"), 2, "population"),
    losses.Rate(0.3, 2.0),
    losses.Rate((0.4, 0.5)),
]


@pytest.mark.parametrize("penalty", PENALTIES, ids=repr)
def test_penalties(penalty):
    spikes, total = (np.random.default_rng(1).random((5, 4, 3)) < 0.3).astype(np.float64), gpu.zeros(1, np.float64)
    value, gradient = penalty(spikes)
    np.testing.assert_allclose(gpu.get(penalty.on_gpu(gpu.put(spikes), total, {})), gradient, 1e-12, 1e-15)
    np.testing.assert_allclose(gpu.get(total)[0], value, 1e-12)


@pytest.mark.parametrize(("rule", "kind"), [(OTTT, "dense"), pytest.param(SLTT, "recurrent", marks=pytest.mark.long)])
def test_online_rules(rule, kind):
    assert_same_gradients(lambda device: rule(net(kind, device)), batch(kind))


@pytest.mark.long
@pytest.mark.parametrize("kind", [k for k in KINDS if "learned" not in k and k not in ("dense", "waiting")])
def test_online_rules_of_all_layers(kind):
    rule = SLTT if kind in ("recurrent numbers", "conv strided", "delay", "products") else OTTT
    options = {"input_decay": 0.5} if rule is OTTT and kind in ("dense", "events", "temporal") else {}
    assert_same_gradients(lambda device: rule(net(kind, device), **options), batch(kind, 4))


def test_changes_at_every_step_from_a_generator():
    x, outcomes = batch("dense"), []
    for device in ("cuda", "python"):
        learner = SLTT(net("dense", device), optimizer=optim.SGD(0.1), update="step")
        value = learner.step((step for step in x), LABELS)
        outcomes.append((value, gpu.get_all(learner.net.parameters()), learner.output))
    np.testing.assert_allclose(outcomes[0][0], outcomes[1][0], 1e-10)
    np.testing.assert_allclose(outcomes[0][2], outcomes[1][2], 1e-10)
    for name, array in outcomes[1][1].items():
        np.testing.assert_allclose(outcomes[0][1][name], array, 1e-9, 1e-12)


@pytest.mark.long
@pytest.mark.parametrize("options", [{}, {"feedback": "adaptive", "feedback_decay": 0.1, "clip": 0.5}], ids=repr)
@pytest.mark.parametrize("hidden", [lambda: Recurrent(ALIF(3.0, 9.0, 0.3, 0.6)), lambda: LIF(3.0, 0.6)])
def test_eprop(hidden, options):
    learners = []
    for device in ("cuda", "python"):
        parts = Dense(4, 5), hidden(), Dense(5, 3), LI(3.0)
        made = Sequential(*parts, seed=1, dtype=np.float64, device=device)
        learners.append(EProp(made, optimizer=optim.Adam(0.05), **options))
    for x in (batch("dense"), np.broadcast_to(batch("dense")[:1], (3, 2, 4))):
        values = [learner.step(x, LABELS) for learner in learners]
        np.testing.assert_allclose(*values, 1e-9)
    states = [learner.state() for learner in learners]
    for name, array in states[1].items():
        np.testing.assert_allclose(states[0][name], array, 1e-8, 1e-11, err_msg=name)
    learners[0].load_state(states[0])


def launches(kind, steps, learner=None):
    learner = learner or BPTT(net(kind, "cuda"), losses.rate_cross_entropy)
    x = batch(kind, steps)
    learner.step(x, LABELS)
    before = gpu.Count.launches
    learner.step(x, LABELS)
    return gpu.Count.launches - before


def test_feedback_of_a_general_loop_sees_the_traces_of_the_step_before():
    x = (np.random.default_rng(0).random((3, 2, 5)) < 0.6).astype(float)

    def made(device):
        inner = Sequential(Dense(5, 4), LIF(tau=2.0, v_threshold=0.3))
        loop = Recurrent(inner, Dense(4, 5))
        return OTTT(Sequential(loop, Dense(4, 3), LI(), input_shape=5, dtype=np.float64, device=device))

    assert_same_gradients(made, x, LABELS[:2])


@pytest.mark.parametrize(("kind", "most"), [("dense", 26), pytest.param("recurrent", 29, marks=pytest.mark.long)])
def test_launches_of_a_step_do_not_grow_with_time(kind, most):
    assert launches(kind, 2) == launches(kind, 5) <= most


class Own(Layer):
    def build(self, in_shape, setting, draws):
        self.in_shape = self.shape = in_shape
        self.setting, self.built = setting, True


def test_what_a_gpu_cannot_do_is_said():
    with pytest.raises(NotImplementedError, match=r'own.*device="cpu"'):
        Sequential(own=Own(), input_shape=3, device="cuda")
    made = net("dense", "cuda")
    with pytest.raises(NotImplementedError, match=r'max_bytes is for device="cpu"'):
        BPTT(made, losses.rate_cross_entropy, max_bytes=1000)
    with pytest.raises(NotImplementedError, match=r'on_gpu.*device="cpu"'):
        BPTT(made, lambda y, target: (0.0, y)).gradients(batch("dense"), LABELS)
    with pytest.raises(ValueError, match=r"labels must be 0 .. 2"):
        BPTT(made, losses.rate_cross_entropy).gradients(batch("dense"), LABELS + 5)
    with pytest.raises(ValueError, match=r"shape \[T, B, 4\]"):
        made.run(gpu.put(np.ones((2, 3))))
    with pytest.raises(TypeError, match="must be float64"):
        made.run(gpu.put(np.ones((2, 3, 4), np.float32)))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_stops_training_before_anything_changes():
    learner = BPTT(net("dense", "cuda"), losses.rate_cross_entropy)
    weight = learner.net["dense2"].params["weight"]
    before = gpu.get(weight)
    gpu.assign(weight, np.full_like(before, np.inf))
    with pytest.raises(ValueError, match="the loss is nan"):
        learner.step(batch("dense"), LABELS)
    gpu.assign(weight, before)
    gpu.fill(learner.grads["dense1"]["weight"], np.nan)
    learner.place.read(0.0)
    with pytest.raises(ValueError, match="gradient of dense1/weight contains 20 NaN"):
        learner.place.checked({"dense1/weight": learner.grads["dense1"]["weight"]})
