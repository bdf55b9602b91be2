"""W6 in Brian 2: cuba, coba, cobahh (4000 neurons, 2 %), brunel (12,500 neurons) and wang (2000 cells), as C++.

Where all are connected to all, the gates of each group's sources are summed once for all targets: by one unit that all
targets read, as a sum over millions of synapses would take seconds for a step of a second.
"""

from __future__ import annotations

from typing import Any

import brian
import workloads

CUBA = """
dv/dt = (ge + gi - (v - El)) / taum : volt (unless refractory)
dge/dt = -ge/taue : volt
dgi/dt = -gi/taui : volt
"""
COBA = """
dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v)) / Cm : volt (unless refractory)
dge/dt = -ge/taue : siemens
dgi/dt = -gi/taui : siemens
"""
COBAHH = """
dv/dt = (gl*(El - v) + ge*(Ee - v) + gi*(Ei - v) - gNa*m**3*h*(v - ENa) - gK*n**4*(v - EK)) / Cm : volt
dm/dt = am*(1 - m) - bm*m : 1
dn/dt = an*(1 - n) - bn*n : 1
dh/dt = ah*(1 - h) - bh*h : 1
dge/dt = -ge/taue : siemens
dgi/dt = -gi/taui : siemens
u = (v - VT)/mV : 1
am = 0.32*4/exprel((13 - u)/4)/ms : Hz
bm = 0.28*5/exprel((u - 40)/5)/ms : Hz
ah = 0.128*exp((17 - u)/18)/ms : Hz
bh = 4/(1 + exp((40 - u)/5))/ms : Hz
an = 0.032*5/exprel((15 - u)/5)/ms : Hz
bn = 0.5*exp((10 - u)/40)/ms : Hz
"""


WANG = """
dv/dt = (gl*(El - v) + (ga + gn*(w1*S1 + w2*S2 + w3*S3)/(1 + exp(-0.062*v/mV)/3.57))*(Ee - v) + gg*(El - v)) / Cm
    : volt (unless refractory)
dga/dt = -ga/(2*ms) : siemens
dgg/dt = -gg/(5*ms) : siemens
S1 : 1 (linked)
S2 : 1 (linked)
S3 : 1 (linked)
w1 : 1
w2 : 1
w3 : 1
"""
GATES = """
dx/dt = -x/(2*ms) : 1
ds/dt = -s/(100*ms) + 0.5/ms*x*(1 - s) : 1
"""


def wang(b: Any) -> tuple[list[Any], list[Any], int]:
    """Everything but monitors, the populations, and the number of synapses."""
    ms, mV, nS, n, f, strong = b.ms, b.mV, b.nS, 1600, 240, 1.7
    weak = 1 - 0.15 * (strong - 1) / 0.85
    sums = b.NeuronGroup(3, "S : 1")
    made, groups, count = [sums], [], 0
    for units, after, Cm, gl, external, ampa, nmda, gaba in (
        (n, 2, 500, 25, 2.1, 0.05, 0.165, 1.3), (400, 1, 200, 20, 1.62, 0.04, 0.13, 1.0),
    ):  # fmt: skip
        names = {"Cm": Cm * b.pF, "gl": gl * nS, "gn": nmda * nS, "El": -70 * mV, "Ee": 0 * mV}
        group = b.NeuronGroup(
            units, WANG + (GATES if units == n else ""), threshold="v > -50*mV", reset="v = -55*mV",
            refractory=after * ms, method="euler", namespace=names,
        )  # fmt: skip
        group.v = "(-60 + 10*rand())*mV"
        for k in (1, 2, 3):
            setattr(group, f"S{k}", b.linked_var(sums, "S", index=[k - 1] * units))
            setattr(group, f"w{k}", 1)
        groups.append((group, ampa, gaba))
        made += [group, b.PoissonInput(group, "ga", 800, 3 * b.Hz, weight=external * nS)]
    exc, inh = groups[0][0], groups[1][0]
    exc.w1 = [strong] * f + [weak] * f + [1] * (n - 2 * f)
    exc.w2 = [weak] * f + [strong] * f + [1] * (n - 2 * f)
    exc.w3 = [weak] * 2 * f + [1] * (n - 2 * f)
    bounds = 0, f, 2 * f, n
    total = b.Synapses(exc, sums, "S_post = s_pre : 1 (summed)")
    total.connect(i=range(n), j=[k for k in range(3) for _ in range(bounds[k], bounds[k + 1])])
    opened = b.Synapses(exc, exc, on_pre="x_post += 1", delay=0.5 * ms)
    opened.connect(j="i")
    made += [total, opened]
    for group, ampa, gaba in groups:
        fast = b.Synapses(
            exc, group, "of : integer (constant)",
            on_pre="ga_post += ampa*(w1_post*int(of == 0) + w2_post*int(of == 1) + w3_post*int(of == 2))",
            delay=0.5 * ms, namespace={"ampa": ampa * nS},
        )  # fmt: skip
        fast.connect()
        fast.of = f"int(i >= {f}) + int(i >= {2 * f})"
        stops = b.Synapses(inh, group, on_pre="gg_post += gaba", delay=0.5 * ms, namespace={"gaba": gaba * nS})
        stops.connect()
        made += [fast, stops]
        count += (2 * n + 400) * len(group)
    return made, [exc, inh], count


def cells(b: Any, model: str) -> tuple[Any, str, str]:
    """The neurons, and what an excitatory and an inhibitory spike does."""
    ms, mV, nS, uS = b.ms, b.mV, b.nS, b.uS
    names = {"taue": 5 * ms, "taui": 10 * ms, "taum": 20 * ms}
    if model == "brunel":
        group = b.NeuronGroup(
            12500, "dv/dt = -v/taum : volt (unless refractory)", threshold="v > 20*mV", reset="v = 0*mV",
            refractory=2 * ms, method="exact", namespace=names,
        )  # fmt: skip
        return group, "v_post += 0.1*mV", "v_post -= 0.5*mV"
    setting: dict[str, Any] = {"threshold": "v > -50*mV", "reset": "v = -60*mV", "refractory": 5 * ms}
    if model == "cuba":
        group = b.NeuronGroup(4000, CUBA, method="exact", namespace={**names, "El": -49 * mV}, **setting)
        group.v = "(-60 + 10*rand())*mV"
        return group, "ge += 1.62*mV", "gi -= 9*mV"
    names |= {"El": -60 * mV, "Ee": 0 * mV, "Ei": -80 * mV, "gl": 10 * nS, "Cm": 200 * b.pF}
    if model == "cobahh":
        names |= {"EK": -90 * mV, "ENa": 50 * mV, "gNa": 20 * uS, "gK": 6 * uS, "VT": -63 * mV}
        setting = {"threshold": "v > -20*mV", "refractory": 3 * ms}
    group = b.NeuronGroup(
        4000, COBA if model == "coba" else COBAHH, method="exponential_euler", namespace=names, **setting
    )
    group.v = "(-65 + 5*randn())*mV"
    group.ge = "10*clip(4 + 1.5*randn(), 0, inf)*nS"
    group.gi = "10*clip(20 + 12*randn(), 0, inf)*nS"
    return group, "ge += 6*nS", "gi += 67*nS"


def main() -> None:
    p = brian.arguments(__doc__)
    p.add_argument("--model", choices=["cuba", "coba", "cobahh", "brunel", "wang"], default="cuba")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--dt", type=float, default=0.1)
    a = p.parse_args()
    b = brian.prepare(a)
    b.defaultclock.dt = a.dt * b.ms
    if a.model == "wang":
        rest(b, a, *wang(b))
        return
    group, on_exc, on_inh = cells(b, a.model)
    units = len(group)
    exc = units * 4 // 5
    more = []
    if a.model == "brunel":
        delay = {"delay": 1.5 * b.ms}
        # a thousand inputs for each neuron, which together would just reach the threshold, twice over
        more.append(b.PoissonInput(group, "v", 1000, 20 * b.Hz, weight=0.1 * b.mV))
        degrees = [{"i": "k for k in sample(N_pre, size=1000)"}, {"i": "k for k in sample(N_pre, size=250)"}]
    else:
        delay, degrees = {}, [{"p": 0.02}, {"p": 0.02}]
    synapses = [
        b.Synapses(group[:exc], group, on_pre=on_exc, **delay), b.Synapses(group[exc:], group, on_pre=on_inh, **delay),
    ]  # fmt: skip
    for s, degree in zip(synapses, degrees, strict=True):
        s.connect(**degree)
    monitor = b.SpikeMonitor(group)
    measured = brian.measure(b, a, b.Network(group, *synapses, *more, monitor), a.sim_ms * b.ms)
    report(b, a, measured, units, exc, sum(len(s) for s in synapses), monitor.i, monitor.t / b.second)


def rest(b: Any, a: Any, made: list[Any], groups: list[Any], synapses: int) -> None:
    """Run what consists of two populations, the excitatory one first."""
    import numpy as np

    monitors = [b.SpikeMonitor(group) for group in groups]
    measured = brian.measure(b, a, b.Network(*made, *monitors), a.sim_ms * b.ms)
    first = len(groups[0])
    units = np.concatenate([monitors[0].i[:], monitors[1].i[:] + first])
    times = np.concatenate([m.t / b.second for m in monitors])
    report(b, a, measured, first + len(groups[1]), first, synapses, units, times)


def report(
    b: Any, a: Any, measured: tuple[list[float], dict[str, Any]], units: int, exc: int, synapses: int, i: Any, t: Any
) -> None:
    seconds, built = measured
    length = a.sim_ms / 1000.0
    workloads.emit(
        {
            "peer": "brian2", "version": b.__version__, "workload": "w6", "model": a.model, "threads": a.threads,
            "dt_ms": a.dt, "bio_s": length, "sim_s": round(min(seconds), 4), "sim_s_runs": workloads.summary(seconds),
            **built, "neurons": units, "synapses": synapses, **workloads.activity(i, t, units, exc, length),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
