"""Surrogates whose slope falls like a power (or not at all, but swings) and is not normalised to integral 1.

``u = v - v_threshold``. Slopes that fall like ``1 / u^2`` have a finite integral; those that fall like ``1 / |u|`` have
none: their primitive grows like a logarithm, and the field ``integral`` is infinite.

Three functions in the field are called superspike or fast sigmoid: ``1 / (1 + beta |u|)^2`` (``superspike``, height
1), ``alpha / (1 + |u|)^2`` (``inverse_square``, fixed width) and ``(alpha / 2) / (1 + alpha |u|)^2`` (``soft_sign``,
area 1).
"""

import math

from ..validate import count, number
from .smooth import logistic, logistic_slope
from .surrogate import MOST, Surrogate, positive


def superspike(beta: float = 10.0) -> Surrogate:
    """A peak of height 1 whose tails fall like ``1 / u^2``: the derivative of the fast sigmoid.

    ``slope = 1 / (1 + beta |u|)^2`` and ``smooth = 1/2 + u / (1 + beta |u|)``.

    Parameters
    ----------
    beta : float, default 10.0
        Steepness in 1 / membrane unit, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 / beta``.

    Raises
    ------
    ValueError, TypeError
        If ``beta`` is not a finite number above 0.

    Zenke & Ganguli, "SuperSpike: Supervised learning in multilayer spiking neural networks", Neural Computation 2018.
    snnTorch ``fast_sigmoid`` (``slope=25``), Spyx ``superspike`` (25), Norse ``super`` and SpyTorch (100).

    Examples
    --------
    >>> from nbsnn.surrogates import superspike
    >>> superspike().slope(0.0), superspike().slope(0.1)
    (1.0, 0.25)
    """
    beta = positive("beta of superspike", beta)

    def smooth(u: float) -> float:
        return 0.5 + u / (1.0 + beta * abs(u))

    def slope(u: float) -> float:
        x = 1.0 + beta * abs(u)
        return 1.0 / (x * x)

    return Surrogate("superspike", {"beta": beta}, smooth, slope, integral=2.0 / beta)


def inverse_square(alpha: float = 1.0) -> Surrogate:
    """SpikingJelly's SuperSpike: ``alpha`` scales the height where the paper's ``beta`` scales the width.

    ``slope = alpha / (1 + |u|)^2`` and ``smooth = 1/2 + alpha u / (1 + |u|)``. With ``alpha=1`` it is
    ``superspike(beta=1)``.

    Parameters
    ----------
    alpha : float, default 1.0
        Height, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``2 alpha``.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``SuperSpike`` (default 1).

    Examples
    --------
    >>> from nbsnn.surrogates import inverse_square
    >>> inverse_square(alpha=2.0).slope(1.0)
    0.5
    """
    alpha = positive("alpha of inverse_square", alpha)

    def smooth(u: float) -> float:
        return 0.5 + alpha * u / (1.0 + abs(u))

    def slope(u: float) -> float:
        x = 1.0 + abs(u)
        return alpha / (x * x)

    return Surrogate("inverse_square", {"alpha": alpha}, smooth, slope, integral=2.0 * alpha)


def nonzero_sign_log_abs(alpha: float = 1.0) -> Surrogate:
    """A peak of height ``alpha`` whose tails fall only like ``1 / |u|``.

    ``slope = 1 / (1/alpha + |u|)`` and ``smooth = m ln(1 + alpha |u|)`` with ``m = 1`` for ``u >= 0``, else -1. (No 1/2
    is added: ``smooth`` runs through 0 at the threshold, as in the original.)

    Parameters
    ----------
    alpha : float, default 1.0
        Height, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: infinite.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``NonzeroSignLogAbs`` (default 1).

    Examples
    --------
    >>> from nbsnn.surrogates import nonzero_sign_log_abs
    >>> nonzero_sign_log_abs().slope(-1.0)
    0.5
    """
    alpha = positive("alpha of nonzero_sign_log_abs", alpha)

    def smooth(u: float) -> float:
        log = math.log(1.0 + alpha * abs(u))
        return log if u >= 0.0 else -log

    def slope(u: float) -> float:
        return alpha / (1.0 + alpha * abs(u))

    return Surrogate("nonzero_sign_log_abs", {"alpha": alpha}, smooth, slope, integral=math.inf)


def fake_numerical_gradient(alpha: float = 0.3) -> Surrogate:
    """The difference quotient of the sign function, ``1 / |u|``, cut off at the height ``alpha``.

    ``slope = min(1 / |u|, alpha)``; ``smooth = 1/2 + alpha u`` where ``alpha |u| <= 1``, else
    ``1/2 + m (1 + ln(alpha |u|))`` with ``m`` the sign of ``u``.

    Parameters
    ----------
    alpha : float, default 0.3
        Height, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: infinite.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``FakeNumericalGradient`` (default 0.3), which gives no primitive; at ``u = -0.0`` its slope is minus
    infinity, this one's ``alpha``.

    Examples
    --------
    >>> from nbsnn.surrogates import fake_numerical_gradient
    >>> fake_numerical_gradient().slope(0.0), fake_numerical_gradient().slope(-5.0)
    (0.3, 0.2)
    """
    alpha = positive("alpha of fake_numerical_gradient", alpha)

    def smooth(u: float) -> float:
        x = alpha * abs(u)
        if x <= 1.0:
            return 0.5 + alpha * u
        rise = 1.0 + math.log(x)
        return 0.5 + rise if u > 0.0 else 0.5 - rise

    def slope(u: float) -> float:
        return alpha if alpha * abs(u) <= 1.0 else 1.0 / abs(u)

    return Surrogate("fake_numerical_gradient", {"alpha": alpha}, smooth, slope, integral=math.inf)


def squarewave_fourier_series(n: int = 2, T_period: float = 8.0) -> Surrogate:
    """The derivative of the first terms of a square wave's Fourier series: it swings, and is negative in places.

    ``slope = (4 / T_period) sum_i cos((2 i - 1) w u)`` and
    ``smooth = 1/2 + (2 / pi) sum_i sin((2 i - 1) w u) / (2 i - 1)`` with ``w = 2 pi / T_period`` and
    ``i = 1 ... n - 1``: the sum has ``n - 1`` terms, as in the original, so ``n=2`` is one cosine.

    Parameters
    ----------
    n : int, default 2
        One more than the number of terms, at least 2.
    T_period : float, default 8.0
        Period in membrane units, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: none (the primitive swings for ever), written as infinite.

    Raises
    ------
    ValueError, TypeError
        If ``n`` is not an integer from 2 to 10,000, or ``T_period`` not a finite number above 0.

    SpikingJelly ``SquarewaveFourierSeries`` (defaults 2 and 8).

    Examples
    --------
    >>> from nbsnn.surrogates import squarewave_fourier_series
    >>> squarewave_fourier_series(n=3).slope(0.0)
    1.0
    """
    n = count("n of squarewave_fourier_series", n, least=2, most=10_000)
    T_period = positive("T_period of squarewave_fourier_series", T_period)
    peak, w, unit = 4.0 / T_period, 2.0 * math.pi / T_period, 2.0 / math.pi

    # The harmonic counts as a float: an integer would widen float32 to float64 in a compiled kernel.
    def smooth(u: float) -> float:
        total, harmonic = 0.0, 1.0
        for _ in range(n - 1):
            total += math.sin(harmonic * w * u) / harmonic
            harmonic += 2.0
        return 0.5 + unit * total

    def slope(u: float) -> float:
        total, harmonic = 0.0, 1.0
        for _ in range(n - 1):
            total += math.cos(harmonic * w * u)
            harmonic += 2.0
        return peak * total

    options = {"n": n, "T_period": T_period}
    return Surrogate("squarewave_fourier_series", options, smooth, slope, integral=math.inf)


def s2nn(alpha: float = 4.0, beta: float = 1.0, eps: float = 0.0) -> Surrogate:
    """A sigmoid's slope below the threshold and a slowly falling one above it: a neuron that fires keeps learning.

    Below: ``slope = alpha s (1 - s)`` and ``smooth = s`` with ``s = 1 / (1 + exp(-alpha u))``. From the threshold on:
    ``slope = beta / (u + 1)`` and ``smooth = beta ln(u + 1 + eps) + 1/2``. The slope jumps at the threshold unless
    ``beta = alpha / 4``.

    Parameters
    ----------
    alpha : float, default 4.0
        Steepness below the threshold, above 0.
    beta : float, default 1.0
        Height at the threshold, seen from above; above 0.
    eps : float, default 0.0
        SpikingJelly adds 1e-5 in the logarithm but not in the slope; with 0, ``slope`` is the exact derivative.

    Returns
    -------
    Surrogate
        Support: the real line; integral: infinite.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` or ``beta`` is not a finite number above 0, or ``eps`` not one of at least 0.

    SpikingJelly ``S2NN`` (defaults 4 and 1); Suetake et al., "S2NN: Time step reduction of spiking surrogate gradients
    for training energy efficient single-step spiking neural networks", 2022.

    Examples
    --------
    >>> from nbsnn.surrogates import s2nn
    >>> s2nn().slope(1.0), s2nn(alpha=8.0).slope(-0.0)
    (0.5, 1.0)
    """
    alpha = positive("alpha of s2nn", alpha)
    beta = positive("beta of s2nn", beta)
    eps = number("eps of s2nn", eps, least=0.0, most=MOST)

    def smooth(u: float) -> float:
        return logistic(alpha * u) if u < 0.0 else beta * math.log(u + 1.0 + eps) + 0.5

    def slope(u: float) -> float:
        return alpha * logistic_slope(alpha * u) if u < 0.0 else beta / (u + 1.0)

    return Surrogate("s2nn", {"alpha": alpha, "beta": beta, "eps": eps}, smooth, slope, integral=math.inf)
