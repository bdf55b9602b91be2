"""SpikingJelly (release 2.0.0): its class names, argument names and defaults, in terms of this package.

``SURROGATES`` maps the name of a SpikingJelly surrogate class to a function that takes the class's arguments:

>>> from nbsnn.presets.spikingjelly import SURROGATES
>>> SURROGATES["ATan"]()
atan(alpha=2.0)
>>> SURROGATES["PiecewiseLeakyReLU"](w=2.0, c=0.0)
piecewise_leaky_relu(w=2.0, c=0.0)

All of them spike at the threshold (``compare=">="``). Slopes are the original's everywhere, corners included, but for
``FakeNumericalGradient`` at negative zero, where the original's is minus infinity.
"""

from collections.abc import Callable

from .. import surrogates


def S2NN(alpha: float = 4.0, beta: float = 1.0) -> surrogates.Surrogate:
    """``surrogates.s2nn`` with the 1e-5 that SpikingJelly adds in its primitive's logarithm.

    Parameters
    ----------
    alpha : float, default 4.0
        Steepness below the threshold, above 0.
    beta : float, default 1.0
        Height at the threshold, seen from above; above 0.

    Returns
    -------
    Surrogate
        Its ``smooth`` has the slope ``beta / (u + 1 + 1e-5)`` above the threshold, its ``slope`` is ``beta / (u + 1)``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is not a finite number above 0.

    >>> S2NN()
    s2nn(alpha=4.0, beta=1.0, eps=1e-05)
    """
    return surrogates.s2nn(alpha, beta, eps=1e-5)


SURROGATES: dict[str, Callable[..., surrogates.Surrogate]] = {
    "ATan": surrogates.atan,
    "DeterministicPass": surrogates.straight_through,
    "Erf": surrogates.erf,
    "FakeNumericalGradient": surrogates.fake_numerical_gradient,
    "LeakyKReLU": surrogates.leaky_k_relu,
    "LogTailedReLU": surrogates.log_tailed_relu,
    "NonzeroSignLogAbs": surrogates.nonzero_sign_log_abs,
    "PiecewiseExp": surrogates.piecewise_exp,
    "PiecewiseLeakyReLU": surrogates.piecewise_leaky_relu,
    "PiecewiseQuadratic": surrogates.piecewise_quadratic,
    "QPseudoSpike": surrogates.q_pseudo_spike,
    "Rect": surrogates.rect,
    "S2NN": S2NN,
    "Sigmoid": surrogates.sigmoid,
    "SoftSign": surrogates.soft_sign,
    "SquarewaveFourierSeries": surrogates.squarewave_fourier_series,
    "SuperSpike": surrogates.inverse_square,
}
"""SpikingJelly's surrogate classes -> functions with the same arguments and defaults."""
