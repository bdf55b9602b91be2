"""Augmentation: images by hand, recordings as their images, reproducible draws."""

import numpy as np
import pytest

import nbsnn
from nbsnn import augment
from nbsnn.events import Recordings, binned
from nbsnn.random import Draws

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(0.0, 1.0, (5, 2, 4, 6)).astype(np.float32)


def recordings(shape, n=5, events=60):
    names = {3: ("p", "y", "x"), 2: ("y", "x") if shape[0] > 2 else ("p", "x"), 1: ("x",)}[len(shape)]
    kind = np.dtype([("t", "i8"), *((name, "i4") for name in names)])
    samples = []
    for _ in range(n):
        sample = np.zeros(events, kind)
        sample["t"] = np.sort(RNG.integers(0, 8, events))
        for name, size in zip(names, shape, strict=True):
            sample[name] = RNG.integers(0, size, events)
        samples.append(sample)
    return Recordings(samples, shape=shape, unit="ms")


def dense(x):
    return np.asarray(binned(T=8, dt=1.0)(x)).swapaxes(0, 1)  # [B, T, ...]


@pytest.mark.parametrize(
    "change",
    [augment.shift(2), augment.flip(0.5), augment.flip(0.5, "height"), augment.crop(3), augment.crop(2, 4)],
    ids=repr,
)
@pytest.mark.parametrize("shape", [(2, 5, 6), (5, 6)])
def test_recordings_are_changed_as_their_images_are(change, shape):
    given = recordings(shape)
    for draws in (Draws(0), Draws(1)):
        changed = change(given, draws)
        np.testing.assert_array_equal(dense(changed), change(dense(given), draws))
        assert len(changed.t) <= len(given.t)


def test_rows_of_sensors_move_along_their_only_axis():
    for shape in ((6,), (2, 6)):
        given = recordings(shape)
        mirrored = augment.flip(1.0)(given, Draws(0))
        np.testing.assert_array_equal(dense(mirrored), dense(given)[..., ::-1])
        with pytest.raises(ValueError, match="no height"):
            augment.flip(1.0, "height")(given, Draws(0))


def test_shift_is_that_of_data():
    np.testing.assert_array_equal(augment.shift(2)(IMAGES, Draws(3)), nbsnn.data.shift(IMAGES, Draws(3), pixels=2))
    flat = RNG.normal(0.0, 1.0, (5, 2 * 16))
    expected = nbsnn.data.shift(flat.reshape(5, 2, 4, 4), Draws(3), pixels=1).reshape(5, 32)
    np.testing.assert_array_equal(augment.shift(1, side=4)(flat, Draws(3)), expected)


def test_crops_and_flips_by_hand():
    np.testing.assert_array_equal(augment.crop(2)(IMAGES), IMAGES[:, :, 1:3, 2:4])
    np.testing.assert_array_equal(augment.flip(1.0)(IMAGES, Draws(0)), IMAGES[..., ::-1])
    np.testing.assert_array_equal(augment.flip(0.0)(IMAGES, Draws(0)), IMAGES)
    many = np.tile(np.arange(2.0), (2000, 1, 1))
    mirrored = (augment.flip(0.3)(many, Draws(0))[:, 0, 0] == 1.0).mean()
    assert abs(mirrored - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 2000)
    windows = augment.crop(2)(np.tile(np.arange(16.0).reshape(4, 4), (2000, 1, 1)), Draws(0))[:, 0, 0]
    assert set(windows) == {0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 8.0, 9.0, 10.0}  # every place, and no other
    counts = np.unique(windows, return_counts=True)[1] / 2000
    assert np.abs(counts - 1 / 9).max() < 5 * np.sqrt(8 / 81 / 2000)
    flat = augment.crop(2, side=4)(np.arange(16.0).reshape(1, 16))
    np.testing.assert_array_equal(flat, [[5.0, 6.0, 9.0, 10.0]])


def test_a_series_of_images_moves_as_one():
    series = np.repeat(IMAGES[:, None], 3, axis=1)
    moved = augment.shift(1)(series, Draws(0))
    np.testing.assert_array_equal(moved[:, 0], moved[:, 2])


def test_dropped_events_are_a_share_of_all():
    given = recordings((2, 8, 8), events=1000)
    left = augment.drop(0.25)(given, Draws(0))
    assert abs(len(left.t) / 5000 - 0.75) < 5 * np.sqrt(0.25 * 0.75 / 5000)
    for k in range(5):  # what is left is part of what was
        assert set(zip(*left.events(k), strict=True)) <= set(zip(*given.events(k), strict=True))
    values = augment.drop(0.25)(np.ones((100, 100), np.float32), Draws(0))
    assert values.dtype == np.float32 and abs(values.mean() - 0.75) < 5 * np.sqrt(0.25 * 0.75 / 1e4)


def test_jitter_has_the_deviations_asked_for():
    kind = [("t", "f8"), ("x", "i4"), ("y", "i4"), ("p", "i4")]
    sample = np.zeros(20000, kind)
    sample["t"], sample["x"], sample["y"], sample["p"] = 500.0, 50, 50, np.arange(20000) % 2
    given = Recordings([sample], shape=(2, 101, 101), unit="us")
    moved = augment.jitter(time=0.01, space=3.0)(given, Draws(0))
    assert abs(moved.t.std() - 10.0) < 0.5 and abs(moved.t.mean() - 500.0) < 0.5 and (np.diff(moved.t) >= 0).all()
    p, y, x = np.unravel_index(moved.index, moved.shape)
    for place in (y, x):
        assert abs(place.std() - np.sqrt(9.0 + 1 / 12)) < 0.1 and abs(place.mean() - 50.0) < 0.15
    assert (np.bincount(p) == 10000).all()
    integers = augment.jitter(time=3.0)(recordings((4,)), Draws(0))
    assert integers.t.dtype.kind == "i" and integers.t.min() == 0
    far = augment.jitter(space=500.0)(given, Draws(0))
    assert len(far.t) < 2000


def test_noise_is_added():
    x = augment.noise(0.5)(np.ones((50, 40, 10)), Draws(0))
    assert x.dtype == np.float64 and abs(x.std() - 0.5) < 0.02 and abs(x.mean() - 1.0) < 0.02


def test_the_same_draws_make_the_same_samples_and_others_do_not():
    for change in (augment.shift(2), augment.drop(0.5), augment.crop(2), augment.noise(1.0)):
        first, again, other = change(IMAGES, Draws(0)), change(IMAGES, Draws(0)), change(IMAGES, Draws(1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


@pytest.mark.parametrize("stop", [1, 2])
def test_a_resumed_training_on_augmented_events_has_the_same_bits(stop, tmp_path):
    data, labels = recordings((2, 4, 4), n=6), np.arange(6) % 2
    changes = [augment.flip(), augment.shift(1), augment.drop(0.2), augment.jitter(time=1.0, space=0.5)]

    def run(epochs, seed=0, **options):
        net = nbsnn.Sequential(
            nbsnn.Flatten(), nbsnn.Dense(32, 2), nbsnn.neurons.LI(), input_shape=(2, 4, 4), seed=seed, device="python"
        )
        learner = nbsnn.BPTT(net, "rate_cross_entropy", compact=False)
        nbsnn.fit(
            net, (data, labels), encoder=binned(T=8, dt=1.0), learner=learner, epochs=epochs, batch_size=4,
            augment=changes, progress=False, **options,
        )  # fmt: skip
        return net["dense1"].weight.copy()

    whole = run(4)
    run(stop, checkpoint=tmp_path / "c.npz")
    np.testing.assert_array_equal(run(4, seed=5, checkpoint=tmp_path / "c.npz", resume=True), whole)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: augment.crop(5)(IMAGES, Draws(0)), "height must be at most that of the samples, 4, not 5"),
        (lambda: augment.shift(1)(IMAGES, 3), "draws must be"),
        (lambda: augment.shift(1)(IMAGES[:, 0, 0], Draws(0)), "need side="),
        (lambda: augment.shift(1, side=4)(recordings((4,)), Draws(0)), "side is for flat images"),
        (lambda: augment.flip(1.5), "probability"),
        (lambda: augment.flip(0.5, "depth"), "axis must be one of"),
        (lambda: augment.drop(1.0), "share must be less than 1"),
        (lambda: augment.jitter(-1.0), "time must be at least 0"),
        (lambda: augment.jitter(1.0)(IMAGES, Draws(0)), "Recordings"),
        (lambda: augment.noise("x"), "std must be a number"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
