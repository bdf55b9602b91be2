"""Surrogates that Norse has and others do not, under its names; ``u = v - v_threshold``."""

import math

from .surrogate import Surrogate, positive


def no_slope() -> Surrogate:
    """No gradient passes a spike: Norse's ``heaviside``.

    Returns
    -------
    Surrogate
        Support: none; integral: 0.

    Examples
    --------
    >>> from nbsnn.surrogates import no_slope
    >>> no_slope().slope(0.0)
    0.0
    """

    def smooth(u: float) -> float:
        return 0.5

    def slope(u: float) -> float:
        return 0.0

    return Surrogate("no_slope", {}, smooth, slope, (0.0, 0.0), 0.0)


def tanh(alpha: float = 1.0) -> Surrogate:
    """The derivative of a hyperbolic tangent by its argument: ``slope = 1 - tanh(alpha u)^2``, of height 1.

    Parameters
    ----------
    alpha : float, default 1.0
        Steepness, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 / alpha``.

    Norse ``tanh``.

    Examples
    --------
    >>> from nbsnn.surrogates import tanh
    >>> round(tanh(2.0).slope(0.5), 4)
    0.42
    """
    alpha = positive("alpha of tanh", alpha)

    def smooth(u: float) -> float:
        return 0.5 + math.tanh(alpha * u) / alpha

    def slope(u: float) -> float:
        t = math.tanh(alpha * u)
        return 1.0 - t * t

    return Surrogate("tanh", {"alpha": alpha}, smooth, slope, integral=2.0 / alpha)


def circ(alpha: float = 1.0) -> Surrogate:
    """``slope = alpha^3 / (alpha^2 + u^2)^1.5``: the derivative of ``alpha u / sqrt(alpha^2 + u^2)``.

    Parameters
    ----------
    alpha : float, default 1.0
        Width, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 alpha``.

    Norse ``circ``.

    Examples
    --------
    >>> from nbsnn.surrogates import circ
    >>> circ(0.4).slope(0.0)
    1.0
    """
    alpha = positive("alpha of circ", alpha)

    def smooth(u: float) -> float:
        return 0.5 + alpha * u / math.sqrt(alpha * alpha + u * u)

    def slope(u: float) -> float:
        h = alpha / math.sqrt(alpha * alpha + u * u)
        return h * h * h

    return Surrogate("circ", {"alpha": alpha}, smooth, slope, integral=2.0 * alpha)


def heavi_erfc(alpha: float = 1.0) -> Surrogate:
    """A Gaussian of height ``2 / sqrt(pi)``: ``slope = 2 / sqrt(pi) exp(-(alpha u)^2)``.

    Parameters
    ----------
    alpha : float, default 1.0
        Steepness, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 / alpha``.

    Norse ``heavi_erfc``.

    Examples
    --------
    >>> from nbsnn.surrogates import heavi_erfc
    >>> round(heavi_erfc().slope(0.0), 4)
    1.1284
    """
    alpha = positive("alpha of heavi_erfc", alpha)

    def smooth(u: float) -> float:
        return 0.5 + math.erf(alpha * u) / alpha

    def slope(u: float) -> float:
        return 1.1283791670955126 * math.exp(-(alpha * u) * (alpha * u))

    return Surrogate("heavi_erfc", {"alpha": alpha}, smooth, slope, integral=2.0 / alpha)
