"""SPAIC's integer post-pre STDP: the learner on given spikes, and in networks of its integer neurons. All is exact."""

from typing import Any

import numpy as np

from nbsnn import Dense
from nbsnn.plasticity import Plastic, PostPreInt
from nbsnn.presets.spaic import diehlAndCook, postpreintstdp

from .golden import Case, exact, golden
from .test_spaic_nearest_stdp import is_direct, is_network, transposed

FILE = "spaic_postpreint_stdp.npz"
NAMES = ("nu0", "nu1", "shift", "w_min", "w_max", "trace_decay", "shift_spike_trace", "trace_scale", "max_threshold")


def rule_of(case: Case) -> PostPreInt:
    return postpreintstdp(**{name: case.params[name] for name in NAMES})


def check_direct(case: Case, device: str) -> None:
    w, draws = transposed(case["w_start"]), (transposed(case["draws_pre"]), transposed(case["draws_post"]))
    how: dict[str, Any] = {"thresh": case["post_thresh"], "draws": draws, "device": device}
    run = rule_of(case).run(w, case["pre"], case["post"], in_place=False, record=("x", "y", "weights"), **how)
    exact(run["x"], case["input_trace"], what="input_trace")
    exact(run["y"], case["output_trace"], what="output_trace")
    exact(transposed(run["weights"]), case["w"], what="w")
    rule_of(case).run(w, case["pre"], case["post"], **how)
    exact(transposed(w), case["w"][-1], what="w in one go")


@golden(FILE, where=is_direct)
def test_direct(case: Case) -> None:
    check_direct(case, "python")
    check_direct(case, "cpu")


def network(case: Case, device: str) -> Plastic:
    params, init = case.params, case.params["neuron_init"]
    start = {name: init[name] for name in ("V", "thresh", "refrac_count")}
    connection = Dense(
        params["n_in"], params["n_out"], bias=False, weight=lambda shape, **_: transposed(case["w_given"])
    )
    neuron = diehlAndCook(**params["neuron_params"], **start)
    return Plastic(connection, neuron, rule_of(case), delay=params["conn_delay"], lag=(0, 0), device=device)


def fresh(net: Plastic, after: dict[str, Any]) -> dict[str, Any]:
    """The state from which the next run starts: thresholds and refractory counts stay."""
    state = net.initial(1)
    state["neurons"] |= {name: after["neurons"][name] for name in ("thresh", "refrac_count")}
    return state


def check_start(case: Case, net: Plastic, state: dict[str, Any], prefix: str) -> None:
    found = {
        "w": transposed(net.weights),
        "v": state["neurons"]["v"],
        "spikes": state["neurons"]["spikes"],
        "thresh": state["neurons"]["thresh"],
        "refrac_count": state["neurons"]["refrac_count"],
        "input_trace": state["rule"]["pre"]["x"],
        "output_trace": state["rule"]["post"]["y"],
        "in_spikes": state["input"][-1] if "input" in state else np.zeros_like(case["x"][0]),
    }
    for name, value in found.items():
        exact(value, case[f"{prefix}{name}_start"], what=f"{prefix}{name}_start")


def check_steps(case: Case, net: Plastic, state: dict[str, Any], prefix: str) -> dict[str, Any]:
    x = case[f"{prefix}x"]
    exact(x, case[f"{prefix}in_spikes"], what="in_spikes")
    draws = [transposed(case[f"{prefix}draws_{side}"]) for side in ("pre", "post")]
    for t in range(len(x)):
        run = net.learn(x[t : t + 1], state, draws=[d[t : t + 1] for d in draws])
        state = run.state
        found = {
            "isyn": run["current"][0],
            "v_post": run["neurons"]["v"][0],
            "spikes": run["neurons"]["spikes"][0],
            "thresh": run["neurons"]["thresh"][0],
            "refrac_count": run["neurons"]["refrac_count"][0],
            "input_trace": state["rule"]["pre"]["x"],
            "output_trace": state["rule"]["post"]["y"],
            "w": transposed(net.weights),
        }
        for name, value in found.items():
            exact(value, case[prefix + name][t], what=f"{prefix}{name} at {t}")
            assert value.dtype == np.int32
    return state


def built(case: Case, device: str) -> tuple[Plastic, dict[str, Any]]:
    """The network after building, which makes full steps with the first row of the input."""
    net = network(case, device)
    state = net.initial(1)
    for draws in transposed(case["draws_build"]):
        state = fresh(net, net.learn(case["x"][:1], state, draws=[d[None] for d in draws]).state)
    return net, state


@golden(FILE, where=is_network)
def test_network(case: Case) -> None:
    net, state = built(case, "python")
    check_start(case, net, state, "")
    state = fresh(net, check_steps(case, net, state, ""))
    check_start(case, net, state, "run2_")
    check_steps(case, net, state, "run2_")


@golden(FILE, where=is_network)
def test_network_compiled(case: Case) -> None:
    net, state = built(case, "cpu")
    draws = [transposed(case[f"draws_{side}"]) for side in ("pre", "post")]
    run = net.learn(case["x"], state, draws=draws)
    exact(run["neurons"]["spikes"], case["spikes"], what="spikes")
    exact(run["neurons"]["thresh"], case["thresh"], what="thresh")
    exact(transposed(net.weights), case["w"][-1], what="w")
