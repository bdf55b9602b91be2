"""Argument checks of a rule's ``run``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..validate import FLOATS, finite, number_in, real, shaped, switch, unmasked
from ..validate.kinds import is_array
from .gpu_arrays import GpuRule

Array = np.ndarray


def check_weights(weights: object, in_place: bool, dtypes: tuple[Any, ...] = FLOATS) -> Array:
    """``weights`` [n_pre, n_post], or a copy of them."""
    names = " or ".join(map(str, dtypes))
    if not is_array(weights) or unmasked("weights", weights).dtype not in dtypes:
        given = weights.dtype if is_array(weights) else type(weights).__name__
        raise TypeError(f"weights must be an array of {names}, not {given}")
    shaped("weights", weights, (None, None))
    if not weights.size:
        raise ValueError(f"weights must not be empty, but have shape {list(weights.shape)}")
    finite("weights", weights)
    if not switch("in_place", in_place):
        return np.array(weights, order="C")
    if not (weights.flags.c_contiguous and weights.flags.writeable):
        raise ValueError(
            "weights must be writable and in C order to be changed in place: pass a copy, or in_place=False"
        )
    return weights


def check_spikes(name: str, spikes: ArrayLike, units: int, dtype: DTypeLike) -> Array:
    """``spikes`` [T, B, units] of zeros and ones, in ``dtype``."""
    spikes = real(name, spikes)
    shaped(f"{name} spikes", spikes, (None, None, units))
    if not spikes.size:
        raise ValueError(f"{name} spikes must not be empty, but have shape {list(spikes.shape)}")
    if spikes.dtype.kind != "b" and not np.all((spikes == 0) | (spikes == 1)):
        wrong = spikes[~((spikes == 0) | (spikes == 1))].flat[0]
        raise ValueError(f"{name} spikes must be 0 or 1, not {wrong}")
    return np.require(spikes, dtype, ["C", "W"])


def check_numbers(rule: GpuRule, dtype: np.dtype) -> None:
    """Raise unless the parameters of a rule, and what a spike adds to its traces, are finite in a precision."""
    for name, value in rule.given().items():
        number_in(dtype, f"{name} of {type(rule).__name__}", value)
