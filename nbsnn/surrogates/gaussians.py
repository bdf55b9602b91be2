"""Surrogates whose slope is made of normal densities: the smoothest bells, with tails that vanish fastest.

``N(u; m, s)`` is the normal density with mean ``m`` and standard deviation ``s``, and ``Phi(u; m, s)`` its
distribution function; ``u = v - v_threshold``. Beware of four normalisations of one bell: ``erf`` and ``gaussian``
have integral 1 (they are equal where ``alpha_erf^2 = 1 / (2 alpha_gaussian)``), ``stbp_gaussian`` and
``multi_gaussian`` have not.
"""

import math

from ..scalar.exponential import exp
from ..validate import number
from .surrogate import MOST, Surrogate, positive


def density(x: float, scale: float) -> float:
    """``exp(-x^2) scale``: a normal density, its argument in units of ``sqrt(2)`` standard deviations."""
    return scale * exp(-x * x)


def distribution(x: float) -> float:
    """The integral of a normal density, its argument in units of ``sqrt(2)`` standard deviations."""
    return 0.5 * math.erfc(-x)


def erf(alpha: float = 2.0) -> Surrogate:
    """The derivative of the error function: a normal density, given by its steepness.

    ``slope = (alpha / sqrt(pi)) exp(-alpha^2 u^2)`` and ``smooth = erfc(-alpha u) / 2``.

    Parameters
    ----------
    alpha : float, default 2.0
        Steepness in 1 / membrane unit, above 0. The standard deviation is ``1 / (alpha sqrt(2))``.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``Erf`` (default 2); Norse's ``heaviside_erfc`` is ``2 / alpha`` times as high, at its ``k = alpha``.

    Examples
    --------
    >>> from nbsnn.surrogates import erf
    >>> erf().smooth(0.0)
    0.5
    """
    alpha = positive("alpha of erf", alpha)
    peak = alpha / math.sqrt(math.pi)

    def smooth(u: float) -> float:
        return distribution(alpha * u)

    def slope(u: float) -> float:
        return density(alpha * u, peak)

    return Surrogate("erf", {"alpha": alpha}, smooth, slope)


def gaussian(alpha: float = 0.5) -> Surrogate:
    """A normal density, given by its variance: curve 4 of the STBP paper.

    ``slope = exp(-u^2 / (2 alpha)) / sqrt(2 pi alpha)`` and ``smooth = Phi(u; 0, sqrt(alpha))``.

    Parameters
    ----------
    alpha : float, default 0.5
        Variance in membrane units squared, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    Wu et al., "Spatio-temporal backpropagation for training high-performance spiking neural networks", Frontiers in
    Neuroscience 2018. sinabs' ``Gaussian`` (``sigma=0.5``) is ``gaussian(alpha=0.25)``.

    Examples
    --------
    >>> from nbsnn.surrogates import gaussian
    >>> round(gaussian().slope(0.0), 4)
    0.5642
    """
    alpha = positive("alpha of gaussian", alpha)
    steepness, peak = 1.0 / math.sqrt(2.0 * alpha), 1.0 / math.sqrt(2.0 * math.pi * alpha)

    def smooth(u: float) -> float:
        return distribution(steepness * u)

    def slope(u: float) -> float:
        return density(steepness * u, peak)

    return Surrogate("gaussian", {"alpha": alpha}, smooth, slope)


def stbp_gaussian(alpha: float = 0.5) -> Surrogate:
    """SPAIC's normal density, divided by the square root of ``2 pi alpha`` once more than it should be.

    ``slope = exp(-u^2 / (2 alpha)) / (2 pi alpha)`` and
    ``smooth = Phi(u; 0, sqrt(alpha)) / sqrt(2 pi alpha)``: with the default, the slope at the threshold is 0.318.

    Parameters
    ----------
    alpha : float, default 0.5
        Variance in membrane units squared, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``1 / sqrt(2 pi alpha)``.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SPAIC's STBP learner (default 0.5). The paper behind it (see ``gaussian``) has the square root.

    Examples
    --------
    >>> from nbsnn.surrogates import stbp_gaussian
    >>> round(stbp_gaussian().slope(0.0), 4), round(stbp_gaussian().integral, 4)
    (0.3183, 0.5642)
    """
    alpha = positive("alpha of stbp_gaussian", alpha)
    steepness, peak = 1.0 / math.sqrt(2.0 * alpha), 0.5 / (math.pi * alpha)
    integral = 1.0 / math.sqrt(2.0 * math.pi * alpha)

    def smooth(u: float) -> float:
        return integral * distribution(steepness * u)

    def slope(u: float) -> float:
        return density(steepness * u, peak)

    return Surrogate("stbp_gaussian", {"alpha": alpha}, smooth, slope, integral=integral)


def multi_gaussian(height: float = 0.15, scale: float = 6.0, sigma: float = 0.5) -> Surrogate:
    """A normal density with two shallow wide ones taken away: slightly negative far from the threshold.

    ``slope = (1 + height) N(u; 0, sigma) - height N(u; sigma, scale sigma) - height N(u; -sigma, scale sigma)``;
    ``smooth`` is the same with ``Phi`` for ``N``.

    Parameters
    ----------
    height : float, default 0.15
        Weight of the wide densities, at least 0.
    scale : float, default 6.0
        Their width relative to the narrow one, above 0.
    sigma : float, default 0.5
        Standard deviation of the narrow density in membrane units, above 0.

    Returns
    -------
    Surrogate
        Support: the real line; integral: ``1 - height``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not a finite number in its range.

    Yin, Corradi & Bohté, "Accurate and efficient time-domain classification with adaptive spiking recurrent neural
    networks", Nature Machine Intelligence 2021; the authors' programs halve it. sinabs ``MultiGaussian`` (same
    defaults).

    Examples
    --------
    >>> from nbsnn.surrogates import multi_gaussian
    >>> multi_gaussian().slope(2.0) < 0.0 < multi_gaussian().slope(0.0)
    True
    """
    height = number("height of multi_gaussian", height, least=0.0, most=MOST)
    scale = positive("scale of multi_gaussian", scale)
    sigma = positive("sigma of multi_gaussian", sigma)
    narrow, wide = 1.0 / (math.sqrt(2.0) * sigma), 1.0 / (math.sqrt(2.0) * scale * sigma)
    peak, dip, center = (1.0 + height) * narrow / math.sqrt(math.pi), height * wide / math.sqrt(math.pi), 1.0 + height

    def smooth(u: float) -> float:
        sides = distribution(wide * (u - sigma)) + distribution(wide * (u + sigma))
        return center * distribution(narrow * u) - height * sides

    def slope(u: float) -> float:
        return density(narrow * u, peak) - density(wide * (u - sigma), dip) - density(wide * (u + sigma), dip)

    options = {"height": height, "scale": scale, "sigma": sigma}
    return Surrogate("multi_gaussian", options, smooth, slope, integral=1.0 - height)
