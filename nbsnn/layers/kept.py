"""State of custom layers in copies and checkpoints: parameters, buffers, and arrays among attributes."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

import numpy as np

from ..validate.kinds import is_array, is_list_or_tuple, is_mapping

OWN = ("params", "buffers", "children", "setting", "arrays", "cuda", "ops", "built", "_closed")
"""Attributes that are kept, or recreated."""


class Built(Protocol):
    """Interface of a layer that is used here."""

    kind: str
    ours: ClassVar[bool]
    _settled_with: dict[str, Any]

    def layers(self) -> Mapping[str, Any]:
        """See ``Layer.layers``."""
        ...


def noted(layer: Built) -> dict[str, Any]:
    """Attributes of a custom layer when it is built; of arrays, the shape."""
    if layer.ours:
        return {}
    given = {name: value for name, value in vars(layer).items() if name not in OWN and not name.startswith("_settled")}
    return {k: v.shape if _is_array(v) else copy.deepcopy(v) if isinstance(v, PLAIN) else v for k, v in given.items()}


def attributes(layer: Built) -> dict[str, np.ndarray]:
    """Arrays among the attributes of a custom layer that existed when it was built."""
    return {name: vars(layer)[name] for name in layer._settled_with if _is_array(vars(layer).get(name))}


def check_kept(net: Built) -> None:
    """Raise ``ValueError`` if a custom layer has attributes that neither a checkpoint nor a twin would keep:
    numbers that have changed since it was built, and arrays that are new or of another shape."""
    for place, layer in {"": net, **net.layers()}.items():
        before = layer._settled_with
        if not before:
            continue
        lost = list[str]()
        for name, value in vars(layer).items():
            if name in OWN or name.startswith("_settled"):
                continue
            same = value.shape == before.get(name) if _is_array(value) else _same(value, before.get(name))
            lost += [] if same else [name]
        if lost:
            raise ValueError(
                f"{place or layer.kind}, a {type(layer).__name__}, has changed {', '.join(map(repr, lost))} since it "
                "was built, which would be lost: keep it as an array in self.buffers, a dict by name that build fills"
            )


PLAIN: tuple[type, ...] = (int, float, complex, str, list, tuple, dict)
NUMPY: tuple[type, ...] = (np.ndarray, np.generic)


def _is_array(value: object) -> bool:
    return is_array(value) and value.dtype.kind in "fiub"


def _same(a: Any, b: Any) -> bool:
    """True if two values are equal, as far as they are numbers, texts, arrays, or made of such."""
    if isinstance(a, NUMPY):
        return isinstance(b, NUMPY) and np.array_equal(a, b)
    if is_list_or_tuple(a):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if is_mapping(a):
        return is_mapping(b) and a.keys() == b.keys() and all(_same(v, b[k]) for k, v in a.items())
    return a == b if isinstance(a, PLAIN) else True
