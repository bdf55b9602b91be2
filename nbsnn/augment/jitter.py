"""Events that happen a little earlier or later, and nearby."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..events import Recordings
from ..events.fields import PER_MS
from ..random import Draws
from ..validate import instance, number
from .places import checked, shape_of


@dataclass(frozen=True)
class jitter:
    """Moves each event of recordings by itself, in time and on the sensor, by normal numbers.

    An event that would come before 0 comes at 0; one that would leave the sensor is dropped.

    Parameters
    ----------
    time : float, ms, default 0
        Standard deviation of its time.
    space : float, pixels, default 0
        Standard deviation of its row and of its column, rounded to whole pixels.

    Examples
    --------
    >>> events = np.array([(10.0, 1), (20.0, 2)], [("t", "f8"), ("x", "i2")])
    >>> recordings = Recordings([events], shape=(4,), unit="ms")
    >>> jitter(time=1.0)(recordings, Draws(0)).t.round(1)
    array([10.2, 19.1])
    """

    time: float = 0.0
    space: float = 0.0

    def __post_init__(self) -> None:
        number("time", self.time, least=0.0)
        number("space", self.space, least=0.0)

    def __call__(self, x: Recordings, draws: Draws) -> Recordings:
        """Recordings of the same samples."""
        instance("x", x, Recordings, "nbsnn.events.Recordings")
        draws, n = checked(draws), len(x.t)
        t, index, keep = x.t, x.index, np.ones(n, bool)
        if self.time:
            t = t + draws.fold("time").normal(n, std=self.time * PER_MS[x.unit], dtype=np.float64)
            t = np.maximum(np.rint(t) if x.t.dtype.kind == "i" else t, 0.0)
        if self.space:
            _, _, height, width = shape_of(x, None)
            rest, column = np.divmod(x.index.astype(np.int64), width)
            channel, row = np.divmod(rest, height)
            moves = np.rint(draws.fold("space").normal((2, n), std=self.space, dtype=np.float64)).astype(np.int64)
            row, column = row + (moves[0] if height > 1 else 0), column + moves[1]
            keep = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            index = (channel * height + row) * width + column
        return x.edited(t, index, keep)
