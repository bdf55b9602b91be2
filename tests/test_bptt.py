"""Back-propagation through time: gradients against plain NumPy, truncation, training, resuming, and refusals."""

import tracemalloc

import numpy as np
import pytest

from nbsnn import BPTT, STBP, Delay, Dense, Dropout, Recurrent, Residual, Sequential, losses, optim
from nbsnn.neurons import LI, LIF

from . import reference

T, B = 12, 3
RNG = np.random.default_rng(0)
X = RNG.uniform(-0.5, 2.0, (T, B, 4))
LABELS = np.array([0, 2, 1])


def two_layers(**options):
    return Sequential(Dense(4, 6), LIF(3.0, 0.5), Dense(6, 3), LI(4.0), **{"seed": 1, "device": "python", **options})


def with_hidden_feedback(**options):
    layers = [
        Dense(4, 6),
        Recurrent(LIF(3.0, 0.5)),
        Residual(Dense(6, 6), LIF(2.0, 0.5)),
        Delay(2),
        Dense(6, 3),
        LI(4.0),
    ]
    return Sequential(*layers, **{"seed": 1, "device": "python", **options})


def mean_square(y, target):
    return float(np.mean((y - target) ** 2)), 2 * (y - target) / y.size


def by_hand(net, x, target):
    """Loss and gradient of ``two_layers`` by the chain rule, sharing nothing with nbsnn but the weights."""
    w1, b1, w2, b2 = net.parameters().values()
    batch = x.shape[1]
    current = x @ w1 + b1
    decay = np.exp(-1 / 3.0)
    zero = np.zeros((batch, 6))
    spikes = reference.lif(current, zero, decay=decay, v_threshold=0.5)["spikes"]
    out_decay = np.exp(-1 / 4.0)
    y = reference.li(spikes @ w2 + b2, np.zeros((batch, 3)), decay=out_decay)["output"]
    value, gy = mean_square(y, target)
    g2, carry = np.zeros_like(gy), 0.0
    for t in reversed(range(len(x))):
        carry = g2[t] = gy[t] + out_decay * carry
    g1 = reference.lif_gradients(current, zero, g2 @ w2.T, np.zeros_like(current), decay=decay, v_threshold=0.5)["x"]
    grads = [np.einsum("tbi,tbj->ij", x, g1), g1.sum((0, 1)), np.einsum("tbi,tbj->ij", spikes, g2), g2.sum((0, 1))]
    return value, dict(zip(net.parameters(), grads, strict=True))


@pytest.mark.parametrize("static", [False, True])
def test_gradients_equal_the_chain_rule_in_numpy(static):
    net = two_layers(dtype=np.float64)
    x = np.broadcast_to(X[:1], X.shape) if static else X
    target = RNG.normal(size=(T, B, 3))
    value, grads = BPTT(net, mean_square).gradients(x, target)
    expected_value, expected = by_hand(net, np.array(x), target)
    assert value == pytest.approx(expected_value, rel=1e-12)
    assert grads.keys() == expected.keys()
    for name, g in expected.items():
        assert np.any(g), name
        np.testing.assert_allclose(grads[name], g, 1e-10, 1e-13, err_msg=name)


def test_both_names_are_one_learner():
    assert STBP is BPTT


def test_gradients_are_those_of_the_last_call_only():
    learner = BPTT(two_layers(), losses.rate_cross_entropy)
    first = {name: g.copy() for name, g in learner.gradients(X, LABELS)[1].items()}
    learner.gradients(-X[:5, :2], LABELS[:2])  # other numbers of steps and samples in between
    for name, g in learner.gradients(X, LABELS)[1].items():
        np.testing.assert_array_equal(g, first[name])


# Truncated


@pytest.mark.parametrize("chunk", [T, T + 5])
def test_a_chunk_of_all_steps_is_the_whole(chunk):
    value, grads = BPTT(with_hidden_feedback(), losses.rate_cross_entropy).gradients(X, LABELS)
    cut_value, cut = BPTT(with_hidden_feedback(), losses.rate_cross_entropy, chunk=chunk).gradients(X, LABELS)
    assert value == cut_value
    for name, g in grads.items():
        np.testing.assert_array_equal(g, cut[name])


@pytest.mark.parametrize("chunk", [1, 5])
def test_truncated_gradients_are_the_sum_over_chunks_that_start_from_given_states(chunk):
    target = RNG.normal(size=(T, B, 3))
    net = with_hidden_feedback(dtype=np.float64)
    learner = BPTT(net, mean_square, chunk=chunk)
    value, grads = learner.gradients(X, target)
    run = net.run(X)
    np.testing.assert_allclose(learner.output, run.output, 1e-12, 1e-14)
    assert value == pytest.approx(mean_square(run.output, target)[0], rel=1e-12)
    gy, state, total = mean_square(run.output, target)[1], None, {}
    for t in range(0, T, chunk):
        window = net.check_input(X[t : t + chunk])
        tape, part = {}, BPTT(net, mean_square).grads
        state = net.initial(B) if state is None else state
        _, after = net.forward(window, state, tape)
        net.backward(gy[t : t + chunk], tape, part, wanted=False)
        state = after
        for name in grads:
            place = part
            for key in name.split("/"):
                place = place[key]
            total[name] = total.get(name, 0) + place
    for name, g in total.items():
        np.testing.assert_allclose(grads[name], g, 1e-10, 1e-13, err_msg=name)


def test_chunks_of_one_step_by_hand():
    # Within one step only the surrogate's slope at that step counts: no sum over earlier steps.
    net = two_layers(dtype=np.float64)
    target = RNG.normal(size=(T, B, 3))
    _, grads = BPTT(net, mean_square, chunk=1).gradients(X, target)
    w1, b1, w2, b2 = net.parameters().values()
    run = reference.lif(X @ w1 + b1, np.zeros((B, 6)), decay=np.exp(-1 / 3.0), v_threshold=0.5)
    y = reference.li(run["spikes"] @ w2 + b2, np.zeros((B, 3)), decay=np.exp(-1 / 4.0))["output"]
    gy = mean_square(y, target)[1]
    g1 = (gy @ w2.T) * reference.atan_slope(run["u"] - 0.5)
    np.testing.assert_allclose(grads["dense2/weight"], np.einsum("tbi,tbj->ij", run["spikes"], gy), 1e-10, 1e-13)
    np.testing.assert_allclose(grads["dense1/weight"], np.einsum("tbi,tbj->ij", X, g1), 1e-10, 1e-13)


def test_truncation_saves_memory():
    x, target = np.zeros((400, 4, 4), np.float32), np.array([0, 1, 2, 0])

    def peak(chunk):
        net = Sequential(Dense(4, 50), LIF(), Dense(50, 3), LI(), seed=0)
        learner = BPTT(net, losses.rate_cross_entropy, chunk=chunk)
        learner.gradients(x[:20], target)  # compile
        learner.tape.clear()
        tracemalloc.start()
        learner.gradients(x, target)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(20) < peak(None) / 4


# Training


def patterns(batch=24):
    """Three classes, each with its own active inputs."""
    labels = np.arange(batch) % 3
    rates = np.full((batch, 6), 0.1)
    for label in range(3):
        rates[labels == label, 2 * label : 2 * label + 2] = 0.8
    x = np.random.default_rng(4).random((10, batch, 6)) < rates
    return x.astype(np.float32), labels


def learner_of(net, seed=0, **options):
    return BPTT(net, losses.rate_cross_entropy, optim.Adam(0.05), clip=1.0, seed=seed, **options)


def trainable(device="cpu"):
    hidden = LIF(2.0, learn=("tau", "v_threshold", "v_rest"))
    return Sequential(Dense(6, 16), hidden, Dropout(0.2), Dense(16, 3), LI(), seed=2, device=device)


def test_the_loss_falls():
    x, labels = patterns()
    learner = learner_of(trainable())
    first, *_, last = [learner.step(x, labels) for _ in range(60)]
    assert last < 0.3 * first
    assert np.mean(learner.net.run(x).output.mean(0).argmax(1) == labels) == 1.0
    assert learner.net.parameters()["lif1/tau"] != 2.0


def test_truncated_training_learns_too():
    x, labels = patterns()
    learner = learner_of(trainable(), chunk=4)
    first, *_, last = [learner.step(x, labels) for _ in range(60)]
    assert last < 0.5 * first


def test_a_resumed_training_continues_bit_for_bit():
    x, labels = patterns()
    learner = learner_of(trainable(), seed=5)
    for _ in range(3):
        learner.step(x, labels)
    saved = learner.state()
    weights = {name: a.copy() for name, a in learner.net.parameters().items()}
    expected = [learner.step(x, labels) for _ in range(3)]  # must not change what was saved
    other = learner_of(trainable(), seed=5)
    for name, array in other.net.parameters().items():
        array[...] = weights[name]
    other.load_state(saved)
    assert other.iteration == 3
    assert [other.step(x, labels) for _ in range(3)] == expected
    for name, array in other.net.parameters().items():
        np.testing.assert_array_equal(array, learner.net.parameters()[name])


def test_dropout_differs_between_iterations_and_repeats_with_the_seed():
    x, labels = patterns()

    def two_values(seed):
        learner = learner_of(trainable("python"), seed=seed)
        first = learner.gradients(x[:3], labels)[0]
        learner.past.iteration = 1
        return first, learner.gradients(x[:3], labels)[0]

    once = two_values(0)
    assert once[0] != once[1]
    assert once == two_values(0)
    assert once != two_values(1)


def test_clip_bounds_the_step():
    net = two_layers(dtype=np.float64)
    before = {name: a.copy() for name, a in net.parameters().items()}
    BPTT(net, mean_square, optim.SGD(1.0), clip=1e-3).step(X, np.full((T, B, 3), 100.0))
    moved = sum(np.sum((a - before[name]) ** 2) for name, a in net.parameters().items())
    assert moved**0.5 == pytest.approx(1e-3, rel=1e-9)


# Regularisers


@pytest.mark.parametrize("place", ["lif1", "recurrent1/neurons"])
def test_gradients_of_regularisers_equal_finite_differences(place):
    hidden = LIF(3.0, 0.5) if place == "lif1" else Recurrent(LIF(3.0, 0.5))
    net = Sequential(Dense(4, 6), hidden, Dense(6, 3), LI(4.0), seed=1, device="python")
    net = net.twin(dtype=np.float64, smooth=True)
    regularizers = {place: losses.Rate(0.05, strength=3.0)}
    learner = BPTT(net, mean_square, regularizers=regularizers)
    target = RNG.normal(size=(T, B, 3))
    value, grads = learner.gradients(X, target)
    without, plain = BPTT(net, mean_square).gradients(X, target)
    assert value > without + 0.01
    grads = {name: g.copy() for name, g in grads.items()}
    assert not np.allclose(grads["dense1/weight"], plain["dense1/weight"])
    np.testing.assert_allclose(grads["dense2/weight"], plain["dense2/weight"])  # behind the population
    start = {name: a.copy() for name, a in net.parameters().items()}
    direction = {name: RNG.normal(size=a.shape) for name, a in start.items()}

    def moved(h):
        for name, array in net.parameters().items():
            array[...] = start[name] + h * direction[name]
        return learner.gradients(X, target)[0]

    expected = (moved(1e-6) - moved(-1e-6)) / 2e-6
    assert sum(np.sum(g * direction[name]) for name, g in grads.items()) == pytest.approx(expected, rel=1e-6)


# Refusals


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda y, target: (float("nan"), np.zeros_like(y)), "the loss is nan"),
        (lambda y, target: (float("inf"), np.zeros_like(y)), "the loss is inf"),
        (lambda y, target: (1.0, np.full_like(y, np.nan)), "the derivative of the loss contains [0-9]+ NaN"),
    ],
)
@pytest.mark.parametrize("chunk", [None, 5])
def test_what_is_not_finite_raises_and_changes_nothing(loss, message, chunk):
    net = two_layers()
    before = {name: a.copy() for name, a in net.parameters().items()}
    learner = BPTT(net, loss, chunk=chunk)
    with pytest.raises(ValueError, match=message):
        learner.step(X, None)
    assert learner.iteration == learner.optimizer.iteration == 0
    for name, array in net.parameters().items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("chunk", [None, 5])
@pytest.mark.parametrize(
    ("derivative", "error", "message"),
    [
        (lambda y: np.ones(y.shape[1:], y.dtype), ValueError, r"has shape \[3, 3\], but its argument has"),
        (lambda y: np.ones((1, *y.shape[1:])), ValueError, r"has shape \[1, 3, 3\]"),
        (lambda y: np.ones((2 * len(y), *y.shape[1:])), ValueError, "has shape"),
        (lambda y: y[:0], ValueError, r"has shape \[0, 3, 3\]"),
        (lambda y: y.ravel(), ValueError, "has shape"),
        (lambda y: 1.0, ValueError, r"has shape \[\]"),
        (lambda y: y.astype(complex), TypeError, "an array of real numbers, not complex128"),
        (lambda y: y.astype(object), TypeError, "an array of real numbers, not object"),
        (lambda y: None, TypeError, "an array of real numbers, not NoneType"),
        (lambda y: np.full(y.shape, 1e300), ValueError, "contains [0-9]+ NaN or infinite values"),
    ],
)
def test_a_derivative_that_does_not_fit_is_refused(derivative, error, message, chunk, compact):
    net = two_layers(device="cpu" if compact else "python")
    with pytest.raises(error, match=f"the derivative of the loss .*{message}"):
        BPTT(net, lambda y, t: (1.0, derivative(y)), chunk=chunk, compact=compact).step(X, None)
    if chunk is None:
        regularizers = {"lif1": lambda s: (0.0, derivative(s))}
        if "3, 3" not in message:  # the output's units
            with pytest.raises(error, match=f"the derivative of the regulariser of lif1 .*{message}"):
                BPTT(net, mean_square, regularizers=regularizers, compact=compact).step(X, np.zeros((T, B, 3)))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (1.0, "must return a pair"),
        ((1.0,), "must return a pair"),
        (None, "must return a pair"),
        ((np.ones(3), X), "the value of the loss must be a real number, not float64"),
        (("1", X), "the value of the loss must be a real number, not str"),
        ((1j, X), "the value of the loss must be a real number, not complex"),
    ],
)
def test_a_loss_returns_a_number_and_an_array(result, message):
    with pytest.raises(TypeError, match=message):
        BPTT(two_layers(), lambda y, t: result).step(X, None)


def test_a_derivative_of_integers_or_in_another_precision_or_order_counts_as_numbers():
    net = two_layers(dtype=np.float64)
    grads = []
    casts = [lambda g, k=k: g.astype(k) for k in (np.float32, int)]
    for change in (np.asarray, *casts, np.asfortranarray, np.ndarray.tolist):
        learner = BPTT(net, lambda y, t, change=change: (1.0, change(np.round(4.0 * y))))
        grads.append({name: g.copy() for name, g in learner.gradients(X, None)[1].items()})
    for other in grads[1:]:
        for name, g in grads[0].items():
            np.testing.assert_array_equal(other[name], g)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loss": "mse"}, ValueError, "did you mean 'step_mse'"),
        ({"chunk": 0}, ValueError, "chunk must be at least 1"),
        ({"chunk": 2.0}, TypeError, "chunk must be an integer"),
        ({"regularizers": {"lif9": losses.Rate(0.1)}}, ValueError, "for 'lif9'; the layers are"),
    ],
)
def test_wrong_options_raise(options, error, message):
    with pytest.raises(error, match=message):
        BPTT(**{"net": two_layers(), "loss": mean_square, **options})


def test_regularisers_cannot_be_truncated():
    learner = BPTT(two_layers(), losses.rate_cross_entropy, chunk=3, regularizers={"lif1": losses.Rate(0.1)})
    with pytest.raises(ValueError, match="cannot be combined with chunk"):
        learner.gradients(X, LABELS)
