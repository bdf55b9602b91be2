"""SPAIC's STBP learner on two-layer networks of its neurons, with and without a delay of one step per connection."""

from typing import Any

import numpy as np

from nbsnn import STBP, Delay, Dense, Sequential
from nbsnn.layers import Run
from nbsnn.losses import rate_mse
from nbsnn.optim import SGD
from nbsnn.presets.spaic import NEURONS
from nbsnn.surrogates import above, stbp_gaussian

from .golden import Case, close, exact, golden
from .test_sj_neurons import before_reset, close_sum

FILE = "spaic_stbp.npz"


def is_network(case: Case) -> bool:
    return "neuron" in case.params


def layers(case: Case) -> range:
    return range(1, len(case.params["sizes"]))


def network(case: Case, device: str) -> Sequential:
    """Per layer l: "delay{l}" if there is a delay, "map{l}", "group{l}", with the case's initial weights."""
    params, sizes = case.params, case.params["sizes"]
    parts: dict[str, Any] = {}
    for i in layers(case):
        if params["conn_delay"]:
            parts[f"delay{i}"] = Delay(params["conn_delay"])
        parts[f"map{i}"] = Dense(sizes[i - 1], sizes[i], bias=False)
        parts[f"group{i}"] = NEURONS[params["neuron"]](**params["neuron_params"], alpha=params["alpha"])
    net = Sequential(**parts, input_shape=sizes[0], dt=params["dt"], dtype=case.dtype, device=device)
    for i in layers(case):
        net[f"map{i}"].params["weight"][...] = case[f"w{i}"].T
        if f"V0_{i}" in case:
            close(net[f"group{i}"].params["v0"], case[f"V0_{i}"], case.dtype, what=f"V0_{i}")
    return net


def currents(net: Sequential, i: int, x: np.ndarray) -> np.ndarray:
    """What the connection into layer ``i`` makes of the activity before it."""
    if f"delay{i}" in net.children:
        x = net[f"delay{i}"].run(x).output
    return net[f"map{i}"].run(x).output


def previous(array: np.ndarray) -> np.ndarray:
    """The state before each step of a run that starts from zero."""
    return np.concatenate([np.zeros_like(array[:1]), array[:-1]])


def check_group(case: Case, net: Sequential, run: Run, i: int, isyn: np.ndarray) -> None:
    exact(run["spikes"], case[f"spikes{i}"], what=f"spikes{i}")
    if "m" in run:  # clif
        for ours, theirs in zip("mqe", "MSE", strict=True):
            close(run[ours], case[f"{theirs}{i}"], what=f"{theirs}{i}")
        before = after = run["m"] - run["q"] - previous(run["e"])
    else:
        before, after = before_reset(net[f"group{i}"], isyn, previous(run["v"])), run["v"]
    close(before, case[f"v_pre{i}"], what=f"v_pre{i}")
    close(after, case[f"v_post{i}"], what=f"v_post{i}")


def check_network(case: Case, device: str) -> None:
    net = network(case, device)
    tape, grads = {}, net.zeros()
    net.forward(case["x"], net.initial(case["x"].shape[1]), tape)
    activity, terms = case["x"], []
    for i in layers(case):
        run = net.record(tape, f"group{i}")
        isyn = currents(net, i, activity)
        close(isyn, case[f"isyn{i}"], what=f"isyn{i}")
        check_group(case, net, run, i, isyn)
        activity = run["spikes"]
        terms.append((case[f"cot{i}"] * activity).ravel())
    close_sum(np.concatenate(terms), case["loss"], case, "loss")

    *hidden, last = layers(case)
    inject = {f"group{i}": {"spikes": case[f"cot{i}"]} for i in hidden}
    gx, _ = net.backward(case[f"cot{last}"], tape, grads, inject=inject)
    close(gx, case["grad_x"], what="grad_x")
    for i in layers(case):
        close(grads[f"map{i}"]["weight"].T, case[f"grad_w{i}"], what=f"grad_w{i}")
        assert bool(grads[f"group{i}"]) == (f"grad_V0_{i}" in case)
        if grads[f"group{i}"]:
            close(grads[f"group{i}"]["v0"], case[f"grad_V0_{i}"], case.dtype, what=f"grad_V0_{i}")


@golden(FILE, where=is_network)
def test_network(case: Case) -> None:
    check_network(case, "python")


@golden(FILE, where=lambda case: is_network(case) and (case.params["neuron"] == "clif" or case.dtype == np.float32))
def test_network_compiled(case: Case) -> None:
    check_network(case, "cpu")


def summed(y: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray]:
    """The squared error of rates, summed where ``rate_mse`` takes the mean."""
    value, gy = rate_mse(y, target)
    return value * target.size, gy * target.size


@golden(FILE, where=lambda case: "train" in case.params)
def test_training(case: Case) -> None:
    net, settings = network(case, "python"), case.params["train"]
    learner = STBP(net, summed, {"SGD": SGD}[settings["optimizer"]](settings["lr"]))
    losses = []
    for k in range(settings["iters"]):
        losses.append(learner.step(case["x"], case["train_target"]))
        for i in layers(case):
            close(learner.grads[f"map{i}"]["weight"].T, case[f"train_grad_w{i}_it{k}"], what=f"grad_w{i} {k}")
            close(net[f"map{i}"].params["weight"].T, case[f"train_w{i}_it{k}"], what=f"w{i} {k}")
    close(losses, case["train_losses"], case.dtype, what="losses")


@golden(FILE, where=lambda case: not is_network(case))
def test_threshold(case: Case) -> None:
    u = case["x"] - case.params["v_th"]
    exact([above(x) for x in u], case["spikes"])
    slope = stbp_gaussian(case.params["alpha"]).slope
    close(case["cot"] * [slope(x) for x in u], case["grad_x"], case.dtype)
