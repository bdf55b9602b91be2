"""Short-term plasticity: synapses that tire and that are facilitated (Tsodyks and Markram).

At a spike that comes ``gap`` after the one before, from the state u, R that this has left,

    u <- U + u (1 - U) exp(-gap / tau_facil)                 use of the resources, before: decays to U
    R <- 1 + (R - R u - 1) exp(-gap / tau_rec)               resources, recovered since the last spike took its share
    the spike releases u R: its weight is w u R

M. Tsodyks, K. Pawelzik and H. Markram 1998, doi:10.1162/089976698300017502. State and release belong to the source unit
within one connection, since all its synapses see the same spikes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..validate import number


def released(u: float, r: float, gap: float, numbers: Sequence[float] | np.ndarray) -> tuple[float, float, float]:
    """State after this spike and the share that it releases; ``numbers`` are U, 1/tau_rec, 1/tau_facil and whether
    there has been no spike yet is told by a gap below zero."""
    use, recovery, facilitation = numbers[0], numbers[1], numbers[2]
    if gap < 0.0:
        return use, 1.0, use
    left = r * (1.0 - u)
    r = 1.0 + (left - 1.0) * math.exp(-gap * recovery)
    u = use + u * (1.0 - use) * math.exp(-gap * facilitation)
    return u, r, u * r


@dataclass(frozen=True)
class TsodyksMarkram:
    """Short-term depression and facilitation of a connection.

    Parameters
    ----------
    U : float
        Share of the resources that a single spike uses, between 0 and 1.
    tau_rec : float, ms
        Time constant with which resources recover.
    tau_facil : float, ms
        Time constant with which facilitation fades; 0: none.

    Examples
    --------
    >>> TsodyksMarkram(U=0.5, tau_rec=800.0)
    TsodyksMarkram(U=0.5, tau_rec=800.0, tau_facil=0.0)
    """

    U: float = 0.5
    tau_rec: float = 800.0
    tau_facil: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < number("U", self.U) <= 1.0:
            raise ValueError(f"U must be above 0 and at most 1, not {self.U!r}")
        number("tau_rec", self.tau_rec, above=0.0)
        number("tau_facil", self.tau_facil, least=0.0)

    def numbers(self, dt: float) -> list[float]:
        """Constants that ``released`` reads, for gaps in steps of ``dt``."""
        return [self.U, dt / self.tau_rec, dt / self.tau_facil if self.tau_facil else math.inf]
