"""SPAIC's nearest-online STDP: the learner on given spikes, and in networks of its neurons.

``check_direct`` and ``check_network`` serve the full learner too. Networks are run one step per call, the state handed
on, so that everything can be compared after every step; one test runs them whole.
"""

from typing import Any

import numpy as np
import pytest

from nbsnn import Dense
from nbsnn.plasticity import Plastic, Rule
from nbsnn.presets.spaic import AS_LEARNER, NEURONS, nearest_online_stdp

from .golden import Case, close, exact, golden
from .test_sj_neurons import before_reset

FILE = "spaic_nearest_stdp.npz"


def is_network(case: Case) -> bool:
    return "neuron_params" in case.params


def is_direct(case: Case) -> bool:
    return not is_network(case)


def rule_of(case: Case) -> Rule:
    names = ("Apost", "Apre", "trace_pre", "trace_post", "spike", "w_norm")
    return nearest_online_stdp(**{name: case.params[name] for name in names})


def transposed(w: np.ndarray) -> np.ndarray:
    """Weights [post, pre] as [pre, post], or the reverse."""
    return np.ascontiguousarray(np.swapaxes(w, -1, -2))


def check_direct(case: Case, rule: Rule, device: str) -> None:
    w = transposed(case["w_start"])
    run = rule.run(w, case["pre"], case["post"], device=device, record=("x", "y", "dw", "weights"))
    close(run["x"], case["input_trace"], what="input_trace")
    close(run["y"], case["output_trace"], what="output_trace")
    close(transposed(run["dw"]), case["dw"], what="dw")
    close(transposed(run["weights"]), case["w"], what="w")
    close(transposed(run.weights), case["w"][-1], what="w at the end")


def network(case: Case, rule: Rule, device: str, **how: Any) -> Plastic:
    params = case.params
    built = Plastic(
        Dense(params["n_in"], params["n_out"], bias=False),
        NEURONS[params["neuron"]](**params["neuron_params"]),
        rule,
        delay=params["conn_delay"],
        dt=params["dt"],
        dtype=case.dtype,
        device=device,
        **how,
    )
    built.weights[...] = transposed(case["w_given"])
    return built


def check_start(case: Case, state: dict[str, Any]) -> None:
    close(state["neurons"]["v"], case["v_start"], case.dtype, what="v_start")
    exact(state["neurons"]["spikes"], case["o_start"], what="o_start")
    exact(state["input"][-1], case["in_o_start"], what="in_o_start")
    close(state["rule"]["pre"]["x"], case["input_trace_start"], what="input_trace_start")
    close(state["rule"]["post"]["y"], case["output_trace_start"], what="output_trace_start")
    for name in ("dw", "theta"):
        if f"{name}_start" in case:
            value = transposed(state["pending"]) if name == "dw" else state["neurons"][name]
            close(value, case[f"{name}_start"], what=f"{name}_start")


def check_steps(case: Case, net: Plastic, state: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Run step by step and compare all that the case holds; returns the final state."""
    x = case[f"{prefix}x"]
    if f"{prefix}in_spikes" in case:
        exact(x, case[f"{prefix}in_spikes"], what="in_spikes")
    v_before = state["neurons"]["v"]
    for t in range(len(x)):
        before = state
        run = net.learn(x[t : t + 1], state)
        state = run.state
        found = {
            "isyn": run["current"][0],
            "spikes": run["neurons"]["spikes"][0],
            "v_post": run["neurons"]["v"][0],
            "input_trace": state["rule"]["pre"]["x"],
            "output_trace": state["rule"]["post"]["y"],
            "w": transposed(net.weights),
        }
        if net.defer:
            found["dw"] = transposed(state["pending"])
        if case.params["neuron"] == "lifstdp_ex":
            found |= {"theta": state["neurons"]["theta"], "threshold_used": before["neurons"]["threshold"]}
        elif not prefix:
            found["v_pre"] = before_reset(net.neurons, run["current"], v_before[None])[0]
        for name, value in found.items():
            if prefix + name in case:
                compare = exact if name == "spikes" else close
                compare(value, case[prefix + name][t], what=f"{prefix}{name} at {t}")
        v_before = state["neurons"]["v"]
    return state


def check_network(case: Case, rule: Rule, device: str) -> None:
    net = network(case, rule, device, **AS_LEARNER)
    # Building evaluates the learner once, with an increment of zero.
    rule.settle(net.weights, np.zeros_like(net.weights), 0)
    close(transposed(net.weights), case["w_built"], what="w_built")
    close(transposed(net.weights), case["w_start"], what="w_start")
    state = net.initial(case["x"].shape[1])
    check_start(case, state)
    theta = check_steps(case, net, state)["neurons"].get("theta")

    state = net.initial(case["run2_x"].shape[1])
    if theta is not None:
        state["neurons"]["theta"] = theta
        close(theta, case["run2_theta_start"], what="run2_theta_start")
    close(transposed(net.weights), case["run2_w_start"], what="run2_w_start")
    close(state["rule"]["pre"]["x"], case["run2_input_trace_start"], what="run2_input_trace_start")
    close(state["rule"]["post"]["y"], case["run2_output_trace_start"], what="run2_output_trace_start")
    check_steps(case, net, state, "run2_")


def check_whole(case: Case, rule: Rule) -> None:
    """All steps in one call."""
    net = network(case, rule, "cpu", **AS_LEARNER)
    net.weights[...] = transposed(case["w_start"])
    run = net.learn(case["x"])
    exact(run["neurons"]["spikes"], case["spikes"], what="spikes")
    close(run["current"], case["isyn"], what="isyn")
    close(run["neurons"]["v"], case["v_post"], what="v_post")
    close(transposed(net.weights), case["w"][-1], what="w")
    close(transposed(run.state["pending"]), case["dw"][-1], what="dw")


@golden(FILE, where=is_direct)
def test_direct(case: Case) -> None:
    check_direct(case, rule_of(case), "python")
    check_direct(case, rule_of(case), "cpu")


@golden(FILE, where=is_network)
def test_network(case: Case) -> None:
    check_network(case, rule_of(case), "python")


@pytest.mark.long
@golden(FILE, where=is_network)
def test_network_compiled(case: Case) -> None:
    check_whole(case, rule_of(case))
