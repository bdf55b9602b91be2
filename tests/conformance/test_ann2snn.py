"""ReLU networks, and what SpikingJelly's converter makes of them: scales, spikes, membranes, outputs."""

import numpy as np

import nbsnn
from nbsnn.conversion.spiking import prepared, scales_of
from nbsnn.neurons import IF

from .golden import Case, close, exact, golden

FILE = "ann2snn.npz"


def single(case: Case) -> bool:
    """Scales rounded to float32 in a float64 network: nbsnn computes scales in the precision of the network."""
    return case.params["scalers_dtype"] != case.params["dtype"]


def relu_network(case: Case) -> nbsnn.Sequential:
    layers = case.params["layers"]
    return nbsnn.from_torch(
        layers, case.group("param/"), input_shape=tuple(case.params["in_shape"]), dtype=case.params["dtype"],
        device="python",
    )  # fmt: skip


def steps_of(case: Case) -> np.ndarray:
    x = case["x"]
    return np.broadcast_to(x, (max(case.params["T"]), *x.shape)) if case.params["constant_input"] else x


@golden(FILE)
def test_the_network_of_numbers(case: Case) -> None:
    net, x = relu_network(case), case["x"]
    y = (x if case.params["constant_input"] else x.mean(0))[None]
    relus = iter(range(len(case.params["relus"])))
    for layer in net.children.values():
        y = layer.forward(y, layer.initial(y.shape[1]), {})[0]
        if isinstance(layer, nbsnn.ReLU):
            close(y[0], case[f"relu{next(relus)}/ann"], what="activations")
    close(y[0], case["ann_out"], what="output")


@golden(FILE, where=lambda case: not single(case))
def test_the_spiking_network(case: Case) -> None:
    recipe = case.params["recipe"]
    mode = {"Max": "max"}.get(recipe["mode"], recipe["mode"])
    net = nbsnn.to_spiking(
        relu_network(case), list(case["calibration"]), scale=mode,
        per_channel=recipe["channel_wise"], eps=recipe["eps"],
        momentum=recipe["momentum"], pool_first=recipe["pre_spike_maxpool"],
        v_start=0.5 if recipe["half_threshold"] and recipe["channel_wise"] else 0.0,
    )  # fmt: skip
    run = net.run(steps_of(case))
    populations = [name for name, layer in net.children.items() if isinstance(layer, nbsnn.Population)]
    assert len(populations) == len(case.params["relus"])
    for k, name in enumerate(populations):
        exact(run[name]["spikes"], case[f"relu{k}/spikes"], what=f"spikes of {name}")
        for t in case.params["T"]:
            close(run[name]["v"][t - 1], case[f"relu{k}/v_T{t}"], what=f"membrane after {t}")
            exact(run[name]["spikes"][:t].sum(0), case[f"relu{k}/counts_T{t}"], what=f"counts after {t}")
    close(run.output, case["out"], what="output")
    for t in case.params["T"]:
        close(run.output[:t].mean(0), case[f"out_mean_T{t}"], what=f"mean output of {t} steps")


@golden(FILE)
def test_the_scales(case: Case) -> None:
    recipe = case.params["recipe"]
    plain = prepared(relu_network(case), recipe["pre_spike_maxpool"])
    mode = {"Max": "max"}.get(recipe["mode"], recipe["mode"])
    least = recipe["eps"] if recipe["channel_wise"] else None
    found = scales_of(plain, list(case["calibration"]), mode, least, recipe["momentum"])
    for k, scale in enumerate(found.values()):
        close(scale.ravel(), np.ravel(case[f"relu{k}/scale"]), "f4" if single(case) else None, what=f"scale {k}")


def test_the_neuron_is_integrate_and_fire_with_soft_reset() -> None:
    net = nbsnn.Sequential(nbsnn.Dense(2, 3), nbsnn.ReLU(), seed=0, device="python")
    made = nbsnn.to_spiking(net, np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]))
    assert repr(made["relu1"].neuron) == repr(IF(v_reset=None))
