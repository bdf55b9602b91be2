"""SPAIC's meta-nearest-online STDP: the learner on given spikes, and in networks of its neurons."""

import numpy as np

from nbsnn.plasticity import Rule
from nbsnn.presets.spaic import meta_nearest_online_stdp

from .golden import Case, close, golden
from .test_spaic_nearest_stdp import check_start, check_steps, is_direct, is_network, network, transposed

FILE = "spaic_meta_stdp.npz"


def rule_of(case: Case) -> Rule:
    names = ("Apost", "Apre", "pre_decay", "post_decay", "w_min", "w_max")
    return meta_nearest_online_stdp(**{name: case.params[name] for name in names})


def check_direct(case: Case, device: str) -> None:
    rule, w = rule_of(case), transposed(case["w_start"])
    state = rule.initial(case["pre"].shape[1], w)
    close(state["M"], case["aw_mean"], case.dtype, what="aw_mean")
    stop = case.params["stop_training_at"]
    for t in range(len(case["pre"])):
        if stop is None or t < stop:
            state = rule.run(w, case["pre"][t : t + 1], case["post"][t : t + 1], state, device=device).state
        close(state["pre"]["x"], case["input_trace"][t], what=f"input_trace at {t}")
        close(state["post"]["y"], case["output_trace"][t], what=f"output_trace at {t}")
        close(state["m"][:, None], case["w_mean"][t], what=f"w_mean at {t}")
        close(transposed(w), case["w"][t], what=f"w at {t}")


@golden(FILE, where=is_direct)
def test_direct(case: Case) -> None:
    check_direct(case, "python")
    check_direct(case, "cpu")


@golden(FILE, where=is_network)
def test_network(case: Case) -> None:
    net = network(case, rule_of(case), "python", lag=(1, 1))
    close(transposed(net.weights), case["w_built"], what="w_built")
    close(transposed(net.weights), case["w_start"], what="w_start")
    stored = net.weights.copy()
    state = net.initial(case["x"].shape[1])
    check_start(case, state)
    after = check_steps(case, net, state)["rule"]

    if not case.params["optim_step_between_runs"]:  # the original's weights do not change in place
        net.weights[...] = stored
    state = net.initial(case["run2_x"].shape[1])
    state["rule"] |= {"m": after["m"], "M": after["M"], "post": after["post"]}
    close(transposed(net.weights), case["run2_w_start"], what="run2_w_start")
    close(state["rule"]["pre"]["x"], case["run2_input_trace_start"], what="run2_input_trace_start")
    close(state["rule"]["post"]["y"], case["run2_output_trace_start"], what="run2_output_trace_start")
    final = check_steps(case, net, state, "run2_")["rule"]
    close(final["m"][:, None], case["w_mean_final"], what="w_mean_final")
    close(final["M"], case["aw_mean"], case.dtype, what="aw_mean")


@golden(FILE, where=is_network)
def test_network_compiled(case: Case) -> None:
    net = network(case, rule_of(case), "cpu", lag=(1, 1))
    run = net.learn(case["x"])
    np.testing.assert_array_equal(run["neurons"]["spikes"], case["spikes"])
    close(transposed(net.weights), case["w"][-1], what="w")
