"""Time-to-first-spike code: the larger the value, the earlier its one spike.

    log      t = floor(tau log(x / (x - threshold)))    when a leaky membrane charged by the current x reaches threshold
    linear   t = round((T - 1) (1 - x))

Values below the threshold never spike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device.buffers import Array
from ..random import Draws
from ..validate import choice, number
from . import steps_cuda
from .coded import ByValue
from .encoder import first_spikes, samples


@dataclass(frozen=True, repr=False)
class latency(ByValue):
    """One spike per value, earlier for larger values; none for values below ``threshold``.

    Parameters
    ----------
    T : int
        Number of time steps; a spike that would come later is left out.
    form : {"log", "linear"}, default "log"
        ``"log"``: ``floor(tau log(x / (x - threshold)))``, x at least 0; never at ``x = threshold``.
        ``"linear"``: ``round((T - 1) (1 - x))``, halves to even, x in [0, 1].
    tau : float, default 20.0
        Membrane time constant of ``"log"``, in steps.
    threshold : float, default 0.2
        Least value that spikes; ``"log"`` needs it above 0, ``"linear"`` with 0 lets every value spike.
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, N...]
        0 or 1.

    Raises
    ------
    ValueError
        If x contains NaN or leaves its range.

    References
    ----------
    Zenke and Vogels (2021), doi:10.1162/neco_a_01367, for ``"log"``.

    Examples
    --------
    >>> encoder = latency(T=5, form="linear", threshold=0.1)
    >>> encoder.times(np.float32([[1.0, 0.5, 0.25, 0.0]]))
    array([[0, 2, 3, 5]])
    >>> encoder(np.float32([[1.0, 0.5]]))[:, 0, 1]
    array([0., 0., 1., 0., 0.], dtype=float32)
    """

    form: str = "log"
    tau: float = 20.0
    threshold: float = 0.2

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("form", self.form, ("log", "linear"))
        number("tau", self.tau, above=0.0)
        if self.form == "log":
            number("threshold", self.threshold, above=0.0)
        else:
            number("threshold", self.threshold, least=0.0)

    def times(self, x: np.ndarray) -> np.ndarray:
        """Spike times int64 [B, N...], in steps; T stands for never."""
        x = samples(self, x, low=0.0, high=1.0 if self.form == "linear" else None)
        if self.form == "linear":
            times = np.rint((self.T - 1) * (1.0 - x))
        else:
            with np.errstate(divide="ignore", invalid="ignore"):  # at and below threshold: replaced below
                times = np.floor(self.tau * np.log(x / (x - self.threshold)))
        return np.where((x < self.threshold) | ~(times < self.T), self.T, times).astype(np.int64)

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Spikes [T, B, N...] of samples [B, N...]."""
        return first_spikes(self.times(x), self.T, self.dtype)

    def codes(self, x: np.ndarray) -> np.ndarray:
        """``times``."""
        return self.times(x)

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        return steps_cuda.first_spikes(codes, self.T, self.dtype)
