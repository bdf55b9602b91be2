"""NIR's nodes that have no membrane, as layers of this package with their parameters.

A factor, one for every unit after, is multiplied into the weights; ``foldable`` says whether it can be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import layers
from ..layers import Layer
from .graph import Node
from .neurons import Sense, field, shared

Array = np.ndarray
Made = tuple[Layer, dict[str, Array]]

WEIGHTED = ("Affine", "Linear", "Conv1d", "Conv2d")
"""Types of nodes whose weights take a factor of what follows."""


def foldable(node: Node, factor: Array) -> Array | None:
    """``factor``, of the units after, as one of each row of the weights; None if there is none such."""
    rows = len(field(node, "weight"))
    if factor.size == 1:
        return np.full(rows, factor.item())
    if factor.shape[:1] != (rows,):
        return None
    flat = factor.reshape(rows, -1)
    return flat[:, 0] if (flat == flat[:, :1]).all() else None


def weights(node: Node, factor: Array | None, bias: bool) -> dict[str, Array]:
    """Weights as NIR has them, units after first, and bias, times a factor."""
    weight = field(node, "weight")
    found = {"weight": weight if factor is None else weight * factor.reshape(-1, *[1] * (weight.ndim - 1))}
    if bias:
        given = field(node, "bias")
        if given.shape != weight.shape[:1]:
            raise ValueError(f"bias has shape {list(given.shape)}, but the weights {list(weight.shape)}")
        found["bias"] = given if factor is None else given * factor
    return found


def dense(sense: Sense, node: Node, factor: Array | None) -> Made:
    """Affine and Linear."""
    bias = node["type"] == "Affine" and node.get("bias", 0.0) is not None  # None: ``write`` notes that it has none
    params = weights(node, factor, bias)
    if params["weight"].ndim != 2:
        raise ValueError(f"weights must be [units after, units before], not {list(params['weight'].shape)}")
    params["weight"] = params["weight"].T
    return layers.Dense(*params["weight"].shape, bias=bias), params


def convolution(sense: Sense, node: Node, factor: Array | None) -> Made:
    """Conv1d and Conv2d."""
    bias = node.get("bias", 0.0) is not None
    params, axes = weights(node, factor, bias), int(node["type"][4])
    weight = params["weight"]
    if weight.ndim != 2 + axes:
        raise ValueError(f"weights of a {node['type']} must have {2 + axes} axes, not the shape {list(weight.shape)}")
    groups = whole_number(node, "groups", 1)[0]
    padding: Any = node.get("padding")
    if not isinstance(padding, str):
        padding = whole_number(node, "padding", axes)
    elif padding == "valid":
        padding = (0,) * axes
    sizes = {name: whole_number(node, name, axes) for name in ("stride", "dilation")} | {"padding": padding}
    given: dict[str, Any] = {k: v[0] if axes == 1 and isinstance(v, tuple) else v for k, v in sizes.items()}
    kernel: Any = tuple(weight.shape[2:]) if axes == 2 else weight.shape[2]
    params["weight"] = np.moveaxis(weight, 0, -1)
    make: Any = layers.Conv2d if axes == 2 else layers.Conv1d
    return make(weight.shape[1] * groups, weight.shape[0], kernel, groups=groups, bias=bias, **given), params


def whole_number(node: Node, name: str, count: int) -> tuple[int, ...]:
    """A field of whole numbers, ``count`` of them, or one that stands for all."""
    value = field(node, name).reshape(-1)
    if value.size not in (1, count) or (value != np.round(value)).any() or (np.abs(value) > 2**31).any():
        raise ValueError(f"{name} must be {count} whole numbers, not {value.tolist()[:4]}")
    return tuple(int(n) for n in np.broadcast_to(value, (count,)))


def pool(sense: Sense, node: Node, factor: Array | None) -> Made:
    """SumPool2d and AvgPool2d."""
    make: Any = getattr(layers, node["type"])
    return make(*(whole_number(node, name, 2) for name in ("kernel_size", "stride", "padding"))), {}


def flatten(sense: Sense, node: Node, factor: Array | None) -> Made:
    """Flatten."""
    return layers.Flatten(*(whole_number(node, name, 1)[0] for name in ("start_dim", "end_dim"))), {}


def scale(sense: Sense, node: Node, factor: Array | None) -> Made:
    """Scale."""
    return layers.Scale(), {"scale": field(node, "scale")}


def delay(sense: Sense, node: Node, factor: Array | None) -> Made:
    """Delay, of all units by as much."""
    steps = field(node, "delay") / sense.dt
    one = shared(np.round(steps))
    if not isinstance(one, float):
        raise ValueError(
            f"units are delayed by {steps.min():g} to {steps.max():g} steps: one delay for all can be read"
        )
    if (np.abs(steps - one) > 1e-6 * np.maximum(1.0, one)).any():
        raise ValueError(f"a delay of {steps.flat[0]:.6g} steps is not a whole number of them: choose another dt")
    return (layers.Delay(int(one)) if one else layers.Identity()), {}


MAPS: dict[str, Callable[[Sense, Node, Array | None], Made]] = {
    "Affine": dense,
    "Linear": dense,
    "Conv1d": convolution,
    "Conv2d": convolution,
    "SumPool2d": pool,
    "AvgPool2d": pool,
    "Flatten": flatten,
    "Scale": scale,
    "Delay": delay,
}
"""Type of a node -> what makes its layer and parameters."""
