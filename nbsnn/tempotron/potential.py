"""The postsynaptic potential of one input spike: a difference of two exponentials, and what follows from it.

    K(t) = exp(-t / tau) - exp(-t / tau_s)    for t >= 0, else 0

A membrane between two input spikes has the same form, ``m exp(-d / tau) - s exp(-d / tau_s)`` at a time ``d`` after the
earlier one, with ``m`` and ``s`` the decayed sums of the weights that have arrived. Its slope vanishes at

    d = tau tau_s / (tau - tau_s)  log(s tau / (m tau_s))

which is a maximum if ``m > 0`` and ``s tau > m tau_s``. With ``m = s = 1`` that is the peak of K, and the factor

    v0 = v_threshold / K(t_peak)

makes one input of weight 1 peak at the threshold. ``tau > tau_s > 0`` throughout.

R. Guetig and H. Sompolinsky, "The tempotron: a neuron that learns spike timing-based decisions", Nature Neuroscience 9
(2006), doi:10.1038/nn1643.
"""

from __future__ import annotations

from math import exp, log

from ..validate import number


def psp(t: float, tau: float, tau_s: float) -> float:
    """The potential K(t) that a spike leaves, not normalised.

    Parameters
    ----------
    t : float, ms or steps
        Time since the spike.
    tau, tau_s : float, ms or steps
        As in ``peak_time``.

    Returns
    -------
    float
        0 before the spike.

    Examples
    --------
    >>> psp(0.0, 15.0, 3.75), psp(-1.0, 15.0, 3.75)
    (0.0, 0.0)
    """
    return exp(-t / tau) - exp(-t / tau_s) if t >= 0.0 else 0.0


def dpsp(t: float, tau: float, tau_s: float) -> float:
    """The slope of K; at ``t = 0`` the one from the right.

    Parameters
    ----------
    t : float, ms or steps
        Time since the spike.
    tau, tau_s : float, ms or steps
        As in ``peak_time``.

    Returns
    -------
    float

    Examples
    --------
    >>> dpsp(0.0, 4.0, 1.0), dpsp(-1.0, 4.0, 1.0)
    (0.75, 0.0)
    """
    return exp(-t / tau_s) / tau_s - exp(-t / tau) / tau if t >= 0.0 else 0.0


def stationary(m: float, s: float, tau: float, tau_s: float) -> float:
    """Time at which the slope of ``m exp(-d / tau) - s exp(-d / tau_s)`` vanishes; ``m`` and ``s`` of equal sign.

    >>> round(stationary(1.0, 1.0, 15.0, 3.75), 6)
    6.931472
    """
    return tau * tau_s / (tau - tau_s) * log(s * tau / (m * tau_s))


def rise(m: float, s: float, level: float, tau: float, tau_s: float) -> float:
    """When ``m exp(-d / tau) - s exp(-d / tau_s)``, below ``level`` at ``d = 0``, gets there on its way to its maximum.

    Newton's method. The way up is concave, so the steps come from below and never pass the solution.

    >>> round(rise(2.0, 2.0, 0.5, 15.0, 3.75), 6), round(2.0 * psp(1.634, 15.0, 3.75), 6)
    (1.634, 0.5)
    """
    d = 0.0
    for _ in range(50):
        slow, fast = m * exp(-d / tau), s * exp(-d / tau_s)
        slope = fast / tau_s - slow / tau
        if slope <= 0.0:
            break
        step = (level - slow + fast) / slope
        if not step > d * 1e-7:
            break
        d += step
    return d


def peak_time(tau: float, tau_s: float) -> float:
    """Time of the maximum of K.

    Parameters
    ----------
    tau, tau_s : float, ms or steps
        Time constants of membrane and synapse, ``tau > tau_s > 0``.

    Returns
    -------
    float
        In the unit of the time constants.

    Raises
    ------
    TypeError, ValueError
        They are no finite numbers in that order.

    Examples
    --------
    >>> round(peak_time(15.0, 3.75), 6)
    6.931472
    """
    tau_s = number("tau_s", tau_s, above=0.0)
    tau = number("tau", tau, above=0.0)
    if not tau > tau_s:
        raise ValueError(f"tau must be greater than tau_s = {tau_s:g}, not {tau:g}")
    return stationary(1.0, 1.0, tau, tau_s)


def normaliser(tau: float, tau_s: float, v_threshold: float = 1.0) -> float:
    """The factor v0 with which the largest value of ``v0 K(t)`` is ``v_threshold``.

    Parameters
    ----------
    tau, tau_s : float, ms or steps
        As in ``peak_time``.
    v_threshold : float, membrane unit, default 1.0
        Above 0.

    Returns
    -------
    float

    Examples
    --------
    >>> round(normaliser(15.0, 3.75), 6)
    2.116535
    """
    t = peak_time(tau, tau_s)
    highest = psp(t, tau, tau_s)
    if not highest > 0.0:
        raise ValueError(f"tau_s must not be so much shorter than tau: {tau_s!r} and {tau!r}")
    return number("v_threshold", v_threshold, above=0.0) / highest
