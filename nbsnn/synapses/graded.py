"""Graded synapses, which act between spikes: transmitter is released as the presynaptic membrane lets it.

    S(v) = 1 / (1 + exp((v_half - v) / slope)),        tau ds/dt = S(v_pre) - s,        g or I = w s

Without ``tau`` s is S(v_pre). The membrane is that at the beginning of a step.
"""

from __future__ import annotations

from ..scalar.exponential import exp
from ..validate import number, scale
from .custom import CustomSynapse, Gate


def instant(spike, v, v_half, slope):
    """Release that follows the membrane at once."""
    return (1.0 / (1.0 + exp((v_half - v) / slope)),)


def slow(spike, v, s, v_half, slope, decay):
    """Release that follows with a time constant, and its mean over the step."""
    open = 1.0 / (1.0 + exp((v_half - v) / slope))
    after = open + (s - open) * decay
    return 0.5 * (s + after), after


def passed(a):
    """What targets get: the weighted sum."""
    return (a,)


def Graded(v_half: float, slope: float, tau: float | None = None, *, reversal: float | None = None) -> CustomSynapse:
    """A synapse that reads the membrane of its source in every step, and needs no spikes.

    It acts without delay, unless one is given.

    Parameters
    ----------
    v_half, slope : float, mV
        Membrane of the source at which half is released, and how far it must be from there for e times as much.
    tau : float, ms, optional
        Time constant with which release follows; by default it follows at once.
    reversal : float, mV, optional
        Makes it a conductance with this reversal potential; by default it is a current.

    Returns
    -------
    CustomSynapse

    Raises
    ------
    ValueError, TypeError
        If ``slope`` is 0 or ``tau`` not above 0.

    Examples
    --------
    >>> import nbsnn
    >>> Graded(-50.0, 4.0, reversal=0.0)
    Graded(v_half=-50.0, slope=4.0, tau=None, reversal=0.0)
    """
    params = {"v_half": number("v_half of Graded", v_half), "slope": number("slope of Graded", slope)}
    if not params["slope"]:
        raise ValueError("slope of Graded must not be 0")
    if tau is None:
        gate = Gate(instant, params=params, reads="v")
    else:
        params["decay"] = scale("tau of Graded", tau)
        gate = Gate(slow, state={"s": 0.0}, params=params, per_step={"decay": "exp"}, reads="v")
    output = "current" if reversal is None else "conductance"
    made = CustomSynapse(passed, output=output, reversal=reversal, gate=gate, name="Graded")
    return made.said(v_half=v_half, slope=slope, tau=tau, reversal=reversal)
