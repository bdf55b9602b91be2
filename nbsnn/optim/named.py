"""Optimisers as they are given to learners: one of this package, one of their own, or a name."""

from __future__ import annotations

from typing import Any, TypeVar

from ..validate import named, shown
from .adam import Adam, Adamax, AdamW
from .sgd import SGD

T = TypeVar("T")

KINDS: dict[str, type[Any]] = {"Adam": Adam, "AdamW": AdamW, "Adamax": Adamax, "SGD": SGD}


def as_optimizer(optimizer: T | str) -> T:
    """An optimiser as it is, or by its name with default options; raises ``TypeError`` or ``ValueError`` otherwise."""
    if isinstance(optimizer, str):
        name = named("optimizer", optimizer, KINDS)
        if name == "SGD":
            raise ValueError("optimizer='SGD' has no learning rate of its own: nbsnn.optim.SGD(0.1) has one")
        return KINDS[name]()
    if isinstance(optimizer, type) or not hasattr(optimizer, "load") or not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer must be one of nbsnn.optim, Adam(1e-3) say, not {shown(optimizer)}")
    return optimizer
