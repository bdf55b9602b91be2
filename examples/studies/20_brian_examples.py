"""Examples of Brian 2, each in fewer lines than there, with what Brian 2 finds for the same numbers.

python examples/studies/20_brian_examples.py
python examples/studies/20_brian_examples.py phase_locking gapjunctions
"""

import argparse
import itertools
import math

import numpy as np

import nbsnn
from nbsnn import Neuron, spike
from nbsnn.neurons import LIF, ConductanceLIF, Izhikevich, NoisyLIF
from nbsnn.plasticity import PairSTDP, VogelsSTDP
from nbsnn.synapses import Exponential, GapJunction, TsodyksMarkram

EXAMPLES = {}
"""By name: function, lines of code of the original, and what Brian 2 finds: a value, and how far ours may be off.

Values are computed with Brian 2.9 and random numbers of the same kind, or with the same ones where the tolerance is 0.
Times of spikes are ends of steps here and beginnings there.
"""


def example(name, lines, **theirs):
    """Enter an example."""

    def enter(function):
        EXAMPLES[name] = (function, lines, theirs)
        return function

    return enter


def poisson_times(n, rate, duration, seed):
    """Times on a grid of 0.1 ms, and units, that both simulators are given."""
    steps, units = np.nonzero(np.random.default_rng(seed).random((round(duration / 0.1), n)) < rate * 1e-4)
    return (steps + 1) * 0.1, units


@example("IF_curve_LIF", 18, spikes=(3009, 0), fastest=(84, 0))
def frequency_against_current():
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    cells = net.population(
        LIF(tau=10.0, v_threshold=10.0, refractory=4.9, compare=">"), 100
    )  # Brian's 5 ms end earlier
    net.inject(cells, 20.0 * np.arange(1, 200, 2) / 199)
    counts = np.bincount(net.run(1000.0).spikes(cells)[1])
    return {"spikes": counts.sum(), "fastest": counts[-1]}


@example("adaptive_threshold", 29, spikes=(136, 0), first=(19.1, 1e-9), theta=(12.807341303278704, 1e-9))
def threshold_that_adapts():
    def step(x, v, theta, decay, recovery, rest, jump):  # as there, threshold before input
        v, theta = v * decay, rest + (theta - rest) * recovery
        s = spike(v - theta)
        return s, (v + x) * (1 - s), theta + s * jump

    params = {"decay": 10.0, "recovery": 15.0, "rest": 10.0, "jump": 3.0}
    times = {"decay": "exp", "recovery": "exp"}
    cell = Neuron(step, state={"v": 0.0, "theta": 10.0}, params=params, per_step=times, compare=">")
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    source, cells = net.spikes(*poisson_times(1, 500.0, 2000.0, seed=4), 1), net.population(cell, 1)
    net.connect(source, cells, nbsnn.AllToAll(), weight=3.0)
    run = net.run(2000.0, record={cells: ["spikes", "theta"]})
    times, _ = run.spikes(cells)
    return {"spikes": len(times), "first": times[0], "theta": run[cells, "theta"][-2, 0]}


@example("phase_locking", 26, spikes=(2755, 0), slow=(27, 0), fast=(29, 0), last=(941.1, 1e-9))
def phase_locking():
    amplitude = 0.05 + 0.7 * np.arange(100) / 100
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    neuron = LIF(tau=20.0, v_threshold=1.0, decay="euler", compare=">")
    cells = net.population(neuron, 100, v=np.arange(100) * 0.61803 % 1.0)
    net.inject(cells, lambda t: 1.2 + amplitude * np.sin(2.0 * np.pi * (t - 0.05) / 100.0))
    times, units = net.run(1000.0).spikes(cells)
    counts = np.bincount(units)
    return {"spikes": len(times), "slow": counts[0], "fast": counts[99], "last": times[units == 99][-1]}


@example("Brette_2004", 18, first=(30, 0), middle=(49, 0), last=(69, 0), phase=(0.261, 1e-3))
def phase_locking_of_many_drives():
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    drive = np.linspace(2.0, 4.0, 500)[[0, 250, 499]]
    cells = net.population(
        LIF(tau=100.0, v_rest=drive, v_threshold=1.0, v_reset=0.0, decay="euler", compare=">"), 3, v=0.0
    )
    net.inject(cells, lambda t: 2.0 * np.sin(2.0 * np.pi * (t - 0.05) / 100.0))
    net.run(2000.0)
    times, units = net.run(2000.0).spikes(cells)
    first, middle, last = np.bincount(units)
    return {"first": first, "middle": middle, "last": last, "phase": (times[units == 1][0] - 0.1) % 100.0 / 100.0}


@example("network_operation_stop", 19, stopped=(22.0, 1e-9), spikes=(20, 0))
def stop_after_twenty_spikes():
    net, seen = nbsnn.Network(dt=0.1, dtype=np.float64, device="python"), []
    cells = net.population(LIF(tau=10.0, v_threshold=1.0, compare=">"), 10, v=np.arange(10) / 10)
    net.inject(cells, 1.5)

    def enough(net, since):
        seen.append(since.counts(cells).sum())
        if sum(seen) >= 20:
            net.stop()

    run = net.run(1000.0, callback=enough, callback_every=0.1)
    return {"stopped": net.time, "spikes": len(run.spikes(cells)[0])}


@example("gapjunctions", 24, spikes=(123, 1), first=(45.8, 0.3))
def gap_junctions():
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    cells = net.population(LIF(tau=10.0, v_threshold=1.0, compare=">"), 10, v=np.arange(10) / 9)
    net.inject(cells, 1.05)
    net.connect(cells, cells, nbsnn.AllToAll(autapses=False), weight=0.02, synapse=GapJunction())
    times, units = net.run(500.0).spikes(cells)
    return {"spikes": len(times), "first": times[units == 0][0]}


@example("Morris_Lecar_1981", 53, v100=(-16.34184, 1e-3), v400=(16.555390, 0.05))
def morris_lecar():
    def step(x, v, n, dt):
        opening, wanted = 0.5 * (1.0 + math.tanh((v - 10.0) / 15.0)), 0.5 * (1.0 + math.tanh((v + 1.0) / 14.5))
        g = 2.0 + 4.0 * opening + 8.0 * n
        rest = (-100.0 + 400.0 * opening - 560.0 * n + x) / g
        kept = math.exp(-dt * math.cosh((v + 1.0) / 29.0) / 15.0)
        return 0.0, rest + (v - rest) * math.exp(-dt * g / 20.0), wanted + (n - wanted) * kept

    start = {"v": -50.0, "n": 0.5 * (1.0 + math.tanh(-49.0 / 14.5))}
    cell = Neuron(step, state=start, params={"dt": 1.0}, per_step={"dt": "dt"}, output="none")
    net = nbsnn.Network(dt=0.01, dtype=np.float64, device="python")
    cells = net.population(cell, 2)
    net.inject(cells, [100.0, 400.0])
    v = net.run(210.0, record={cells: "v"}, every=10.0)[cells, "v"][-1]
    return {"v100": v[0], "v400": v[1]}


@example(
    "Tsodyks_Pawelzik_Markram_1998",
    156,
    depressed=(0.9272, 0.017),
    steady=(0.1292, 0.003),
    facilitated=(0.0189, 0.0005),
)
def short_term_plasticity():
    net = nbsnn.Network(dt=0.1, dtype=np.float64, device="python")
    source = net.spikes(np.arange(100.0, 1100.0, 50.0), [0] * 20, 1)
    cells = net.population(LIF(tau=[40.0, 60.0], v_threshold=1e9), 2)
    kinds = (25.0, TsodyksMarkram(U=0.6, tau_rec=800.0)), (1.54, TsodyksMarkram(U=0.03, tau_rec=130.0, tau_facil=530.0))
    for k, (weight, short_term) in enumerate(kinds):
        net.connect(
            source, cells[k : k + 1], nbsnn.AllToAll(), weight=weight, synapse=Exponential(3.0), short_term=short_term
        )
    peaks = net.run(1200.0, record={cells: "v"})[cells, "v"].reshape(-1, 500, 2).max(axis=1)
    return {"depressed": peaks[2, 0], "steady": peaks[20, 0], "facilitated": peaks[20, 1]}


@example("synapses/STDP", 51, spikes=(483, 12), weight=(0.5446, 0.01))
def song_miller_abbott():
    net = nbsnn.Network(dt=0.02, dtype=np.float64)  # at 0.1 Brian's step makes 5 % more spikes
    source = net.spikes(*poisson_times(200, 15.0, 6000.0, seed=5), 200)
    neuron = ConductanceLIF(10.0, 1.0, v_rest=-74.0, v_threshold=-54.0, v_reset=-60.0, refractory=0.0)
    cell = net.population(neuron, 1, v=-60.0)
    rule = PairSTDP(a_post=5e-4, a_pre=5.25e-4, w_max=0.05)
    weights, ampa = 0.05 * np.random.default_rng(6).random(200), Exponential(5.0, reversal=0.0)
    learned = net.connect(source, cell, nbsnn.AllToAll(), weight=weights, synapse=ampa, plasticity=rule)
    times, _ = net.run(6000.0).spikes(cell)
    return {"spikes": len(times), "weight": learned.weight.mean() / 0.05}


@example("frompapers/Vogels_et_al_2011", 62, before=(162.4, 5.0), after=(11.8, 4.0), weight=(1.412, 0.15))
def inhibitory_plasticity():
    net = nbsnn.Network(dt=0.1, seed=1)
    cells = net.population(ConductanceLIF(), 2500, v=-60.0)
    exc, inh, some = cells[:2000], cells[2000:], nbsnn.Sparse(probability=0.08)
    ampa, gaba = Exponential(5.0, reversal=0.0), Exponential(10.0, reversal=-80.0)
    net.inject(cells, 200.0)
    net.connect(exc, cells, some, weight=0.3, synapse=ampa)
    net.connect(inh, inh, some, weight=3.0, synapse=gaba)
    rule = VogelsSTDP(eta=0.01, rate=3.0, w_min=0.0, w_max=100.0)
    learned = net.connect(inh, exc, some, weight=1e-10, synapse=gaba, plasticity=rule)
    learned.learning = False
    before = net.run(1000.0).rate(exc)
    learned.learning = True
    net.run(3000.0)
    return {"before": before, "after": net.run(1000.0).rate(exc), "weight": learned.weight.mean()}


@example("frompapers/Brunel_Hakim_1999", 31, rate=(3.43, 0.4), oscillation=(137.5, 15.0))
def fast_oscillations():
    net = nbsnn.Network(dt=0.1, seed=2)
    # There sigma is that of the noise, here that of the membrane.
    cell = NoisyLIF(20.0, v_rest=25.0, v_threshold=20.0, v_reset=10.0, sigma=0.5**0.5, refractory=2.0)
    cells = net.population(cell, 5000, v=10.0)
    net.connect(cells, cells, nbsnn.Sparse(probability=0.2), weight=-0.1, delay=2.0)
    times, _ = net.run(100.0).spikes(cells)
    counts, _ = np.histogram(times, np.arange(20.0, 100.1, 0.5))
    power = abs(np.fft.rfft(counts - counts.mean()))
    return {"rate": counts.sum() / 5000 / 0.08, "oscillation": np.fft.rfftfreq(160, 5e-4)[power.argmax()]}


@example("frompapers/Diesmann_et_al_1999", 35, first=(93, 8), last=(123, 25), time=(59.1, 1.5))
def synfire_chain():
    def step(x, noise, v, p, q, left, dt, root, hold):  # Euler, as there
        u = v if left > 0.5 else v + dt * (p - v - 70.0) / 10.0
        s = spike(u + 55.0) * (left < 0.5)
        jumped = q + dt * (25.27 - q / 0.325) + 39.24 * root * noise
        return s, u * (1 - s) - 70.0 * s, p + dt * (q - p) / 0.325, jumped, hold * s + (left - 1.0) * (left > 0.5)

    params = {"dt": 0.1, "root": 0.1**0.5, "hold": 9.0}
    state = {"v": -70.0, "p": 0.0, "q": 0.0, "left": 0.0}
    cell = Neuron(step, state=state, params=params, inputs=("current", "normal"), compare=">", membrane="q")
    net = nbsnn.Network(dt=0.1, seed=1)
    volley = net.spikes(np.round(50.0 + np.random.default_rng(1).normal(size=85), 1), np.arange(85), 85)
    chain = net.population(cell, 1000, v=nbsnn.values.Uniform(-70.0, -55.0))
    layers = [volley, *(chain[k : k + 100] for k in range(0, 1000, 100))]
    for a, b in itertools.pairwise(layers):
        net.connect(a, b, nbsnn.AllToAll(), weight=4.86)
    times, units = net.run(100.0).spikes(chain)
    found = [times[(units // 100 == k) & (times > 50.0)] for k in (0, 9)]
    return {"first": len(found[0]), "last": len(found[1]), "time": found[1].mean()}


@example("CUBA", 29, rate=(5.78, 0.5), cv=(0.52, 0.04))
def cuba():
    net = nbsnn.Network(dt=0.1, seed=1)
    cell = LIF(tau=20.0, v_rest=-49.0, v_threshold=-50.0, v_reset=-60.0, refractory=5.0)
    cells = net.population(cell, 4000, v=nbsnn.values.Uniform(-60.0, -50.0))
    net.connect(cells[:3200], cells, nbsnn.Sparse(probability=0.02), weight=1.62, synapse=Exponential(5.0))
    net.connect(cells[3200:], cells, nbsnn.Sparse(probability=0.02), weight=-9.0, synapse=Exponential(10.0))
    run = net.run(1000.0)
    return {"rate": run.rate(), "cv": run.cv(cells)}


@example("frompapers/Izhikevich_2003", 74, exc=(9.02, 1.0), inh=(9.29, 1.5))
def izhikevich_2003():
    rng = np.random.default_rng(3)
    e, i = rng.random(800), rng.random(200)
    a, b = np.r_[np.full(800, 0.02), 0.02 + 0.08 * i], np.r_[np.full(800, 0.2), 0.25 - 0.05 * i]
    c, d = np.r_[-65.0 + 15.0 * e**2, np.full(200, -65.0)], np.r_[8.0 - 6.0 * e**2, np.full(200, 2.0)]
    weight = np.vstack([0.5 * rng.random((800, 1000)), -rng.random((200, 1000))])
    noise = rng.normal(size=(1000, 1000)) * np.r_[np.full(800, 5.0), np.full(200, 2.0)]
    net = nbsnn.Network(dt=1.0, dtype=np.float64)
    cells = net.population(Izhikevich(a, b, c, d, v_start=-65.0, substeps=1, method="euler"), 1000)
    net.inject(cells, noise, every=1.0)
    net.connect(cells, cells, nbsnn.AllToAll(), weight=weight.ravel(), delay=1.0)
    run = net.run(1000.0)
    return {"exc": run.rate(cells[:800]), "inh": run.rate(cells[800:])}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="examples to run, the last part of their name; all by default")
    chosen = parser.parse_args().names
    for name, (function, _, theirs) in EXAMPLES.items():
        if not chosen or name.rpartition("/")[2] in chosen:
            found = function()
            values = (f"{key} {found[key]:.5g} (Brian 2: {value:.5g})" for key, (value, _) in theirs.items())
            print(f"{name}: " + ", ".join(values))
