"""Time series as they are: the value of a step is the current at that step.

I[t] = x[t]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..random import Draws
from ..validate import number
from .encoder import Encoder, samples


@dataclass(frozen=True, repr=False)
class series(Encoder):
    """A time series of each sample as currents: ``I[t] = gain x[t]``.

    Parameters
    ----------
    T : int
        Number of time steps: the length of the series.
    gain : float, default 1.0
        Current of a value of 1.
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, N...]

    Raises
    ------
    ValueError
        If x contains NaN or infinity, or has no axis of T steps behind that of the samples.

    Examples
    --------
    >>> series(T=3)(np.array([[[1.0], [2.0], [3.0]]]))[:, 0, 0]
    array([1., 2., 3.], dtype=float32)
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        number("gain", self.gain)

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Currents [T, B, N...] of samples [B, T, N...]."""
        x = samples(self, x)
        if x.ndim < 3 or x.shape[1] != self.T:
            raise ValueError(f"encode.series: x must have shape [B, T={self.T}, N...], not {list(x.shape)}")
        return np.ascontiguousarray(np.swapaxes(x, 0, 1) * self.gain, self.dtype)
