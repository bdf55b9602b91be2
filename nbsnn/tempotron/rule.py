"""How a Tempotron learns: one call, whatever the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..validate import shown
from .events import Events

if TYPE_CHECKING:
    from .model import Tempotron


class Rule(Protocol):
    """What ``Tempotron.step`` and ``Tempotron.fit`` ask of a rule of one's own."""

    def learn(self, t: Tempotron, events: Events, target: np.ndarray) -> tuple[float, np.ndarray]:
        """Change ``t.params`` in place, for samples of which ``target`` [B, O] says who should fire.

        Returns the loss, 0 if there is nothing to learn, and ``v_max`` [B, O] as each sample was met.
        """
        ...


def check_rule(rule: Any) -> Rule:
    """Raise ``TypeError`` unless ``rule`` is one."""
    if isinstance(rule, type) or not callable(getattr(rule, "learn", None)):
        raise TypeError(f"rule must be one of nbsnn.tempotron, Classic() say, not {shown(rule)}")
    return rule
