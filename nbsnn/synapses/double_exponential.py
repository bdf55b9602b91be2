"""Double exponential synapse: rises with one time constant and decays with another,

    output(s) = w (exp(-s / tau_decay) - exp(-s / tau_rise)) / peak,

with ``peak`` the greatest value of the difference, so that the weight is the peak of the output.
"""

from __future__ import annotations

from .alpha import step
from .synapse import Synapse, make, time_constants


def DoubleExponential(tau_rise: float, tau_decay: float, reversal: float | None = None) -> Synapse:
    """A synapse whose output is a difference of exponentials with the weight as its peak.

    Parameters
    ----------
    tau_rise, tau_decay : float, ms
        Time constants; they must differ (``Alpha`` is the case where they do not), in either order.
    reversal : float, mV, optional
        Makes it a conductance with this reversal potential; by default it is a current.

    Returns
    -------
    Synapse

    Examples
    --------
    >>> DoubleExponential(0.5, 5.0)
    DoubleExponential(tau_rise=0.5, tau_decay=5.0)
    """
    fast, slow = sorted(time_constants("DoubleExponential", tau_rise=tau_rise, tau_decay=tau_decay))
    if slow - fast < 1e-6 * slow:
        raise ValueError(f"tau_rise and tau_decay must differ, not {tau_rise} and {tau_decay}; Alpha has equal ones")
    ratio = fast / slow
    peak = ratio ** (fast / (slow - fast)) - ratio ** (slow / (slow - fast))
    matrix = ((-1.0 / slow, 0.0), (0.0, -1.0 / fast))
    jump = (1.0 / peak, -1.0 / peak)
    return make("DoubleExponential", step, ("z", "y"), matrix, jump, (1.0, 1.0), reversal,
                {"tau_rise": tau_rise, "tau_decay": tau_decay})  # fmt: skip
