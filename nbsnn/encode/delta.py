"""Delta code: spikes where a time series rises (ON) or falls (OFF).

    difference   ON[t] = x[t] - x[t-1] >= threshold,      OFF[t] = x[t-1] - x[t] >= threshold
    crossing     ON[t] = x[t] - r[t-1] >= threshold,      OFF[t] = r[t-1] - x[t] >= threshold,
                 r[t] = r[t-1] + threshold (ON[t] - OFF[t]),      r[0] = x[0]

In the second form the reference follows the series in steps of ``threshold``, so slow changes are not lost and
``r`` can be rebuilt from the spikes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from ..device import gpu
from ..device.buffers import Array
from ..random import Draws
from ..validate import choice, number
from .encoder import Encoder, samples


@dataclass(frozen=True, repr=False)
class delta(Encoder):
    """ON and OFF spikes of a time series.

    Parameters
    ----------
    T : int
        Number of time steps: the length of the series.
    threshold : float, default 0.1
        Change that makes a spike, above 0, in the unit of x. There is no tolerance: a series that rises by one
        threshold per step, where that is no sum of powers of 2, misses some spikes by rounding.
    form : {"crossing", "difference"}, default "crossing"
        What a change is measured against: a reference that moves by one threshold per spike, or the previous step.
        There is at most one spike per step and channel: a reference that is left behind by a jump catches up later.
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, 2 N, ...]
        0 or 1; along axis 2 first the ON, then the OFF channels. No spikes at step 0.

    Raises
    ------
    ValueError
        If x contains NaN or is not T steps long.

    References
    ----------
    Lichtsteiner, Posch and Delbruck (2008), doi:10.1109/JSSC.2007.914337.

    Examples
    --------
    >>> series = np.float32([0.0, 0.25, 0.5, 0.5, 0.0]).reshape(5, 1, 1)
    >>> delta(T=5, threshold=0.25)(series)[:, 0].T
    array([[0., 1., 1., 0., 0.],
           [0., 0., 0., 0., 1.]], dtype=float32)
    """

    threshold: float = 0.1
    form: str = "crossing"

    def __post_init__(self) -> None:
        super().__post_init__()
        number("threshold", self.threshold, above=0.0)
        choice("form", self.form, ("crossing", "difference"))

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Spikes [T, B, 2 N, ...] of time series [T, B, N, ...]."""
        return self._spikes(x, self.dtype)

    def on_gpu(self, x: np.ndarray, draws: Draws | None = None) -> Array:
        """Encode with the result on the GPU; spikes are transferred as bytes, half as many as those of x."""
        spikes = gpu.put(self._spikes(x, np.int8))
        y = gpu.empty(spikes.shape, self.dtype)
        gpu.copy(spikes, y)
        return y

    def _spikes(self, x: np.ndarray, dtype: DTypeLike) -> np.ndarray:
        x = samples(self, x)
        if x.ndim < 3 or x.shape[0] != self.T:
            raise ValueError(f"encode.delta: x must have shape [T={self.T}, B, N...], not {list(x.shape)}")
        N = x.shape[2]
        spikes = np.zeros((self.T, x.shape[1], 2 * N, *x.shape[3:]), dtype)
        moved = np.zeros(x.shape[1:])  # thresholds that the reference has moved: whole numbers, so it never drifts
        for t in range(1, self.T):
            change = x[t] - (x[t - 1] if self.form == "difference" else x[0] + self.threshold * moved)
            on, off = change >= self.threshold, -change >= self.threshold
            spikes[t, :, :N], spikes[t, :, N:] = on, off
            moved += on
            moved -= off
        return spikes
