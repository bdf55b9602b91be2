"""Figures: that they show what they were given, and say what is wrong with it."""

import sys

import numpy as np
import pytest

import nbsnn
from nbsnn import neurons, plot
from nbsnn.progress.history import History
from nbsnn.sparse import Explicit, Rows, Sparse

pytest.importorskip("matplotlib")

SPIKES = np.array([1.0, 2.0, 2.0, 7.0]), np.array([0, 3, 1, 3]), 4


def curve(line):
    return np.asarray(line.get_xdata()), np.asarray(line.get_ydata())


def test_activity_shows_every_spike_and_the_rates():
    figure = plot.activity({"E": SPIKES, "I": ([5.0], [1], 2)}, 10.0, width=5.0)
    dots, rates = figure.axes
    (t, y), (t_low, y_low) = map(curve, dots.lines)
    np.testing.assert_array_equal(t, SPIKES[0])
    np.testing.assert_array_equal(y, SPIKES[1])
    assert (t_low, y_low) == (5.0, 5)  # the second population begins under the four units of the first
    assert dots.get_ylim() == (5.5, -0.5)
    assert [label.get_text() for label in dots.get_yticklabels()] == ["E", "I"]
    np.testing.assert_allclose(curve(rates.lines[0])[1], [3 * 1000 / (4 * 5.0), 1000 / (4 * 5.0)])
    assert [line.get_color() for line in dots.lines] == [line.get_color() for line in rates.lines]


def test_activity_thins_out_large_populations():
    times, units = np.arange(1000.0), np.arange(1000)
    dots, rates = plot.activity((times, units, 1000), 1000.0, most=300).axes
    np.testing.assert_array_equal(curve(dots.lines[0])[0], times[::4])
    np.testing.assert_array_equal(curve(dots.lines[0])[1], np.arange(250))
    assert dots.get_ylabel() == "unit (1 in 4)"
    np.testing.assert_allclose(curve(rates.lines[0])[1], 1.0)  # all units count


def test_figures_draw_into_given_axes():
    figure, axes = plot.pyplot().subplots(2)
    assert plot.activity(SPIKES, 10.0, start=1.5, axes=axes) is figure
    assert len(curve(axes[0].lines[0])[0]) == 3
    figure, ax = plot.pyplot().subplots()
    assert plot.rate_histogram([1.0, 2.0], ax=ax) is figure
    assert plot.weights_over_time([0.0, 1.0], np.ones((2, 3)), ax=ax) is figure
    assert plot.weight_matrix(np.ones((2, 2)), ax=ax) is figure
    plot.pyplot().close("all")


def test_silence_can_be_drawn(tmp_path):
    figure = plot.activity({"a": ([], [], 3), "b": SPIKES}, 10.0)
    plot.save(figure, tmp_path / "a.png")
    assert not len(curve(figure.axes[0].lines[0])[0])


def test_traces():
    t = np.arange(10.0)
    v = np.stack([t, t - 5], 1)
    figure = plot.traces(t, {"v": v, "w": v**2}, [[3.0], [2.0, 4.0]], labels=["a", "b"])
    first, second = figure.axes
    np.testing.assert_array_equal(curve(second.lines[1])[1], v[:, 1] ** 2)
    strokes = [c.get_segments() for c in first.collections]
    assert [len(s) for s in strokes] == [1, 2]
    np.testing.assert_allclose(strokes[1][1][0], [4.0, -1.0])  # it begins at the state
    assert strokes[1][1][1][1] > v.max()
    assert [text.get_text() for text in first.get_legend().get_texts()] == ["a", "b"]
    assert len(plot.traces(t, v[:, 0], [1.0, 2.0]).axes[0].collections[0].get_segments()) == 2
    assert not plot.traces(t, v[:, 0], []).axes[0].collections


def test_histograms():
    ax = plot.rate_histogram({"E": [1.0, 2.0, 3.0], "I": [4.0, np.nan]}, bins=4).axes[0]
    heights = [patch.get_data().values for patch in ax.patches]
    np.testing.assert_array_equal(heights[0], [1, 2, 0])  # 0 and 1, 2 and 3, 4 and 5
    np.testing.assert_array_equal(heights[2], [0, 0, 1])
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["E mean 2 Hz", "I mean 4 Hz"]
    ax = plot.cv_histogram([0.5, np.nan, 0.7, 1.1234]).axes[0]
    assert ax.patches[0].get_data().values.sum() == 3


def test_bins_of_rates_do_not_beat():
    rng = np.random.default_rng(0)
    ax = plot.rate_histogram(rng.integers(0, 100, 100_000) * 0.7, bins=30).axes[0]
    values = ax.patches[0].get_data().values
    assert len(values) == 25 and values.max() < 1.1 * values.min()


def image(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def test_weight_matrix_of_dense_and_sparse_weights():
    rows = Explicit([0, 0, 2, 2], [1, 1, 0, 3], weight=[0.5, 0.25, -1.0, 2.0]).build(3, 4)
    dense = np.array([[0, 0.75, 0, 0], [0, 0, 0, 0], [-1, 0, 0, 2.0]])
    for figure in (plot.weight_matrix(rows.weight, rows), plot.weight_matrix(dense)):
        np.testing.assert_array_equal(image(figure), dense)
        assert figure.axes[0].images[0].get_clim() == (-2.0, 2.0)
        assert figure.axes[1].get_ylabel() == "weight"
    np.testing.assert_array_equal(image(plot.weight_matrix(2.0, rows))[0], [0, 4, 0, 0])
    empty = Rows(np.zeros(4, np.int64), np.empty(0, np.int32), 2)
    np.testing.assert_array_equal(image(plot.weight_matrix(1.0, empty)), np.zeros((3, 2)))


def test_a_large_matrix_is_averaged(monkeypatch):
    monkeypatch.setattr("nbsnn.plot.weights.PIXELS", 10)
    rows = Sparse(probability=0.3).build(37, 8, seed=1)
    weight = np.random.default_rng(0).random(len(rows))
    dense = rows.to_scipy(weight).toarray()
    expected = [part.mean(0) for part in np.split(dense, np.arange(1, 10) * 37 // 10)]
    for figure in (plot.weight_matrix(weight, rows), plot.weight_matrix(dense)):
        np.testing.assert_allclose(image(figure), expected)
        assert figure.axes[1].get_ylabel() == "weight, mean over pairs"
        assert figure.axes[0].images[0].get_extent() == [-0.5, 7.5, 36.5, -0.5]


def test_receptive_fields():
    weight = np.random.default_rng(0).random((6, 5))
    shown = image(plot.receptive_fields(weight, (2, 3)))
    assert shown.shape == (2 * 3 - 1, 3 * 4 - 1)  # three to a line, a gap between
    np.testing.assert_array_equal(shown[:2, 4:7], weight[:, 1].reshape(2, 3))
    np.testing.assert_array_equal(shown[3:, :3], weight[:, 3].reshape(2, 3))
    assert np.ma.getmaskarray(np.ma.masked_invalid(shown))[2].all()
    assert image(plot.receptive_fields(weight, (2, 3), columns=5)).shape == (2, 5 * 4 - 1)


def test_weights_over_time():
    t, w = np.arange(4.0), np.random.default_rng(0).random((4, 50))
    few, many = (plot.weights_over_time(t, x).axes[0] for x in (w[:, :5], w))
    assert len(few.lines) == 7 and not few.collections
    assert len(many.lines) == 2 and len(many.collections) == 2
    np.testing.assert_allclose(curve(many.lines[0])[1], np.median(w, 1))
    np.testing.assert_allclose(curve(few.lines[-1])[1], w[:, :5].mean(1))


def test_save_writes_a_whole_file_or_none(tmp_path):
    figure = plot.rate_histogram([1.0])
    plot.save(figure, tmp_path / "a.pdf")
    plot.save(figure, tmp_path / "b")
    assert (tmp_path / "a.pdf").read_bytes()[:4] == b"%PDF" and (tmp_path / "b.png").read_bytes()[1:4] == b"PNG"
    before = (tmp_path / "a.pdf").read_bytes()
    figure.savefig = lambda file, **_: (file.write(b"half"), 1 / 0)
    with pytest.raises(ZeroDivisionError):
        plot.save(figure, tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.pdf", "b.png"]
    with pytest.raises(ValueError, match="not supported"):
        plot.save(plot.rate_histogram([1.0]), tmp_path / "c.xyz")


@pytest.mark.parametrize("draw", [lambda: plot.activity(SPIKES, 10.0), lambda: plot.rate_histogram([1.0]), plot.pyplot])
def test_without_matplotlib_it_says_how_to_get_it(draw, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r'pip install "nbsnn\[plot\]"'):
        draw()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: plot.activity(([2.0, 1.0], [0, 0], 1), 5.0), "must ascend"),
        (lambda: plot.activity(([1.0], [3], 1), 5.0), "units must be from 0 to 0"),
        (lambda: plot.activity(SPIKES, 10.0, most=0), "most must be at least 1"),
        (lambda: plot.traces(np.arange(3), np.arange(4)), r"shape \[3, 1\]"),
        (lambda: plot.traces(np.arange(3), {"v": np.ones((3, 2)), "w": np.ones(3)}), "the state 'w'"),
        (lambda: plot.traces(np.arange(3), np.ones((3, 2)), [[1.0]]), "each of the 2 units, not for 1"),
        (lambda: plot.traces(np.arange(3), np.ones((3, 2)), labels=["a"]), "labels must be given"),
        (lambda: plot.rate_histogram([]), "rates must hold at least one number"),
        (lambda: plot.cv_histogram([np.nan]), "cv must hold at least one number"),
        (lambda: plot.weight_matrix(np.ones(3)), r"shape \[n_pre, n_post\]"),
        (lambda: plot.weight_matrix(np.ones(3), Explicit([0], [0]).build(1, 1)), r"a number or have shape \[1\]"),
        (lambda: plot.receptive_fields(np.ones((5, 2)), (2, 3)), r"shape \[6, targets\]"),
        (lambda: plot.weights_over_time([1.0], np.ones((2, 2))), r"shape \[1, synapses\]"),
    ],
)
def test_errors(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_training_shows_populations_in_containers_and_returns_axes(tmp_path):
    net = nbsnn.Sequential(
        nbsnn.Dense(4, 3), neurons.LIF(), nbsnn.Residual(nbsnn.Dense(3, 3), neurons.LIF()),
        nbsnn.Recurrent(neurons.LIF(), nbsnn.Dense(3, 3)), seed=0, device="python",
    )  # fmt: skip
    run = net.run(np.ones((6, 2, 4)))
    history = History([{"epoch": k, "loss": 1.0 / k, "train_accuracy": 0.5, "test_accuracy": 0.4} for k in (1, 2)])
    axes = plot.training(history, run, tmp_path / "a.png", labels=[0, 2])
    titles = [ax.get_title() for ax in axes]
    assert titles[2:-1] == [f"{name}, one sample" for name in ("lif1", "residual1/branch/lif1", "recurrent1/neurons")]
    assert (tmp_path / "a.png").exists()
    np.testing.assert_array_equal(curve(axes[0].lines[0])[1], history["loss"])
    assert len(plot.training(history)) == 2
    with pytest.raises(ValueError, match="labels need the run"):
        plot.training(history, labels=[0])


def test_partners_are_marked_where_they_are_and_the_larger_the_more_synapses():
    places = nbsnn.sparse.grid((3, 4), spacing=2.0)
    figure = plot.partners(places, [5, 1, 5], of=places[6])
    (every, marked), (star,) = figure.axes[0].collections, figure.axes[0].lines
    for drawn, expected in ((every, places), (marked, places[[1, 5]])):
        np.testing.assert_array_equal(drawn.get_offsets(), expected)
    np.testing.assert_array_equal(np.ravel(curve(star)), places[6])
    one, two = marked.get_sizes()
    assert two > one
    with pytest.raises(ValueError, match="units must be from 0 to 11"):
        plot.partners(places, [12])


def test_a_confusion_matrix_counts_pairs():
    ax = plot.confusion([0, 0, 1, 2, 2], [0, 1, 1, 0, 2])
    assert [text.get_text() for text in ax.texts] == ["1", "1", "0", "0", "1", "0", "1", "0", "1"]
    np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), [[0.5, 0.5, 0], [0, 1, 0], [0.5, 0, 0.5]])
    with pytest.raises(ValueError, match="one class for each of the 2 labels"):
        plot.confusion([0, 1], [1])


def test_a_raster_of_a_whole_run_says_what_to_take():
    net = nbsnn.Sequential(nbsnn.Dense(4, 3), neurons.LIF(), seed=0, device="python")
    with pytest.raises(TypeError, match=r"spikes must be an array .* not a whole run"):
        plot.raster(net.run(np.ones((6, 2, 4))))
