"""Alpha synapse: rises and falls with one time constant,

output(s) = w (s / tau) exp(1 - s / tau)    at time s after a spike, which is w at its peak, s = tau.
"""

from __future__ import annotations

import math

from .synapse import Synapse, make, time_constants


def step(a, z, y, jump_z, jump_y, zz, yz, yy, share_z, share_y):
    """One step; the numbers are those of ``Synapse.numbers``."""
    z, y = z + jump_z * a, y + jump_y * a
    return share_z * z + share_y * y, zz * z, yz * z + yy * y


def Alpha(tau: float, reversal: float | None = None) -> Synapse:
    """A synapse whose output is an alpha function with the weight as its peak.

    Parameters
    ----------
    tau : float, ms
        Time to the peak.
    reversal : float, mV, optional
        Makes it a conductance with this reversal potential; by default it is a current.

    Returns
    -------
    Synapse

    Examples
    --------
    >>> Alpha(2.0)
    Alpha(tau=2.0)
    """
    (tau,) = time_constants("Alpha", tau=tau)
    rate = 1.0 / tau
    matrix = ((-rate, 0.0), (1.0, -rate))
    return make("Alpha", step, ("z", "y"), matrix, (math.e * rate, 0.0), (0.0, 1.0), reversal, {"tau": tau})
