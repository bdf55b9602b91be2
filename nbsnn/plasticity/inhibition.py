"""Lateral inhibition: units of a population compete, and who spikes first keeps the others from spiking.

L_jk = -strength for j != k, 0 for j = k
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from ..layers.layer import Array
from ..random import Draws
from ..validate import number


@dataclass(frozen=True)
class Inhibition:
    """Weights with which each unit inhibits all others: -strength, and 0 on the diagonal."""

    strength: float

    def __post_init__(self) -> None:
        number("the strength of lateral inhibition", self.strength, above=0.0)

    def __call__(self, shape: tuple[int, ...], fan_in: int, fan_out: int, draws: Draws, dtype: DTypeLike) -> Array:
        return np.where(np.eye(*shape, dtype=bool), 0, -self.strength).astype(dtype)
