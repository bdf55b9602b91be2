"""Weight standardisation wherever connections stand: events, feedback, copies with fixed weights, counts."""

import numpy as np
import pytest

import nbsnn
from nbsnn.neurons import LI, LIF
from nbsnn.spikes.spike_input import SpikeInput

RNG = np.random.default_rng(0)


def by_hand(w, gain, eps):
    """Standardised weights [F, outputs]."""
    return gain * (w - w.mean(0)) / np.sqrt(len(w) * w.var(0, ddof=1) + eps)


def spikes(*shape, rate=0.4):
    return (RNG.random(shape) < rate).astype(np.float32)


def drawn(net):
    for layer in net.layers().values():
        if "gain" in layer.params:
            layer.params["gain"] = RNG.uniform(0.5, 3.0, layer.params["gain"].shape)
    return net


def test_a_connection_with_fixed_weights_computes_the_same():
    net = drawn(nbsnn.Sequential(nbsnn.WSDense(6, 5, eps=0.3), seed=0, dtype="f8", device="python"))
    layer, x = net["wsdense1"], spikes(3, 2, 6)
    expected = x @ by_hand(layer.weight, layer.params["gain"], 0.3) + layer.params["bias"]
    np.testing.assert_allclose(net.run(x).output, expected, rtol=1e-12)
    plain = nbsnn.Sequential(nbsnn.Dense(6, 5), dtype="f8", device="python")
    plain["dense1"].params |= layer.plain().params
    np.testing.assert_allclose(plain.run(x).output, expected, rtol=1e-12)
    net = drawn(nbsnn.Sequential(nbsnn.WSConv2d(2, 4, 3, groups=2), input_shape=(2, 5, 5), dtype="f8", device="python"))
    made = nbsnn.Sequential(net["wsconv2d1"].plain(), input_shape=(2, 5, 5), dtype="f8", device="python")
    made["conv2d1"].params |= net["wsconv2d1"].plain().params
    x = spikes(3, 2, 2, 5, 5)
    np.testing.assert_allclose(made.run(x).output, net.run(x).output, rtol=1e-12)


def test_gradients_hold_in_a_loop_and_online():
    layers = nbsnn.WSDense(6, 5), nbsnn.Recurrent(LIF(), nbsnn.WSDense(5, 5)), nbsnn.WSDense(5, 3), LI()
    net = drawn(nbsnn.Sequential(*layers, seed=0, device="python"))
    nbsnn.check(net)
    x, labels = spikes(1, 4, 6), np.array([0, 1, 2, 0])  # at one step all rules agree
    feedforward = drawn(
        nbsnn.Sequential(nbsnn.WSDense(6, 5), LIF(), nbsnn.WSDense(5, 3), LI(), seed=0, device="python")
    )
    _, whole = nbsnn.BPTT(feedforward, "step_cross_entropy", compact=False).gradients(x, labels)
    whole = {name: g.copy() for name, g in whole.items()}
    _, online = nbsnn.OTTT(feedforward, "step_cross_entropy").gradients(x, labels)
    for name, g in whole.items():
        np.testing.assert_allclose(online[name], g, rtol=1e-4, atol=1e-6, err_msg=name)


def test_events_and_numbers_are_summed_alike():
    net = drawn(nbsnn.Sequential(nbsnn.WSDense(40, 30), LIF(), seed=0))
    x = spikes(20, 16, 40, rate=0.05)
    step, sample, unit = np.nonzero(x)
    given = SpikeInput.of(sample, step, unit, x.shape)
    np.testing.assert_allclose(net.run(given)["lif1"]["v"], net.run(x)["lif1"]["v"], rtol=1e-4, atol=1e-5)


def test_operations_and_conversion_know_the_weights_that_are_used():
    net = drawn(nbsnn.Sequential(nbsnn.WSDense(6, 5), nbsnn.ReLU(), nbsnn.WSDense(5, 3), seed=0, device="python"))
    x = spikes(7, 4, 6)
    assert nbsnn.summary(net, x).layers[0].operations == pytest.approx(x.sum() / 4 * 5)
    samples = RNG.normal(0.0, 1.0, (100, 6)).astype(np.float32)
    rates = nbsnn.to_spiking(net, samples).run(np.broadcast_to(samples, (300, *samples.shape))).output.mean(0)
    numbers = net.run(samples[None]).output[0]
    assert np.abs(rates - numbers).max() < 0.03 * np.abs(numbers).max()


def test_what_has_no_meaning_is_refused():
    with pytest.raises(ValueError, match="the one weight of an output has no variance"):
        nbsnn.Sequential(nbsnn.WSDense(1, 3))
    with pytest.raises(TypeError, match="plastic connection must be Dense"):
        nbsnn.plasticity.Plastic(nbsnn.WSDense(4, 3, bias=False), LIF(tau=5.0), nbsnn.plasticity.NearestSTDP())
    with pytest.raises(TypeError, match="gain must be True or False"):
        nbsnn.WSConv2d(1, 2, 3, gain=1.0)
