"""Arguments of a connection: copied at the call, and checked there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..random import Draws
from ..sparse import values
from ..validate import finite, free_memory
from .home import Home
from .pool import ALIGN

ONE_DELAY = "{}: plastic synapses share one delay; make a connection for each delay"


def kept(name: str, given: ArrayLike | values.Distribution | None) -> Any:
    """A number, a copy of an array, or a distribution: what synapses can be given."""
    if given is None or isinstance(given, values.Distribution):
        return given
    try:
        array = np.array(given)
    except ValueError:  # lists of several lengths
        array = np.array(None)
    if array.dtype.kind not in "fiu" and array.size:
        what = "a number, an array [synapses] or a distribution of nbsnn.values"
        raise TypeError(f"{name} must be {what}, not {given!r}")
    finite(name, array)
    return array if array.ndim else array.item()


def waits(name: str, steps: int, units: int, network: Home) -> None:
    """``MemoryError`` where what arrives at the targets in this many steps would not fit into memory."""
    needed = steps * max(units, ALIGN) * network.dtype.itemsize
    free = free_memory() if needed > 1 << 30 else None
    if free is not None and needed > free:
        raise MemoryError(
            f"{name}: a delay of {steps * network.dt:g} ms is {steps:,} steps, for each of which what arrives is kept, "
            f"{needed / 1e9:.1f} GB; {free / 1e9:.1f} GB are free"
        )


def whole(name: str, weights: np.ndarray) -> None:
    """``ValueError`` unless weights are whole numbers, as a rule in integers wants them."""
    wrong = weights[weights != np.rint(weights)]
    if wrong.size:
        raise ValueError(f"weights of {name} must be whole numbers for PostPreInt, not {wrong[0]:g}")


def seed_of(what: str, value: object) -> int:
    """A seed, which is any integer."""
    try:
        return Draws(value).seed  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{what} must be an integer, a seed, not {value!r}") from None
