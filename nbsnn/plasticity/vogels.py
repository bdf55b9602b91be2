"""Inhibitory plasticity that brings its targets to a rate.

    at a presynaptic spike    w += eta (y - alpha)       y: postsynaptic trace
    at a postsynaptic spike   w += eta x                 x: presynaptic trace

With both time constants tau and alpha = 2 rate tau, the mean change is 0 where the target fires at ``rate``.
T. P. Vogels, H. Sprekeler, F. Zenke, C. Clopath and W. Gerstner 2011, doi:10.1126/science.1211095.
"""

from __future__ import annotations

from typing import Any

from ..validate import number
from .pair import orders
from .rule import Rule, check_rule_options
from .trace import Trace


def inhibitory(w: float, pre: float, post: float, x: float, y: float, eta: float, alpha: float) -> tuple[float, float]:
    """Change of a synapse at a postsynaptic and at a presynaptic spike."""
    return eta * x * post, eta * (y - alpha) * pre


def VogelsSTDP(
    eta: float = 1e-2, rate: float = 3.0, tau: float = 20.0, *, order: str = "decay use add", **options: Any
) -> Rule:
    """The inhibitory rule of Vogels and Sprekeler: inhibitory weights grow until their target fires at a rate.

    Parameters
    ----------
    eta : float
        Change per spike and unit of trace.
    rate : float, Hz
        At which the targets shall fire, with ``dt`` in ms: alpha is 2 rate tau / 1000.
    tau : float, ms, default 20.0
        Time constant of both traces.
    order : str
        What two spikes of one step do, see ``PairSTDP``.
    **options
        See ``Rule``. Weights are magnitudes of conductances: ``w_min=0.0`` keeps them so.

    Returns
    -------
    Rule
        With the traces "x" and "y".

    Raises
    ------
    ValueError, TypeError
        If eta is not finite or rate below 0; as ``Trace`` and ``Rule``.

    Examples
    --------
    >>> VogelsSTDP(rate=5.0, w_min=0.0).params
    {'eta': 0.01, 'alpha': 0.2}
    """
    check_rule_options("VogelsSTDP", options)
    params = {"eta": number("eta", eta), "alpha": 2.0 * number("rate", rate, least=0.0) * number("tau", tau) / 1000.0}
    before, after, _ = orders(order)
    return Rule(inhibitory, {"x": Trace(tau, "add", before)}, {"y": Trace(tau, "add", after)}, params, **options)
