"""The published networks: that they are what the papers say, and that their runs can be repeated bit for bit."""

import numpy as np
import pytest
from scipy.stats import truncnorm

from nbsnn import models, set_threads, values
from nbsnn.models.microcircuit import degrees, table
from nbsnn.network import Network, loop
from nbsnn.neurons import LIF
from nbsnn.synapses import Exponential

SMALL = {"cuba": 0.1, "coba": 0.1, "cobahh": 0.1, "brunel": 0.04, "microcircuit": 0.02, "wang": 0.05}
TO_COMPILE = {
    "coba",
    "cobahh",
    "brunel",
    "wang",
}  # seconds each: in the default tests they run interpreted, and smaller
TINY = {"coba": 0.02, "cobahh": 0.02, "brunel": 0.004, "wang": 0.02}
WAYS = [("python", name) for name in TINY]
WAYS += [pytest.param("cpu", name, marks=pytest.mark.long) for name in ("microcircuit", "cuba", *TINY)]


def small(name, device="cpu", **options):
    scale = TINY[name] if device == "python" else SMALL[name]
    options |= {"eta": 8.0} if device == "python" and name == "brunel" else {}  # it fires within 3 ms
    return getattr(models, name)(**{"seed": 3, "scale": scale, "device": device, **options})


def spikes_of(run):
    times, units = run.spikes()
    return np.rint(times / run.dt).astype(int), units


@pytest.mark.parametrize(("device", "name"), WAYS)
def test_same_seed_same_bits_in_one_run_or_in_pieces(device, name):
    net, first = small(name, device), 12.3 if device == "cpu" else 7.3
    whole = spikes_of(net.run(first + 2.7))
    assert len(whole[0]) >= 2
    end = net.state().arrays["states"]
    net.reset()
    pieces = [spikes_of(net.run(t)) for t in (0.1, first, 2.6)]
    for k in (0, 1):
        np.testing.assert_array_equal(np.concatenate([piece[k] for piece in pieces]), whole[k])
    np.testing.assert_array_equal(net.state().arrays["states"], end)
    if device == "cpu":
        np.testing.assert_array_equal(spikes_of(small(name).run(first + 2.7)), whole)
        other = small(name, seed=4).run(first + 2.7)
        assert not np.array_equal(spikes_of(other)[1][:5], whole[1][:5])


@pytest.mark.long
@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.long] * (n in TO_COMPILE)) for n in SMALL])
def test_the_number_of_threads_does_not_matter(name, monkeypatch):
    monkeypatch.setattr(loop, "SHARE", 1)
    net, found = small(name), []
    try:
        for count in (1, 2, 3):
            set_threads(count)
            net.reset()
            found.append((*spikes_of(net.run(20.0)), net.state().arrays["states"]))
            assert net.loop().parts == count
    finally:
        set_threads(None)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["cuba", "coba", "cobahh"])
@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_vogels_abbott_has_eighty_inputs_each_at_any_scale(name, scale):
    net = getattr(models, name)(seed=1, scale=scale)
    assert net.units == 4000 * scale
    exc, inh = (np.bincount(c.post, minlength=net.units) for c in net.connections)
    n = net.units
    for degree, mean, others in ((exc, 64.0, 0.8 * n), (inh, 16.0, 0.2 * n)):
        variance = mean * (1.0 - mean / others)
        assert abs(degree.mean() - mean) < 4.0 * np.sqrt(variance / n)
        assert 0.8 < degree.var() / variance < 1.2
    assert net.connections[0].pre.max() < 0.8 * n <= net.connections[1].pre.min()
    assert net.connections[0].delay == net.connections[1].delay == net.dt


def test_conductances_start_at_those_of_the_active_network():
    net = small("coba", scale=1.0, dtype=np.float64)
    cells = net.build().groups[0]
    exc, inh, v = cells["exponential.y"].copy(), cells["exponential2.y"].copy(), cells["v"].copy()
    assert abs(exc.mean() - 40.0) < 1.0 and abs(exc.std() - 15.0) < 1.0
    assert abs(inh.mean() - 202.4) < 6.0 and inh.min() == 0.0  # 120 (phi(5/3) + 5/3 Phi(5/3)): what is below 0 counts 0
    assert abs(np.mean(inh == 0.0) - 0.0478) < 0.015
    assert abs(v.mean() + 65.0) < 0.3 and abs(v.std() - 5.0) < 0.3
    assert abs(np.corrcoef(exc, inh)[0, 1]) < 0.06 > abs(np.corrcoef(exc, v)[0, 1])
    cells["exponential2.y"] = 1.0
    net.reset()
    np.testing.assert_array_equal(cells["exponential2.y"], inh)


def test_hodgkin_huxley_cells_start_with_shut_channels():
    cells = small("cobahh").build().groups[0]
    assert not any(cells[name].any() for name in ("m", "h", "n"))


def test_brunel_is_what_the_paper_says():
    net = small("brunel", g=4.0, eta=1.0)
    assert net.units == 500 and net.sections["exc"].n == 400
    exc, inh = net.connections
    assert (np.bincount(exc.post) == 1000).all() and (np.bincount(inh.post) == 250).all()
    assert exc.weight == pytest.approx(0.1) and inh.weight == pytest.approx(-0.4)
    assert exc.delay == inh.delay == 1.5
    drive = net.groups[0].ports[0].drives[0]
    assert (
        drive.mean == pytest.approx(1.0) and drive.weight == 0.1
    )  # 10 kHz: 0.1 mV x 10 / ms x 20 ms = 20 mV, the threshold


def test_microcircuit_has_the_published_number_of_synapses():
    n = np.array(table()["neurons"])
    full = degrees()
    assert n.sum() == 77169
    assert np.rint(full * n[:, None]).sum() == 298880970


def test_microcircuit_weights_and_delays():
    net = small("microcircuit", scale=0.1)
    assert [group.n for group in net.groups] == [2068, 583, 2192, 548, 485, 106, 1440, 295]
    mv = 87.81 / 25.0 / np.sqrt(0.1)
    pairs = {(c.source.name, c.target.name): c for c in net.connections}
    assert len(pairs) == 55  # of 64, 9 have the probability 0
    for (source, target), factor, delay in (
        (("L23E", "L23I"), 1.0, 1.5), (("L4E", "L23E"), 2.0, 1.5), (("L4I", "L4E"), -4.0, 0.75),
    ):  # fmt: skip
        c = pairs[source, target]
        assert c.weight.mean() == pytest.approx(factor * mv, rel=0.01)
        assert c.weight.std() == pytest.approx(0.1 * abs(factor) * mv, rel=0.03)
        cut = truncnorm((0.05 - delay) / (0.5 * delay), np.inf, delay, 0.5 * delay)
        assert c.delay.mean() == pytest.approx(cut.mean(), rel=0.005)
        assert c.delay.std() == pytest.approx(cut.std(), rel=0.01)
        assert c.delay.min() == pytest.approx(0.1)


@pytest.mark.parametrize("scale", [0.05, 0.3, 1.0])
def test_microcircuit_keeps_the_mean_input_at_every_scale(scale):
    """At the rates of the full network, what synapses, drive and current bring together does not depend on scale."""
    given = table()
    rates = dict(zip(given["populations"], given["rates"], strict=True))
    net = models.microcircuit(scale=scale)
    for group in net.groups:
        drive, current = group.ports[0].drives[0], group.currents[0].course.rows.item()
        mean = 0.5 * drive.mean / net.dt * drive.weight + current  # mV: rate x weight x 0.5 ms
        for c in (c for c in net.connections if c.target is group):
            mean += 0.5e-3 * c.pattern.total / group.n * rates[c.source.name] * c._weight.mean
        full = models.microcircuit(scale=1.0).groups[group.index]
        drive = full.ports[0].drives[0]
        wanted = 0.5 * drive.mean / net.dt * drive.weight
        k = degrees()[group.index]
        weights = 87.81 / 25.0 * np.where(np.arange(8) % 2 == 0, 1.0, -4.0)
        weights[2] *= 2.0 if group.name == "L23E" else 1.0
        wanted += 0.5e-3 * k @ (weights * np.array(given["rates"]))
        assert mean == pytest.approx(wanted, rel=1e-3, abs=0.01)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: models.cuba(scale=0.01), "scale must be at least 0.02"),
        (lambda: models.microcircuit(scale=2.0), "at most 1"),
        (lambda: models.brunel(scale=0.0), "scale"),
        (lambda: models.brunel(eta=-1.0), "eta"),
        (lambda: models.coba(dt=0.0), "dt"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_sections_have_names_and_initial_values_are_checked():
    net = Network(device="python")
    cells = net.population(LIF(tau=20.0), 10, name="cells")
    first = cells[:4].named("first")
    fast = Exponential(5.0)
    cells.start(fast, y=np.arange(10.0))
    cells.start(v=values.Uniform(2.0, 3.0))  # above the threshold: all spike at once
    run = net.run(0.1)
    assert run.spikes("first")[1].tolist() == [0, 1, 2, 3]
    assert run.spikes(cells[6:8])[1].tolist() == [0, 1]
    assert run.rate(first) == run.rate(cells) == 10000.0
    net.reset()
    np.testing.assert_array_equal(cells["exponential.y"], np.arange(10.0))
    with pytest.raises(ValueError, match="already"):
        cells[2:3].named("first")
    with pytest.raises(ValueError, match="has been built"):
        cells.start(v=0.0)
    other = Network(device="python")
    cells = other.population(LIF(), 2, name="cells")
    for wrong in (lambda: cells.start(w=1.0), lambda: cells.start(fast, v=1.0)):
        with pytest.raises(ValueError, match="no variable"):
            wrong()
    with pytest.raises(ValueError, match="already"):
        cells[:1].named("cells")


def test_wang_is_what_the_paper_says():
    net = small("wang", scale=1.0)
    assert [group.n for group in net.groups] == [1600, 400]
    assert [net.sections[name].n for name in ("first", "second", "others")] == [240, 240, 1120]
    weights = {c.name: c._weight for c in net.connections}  # not built, as all are connected with all
    assert weights["NMDA first to first"] == weights["NMDA second to second"] == pytest.approx(1.7 * 0.165)
    lost = 1.0 - 0.15 * 0.7 / 0.85
    for source, target in (("second", "first"), ("others", "first"), ("first", "second"), ("others", "second")):
        assert weights[f"NMDA {source} to {target}"] == pytest.approx(lost * 0.165)
        assert weights[f"Exponential {source} to {target}"] == pytest.approx(lost * 0.05)
    assert weights["NMDA first to others"] == pytest.approx(0.165) and weights["NMDA others to inh"] == 0.13
    total = 0.15 * 1.7 + 0.85 * lost  # the sum of weights onto a chosen cell does not depend on w+
    assert total == pytest.approx(1.0)
    assert [net.groups[k].ports[0].drives[0].mean for k in (0, 1)] == pytest.approx([0.24, 0.24])


@pytest.mark.long
@pytest.mark.parametrize(("potentiation", "low", "high"), [(1.7, 10.0, 28.0), (1.8, 28.0, 50.0)])
def test_wang_fires_little_and_keeps_firing_after_a_cue(potentiation, low, high):
    net = models.wang(seed=1, start=600.0, stop=1400.0, potentiation=potentiation)
    net.run(200.0)
    before, cue = net.run(400.0), net.run(800.0)
    net.run(200.0)
    after = net.run(800.0)
    assert 1.5 < before.rate("exc") < 4.0 and 6.0 < before.rate("inh") < 11.0  # published: about 3 and 9 Hz
    assert 20.0 < cue.rate("first") < 70.0
    assert low < after.rate("first") < high and after.rate("second") < 3.0
    assert 10.0 < after.rate("inh") < 17.0
