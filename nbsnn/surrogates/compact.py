"""Surrogates whose slope is zero outside a window around the threshold.

Neurons outside the window pass no gradient at all: learning costs less (inactive units can be skipped), and a neuron
that strays too far learns no more. ``u = v - v_threshold``.

What others call *triangle*, *tent*, *hat* or *piecewise linear* is a triangle here too, under the two names that say
what stays fixed: ``spike_linear(gamma)`` has base 2 and height ``gamma``; ``piecewise_quadratic(alpha)``, so called
after its primitive, has area 1. They meet at ``gamma = alpha = 1``. *Boxcar*, *gate* and *window* are ``rect``.
"""

from .surrogate import Surrogate, positive


def piecewise_quadratic(alpha: float = 1.0) -> Surrogate:
    """A triangle of area 1, the derivative of two parabolas.

    ``slope = alpha - alpha^2 |u|`` and ``smooth = 1/2 + alpha u - alpha^2 u |u| / 2`` where ``|u| <= 1/alpha``;
    outside, the slope is 0 and ``smooth`` is 0 below, 1 above.

    Parameters
    ----------
    alpha : float, default 1.0
        Height in 1 / membrane unit, above 0; the base is ``2 / alpha``.

    Returns
    -------
    Surrogate
        Support: ``(-1/alpha, 1/alpha)``; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``PiecewiseQuadratic`` (default 1), SPAIC's quadratic gate (default 2). With ``alpha=1`` the
    triangle of Esser et al., "Convolutional networks for fast, energy-efficient neuromorphic computing", PNAS 2016.

    Examples
    --------
    >>> from nbsnn.surrogates import piecewise_quadratic
    >>> piecewise_quadratic().slope(0.25), piecewise_quadratic(alpha=0.5).support
    (0.75, (-2.0, 2.0))
    """
    alpha = positive("alpha of piecewise_quadratic", alpha)
    width = 1.0 / alpha

    def smooth(u: float) -> float:
        if abs(u) > width:
            return 1.0 if u > 0.0 else 0.0
        return 0.5 + alpha * u * (1.0 - 0.5 * alpha * abs(u))

    def slope(u: float) -> float:
        return alpha * (1.0 - alpha * abs(u)) if abs(u) < width else 0.0

    return Surrogate("piecewise_quadratic", {"alpha": alpha}, smooth, slope, support=(-width, width))


def rect(alpha: float = 1.0) -> Surrogate:
    """A box of area 1 around the threshold.

    ``slope = alpha`` where ``|u| < 1 / (2 alpha)``, else 0; ``smooth = alpha u + 1/2``, clamped to 0 ... 1.

    Parameters
    ----------
    alpha : float, default 1.0
        Height in 1 / membrane unit, above 0; the base is ``1 / alpha``.

    Returns
    -------
    Surrogate
        Support: ``(-1/(2 alpha), 1/(2 alpha))``; integral: 1.

    Raises
    ------
    ValueError, TypeError
        If ``alpha`` is not a finite number above 0.

    SpikingJelly ``Rect`` (default 1); curve 1 of Wu et al., "Spatio-temporal backpropagation for training
    high-performance spiking neural networks", Frontiers in Neuroscience 2018.

    Examples
    --------
    >>> from nbsnn.surrogates import rect
    >>> rect(alpha=2.0).slope(0.2), rect(alpha=2.0).slope(0.25)
    (2.0, 0.0)
    """
    alpha = positive("alpha of rect", alpha)
    width = 0.5 / alpha

    def smooth(u: float) -> float:
        if abs(u) >= width:
            return 1.0 if u > 0.0 else 0.0
        return alpha * u + 0.5

    def slope(u: float) -> float:
        return alpha if abs(u) < width else 0.0

    return Surrogate("rect", {"alpha": alpha}, smooth, slope, support=(-width, width))


def spike_linear(gamma: float = 0.3) -> Surrogate:
    """A triangle of base 2, dampened to the height ``gamma``.

    ``slope = gamma max(0, 1 - |u|)``; ``smooth = 1/2 + gamma (u - u |u| / 2)`` where ``|u| <= 1``, and constant
    outside.

    Parameters
    ----------
    gamma : float, default 0.3
        Height, above 0. Below 1 it keeps gradients from growing through many time steps.

    Returns
    -------
    Surrogate
        Support: ``(-1, 1)``; integral: ``gamma``.

    Raises
    ------
    ValueError, TypeError
        If ``gamma`` is not a finite number above 0.

    rnnbuilder ``SpikeLinear`` and Norse's triangle (default 0.3); Bellec et al., "Long short-term memory and
    learning-to-learn in networks of spiking neurons", NeurIPS 2018, who measure ``u`` in units of the threshold.

    Examples
    --------
    >>> from nbsnn.surrogates import spike_linear
    >>> spike_linear(gamma=0.5).slope(-0.5), spike_linear().slope(1.5)
    (0.25, 0.0)
    """
    gamma = positive("gamma of spike_linear", gamma)
    half = 0.5 * gamma

    def smooth(u: float) -> float:
        if abs(u) >= 1.0:
            return 0.5 + half if u > 0.0 else 0.5 - half
        return 0.5 + gamma * u * (1.0 - 0.5 * abs(u))

    def slope(u: float) -> float:
        return gamma * (1.0 - abs(u)) if abs(u) < 1.0 else 0.0

    return Surrogate("spike_linear", {"gamma": gamma}, smooth, slope, support=(-1.0, 1.0), integral=gamma)
