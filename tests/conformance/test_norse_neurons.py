"""Norse's cells: runs and gradients with respect to inputs, parameters, initial states and weights."""

from typing import Any

import numpy as np

import nbsnn
from nbsnn import Dense, Population, Recurrent, Sequential
from nbsnn.presets import norse

from .golden import Case, close, exact, golden

CELLS = {
    "lif": norse.LIFCell, "lif_box": norse.LIFBoxCell, "li": norse.LICell, "li_box": norse.LIBoxCell,
    "lif_refrac": norse.LIFRefracCell, "lsnn": norse.LSNNCell, "iaf": norse.IAFCell, "lif_ex": norse.LIFExCell,
    "lif_adex": norse.LIFAdExCell,
}  # fmt: skip
DETACHED = ("lif", "lif_refrac", "lsnn")  # in the recurrent form of these no gradient flows through the reset
WEIGHTS = ("input_weights", "recurrent_weights")


def cell(case: Case) -> nbsnn.Neuron:
    p = case.params
    options: dict[str, Any] = {key: p[key] for key in ("method", "alpha", "dt", "reset_method") if key in p}
    if p["neuron"] == "iaf":
        del options["dt"]
    if not p["spiking"]:
        options = {"dt": p["dt"]}
    if "autapses" in p:
        options["detach_reset"] = p["neuron"] in DETACHED
    given = {key: value for key, value in case.group("param/").items() if key not in WEIGHTS}
    learn = tuple(name for name in p["learned"] if name not in WEIGHTS)
    return CELLS[p["neuron"]](**{key: v if v.ndim else v.item() for key, v in given.items()}, learn=learn, **options)


def starting(case: Case, state: dict[str, Any]) -> dict[str, Any]:
    given = {name.removesuffix("_init"): case[name] for name in case if name.endswith("_init") and "grad" not in name}
    return {name: given.get(name, value) for name, value in state.items()} if given else state


def terms_close(actual: Any, case: Case, key: str) -> None:
    """Gradients of parameters are sums in which terms may cancel: they are compared on the scale of the inputs'."""
    expected = case[key]
    scale = max(1.0, float(np.abs(case[f"grad_x_{key.rsplit('_', 1)[1]}"]).sum()))
    close(np.append(np.ravel(actual), scale), np.append(np.ravel(expected), scale), case.dtype, what=key)


@golden("norse_neurons.npz", where=lambda case: "neuron" not in case.params)
def test_surrogates(case: Case) -> None:
    surrogate = norse.SURROGATES[case.params["method"]](case.params["alpha"])
    exact((case["x"] > 0).astype(case["spikes"].dtype), case["spikes"])
    slope = np.array([surrogate.slope(float(u)) for u in case["x"]])
    if "grad_x" in case:
        close(case["cot"] * slope, case["grad_x"], what="grad_x")
    else:
        assert not slope.any()


@golden("norse_neurons.npz", where=lambda case: "neuron" in case.params and "autapses" not in case.params)
def test_cells(case: Case) -> None:
    spiking = case.params["spiking"]
    population = Population(cell(case), case["x"].shape[2:], dtype=case.dtype, device="python")
    state = starting(case, population.initial(case["x"].shape[1]))
    run = population.run(case["x"], state)
    if spiking:
        exact(run["spikes"], case["spikes"], what="spikes")
    for name in case.params["states"]:
        close(run[name], case[name], what=name)
    for loss in ("s", "sv") if spiking else ("v",):
        if f"grad_x_{loss}" in case:
            gradients(case, population, state, loss)


def gradients(case: Case, population: Population, state: dict[str, Any], loss: str) -> None:
    tape, grads = {}, population.zeros()
    population.forward(case["x"], state, tape)
    inject = {"v": case["cot_v"]} if loss == "sv" else None
    gx, before = population.backward(case["cot_v" if loss == "v" else "cot_s"], tape, grads, inject=inject)
    close(gx, case[f"grad_x_{loss}"], what=f"grad_x_{loss}")
    for name in state:
        if f"grad_{name}_init_{loss}" in case:
            close(before[name], case[f"grad_{name}_init_{loss}"], what=f"grad_{name}_init_{loss}")
    for name in case.params["learned"]:
        terms_close(grads[name], case, f"grad_{name}_{loss}")


@golden("norse_neurons.npz", where=lambda case: "autapses" in case.params)
def test_recurrent_cells(case: Case) -> None:
    w_in, w_rec = (case[f"param/{name}"] for name in WEIGHTS)
    if not case.params["autapses"]:
        np.fill_diagonal(w_rec, 0.0)
    units = len(w_rec)
    net = Sequential(Dense(w_in.shape[1], units, bias=False), Recurrent(cell(case)), dtype=case.dtype, device="python")
    name = "recurrent1"
    parameters = net.parameters()
    parameters["dense1/weight"][:], parameters[f"{name}/feedback/weight"][:] = w_in.T, w_rec.T
    state = net.initial(case["x"].shape[1])
    for each in case:
        if each.endswith("_init") and "grad" not in each and each.removesuffix("_init") in state[name]["neurons"]:
            state[name]["neurons"][each.removesuffix("_init")] = case[each]
    run = net.run(case["x"], state)
    exact(run.output, case["spikes"], what="spikes")
    for loss in ("s", "sv"):
        if f"grad_x_{loss}" not in case:
            continue
        tape, grads = {}, net.zeros()
        net.forward(case["x"], state, tape)
        inject = {name: {"neurons": {"v": case["cot_v"]}}} if loss == "sv" else None
        gx, _ = net.backward(case["cot_s"], tape, grads, inject=inject)
        close(gx, case[f"grad_x_{loss}"], what="grad_x")
        terms_close(grads["dense1"]["weight"].T, case, f"grad_input_weights_{loss}")
        g_rec = grads[name]["feedback"]["weight"].T.copy()
        if not case.params["autapses"]:
            np.fill_diagonal(g_rec, 0.0)  # here the diagonal is a parameter like any other
        terms_close(g_rec, case, f"grad_recurrent_weights_{loss}")
        for parameter in case.params["learned"]:
            if parameter not in WEIGHTS:
                terms_close(grads[name]["neurons"][parameter], case, f"grad_{parameter}_{loss}")
