"""Events, or values of an array, that are left out at random."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..events import Recordings
from ..random import Draws
from ..validate import fraction, real
from .places import Samples, checked


@dataclass(frozen=True)
class drop:
    """Leaves out some of the events, or sets some of the values to zero, each by itself.

    Parameters
    ----------
    share : float in [0, 1), default 0.1
        Probability of each to be left out.

    Examples
    --------
    >>> int((drop(0.25)(np.ones((1, 1000)), Draws(0)) == 0.0).sum())
    265
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        fraction("share", self.share)

    def __call__(self, x: Samples, draws: Draws) -> Samples:
        """Samples like ``x``."""
        if isinstance(x, Recordings):
            return x.edited(x.t, x.index, checked(draws).uniform(len(x.t), dtype=np.float64) >= self.share)
        x = real("x", x)
        return np.where(checked(draws).uniform(x.shape, dtype=np.float64) >= self.share, x, x.dtype.type(0))
