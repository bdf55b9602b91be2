"""The initialisers that a layer is given, and what they make, checked."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from .. import init
from ..random import Draws
from ..validate import affordable, finite, function, shaped


def initializer(name: str, given: init.Initializer | None, default: init.Initializer) -> init.Initializer:
    """Initialiser that was given, or the default where that is None."""
    if given is None:
        return default
    function(name, given, "an initialiser, nbsnn.init.normal(0.0, 0.1) say")
    try:
        inspect.signature(given).bind((1,), fan_in=1, fan_out=1, draws=None, dtype=None)
    except TypeError:
        form = "(shape, fan_in, fan_out, draws, dtype)"
        raise TypeError(f"{name} must be an initialiser, called as {form}, not {given!r}") from None
    return given


def initial(name: str, given: init.Initializer, shape: tuple[int, ...], **options: Any) -> np.ndarray:
    """Result of an initialiser, checked to be finite numbers of ``shape``."""
    affordable(f"{name} of shape {list(shape)}", math.prod(shape) * np.dtype(options["dtype"]).itemsize)
    with np.errstate(over="ignore"):
        made = np.asarray(given(shape, **options))
    if made.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be numbers, but {given!r} makes {made.dtype}")
    by = f"{name}, made by {given!r},"
    return finite(by, np.array(shaped(by, made, shape), options["dtype"], order="C"))


def weight_and_bias(
    layer: Any, shape: tuple[int, ...], n_post: int, draws: Draws, **options: Any
) -> dict[str, np.ndarray]:
    """Parameters of a connection: a weight of ``shape``, and where it has one a bias [n_post]."""
    made = {"weight": initial("weight", layer.weight_init, shape, draws=draws.fold("weight"), **options)}
    if layer.bias:
        made["bias"] = initial("bias_init", layer.bias_init, (n_post,), draws=draws.fold("bias"), **options)
    return made
