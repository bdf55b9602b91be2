"""Losses as they are given to learners: functions, or a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..validate import function, named


def known() -> list[str]:
    """Names of the losses of this package that are ready to use."""
    from .. import losses

    return [name for name, value in vars(losses).items() if name.islower() and hasattr(value, "decision")]


def as_loss(loss: object) -> Callable[..., Any]:
    """A loss as it is, or by its name; raises ``TypeError`` or ``ValueError`` for anything else."""
    from .. import losses

    if isinstance(loss, str):
        return getattr(losses, named("loss", loss, known()))
    return function("loss", loss, "callable, loss(output, target)", takes=2)
