"""Population code: each value is seen by M units with overlapping Gaussian receptive fields.

    y_m = exp(-(x - mu_m)^2 / (2 sigma^2)),      m = 1 ... M
    mu_m = low + (2 m - 3) / 2 * (high - low) / (M - 2),      sigma = (high - low) / (beta (M - 2))

The outermost centres lie half a spacing outside [low, high], so that the ends are covered as the middle is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device.buffers import Array
from ..random import Draws
from ..validate import ascending, choice, count, number, scale
from . import steps_cuda
from .coded import ByValue
from .encoder import first_spikes, samples


@dataclass(frozen=True, repr=False)
class population(ByValue):
    """M units per value, each with a Gaussian receptive field.

    Parameters
    ----------
    T : int
        Number of time steps.
    M : int, default 10
        Units per value, at least 3.
    code : {"rate", "time"}, default "rate"
        ``"rate"``: the response y as a constant current (a read-only view with stride 0 along time).
        ``"time"``: one spike at ``round((T - 1) (1 - y))``, halves to even; none where y is below ``threshold``.
    low, high : float, default 0.0, 1.0
        Range of x.
    beta : float, default 1.5
        Centre spacing over width: larger is narrower.
    threshold : float, default 0.1
        Least response that spikes in ``"time"``, in [0, 1].
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, ..., N * M]
        The last axis is M times as long; the M units of one value are neighbours.

    Raises
    ------
    ValueError
        If x contains NaN or leaves [low, high].

    References
    ----------
    Bohte, Kok and La Poutre (2002), doi:10.1016/S0925-2312(01)00658-0.

    Examples
    --------
    >>> encoder = population(T=4, M=5)
    >>> encoder.centres
    array([-0.16666667,  0.16666667,  0.5       ,  0.83333333,  1.16666667])
    >>> encoder(np.float32([[0.5, 0.1]])).shape
    (4, 1, 10)
    """

    M: int = 10
    code: str = "rate"
    low: float = 0.0
    high: float = 1.0
    beta: float = 1.5
    threshold: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        count("M", self.M, least=3, most=1 << 20)
        choice("code", self.code, ("rate", "time"))
        ascending("low", self.low, "high", self.high, equal=False)
        scale("(high - low) / beta", (self.high - self.low) / number("beta", self.beta, above=0.0))
        if not 0.0 <= number("threshold", self.threshold) <= 1.0:
            raise ValueError(f"threshold must lie in [0, 1], not {self.threshold!r}")

    @property
    def centres(self) -> np.ndarray:
        """Centres of the receptive fields: float64 [M]."""
        return self.low + (np.arange(1, self.M + 1) - 1.5) * (self.high - self.low) / (self.M - 2)

    @property
    def sigma(self) -> float:
        """Width of the receptive fields."""
        return (self.high - self.low) / (self.beta * (self.M - 2))

    def responses(self, x: np.ndarray) -> np.ndarray:
        """Responses in [0, 1], float64 [B, ..., N * M]; they may go to any other encoder."""
        x = samples(self, x, low=self.low, high=self.high)
        y = np.exp(-(((x[..., None] - self.centres) / self.sigma) ** 2) / 2.0)
        return y.reshape(*x.shape[:-1], -1)

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Currents or spikes [T, B, ..., N * M] of samples [B, ..., N]."""
        codes = self.codes(x)
        if self.static:
            return np.broadcast_to(codes, (self.T, *codes.shape))
        return first_spikes(codes, self.T, self.dtype)

    @property
    def static(self) -> bool:
        return self.code == "rate"

    def codes(self, x: np.ndarray) -> np.ndarray:
        """Responses as currents, or times of spikes, int64; [B, ..., N * M]."""
        y = self.responses(x)
        if self.static:
            return y.astype(self.dtype)
        return np.where(y < self.threshold, self.T, np.rint((self.T - 1) * (1.0 - y))).astype(np.int64)

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        if self.static:
            return codes.reshape(1, *codes.shape)
        return steps_cuda.first_spikes(codes, self.T, self.dtype)
