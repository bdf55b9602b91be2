"""SpikingJelly's two-layer networks: back-propagation through time, and training with three optimisers."""

from typing import Any

import numpy as np
import pytest

from nbsnn import BPTT, Dense, Sequential
from nbsnn.losses import rate_mse
from nbsnn.optim import SGD, Adam

from .golden import Case, close, exact, golden
from .test_sj_neurons import close_sum, node

FILE = "sj_bptt_net.npz"
OPTIMIZERS = {"sgd": SGD, "sgdm": SGD, "adam": Adam}


def network(case: Case, device: str) -> Sequential:
    """Layers "map1", "node1", "map2", "node2" with the case's initial parameters."""
    parts: dict[str, Any] = {}
    sizes = case.params["sizes"]
    for i, layer in enumerate(case.params["layers"]):
        parts[f"map{i + 1}"] = Dense(sizes[i], sizes[i + 1])
        parts[f"node{i + 1}"] = node(layer["node"], {"v_threshold": case.params["v_threshold"], **layer})
    net = Sequential(**parts, dtype=case.dtype, device=device)
    for key, array in ours(net.parameters(), case).items():
        array[...] = transposed(key, case[key])
    return net


def ours(arrays: dict[str, np.ndarray], case: Case) -> dict[str, np.ndarray]:
    """Parameters or gradients under their recorded names; all of them, and no others, are recorded."""
    names = {"weight": "w{}", "bias": "b{}", "w": "plif_w{}"}
    keyed = {}
    for path, array in arrays.items():
        layer, name = path.split("/")
        keyed[names[name].format(layer[-1])] = array
    assert keyed.keys() == {key.removeprefix("grad_") for key in case if key.startswith("grad_")} - {"x"}
    return keyed


def transposed(key: str, array: np.ndarray) -> np.ndarray:
    return array.T if array.ndim == 2 else array


def product(y: np.ndarray, cot: np.ndarray) -> tuple[float, np.ndarray]:
    """The recorded loss, as a loss of one's own."""
    return float(np.sum(cot * y)), cot


def check_gradients(case: Case, device: str) -> None:
    net = network(case, device)
    tape, grads = {}, net.zeros()
    y, _ = net.forward(case["x"], net.initial(case["x"].shape[1]), tape)
    layers = range(1, len(case.params["layers"]) + 1)
    for i in layers:
        run = net.record(tape, f"node{i}")
        exact(run["spikes"], case[f"spikes{i}"], what=f"spikes{i}")
        close(run["v"], case[f"v{i}"], what=f"v{i}")
    exact(y, case[f"spikes{layers[-1]}"], what="output")
    gx, _ = net.backward(case["cot"], tape, grads)
    close(gx, case["grad_x"], what="grad_x")

    value, grads = BPTT(net, product).gradients(case["x"], case["cot"])
    close_sum(case["cot"] * y, case["loss"], case, "loss", actual=value)
    for key, array in ours(grads, case).items():
        close(transposed(key, array), case[f"grad_{key}"], what=f"grad_{key}")


@golden(FILE)
def test_gradients(case: Case) -> None:
    check_gradients(case, "python")


@pytest.mark.long
@golden(FILE, where=lambda case: any(layer["node"] == "plif" for layer in case.params["layers"]))
def test_gradients_compiled(case: Case) -> None:
    check_gradients(case, "cpu")


@golden(FILE, where=lambda case: bool(case.params["train"]))
def test_training(case: Case) -> None:
    settings = case.params["train"]
    trained = [name for name in settings if isinstance(settings[name], dict)]
    assert {f"train_{name}_losses" for name in trained} == {key for key in case if key.endswith("_losses")}
    for name in trained:
        net = network(case, "python")
        learner = BPTT(net, rate_mse, OPTIMIZERS[name](**settings[name]))
        losses = [learner.step(case["x"], case["train_target"]) for _ in range(settings["iterations"])]
        close(losses, case[f"train_{name}_losses"], case.dtype, what=name)
        for key, array in ours(net.parameters(), case).items():
            close(transposed(key, array), case[f"train_{name}_final_{key}"], what=f"{name}: {key}")
