"""Recordings of events, steps made of them, and networks that take them without a dense array."""

import numpy as np
import pytest

import nbsnn
from nbsnn.events import Recording, Recordings, binned, to_spikes
from nbsnn.neurons import LI, LIF
from nbsnn.spikes.spike_input import SpikeInput

KINDS = {
    "t x y p": [("t", "i8"), ("x", "i2"), ("y", "i2"), ("p", "i1")],
    "p y x t": [("p", "?"), ("y", "u1"), ("x", "f4"), ("t", "f8")],
    "x t more": [("x", "u2"), ("more", "U3"), ("t", "u8"), ("p", "u1"), ("y", "i8")],
}


def drawn(rng, n, shape=(2, 3, 4), kind="t x y p", most=1000):
    events = np.zeros(n, KINDS[kind])
    events["t"] = rng.integers(0, most, n)
    for name, size in zip("pyx", shape, strict=True):
        events[name] = rng.integers(0, size, n)
    return events


def by_hand(samples, T, ticks, shape):
    """The dense array, event by event."""
    x, merged, dropped = np.zeros((T, len(samples), *shape), np.float32), 0, 0
    for b, events in enumerate(samples):
        for e in events:
            step = int(e["t"]) // ticks
            if step >= T:
                dropped += 1
                continue
            place = (step, b, int(e["p"]), int(e["y"]), int(e["x"]))
            merged += int(x[place])
            x[place] = 1.0
    return x, merged, dropped


@pytest.mark.parametrize("kind", KINDS)
def test_fields_in_any_order_and_of_any_number_make_the_same_spikes_and_stay_as_they_are(kind):
    rng = np.random.default_rng(0)
    samples = [drawn(rng, n, kind=kind) for n in (40, 0, 25)]
    before = [events.copy() for events in samples]
    recordings = Recordings(samples, shape=(2, 3, 4), unit="us")
    spikes = to_spikes(recordings, dt=0.1, T=8)
    dense, merged, dropped = by_hand(samples, 8, 100, (2, 3, 4))
    np.testing.assert_array_equal(np.asarray(spikes), dense)
    assert (spikes.merged, spikes.dropped) == (merged, dropped) and merged and dropped
    assert len(spikes.index) + merged + dropped == 65
    assert all(np.array_equal(a, b) for a, b in zip(samples, before, strict=True))
    np.testing.assert_array_equal(recordings.counts, [40, 0, 25])


@pytest.mark.parametrize(("unit", "factor"), [("us", 1.0), ("ms", 1e-3), ("s", 1e-6)])
def test_the_unit_of_time_scales_and_rounding_moves_no_event_to_another_step(unit, factor):
    ticks = np.arange(0, 3000, 100)
    events = np.zeros(len(ticks), [("x", "i4"), ("t", "f8")])
    events["t"], events["x"] = ticks * factor, np.arange(len(ticks))
    spikes = to_spikes(Recordings([events], shape=(30,), unit=unit), dt=0.1)
    assert spikes.shape == (30, 1, 30)
    np.testing.assert_array_equal(np.asarray(spikes)[:, 0], np.eye(30))


def test_a_unit_must_be_given_and_be_one():
    events = np.zeros(1, [("t", "i8"), ("x", "i2")])
    with pytest.raises(ValueError, match="unit must be given"):
        Recordings([events], shape=(2,))
    with pytest.raises(ValueError, match="'us', 'ms', 's'"):
        Recordings([events], shape=(2,), unit="ns")
    with pytest.raises(ValueError, match="differ"):
        Recordings([Recording(events, "us", (2,)), Recording(events, "ms", (2,))])
    with pytest.raises(TypeError, match="put one alone in a list"):
        Recordings(events, shape=(2,), unit="us")


def test_the_last_partial_step_is_kept_unless_asked_otherwise_and_losses_are_counted():
    events = np.array([(0, 0), (149, 1), (150, 0)], [("t", "i8"), ("x", "i2")])
    recordings = Recordings([events], shape=(2,), unit="us")
    assert repr(to_spikes(recordings, dt=0.1)) == "SpikeInput([2, 1, 2], 3 spikes, 0 merged, 0 dropped)"
    cut = to_spikes(recordings, dt=0.1, partial=False)
    assert (cut.shape, cut.dropped) == ((1, 1, 2), 2)
    # 150 us is over at 151: a step of 0.151 ms is whole
    assert to_spikes(recordings, dt=0.151, partial=False).dropped == 0
    with pytest.raises(ValueError, match="no meaning with T"):
        to_spikes(recordings, dt=0.1, T=3, partial=False)
    with pytest.raises(ValueError, match="nothing is left"):
        to_spikes(recordings, dt=0.2, partial=False)


def test_time_may_begin_at_the_first_event_of_each_sample():
    kind = [("t", "i8"), ("x", "i2")]
    samples = [np.array([(1005, 0), (1099, 1)], kind), np.array([], kind), np.array([(7, 1), (207, 0)], kind)]
    spikes = to_spikes(Recordings(samples, shape=(2,), unit="us"), dt=0.1, start="first")
    assert np.argwhere(np.asarray(spikes)).tolist() == [[0, 0, 0], [0, 0, 1], [0, 2, 1], [2, 2, 0]]


def test_without_an_axis_of_polarity_both_are_one_unit_and_counted():
    events = np.array([(0, 1, 0, 0), (0, 1, 0, 1)], KINDS["t x y p"])
    both = to_spikes(Recordings([events], shape=(1, 2), unit="us"), dt=1.0)
    assert (len(both.index), both.merged) == (1, 1)
    assert to_spikes(Recordings([events[["t", "x", "p"]]], shape=(2, 2), unit="us"), dt=1.0).merged == 0
    with pytest.raises(ValueError, match="do not fit shape"):
        Recordings([events], shape=(2,), unit="us")


def test_events_out_of_order_are_sorted():
    rng = np.random.default_rng(1)
    events = drawn(rng, 50)
    one = Recordings([events], shape=(2, 3, 4), unit="ms")
    assert (np.diff(one.t) >= 0).all()
    other = Recordings([np.sort(events, order="t")], shape=(2, 3, 4), unit="ms")
    np.testing.assert_array_equal(np.asarray(to_spikes(one, dt=50.0)), np.asarray(to_spikes(other, dt=50.0)))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"x": 4}, "x of sample 1 must be from 0 to 3; 1 of 5 are not, the first at index 2: 4"),
        ({"x": -1}, "x of sample 1"),
        ({"y": 3}, "y of sample 1"),
        ({"p": -1}, "p of sample 1"),
        ({"t": -1}, "t of sample 1 must be finite, and not negative"),
        ({"t": 2**62}, "t of sample 1"),
    ],
)
def test_events_that_cannot_be_are_named(change, match):
    samples = [drawn(np.random.default_rng(2), 5) for _ in range(2)]
    for name, value in change.items():
        samples[1][name][2] = value
    with pytest.raises(ValueError, match=match):
        Recordings(samples, shape=(2, 3, 4), unit="us")


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.5])
@pytest.mark.parametrize("name", ["t", "x"])
def test_numbers_of_events_are_finite_and_places_whole(name, value):
    events = drawn(np.random.default_rng(3), 4, kind="p y x t")
    events[name][1] = value
    if (name, value) == ("t", 0.5):
        assert len(Recordings([events], shape=(2, 3, 4), unit="us")) == 1
        return
    with pytest.raises(ValueError, match=f"{name} of sample 0"):
        Recordings([events], shape=(2, 3, 4), unit="us")


def test_some_samples_are_taken_as_of_an_array():
    rng = np.random.default_rng(4)
    samples = [drawn(rng, n) for n in (3, 0, 5, 7)]
    recordings = Recordings(samples, shape=(2, 3, 4), unit="us")
    for which in ([2, 0], slice(1, 3), np.array([True, False, False, True]), [-1], np.array([3, 3])):
        wanted = Recordings([samples[i] for i in np.arange(4)[which]], shape=(2, 3, 4), unit="us")
        part = recordings[which]
        for name in ("t", "index", "start"):
            np.testing.assert_array_equal(getattr(part, name), getattr(wanted, name))
    assert recordings.events(2)[0].tolist() == sorted(samples[2]["t"])
    with pytest.raises(IndexError):
        recordings[[4]]


def test_steps_that_no_one_wants_are_refused():
    events = np.array([(10**15, 0)], [("t", "i8"), ("x", "i2")])
    recordings = Recordings([events], shape=(2,), unit="s")
    with pytest.raises(ValueError, match="give T, a larger dt, or another unit"):
        to_spikes(recordings, dt=1.0)
    for wrong in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="dt"):
            to_spikes(recordings, dt=wrong)
    with pytest.raises(TypeError, match="Recordings"):
        to_spikes(events, dt=1.0)


def test_spikes_are_cut_and_turned_as_arrays_are():
    x = (np.random.default_rng(5).random((6, 3, 2, 4)) < 0.3).astype(np.float32)
    t, b, *units = np.nonzero(x)
    spikes = SpikeInput.of(b, t, np.ravel_multi_index(units, (2, 4)), x.shape)
    np.testing.assert_array_equal(spikes.dense(np.float64), x)
    for window in (slice(1, 4), slice(0, 0), slice(4, None), slice(-2, None)):
        np.testing.assert_array_equal(np.asarray(spikes[window]), x[window])
    np.testing.assert_array_equal(np.asarray(spikes.fitting((8,))), x.reshape(6, 3, 8))
    y = np.empty((5, 8), np.float32)
    spikes.spread(4, y)
    np.testing.assert_array_equal(y, x.transpose(1, 0, 2, 3).reshape(18, 8)[4:9])
    with pytest.raises(ValueError, match="unit must be from 0 to 7"):
        SpikeInput.of([0], [0], [8], (6, 3, 2, 4))


def network(recurrent=False, path="auto", first=None):
    weights = nbsnn.init.uniform(-1.0, 1.0)
    hidden = nbsnn.Recurrent(LIF()) if recurrent else LIF()
    layers = [nbsnn.Dense(24, 6, path=path, weight=weights), hidden, nbsnn.Dense(6, 3), LI()]
    return nbsnn.Sequential(*([first] if first else []), *layers, input_shape=(2, 3, 4) if first else 24, seed=0)


def given(rate=0.2):
    x = (np.random.default_rng(6).random((5, 3, 2, 3, 4)) < rate).astype(np.float32)
    t, b, *units = np.nonzero(x)
    return x, SpikeInput.of(b, t, np.ravel_multi_index(units, (2, 3, 4)), x.shape)


@pytest.mark.parametrize("path", ["auto", "dense", "events"])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("chunk", [None, 2])
def test_training_on_events_is_training_on_the_array(path, recurrent, chunk):
    x, spikes = given()
    found = []
    for compact in (True, False):
        for of in (x.reshape(5, 3, 24), spikes):
            net = network(recurrent, path)
            learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, chunk=chunk, compact=compact)
            value, grads = learner.gradients(of, np.array([0, 1, 2]))
            found.append((value, {k: g.copy() for k, g in grads.items()}, net.run(of).output))
    for value, grads, output in found[1:]:
        assert value == pytest.approx(found[0][0], abs=1e-6)
        np.testing.assert_allclose(output, found[0][2], atol=1e-6)
        for name, g in grads.items():
            np.testing.assert_allclose(g, found[0][1][name], atol=1e-6, err_msg=name)


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.9])
def test_few_and_many_events_are_right_in_both_precisions(rate):
    x, spikes = given(rate)
    for dtype in (np.float32, np.float64):
        net = network().twin(dtype=dtype)
        learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
        dense = learner.gradients(x.reshape(5, 3, 24).astype(dtype), np.array([0, 1, 2]))[0]
        assert learner.gradients(spikes, np.array([0, 1, 2]))[0] == pytest.approx(dense, abs=1e-6)


@pytest.mark.parametrize("learner", [nbsnn.OTTT, nbsnn.SLTT])
def test_online_learners_take_events(learner):
    x, spikes = given()
    values = []
    for of in (x.reshape(5, 3, 24), spikes):
        values.append(learner(network(), nbsnn.losses.StepCrossEntropy()).step(of, np.array([0, 1, 2])))
    assert values[0] == values[1]


def test_no_array_of_all_steps_is_made(monkeypatch):
    _, spikes = given()

    def refuse(self, *args):
        raise AssertionError("a dense array")

    monkeypatch.setattr(SpikeInput, "dense", refuse)
    for path in ("auto", "dense", "events"):
        nbsnn.BPTT(network(path=path), nbsnn.losses.rate_cross_entropy).step(spikes, np.array([0, 1, 2]))
    network(path="events").run(spikes)
    network(first=nbsnn.Flatten()).run(spikes)


def test_layers_that_need_arrays_and_other_devices_get_them():
    x, spikes = given()
    net = nbsnn.Sequential(nbsnn.Conv2d(2, 4, (2, 2)), LIF(), input_shape=(2, 3, 4), seed=0)
    np.testing.assert_array_equal(net.run(spikes).output, net.run(x).output)
    net = nbsnn.Sequential(nbsnn.Dropout(0.5), nbsnn.Dense(24, 3), LIF(), input_shape=24, seed=0)
    np.testing.assert_array_equal(net.run(spikes).output, net.run(x.reshape(5, 3, 24)).output)
    for device in ("python", "cuda"):
        net = network().twin(device=device)
        np.testing.assert_allclose(net.run(spikes).output, network().run(spikes).output, atol=1e-6)
    with pytest.raises(ValueError, match=r"input must have shape \[T, B, 24\]"):
        network().run(SpikeInput.of([0], [0], [0], (5, 1, 25)))


def test_what_looks_at_networks_takes_events():
    x, spikes = given()
    for look in (
        lambda of: str(nbsnn.report(network(), of, loss=nbsnn.losses.rate_cross_entropy, target=np.array([0, 1, 2]))),
        lambda of: nbsnn.target_rate(network(), of, 0.1),
        lambda of: [s["lif1"]["v"].sum() for _, s in network().steps(of)],
    ):
        assert look(spikes) == look(x.reshape(5, 3, 24))


def task(n=24):
    """Recordings whose class is the row that is active."""
    rng, samples, labels = np.random.default_rng(7), [], np.arange(n) % 3
    for label in labels:
        events = drawn(rng, 60, most=500)
        events["y"] = label
        samples.append(events)
    return Recordings(samples, shape=(2, 3, 4), unit="us"), labels


def test_a_data_set_of_events_trains_with_fit_and_goes_on_from_a_checkpoint(tmp_path):
    recordings, labels = task()
    histories = []
    for epochs in ([4], [2, 4]):
        net = network()
        learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy, nbsnn.optim.Adam(0.05))
        for last in epochs:
            history = nbsnn.fit(
                net, (recordings, labels), (recordings[:6], labels[:6]), encoder=binned(T=4, dt=0.1), learner=learner,
                epochs=last, batch_size=8, progress=False, checkpoint=tmp_path / f"{len(epochs)}.npz", resume=True,
            )  # fmt: skip
        histories.append(history)
    assert histories[0]["train_accuracy"][-1] > 0.9
    assert histories[0]["loss"] == histories[1]["loss"]
    whole = to_spikes(recordings, dt=0.1, T=4)
    assert histories[0]["events_merged"] == [whole.merged] * 4
    assert histories[0]["events_dropped"] == [whole.dropped] * 4 and whole.dropped


def test_fit_trains_on_events_what_it_trains_on_their_arrays():
    recordings, labels = task(9)
    losses = []
    for x, encoder in (
        (recordings, binned(T=5, dt=0.1)),
        (np.asarray(to_spikes(recordings, dt=0.1)).swapaxes(0, 1).reshape(9, 5, 24), nbsnn.encode.series(T=5)),
    ):
        net = network(path="events")
        learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
        history = nbsnn.fit(net, (x, labels), encoder=encoder, learner=learner, epochs=2, batch_size=3, progress=False)
        losses.append(history["loss"])
    assert losses[0] == losses[1]


def test_fit_names_what_does_not_fit_recordings():
    recordings, labels = task(6)
    net = network()
    learner = nbsnn.BPTT(net, nbsnn.losses.rate_cross_entropy)
    with pytest.raises(ValueError, match="one integer label for each of its 6 samples"):
        nbsnn.fit(net, (recordings, labels[:5]), encoder=binned(T=5, dt=0.1), learner=learner, progress=False)
    with pytest.raises(TypeError):
        nbsnn.fit(net, (recordings, labels), encoder=nbsnn.encode.constant(T=5), learner=learner, progress=False)
