"""SpikingJelly's online rules: OTTT and SLTT nodes, the connections that take a trace, and whole trainings."""

from typing import Any

import numpy as np
import pytest

from nbsnn import OTTT, SLTT, AvgPool2d, Conv2d, Dense, Flatten, Population, Sequential
from nbsnn.layers.layer import Setting
from nbsnn.losses import StepCrossEntropy, StepMSE
from nbsnn.neurons import LIF
from nbsnn.optim import SGD, Adam
from nbsnn.presets.spikingjelly import SURROGATES, LIFNode, OTTTLIFNode, SLTTLIFNode
from nbsnn.random import Draws

from .golden import Case, close, exact, golden

OTTT_FILE, SLTT_FILE = "sj_ottt.npz", "sj_sltt.npz"
LEARNERS = {"ottt": OTTT, "sltt": SLTT}
NODES = {"ottt": OTTTLIFNode, "sltt": SLTTLIFNode}
LOSSES = {"mse": StepMSE("sum"), "cross_entropy": StepCrossEntropy(reduction="sum")}
OPTIMIZERS = {"sgd": SGD, "adam": Adam}
NODE_OPTIONS = ("tau", "decay_input", "v_threshold", "v_reset", "detach_reset")


def is_node(case: Case) -> bool:
    return case.name.startswith("node_")


def is_training(case: Case) -> bool:
    return case.name.startswith("train_")


def node(rule: str, settings: dict[str, Any], case: Case, make: Any = None) -> Any:
    """The neuron that ``settings`` describe."""
    options = {name: settings[name] for name in NODE_OPTIONS if name in settings}
    surrogate = SURROGATES[case.params["surrogate"]](**case.params["surrogate_params"])
    return (make or NODES[rule])(**options, surrogate_function=surrogate)


def charging(case: Case) -> Population:
    """The case's neurons without spike and reset, whose membrane is the one before the reset, which is not recorded."""
    p = case.params
    neuron = LIF(p["tau"], v_rest=p["v_reset"] or 0.0, reset="none", decay="euler", decay_input=p["decay_input"])
    return Population(neuron, case["x"].shape[2:], dtype=case.dtype, device="python")


# One population


def check_node(case: Case, rule: str, device: str) -> None:
    population = Population(node(rule, case.params, case), case["x"].shape[2:], dtype=case.dtype, device=device)
    x, cot = case["x"], case["cot_s"]
    training = case.params.get("training", True)
    state, tape, traces = population.initial(x.shape[1]), {}, {}
    charge = charging(case)
    found: dict[str, list] = {name: [] for name in ("spikes", "v", "h", "loss", "grad_x", "trace")}
    for t in range(len(x)):
        found["h"].append(charge.forward(x[t : t + 1], state, {})[1]["v"])
        y, state = population.forward(x[t : t + 1], state, tape)
        found["spikes"].append(y[0].copy())
        found["v"].append(state["v"])
        found["loss"].append(float(np.sum(cot[t] * y[0])))
        if training:
            gx, _ = population.backward(cot[t : t + 1], tape, population.zeros())
            found["grad_x"].append(gx[0].copy())
            found["trace"].append(population.trace(x[t : t + 1], tape, traces)[0].copy())
    close(np.stack(found["h"]), case["h"], what="h")
    spikes = np.stack(found["spikes"])
    exact(spikes, case["spikes"], what="spikes")
    for name in ("v", "loss", "grad_x", "trace"):
        if name in case:
            close(np.array(found[name]), case[name], what=name)
    assert ("grad_x" in case) == training


@golden(OTTT_FILE, where=is_node)
def test_ottt_node(case: Case) -> None:
    check_node(case, "ottt", "python")


@golden(SLTT_FILE, where=is_node)
def test_sltt_node(case: Case) -> None:
    check_node(case, "sltt", "python")


@golden(OTTT_FILE, where=lambda case: is_node(case) and case.params["surrogate"] == "ATan")
def test_ottt_node_compiled(case: Case) -> None:
    check_node(case, "ottt", "cpu")


@golden(SLTT_FILE, where=lambda case: is_node(case) and case.params["surrogate"] == "ATan")
def test_sltt_node_compiled(case: Case) -> None:
    check_node(case, "sltt", "cpu")


@pytest.mark.parametrize("rule", ["ottt", "sltt"])
def test_the_nodes_defaults(rule: str) -> None:
    options = NODES[rule]().options
    assert (options["tau"], options["detach_reset"], options["decay"]) == (2.0, True, "euler")
    assert options["decay_input"] == (rule == "sltt")
    assert options["v_reset"] == (None if rule == "ottt" else 0.0)


# One connection


def check_connection(case: Case, layer: Any, weight: np.ndarray, back: Any) -> None:
    """Output from the spikes, weight gradient from the trace, input gradient through the weights."""
    layer.build(case["spike"].shape[1:], Setting(dtype=case.dtype, device="python"), Draws(0))
    layer.params["weight"][...], layer.params["bias"][...] = weight, case["bias"]
    tape, grads, cot = {}, layer.zeros(), case["cot"][None]
    y, _ = layer.forward(case["spike"][None], {}, tape)
    close(y[0], case["out"], what="out")
    offered = layer.trace(case["trace"][None], tape, {})
    close(offered[0], case["out"], what="what the next layer gets")
    gx, _ = layer.backward(cot, tape, grads)
    close(gx[0], case["grad_spike"], what="grad_spike")
    close(gx[0], case["grad_trace"], what="grad_trace")
    close(back(grads["weight"]), case["grad_weight"], what="grad_weight")
    close(grads["bias"], case["grad_bias"], what="grad_bias")


@golden(OTTT_FILE, where=lambda case: "grad_weight" in case and case["weight"].ndim == 2)
def test_dense_takes_the_trace(case: Case) -> None:
    layer = Dense(case.params["n_in"], case.params["n_out"])
    check_connection(case, layer, case["weight"].T, np.transpose)


@golden(OTTT_FILE, where=lambda case: "grad_weight" in case and case["weight"].ndim == 4)
def test_convolution_takes_the_trace(case: Case) -> None:
    p = case.params
    layer = Conv2d(p["c_in"], p["c_out"], p["kernel"], stride=p["stride"], padding=p["padding"])
    check_connection(case, layer, case["weight"].transpose(1, 2, 3, 0), lambda g: g.transpose(3, 0, 1, 2))


@golden(OTTT_FILE, where=lambda case: "out_trace" in case)
def test_pooling_passes_the_trace_on(case: Case) -> None:
    layer = AvgPool2d(case.params["kernel"])
    layer.build(case["spike"].shape[1:], Setting(dtype=case.dtype, device="python"), Draws(0))
    tape: dict[str, Any] = {}
    y, _ = layer.forward(case["spike"][None], {}, tape)
    close(y[0], case["out_spike"], what="out_spike")
    close(layer.trace(case["trace"][None], tape, {})[0], case["out_trace"], what="out_trace")
    gx, _ = layer.backward(case["cot"][None], tape, {})
    assert gx is not None
    close(gx[0], case["grad_spike"], what="grad_spike")
    assert not case["out_trace_requires_grad"] and case["grad_trace_is_none"]  # no gradient flows along the traces


# Whole trainings


def network(case: Case, rule: str, device: str) -> Sequential:
    """The chain, its layers named by their position in the original's: "0", "1", ..."""
    p, layers = case.params, []
    nodes = [node(rule, settings, case) for settings in p["neuron"]]
    if "plain LIF" in p["readout"]:
        nodes[-1] = node(rule, p["neuron"][-1], case, LIFNode)
    if p.get("conv"):
        c = p["conv"]
        layers = [Conv2d(c["c_in"], c["c_out"], c["kernel"], padding=c["padding"]), nodes[0], AvgPool2d(c["avgpool"])]
        layers += [Flatten(), Dense(case["param/4.weight"].shape[1], p["n_out"])]
    else:
        for i, (n_pre, n_post) in enumerate(zip(p["sizes"], p["sizes"][1:], strict=False)):
            layers += [Dense(n_pre, n_post), *nodes[i : i + 1]]
    named = {str(i): layer for i, layer in enumerate(layers)}
    net = Sequential(**named, input_shape=case["x"].shape[2:], dtype=case.dtype, device=device)
    assert {name.replace("/", ".") for name in net.parameters()} == case.group("param/").keys()
    for name, array in net.parameters().items():
        array[...] = ours(case[f"param/{name.replace('/', '.')}"])
    return net


def ours(array: np.ndarray) -> np.ndarray:
    """A parameter in this package's order, presynaptic first."""
    return array.transpose({1: (0,), 2: (1, 0), 4: (1, 2, 3, 0)}[array.ndim])


def check_training(case: Case, rule: str, device: str) -> None:
    p = case.params
    net, learned, online = network(case, rule, device), [], p["online"]
    outputs: list[np.ndarray] = []

    def loss(y: np.ndarray, target: Any) -> tuple[float, np.ndarray]:
        outputs.append(y[0].copy())
        return LOSSES[p["loss"]](y, target)

    optimizer = OPTIMIZERS[p["optimizer"]](p["lr"])
    learner = LEARNERS[rule](net, loss, optimizer, update="step" if online else "sample")
    x, target = np.swapaxes(case["x"], 0, 1), np.swapaxes(case["target"], 0, 1)

    # Step by step, as ``learner.step`` does it, to see all that lies between.
    populations = [name for name, layer in net.layers().items() if layer.recorded()]
    for t, (value, grads) in enumerate(learner.passes(x, target)):
        close(value, case["losses"][t], case.dtype, what=f"loss of step {t}")
        for name, g in grads.items():
            key = name.replace("/", ".")
            close(g, ours(case[f"grad/{key}"][t]), case.dtype, what=f"gradient of {name} at step {t}")
        for i, name in enumerate(populations):
            run = net.record(learner.tape, name)
            exact(run["spikes"][0], case[f"node{i}/spikes"][t], what=f"spikes of {name}")
            close(run["v"][0], case[f"node{i}/v"][t], what=f"v of {name}")
            close(
                learner.tape[name]["run"].x.reshape(case[f"node{i}/inp"][t].shape),
                case[f"node{i}/inp"][t],
                what=f"input of {name}",
            )
        if online:
            optimizer.step(net.parameters(), grads)
            learned.append({name: array.copy() for name, array in net.parameters().items()})
    close(np.stack(outputs), np.swapaxes(case["y"], 0, 1), what="y")
    if not online:
        optimizer.step(net.parameters(), grads)
    for name, array in net.parameters().items():
        after = case[f"param_after/{name.replace('/', '.')}"]
        if online:
            for t, then in enumerate(learned):
                close(then[name], ours(after[t]), what=f"{name} after step {t}")
            after = after[-1]
        close(array, ours(after), what=f"{name} after")

    # The same in one call.
    whole = network(case, rule, device)
    learner = LEARNERS[rule](whole, LOSSES[p["loss"]], OPTIMIZERS[p["optimizer"]](p["lr"]), update=learner.update)
    close(learner.step(iter(x), target), case["batch_loss"], case.dtype, what="batch_loss")
    for name, array in whole.parameters().items():
        close(array, net.parameters()[name], what=name)
    close(whole.run(x).output, np.swapaxes(case["y_eval_after"], 0, 1), what="y_eval_after")


@golden(OTTT_FILE, where=is_training)
def test_ottt_training(case: Case) -> None:
    check_training(case, "ottt", "python")


@golden(SLTT_FILE, where=is_training)
def test_sltt_training(case: Case) -> None:
    check_training(case, "sltt", "python")


@golden(OTTT_FILE, where=lambda case: is_training(case) and case.params["online"])
def test_ottt_training_compiled(case: Case) -> None:
    check_training(case, "ottt", "cpu")


@golden(SLTT_FILE, where=lambda case: is_training(case) and case.params["online"])
def test_sltt_training_compiled(case: Case) -> None:
    check_training(case, "sltt", "cpu")


@golden(OTTT_FILE, where=is_training)
def test_ottt_traces(case: Case) -> None:
    """The recorded traces, where they reach the learner: as the presynaptic factor of the next connection."""
    net = network(case, "ottt", "python")
    update = "step" if case.params["online"] else "sample"
    optimizer = OPTIMIZERS[case.params["optimizer"]](case.params["lr"])
    learner = Probe(net, LOSSES[case.params["loss"]], optimizer, update=update, window=1, compact=False)
    learner.step(np.swapaxes(case["x"], 0, 1), np.swapaxes(case["target"], 0, 1))
    populations = [name for name, layer in net.layers().items() if layer.recorded()]
    for i, name in enumerate(populations):
        if f"node{i}/trace" in case:
            close(np.stack([traces[name] for traces in learner.seen]), case[f"node{i}/trace"], what=f"trace of {name}")


class Probe(OTTT):
    """Keeps a copy of all traces at every step."""

    def __init__(self, *args: Any, **options: Any):
        super().__init__(*args, **options)
        self.seen: list[dict[str, np.ndarray]] = []

    def offer(self, x: np.ndarray, traces: dict[str, Any]) -> None:
        super().offer(x, traces)
        self.seen.append({n: t["trace"].copy() for n, t in traces["net"].items() if "trace" in t})
