"""PyTorch's convolutions, plain and transposed: outputs and gradients."""

import numpy as np
import pytest

import nbsnn

from .golden import Case, close, golden

FILE = "torch_conv.npz"
SIZES = ("kernel_size", "stride", "padding", "dilation", "output_padding")


def convolution(case: Case) -> nbsnn.Layer:
    p = case.params
    sizes = {name: tuple(v) if isinstance(v := p[name], list) else v for name in SIZES if name in p}
    if p["layer"].endswith("1d"):
        sizes = {name: v[0] if isinstance(v, tuple) else v for name, v in sizes.items()}
    mode = {} if "Transpose" in p["layer"] else {"padding_mode": p["padding_mode"]}
    return getattr(nbsnn, p["layer"])(
        p["in_channels"], p["out_channels"], **sizes, groups=p["groups"], bias=p["bias"], **mode
    )


def torchs(layer: nbsnn.Layer, weight: np.ndarray) -> np.ndarray:
    """Our weights in PyTorch's order of axes: the postsynaptic one first, or second in a transposed convolution."""
    return np.moveaxis(weight, -1, 1 if "transpose" in layer.kind else 0)


@golden(FILE)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_convolutions(case: Case, dtype: str) -> None:
    layer = convolution(case)
    net = nbsnn.Sequential(layer, input_shape=case["x"].shape[2:], dtype=dtype, device="python")
    torchs(layer, layer.params["weight"])[...] = case["weight"]
    if "bias" in case:
        layer.params["bias"] = case["bias"]
    tape, grads = {}, net.zeros()
    y, _ = net.forward(case["x"].astype(dtype), {}, tape)
    gx, _ = net.backward(case["cot"].astype(dtype), tape, grads)
    close(y, case["y"], dtype, what="y")
    assert gx is not None
    close(gx, case["grad_x"], dtype, what="grad_x")
    found = grads[next(iter(net.children))]
    close(torchs(layer, found["weight"]), case["grad_weight"], dtype, what="grad_weight")
    assert ("bias" in found) == ("grad_bias" in case)
    if "bias" in found:
        close(found["bias"], case["grad_bias"], dtype, what="grad_bias")
