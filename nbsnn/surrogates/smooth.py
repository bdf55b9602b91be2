"""Surrogates whose slope is a bell over the whole real line with integral 1: proper derivatives of a smooth unit step.

In the formulas ``u = v - v_threshold``; ``slope`` stands in for the derivative of the step function when a network
learns, and ``smooth``, its primitive, for the step function itself when a gradient is checked. The bells differ in
their tails: exponential (``sigmoid``, ``piecewise_exp``) or falling like a power (``atan``, ``soft_sign``,
``q_pseudo_spike``), which reaches neurons that are far from their threshold.

All are written with ``exp(-|u|)``, ``erfc`` and the like, so that no finite ``u`` overflows.
"""

import math

from ..scalar.exponential import exp
from ..validate import number
from .surrogate import MOST, Surrogate, positive


def logistic(x: float) -> float:
    """``1 / (1 + exp(-x))``, without overflow on either side."""
    e = exp(-abs(x))
    return 1.0 / (1.0 + e) if x >= 0.0 else e / (1.0 + e)


def logistic_slope(x: float) -> float:
    """The derivative of ``logistic``."""
    e = exp(-abs(x))
    return e / ((1.0 + e) * (1.0 + e))


def sigmoid(alpha: float = 4.0) -> Surrogate:
    """The derivative of the logistic function, a bell with exponential tails.

    ``slope = alpha s (1 - s)`` and ``smooth = s`` with ``s = 1 / (1 + exp(-alpha u))``.

    Parameters
    ----------
    alpha : float, default 4.0
        Steepness in 1 / membrane unit, above 0. The slope is ``alpha / 4`` at the threshold.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``Sigmoid`` (default 4); snnTorch ``sigmoid`` (``slope=25``); Zenke & Vogels, "The remarkable
    robustness of surrogate gradient learning", Neural Computation 2021.

    Examples
    --------
    >>> from nbsnn.surrogates import sigmoid
    >>> sigmoid().slope(0.0)
    1.0
    """
    alpha = positive("alpha of sigmoid", alpha)

    def smooth(u: float) -> float:
        return logistic(alpha * u)

    def slope(u: float) -> float:
        return alpha * logistic_slope(alpha * u)

    return Surrogate("sigmoid", {"alpha": alpha}, smooth, slope)


def atan(alpha: float = 2.0) -> Surrogate:
    """The derivative of the arc tangent, a bell whose tails fall like ``1 / u^2``.

    ``slope = (alpha / 2) / (1 + (pi alpha u / 2)^2)`` and ``smooth = atan(pi alpha u / 2) / pi + 1/2``.

    Parameters
    ----------
    alpha : float, default 2.0
        Steepness in 1 / membrane unit, above 0. The slope is ``alpha / 2`` at the threshold.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``ATan`` and snnTorch ``atan`` (default 2); Fang et al., "Incorporating learnable membrane time
    constant to enhance learning of spiking neural networks", ICCV 2021.

    Examples
    --------
    >>> from nbsnn.surrogates import atan
    >>> atan(alpha=3.0).slope(0.0)
    1.5
    """
    alpha = positive("alpha of atan", alpha)
    peak, steepness, unit = 0.5 * alpha, 0.5 * math.pi * alpha, 1.0 / math.pi

    def smooth(u: float) -> float:
        return unit * math.atan(steepness * u) + 0.5

    def slope(u: float) -> float:
        x = steepness * u
        return peak / (1.0 + x * x)

    return Surrogate("atan", {"alpha": alpha}, smooth, slope)


def piecewise_exp(alpha: float = 1.0) -> Surrogate:
    """An exponential on either side of the threshold: a peak with a kink.

    ``slope = (alpha / 2) exp(-alpha |u|)``; ``smooth = 1 - exp(-alpha u) / 2`` for ``u >= 0``, else
    ``exp(alpha u) / 2``.

    Parameters
    ----------
    alpha : float, default 1.0
        Steepness in 1 / membrane unit, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``PiecewiseExp`` (default 1); the spike escape rate of Shrestha & Orchard, "SLAYER: Spike layer error
    reassignment in time", NeurIPS 2018; sinabs' ``SingleExponential`` is the same shape with another height.

    Examples
    --------
    >>> from nbsnn.surrogates import piecewise_exp
    >>> piecewise_exp(alpha=2.0).slope(0.0)
    1.0
    """
    alpha = positive("alpha of piecewise_exp", alpha)
    peak = 0.5 * alpha

    def smooth(u: float) -> float:
        e = 0.5 * exp(-alpha * abs(u))
        return 1.0 - e if u >= 0.0 else e

    def slope(u: float) -> float:
        return peak * exp(-alpha * abs(u))

    return Surrogate("piecewise_exp", {"alpha": alpha}, smooth, slope)


def soft_sign(alpha: float = 2.0) -> Surrogate:
    """The derivative of ``x / (1 + |x|)``: superspike with integral 1.

    ``slope = 1 / (2 alpha (1/alpha + |u|)^2)`` and ``smooth = (alpha u / (1 + alpha |u|) + 1) / 2``.

    Parameters
    ----------
    alpha : float, default 2.0
        Steepness in 1 / membrane unit, above 0. The slope is ``alpha / 2`` at the threshold, and
        ``(alpha / 2) superspike(beta=alpha)`` everywhere.

    Returns
    -------
    Surrogate
        Support: the real line, falling like ``1 / u^2``; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``SoftSign`` (default 2).

    Examples
    --------
    >>> from nbsnn.surrogates import soft_sign
    >>> soft_sign().slope(0.5)
    0.25
    """
    alpha = positive("alpha of soft_sign", alpha)
    peak = 0.5 * alpha

    def smooth(u: float) -> float:
        return 0.5 * (alpha * u / (1.0 + alpha * abs(u)) + 1.0)

    def slope(u: float) -> float:
        x = 1.0 + alpha * abs(u)
        return peak / (x * x)

    return Surrogate("soft_sign", {"alpha": alpha}, smooth, slope)


def q_pseudo_spike(alpha: float = 2.0) -> Surrogate:
    """A bell of height 1 whose tails fall like ``|u|^-alpha``.

    ``slope = q^-alpha`` with ``q = 1 + 2 |u| / (alpha - 1)``; ``smooth = 1 - q^(1 - alpha) / 2`` for ``u >= 0``, else
    ``q^(1 - alpha) / 2``.

    Parameters
    ----------
    alpha : float, default 2.0
        How fast the tails fall, above 1. Large values approach ``exp(-2 |u|)``.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 1.

    SpikingJelly ``QPseudoSpike`` (default 2); Herranz-Celotti & Rouat, "Surrogate gradients design", 2022.

    Examples
    --------
    >>> from nbsnn.surrogates import q_pseudo_spike
    >>> q_pseudo_spike().slope(0.5)
    0.25
    """
    alpha = number("alpha of q_pseudo_spike", alpha, above=1.0, most=MOST)
    rate, power = 2.0 / (alpha - 1.0), 1.0 - alpha

    def smooth(u: float) -> float:
        tail = 0.5 * (1.0 + rate * abs(u)) ** power
        return 1.0 - tail if u >= 0.0 else tail

    def slope(u: float) -> float:
        return (1.0 + rate * abs(u)) ** -alpha

    return Surrogate("q_pseudo_spike", {"alpha": alpha}, smooth, slope)
