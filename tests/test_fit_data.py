"""``fit`` beyond labels in memory: series, regression, loaders, validation, weights, accumulation, logs."""

import csv
import sys
import types

import numpy as np
import pytest

import nbsnn
from nbsnn import losses, optim
from nbsnn.neurons import LI, LIF

RNG = np.random.default_rng(0)
SERIES = RNG.normal(0.0, 1.0, (24, 5, 3)).astype(np.float32)
LABELS = (SERIES.sum((1, 2)) > 0).astype(np.int64)


def make(loss=losses.rate_cross_entropy, optimizer=None, seed=0, spikes=False):
    hidden = [nbsnn.Dense(3, 4), LIF(v_threshold=0.3), nbsnn.Dropout(0.2)] if spikes else [nbsnn.Dense(3, 4)]
    net = nbsnn.Sequential(*hidden, nbsnn.Dense(4, 2), LI(), seed=seed, device="python")
    optimizer = optimizer() if callable(optimizer) else optim.Adam(0.01)
    return net, nbsnn.BPTT(net, loss, optimizer, compact=False)


def train(net, learner, data, test=None, **options):
    return nbsnn.fit(net, data, test, learner=learner, progress=False, **{"epochs": 2, "batch_size": 8, **options})


def weights(net):
    return np.concatenate([p.ravel() for p in net.parameters().values()])


def by_hand(learner, data, epochs=2, batch_size=8, seed=0):
    """The loop that ``fit`` stands for."""
    means = []
    for epoch in range(epochs):
        total = 0.0
        for which in nbsnn.data.batches(len(data[0]), batch_size, nbsnn.random.Draws(seed), epoch):
            x, target = (np.swapaxes(a[which], 0, 1) if a.ndim == 3 else a[which] for a in data)
            total += learner.step(x, target) * len(which)
        means.append(total / len(data[0]))
    return means


def test_series_go_in_as_they_are():
    (net, learner), (other, hand) = make(), make()
    history = train(net, learner, (SERIES, LABELS))
    assert history["loss"] == by_hand(hand, (SERIES, LABELS))
    np.testing.assert_array_equal(weights(net), weights(other))
    encoder, third = nbsnn.encode.series(T=5), make()
    train(*third, (SERIES, LABELS), encoder=encoder)
    np.testing.assert_array_equal(weights(third[0]), weights(net))


@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (losses.rate_mse, SERIES.mean(1)[:, :2]),
        (losses.step_mse, SERIES[:, :, :2]),
        (losses.step_mse, SERIES[:, 0, :2]),
        (losses.van_rossum, (SERIES[:, :, :2] > 0.5) * 1),
    ],
)
def test_targets_may_be_numbers_and_series(loss, target):
    (net, learner), (other, hand) = make(loss), make(loss)
    history = train(net, learner, (SERIES, target), (SERIES, target))
    assert list(history.rows[0]) == ["epoch", "loss", "test_loss", "seconds"]
    assert history["loss"] == by_hand(hand, (SERIES, target))
    run = other.run(np.swapaxes(SERIES, 0, 1))
    wanted = np.swapaxes(target, 0, 1) if target.ndim == 3 else target
    np.testing.assert_allclose(history["test_loss"][-1], loss(run.output, wanted)[0], rtol=1e-6)


def test_labels_of_every_step_have_an_accuracy_over_steps():
    labels = (SERIES[:, :, 0] > 0).astype(int)
    net, learner = make(losses.step_cross_entropy)
    history = train(net, learner, (SERIES, labels), (SERIES, labels))
    output = net.run(np.swapaxes(SERIES, 0, 1)).output
    assert history["test_accuracy"][-1] == (labels == output.argmax(2).T).mean()


class Loader:
    """As PyTorch's: a length, and batches anew for every epoch."""

    def __init__(self, batches):
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __iter__(self):
        return iter(self.batches)


def test_any_iterable_of_batches_trains_as_arrays_do(tmp_path):
    batches = [(SERIES[k : k + 8], LABELS[k : k + 8]) for k in (0, 8, 16)]
    hand = make()
    for _ in range(2):
        for x, labels in batches:
            hand[1].step(np.swapaxes(x, 0, 1), labels)
    seen = []

    def generator(draws):
        seen.append(draws.key)
        yield from ([x.tolist(), list(labels)] for x, labels in batches)

    for source in (batches, Loader(batches), generator):
        net, learner = make()
        history = train(net, learner, source, Loader(batches))
        np.testing.assert_array_equal(weights(net), weights(hand[0]))
        assert 0.0 <= history["test_accuracy"][-1] <= 1.0
    assert len(set(seen)) == 2
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, SERIES.shape)
    mapped[...] = SERIES
    (net, learner), (other, second) = make(), make()
    train(net, learner, (mapped, LABELS))
    train(other, second, (SERIES, LABELS))
    np.testing.assert_array_equal(weights(net), weights(other))
    train(*make(), iter(batches), epochs=1)
    with pytest.raises(ValueError, match="used up after one epoch"):
        train(*make(), iter(batches))


def test_batches_may_be_recordings_or_spikes():
    kind = [("x", "i4"), ("t", "f8")]
    recordings = nbsnn.events.Recordings(
        [np.array([(k % 3, 0.5), (2, 1.5)], kind) for k in range(4)], shape=(3,), unit="ms"
    )
    encoder, labels = nbsnn.events.binned(T=3, dt=1.0), np.array([0, 1, 0, 1])
    (net, learner), (other, second) = make(), make()
    train(net, learner, [(recordings, labels)], encoder=encoder)
    train(other, second, [(encoder(recordings), labels)])
    np.testing.assert_array_equal(weights(net), weights(other))


def test_a_share_is_held_back_and_the_test_set_touched_once():
    seen = {"train": 0, "test": 0}

    def augment(x, draws):
        seen["train"] += len(x)
        return x

    def test_set(draws):
        seen["test"] += 1
        yield SERIES, LABELS

    net, learner = make(optimizer=lambda: optim.SGD(2.0))  # so large that it gets worse at times
    kept = []
    history = train(
        net, learner, (SERIES, LABELS), test_set, validation=0.25, epochs=6, augment=augment,
        callback=lambda net, history: kept.append(weights(net)),
    )  # fmt: skip
    assert seen == {"train": 6 * 18, "test": 1}
    assert history.best == 1 + int(np.argmin(history["validation_loss"]))
    np.testing.assert_array_equal(weights(net), kept[history.best - 1])
    assert history.test["test_accuracy"] == losses.accuracy(net.run(np.swapaxes(SERIES, 0, 1)).output, LABELS)
    assert "test_loss" not in history.rows[0] and history.test["test_loss"] > 0.0


def test_training_ends_when_it_does_not_get_better():
    net, learner = make(optimizer=lambda: optim.SGD(0.0))
    history = train(net, learner, (SERIES, LABELS), validation=(SERIES, LABELS), patience=3, epochs=50)
    assert len(history) == 4 and history.best == 1
    history = train(*make(), (SERIES, LABELS), patience=2, epochs=50, monitor="train_accuracy")
    best = int(np.argmax(history["train_accuracy"]))
    assert len(history) == best + 3 or len(history) == 50


def groups():
    return optim.Groups(optim.Adam(0.02), {"dense1": None, "*/bias": {"lr": 0.1}})


OPTIONS = {
    "validation": {"validation": 0.25, "patience": 3, "monitor": "validation_accuracy"},
    "weights": {"class_weight": [1.0, 3.0], "accumulate": 2},
    "augment": {"augment": [lambda x, draws: x + draws.uniform(x.shape), lambda x, draws: x * draws.uniform(x.shape)]},
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_goes_on_bit_for_bit(name, stop, tmp_path):
    data = (SERIES, LABELS, np.linspace(0.5, 2.0, 24))
    options = {**OPTIONS[name], "epochs": 7}
    whole = make(optimizer=groups, spikes=True)
    expected = train(*whole, data, (SERIES, LABELS), **options, log=tmp_path / "whole.csv")
    first = make(optimizer=groups, spikes=True)
    file = {"checkpoint": tmp_path / "c.npz", "log": tmp_path / "log.csv"}
    train(*first, data, (SERIES, LABELS), **{**options, "epochs": stop}, **file)
    second = make(optimizer=groups, seed=9, spikes=True)
    history = train(*second, data, (SERIES, LABELS), **options, **file, resume=True)
    np.testing.assert_array_equal(weights(second[0]), weights(whole[0]))
    assert (history.best, history.test) == (expected.best, expected.test)
    for got, wanted in zip(history.rows, expected.rows, strict=True):
        assert {**got, "seconds": 0} == {**wanted, "seconds": 0}
    read = [list(csv.DictReader((tmp_path / f"{log}.csv").read_text().splitlines())) for log in ("log", "whole")]
    assert [{**r, "seconds": 0} for r in read[0]] == [{**r, "seconds": 0} for r in read[1]]


def test_a_log_that_a_kill_left_behind_is_whole_again(tmp_path):
    files = {"checkpoint": tmp_path / "c.npz", "log": tmp_path / "log.csv"}
    train(*make(), (SERIES, LABELS), **files)
    whole = files["log"].read_text()
    files["log"].write_text("\n".join(whole.splitlines()[:2]))
    train(*make(seed=3), (SERIES, LABELS), **files, resume=True)  # nothing is left to be trained
    assert files["log"].read_text() == whole


def test_frozen_layers_stay_and_groups_have_rates_of_their_own():
    net, learner = make(optimizer=groups)
    before = {name: p.copy() for name, p in net.parameters().items()}
    train(net, learner, (SERIES, LABELS), epochs=1, batch_size=24)  # one step of Adam is the rate itself
    moved = {name: float(np.abs(p - before[name]).max()) for name, p in net.parameters().items()}
    assert moved["dense1/weight"] == moved["dense1/bias"] == 0.0
    assert moved["dense2/weight"] == pytest.approx(0.02, rel=1e-3)
    assert moved["dense2/bias"] == pytest.approx(0.1, rel=1e-3)


def test_weights_of_classes_and_samples_are_those_of_the_loss():
    (net, learner), (other, second) = make(), make(losses.RateCrossEntropy(class_weight=(1.0, 3.0)))
    train(net, learner, (SERIES, LABELS), class_weight=[1.0, 3.0])
    train(other, second, (SERIES, LABELS))
    np.testing.assert_allclose(weights(net), weights(other), rtol=1e-4, atol=1e-7)
    counts = np.bincount(LABELS)
    (net, learner), (other, second) = make(), make()
    train(net, learner, (SERIES, LABELS), class_weight="balanced")
    train(other, second, (SERIES, LABELS, (24 / (2 * counts))[LABELS]))
    np.testing.assert_array_equal(weights(net), weights(other))
    some = (np.arange(24) % 2).astype(float)
    (net, learner), (other, second) = make(), make()
    options = {"batch_size": 24, "epochs": 1}
    history = train(net, learner, (SERIES, LABELS, some), **options)
    expected = train(other, second, (SERIES[1::2], LABELS[1::2]), **options)
    assert history["loss"] == pytest.approx(expected["loss"])
    np.testing.assert_allclose(weights(net), weights(other), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("weight", [None, np.linspace(0.1, 1.0, 24)])
def test_accumulated_batches_step_as_one(weight):
    data = (SERIES, LABELS) if weight is None else (SERIES, LABELS, weight)
    (net, learner), (other, second) = make(optimizer=lambda: optim.SGD(0.5)), make(optimizer=lambda: optim.SGD(0.5))
    history = train(net, learner, data, batch_size=5, accumulate=3)  # 5 5 5 | 5 4
    expected = train(other, second, data, batch_size=15)
    np.testing.assert_allclose(weights(net), weights(other), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(history["loss"][0], expected["loss"][0], rtol=0.2)
    assert learner.optimizer.iteration == second.optimizer.iteration == 4


def test_callbacks_are_called_after_every_epoch_and_may_end_training(tmp_path):
    log, seen = tmp_path / "log.csv", []

    def callback(net, history):
        seen.append(len(log.read_text().splitlines()) - 1)
        return len(history) == 3

    history = train(*make(), (SERIES, LABELS), epochs=9, log=log, callback=[callback, lambda net, history: None])
    assert len(history) == 3 and seen == [1, 2, 3]


class Writer:
    """What TensorBoard uses of tensorboardX."""

    made: list = []  # noqa: RUF012

    def __init__(self, folder, purge_step):
        self.written = {"folder": folder, "purge_step": purge_step, "scalars": []}
        Writer.made.append(self.written)

    def add_scalar(self, name, value, step):
        self.written["scalars"].append((name, value, step))

    def flush(self):
        self.written["flushed"] = len(self.written["scalars"])


def test_tensorboard_gets_every_column_of_every_epoch(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=Writer))
    Writer.made.clear()
    net, learner = make(spikes=True)
    options = {"checkpoint": tmp_path / "c.npz", "resume": True}
    for epochs in (2, 3):
        board = nbsnn.TensorBoard(tmp_path / "run")
        history = train(net, learner, (SERIES, LABELS), (SERIES, LABELS), callback=board, epochs=epochs, **options)
    assert [made["purge_step"] for made in Writer.made] == [1, 1]  # the second replaces what the first has written
    expected = [[(k, v, row["epoch"]) for k, v in row.items() if k != "epoch"] for row in history.rows]
    assert [made["scalars"] for made in Writer.made] == [
        [*expected[0], *expected[1]],
        [*expected[0], *expected[1], *expected[2]],
    ]
    assert Writer.made[0]["flushed"] == len(Writer.made[0]["scalars"])
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"nbsnn\[tensorboard\]"):
        nbsnn.TensorBoard(tmp_path)


def test_tensorboard_files_are_written(tmp_path):
    pytest.importorskip("tensorboardX")
    train(*make(), (SERIES, LABELS), callback=nbsnn.TensorBoard(tmp_path))
    (file,) = tmp_path.iterdir()
    assert b"train_accuracy" in file.read_bytes()


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (3, {}, "train must be a pair"),
        ("abc", {}, "train must be a pair"),
        ((SERIES, LABELS, LABELS, LABELS), {}, "must be a pair .* of 4"),
        ((SERIES, LABELS, -np.ones(24)), {}, "weights of train must be at least 0"),
        ((SERIES, LABELS, np.ones(3)), {}, "weights of train must have shape"),
        ((SERIES[:, :, 0], LABELS), {}, "samples must be series"),
        ((SERIES, LABELS.astype(float)), {}, "one integer label"),
        ((SERIES, LABELS.astype(str)), {}, "np.unique"),
        ((SERIES.swapaxes(0, 1), LABELS), {}, "samples come first"),
        ((SERIES[:, 0], LABELS), {}, "encoder=nbsnn.encode.constant"),
        ((SERIES, LABELS), {"encoder": nbsnn.encode.constant(T=3)}, "without an encoder"),
        ((SERIES, LABELS), {"resume": True}, "needs checkpoint="),
        ([], {}, "must be a pair"),
        (Loader([]), {}, "train has no samples"),
        (Loader([3]), {}, "batch 0 of train must be a pair"),
        (Loader([(SERIES, LABELS[:3])]), {}, "batch 0 of train needs one integer label"),
        (lambda draws: 3, {}, "must give an iterable"),
        (lambda: 3, {}, "a function of draws"),
        ((SERIES, LABELS), {"validation": 1.5}, "validation must be a share"),
        ((SERIES, LABELS), {"validation": 0.0}, "validation"),
        ((SERIES, LABELS), {"validation": 0.001}, "leaves one of two parts empty"),
        ((SERIES, LABELS), {"validation": True}, "validation"),
        (Loader([]), {"validation": 0.5}, "have no share"),
        ((SERIES, LABELS), {"monitor": "validation_loss"}, "neither is given"),
        ((SERIES, LABELS), {"monitor": "test_accuracy", "patience": 2}, "monitor must be one of"),
        ((SERIES, LABELS), {"patience": 0}, "patience"),
        ((SERIES, LABELS), {"class_weight": "even"}, "class_weight"),
        ((SERIES, LABELS), {"class_weight": [1.0]}, "class_weight has 1 numbers"),
        ((SERIES, LABELS), {"class_weight": [1.0, -1.0]}, "class_weight"),
        ((SERIES, LABELS), {"accumulate": 0}, "accumulate"),
        ((SERIES, LABELS), {"augment": [3]}, r"augment\[0\]"),
        ((SERIES, LABELS), {"augment": lambda x, draws: x[:3]}, "as many samples"),
        ((SERIES, LABELS), {"callback": lambda net: None}, "callback"),
        ((SERIES, LABELS), {"log": "x.txt"}, "csv or"),
        ((SERIES, LABELS), {"encoder": 3}, "encoder must be"),
    ],
)  # fmt: skip
def test_bad_arguments_change_nothing(data, options, message):
    net, learner = make()
    before = weights(net)
    with pytest.raises((TypeError, ValueError), match=message):
        train(net, learner, data, **options)
    np.testing.assert_array_equal(weights(net), before)
