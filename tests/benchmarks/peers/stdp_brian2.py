"""W5 in Brian 2: the network of Diehl and Cook (2015), steps of 0.5 ms, no rest and no normalisation between images."""

from __future__ import annotations

import brian
import workloads

EXC = """
dv/dt = ((-65*mV - v) + ge*(0*mV - v) + gi*(-100*mV - v)) / (100*ms) : volt (unless refractory)
dge/dt = -ge/(1*ms) : 1
dgi/dt = -gi/(2*ms) : 1
dtheta/dt = -theta/(1e7*ms) : volt
"""
INH = """
dv/dt = ((-60*mV - v) + ge*(0*mV - v) + gi*(-85*mV - v)) / (10*ms) : volt (unless refractory)
dge/dt = -ge/(1*ms) : 1
dgi/dt = -gi/(2*ms) : 1
"""
PLASTIC = """
w : 1
dpre/dt = -pre/(20*ms) : 1 (event-driven)
dpost1/dt = -post1/(20*ms) : 1 (event-driven)
dpost2/dt = -post2/(40*ms) : 1 (event-driven)
"""
ON_PRE = "ge += w; pre = 1.0; w = clip(w - 0.0001*post1, 0, 1)"
ON_POST = "w = clip(w + 0.01*pre*post2, 0, 1); post1 = 1.0; post2 = 1.0"


def main() -> None:
    p = brian.arguments(__doc__)
    p.add_argument("--n-neurons", type=int, default=400)
    p.add_argument("--time", type=float, default=350.0, help="ms for each image, a multiple of 50")
    p.add_argument("--dt", type=float, default=0.5)
    p.add_argument("--samples", type=int, default=10)
    p.add_argument("--mnist", help="idx3 file of images")
    a = p.parse_args()
    b = brian.prepare(a)
    import numpy as np

    ms, mV, n = b.ms, b.mV, a.n_neurons
    b.defaultclock.dt = a.dt * ms
    rates = np.repeat(63.75 * workloads.pictures(a.seed, a.samples, a.mnist), round(a.time / 50.0), axis=0)
    names = {"stimulus": b.TimedArray(rates * b.Hz, dt=50 * ms)}
    source = b.PoissonGroup(784, rates="stimulus(t, i)", namespace=names)
    exc = b.NeuronGroup(
        n, EXC, threshold="v > theta - 72*mV", refractory=5 * ms, reset="v = -65*mV; theta += 0.05*mV", method="euler"
    )
    inh = b.NeuronGroup(n, INH, threshold="v > -40*mV", refractory=2 * ms, reset="v = -45*mV", method="euler")
    exc.v, inh.v, exc.theta = -105 * mV, -100 * mV, 20 * mV
    plastic = b.Synapses(source, exc, PLASTIC, on_pre=ON_PRE, on_post=ON_POST)
    plastic.connect()
    plastic.w = "0.3*rand()"
    there, back = b.Synapses(exc, inh, on_pre="ge += 10.4"), b.Synapses(inh, exc, on_pre="gi += 17.0")
    there.connect(j="i")
    back.connect(condition="i != j")
    spikes_in, spikes = b.SpikeMonitor(source, record=False), b.SpikeMonitor(exc, record=False)
    net = b.Network(source, exc, inh, plastic, there, back, spikes_in, spikes)
    seconds, built = brian.measure(b, a, net, a.samples * a.time * ms)
    workloads.emit(
        {
            "peer": "brian2", "version": b.__version__, "workload": "w5", "n_exc": n, "time_ms": a.time,
            "dt_ms": a.dt, "samples": a.samples, "threads": a.threads,
            "s_per_sample": workloads.summary([s / a.samples for s in seconds]), **built,
            "in_spikes_per_sample": spikes_in.num_spikes / a.samples,
            "exc_spikes_per_sample": spikes.num_spikes / a.samples,
            "w_mean": round(float(np.mean(np.asarray(plastic.w))), 6),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
