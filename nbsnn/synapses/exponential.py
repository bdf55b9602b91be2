"""Exponential synapse: a jump that decays,

dy/dt = -y / tau,    y <- y + w.
"""

from __future__ import annotations

from .synapse import Synapse, make, time_constants


def step(a, y, jump, decay, share):
    """One step; the numbers are those of ``Synapse.numbers``, of which the jump is 1 here."""
    y = y + a
    return share * y, decay * y


def Exponential(tau: float, reversal: float | None = None) -> Synapse:
    """A synapse whose output jumps by the weight and decays.

    Parameters
    ----------
    tau : float, ms
        Time constant.
    reversal : float, mV, optional
        Makes it a conductance with this reversal potential; by default it is a current.

    Returns
    -------
    Synapse

    Examples
    --------
    >>> Exponential(5.0, reversal=-80.0)
    Exponential(tau=5.0, reversal=-80.0)
    """
    (tau,) = time_constants("Exponential", tau=tau)
    return make("Exponential", step, ("y",), ((-1.0 / tau,),), (1.0,), (1.0,), reversal, {"tau": tau})
