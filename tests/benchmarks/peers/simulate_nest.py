"""W6 in NEST: cuba, coba, cobahh (4000 neurons, 2 %), brunel (order 2500) and pd (the microcircuit, scaled down)."""

from __future__ import annotations

import time
from typing import Any

import harness
import workloads

SYNAPSES = {"tau_syn_ex": 5.0, "tau_syn_in": 10.0}
CELL = {"C_m": 200.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, **SYNAPSES}
REVERSAL = {"g_L": 10.0, "E_L": -60.0, "E_ex": 0.0, "E_in": -80.0}
CUBA = {**CELL, "tau_m": 20.0, "E_L": -49.0}
COBA = {**CELL, **REVERSAL}
CHANNELS = {"E_Na": 50.0, "E_K": -90.0, "g_Na": 20000.0, "g_K": 6000.0, "V_T": -63.0, "t_ref": 3.0}
COBAHH = {"C_m": 200.0, **SYNAPSES, **REVERSAL, **CHANNELS}
BRUNEL = {"C_m": 1.0, "tau_m": 20.0, "t_ref": 2.0, "E_L": 0.0, "V_reset": 0.0, "V_m": 0.0, "V_th": 20.0}


def four_thousand(nest: Any, a: Any, rng: Any) -> tuple[Any, int]:
    """cuba, coba, cobahh: the neurons, and how many of them are excitatory."""
    import numpy as np

    n, exc = 4000, 3200
    if a.model == "cuba":
        cells = nest.Create("iaf_psc_exp", n, params=CUBA)
        cells.V_m = rng.uniform(-60.0, -50.0, n)
        weights = 16.2, -90.0  # pA: 1.62 and 9 mV times C_m / tau_m
    elif a.model == "coba":
        cells = nest.Create("iaf_cond_exp", n, params=COBA)
        cells.V_m = -65.0 + 5.0 * rng.standard_normal(n)
        cells.g_ex = np.maximum(0.0, 10.0 * (4.0 + 1.5 * rng.standard_normal(n)))
        cells.g_in = np.maximum(0.0, 10.0 * (20.0 + 12.0 * rng.standard_normal(n)))
        weights = 6.0, -67.0
    else:
        cells = nest.Create("hh_cond_exp_traub", n, params=COBAHH)
        cells.V_m = -65.0 + 5.0 * rng.standard_normal(n)
        # First conductances cannot be set in this model: it is kicked for 50 ms instead.
        kick = nest.Create("poisson_generator", params={"rate": 400.0, "stop": 50.0})
        nest.Connect(kick, cells, syn_spec={"weight": 6.0, "delay": a.dt})
        weights = 6.0, -67.0
    rule = {"rule": "pairwise_bernoulli", "p": 0.02, "allow_autapses": False}
    for sources, weight in zip((cells[:exc], cells[exc:]), weights, strict=True):
        nest.Connect(sources, cells, rule, {"weight": weight, "delay": a.dt})
    return cells, exc


def brunel(nest: Any) -> tuple[Any, int]:
    """The same for 10,000 and 2500 neurons with 1000 and 250 inputs, and noise of twice the threshold's rate."""
    exc, inputs, weight, delay = 10000, (1000, 250), (0.1, -0.5), 1.5
    cells = nest.Create("iaf_psc_delta", exc * 5 // 4, params=BRUNEL)
    noise = nest.Create("poisson_generator", params={"rate": 20.0 * inputs[0]})
    nest.Connect(noise, cells, syn_spec={"weight": weight[0], "delay": delay})
    for k, sources in enumerate((cells[:exc], cells[exc:])):
        nest.CopyModel("static_synapse", f"synapse{k}", {"weight": weight[k], "delay": delay})
        nest.Connect(sources, cells, {"rule": "fixed_indegree", "indegree": inputs[k]}, f"synapse{k}")
    return cells, exc


def pd(nest: Any, a: Any, rng: Any) -> tuple[Any, int, Any]:
    """The same for the microcircuit, and the sizes of its populations."""
    import microcircuit as m

    net = m.scaled(a.scale)
    populations = []
    for size, current in zip(net["neurons"], net["current"], strict=True):
        setting = {**m.NEURON, "tau_syn_ex": m.TAU_SYN, "tau_syn_in": m.TAU_SYN, "I_e": float(current)}
        populations.append(nest.Create("iaf_psc_exp", int(size), params=setting))
        populations[-1].V_m = rng.normal(*m.FIRST_V, int(size))
    normal, redraw, inf = nest.random.normal, nest.math.redraw, float("inf")
    for k, target in enumerate(populations):
        noise = nest.Create("poisson_generator", params={"rate": float(net["external_rate"][k])})
        nest.Connect(noise, target, syn_spec={"weight": float(net["external_weight"]), "delay": m.DELAY[0]})
        for j, source in enumerate(populations):
            if net["synapses"][k, j]:
                weight, delay = float(net["weight"][k, j]), m.DELAY[j % 2]
                low, high = (0.0, inf) if weight > 0 else (-inf, 0.0)
                synapse = {
                    "weight": redraw(normal(mean=weight, std=0.1 * abs(weight)), min=low, max=high),
                    "delay": redraw(normal(mean=delay, std=0.5 * delay), min=0.5 * a.dt, max=inf),
                }
                nest.Connect(source, target, {"rule": "fixed_total_number", "N": int(net["synapses"][k, j])}, synapse)
    cells = populations[0]
    for other in populations[1:]:
        cells = cells + other
    return cells, int(net["neurons"][::2].sum()), net["neurons"]


def main() -> None:
    harness.require("nest")
    p = workloads.arguments(__doc__)
    p.add_argument("--model", choices=["cuba", "coba", "cobahh", "brunel", "pd"], default="cuba")
    p.add_argument("--sim-ms", type=float, default=1000.0)
    p.add_argument("--dt", type=float, default=0.1)
    p.add_argument("--scale", type=float, default=0.1, help="of pd")
    p.add_argument("--presim-ms", type=float, default=0.0, help="what is simulated before the clock starts")
    a = p.parse_args()
    workloads.pin_threads(a.threads)
    import nest
    import numpy as np

    nest.set_verbosity("M_ERROR")
    nest.ResetKernel()
    nest.local_num_threads, nest.resolution, nest.rng_seed = a.threads, a.dt, a.seed
    rng, sizes = np.random.default_rng(a.seed), None
    start = time.perf_counter()
    if a.model == "pd":
        cells, exc, sizes = pd(nest, a, rng)
    else:
        cells, exc = brunel(nest) if a.model == "brunel" else four_thousand(nest, a, rng)
    recorder = nest.Create("spike_recorder", params={"start": a.presim_ms})
    nest.Connect(cells, recorder)
    units = len(cells)
    synapses = nest.num_connections - units
    nest.Prepare()
    built = time.perf_counter() - start
    if a.presim_ms:
        nest.Run(a.presim_ms)
    start = time.perf_counter()
    nest.Run(a.sim_ms)
    seconds = time.perf_counter() - start
    nest.Cleanup()
    length, first = a.sim_ms / 1000.0, cells[0].global_id
    unit = np.asarray(recorder.events["senders"]) - first
    when = (np.asarray(recorder.events["times"]) - a.presim_ms) / 1000.0
    found = workloads.activity(unit, when, units, exc, length)
    if sizes is not None:
        import microcircuit

        found["rates_pop_hz"] = microcircuit.population_rates(unit, sizes, length)
    workloads.emit(
        {
            "peer": "nest", "version": nest.__version__, "workload": "w6", "model": a.model, "threads": a.threads,
            "dt_ms": a.dt, "bio_s": length, "build_s": round(built, 3), "sim_s": round(seconds, 4), "neurons": units,
            "synapses": int(synapses), **found,
        }
    )  # fmt: skip


if __name__ == "__main__":
    main()
