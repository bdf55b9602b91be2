"""Encoders on a GPU (in the simulator): the steps made there are those of the call, bit for bit."""

import numpy as np
import pytest

from nbsnn import encode
from nbsnn.device import gpu
from nbsnn.random import Draws

SAMPLES = Draws(0, "samples").uniform((2, 3))
DRAWS = Draws(7, "spikes")

EVERY = [
    encode.constant(T=3),
    encode.poisson(T=19, gain=0.9),
    encode.poisson(T=2, dtype=np.float64),
    encode.latency(T=18),
    encode.latency(T=5, form="linear", threshold=0.0),
    encode.population(T=3, M=3),
    encode.population(T=17, M=4, code="time", dtype=np.float64),
    encode.phase(T=20),
    encode.phase(T=5, K=3, weighted=True),
    encode.delta(T=2, threshold=0.2),
]


def equal(found, expected):
    """An array on the GPU, or one step that stands for all, against one of NumPy."""
    assert gpu.on_gpu(found) and found.dtype == expected.dtype
    host = gpu.get(found)
    assert host.shape[1:] == expected.shape[1:] and len(host) in (1, len(expected))
    np.testing.assert_array_equal(np.broadcast_to(host, expected.shape), expected)


@pytest.mark.parametrize("encoder", EVERY, ids=repr)
@pytest.mark.filterwarnings("ignore:overflow")  # a uint64 of NumPy warns of products that wrap, in the simulator
def test_every_encoder_makes_its_steps_on_the_gpu(encoder):
    x = SAMPLES[:, None] if isinstance(encoder, encode.delta) else SAMPLES
    expected = encoder(x, DRAWS)
    assert expected.any()
    equal(encoder.on_gpu(x, DRAWS), expected)
    assert encoder.static == (expected.strides[0] == 0)


@pytest.mark.parametrize("encoder", [EVERY[0], EVERY[2], EVERY[4], EVERY[8]], ids=repr)
@pytest.mark.filterwarnings("ignore:overflow")
def test_stored_samples_are_chosen_by_number(encoder):
    x = Draws(1, "set").uniform((5, 2, 2))
    stored = encoder.store(x)
    assert len(stored) == 5 and gpu.on_gpu(stored.codes)
    equal(stored([4, 1, 4], DRAWS), encoder(x[[4, 1, 4]], DRAWS))
    for index, error in (([5], ValueError), ([-1], ValueError), ([], TypeError), ([0.5], TypeError), (2, TypeError)):
        with pytest.raises(error, match="index must hold numbers"):
            stored(index, DRAWS)
    with pytest.raises(ValueError, match="from 0 to 4, not none"):
        stored(np.zeros(0, int), DRAWS)


def test_only_codes_travel_and_a_batch_is_one_launch(monkeypatch):
    sent = []
    monkeypatch.setattr(gpu, "put", lambda array, put=gpu.put: sent.append(array.nbytes) or put(array))
    before = gpu.Count.launches
    encode.latency(T=40).on_gpu(SAMPLES)
    assert gpu.Count.launches == before + 1 and sent == [8 * SAMPLES.size]


def test_what_a_call_refuses_is_refused_on_the_gpu():
    with pytest.raises(TypeError, match=r"nbsnn\.random\.Draws\(seed\)"):
        encode.poisson(T=2).on_gpu(SAMPLES)
    with pytest.raises(ValueError, match="rescale it"):
        encode.poisson(T=2).on_gpu(SAMPLES + 1.0, DRAWS)
    with pytest.raises(ValueError, match="NaN"):
        encode.latency(T=2).on_gpu(SAMPLES * np.nan)


def test_an_encoder_of_ones_own_sends_its_spikes():
    class Twice(encode.Encoder):
        def __call__(self, x, draws=None):
            return np.stack([x, x])

    equal(Twice(T=2).on_gpu(SAMPLES), np.stack([SAMPLES, SAMPLES]))
