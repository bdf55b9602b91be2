"""Whether the layers of a network in integers and their arrays fit together: compiled loops rely on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..validate import choice, instance

Array = np.ndarray

FINEST = 62
"""The most bits by which a number of 64 bits may be shifted."""

POOL = {"kernel_size": 2, "stride": 2, "padding": 2, "after": 2}
NEURONS = {"shift": 0, "decay_bits": 0, "low": 0, "high": 0, "equal": 0}
FIELDS: dict[str, dict[str, int]] = {
    "rounded": {"low": 0, "high": 0}, "dense": {"bias_shift": 0}, "flatten": {}, "sumpool2d": POOL, "maxpool2d": POOL,
    "conv2d": {"bias_shift": 0, "groups": 0, "output": 3, "stride": 2, "dilation": 2, "padding": 2},
    "lif": NEURONS, "li": NEURONS,
}  # fmt: skip
"""Kinds of layers, their whole numbers, and how many there are of each: 0 for a single one."""
RANGES = {
    "shift": (-FINEST, FINEST), "decay_bits": (0, FINEST), "bias_shift": (0, FINEST), "equal": (0, 1),
    "padding": (0, 2**20), "after": (0, 2**20), "low": (-(2**53), 0), "high": (0, 2**53),
}  # fmt: skip
RESETS = "soft", "hard", "none", ""


def check(layers: list[dict[str, Any]], arrays: Mapping[str, Array]) -> None:
    """``ValueError`` or ``TypeError`` unless every layer has what its kind needs, and fits to the one before."""
    if not layers:
        raise ValueError("layers must not be empty")
    for name, array in arrays.items():
        if np.asarray(array).dtype.kind != "i":
            raise TypeError(f"{name} must be integers, not {np.asarray(array).dtype}")
    shape: tuple[int, ...] | None = None
    for layer in layers:
        layer = instance("a layer of layers", layer, dict, "a dict of its kind, name, shape, fraction, ...")
        kind = str(layer.get("kind"))
        choice("the kind of a layer", kind, tuple(FIELDS))
        place = f"layer {layer.get('name')!r}"
        given = layer.get("shape")
        size = len(given) if isinstance(given, (list, tuple)) else 1
        for field, count in {"shape": size, "fraction": 0, **FIELDS[kind]}.items():
            _whole(place, field, layer.get(field), count)
        if kind in ("lif", "li") and layer.get("reset") not in RESETS:
            raise ValueError(f"{place}: reset must be one of {RESETS}, not {layer.get('reset')!r}")
        if shape is not None and tuple(layer["shape"]) != shape:
            raise ValueError(f"{place} has an input of shape {layer['shape']}, but is given {list(shape)}")
        shape = _after(kind, place, layer, arrays)


def _whole(place: str, field: str, value: object, count: int) -> None:
    """Raise unless a field is one whole number, or a list of ``count``, in its range."""
    low, high = RANGES.get(field, (-1000, 1000) if field == "fraction" else (1, 2**31))
    each = value if count and isinstance(value, (list, tuple)) and len(value) == count else [] if count else [value]
    if not each or not all(type(k) is int and low <= k <= high for k in each):
        what = f"{count} whole numbers" if count else "a whole number"
        raise ValueError(f"{place}: {field} must be {what} from {low} to {high}, not {value!r}")


def _after(kind: str, place: str, layer: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[int, ...]:
    """The shape of a layer's output; raises unless its arrays have the shapes that follow from its input's."""
    shape = tuple(layer["shape"])
    if kind == "rounded":
        return shape
    if kind == "flatten":
        return (math.prod(shape),)
    if kind in ("lif", "li"):
        for name in ("decay", "threshold", "reset") if kind == "lif" else ("decay",):
            _shaped(place, layer, arrays, name, (math.prod(shape),))
        return shape
    if kind == "dense":
        (units,) = shape if len(shape) == 1 else (0,)
        weight = _shaped(place, layer, arrays, "weight", (units, None))
        _shaped(place, layer, arrays, "bias", weight.shape[1:])
        return weight.shape[1:]
    if len(shape) != 3:
        raise ValueError(f"{place}: an image has three axes, not {len(shape)}")
    if kind == "conv2d":
        groups, output = layer["groups"], tuple(layer["output"])
        weight = _shaped(place, layer, arrays, "weight", (shape[0] // groups, None, None, output[0]))
        _shaped(place, layer, arrays, "bias", output[:1])
        reach = [n + d * k for n, d, k in zip(shape[1:], layer["dilation"], weight.shape[1:3], strict=True)]
        most = [n + p for n, p in zip(reach, layer["padding"], strict=True)]
        if shape[0] % groups or output[0] % groups or any(n > m for n, m in zip(output[1:], most, strict=True)):
            raise ValueError(f"{place}: no convolution in {groups} groups turns {list(shape)} into {list(output)}")
        return output
    sides = zip(shape[1:], layer["padding"], layer["after"], layer["kernel_size"], layer["stride"], strict=True)
    places = [(n + before + after - size) // stride + 1 for n, before, after, size, stride in sides]
    if min(places) < 1:
        raise ValueError(f"{place}: a window of {layer['kernel_size']} is larger than its image of {list(shape)}")
    return (shape[0], *places)


def _shaped(
    place: str, layer: Mapping[str, Any], arrays: Mapping[str, Array], name: str, shape: tuple[int | None, ...]
) -> Array:
    """An array of a layer, of this shape; None stands for any size."""
    whole = f"{layer['name']}/{name}"
    if whole not in arrays:
        raise ValueError(f"{place}: arrays must hold {whole!r}")
    found = np.asarray(arrays[whole])
    if found.ndim != len(shape) or any(k not in (None, n) for k, n in zip(shape, found.shape, strict=True)):
        wanted = ["any" if k is None else k for k in shape]
        raise ValueError(f"{place}: {whole} must have the shape {wanted}, not {list(found.shape)}")
    return found
