"""Normal noise on values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..random import Draws
from ..validate import number, real
from .places import checked


@dataclass(frozen=True)
class noise:
    """Adds a normal number to each value of images or series.

    Parameters
    ----------
    std : float, default 0.1
        Standard deviation.

    Examples
    --------
    >>> x = noise(0.5)(np.zeros((10, 1000), np.float32), Draws(0))
    >>> x.dtype, round(float(x.std()), 2)
    (dtype('float32'), 0.5)
    """

    std: float = 0.1

    def __post_init__(self) -> None:
        number("std", self.std, least=0.0)

    def __call__(self, x: np.ndarray, draws: Draws) -> np.ndarray:
        """Samples like ``x``, floats."""
        x = real("x", x)
        dtype = x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float32)
        return x + checked(draws).normal(x.shape, std=self.std, dtype=dtype)
