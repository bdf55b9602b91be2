"""W6 in Brian 2: cuba, coba, cobahh (4000 neurons, 2 %) and brunel (12,500 neurons), as C++."""

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
    p.add_argument("--model", choices=["cuba", "coba", "cobahh", "brunel"], default="cuba")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--dt", type=float, default=0.1)
    a = p.parse_args()
    b = brian.prepare(a)
    b.defaultclock.dt = a.dt * b.ms
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
    seconds, built = brian.measure(b, a, b.Network(group, *synapses, *more, monitor), a.sim_ms * b.ms)
    length = a.sim_ms / 1000.0
    workloads.emit(
        {
            "peer": "brian2", "version": b.__version__, "workload": "w6", "model": a.model, "threads": a.threads,
            "dt_ms": a.dt, "bio_s": length, "sim_s": round(min(seconds), 4), "sim_s_runs": workloads.summary(seconds),
            **built, "neurons": units, "synapses": sum(len(s) for s in synapses),
            **workloads.activity(monitor.i, monitor.t / b.second, units, exc, length),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
