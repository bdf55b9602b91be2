"""Surrogates whose primitive is not a bounded step: rectifiers, and the identity.

They pass gradient however far a neuron is above its threshold (``piecewise_leaky_relu`` on both sides); the integral of
the slope is infinite, so it is no derivative of a unit step, and gradients tend to be large. ``u = v - v_threshold``.
"""

import math

from ..validate import number
from .surrogate import MOST, Surrogate, positive


def piecewise_leaky_relu(w: float = 1.0, c: float = 0.01) -> Surrogate:
    """A box of area 1 around the threshold, and a small constant slope outside.

    ``slope = 1 / (2 w)`` where ``|u| < w``, else ``c``; ``smooth = u / (2 w) + 1/2`` where ``|u| <= w``,
    ``c (u - w) + 1`` above and ``c (u + w)`` below.

    Parameters
    ----------
    w : float, default 1.0
        Half the base of the box in membrane units, above 0.
    c : float, default 0.01
        Slope outside, at least 0.

    Returns
    -------
    Surrogate
        Support: the real line, integral: infinite; with ``c = 0``, ``(-w, w)`` and 1.

    Raises
    ------
    ValueError, TypeError
        If ``w`` is not a finite number above 0, or ``c`` not one of at least 0.

    SpikingJelly ``PiecewiseLeakyReLU`` (defaults 1 and 0.01; up to release 0.0.0.0.14 its box was twice as high).

    Examples
    --------
    >>> from nbsnn.surrogates import piecewise_leaky_relu
    >>> piecewise_leaky_relu().slope(0.0), piecewise_leaky_relu().slope(1.0)
    (0.5, 0.01)
    """
    w = positive("w of piecewise_leaky_relu", w)
    c = number("c of piecewise_leaky_relu", c, least=0.0, most=MOST)
    peak = 0.5 / w

    def smooth(u: float) -> float:
        if abs(u) <= w:
            return peak * u + 0.5
        return c * (u - w) + 1.0 if u > 0.0 else c * (u + w)

    def slope(u: float) -> float:
        return peak if abs(u) < w else c

    options = {"w": w, "c": c}
    if c == 0.0:
        return Surrogate("piecewise_leaky_relu", options, smooth, slope, support=(-w, w))
    return Surrogate("piecewise_leaky_relu", options, smooth, slope, integral=math.inf)


def leaky_k_relu(leak: float = 0.0, k: float = 1.0) -> Surrogate:
    """One constant slope above the threshold and another below it.

    ``slope = k`` for ``u >= 0``, else ``leak``; ``smooth = k u`` for ``u >= 0``, else ``leak u``.

    Parameters
    ----------
    leak : float, default 0.0
        Slope below the threshold, at least 0.
    k : float, default 1.0
        Slope above the threshold, above 0.

    Returns
    -------
    Surrogate
        Support: the real line, or ``(0, inf)`` with ``leak = 0``; integral: infinite.

    Raises
    ------
    ValueError, TypeError
        If ``k`` is not a finite number above 0, or ``leak`` not one of at least 0.

    SpikingJelly ``LeakyKReLU`` (defaults 0 and 1).

    Examples
    --------
    >>> from nbsnn.surrogates import leaky_k_relu
    >>> leaky_k_relu(leak=0.1).slope(0.0), leaky_k_relu(leak=0.1).slope(-0.5)
    (1.0, 0.1)
    """
    leak = number("leak of leaky_k_relu", leak, least=0.0, most=MOST)
    k = positive("k of leaky_k_relu", k)

    def smooth(u: float) -> float:
        return k * u if u >= 0.0 else leak * u

    def slope(u: float) -> float:
        return k if u >= 0.0 else leak

    support = (-math.inf if leak > 0.0 else 0.0, math.inf)
    return Surrogate("leaky_k_relu", {"leak": leak, "k": k}, smooth, slope, support=support, integral=math.inf)


def log_tailed_relu(alpha: float = 0.0) -> Surrogate:
    """A rectifier that grows like a logarithm from 1 on.

    ``slope = alpha`` for ``u <= 0``, 1 up to ``u = 1``, ``1 / u`` beyond; ``smooth = alpha u``, ``u`` and
    ``1 + ln(u)``.

    Parameters
    ----------
    alpha : float, default 0.0
        Slope below the threshold, at least 0.

    Returns
    -------
    Surrogate
        Support: the real line, or ``(0, inf)`` with ``alpha = 0``; integral: infinite.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number of at least 0.

    SpikingJelly ``LogTailedReLU`` (default 0); Cai et al., "Deep learning with low precision by half-wave Gaussian
    quantization", CVPR 2017.

    Examples
    --------
    >>> from nbsnn.surrogates import log_tailed_relu
    >>> log_tailed_relu().slope(1.0), log_tailed_relu().slope(4.0)
    (1.0, 0.25)
    """
    alpha = number("alpha of log_tailed_relu", alpha, least=0.0, most=MOST)

    def smooth(u: float) -> float:
        if u > 1.0:
            return 1.0 + math.log(u)
        return u if u > 0.0 else alpha * u

    def slope(u: float) -> float:
        if u > 1.0:
            return 1.0 / u
        return 1.0 if u > 0.0 else alpha

    support = (-math.inf if alpha > 0.0 else 0.0, math.inf)
    return Surrogate("log_tailed_relu", {"alpha": alpha}, smooth, slope, support=support, integral=math.inf)


def straight_through() -> Surrogate:
    """The identity: the gradient passes as if there were no threshold.

    ``slope = 1`` and ``smooth = u``.

    Returns
    -------
    Surrogate
        Support: the real line; integral: infinite.

    SpikingJelly ``DeterministicPass``, snnTorch and Spyx ``straight_through``; Bengio, Léonard & Courville,
    "Estimating or propagating gradients through stochastic neurons for conditional computation", 2013.

    Examples
    --------
    >>> from nbsnn.surrogates import straight_through
    >>> straight_through()
    straight_through()
    >>> straight_through().slope(-3.0)
    1.0
    """

    def smooth(u: float) -> float:
        return u

    def slope(u: float) -> float:
        return 1.0

    return Surrogate("straight_through", {}, smooth, slope, integral=math.inf)
