"""The initialiser that a layer is given, and what it makes, checked."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np

from .. import init
from ..validate import affordable, finite, function, shaped


def initializer(name: str, given: Any, default: init.Initializer) -> init.Initializer:
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
