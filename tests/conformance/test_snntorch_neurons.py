"""snnTorch's neurons: runs and gradients with respect to inputs, parameters, initial states and weights.

Two recorded cases are not reproduced: ``inhibition`` lets the unit with the largest membrane of its row spike alone,
and a neuron here does not see its neighbours; the overflow of ``sigmoid`` to NaN far below the threshold is 0 here.
"""

from typing import Any

import numpy as np

import nbsnn
from nbsnn import Dense, Population, Recurrent, Sequential
from nbsnn.presets import snntorch

from .golden import Case, close, exact, golden

NEURONS = {
    "leaky": snntorch.Leaky, "synaptic": snntorch.Synaptic, "alpha": snntorch.Alpha, "lapicque": snntorch.Lapicque,
    "rleaky": snntorch.RLeaky, "rsynaptic": snntorch.Synaptic,
}  # fmt: skip
WEIGHTS = ("recurrent_weight", "recurrent_bias", "V")


def looped(case: Case) -> bool:
    return case.params.get("neuron", "") in ("rleaky", "rsynaptic")


def plain(case: Case) -> bool:
    return "neuron" in case.params and not looped(case) and not case.params.get("inhibition")


def neuron(case: Case) -> nbsnn.Neuron:
    p = case.params
    given: dict[str, Any] = {
        key: v if v.ndim else v.item() for key, v in case.group("param/").items() if key not in WEIGHTS
    }
    if "arguments" in p:
        given = {key: v for key, v in given.items() if key in (*p["arguments"], "threshold", "time_step")}
    if "reset_delay" in p:
        given["reset_delay"] = p["reset_delay"]
    surrogate = snntorch.SURROGATES[p["surrogate"]](**p["surrogate_params"])
    learn = tuple(name for name in p["learned"] if name not in WEIGHTS)
    return NEURONS[p["neuron"]](spike_grad=surrogate, reset_mechanism=p["reset_mechanism"], learn=learn, **given)


def starting(case: Case, state: dict[str, Any]) -> dict[str, Any]:
    given = {name.removesuffix("_init"): case[name] for name in case if name.endswith("_init") and "grad" not in name}
    return {name: given.get(name, value) for name, value in state.items()}


def terms_close(actual: Any, case: Case, key: str) -> None:
    """Gradients of parameters are sums in which terms may cancel: they are compared on the scale of the inputs'."""
    scale = max(1.0, float(np.abs(case[f"grad_x_{key.rsplit('_', 1)[1]}"]).sum()))
    close(np.append(np.ravel(actual), scale), np.append(np.ravel(case[key]), scale), case.dtype, what=key)


@golden("snntorch_neurons.npz", where=lambda case: "neuron" not in case.params and np.isfinite(case["grad_x"]).all())
def test_surrogates(case: Case) -> None:
    p = case.params
    surrogate = snntorch.SURROGATES[p["surrogate"]](**p["surrogate_params"])
    exact((case["x"] > 0).astype(case["spikes"].dtype), case["spikes"])
    slope = np.array([surrogate.slope(float(u)) for u in case["x"]])
    close(case["cot"] * slope, case["grad_x"], what="grad_x")


@golden("snntorch_neurons.npz", where=plain)
def test_neurons(case: Case) -> None:
    population = Population(neuron(case), case["x"].shape[2:], dtype=case.dtype, device="python")
    state = starting(case, population.initial(case["x"].shape[1]))
    run = population.run(case["x"], state)
    close(run["spikes"], case["spikes"], what="spikes")
    exact(run["spikes"] != 0, case["spikes"] != 0, what="spikes")
    for name in case.params["states"]:
        close(run[name], case[name], what=name)
    for loss in ("s", "sv"):
        tape, grads = {}, population.zeros()
        population.forward(case["x"], state, tape)
        inject = {"mem": case["cot_mem"]} if loss == "sv" else None
        gx, before = population.backward(case["cot_s"], tape, grads, inject=inject)
        close(gx, case[f"grad_x_{loss}"], what=f"grad_x_{loss}")
        for name in state:
            if f"grad_{name}_init_{loss}" in case:
                close(before[name], case[f"grad_{name}_init_{loss}"], what=f"grad_{name}_init_{loss}")
        for name in case.params["learned"]:
            terms_close(grads[name], case, f"grad_{name}_{loss}")


@golden("snntorch_neurons.npz", where=looped)
def test_recurrent_neurons(case: Case) -> None:
    units = case["x"].shape[2]
    one = "param/V" in case
    loop = Recurrent(neuron(case), Dense(units, units, bias=not one))
    net = Sequential(loop, input_shape=units, dtype=case.dtype, device="python")
    back = {name.rsplit("/")[-1]: array for name, array in net.parameters().items() if "/feedback/" in name}
    if one:
        back["weight"][:] = np.diag(np.broadcast_to(case["param/V"], units))
    else:
        back["weight"][:], back["bias"][:] = case["param/recurrent_weight"].T, case["param/recurrent_bias"]
    state = net.initial(case["x"].shape[1])
    run = net.run(case["x"], state)
    exact(run.output, case["spikes"], what="spikes")
    for loss in ("s", "sv"):
        tape, grads = {}, net.zeros()
        net.forward(case["x"], state, tape)
        inject = {"recurrent1": {"neurons": {"mem": case["cot_mem"]}}} if loss == "sv" else None
        gx, _ = net.backward(case["cot_s"], tape, grads, inject=inject)
        close(gx, case[f"grad_x_{loss}"], what="grad_x")
        found = grads["recurrent1"]
        for name in case.params["learned"]:
            if name == "recurrent_weight":
                got = found["feedback"]["weight"].T
            elif name == "recurrent_bias":
                got = found["feedback"]["bias"]
            elif name == "V":  # here all weights are parameters: those off the diagonal are left out
                got = np.diag(found["feedback"]["weight"])
                got = got if case["param/V"].ndim else got.sum()
            else:
                got = found["neurons"][name]
            terms_close(got, case, f"grad_{name}_{loss}")
