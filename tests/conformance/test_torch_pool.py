"""PyTorch's pooling and upsampling: outputs, places of maxima, gradients."""

import numpy as np
import pytest

import nbsnn

from .golden import Case, close, exact, golden

FILE = "torch_pool.npz"
SIZES = ("kernel_size", "stride", "padding", "dilation")
OTHERS = ("ceil_mode", "count_include_pad", "divisor_override")


def pooling(case: Case) -> nbsnn.Layer:
    p = case.params
    if p["layer"] == "Upsample":
        given = {name: p[name] and tuple(p[name]) for name in ("size", "scale_factor")}
        return nbsnn.Upsample(
            **given, mode=p["mode"].replace("bilinear", "linear"), align_corners=bool(p["align_corners"])
        )
    if "output_size" in p:
        return getattr(nbsnn, p["layer"][:-2])(tuple(p["output_size"]))
    if p["layer"].startswith("Global"):
        return getattr(nbsnn, p["layer"][:-2])()
    flat = p["layer"].endswith("1d")
    sizes = {name: p[name][0] if flat else tuple(p[name]) for name in SIZES if name in p}
    return getattr(nbsnn, p["layer"])(**sizes, **{name: p[name] for name in OTHERS if name in p})


def winners(layer: nbsnn.Layer, at: np.ndarray) -> np.ndarray:
    """Places of maxima in unpadded planes, of those that the tape holds."""
    if not isinstance(layer, nbsnn.MaxPool2d):
        return at
    width = layer.kernel_size[1]
    window = zip(np.divmod(at.astype(int), width), layer.dilation, layer.stride, layer.padding, strict=True)
    corner = np.indices(layer.places)
    row, column = (c * s + inside * d - p for c, (inside, d, s, p) in zip(corner, window, strict=True))
    return row * layer.image[2] + column


@golden(FILE)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_pooling(case: Case, dtype: str) -> None:
    layer = pooling(case)
    net = nbsnn.Sequential(layer=layer, input_shape=case["x"].shape[2:], dtype=dtype, device="python")
    tape = {}
    y, _ = net.forward(case["x"].astype(dtype), {}, tape)
    gx, _ = net.backward(case["cot"].astype(dtype), tape, net.zeros())
    assert gx is not None
    close(y, case["y"], dtype, what="y")
    close(gx, case["grad_x"], dtype, what="grad_x")
    if "indices" in case:
        exact(winners(layer, tape["layer"]["at"].reshape(-1, *layer.shape[1:])).reshape(y.shape), case["indices"])
