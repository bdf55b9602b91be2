"""rnnbuilder's neurons, alone, in rows and in loops, and its spike function: runs, states and gradients."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from nbsnn import BPTT, Container, Dense, Layer, Neuron, Population, Recurrent, Sequential
from nbsnn.layers.layer import flatten
from nbsnn.presets import rnnbuilder
from nbsnn.presets.rnnbuilder import SpikeLinear

from .golden import Case, close, exact, golden
from .test_sj_neurons import close_sum

FILE = "rnnbuilder_snn.npz"
NEURONS = {
    "lif": (rnnbuilder.LIF, ("tau",)),
    "noreset": (rnnbuilder.NoReset, ("tau",)),
    "cooldown": (rnnbuilder.Cooldown, ("tau",)),
    "adaptive": (rnnbuilder.Adaptive, ("tau", "tau_thr", "gamma")),
    "discontinuous": (rnnbuilder.Discontinuous, ("threshold",)),
}
NAMES = {"initial_v": "initial_mem", "v": "mem", "b": "rel_thresh"}


def neuron(case: Case, kind: str = "", constants: dict[str, Any] | None = None) -> Neuron:
    """The neuron of a case, or one of several; a case of default arguments is made with none."""
    make, names = NEURONS[kind or case.params["neuron"]]
    if case.name.endswith("_default_arguments"):
        return make()
    given = case.params if constants is None else constants
    return make(spike_function=SpikeLinear(case.params["gradient_factor"]), **{name: given[name] for name in names})


def network(case: Case, device: str) -> Sequential:
    """The network of a case, its layers called as its parameters are."""
    sizes, setting = case.params.get("sizes"), {"dtype": case.dtype, "device": device}
    if sizes is None:
        return Sequential(neuron1=neuron(case), input_shape=tuple(case.params["in_shape"]), **setting)
    n_in, hidden, n_out = sizes
    if "hid_initial_mem" in case.group("param/"):
        inner = Sequential(
            hid=neuron(case, "lif", case.params["lif"]),
            back=Dense(hidden, hidden),
            back_neuron=neuron(case, "adaptive", case.params["adaptive"]),
        )
        loop = Recurrent(inner, Dense(hidden, hidden, bias=False))
        return Sequential(cur=Dense(n_in, hidden), loop=loop, readout=Dense(hidden, n_out), **setting)
    if case.params["network"].startswith("recurrent"):
        inner = Sequential(lin1=Dense(n_in + hidden, hidden), neuron1=neuron(case))
        loop = Recurrent(inner, join="concatenate")
        return Sequential(loop=loop, lin2=Dense(hidden, n_out), input_shape=n_in, **setting)
    assert case.params["network"].startswith("sequential")
    neurons = {"neuron1": neuron(case), "neuron2": neuron(case)}
    return Sequential(
        lin1=Dense(n_in, hidden), neuron1=neurons["neuron1"], lin2=Dense(hidden, n_out), neuron2=neurons["neuron2"],
        **setting,
    )  # fmt: skip


def recorded_as(path: str) -> str:
    """A parameter's name in the data: that of its layer, without the loop that is around it."""
    *places, name = path.replace("/feedback/", "/rec/").removeprefix("loop/").removeprefix("inner/").split("/")
    return f"{places[-1].removesuffix('_neuron')}_{NAMES.get(name, name)}"


def transposed(path: str, array: np.ndarray) -> np.ndarray:
    return array.T if path.endswith("weight") else array


def prepared(case: Case, device: str) -> Sequential:
    """The network with the case's parameters; all of them, and no others, are in the data."""
    net = network(case, device)
    given = case.group("param/")
    parameters = net.parameters()
    assert sorted(map(recorded_as, parameters)) == sorted(given)
    for path, array in parameters.items():
        array[...] = transposed(path, given[recorded_as(path)])
    return net


def populations(net: Container) -> Iterator[tuple[str, Population]]:
    return ((name, layer) for name, layer in net.layers().items() if isinstance(layer, Population))


def check_states(case: Case, net: Sequential, tape: dict[str, Any]) -> None:
    states = case.group("state/")
    for name, population in populations(net):
        for variable in population.neuron.state:
            key = recorded_as(f"{name}/{variable}")
            close(net.record(tape, name)[variable], states.pop(key), what=key)
    if "fed_back" in states:
        last = [name for name, _ in populations(net) if name.startswith("loop")][-1]
        exact(net.record(tape, last)["spikes"], states.pop("fed_back"), what="fed_back")
    assert not states


def check_margins(case: Case, net: Sequential, tape: dict[str, Any]) -> None:
    """The spike function of a recorded argument gives the recorded spikes; row 0 of T + 1 is the initial output."""
    for i, (name, _) in enumerate(populations(net)):
        if f"spike_arg/{i}" not in case:
            continue
        u, spikes = case[f"spike_arg/{i}"], net.record(tape, name)["spikes"]
        exact(u[-len(spikes) :] > 0.0, spikes == 1.0, what=f"spikes of {name}")
        if len(u) > len(spikes):
            fed = net.initial(u.shape[1])["loop"]["output"]
            exact(u[0] > 0.0, fed == 1.0, what="the initial output")


def check(case: Case, device: str) -> None:
    net = prepared(case, device)
    tape, grads = {}, net.zeros()
    x = case["x"]
    y, final = net.forward(x, net.initial(x.shape[1]), tape)
    assert y.dtype == case.dtype
    close(y, case["out"], what="out")
    check_states(case, net, tape)
    check_margins(case, net, tape)
    close_sum(case["cot"] * y, case["loss"], case, "loss")
    gx, _ = net.backward(case["cot"], tape, grads)
    close(gx, case["grad_x"], what="grad_x")
    for path, array in flatten(grads).items():
        close(transposed(path, array), case[f"grad/{recorded_as(path)}"], what=path)

    # The same through a learner, which starts from the same trained state.
    _, found = BPTT(net, lambda y, cot: (float(np.sum(y * cot)), cot)).gradients(x, case["cot"])
    for path, array in found.items():
        close(transposed(path, array), case[f"grad/{recorded_as(path)}"], what=f"BPTT: {path}")

    # And in two parts, the state handed on.
    cut = len(x) // 2
    first = net.run(x[:cut])
    second = net.run(x[cut:], first.state)
    close(np.concatenate([first.output, second.output]), case["out"], what="in two parts")
    for name, array in flatten(second.state).items():
        close(array, flatten(final)[name], case.dtype, what=name)


@golden(FILE, where=lambda case: "network" in case.params)
def test_network(case: Case) -> None:
    check(case, "python")


@pytest.mark.long
@golden(FILE, where=lambda case: "network" in case.params and case.name.startswith(("sequential", "recurrent")))
def test_network_compiled(case: Case) -> None:
    check(case, "cpu")


@golden(FILE, where=lambda case: "network" not in case.params)
def test_spike_linear(case: Case) -> None:
    surrogate = SpikeLinear(case.params["gradient_factor"])
    layer: Layer = Population(
        rnnbuilder.Discontinuous(surrogate, threshold=0.0), case["x"].shape, dtype=case.dtype, device="python"
    )
    tape, grads = {}, layer.zeros()
    y, _ = layer.forward(case["x"][None, None], layer.initial(1), tape)
    exact(y[0, 0], case["out"], what="out")
    gx, _ = layer.backward(case["cot"][None, None], tape, grads)
    assert gx is not None
    close(gx[0, 0], case["grad_x"], what="grad_x")
