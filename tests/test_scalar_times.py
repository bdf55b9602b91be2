"""Times and steps: halves, durations, edges of windows, and steps that are late, up to 2^53."""

from fractions import Fraction

import numpy as np
import pytest

import nbsnn
from nbsnn import statistics
from nbsnn.files.spikes import SpikeFile, SpikeWriter
from nbsnn.files.variables import VariableFile
from nbsnn.neurons import LIF, NoisyLIF
from nbsnn.random import lasting, squares32
from nbsnn.scalar.times import LATEST, following, nearest, whole
from nbsnn.sparse.delay import delay_steps
from nbsnn.synapses import Exponential, TsodyksMarkram

DT = (1.0, 0.5, 0.1, 0.05, 0.3, 1 / 3)


@pytest.mark.parametrize("dt", DT)
def test_halves_of_steps_go_up_however_late(dt):
    for first in (0, 1000, 36_000_000):
        k = first + np.arange(1, 400)
        np.testing.assert_array_equal(nearest((k + 0.5) * dt, dt), k + 1)
        np.testing.assert_array_equal(nearest((k + 0.49) * dt, dt), k)
        np.testing.assert_array_equal(nearest(k * dt, dt), k)
        np.testing.assert_array_equal(following(k * dt, dt), k)
        np.testing.assert_array_equal(following((k + 0.01) * dt, dt), k + 1)


def test_a_train_half_a_step_off_the_grid_keeps_its_intervals():
    for dt in DT:
        net = nbsnn.Network(dt=dt, device="python")
        source = net.spikes((np.arange(1, 9) + 0.5) * dt, np.zeros(8, int), 1)
        times, _ = net.run(12 * dt).spikes(source)
        np.testing.assert_allclose(times / dt, np.arange(2, 10))


def test_delays_and_refractory_periods_round_their_halves_up():
    assert [delay_steps(d, 0.1) for d in (0.05, 0.15, 0.25, 0.35, 0.45)] == [1, 2, 3, 4, 5]
    assert delay_steps(np.float32([0.25, 0.35, 0.45, 0.55]), 0.1).tolist() == [3, 4, 5, 6]
    for periods in (0.25, 0.35, 0.45):
        net = nbsnn.Network(dt=0.1, device="python")
        cell = net.population(LIF(tau=1.0, v_threshold=0.5, refractory=periods), 1)
        net.inject(cell, 100.0)
        times, _ = net.run(3.0).spikes(cell)
        np.testing.assert_allclose(np.diff(times), periods + 0.05 + 0.1)


def test_durations_between_steps_are_refused_however_long():
    for steps in (1, 10, 1000, 10**6, 10**9, 10**12):
        for dt in DT:
            assert whole(steps * dt, dt, "duration") == steps
            for off in (0.5, 0.1, 0.01):
                if (steps + off) * dt != steps * dt and off > 1e-15 * steps * 1000:
                    with pytest.raises(ValueError, match="duration must be a whole number of steps"):
                        whole((steps + off) * dt, dt, "duration")
    assert whole(np.float32(0.3), 0.1, "duration") == 3
    for bad in (1e300, 1e16, -0.1, 0.0, float("nan")):
        with pytest.raises(ValueError, match="duration must be"):
            whole(bad, 0.1, "duration")


def test_intervals_and_starts_between_steps_are_refused_too():
    net = nbsnn.Network(dt=0.1, device="python")
    cells = net.population(LIF(), 2)
    late = 60000.05
    for call in (
        lambda: net.run(late), lambda: net.run(1.0, record={cells: "v"}, every=late),
        lambda: net.run(1.0, callback=print, callback_every=late),
        lambda: net.inject(cells, [[1.0]], every=late), lambda: net.inject(cells, 1.0, start=late),
        lambda: net.connect(cells, cells, nbsnn.AllToAll(), homeostasis=nbsnn.plasticity.Normalize(1.0, every=late)),
        lambda: net.inject(cells, [[1.0]], every=1e30), lambda: net.run(1e300), lambda: next(net.steps(1e300)),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="whole number of steps"):
            call()
    assert net.step == 0


@pytest.mark.parametrize("dt", DT)
def test_windows_hold_the_steps_that_lie_in_them(dt, tmp_path):
    rng = np.random.default_rng(0)
    for trial, hour in enumerate((0, 0, 36_000, 36_000_000, 360_000_000)):
        steps = hour + np.arange(1, 301)
        units = rng.integers(0, 3, 300)
        with SpikeWriter(tmp_path / f"{trial}", 3, dt) as writer:
            writer.write(steps, units)
        file = SpikeFile(tmp_path / f"{trial}")
        for _ in range(10):
            a, width, bins = rng.integers(-5, 150), int(rng.integers(1, 12)), int(rng.integers(1, 20))
            start, stop = float(hour + a) * dt, float(hour + a + width * bins) * dt
            inside = (steps >= hour + a) & (steps < hour + a + width * bins)
            place = (steps[inside] - hour - a) // width
            spikes = steps * dt, units, 3, stop
            counted = statistics.counts(*spikes, start=start, width=width * dt)
            np.testing.assert_array_equal(counted, np.bincount(place, minlength=bins))
            rates = np.bincount(units[inside], minlength=3)
            np.testing.assert_allclose(statistics.rates(*spikes, start=start) * (stop - start) / 1000.0, rates)
            np.testing.assert_array_equal(file.spikes(max(start, 0.0), stop)[1], units[inside])
            if inside.any():
                fano = counted.var() / counted.mean()
                assert statistics.fano(*spikes, start=start, width=width * dt) == pytest.approx(fano)
            matrix = np.zeros((3, bins))
            np.add.at(matrix, (units[inside], place), 1.0)
            if matrix.var(axis=1).any():
                chi = np.sqrt(matrix.mean(axis=0).var() / matrix.var(axis=1).mean())
                assert statistics.synchrony(*spikes, start=start, width=width * dt) == pytest.approx(chi, abs=1e-7)


@pytest.mark.parametrize("start", [0.0, 0.1, 1.0, 1000.0, 3.6e6, 1e8])
def test_a_spike_just_outside_a_window_is_outside(start):
    step = max(1e-10, 20 * np.spacing(start))
    for width in (0.1, 1.0, 2.5, 10.0):
        stop = start + 10.0
        times = np.array([start - step, start, start + 5.25, stop - step, stop])
        assert statistics.counts(times, [0] * 5, 1, stop, start=start, width=width).sum() == 3
        assert statistics.mean_rate(times, [0] * 5, 1, stop, start=start) == pytest.approx(300.0, rel=1e-6)
        assert statistics.fano(times, [0] * 5, 1, stop, start=start, width=width) >= 0.0


def test_bins_of_continuous_times_are_those_of_exact_arithmetic():
    rng = np.random.default_rng(1)
    for start, width in ((0.0, 0.1), (1000.0, 0.7), (3.6e6, 0.25), (3.6e6, 1.1), (5.0, 1e-3)):
        stop = start + 1000 * width
        times = np.sort(rng.uniform(start - width, stop + width, 500))
        exact = [(Fraction(t) - Fraction(start)) // Fraction(width) for t in times.tolist()]
        wanted = np.bincount([int(k) for k in exact if 0 <= k < 1000], minlength=1000)
        np.testing.assert_array_equal(statistics.counts(times, [0] * 500, 1, stop, start=start, width=width), wanted)


def late(device="python", dtype=np.float64, offset=0):
    """A network whose inputs all come ``offset`` steps late, at that time; its longest delay divides the offset."""
    net = nbsnn.Network(dt=0.5, seed=3, device=device, dtype=dtype)
    begin = offset * 0.5
    listed = net.spikes(begin + np.array([0.5, 1.0, 3.0, 3.5, 6.0]), [0, 1, 0, 1, 1], 2, name="listed")
    cells = net.population(LIF(tau=20.0, v_threshold=1.0, refractory=1.0), 3, name="cells")
    net.connect(listed, cells, nbsnn.AllToAll(), weight=np.linspace(0.1, 0.9, 6), delay=np.array([0.5, 2.0] * 3))
    net.connect(cells, cells, nbsnn.AllToAll(), weight=0.2, delay=2.0, synapse=Exponential(2.0))
    net.connect(cells, cells, nbsnn.AllToAll(), weight=0.1, delay=1.0, plasticity=nbsnn.plasticity.PairSTDP())
    net.inject(cells, np.linspace(0.0, 6.0, 12)[:, None], every=1.0, start=begin + 0.5)
    state = net.state()
    state.step = offset
    state.history = [(np.zeros(0, int), np.zeros(0, int))] * min(offset, net.loop().longest + 1)
    net.restore(state)
    return net, cells


def check_late(device, dtype, tmp_path, offsets):
    """A run is the same however late it is, in memory and in files."""
    net, cells = late(device, dtype)
    early = net.run(12.0, record={cells: ["spikes", "v"], "listed": "spikes"})
    for offset in offsets:
        net, cells = late(device, dtype, offset)
        files = {"to": tmp_path / f"{offset}.spikes", "variables_to": tmp_path / f"{offset}.variables"}
        for kept in ({}, files):
            again, cells = late(device, dtype, offset)
            run = again.run(12.0, record={cells: ["spikes", "v"], "listed": "spikes"}, **kept)
            for part, first in zip(run.spikes(), early.spikes(), strict=True):
                shift = offset * 0.5 if part.dtype == np.float64 else 0
                np.testing.assert_array_equal(part, first + shift)
            np.testing.assert_array_equal(run[cells, "v"], early["cells", "v"])
            np.testing.assert_array_equal(run.times, early.times + offset * 0.5)
        np.testing.assert_array_equal(SpikeFile(files["to"]).spikes()[0], early.spikes()[0] + offset * 0.5)
        np.testing.assert_array_equal(VariableFile(files["variables_to"]).times, early.times + offset * 0.5)
    assert len(early.spikes()[0]) > 8


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_beyond_2_to_31_and_2_to_32_are_like_any_others(dtype, tmp_path):
    # The run of 24 steps crosses each of these; the ring has 5 rows.
    check_late("python", dtype, tmp_path, [5 * round((2**k - 10) / 5) for k in (31, 32, 40)])


def test_the_last_steps_are_refused():
    net = nbsnn.Network(dt=0.5, device="python")
    net.population(LIF(), 1)
    net.build()
    state = net.state()
    state.step = LATEST - 3
    net.restore(state)
    net.run(1.5)
    with pytest.raises(ValueError, match=r"2\^53 steps at most"):
        net.run(0.5)


def test_a_spike_file_of_four_bytes_refuses_a_run_beyond_them_before_it_runs(tmp_path):
    net, _ = late(offset=2**31 - 8)
    with SpikeWriter(tmp_path / "short", net.units, 0.5) as writer:
        with pytest.raises(ValueError, match="long=True"):
            net.run(12.0, to=writer)
        assert net.step == 2**31 - 8
        net.run(3.5, to=writer)
    with SpikeWriter(tmp_path / "long", net.units, 0.5, long=True) as writer:
        net.run(12.0, to=writer)
    assert (SpikeFile(tmp_path / "long").records["step"] >= 2**31 - 1).all()


def test_random_numbers_do_not_begin_anew_after_2_to_32_steps():
    def noise(step):
        net = nbsnn.Network(dt=0.1, seed=1, device="python")
        net.poisson(40, 3000.0)
        cells = net.population(NoisyLIF(tau=20.0, sigma=1.0), 4)
        net.drive(cells, 5000.0, 1.0)
        state = net.state()
        state.step, state.history = step, [(np.zeros(0, int), np.zeros(0, int))]
        net.restore(state)
        run = net.run(0.5, record={"poisson1": "spikes", cells: "v"})
        return run.spikes()[1].tolist(), run[cells, "v"]

    (first, v), (again, w) = noise(1), noise(2**32 + 1)
    assert first != again and not np.array_equal(v, w)
    key = 0xC58EFD154CE32F6D
    assert lasting(key, 2**32 - 1) == key and squares32(5, lasting(key, 2**32)) != squares32(5, key)


def test_synapses_that_wait_for_a_reward_know_how_long_they_have_waited():
    def weight(begin, steps):
        net = nbsnn.Network(dt=0.5, seed=1, device="python", dtype=np.float64)
        source, cell = net.spikes([0.5], [0], 1), net.population(LIF(v_threshold=0.5), 1)
        rule = nbsnn.plasticity.MSTDPET(tau_e=1e12)
        c = net.connect(source, cell, nbsnn.AllToAll(), weight=np.array([1.0]), plasticity=rule)
        net.run(3.0)
        state = net.state()
        state.arrays["eligible"][...], state.arrays["since"][...] = 1e-9, (begin - 1) % 2**32
        state.step = begin
        net.restore(state)
        net.run(0.5 * steps)
        return net, c

    near, far = weight(6, 20), weight(2**32 - 10, 20)
    for net, c in (near, far):
        c.reward = 1.0
        net.run(5.0)
    np.testing.assert_allclose(near[1].weight, far[1].weight, rtol=1e-12)


def test_short_term_plasticity_counts_from_the_last_spike_however_late():
    def v(offset):
        net = nbsnn.Network(dt=0.5, device="python", dtype=np.float64)
        times = offset * 0.5 + np.array([0.5, 1.5, 4.0])
        source, cell = net.spikes(times, [0] * 3, 1), net.population(LIF(v_threshold=99.0), 1)
        net.connect(source, cell, nbsnn.AllToAll(), weight=1.0, short_term=TsodyksMarkram(U=0.5, tau_rec=10.0))
        state = net.state()
        state.step, state.history = offset, [(np.zeros(0, int), np.zeros(0, int))] * min(1, offset)
        net.restore(state)
        return net.run(6.0, record={cell: "v"})[cell, "v"]

    np.testing.assert_array_equal(v(0), v(2**32 - 4))
