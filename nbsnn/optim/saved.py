"""The memory of an optimiser as it is read back: names, shapes and numbers, checked before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

import numpy as np

from ..validate import FLOATS, finite


class Slotted(Protocol):
    """Something that keeps slots for each parameter."""

    slots: tuple[str, ...]


def read(
    optimizer: Slotted, state: Mapping[str, np.ndarray], iteration: int
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Slots of a saved state, copied, and how many steps each parameter was left out of."""
    found = {name: np.array(state[name]) for name in state}
    skipped = {name: found.pop(name) for name in list(found) if name.startswith("skipped/")}
    for name, n in skipped.items():
        if n.ndim or n.dtype.kind not in "iu" or not 0 <= n <= iteration:
            raise ValueError(f"state[{name!r}] must be an integer from 0 to {iteration}, not {n!r}")
    names = dict.fromkeys(name.partition("/")[2] for name in found)
    wanted = [f"{slot}/{name}" for name in names for slot in optimizer.slots]
    if set(found) != set(wanted):
        raise ValueError(f"state does not fit {optimizer!r}: {difference(wanted, found)}")
    if optimizer.slots and iteration and not found:
        raise ValueError(f"{optimizer!r} keeps slots, but the state saved after iteration {iteration} is empty")
    for name, array in found.items():
        like = found[f"{optimizer.slots[0]}/{name.partition('/')[2]}"]
        if array.dtype not in FLOATS or array.dtype != like.dtype:
            raise TypeError(f"state[{name!r}] must be float32 or float64 like its other slots, not {array.dtype}")
        if array.shape != like.shape:
            raise ValueError(f"state[{name!r}] has shape {list(array.shape)}, another slot {list(like.shape)}")
        finite(f"state[{name!r}]", array)
    return found, {name.removeprefix("skipped/"): int(n) for name, n in skipped.items()}


def difference(wanted: Iterable[str], given: Iterable[str]) -> str:
    """Missing and unknown names, as text."""
    missing, unknown = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    parts = [f"{word} {', '.join(map(repr, names))}" for word, names in (("missing", missing), ("unknown", unknown))]
    return "; ".join(part for part, names in zip(parts, (missing, unknown), strict=True) if names)
