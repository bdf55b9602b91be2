"""Learning without labels: the course of it, interrupted and resumed; units named; the command line."""

import subprocess
import sys
import time

import numpy as np
import pytest

import nbsnn
from nbsnn import encode, unsupervised
from nbsnn.cli import main
from nbsnn.progress.bar import Progress
from nbsnn.progress.history import History
from nbsnn.random import Draws
from nbsnn.voting import assign_labels

from .idx_files import tiny_mnist

RNG = np.random.default_rng(5)
KINDS = RNG.permutation(np.repeat(np.eye(3), 4, axis=1).T).T  # three patterns of four pixels each, that share none
LABELS = RNG.integers(0, 3, 12)
X = KINDS[LABELS] * RNG.uniform(0.7, 1.0, (12, 12))
ENCODER = encode.poisson(T=30, gain=0.5)


def network(**options):
    return unsupervised.diehl_cook(12, 3, **{"norm": 6.0, "inhibition": 20.0, **options})


def learn(net, **options):
    return unsupervised.learn(net, X, ENCODER, **{"epochs": 2, "every": 5, "progress": False, **options})


def same(a, b):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_the_course_is_each_sample_once_per_epoch():
    draws = Draws(7)
    whole = unsupervised.shown_order(draws, 12, 0, 36)
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(whole[12 * epoch : 12 * epoch + 12]), np.arange(12))
    assert (whole[:12] != whole[12:24]).any()
    for first, stop in ((0, 5), (5, 12), (10, 26), (24, 36)):
        np.testing.assert_array_equal(unsupervised.shown_order(draws, 12, first, stop), whole[first:stop])


def test_learning_is_showing_one_after_another():
    net, other = network(seed=3), network(seed=3)
    history = History()
    state = learn(net, seed=9, history=history, labels=LABELS)
    draws, shown = Draws(9), None
    counts = []
    for k, s in enumerate(unsupervised.shown_order(draws, 12, 0, 24)):
        shown = other.present(
            X[s : s + 1], ENCODER, draws.fold("learn"), state=shown and shown.state, keep=unsupervised.LASTING, first=k
        )
        counts.append(shown.counts[0].sum())
    same(state["neurons"], shown.state["neurons"])
    np.testing.assert_array_equal(net.weights, other.weights)
    assert history["samples"] == [5, 10, 15, 20, 24]
    np.testing.assert_allclose(history["spikes"][0], np.mean(counts[:5]))
    np.testing.assert_allclose(net.weights.sum(0), 6.0, rtol=1e-5)


def test_thresholds_rise_more_slowly_the_fewer_units_share_the_spikes():
    raised = [unsupervised.diehl_cook(4, n, device="python").neurons.neuron.params["theta_plus"] for n in (100, 400)]
    assert raised == [0.0125, 0.05]


@pytest.mark.long
def test_units_stand_for_patterns():
    net = network(theta_plus=0.5, seed=1)
    state = learn(net, epochs=4)
    found = unsupervised.name_units(net, X, LABELS, ENCODER, state)
    assert sorted(found.labels) == [0, 1, 2]
    counts = unsupervised.respond(net, KINDS, ENCODER, state)
    assert unsupervised.accuracies(found, counts, np.arange(3)) == {"all": 1.0, "proportional": 1.0}
    before = net.weights.copy()
    one = [unsupervised.respond(net, KINDS[:k], ENCODER, state) for k in (1, 2, 3)]
    for k, part in enumerate(one):
        np.testing.assert_array_equal(part, counts[: k + 1])
    np.testing.assert_array_equal(net.weights, before)


class Impatient(Progress):
    """Interrupts after so many calls."""

    def __init__(self, calls):
        super().__init__(shown=False)
        self.calls = calls

    def bar(self, *args, **options):
        self.calls -= 1
        if not self.calls:
            raise KeyboardInterrupt


@pytest.mark.parametrize("calls", [1, 2, 4])
def test_interrupted_and_resumed_is_the_same_bits(calls, tmp_path):
    histories = [History(), History()]
    whole, cut = network(), network()
    state = learn(whole, checkpoint=tmp_path / "whole.npz", history=histories[0], labels=LABELS)
    with pytest.raises(KeyboardInterrupt):
        learn(cut, checkpoint=tmp_path / "cut.npz", progress=Impatient(calls), labels=LABELS)
    fresh = network()
    again = learn(fresh, checkpoint=tmp_path / "cut.npz", resume=True, history=histories[1], labels=LABELS)
    same(state["neurons"], again["neurons"])
    np.testing.assert_array_equal(whole.weights, fresh.weights)
    rows = [[{k: v for k, v in row.items() if k != "seconds"} for row in history.rows] for history in histories]
    assert rows[0] == rows[1]
    with np.load(tmp_path / "whole.npz") as a, np.load(tmp_path / "cut.npz") as b:
        same({n: a[n] for n in a.files if n != "history"}, {n: b[n] for n in b.files if n != "history"})
    loaded = nbsnn.load(tmp_path / "cut.npz")
    np.testing.assert_array_equal(loaded.weights, whole.weights)


def test_more_epochs_go_on_where_fewer_ended(tmp_path):
    whole, parts = network(), network()
    learn(whole, epochs=3)
    learn(parts, epochs=1, checkpoint=tmp_path / "net.npz")
    learn(parts, epochs=3, checkpoint=tmp_path / "net.npz", resume=True)
    np.testing.assert_array_equal(whole.weights, parts.weights)


def test_accuracies_by_hand():
    found = assign_labels(np.array([[4, 0, 1], [0, 2, 2]]), np.array([0, 1]))
    np.testing.assert_array_equal(found.labels, [0, 1, 1])
    # All activity: 3 against (1 + 3) / 2. Proportional: 3 against (1 + 3 2/3) / (1 + 2/3).
    counts = np.array([[3, 1, 3], [0, 0, 1]])
    assert unsupervised.accuracies(found, counts, np.array([0, 1])) == {"all": 1.0, "proportional": 1.0}
    assert unsupervised.accuracies(found, counts, np.array([1, 1])) == {"all": 0.5, "proportional": 0.5}


@pytest.mark.parametrize(
    ("error", "message", "make"),
    [
        (ValueError, "samples must have shape", lambda p: unsupervised.learn(network(), X[:, 1:], ENCODER)),
        (ValueError, "labels must have shape", lambda p: learn(network(), labels=LABELS[1:])),
        (ValueError, "epochs must be", lambda p: learn(network(), epochs=0)),
        (ValueError, "every must be", lambda p: learn(network(), every=0)),
        (ValueError, "a variable to keep", lambda p: learn(network(), keep=("zeta",))),
        (ValueError, "seed = 0, not 1", lambda p: learn(network(), checkpoint=p, resume=True, seed=1)),
        (ValueError, "every = 5, not 6", lambda p: learn(network(), checkpoint=p, resume=True, every=6)),
        (ValueError, "other options", lambda p: learn(network(norm=5.0), checkpoint=p, resume=True)),
        (ValueError, "another lateral", lambda p: learn(network(inhibition=5.0), checkpoint=p, resume=True)),
        (ValueError, "theta_plus", lambda p: network(theta_plus=np.nan)),
        (ValueError, "strength of lateral", lambda p: network(inhibition=-1.0)),
    ],
)
def test_bad_input(error, message, make, tmp_path):
    learn(network(), epochs=1, checkpoint=tmp_path / "net.npz")
    with pytest.raises(error, match=message):
        make(tmp_path / "net.npz")


def test_a_network_alone_is_no_course(tmp_path):
    nbsnn.save(network(), tmp_path / "net.npz")
    with pytest.raises(ValueError, match="no course of learning"):
        learn(network(), checkpoint=tmp_path / "net.npz", resume=True)


# The command


SMALL = ["--neurons", "9", "--images", "60", "--steps", "40", "--every", "25"]


def command(tmp_path, out, *more):
    return ["train", "diehl-cook", "--data", str(tmp_path), *SMALL, "--out", str(tmp_path / out), *more]


@pytest.mark.long
def test_train_diehl_cook(tmp_path, capsys):
    tiny_mnist(tmp_path)
    assert main(command(tmp_path, "out")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("diehl-cook: 60 training and 50 test images")
    assert lines[-1].startswith("test accuracy: ") and "% (all activity)" in lines[-1] and "proportional" in lines[-1]
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {"checkpoint.npz", "history.csv", "history.json"}
    assert main(command(tmp_path, "held", "--held-out", "40")) == 0
    text = capsys.readouterr().out
    assert "60 training and 40 test images" in text and "held-out accuracy: " in text


@pytest.mark.long
def test_a_killed_course_goes_on_bit_for_bit(tmp_path):
    tiny_mnist(tmp_path)
    long = ["--epochs", "8", "--neurons", "100", "--steps", "100"]
    assert main(command(tmp_path, "whole", *long)) == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "nbsnn", *command(tmp_path, "cut", *long)], stdout=subprocess.DEVNULL
    )
    checkpoint = tmp_path / "cut" / "checkpoint.npz"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert main(command(tmp_path, "cut", *long, "--resume")) == 0
    with np.load(tmp_path / "whole" / "checkpoint.npz") as whole, np.load(checkpoint) as cut:
        for name in whole.files:
            if name != "history":  # it holds seconds
                np.testing.assert_array_equal(whole[name], cut[name], err_msg=name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--neurons", "0"], "--neurons must be at least 1"),
        (["--images", "0"], "--images must be at least 1"),
        (["--steps", "0"], "--steps must be at least 1"),
        (["--epochs", "0"], "--epochs must be at least 1"),
        (["--held-out", "200"], "--held-out must be below the number of training images, 200, not 200"),
        (["--held-out", "-3"], "--held-out must be at least"),
        (["--inhibition", "-3"], "strength of lateral inhibition"),
        (["--rate", "2000"], "x must be from 0 to 0.5"),
        (["--norm", "nan"], "--norm must be finite"),
    ],
)
def test_bad_arguments_are_one_line(arguments, message, tmp_path, capsys):
    tiny_mnist(tmp_path)
    assert main(command(tmp_path, "out", *arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("entry", "array"),
    [
        ("state/theta", np.full((1, 4), np.nan, np.float32)), ("state/theta", np.zeros((1, 5), np.float32)),
        ("state/theta", np.zeros(4, "U3")), ("state/theta", np.zeros((1, 4))), ("state/theta", None), ("done", None),
        ("done", np.array(-1)), ("done", np.array(3)), ("done", np.array(1.5)), ("history", None),
        ("history", np.array("[]")), ("history", np.array("null")), ("story", np.array("[]")),
        ("story", np.array("{}")),
        ("param/connection/weight", np.full((8, 4), np.nan, np.float32)),
    ],
)  # fmt: skip
def test_a_damaged_course_is_refused_and_changes_nothing(entry, array, tmp_path):
    path = tmp_path / "net.npz"

    def go(layer):
        encoder = nbsnn.encode.poisson(T=2, gain=0.5)
        return unsupervised.learn(
            layer, np.eye(8)[:4], encoder, progress=False, checkpoint=path, resume=True, every=4, history=history
        )

    history = History()
    go(unsupervised.diehl_cook(8, 4, norm=3.0, device="python"))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files} | {entry: array}
    np.savez(path, **{name: a for name, a in arrays.items() if a is not None})
    layer, history = unsupervised.diehl_cook(8, 4, norm=3.0, seed=1, device="python"), History()
    before = layer.weights.copy()
    with pytest.raises(ValueError) as error:
        go(layer)
    assert str(path) in str(error.value) and not len(history)
    np.testing.assert_array_equal(layer.weights, before)
