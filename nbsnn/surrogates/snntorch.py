"""Surrogates that snnTorch has and others do not; ``u = v - v_threshold``. Two of them are centred at u = 1."""

import math

from ..validate import number
from .surrogate import Surrogate, positive


def triangular(threshold: float = 1.0) -> Surrogate:
    """No triangle but a step down: ``slope = threshold`` below the threshold and ``-threshold`` from there on.

    Parameters
    ----------
    threshold : float, default 1.0
        Height, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; the integral does not converge.

    snnTorch ``triangular``.

    Examples
    --------
    >>> from nbsnn.surrogates import triangular
    >>> triangular().slope(-0.5), triangular().slope(0.5)
    (1.0, -1.0)
    """
    threshold = positive("threshold of triangular", threshold)

    def smooth(u: float) -> float:
        return 0.5 - threshold * abs(u)

    def slope(u: float) -> float:
        return threshold if u < 0.0 else -threshold

    return Surrogate("triangular", {"threshold": threshold}, smooth, slope, integral=math.nan)


def heaviside() -> Surrogate:
    """The gradient passes above the threshold alone: ``slope = 1`` for u > 0, else 0.

    Returns
    -------
    Surrogate
        Support: the positive half; the integral is infinite.

    snnTorch ``heaviside``.

    Examples
    --------
    >>> from nbsnn.surrogates import heaviside
    >>> heaviside().slope(-0.5), heaviside().slope(0.5)
    (0.0, 1.0)
    """

    def smooth(u: float) -> float:
        return max(u, 0.0)

    def slope(u: float) -> float:
        return 1.0 if u > 0.0 else 0.0

    return Surrogate("heaviside", {}, smooth, slope, (0.0, math.inf), math.inf)


def spike_rate_escape(beta: float = 1.0, slope: float = 25.0) -> Surrogate:
    """Two exponentials around u = 1: ``slope exp(-beta |u - 1|)``.

    Parameters
    ----------
    beta : float, default 1.0
        Steepness, above 0.
    slope : float, default 25.0
        Height, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 slope / beta``.

    snnTorch ``spike_rate_escape``.

    Examples
    --------
    >>> from nbsnn.surrogates import spike_rate_escape
    >>> spike_rate_escape().slope(1.0)
    25.0
    """
    beta, height = positive("beta of spike_rate_escape", beta), positive("slope of spike_rate_escape", slope)

    def smooth(u: float) -> float:
        side = math.exp(-beta * abs(u - 1.0))
        return height / beta * (side if u < 1.0 else 2.0 - side)

    def derivative(u: float) -> float:
        return height * math.exp(-beta * abs(u - 1.0))

    options = {"beta": beta, "slope": height}
    return Surrogate("spike_rate_escape", options, smooth, derivative, integral=2.0 * height / beta)


def sfs(slope: float = 25.0, B: float = 1.0) -> Surrogate:
    """The fast sigmoid beyond a bound: ``1 / (1 + slope |u|)^2`` for u > B, else 0.

    Parameters
    ----------
    slope : float, default 25.0
        Steepness, above 0.
    B : float, default 1.0
        Where it begins.

    Returns
    -------
    Surrogate
        Support: from B on; integral: ``1 / slope - B / (1 + slope |B|)``.

    snnTorch ``SFS``.

    Examples
    --------
    >>> from nbsnn.surrogates import sfs
    >>> sfs().slope(0.5), sfs(slope=1.0).slope(2.0) == 1.0 / 9.0
    (0.0, True)
    """
    k, bound = positive("slope of sfs", slope), number("B of sfs", B, least=-1e12, most=1e12)
    first = bound / (1.0 + k * abs(bound))

    def smooth(u: float) -> float:
        return u / (1.0 + k * abs(u)) - first if u > bound else 0.0

    def derivative(u: float) -> float:
        x = 1.0 + k * abs(u)
        return 1.0 / (x * x) if u > bound else 0.0

    return Surrogate("sfs", {"slope": k, "B": bound}, smooth, derivative, (bound, math.inf), 1.0 / k - first)
