"""Pair rules: each pair of a presynaptic and a postsynaptic spike changes the weight.

    at a postsynaptic spike   w += a_post x      x: presynaptic trace
    at a presynaptic spike    w -= a_pre y       y: postsynaptic trace

With ``a_post`` and ``a_pre`` positive, pre before post potentiates and post before pre depresses. Gerstner, Kempter,
van Hemmen and Wagner 1996 (doi:10.1038/383076a0); Song, Miller and Abbott 2000 (doi:10.1038/78829).
"""

from __future__ import annotations

from typing import Any

from ..validate import choice
from .rule import Rule, check_rule_options
from .trace import ORDERS, Trace, check_tau

ADDED, EARLIER = "decay add use", "decay use add"

PAIRS = {
    "causal": (ADDED, EARLIER),
    **{order: (order, order) for order in ORDERS},
    "post_sees_pre": (ADDED, EARLIER),
    "pre_sees_post": (EARLIER, ADDED),
    "neither": (EARLIER, EARLIER),
    "both": (ADDED, ADDED),
    "brian": (ADDED, EARLIER),
    "nest": (EARLIER, EARLIER),
}
"""Name -> order in a step of the presynaptic and of the postsynaptic trace that the other side's spikes meet."""


def pair(w: float, pre: float, post: float, x: float, y: float, a_post: float, a_pre: float) -> tuple[float, float]:
    """Change of a synapse at a postsynaptic and at a presynaptic spike."""
    return a_post * x * post, -a_pre * y * pre


def orders(order: str) -> tuple[str, str, str]:
    """The order in a step of a presynaptic and of a postsynaptic trace that the other side's spikes meet, and of traces
    that spikes of their own side meet: by all names but those of ``ORDERS``, these hold earlier spikes alone.
    """
    return *PAIRS[choice("order", order, PAIRS)], order if order in ORDERS else EARLIER


def traces_of(
    order: str, mode: str = "add", decay: str = "exp", **taus: float
) -> tuple[dict[str, Trace], dict[str, Trace]]:
    """The traces "x" and "y" of a rule of pairs, made of its presynaptic and its postsynaptic time constant.

    The names of ``taus`` are those under which the rule takes them.
    """
    for name, tau in taus.items():
        check_tau(name, tau, decay)
    before, after, _ = orders(order)
    pre, post = taus.values()
    return {"x": Trace(pre, mode, before, decay=decay)}, {"y": Trace(post, mode, after, decay=decay)}


def PairSTDP(
    a_post: float = 1e-2,
    a_pre: float = 1e-2,
    tau_pre: float = 20.0,
    tau_post: float = 20.0,
    *,
    order: str = "decay use add",
    mode: str = "add",
    decay: str = "exp",
    **options: Any,
) -> Rule:
    """Pair STDP between all spikes (all-to-all): the traces add up.

    Parameters
    ----------
    a_post, a_pre : float
        Potentiation at a postsynaptic, depression at a presynaptic spike, per unit of the other side's trace.
    tau_pre, tau_post : float, unit of ``dt``, default 20.0
        Time constants of the traces.
    order : str
        What two spikes of one step do. "neither", the default, also called "nest": a spike meets the earlier spikes of
        the other side only, so that they do nothing. "post_sees_pre", also called "causal" and "brian": the presynaptic
        spike comes first, so that they potentiate; in a ``Network``, a spike that makes its target fire at once,
        through ``Delta``. "pre_sees_post": the postsynaptic spike comes first, and they depress. "both": they
        potentiate and depress. Or the order of decay, addition and use of both traces, see ``Trace``: "decay use add"
        is "neither", "decay add use" is "both".
    mode : {"add", "set"}
        Whether traces add up or are set by the nearest spike.
    decay : {"exp", "euler", "factor"}
        How ``tau`` becomes the factor per step.
    **options
        Bounds, coincidence, sign, normalisation: see ``Rule``.

    Returns
    -------
    Rule
        With the traces "x" and "y".

    Raises
    ------
    ValueError, TypeError
        As ``Trace`` and ``Rule``.

    Examples
    --------
    Pre two steps before post, then the other way round:

    >>> import numpy as np
    >>> from nbsnn.plasticity import PairSTDP
    >>> rule = PairSTDP(a_post=0.1, a_pre=0.1, tau_pre=20.0, tau_post=20.0)
    >>> early = np.float64([1, 0, 0]).reshape(3, 1, 1)
    >>> late = early[::-1]
    >>> w = np.full((1, 1), 0.5)
    >>> rule.run(w, early, late, in_place=False).weights, rule.run(w, late, early, in_place=False).weights
    (array([[0.59048374]]), array([[0.40951626]]))
    """
    check_rule_options("PairSTDP", options)
    traces = traces_of(order, mode, decay, tau_pre=tau_pre, tau_post=tau_post)
    return Rule(pair, *traces, {"a_post": a_post, "a_pre": a_pre}, **options)


def NearestSTDP(
    a_post: float = 1e-2, a_pre: float = 1e-2, tau_pre: float = 20.0, tau_post: float = 20.0, **options: Any
) -> Rule:
    """Pair STDP between nearest spikes: a spike sets its trace to 1, so that only the latest one counts.

    Parameters
    ----------
    a_post, a_pre, tau_pre, tau_post, **options
        As in ``PairSTDP``.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``PairSTDP``.

    Examples
    --------
    >>> NearestSTDP(tau_pre=10.0).pre["x"].mode
    'set'
    """
    check_rule_options("NearestSTDP", options, "order", "decay")
    return PairSTDP(a_post, a_pre, tau_pre, tau_post, mode="set", **options)
