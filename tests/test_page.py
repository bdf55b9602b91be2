"""Pages: what they show is right, what they leave out is said, they ask nothing of a server, and can be touched."""

import base64
import gzip
import json
import re
import shutil
import sys

import numpy as np
import pytest

import nbsnn
from nbsnn.cli import main
from nbsnn.neurons import ALIF, LI, LIF
from nbsnn.pages.budget import Budget
from nbsnn.pages.of_network import of_batch
from nbsnn.pages.of_recording import of_recording
from nbsnn.pages.probe import Probe, window
from nbsnn.pages.weights import matrices, rounded
from nbsnn.progress.history import History

from .idx_files import tiny_mnist

pytest.importorskip("bokeh", reason="pages need Bokeh")

ALL = Budget(20_000, 300, 60_000)


def simulation(neuron=None, duration=40.0, record=("spikes", "v"), n=6, **how):
    net = nbsnn.Network(dt=0.1, device="python", dtype=np.float64)
    cells = net.population(LIF(tau=20.0) if neuron is None else neuron, n, name="cells")
    net.inject(cells, np.linspace(0.5, 2.0, n))
    return net.run(duration, record={cells: list(record)}, **how)


def small(v_threshold=1.0, surrogate=None):
    return nbsnn.Sequential(
        nbsnn.Dense(4, 5), LIF(v_threshold=v_threshold, surrogate=surrogate), nbsnn.Dense(5, 3), LI(),
        seed=1, device="python",
    )  # fmt: skip


BATCH = np.random.default_rng(0).normal(0.5, 1.0, (6, 2, 4)).astype(np.float32)
TARGET = np.array([0, 2])
ROWS = [
    {"epoch": 1, "loss": 2.0, "train_accuracy": 0.5, "test_accuracy": 0.25, "rate/lif1": 0.1, "seconds": 1.0},
    {"epoch": 2, "loss": 1.0, "train_accuracy": 0.75, "test_accuracy": 0.5, "rate/lif1": 0.2, "seconds": 1.0},
]


def models(path):
    """All objects of Bokeh in a page: (kind, attributes), arrays decoded."""
    text = path.read_text()
    (found,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    known = []

    def decoded(value):
        if isinstance(value, list):
            return [decoded(each) for each in value]
        if not isinstance(value, dict):
            return value
        if value.get("type") == "ndarray":
            data = value["array"]["data"]
            raw = base64.b64decode(data)
            raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
            return np.frombuffer(raw, value["dtype"]).reshape(value["shape"])
        if value.get("type") == "map":
            return {decoded(k): decoded(v) for k, v in value["entries"]}
        fields = {key: decoded(each) for key, each in value.items()}
        if value.get("type") == "object" and "attributes" in value:
            known.append((value["name"], fields["attributes"]))
        return fields

    decoded(json.loads(found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")))
    return known


def sources(path, *columns):
    """The data of all sources that have these columns."""
    data = [fields["data"] for kind, fields in models(path) if kind == "ColumnDataSource" and "data" in fields]
    return [each for each in data if set(columns) <= set(each)]


def test_a_page_of_a_recording_holds_its_spikes_rates_and_traces(tmp_path):
    recording = simulation()
    nbsnn.page(recording, tmp_path / "run.html")
    times, units = recording.spikes("cells")
    (spikes,) = sources(tmp_path / "run.html", "time", "row", "unit")
    np.testing.assert_allclose(spikes["time"], times)
    np.testing.assert_array_equal(spikes["unit"], units)
    (rates,) = sources(tmp_path / "run.html", "row", "rate", "unit", "trace")
    np.testing.assert_allclose(rates["rate"], np.bincount(units, minlength=6) * 1000.0 / 40.0)
    (store,) = [d for d in sources(tmp_path / "run.html", "membrane", "threshold") if len(d["membrane"]) == 6 * 400]
    np.testing.assert_allclose(store["membrane"].reshape(6, 400), recording["cells", "v"].T, rtol=1e-6)
    np.testing.assert_array_equal(store["threshold"], 1.0)
    (course,) = sources(tmp_path / "run.html", "time", "rate")
    assert course["rate"].mean() * 6 * 0.04 == pytest.approx(len(times))  # none is lost, those of the last step neither


def test_an_input_is_named_after_its_source_and_unit():
    net = nbsnn.Network(dt=0.1, device="python")
    source, cells = net.spikes([1.0, 5.0], [0, 0], 1, name="eye"), net.population(LIF(tau=20.0), 3, name="cells")
    net.connect(source, cells, nbsnn.AllToAll(), weight=2.0, synapse=nbsnn.synapses.Exponential(5.0))
    recording = net.run(10.0, record={cells: ["spikes", "v", "exponential.y"], source: "spikes"})
    activity = of_recording(recording, ALL, "").activity
    eye, shown = activity.populations
    assert (eye.name, eye.model, eye.times.tolist()) == ("eye", "listed spikes", [1.0, 5.0])
    assert shown.inputs == ("from eye: exponential.y (mV)",)
    np.testing.assert_allclose(activity.lines["input0"], recording[cells, "exponential.y"].T, rtol=1e-6)


def test_a_threshold_that_moves_is_drawn_where_its_states_were_recorded_and_nowhere_else():
    neuron = ALIF(tau=20.0, tau_adapt=30.0, beta=0.5)
    recording = simulation(neuron, record=("spikes", "v", "a"))
    lines = of_recording(recording, ALL, "").activity.lines
    a = recording["cells", "a"].T
    assert np.isnan(lines["threshold"][:, 0]).all()
    np.testing.assert_allclose(lines["threshold"][:, 1:], 1.0 + 0.5 * a[:, :-1], rtol=1e-6)
    lines = of_recording(simulation(neuron), ALL, "").activity.lines
    assert np.isnan(lines["threshold"]).all()


def test_named_sections_are_populations():
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(tau=20.0), 10, name="cells")
    low, high = cells[:4].named("low"), cells[4:].named("high")
    net.inject(cells, np.linspace(1.1, 3.0, 10))
    recording = net.run(30.0, record={cells: "spikes", high: {"v": [0, 5]}})
    activity = of_recording(recording, ALL, "").activity
    for shown, section in zip(activity.populations, (low, high), strict=True):
        assert shown.name == section.name
        np.testing.assert_array_equal(shown.units, recording.spikes(section)[1])
    assert (activity.owner.tolist(), activity.unit.tolist()) == ([1, 1], [0, 5])


def test_budgets_keep_whole_units_and_the_page_says_what_it_leaves_out(tmp_path):
    recording = simulation(n=40, duration=80.0)
    times, units = recording.spikes("cells")
    assert len(times) > 60
    content = of_recording(recording, Budget(60, 5, 400), "")
    (shown,), traces = content.activity.populations, content.activity
    assert 0 < len(shown.times) <= 60 and len(traces.unit) == 5
    for unit in np.unique(shown.units):
        np.testing.assert_allclose(shown.times[shown.units == unit], times[units == unit])
    assert set(traces.unit) <= set(shown.drawn)
    assert len(traces.times) == 80 and traces.lines["membrane"].shape == (5, 80)
    nbsnn.page(recording, tmp_path / "run.html", spikes=60, membranes=5, points=400)
    text = (tmp_path / "run.html").read_text()
    assert f"Spikes: {len(shown.times)} of {len(times)} are drawn" in text
    assert "Membranes: 5 of the 40 that were recorded are written." in text
    assert "Membranes: one in 10 recorded times is written" in text
    few = of_recording(recording, Budget(3, 0, 400), "")
    assert len(few.activity.populations[0].times) <= 3 and not len(few.activity.unit)
    nbsnn.page(simulation(), tmp_path / "all.html")
    assert "<p>Nothing.</p>" in (tmp_path / "all.html").read_text()


def test_the_membrane_before_the_spike_and_the_threshold_are_those_of_the_neuron():
    net, x = small(), BATCH
    activity = of_batch(net, x, None, None, 1, ALL, [])
    lines, run = activity.lines, net.run(x)
    decay, v = np.exp(-1 / 2.0), np.zeros(5)
    current = x[:, 1] @ net["dense1"].params["weight"] + net["dense1"].params["bias"]
    for t in range(6):
        u = decay * v + current[t]
        np.testing.assert_allclose(lines["membrane"][:5, t], u, rtol=1e-5, atol=1e-6)
        v = np.where(u >= 1.0, 0.0, u)
        np.testing.assert_allclose(run["lif1"]["v"][t, 1], v, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(lines["threshold"][:5], 1.0, rtol=1e-6)
    np.testing.assert_allclose(lines["input0"][:5], current.T, rtol=1e-5)
    np.testing.assert_allclose(lines["membrane"][5:], run.output[:, 1].T, rtol=1e-6)
    u = lines["membrane"][:5] - 1.0
    np.testing.assert_allclose(lines["slope"][:5], 1.0 / (1.0 + (np.pi * u) ** 2), rtol=1e-3)
    np.testing.assert_array_equal(activity.populations[0].rates, run["lif1"]["spikes"].mean((0, 1), dtype=np.float64))


def test_the_error_is_the_gradient_of_the_loss():
    """Of the readout's output it is what the loss says; of the input of a population by differences of the loss."""
    net = nbsnn.Sequential(nbsnn.Dense(4, 3), LI(), seed=1, device="python", dtype=np.float64)
    x = BATCH.astype(np.float64)
    activity = of_batch(net, x, TARGET, nbsnn.losses.rate_cross_entropy, 0, ALL, [])
    _, gy = nbsnn.losses.rate_cross_entropy(net.run(x).output, TARGET)
    np.testing.assert_allclose(activity.lines["error"], gy[:, 0].T, rtol=1e-6)
    decay = np.exp(-1 / 2.0)
    expected = [sum(decay ** (s - t) * gy[s, 0] for s in range(t, 6)) for t in range(6)]
    np.testing.assert_allclose(activity.lines["passed"], np.array(expected).T, rtol=1e-5)


@pytest.mark.parametrize("whole", [True, False])
def test_every_step_has_its_error_in_recurrent_layers_and_with_a_constant_input_too(whole):
    inner = LIF(tau=5.0) if whole else nbsnn.Sequential(LIF(tau=5.0))
    net = nbsnn.Sequential(nbsnn.Dense(4, 5), nbsnn.Recurrent(inner), nbsnn.Dense(5, 3), LI(), seed=0, device="python")
    x = nbsnn.encode.constant(T=6)(BATCH[0])
    before = {name: p.copy() for name, p in net.parameters().items()}
    activity = of_batch(net, x, TARGET, nbsnn.losses.rate_cross_entropy, 0, ALL, [])
    lines, (recurrent, readout) = activity.lines, activity.populations
    assert (recurrent.n, readout.n) == (5, 3) and np.isfinite(lines["error"]).all()
    tape = {}
    y, _ = net.forward(net.check_input(np.array(x)), net.initial(2), tape)
    gradients = net.zeros()
    net.backward(nbsnn.losses.rate_cross_entropy(y, TARGET)[1], tape, gradients, wanted=False)
    both = [of_batch(net, x, TARGET, nbsnn.losses.rate_cross_entropy, k, ALL, []).lines for k in (0, 1)]
    weight = sum(np.outer(BATCH[0][k], both[k]["passed"][:5].sum(1)) for k in (0, 1))
    np.testing.assert_allclose(gradients["dense1"]["weight"], weight, rtol=1e-4, atol=1e-7)
    for name, array in before.items():
        np.testing.assert_array_equal(net.parameters()[name], array)


def test_events_of_a_sensor_are_shown_like_the_array_that_they_stand_for():
    kind = [("t", "i8"), ("x", "i2"), ("y", "i2")]
    one = np.array([(0, 1, 1), (2, 0, 1), (2, 1, 0)], kind)
    spikes = nbsnn.events.to_spikes(nbsnn.events.Recordings([one], shape=(2, 2), unit="ms"), dt=1.0)
    loss = nbsnn.losses.rate_cross_entropy
    dense = np.asarray(spikes).reshape(3, 1, 4)
    lines, expected = (of_batch(small(), x, TARGET[:1], loss, 0, ALL, []).lines for x in (spikes, dense))
    for name, line in expected.items():
        np.testing.assert_array_equal(lines[name], line)


def test_windows_are_where_the_slope_is_large():
    assert window(nbsnn.surrogates.rect(1.0))[1] == pytest.approx((-0.5, 0.5), rel=0.01)
    for share, (low, high) in zip((0.5, 0.01), window(nbsnn.surrogates.atan(2.0)), strict=True):
        assert high == -low == pytest.approx(np.sqrt(1.0 / share - 1.0) / np.pi, rel=0.01)


@pytest.mark.parametrize("name", ["LIF", "ALIF", "LateReset", "MultiSpike", "CubaLIF", "NoReset", "IF", "PLIF"])
def test_a_probe_knows_the_threshold_of_every_neuron(name):
    neuron = getattr(nbsnn.neurons, name)(v_threshold=0.7)
    population = nbsnn.Population(neuron, 1, device="python", dtype=np.float64)
    probe, params = Probe(neuron), population.step_parameters()[:, 0].tolist()
    state = {s: np.zeros((1, 1)) for s in probe.names}
    for x in (0.3, 2.0, -1.0):
        given = [float(state[s][0, 0]) for s in probe.names]
        v, threshold = probe(x, given, params)
        run = population.run(np.full((1, 1, 1), x), {neuron.output: np.zeros((1, 1)), **state})
        assert (v >= threshold) == bool(run.output[0, 0, 0]), (name, x)
        moved = 0.2 * given[probe.names.index("a")] if name == "ALIF" else 0.0
        assert threshold == pytest.approx(0.7 + moved)
        state = {s: run[s][0] for s in probe.names}


@pytest.mark.parametrize("name", ["AdEx", "EIF", "QIF", "Izhikevich", "HodgkinHuxley", "ClopathAdEx"])
def test_a_probe_sees_the_peak_of_neurons_that_spike_inside_a_step(name):
    neuron = getattr(nbsnn.neurons, name)()
    population = nbsnn.Population(neuron, 1, dt=0.5 if name == "Izhikevich" else 0.1, device="python", dtype=np.float64)
    x = np.full((600, 1, 1), 15.0 if name == "Izhikevich" else 900.0)
    run = population.run(x)
    top = {"HodgkinHuxley": neuron.params.get("v_threshold")}.get(name, neuron.params.get("v_peak"))
    probe, params = Probe(neuron), population.step_parameters()[:, 0].tolist()
    assert probe.moves(params) == [] and run.output.sum() > 0
    states = [np.append(np.ravel(start)[0], run[s][:, 0, 0]) for s, start in neuron.state.items()]
    for t in range(len(x)):
        v, threshold = probe(float(x[t, 0, 0]), [float(s[t]) for s in states], params)
        assert threshold == top and (not run.output[t, 0, 0] or v >= top)
        assert run.output[t, 0, 0] or v == pytest.approx(run[probe.names[0]][t, 0, 0])
    lines = of_batch(
        nbsnn.Sequential(nbsnn.Dense(1, 1), neuron, seed=0, device="python"), x[:4, :, :], None, None, 0, ALL, []
    ).lines
    assert np.isnan(lines["slope"]).all() and not np.isnan(lines["threshold"]).any()


def test_a_recorded_membrane_is_drawn_up_to_its_peak():
    net = nbsnn.Network(dt=0.1, device="python", dtype=np.float64)
    cells = net.population(nbsnn.neurons.AdEx(), 3, name="cells")
    net.inject(cells, np.array([0.0, 900.0, 900.0]))
    run = net.run(60.0, record={cells: {"spikes": None, "v": [0, 1]}})
    times, units = run.spikes(cells)
    lines, top = of_recording(run, ALL, "").activity.lines, nbsnn.neurons.AdEx().params["v_peak"]
    peaks = run.times[lines["membrane"][1] == top]
    np.testing.assert_allclose(peaks, times[units == 1])
    assert len(peaks) > 1 and lines["membrane"][0].max() < top
    assert (lines["threshold"] == top).all() and run["cells", "v"].max() < top


def test_weights_are_those_of_the_network_and_large_ones_means(tmp_path):
    net = small()
    snapshots = nbsnn.Snapshots(net)
    first = net["dense1"].params["weight"].copy()
    net["dense1"].params["weight"] += 1.0
    snapshots.take("epoch 1")
    nbsnn.page(History(ROWS), tmp_path / "run.html", snapshots=snapshots)
    (values,) = [d["image"] for d in sources(tmp_path / "run.html", "image") if d["image"][0].shape == (4, 5)][:1]
    np.testing.assert_allclose(values[0], first, rtol=1e-3)
    said: list[str] = []
    big = np.random.default_rng(0).normal(size=(300, 200)).astype(np.float32)
    (weights,) = matrices([("now", {"w/weight": big})], said)
    assert weights.pictures[0].size <= 20_000 and weights.shape == (300, 200)
    down, across = (int(k) for k in re.findall(r"(\d+) x (\d+)", said[0])[0])
    assert weights.pictures[0][1, 2] == pytest.approx(
        big[down : 2 * down, 2 * across : 3 * across].mean(), rel=1e-3, abs=1e-6
    )
    x = np.array([1.0, -3.14159, 1e-30, np.nan])
    np.testing.assert_allclose(rounded(x), x, rtol=2.5e-4)


def test_recorded_weights_are_shown_over_time():
    net = nbsnn.Network(dt=0.1, device="python")
    source, cells = net.spikes([1.0, 5.0], [0, 1], 2), net.population(LIF(tau=20.0), 3)
    pairs = nbsnn.Explicit([0, 1], [2, 0])
    made = net.connect(source, cells, pairs, weight=[2.0, 3.0], plasticity=nbsnn.plasticity.PairSTDP(a_post=0.1))
    recording = net.run(10.0, record={made: "weight"}, every=5.0)
    (weights,) = of_recording(recording, ALL, "").weights
    assert weights.labels == ["5 ms", "10 ms"]
    expected = np.full((2, 3), np.nan)
    expected[0, 2], expected[1, 0] = recording[made, "weight"][-1]
    np.testing.assert_allclose(weights.pictures[-1], expected, rtol=1e-3)


def test_snapshots_stay_few_and_keep_first_and_last():
    net = small()
    snapshots = nbsnn.Snapshots(net, most=4)
    for epoch in range(1, 12):
        net["dense1"].params["weight"][...] = epoch
        snapshots.take(f"epoch {epoch}")
        assert 2 <= len(snapshots) <= 4
    labels = [label for label, _ in snapshots.taken]
    assert labels[0] == "start" and labels[-1] == "epoch 11"
    assert snapshots.taken[-1][1]["dense1/weight"][0, 0] == 11.0
    assert snapshots.taken[1][1]["dense1/weight"][0, 0] == float(labels[1].split()[1])


def test_fit_calls_back_after_every_epoch():
    data = nbsnn.data.digits()
    net = nbsnn.Sequential(nbsnn.Dense(64, 4), LIF(), nbsnn.Dense(4, 10), LI(), seed=0)
    snapshots, seen = nbsnn.Snapshots(net), []

    def callback(given, history):
        snapshots(given, history)
        seen.append((given is net, history["epoch"][-1]))

    learner = nbsnn.BPTT(net, loss=nbsnn.losses.rate_cross_entropy)
    how = {"encoder": nbsnn.encode.constant(T=2), "learner": learner, "progress": False, "batch_size": 32}
    nbsnn.fit(net, (data.x_train[:32], data.y_train[:32]), epochs=2, callback=callback, **how)
    assert seen == [(True, 1), (True, 2)] and [label for label, _ in snapshots.taken] == ["start", "epoch 1", "epoch 2"]
    with pytest.raises(TypeError, match="callback"):
        nbsnn.fit(net, (data.x_train[:32], data.y_train[:32]), epochs=2, callback=print("x"[:0]) or 3, **how)


def test_a_page_of_a_training_shows_its_course_and_says_why_it_does_not_learn(tmp_path):
    net = small(v_threshold=40.0, surrogate=nbsnn.surrogates.rect(0.5))
    page = tmp_path / "run.html"
    nbsnn.page(History(ROWS), page, net=net, x=BATCH, target=TARGET, loss=nbsnn.losses.rate_cross_entropy)
    curves = [np.asarray(source["y"]).tolist() for source in sources(page, "x", "y")]
    assert [2.0, 1.0] in curves and [50.0, 75.0] in curves and [25.0, 50.0] in curves and [0.1, 0.2] in curves
    text = page.read_text()
    said = str(nbsnn.report(net, BATCH, TARGET, nbsnn.losses.rate_cross_entropy).advice[0])
    assert said in text and "100 %" in text
    (rows,) = sources(page, "row", "population", "trace", "silent")
    np.testing.assert_array_equal(rows["silent"], [1, 1, 1, 1, 1, 0, 0, 0])


def test_what_a_history_cannot_draw_is_said_and_infinite_losses_are_gaps(tmp_path):
    rows = [{"epoch": 1, "loss": np.inf, "note": "a"}, {"epoch": 2, "loss": 1.0, "note": "b", "validation_loss": 2.0}]
    nbsnn.page(History(rows), tmp_path / "run.html")
    (curve,) = sources(tmp_path / "run.html", "x", "y")
    np.testing.assert_array_equal(curve["y"], [np.nan, 1.0])
    assert "not in every row: note, validation_loss." in (tmp_path / "run.html").read_text()


def test_saturated_units_are_marked(tmp_path):
    net = small()
    net["dense1"].params["bias"][...] = [9.0, -9.0, 0.0, 0.0, 0.0]
    nbsnn.page(net.run(BATCH), tmp_path / "run.html")
    (rows,) = sources(tmp_path / "run.html", "row", "population", "trace", "silent")
    assert rows["saturated"][:2].tolist() == [1, 0] and rows["silent"][:2].tolist() == [0, 1]


def test_names_are_text_and_no_markup(tmp_path):
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(tau=20.0), 2, name="</script><b>x")
    net.inject(cells, 2.0)
    nbsnn.page(net.run(20.0, record={cells: ["spikes", "v"]}), tmp_path / "run.html", title="<i>a & b")
    text = (tmp_path / "run.html").read_text()
    assert "</script><b>x" not in text and "<i>a" not in text and "&lt;i&gt;a &amp; b" in text
    assert models(tmp_path / "run.html")


def test_nothing_is_fetched_from_anywhere(tmp_path):
    nbsnn.page(simulation(), tmp_path / "run.html")
    text = (tmp_path / "run.html").read_text()
    assert not re.search(
        r"""(src|href)\s*=\s*["']?(https?:)?//""", re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    )
    assert not re.search(r"<script[^>]*\ssrc", text) and "@import" not in text and "default-src 'none'" in text
    assert (tmp_path / "run.html").stat().st_size < 3e6


def test_what_a_page_cannot_show_is_said_at_once(tmp_path):
    run, net, path = simulation(), small(), tmp_path / "run.html"
    history, loss = History(ROWS), nbsnn.losses.rate_cross_entropy
    for error, match, arguments, options in [
        (TypeError, "shown must be a Recording", (3, path), {}),
        (TypeError, "path must be a path", (run, 3), {}),
        (ValueError, "saved as .html, not 'run.png'", (run, tmp_path / "run.png"), {}),
        (TypeError, "title", (run, path), {"title": 3}),
        (ValueError, "net cannot be given with a recording", (run, path), {"net": net}),
        (ValueError, "loss cannot be given with a run", (net.run(BATCH), path), {"loss": loss}),
        (ValueError, "x is given without net", (history, path), {"x": BATCH}),
        (ValueError, "loss is given without x", (history, path), {"net": net, "loss": loss}),
        (ValueError, "target is given without loss", (history, path), {"net": net, "x": BATCH, "target": TARGET}),
        (ValueError, "sample is given without x", (history, path), {"net": net, "sample": 1}),
        (ValueError, "sample must be at most 1, not 2", (history, path), {"net": net, "x": BATCH, "sample": 2}),
        (ValueError, "sample must be at most 1, not 2", (net.run(BATCH), path), {"sample": 2}),
        (ValueError, "input must have shape", (history, path), {"net": net, "x": BATCH[..., :3]}),
        (TypeError, "net must be a network", (history, path), {"net": 3}),
        (TypeError, "snapshots must be", (history, path), {"snapshots": [net]}),
        (ValueError, "no row", (History(), path), {}),
        (ValueError, "nothing to draw", (History([{"epoch": 1}]), path), {}),
        (ValueError, "spikes must be at least 0", (run, path), {"spikes": -1}),
        (TypeError, "membranes must be an integer", (run, path), {"membranes": 1.5}),
        (ValueError, "points must be at least 1", (run, path), {"points": 0}),
    ]:
        with pytest.raises(error, match=match):
            nbsnn.page(*arguments, **options)
        assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="nowhere"):
        nbsnn.page(run, tmp_path / "nowhere" / "run.html")


def test_without_bokeh_it_says_how_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "bokeh", None)
    with pytest.raises(ImportError, match=r'pip install "nbsnn\[page\]"'):
        nbsnn.page(simulation(), tmp_path / "run.html")
    assert main(["train", "digits", "--page", str(tmp_path / "run.html"), "--out", str(tmp_path / "out")]) == 2
    assert "nbsnn[page]" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_the_command_line_refuses_a_page_before_it_begins(tmp_path, capsys):
    for name, words in (("run.png", "saved as .html"), ("nowhere/run.html", "no folder")):
        assert main(["simulate", "cuba", "--page", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
        assert words in capsys.readouterr().err and not list(tmp_path.iterdir())


@pytest.mark.long
def test_simulate_writes_a_page(tmp_path):
    page = tmp_path / "cuba.html"
    how = ["--duration", "30", "--settle", "5", "--scale", "0.05", "--out", str(tmp_path), "--page", str(page)]
    assert main(["simulate", "cuba", *how]) == 0
    (store,) = [d for d in sources(page, "membrane", "input1") if len(d["membrane"]) == 24 * 300]
    assert np.isfinite(store["membrane"]).all() and np.isfinite(store["input1"]).all()
    shown = sources(page, "time", "row", "unit")
    assert len(shown) == 2 and "of the 200 units were recorded" in page.read_text()


@pytest.mark.long
def test_a_page_of_learning_without_labels_has_its_course_and_weights(tmp_path):
    tiny_mnist(tmp_path)
    how = ["--data", str(tmp_path), "--neurons", "9", "--images", "20", "--steps", "20", "--every", "10"]
    page = tmp_path / "run.html"
    assert main(["train", "diehl-cook", *how, "--out", str(tmp_path / "out"), "--page", str(page)]) == 0
    assert len([d for d in sources(page, "x", "y") if list(d["x"]) == [10.0, 20.0]]) >= 2
    weights, lateral = [d["image"][0] for d in sources(page, "image")]
    assert weights.shape == (784, 9) and (weights >= 0.0).all() and (np.diag(lateral) == 0.0).all()


@pytest.mark.long
def test_the_page_of_the_training_on_digits_is_small(tmp_path):
    page = tmp_path / "digits.html"
    assert (
        main(["train", "digits", "--samples", "64", "--epochs", "12", "--out", str(tmp_path), "--page", str(page)]) == 0
    )
    assert page.stat().st_size < 3e6
    assert len([d for d in sources(page, "image") if d["image"][0].shape == (64, 256)]) == 7


# In a browser.


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium, of the system's, that blocks and notes all requests but for files."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser test needs playwright")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip("the browser test needs Chromium, which is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """Open a page; in the end there must have been no error and no request."""
    troubles, context = [], chromium.new_context(viewport={"width": 1280, "height": 900})

    def route(request):
        if request.request.url.startswith("file:"):
            request.continue_()
        else:
            troubles.append(request.request.url)
            request.abort()

    context.route("**/*", route)

    def opened(path):
        tab = context.new_page()
        tab.on("console", lambda m: troubles.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.goto(path.as_uri())
        tab.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
        tab.wait_for_function(f"{MODEL.format('info')}.text != ''")
        return tab

    yield opened
    context.close()
    assert not troubles


MODEL = 'Bokeh.documents[0].get_model_by_name("{}")'


def shown(tab, column):
    return np.array(tab.evaluate(f"Array.from({MODEL.format('membrane')}.renderers.at(-1).data_source.data.{column})"))


def click(tab, name, x, y):
    """Click a figure at its coordinates ``x`` and ``y``."""
    at = f"""() => {{
        const view = Bokeh.index.find_one({MODEL.format(name)})
        view.el.scrollIntoView({{block: "center"}})
        const box = view.el.getBoundingClientRect()
        return [box.x + view.frame.x_scale.compute({x}), box.y + view.frame.y_scale.compute({y})]
    }}"""
    tab.mouse.click(*tab.evaluate(at))
    tab.wait_for_timeout(700)  # a click that is not followed by another


def drawn(tab, name):
    """A screenshot of a figure."""
    view = f"Bokeh.index.find_one({MODEL.format(name)}).el"
    tab.evaluate(f"{view}.scrollIntoView({{block: 'center'}})")
    box = tab.evaluate(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))({view}.getBoundingClientRect())")
    return tab.screenshot(clip=box)


def test_a_click_on_a_spike_changes_the_trace(tmp_path, visit):
    recording = simulation()
    nbsnn.page(recording, tmp_path / "run.html")
    tab, (times, units) = visit(tmp_path / "run.html"), recording.spikes("cells")
    for unit in (5, 3):
        click(tab, "raster", float(times[units == unit][0]), unit)
        np.testing.assert_allclose(shown(tab, "membrane"), recording["cells", "v"][:, unit], rtol=1e-6)
        assert f"cells, unit {unit}" in tab.evaluate(f"{MODEL.format('info')}.text")
        assert tab.get_by_label("unit").input_value() == f"cells {unit}"
    click(tab, "rates", 0.0, 0)  # of a silent unit there is no spike to click
    np.testing.assert_allclose(shown(tab, "membrane"), recording["cells", "v"][:, 0], rtol=1e-6)
    assert "It never spikes" in tab.evaluate(f"{MODEL.format('info')}.text")
    tab.get_by_label("unit").select_option("cells 4")
    np.testing.assert_allclose(shown(tab, "membrane"), recording["cells", "v"][:, 4], rtol=1e-6)


@pytest.mark.long
def test_a_unit_without_a_membrane_shows_its_nearest_neighbour(tmp_path, visit):
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(tau=20.0), 6, name="cells")
    net.inject(cells, np.linspace(1.5, 2.0, 6))
    recording = net.run(40.0, record={cells: {"spikes": None, "v": [0, 4]}})
    nbsnn.page(recording, tmp_path / "run.html")
    tab = visit(tmp_path / "run.html")
    click(tab, "raster", float(recording.spikes()[0][recording.spikes()[1] == 5][0]), 5)
    np.testing.assert_allclose(shown(tab, "membrane"), recording[cells, "v"][:, 1], rtol=1e-6)
    assert "Unit 5, which you clicked, has no membrane" in tab.evaluate(f"{MODEL.format('info')}.text")


@pytest.mark.long
def test_zooming_the_raster_moves_the_traces(tmp_path, visit):
    nbsnn.page(simulation(), tmp_path / "run.html")
    tab = visit(tmp_path / "run.html")
    tab.evaluate(f"{MODEL.format('raster')}.x_range.setv({{start: 10, end: 20}})")
    assert tab.evaluate(f"[{MODEL.format('membrane')}.x_range.start, {MODEL.format('course')}.x_range.end]") == [10, 20]
    ends = f"() => {{ const r = {MODEL.format('raster')}.x_range; return [r.start, r.end] }}"
    before = tab.evaluate(ends)
    click(tab, "raster", 15.0, 2.0)
    assert tab.evaluate(ends) == before
    at = f"""() => {{ const box = Bokeh.index.find_one({MODEL.format("membrane")}).el.getBoundingClientRect()
        return [box.x + 200, box.y + 90] }}"""
    tab.evaluate(f"Bokeh.index.find_one({MODEL.format('membrane')}).el.scrollIntoView({{block: 'center'}})")
    x, y = tab.evaluate(at)
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + 150, y, steps=4)
    tab.mouse.up()
    start, end = tab.evaluate(ends)
    assert 10 < start < end < 20


def test_the_slider_changes_the_weights_and_the_page_says_why_a_unit_does_not_learn(tmp_path, visit):
    net = small(v_threshold=40.0, surrogate=nbsnn.surrogates.rect(0.5))
    snapshots = nbsnn.Snapshots(net)
    for epoch in (1, 2):
        net["dense1"].params["weight"] += 1.0
        snapshots.take(f"epoch {epoch}")
    how = {"net": net, "x": BATCH, "target": TARGET, "loss": nbsnn.losses.rate_cross_entropy, "snapshots": snapshots}
    nbsnn.page(History(ROWS), tmp_path / "run.html", **how)
    tab = visit(tmp_path / "run.html")
    visible = f"{MODEL.format('matrix0')}.renderers.map((r) => r.visible)"
    assert tab.evaluate(visible) == [False, False, True]
    before = tab.evaluate(f"{MODEL.format('words0')}.text"), drawn(tab, "matrix0")
    handle = tab.locator(".noUi-handle").first
    handle.focus()
    handle.press("Home")
    assert tab.evaluate(visible) == [True, False, False]
    assert "start" in tab.evaluate(f"{MODEL.format('words0')}.text") and "epoch 2" in before[0]
    text = tab.evaluate(f"{MODEL.format('info')}.text")
    assert "Silent" in text and "Almost no error passes" in text and "below the threshold" in text


@pytest.mark.long
@pytest.mark.parametrize("width", [800, 1280])
def test_everything_fits_the_window(tmp_path, visit, width):
    nbsnn.page(History(ROWS), tmp_path / "run.html", net=small(), x=BATCH, snapshots=nbsnn.Snapshots(small()))
    tab = visit(tmp_path / "run.html")
    tab.set_viewport_size({"width": width, "height": 900})
    tab.wait_for_timeout(300)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert all(len(drawn(tab, name)) > 1500 for name in ("raster", "rates", "membrane", "input", "course0", "matrix0"))
