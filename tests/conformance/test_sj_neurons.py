"""SpikingJelly's IFNode, LIFNode and ParametricLIFNode: runs and gradients of single populations.

All cases run interpreted, which needs no compilation; a few of every kind run compiled too.
"""

from typing import Any

import numpy as np
import pytest

from nbsnn import Neuron, Population
from nbsnn.neurons import reset
from nbsnn.presets.spikingjelly import SURROGATES, IFNode, LIFNode, ParametricLIFNode

from .golden import Case, close, exact, golden

NODES = {"if": IFNode, "lif": LIFNode, "plif": ParametricLIFNode}
OPTIONS = ("tau", "init_tau", "decay_input", "v_threshold", "v_reset", "detach_reset")


def node(kind: str, params: dict[str, Any]) -> Neuron:
    """The neuron that a case, or a layer of a case, describes."""
    options = {name: params[name] for name in OPTIONS if name in params}
    return NODES[kind](surrogate_function=SURROGATES[params["surrogate"]](**params["surrogate_params"]), **options)


def close_sum(terms: np.ndarray, expected: np.ndarray, case: Case, what: str, actual: Any = None) -> None:
    """Compare a sum on the scale of its terms: those may cancel, their rounding errors do not."""
    size = np.abs(terms).sum()
    close([terms.sum() if actual is None else actual, size], [expected, size], case.dtype, what=what)


def starting(population: Population, case: Case) -> dict[str, Any]:
    state = population.initial(case["x"].shape[1])
    return {**state, "v": case["v_init"]} if "v_init" in case else state


def population_of(kind: str, case: Case, device: str) -> Population:
    return Population(node(kind, case.params), case["x"].shape[2:], dtype=case.dtype, device=device)


def before_reset(population: Population, x: np.ndarray, v_before: np.ndarray) -> np.ndarray:
    """The charged membrane: what one step of the same neuron without its reset makes of ``v_before``.

    All steps at once, each a sample of its own.
    """
    model = population.neuron
    bare = model.replace(holes={**model.holes, "reset": reset.none})
    setting = population.setting
    other = Population(bare, population.shape, dt=setting.dt, dtype=setting.dtype, device="python")
    samples = x.reshape(1, -1, *population.shape)
    state = {**other.initial(samples.shape[1]), "v": v_before.reshape(-1, *population.shape)}
    return other.run(samples, state)["v"].reshape(x.shape)


def check_run(kind: str, case: Case) -> None:
    population = population_of(kind, case, "python")
    state = starting(population, case)
    run = population.run(case["x"], state)
    exact(run["spikes"], case["spikes"], what="spikes")
    close(run["v"], case["v"], what="v")
    h = before_reset(population, case["x"], np.concatenate([state["v"][None], run["v"][:-1]]))
    close(h, case["h"], what="h")
    exact(h >= population.neuron.params["v_threshold"], case["spikes"] == 1.0, what="h at its threshold")
    if "w" in case:
        close(population.params["w"], case["w"], case.dtype, what="w")


def check_steps(kind: str, case: Case) -> None:
    """One step per call, the state handed on, gives the same numbers."""
    population = population_of(kind, case, "python")
    state = starting(population, case)
    for t, x in enumerate(case["x"]):
        step = population.run(x[None], state)
        state = step.state
        exact(step["spikes"][0], case["spikes"][t], what=f"spikes at {t}")
    close(state["v"], case["v"][-1], what="v at the end")


def check_gradients(kind: str, case: Case, device: str, loss: str) -> None:
    """``loss`` "s" depends on spikes alone, "sv" on membranes too."""
    population = population_of(kind, case, device)
    state, tape, grads = starting(population, case), {}, population.zeros()
    spikes, _ = population.forward(case["x"], state, tape)
    exact(spikes, case["spikes"], what="spikes")
    v = population.record(tape, "v")
    close(v, case["v"], what="v")
    inject = {"v": case["cot_v"]} if loss == "sv" else None
    gx, before = population.backward(case["cot_s"], tape, grads, inject=inject)
    parts = [case["cot_s"] * spikes, case["cot_v"] * v]
    close_sum(np.stack(parts[: len(loss)]), case[f"loss_{loss}"], case, f"loss_{loss}")
    close(gx, case[f"grad_x_{loss}"], what=f"grad_x_{loss}")
    assert ("v_init" in case) == (f"grad_v_init_{loss}" in case)
    if "v_init" in case:
        close(before["v"], case[f"grad_v_init_{loss}"], what=f"grad_v_init_{loss}")
    if f"grad_w_{loss}" in case:
        q = 1.0 / (1.0 + np.exp(-float(case["w"])))
        rest = case.params["v_reset"] or 0.0
        v_before = np.concatenate([state["v"][None], case["v"][:-1]])
        if case.params["decay_input"]:
            terms = case[f"grad_x_{loss}"] * (1.0 - q) * (case["x"] - (v_before - rest))
        else:
            terms = -case[f"grad_x_{loss}"] * q * (1.0 - q) * (v_before - rest)
        close_sum(terms, case[f"grad_w_{loss}"], case, f"grad_w_{loss}", actual=grads["w"])


def interpreted(kind: str, case: Case) -> None:
    check_run(kind, case)
    check_steps(kind, case)
    check_gradients(kind, case, "python", "s")
    check_gradients(kind, case, "python", "sv")


@golden("sj_if.npz")
def test_if(case: Case) -> None:
    interpreted("if", case)


@golden("sj_lif.npz")
def test_lif(case: Case) -> None:
    interpreted("lif", case)


@golden("sj_plif.npz")
def test_plif(case: Case) -> None:
    interpreted("plif", case)


# Compiled, the kernels of as many option sets as fit into some seconds: every neuron, both resets, both precisions.
# Two are long: tests/test_neurons.py has compiled neurons of these kinds equal interpreted ones bit for bit.


def given_start(case: Case) -> bool:
    return "v_init" in case


@pytest.mark.long
@golden("sj_if.npz", where=lambda case: given_start(case) and case.params["v_reset"] is None)
def test_if_compiled(case: Case) -> None:
    check_gradients("if", case, "cpu", "sv")


@pytest.mark.long
@golden("sj_lif.npz", where=lambda case: case.dtype == np.float32)
def test_lif_compiled(case: Case) -> None:
    check_gradients("lif", case, "cpu", "sv")


@golden("sj_plif.npz", where=lambda case: given_start(case) and case.params["v_reset"] is not None)
def test_plif_compiled(case: Case) -> None:
    check_gradients("plif", case, "cpu", "sv")
