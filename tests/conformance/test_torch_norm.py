"""Normalisation of PyTorch, SpikingJelly and snnTorch: outputs, gradients, running statistics over three batches."""

from typing import Any

import numpy as np
import pytest

import nbsnn
from nbsnn.random import Draws

from .golden import Case, close, golden

FILE = "torch_norm.npz"


def batch_norm(case: Case) -> nbsnn.BatchNorm:
    p = case.params
    steps = case["x"].shape[1]
    options: dict[str, Any] = {"affine": p["affine"], "bias": p["bias"] or not p["affine"]}
    if "v_th" in p:
        options["gain"] = p["alpha"] * p["v_th"]
    options |= {"per_step": steps} if p["per_step"] else {"step_scale": steps} if "scale" in case else {}
    return nbsnn.BatchNorm(momentum=p["momentum"], eps=p["eps"], running=p["track_running_stats"], **options)


def normalization(case: Case) -> nbsnn.Layer:
    p = case.params
    if p["layer"] == "LayerNorm":
        options = {"normalized_shape": tuple(p["normalized_shape"]), "affine": p["affine"]}
        return nbsnn.LayerNorm(**options, bias=p["bias"] or not p["affine"], eps=p["eps"])
    if p["layer"].startswith("Instance"):
        return nbsnn.InstanceNorm(affine=p["affine"], eps=p["eps"])
    return nbsnn.GroupNorm(p["num_groups"], affine=p["affine"], eps=p["eps"])


def network(layer: nbsnn.Layer, shape: tuple[int, ...], case: Case, dtype: str) -> nbsnn.Sequential:
    net = nbsnn.Sequential(layer=layer, input_shape=shape, dtype=dtype, device="python")
    starts = [name for name in ("weight", "bias", "scale") if name in case]
    assert set(layer.params) == set(starts)
    for name in starts:
        if case.params.get("start") == "default":
            close(layer.params[name], case[name], dtype, what=name)
        layer.params[name] = case[name]
    return net


def both_ways(net: nbsnn.Sequential, x: Any, cot: Any, dtype: str, training: bool) -> tuple[Any, ...]:
    tape, grads = {}, net.zeros()
    draws = Draws(0) if training else None
    y, _ = net.forward(x.astype(dtype), net.initial(x.shape[1]), tape, draws)
    y = y.copy()
    gx, _ = net.backward(cot.astype(dtype), tape, grads)
    return y, gx, grads["layer"]


@golden(FILE, where=lambda case: "batches" in case.params)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_batch_normalisation(case: Case, dtype: str) -> None:
    layer = batch_norm(case)
    net = network(layer, case["x"].shape[3:], case, dtype)
    for k in range(case.params["batches"]):
        y, gx, grads = both_ways(net, case["x"][k], case["cot"][k], dtype, True)
        close(y, case["y"][k], dtype, what=f"y of batch {k}")
        close(gx, case["grad_x"][k], dtype, what=f"grad_x of batch {k}")
        for name, found in grads.items():
            sums_close(found, case[f"grad_{name}"][k], case["cot"][k], dtype, f"grad_{name} of batch {k}")
        assert layer.running == ("running_mean" in case)
        for name in ("running_mean", "running_var") if layer.running else ():
            close(layer.buffers[name], case[name][k], dtype, what=f"{name} of batch {k}")
    y, gx, grads = both_ways(net, case["eval_x"], case["eval_cot"], dtype, False)
    close(y, case["eval_y"], dtype, what="eval_y")
    close(gx, case["eval_grad_x"], dtype, what="eval_grad_x")
    for name, found in grads.items():
        sums_close(found, case[f"eval_grad_{name}"], case["eval_cot"], dtype, f"eval_grad_{name}")


def sums_close(found: Any, expected: Any, cot: Any, dtype: str, what: str) -> None:
    """Gradients of parameters are sums in which terms may cancel: they are compared on the scale of the terms."""
    scale = float(np.abs(cot).max())
    close(np.append(np.ravel(found), scale), np.append(np.ravel(expected), scale), dtype, what=what)


def standardised(case: Case) -> bool:
    return case.params["layer"] in ("WSConv2d", "WSLinear")


@golden(FILE, where=standardised)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_weight_standardisation(case: Case, dtype: str) -> None:
    p = case.params
    options = {name: p[name] for name in ("bias", "gain", "eps")}
    if p["layer"] == "WSLinear":
        layer: Any = nbsnn.WSDense(p["in_features"], p["out_features"], **options)
    else:  # padding_mode is left out: the recorded layer pads zeros whatever it is
        options |= {n: tuple(p[n]) if isinstance(p[n], list) else p[n] for n in ("stride", "padding", "dilation")}
        sizes = p["in_channels"], p["out_channels"], tuple(p["kernel_size"])
        layer = nbsnn.WSConv2d(*sizes, groups=p["groups"], **options)
    net = nbsnn.Sequential(layer=layer, input_shape=case["x"].shape[2:], dtype=dtype, device="python")
    names = [name for name in ("weight", "gain", "bias") if name in case]
    nbsnn.load_torch(net, {f"layer.{name}": case[name] for name in names})
    made = np.moveaxis(layer.standardized(), -1, 0)
    close(made, case["standardised_weight"], dtype, what="standardised weight")
    y, gx, grads = both_ways(net, case["x"], case["cot"], dtype, True)
    close(y, case["y"], dtype, what="y")
    close(gx, case["grad_x"], dtype, what="grad_x")
    for name in names:
        found = np.moveaxis(grads[name], -1, 0) if name == "weight" else grads[name].reshape(case[name].shape)
        sums_close(found, case[f"grad_{name}"], case["cot"], dtype, f"grad_{name}")


@golden(FILE, where=lambda case: "batches" not in case.params and not standardised(case))
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_normalisation_within_a_sample(case: Case, dtype: str) -> None:
    net = network(normalization(case), case["x"].shape[2:], case, dtype)
    y, gx, grads = both_ways(net, case["x"], case["cot"], dtype, True)
    close(y, case["y"], dtype, what="y")
    close(gx, case["grad_x"], dtype, what="grad_x")
    for name, found in grads.items():
        sums_close(found, case[f"grad_{name}"], case["cot"], dtype, f"grad_{name}")
