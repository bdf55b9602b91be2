"""``fit``: history, resuming bit for bit, bad input."""

import io

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LI, LIF
from nbsnn.progress.bar import Progress
from nbsnn.progress.history import History

DATA = nbsnn.data.digits()
TRAIN, TEST = (DATA.x_train[:120], DATA.y_train[:120]), (DATA.x_test[:40], DATA.y_test[:40])


def make(seed=0):
    hidden = LIF(learn=("tau", "v_threshold", "v_rest"))  # as in test_bptt: compiled once
    net = nbsnn.Sequential(nbsnn.Dense(64, 24), hidden, nbsnn.Dropout(0.2), nbsnn.Dense(24, 10), LI(), seed=seed)
    return net, nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.Adam(nbsnn.optim.Cosine(5e-3, 40)))


def train(net, learner, **options):
    encoder = nbsnn.encode.poisson(T=6)
    return nbsnn.fit(
        net, TRAIN, TEST, encoder=encoder, learner=learner, batch_size=32, progress=False, **{"epochs": 4, **options}
    )


def test_it_learns_and_keeps_a_history(tmp_path):
    net, learner = make()
    history = train(net, learner, epochs=6)
    assert len(history) == 6
    assert history["loss"][-1] < history["loss"][0]
    assert list(history.rows[0]) == ["epoch", "loss", "train_accuracy", "test_accuracy", "rate/lif1", "seconds"]
    assert 0.0 < history["rate/lif1"][-1] < 1.0
    history.save(tmp_path / "h.csv")
    history.save(tmp_path / "h.json")
    assert (tmp_path / "h.csv").read_text().splitlines()[
        0
    ] == "epoch,loss,train_accuracy,test_accuracy,rate/lif1,seconds"
    assert "rate lif1" in str(history)
    with pytest.raises(ValueError, match="csv or"):
        history.save(tmp_path / "h.xls")


@pytest.mark.parametrize("stop", [1, 3])
def test_resuming_goes_on_bit_for_bit(tmp_path, stop):
    whole, learner = make()
    expected = train(whole, learner)
    path = tmp_path / "checkpoint.npz"
    first, learner = make()
    train(first, learner, epochs=stop, checkpoint=path)
    # Another process would start from other weights: all must come from the file.
    second, learner = make(seed=9)
    history = train(second, learner, checkpoint=path, resume=True)
    for name, parameter in second.parameters().items():
        np.testing.assert_array_equal(parameter, whole.parameters()[name])
    assert history["loss"] == expected["loss"]
    assert history["test_accuracy"] == expected["test_accuracy"]


def test_the_checkpoint_is_a_network(tmp_path):
    net, learner = make()
    train(net, learner, epochs=1, checkpoint=tmp_path / "c.npz")
    loaded = nbsnn.load(tmp_path / "c.npz")
    np.testing.assert_array_equal(loaded["dense1"].params["weight"], net["dense1"].params["weight"])


def test_a_network_without_training_cannot_be_resumed(tmp_path):
    net, learner = make()
    nbsnn.save(net, tmp_path / "c.npz")
    with pytest.raises(ValueError, match="no training to resume"):
        train(net, learner, checkpoint=tmp_path / "c.npz", resume=True)


def test_seeds():
    runs = []
    for seed in (0, 0, 1):
        net, learner = make()
        runs.append(train(net, learner, epochs=1, seed=seed)["loss"][0])
    assert runs[0] == runs[1] != runs[2]


def test_augmentation_sees_training_batches_only():
    seen = []

    def augment(x, draws):
        seen.append((len(x), draws.key))
        return x

    net, learner = make()
    train(net, learner, epochs=2, augment=augment)
    assert [n for n, _ in seen] == [32, 32, 32, 24] * 2
    assert len({key for _, key in seen}) == 8


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((np.zeros((0, 64)), np.zeros(0, int)), "no samples"),
        ((TRAIN[0], TRAIN[1][:-1]), "one integer label"),
        ((TRAIN[0], TRAIN[1].astype(float)), "one integer label"),
        ((TRAIN[0], TRAIN[1] + 5), "label"),
        ((np.full((4, 64), np.nan), np.zeros(4, int)), "NaN"),
        ((TRAIN[0][:, :60], TRAIN[1]), "shape"),
    ],
)
def test_bad_data(pair, message):
    net, learner = make()
    before = {name: p.copy() for name, p in net.parameters().items()}
    with pytest.raises((ValueError, TypeError), match=message):
        nbsnn.fit(net, pair, encoder=nbsnn.encode.constant(T=2), learner=learner, progress=False)
    for name, p in net.parameters().items():
        np.testing.assert_array_equal(p, before[name])


def test_the_learner_must_train_the_network():
    net, _ = make()
    _, other = make()
    with pytest.raises(ValueError, match="another network"):
        train(net, other)


def test_a_silent_network_is_reported():
    net, learner = make()
    net["dense1"].params["weight"][...] = 0.0
    net["dense1"].params["bias"][...] = 0.0
    with pytest.warns(UserWarning, match="never spikes"):
        train(net, learner, epochs=1)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_in_a_log():
    row = {"epoch": 1, "loss": 0.5, "seconds": 1.0}
    for stream in (Terminal(), io.StringIO()):
        show = Progress(stream=stream)
        show.bar("epoch 1", 5, 5, "loss 0.5")
        show.row(History([row]))
        text = stream.getvalue()
        assert ("\r" in text) == stream.isatty()
        assert "0.5000" in text
        assert text.count("loss") == (2 if stream.isatty() else 1)


HISTORIES = {
    "null": "null", "number": "3", "cut": "[{", "no rows": "[]", "rows of numbers": "[3]", "no loss": '[{"epoch": 1}]',
    "late": '[{"epoch": 2, "loss": 0.5, "train_accuracy": 0.5, "seconds": 1.0}]',
    "NaN": '[{"epoch": 1, "loss": NaN, "train_accuracy": 0.5, "seconds": 1.0}]',
    "share": '[{"epoch": 1, "loss": 0.5, "train_accuracy": 1.5, "seconds": 1.0}]',
    "surplus": '[{"epoch": 1, "loss": 0.5, "train_accuracy": 0.5, "seconds": 1.0, "x": 1}]',
}  # fmt: skip
ENTRIES = {
    "learner/iteration": [None, np.array(-1), np.array(1.5), np.array("7"), np.array([1])],
    "learner/optimizer/m/dense1/bias": [None, np.float32([np.nan, 0]), np.zeros(3, np.float32), np.zeros(2, bool)],
    "param/dense1/bias": [np.zeros(2, np.int64), np.full(2, np.inf)],
}


CASES = [*HISTORIES, *(f"{entry} {k}" for entry, new in ENTRIES.items() for k in range(len(new)))]


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_training_is_refused_and_changes_nothing(name, tmp_path):
    path = tmp_path / "checkpoint.npz"

    def small(seed, **options):
        net = nbsnn.Sequential(nbsnn.Dense(3, 2), LIF(), seed=seed, device="python")
        learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.Adam(0.1), compact=False)
        options = {"checkpoint": path, "progress": False, "encoder": nbsnn.encode.constant(T=2), **options}
        data = np.eye(3), np.array([0, 1, 0])
        return net, learner, lambda: nbsnn.fit(net, data, learner=learner, **options)

    small(0, epochs=1)[2]()
    with np.load(path) as file:
        arrays = {entry: file[entry] for entry in file.files}
    if name in HISTORIES:
        arrays["history"] = np.array(HISTORIES[name])
    else:
        entry, k = name.split(" ")
        arrays[entry] = ENTRIES[entry][int(k)]
    np.savez(path, **{entry: array for entry, array in arrays.items() if array is not None})
    net, learner, go_on = small(1, epochs=2, resume=True)
    before = {entry: parameter.copy() for entry, parameter in net.parameters().items()}
    with pytest.raises(ValueError) as error:
        go_on()
    assert str(path) in str(error.value)
    assert learner.iteration == learner.optimizer.iteration == 0 and not learner.optimizer.state
    for entry, parameter in net.parameters().items():
        np.testing.assert_array_equal(parameter, before[entry])


def test_what_no_file_can_hold_shows_before_the_first_epoch(tmp_path):
    net = nbsnn.Sequential(nbsnn.Dense(64, 10), LIF(tau=lambda shape: np.full(shape, 2.0)), seed=0, device="python")
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
    with pytest.raises(TypeError, match="tau of lif1/LIF is a function"):
        train(net, learner, checkpoint=tmp_path / "checkpoint.npz")
    assert learner.iteration == 0 and not list(tmp_path.iterdir())


def test_a_plateau_hears_of_every_epoch_and_again_when_training_resumes(tmp_path):
    rates = []
    for epochs in ((6,), (3, 6)):
        for last in epochs:  # the second time in two processes, so to speak
            net = nbsnn.Sequential(nbsnn.Dense(64, 10), LI(), seed=0, device="python")
            plateau = nbsnn.optim.Plateau(1e-3, monitor="test_accuracy", mode="max", patience=0, threshold=10.0)
            learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.Adam(plateau))
            options = {"checkpoint": tmp_path / f"{len(epochs)}.npz", "resume": True, "epochs": last}
            nbsnn.fit(net, TRAIN, TEST, encoder=nbsnn.encode.constant(T=2), learner=learner, progress=False, **options)
        rates.append((learner.optimizer.lr, net["dense1"].params["weight"].copy()))
    assert rates[0][0] < 1e-6 and rates[0][0] == rates[1][0]
    np.testing.assert_array_equal(rates[0][1], rates[1][1])
