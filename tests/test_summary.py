"""``summary``: operations counted one by one, energies, tables."""

import numpy as np
import pytest

import nbsnn
from nbsnn.diagnosis.summary import ADD, MULTIPLY_ADD, short
from nbsnn.neurons import LI, LIF
from nbsnn.spikes.spike_input import SpikeInput

RNG = np.random.default_rng(0)


def spikes(*shape, rate=0.3):
    return (RNG.random(shape) < rate).astype(np.float32)


def build(*layers, **options):
    return nbsnn.Sequential(*layers, seed=0, device="python", **options)


def test_operations_of_dense_connections_are_events_times_fan_out():
    net, x = build(nbsnn.Dense(6, 9), LIF(v_threshold=0.3), nbsnn.Dense(9, 4), LI()), spikes(7, 5, 6)
    before = {name: p.copy() for name, p in net.parameters().items()}
    found = nbsnn.summary(net, x)
    first, hidden, second, out = found.layers
    assert (first.name, first.kind, first.shape, first.parameters, first.bytes) == ("dense1", "Dense", (9,), 63, 252)
    assert first.operations == pytest.approx(x.sum() / 5 * 9) and first.dense == 7 * 6 * 9 and first.spikes
    made = net.run(x)["lif1"]["spikes"]
    assert hidden.rate == pytest.approx(made.mean()) and hidden.rate > 0.0
    assert (hidden.kind, out.kind, out.rate, out.dense) == ("LIF", "LI", None, None)
    assert second.operations == pytest.approx(made.sum() / 5 * 4) and second.dense == 7 * 9 * 4
    assert found.synaptic_operations == first.operations + second.operations
    assert found.energy == pytest.approx(ADD * found.synaptic_operations)
    assert found.energy_of_numbers == pytest.approx(MULTIPLY_ADD * (6 * 9 + 9 * 4))
    assert found.parameters == 63 + 40 and (found.steps, found.batch) == (7, 5)
    for name, parameter in net.parameters().items():
        np.testing.assert_array_equal(parameter, before[name])


def test_values_that_are_no_spikes_are_multiplied():
    net, x = build(nbsnn.Dense(6, 9), LIF()), RNG.normal(0.0, 1.0, (7, 5, 6)).astype(np.float32)
    x[:, :, 0] = 0.0
    (row, _) = nbsnn.summary(net, x).layers
    assert not row.spikes and row.operations == 7 * 5 * 9 and row.energy == pytest.approx(MULTIPLY_ADD * 7 * 5 * 9)
    still = np.broadcast_to(x[:1], x.shape)  # a constant input counts at every step
    assert nbsnn.summary(net, still).layers[0].operations == 7 * 5 * 9
    assert nbsnn.summary(net, np.zeros_like(x)).layers[0].operations == 0.0


@pytest.mark.parametrize(
    "options",
    [{}, {"padding": 1}, {"stride": 2, "padding": (1, 2)}, {"dilation": 2}, {"groups": 2}, {"padding": "same"}],
)
def test_operations_of_convolutions_are_counted_tap_by_tap(options):
    net, x = build(nbsnn.Conv2d(2, 4, 3, **options), input_shape=(2, 7, 8)), spikes(3, 2, 2, 7, 8)
    (row,) = nbsnn.summary(net, x).layers
    layer = net["conv2d1"]
    stride, dilation, groups = options.get("stride", 1), options.get("dilation", 1), options.get("groups", 1)
    pad = {"same": (1, 1), 1: (1, 1), (1, 2): (1, 2)}.get(options.get("padding"), (0, 0))
    fan_out = np.zeros((7, 8))
    for i in range(layer.shape[1]):
        for j in range(layer.shape[2]):
            for a in range(3):
                for b in range(3):
                    r, c = i * stride - pad[0] + a * dilation, j * stride - pad[1] + b * dilation
                    if 0 <= r < 7 and 0 <= c < 8:
                        fan_out[r, c] += 4 // groups
    assert row.operations == pytest.approx((x * fan_out).sum() / 2)
    assert row.dense == pytest.approx(2 * 3 * fan_out.sum())


def test_feedback_and_nested_layers_are_counted():
    x = spikes(6, 3, 5, rate=0.6)
    inner = nbsnn.Residual(nbsnn.Dense(8, 8, bias=False), LIF(v_threshold=0.2))
    net = build(nbsnn.Dense(5, 8), nbsnn.Recurrent(LIF(v_threshold=0.2)), inner)
    found = {row.name: row for row in nbsnn.summary(net, x).layers}
    assert list(found) == [
        "dense1", "recurrent1/neurons", "recurrent1/feedback", "residual1/branch/dense1", "residual1/branch/lif1"
    ]  # fmt: skip
    fed = net.run(x)["recurrent1"]["neurons"]["spikes"]
    assert fed.sum() > 0
    assert found["recurrent1/feedback"].operations == pytest.approx(fed[:-1].sum() / 3 * 8)
    assert found["recurrent1/feedback"].dense == 6 * 64
    assert found["residual1/branch/dense1"].operations == pytest.approx(fed.sum() / 3 * 8)
    loop = nbsnn.Sequential(nbsnn.Dense(5 + 4, 8), LIF(v_threshold=0.2), nbsnn.Dense(8, 4), LIF(v_threshold=0.2))
    stepwise = build(nbsnn.Recurrent(loop, join="concatenate"), input_shape=5)
    rows = {row.name: row for row in nbsnn.summary(stepwise, x).layers}
    run = stepwise.run(x)["recurrent1"]["inner"]
    events = x.sum() + run["lif2"]["spikes"][:-1].sum()
    assert rows["recurrent1/inner/dense1"].operations == pytest.approx(events / 3 * 8)


def test_normalisation_is_no_connection_and_spikes_may_be_listed():
    net = build(nbsnn.Dense(6, 9), nbsnn.BatchNorm(), LIF(), nbsnn.Dropout(0.5))
    x = spikes(4, 3, 6)
    step, sample, unit = np.nonzero(x)
    listed = SpikeInput.of(sample, step, unit, x.shape)
    rows = nbsnn.summary(net, listed).layers
    assert rows == nbsnn.summary(net, x).layers
    assert [row.dense is None for row in rows] == [False, True, True, True]
    assert rows[1].parameters == 18


def test_the_table():
    net = nbsnn.Sequential(nbsnn.Conv2d(1, 4, 3), LIF(), nbsnn.Flatten(), nbsnn.Dense(64, 10), input_shape=(1, 6, 6))
    text = str(nbsnn.summary(net, spikes(5, 2, 1, 6, 6)))
    heading, *rows = text.splitlines()
    assert heading.split()[:5] == ["layer", "kind", "output", "parameters", "rate"]
    assert rows[0].split()[:6] == ["conv2d1", "Conv2d", "4", "x", "4", "x"]
    assert "690 parameters, 2.76kB" in text and "synaptic operations of" in text
    assert [short(v) for v in (0.0, 1.5, 999.4, 999.9, 12345.0, 2e6, 3e9)] == [
        "0",
        "1.5",
        "999",
        "1k",
        "12.3k",
        "2M",
        "3G",
    ]


def test_a_training_step_takes_what_its_plan_says():
    net = nbsnn.Sequential(nbsnn.Dense(64, 32), LIF(), nbsnn.Dense(32, 10), LI(), seed=0)
    plans = nbsnn.BPTT(net, "rate_cross_entropy").plan(20, 8)
    assert nbsnn.summary(net, spikes(20, 8, 64)).training_bytes == sum(plan.bytes for plan in plans.values())


def test_bad_arguments_are_named():
    with pytest.raises(TypeError, match="net must be a network"):
        nbsnn.summary(3, np.ones((2, 1, 4)))
    with pytest.raises(ValueError, match="input must have shape"):
        nbsnn.summary(build(nbsnn.Dense(4, 2)), np.ones((2, 1, 3)))
