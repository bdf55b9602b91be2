"""W6 in ANNarchy: cuba, coba, cobahh (4000 neurons, 2 %) and brunel (12,500 neurons), with OpenMP."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import harness
import workloads

SETTING = {"tau": 20.0, "te": 5.0, "ti": 10.0, "Ee": 0.0, "Ei": -80.0, "Vt": -50.0, "Vr": -60.0}
CHANNELS = {"C": 200.0, "gl": 10.0, "gNa": 20000.0, "gK": 6000.0, "EK": -90.0, "ENa": 50.0, "VT": -63.0}
RATES = [
    "before = v",
    "u = v - VT",
    "am = 0.32*(13.0 - u)/(exp((13.0 - u)/4.0) - 1.0)",
    "bm = 0.28*(u - 40.0)/(exp((u - 40.0)/5.0) - 1.0)",
    "ah = 0.128*exp((17.0 - u)/18.0)",
    "bh = 4.0/(1.0 + exp((40.0 - u)/5.0))",
    "an = 0.032*(15.0 - u)/(exp((15.0 - u)/5.0) - 1.0)",
    "bn = 0.5*exp((10.0 - u)/40.0)",
]
CURRENTS = "gl*(El - v) + gK*n*n*n*n*(EK - v) + gNa*m*m*m*h*(ENa - v) + g_exc*(Ee - v) + g_inh*(Ei - v)"


def cell(ann: Any, model: str, dt: float) -> tuple[Any, float, float]:
    """The neuron, and the weight of an excitatory and of an inhibitory synapse."""

    def variable(text: str, **options: Any) -> Any:
        return ann.Variable(text, method="exponential", **options)

    synapses = [variable("te*dg_exc/dt = -g_exc"), variable("ti*dg_inh/dt = -g_inh")]
    if model == "cuba":
        v = variable("tau*dv/dt = (El - v) + g_exc - g_inh", init=-55.0)
        setting = {"parameters": {**SETTING, "El": -49.0}, "spike": "v > Vt", "reset": "v = Vr", "refractory": 5.0}
        return ann.Neuron(equations=[v, *synapses], **setting), 1.62, 9.0
    if model == "coba":
        v = variable("tau*dv/dt = (El - v) + g_exc*(Ee - v) + g_inh*(Ei - v)", init=-60.0)
        setting = {"parameters": {**SETTING, "El": -60.0}, "spike": "v > Vt", "reset": "v = Vr", "refractory": 5.0}
        return ann.Neuron(equations=[v, *synapses], **setting), 0.6, 6.7  # in units of the leak
    if model == "cobahh":
        v = variable(f"C*dv/dt = {CURRENTS}", init=-60.0)
        gates = [variable(f"d{x}/dt = a{x}*(1.0 - {x}) - b{x}*{x}") for x in "nmh"]
        setting = {"parameters": {**SETTING, **CHANNELS, "El": -60.0}, "reset": ""}
        spike = "(v > -20.0) and (before <= -20.0)"
        return ann.Neuron(equations=[*RATES, v, *gates, *synapses], spike=spike, **setting), 6.0, 67.0
    noise = f"noise = Binomial(1000, {20.0 * dt / 1000.0!r})"
    v = ann.Variable("v = decay*v + g_exc - g_inh + 0.1*noise", init=0.0)
    setting = {"parameters": {"decay": 2.718281828459045 ** (-dt / 20.0)}, "spike": "v > 20.0", "reset": "v = 0.0"}
    return ann.Neuron(equations=[noise, v], refractory=2.0, **setting), 0.1, 0.5


def main() -> None:
    harness.require("ANNarchy")
    p = workloads.arguments(__doc__)
    p.add_argument("--model", choices=["cuba", "coba", "cobahh", "brunel"], default="cuba")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--dt", type=float, default=0.1)
    p.add_argument("--work-dir", required=True, help="folder for what is built")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    argv, sys.argv = sys.argv, sys.argv[:1]  # it reads the command line,
    out = os.dup(1)
    os.dup2(2, 1)  # and speaks: all but our line goes to the other stream
    import ANNarchy as ann
    import numpy as np

    rng = np.random.default_rng(a.seed)
    start = time.perf_counter()
    net = ann.Network(dt=a.dt, seed=a.seed)
    net.config(num_threads=a.threads)
    neuron, w_exc, w_inh = cell(ann, a.model, a.dt)
    units = 12500 if a.model == "brunel" else 4000
    exc = units * 4 // 5
    cells = net.create(geometry=units, neuron=neuron)
    if a.model == "cuba":
        cells.v = rng.uniform(-60.0, -50.0, units)
    elif a.model != "brunel":
        unit = 10.0 if a.model == "cobahh" else 1.0
        cells.v = -65.0 + 5.0 * rng.standard_normal(units)
        cells.g_exc = unit * np.maximum(0.0, 4.0 + 1.5 * rng.standard_normal(units))
        cells.g_inh = unit * np.maximum(0.0, 20.0 + 12.0 * rng.standard_normal(units))
    projections = [net.connect(cells[:exc], cells, target="exc"), net.connect(cells[exc:], cells, target="inh")]
    for projection, weight, degree in zip(projections, (w_exc, w_inh), (1000, 250), strict=True):
        if a.model == "brunel":
            projection.fixed_number_pre(number=degree, weights=weight, delays=1.5)
        else:
            projection.fixed_probability(probability=0.02, weights=weight)
    monitor = net.monitor(cells, ["spike"])
    net.compile(directory=a.work_dir, silent=True)
    built = time.perf_counter() - start
    start = time.perf_counter()
    net.simulate(a.sim_ms)
    seconds = time.perf_counter() - start
    when, who = monitor.raster_plot(monitor.get("spike"))
    os.dup2(out, 1)
    sys.argv = argv
    length = a.sim_ms / 1000.0
    workloads.emit(
        {
            "peer": "annarchy", "version": harness.version("ANNarchy"), "workload": "w6", "model": a.model,
            "threads": a.threads, "dt_ms": a.dt, "bio_s": length, "build_s": round(built, 3),
            "sim_s": round(seconds, 4), "neurons": units, "synapses": int(sum(p.nb_synapses for p in projections)),
            **workloads.activity(who, np.asarray(when) / 1000.0, units, exc, length),
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
