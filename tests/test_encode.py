"""Encoders: against naive loops, published formulas and statistics."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from nbsnn import encode
from nbsnn.random import Draws, counter, squares32

SAMPLES = Draws(0, "samples").uniform((3, 7))

EVERY = [
    encode.constant(T=4),
    encode.poisson(T=4),
    encode.latency(T=4),
    encode.latency(T=4, form="linear"),
    encode.population(T=4),
    encode.population(T=4, code="time"),
    encode.phase(T=4),
    encode.delta(T=3),
    encode.delta(T=3, form="difference"),
]


def input_of(encoder):
    return SAMPLES[:, None] if isinstance(encoder, encode.delta) else SAMPLES


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_every_encoder_keeps_the_contract(encoder):
    x, draws = input_of(encoder), Draws(0)
    before = x.copy()
    y = encoder(x, draws)
    assert y.shape[0] == encoder.T and y.dtype == np.float32 and np.isfinite(y).all()
    assert (encoder(x, draws) == y).all() and (x == before).all()
    assert eval(repr(encoder), dict(vars(encode))) == encoder and hash(encoder) is not None
    if not isinstance(encoder, encode.delta):
        assert y.shape[1] == len(x)
        image = encoder(np.zeros((2, 3, 4, 5), np.float32), draws)
        assert image.shape[:4] == (encoder.T, 2, 3, 4)


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_dtype_changes_the_type_but_no_spike(encoder):
    twin = dataclasses.replace(encoder, dtype=np.float64)
    y = twin(input_of(encoder), Draws(0))
    assert y.dtype == np.float64 and "dtype='float64'" in repr(twin)
    assert (y.astype(np.float32) == encoder(input_of(encoder), Draws(0))).all()


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_every_encoder_refuses_what_is_not_finite(encoder, bad):
    x = input_of(encoder).copy()
    x.reshape(-1)[4] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        encoder(x, Draws(0))


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
def test_every_encoder_refuses_wrong_types_and_shapes(encoder):
    with pytest.raises(TypeError, match="real numbers"):
        encoder(input_of(encoder).astype(complex), Draws(0))
    with pytest.raises(ValueError, match="shape"):
        encoder(np.zeros(3), Draws(0))
    with pytest.raises(ValueError, match="empty"):
        encoder(np.zeros((0, 3)), Draws(0))


@pytest.mark.parametrize(
    ("encoder", "x"),
    [
        (encode.poisson(T=2), [[1.1]]),
        (encode.poisson(T=2), [[-0.1]]),
        (encode.poisson(T=2, gain=2.0), [[0.6]]),
        (encode.latency(T=2), [[-0.1]]),
        (encode.latency(T=2, form="linear"), [[1.5]]),
        (encode.population(T=2), [[1.5]]),
        (encode.population(T=2, low=-1.0), [[-1.5]]),
        (encode.phase(T=2), [[255]]),
    ],
)
def test_values_out_of_range_are_refused(encoder, x):
    with pytest.raises(ValueError, match=f"encode.{type(encoder).__name__}: x must be .* spans"):
        encoder(np.array(x), Draws(0))


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (encode.constant, {"T": 0}),
        (encode.poisson, {"T": 1, "gain": 0.0}),
        (encode.poisson, {"T": 1, "gain": math.nan}),
        (encode.latency, {"T": 1, "form": "root"}),
        (encode.latency, {"T": 1, "threshold": 0.0}),
        (encode.latency, {"T": 1, "tau": -1.0}),
        (encode.latency, {"T": 1, "form": "linear", "threshold": -0.1}),
        (encode.population, {"T": 1, "M": 2}),
        (encode.population, {"T": 1, "code": "x"}),
        (encode.population, {"T": 1, "low": 1.0}),
        (encode.population, {"T": 1, "beta": 0.0}),
        (encode.population, {"T": 1, "threshold": 1.5}),
        (encode.phase, {"T": 1, "K": 0}),
        (encode.phase, {"T": 1, "K": 53}),
        (encode.delta, {"T": 1, "threshold": 0.0}),
        (encode.delta, {"T": 1, "form": "x"}),
    ],
)
def test_bad_options_are_refused(make, options):
    with pytest.raises(ValueError):
        make(**options)


@pytest.mark.parametrize("make", [encode.constant, encode.poisson])
def test_T_and_dtype_are_checked(make):
    with pytest.raises(TypeError, match="T must be an integer"):
        make(T=2.0)
    with pytest.raises(TypeError, match="float32 or float64"):
        make(T=2, dtype=np.int32)


def test_constant_is_a_view_of_one_step():
    y = encode.constant(T=1000)(SAMPLES)
    assert y.strides[0] == 0 and np.shares_memory(y, SAMPLES) and not y.flags.writeable
    assert (y[[0, 999]] == SAMPLES).all()
    assert (encode.constant(T=2)(np.array([[0, 255]], np.uint8)) == np.array([0.0, 255.0], np.float32)).all()


def test_poisson_draws_are_those_of_squares32():
    x, draws = Draws(1).uniform((2, 3, 2)), Draws(7, "epoch", 3)
    spikes = encode.poisson(T=5, gain=0.7)(x, draws)
    flat = x.reshape(-1).astype(float)
    for t in range(5):
        for i, value in enumerate(flat):
            expected = squares32(counter(t, i), draws.key) / 2**32 < 0.7 * value
            assert spikes[t].reshape(-1)[i] == expected


def test_poisson_windows_are_parts_of_the_whole():
    encoder, draws = encode.poisson(T=11), Draws(0)
    whole = encoder(SAMPLES, draws)
    parts = [encoder.window(SAMPLES, draws, a, b) for a, b in ((0, 4), (4, 4), (4, 10), (10, 11))]
    assert (np.concatenate(parts) == whole).all()
    assert (encoder(SAMPLES[:2], draws) == whole[:, :2]).all()
    assert (encoder(SAMPLES, draws.fold(1)) != whole).any()
    for start, stop in ((-1, 2), (3, 2), (0, 12)):
        with pytest.raises(ValueError):
            encoder.window(SAMPLES, draws, start, stop)


def test_poisson_rates_and_extremes():
    p = np.array([[0.0, 0.01, 0.3, 0.5, 0.99, 1.0]])
    T = 4000
    spikes = encode.poisson(T=T)(p, Draws(0))
    assert set(np.unique(spikes)) == {0.0, 1.0}
    k = spikes.sum((0, 1))
    assert k[0] == 0 and k[-1] == T
    for count, probability in zip(k[1:-1], p[0, 1:-1], strict=True):
        assert stats.binomtest(int(count), T, probability).pvalue > 1e-4
    half = spikes[:, 0, 3]
    assert abs(np.corrcoef(half[1:], half[:-1])[0, 1]) < 4.5 / math.sqrt(T)
    third = encode.poisson(T=50, gain=3.0)(
        np.array([[1 / 3]], np.float32), Draws(0)
    )  # float32's third is a little larger
    assert third.all()


@pytest.mark.parametrize("draws", [None, 0, np.random.default_rng(0)])
def test_a_random_encoder_needs_draws(draws):
    assert encode.poisson.random and not encode.latency.random
    with pytest.raises(TypeError, match=r"nbsnn\.random\.Draws\(seed\)"):
        encode.poisson(T=2)(SAMPLES, draws)


@pytest.mark.parametrize(("tau", "threshold", "T"), [(20.0, 0.2, 100), (5.0, 0.01, 10)])
def test_log_latency_is_when_a_leaky_membrane_reaches_threshold(tau, threshold, T):
    x = np.linspace(0.0, 2.0, 201)[None]
    encoder = encode.latency(T=T, tau=tau, threshold=threshold)
    times, spikes = encoder.times(x), encoder(x)
    for i, value in enumerate(x[0]):
        if value > threshold and tau * math.log(value / (value - threshold)) < T:
            t = times[0, i]  # v(t) = x (1 - exp(-t / tau))
            assert value * (1 - math.exp(-t / tau)) <= threshold * (1 + 1e-9)
            assert value * (1 - math.exp(-(t + 1) / tau)) >= threshold * (1 - 1e-9)
            assert spikes[t, 0, i] == 1.0 and spikes[:, 0, i].sum() == 1.0
        else:
            assert times[0, i] == T and not spikes[:, 0, i].any()
    assert (np.diff(times[0]) <= 0).all()


def test_log_latency_never_spikes_at_the_threshold_itself():
    assert encode.latency(T=10**6, threshold=0.25).times(np.array([[0.25]], np.float32)) == 10**6


def test_linear_latency():
    x = np.array([[0.0, 0.09, 0.1, 0.35, 0.5, 1.0]])
    encoder = encode.latency(T=11, form="linear", threshold=0.1)
    assert encoder.times(x).tolist() == [[11, 11, 9, 6, 5, 0]]  # 6.5 rounds to the even 6
    everything = encode.latency(T=11, form="linear", threshold=0.0)
    assert everything.times(x)[0, 0] == 10 and (everything(x).sum(0) == 1).all()
    assert encode.latency(T=1, form="linear", threshold=0.0)(x).all()


def test_population_responses_are_gaussians_around_the_published_centres():
    m, low, high, beta = 6, -1.0, 3.0, 1.5
    encoder = encode.population(T=3, M=m, low=low, high=high, beta=beta)
    x = Draws(2).uniform((2, 4), low, high)
    y = encoder(x)
    assert y.shape == (3, 2, 4 * m) and y.strides[0] == 0
    for b in range(2):
        for n in range(4):
            for j in range(1, m + 1):
                mu = low + (2 * j - 3) / 2 * (high - low) / (m - 2)
                sigma = (high - low) / (beta * (m - 2))
                expected = math.exp(-((float(x[b, n]) - mu) ** 2) / (2 * sigma**2))
                assert y[1, b, n * m + j - 1] == pytest.approx(expected, rel=1e-5)
    at_centre = encoder.responses(np.array([[encoder.centres[2]]]))
    assert at_centre.argmax() == 2 and at_centre.max() == 1.0


def test_population_times_come_earlier_for_stronger_responses():
    encoder = encode.population(T=10, M=8, code="time", threshold=0.1)
    y, spikes = encoder.responses(SAMPLES), encoder(SAMPLES)
    assert spikes.shape == (10, 3, 56)
    assert ((spikes.sum(0) == 1) == (y >= 0.1)).all()
    t = spikes.argmax(0)[y >= 0.1]
    assert (t == np.rint(9 * (1 - y[y >= 0.1]))).all() and t.min() <= 1


def test_phases_are_the_bits_of_a_pixel():
    pixels = np.arange(256, dtype=np.uint8)[None]
    x = pixels.astype(np.float32) / np.float32(255.0)
    spikes = encode.phase(T=20)(x)
    bits = np.unpackbits(pixels[0][:, None], axis=1).T
    for t in range(20):
        assert (spikes[t, 0] == bits[t % 8]).all()


@pytest.mark.parametrize("K", [1, 5, 52])
def test_a_period_of_weighted_phases_sums_to_the_value(K):
    x = Draws(3).uniform((2, 50), dtype=np.float64)
    x[0, :2] = 0.0, 1.0
    plain, weighted = (encode.phase(T=K, K=K, weighted=w, dtype=np.float64) for w in (False, True))
    value = weighted(x).sum(0)
    assert ((x - value >= 0) & (x - value <= 2.0**-K)).all() and (value < 1).all()
    assert np.allclose(np.tensordot(plain.weights, plain(x), 1), value, rtol=1e-15, atol=0)


def naive_delta(x, threshold, form):
    T, B, N = x.shape
    out = np.zeros((T, B, 2 * N))
    for b in range(B):
        for n in range(N):
            steps = 0
            for t in range(1, T):
                reference = float(x[t - 1, b, n]) if form == "difference" else float(x[0, b, n]) + threshold * steps
                change = float(x[t, b, n]) - reference
                if change >= threshold:
                    out[t, b, n], steps = 1, steps + 1
                elif change <= -threshold:
                    out[t, b, N + n], steps = 1, steps - 1
    return out


@pytest.mark.parametrize("form", ["crossing", "difference"])
def test_delta_equals_a_naive_loop(form):
    x = np.cumsum(Draws(4).normal((30, 2, 3), 0.0, 0.1), 0, dtype=np.float32)
    encoder = encode.delta(T=30, threshold=0.12, form=form)
    spikes = encoder(x)
    assert (spikes == naive_delta(x, 0.12, form)).all() and spikes.any() and not spikes[0].any()
    image = encoder(x.reshape(30, 2, 3, 1))
    assert image.shape == (30, 2, 6, 1) and (image[..., 0] == spikes).all()


@pytest.mark.parametrize("form", ["crossing", "difference"])
def test_delta_spikes_at_exactly_the_threshold(form):
    x = np.array([0.0, 0.25, 0.0, 0.0]).reshape(4, 1, 1)
    spikes = encode.delta(T=4, threshold=0.25, form=form)(x)[:, 0]
    assert spikes.tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]


def test_delta_reference_follows_a_slow_series():
    x = np.sin(np.linspace(0, 6, 200)).reshape(200, 1, 1)
    spikes = encode.delta(T=200, threshold=0.05)(x)[:, 0]
    rebuilt = x[0, 0, 0] + 0.05 * np.cumsum(spikes[:, 0] - spikes[:, 1])
    assert abs(rebuilt - x[:, 0, 0]).max() < 0.05
    assert not encode.delta(T=200, threshold=0.05, form="difference")(x).any()


def test_delta_wants_a_series_of_T_steps():
    for x in (np.zeros((4, 2, 3)), np.zeros((5, 2))):
        with pytest.raises(ValueError, match="T=5, B, N"):
            encode.delta(T=5)(x)
