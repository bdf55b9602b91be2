"""What the steps of an optimiser so far leave, apart from its slots."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Past:
    """The number of steps made, and the largest of all gradients so far, as far as slots remember them."""

    iteration: int = 0
    largest: float = 0.0
