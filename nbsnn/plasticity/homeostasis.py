"""Synaptic scaling: the weights onto a unit grow while it fires less than it should, and shrink while it fires more.

    r <- r + (1 - exp(-every/tau)) (spikes of the interval / every - r)
    w <- w (1 + beta (rate - r)),  within the bounds of the rule

All weights onto a unit change by one factor, so that what was learned, their ratios, stays. The integral term of the
paper is left out. Turrigiano et al. 1998 (doi:10.1038/36103); the equation: van Rossum, Bi and Turrigiano 2000
(doi:10.1523/JNEUROSCI.20-23-08812.2000).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..validate import number, numbers, shaped
from .normalize import check_matrix


@dataclass(frozen=True)
class Scaling:
    """Synaptic scaling towards a target rate, for ``homeostasis=`` of ``nbsnn.Network.connect``.

    Parameters
    ----------
    rate : float, Hz
        The rate at which a unit's weights stay as they are.
    beta : float, per Hz, default 1e-3
        By which part of themselves weights change at the end of an interval, per Hz of difference.
    every : float, ms, default 100.0
        The interval.
    tau : float, ms, default 1000.0
        Time constant of the mean rate, which starts at ``rate``.

    Raises
    ------
    ValueError, TypeError
        If a number is not finite, ``rate`` or ``beta`` below 0, or a time not above 0.

    Examples
    --------
    >>> w = np.array([[1.0, 1.0], [3.0, 3.0]])
    >>> Scaling(5.0, beta=0.1).apply(w, np.array([4.0, 7.0]))
    >>> w
    array([[1.1, 0.8],
           [3.3, 2.4]])
    """

    rate: float
    beta: float = 1e-3
    every: float = 100.0
    tau: float = 1000.0
    by_rates: ClassVar[bool] = True  # whether it reads the rates of units

    def __post_init__(self) -> None:
        for name in ("rate", "beta"):
            number(f"{name} of a scaling", getattr(self, name), least=0.0)
        for name in ("every", "tau"):
            number(f"{name} of a scaling", getattr(self, name), above=0.0)

    @property
    def smoothing(self) -> float:
        """Share of an interval's rate in the mean."""
        return -math.expm1(-self.every / self.tau)

    def constants(self, bounds: tuple[float, float], clip: bool) -> list[float]:
        """What the loop of a network reads: numbers of the equation, and the bounds of weights."""
        return [self.rate, self.beta, self.smoothing, 1000.0 / self.every, *bounds]

    def apply(self, weights: np.ndarray, rates: np.ndarray) -> None:
        """Scale ``weights`` [n_pre, n_post] in place, the mean ``rates`` [n_post] being given in Hz; without bounds."""
        check_matrix(weights)
        rates = shaped("rates", numbers("rates", rates), (weights.shape[1],))
        weights *= np.maximum(1.0 + self.beta * (self.rate - rates), 0.0).astype(weights.dtype)
