"""The rule of the Diehl-Cook network, as its Brian program has it.

    at a presynaptic spike    x = 1;  w -= a_pre y1
    at a postsynaptic spike   w += a_post x y2;  y1 = 1;  y2 = 1

y1 and y2 are postsynaptic traces of 20 and 40 ms, used before the spike sets them: the second of two postsynaptic
spikes potentiates, the first does not. P. U. Diehl and M. Cook 2015, doi:10.3389/fncom.2015.00099; constants of the
program that accompanies the paper.
"""

from __future__ import annotations

from typing import Any

from ..validate import number
from .pair import orders
from .rule import Rule, check_rule_options
from .trace import Trace


def change(
    w: float, pre: float, post: float, x: float, y1: float, y2: float, a_post: float, a_pre: float
) -> tuple[float, float]:
    """Change of a synapse at a postsynaptic and at a presynaptic spike."""
    return a_post * post * x * y2, -a_pre * pre * y1


def DiehlCook(
    a_post: float = 1e-2,
    a_pre: float = 1e-4,
    tau_pre: float = 20.0,
    tau_post1: float = 20.0,
    tau_post2: float = 40.0,
    *,
    order: str = "brian",
    **options: Any,
) -> Rule:
    """The Diehl-Cook rule: nearest spikes, and potentiation by the second of two postsynaptic spikes.

    Parameters
    ----------
    a_post, a_pre : float, default 1e-2 and 1e-4
        Potentiation at a postsynaptic, depression at a presynaptic spike.
    tau_pre, tau_post1, tau_post2 : float, ms, default 20, 20 and 40
        Time constants of the traces.
    order : str
        What two spikes of one step do, see ``PairSTDP``; y2, which spikes of its own side meet, never holds them.
    **options
        See ``Rule``; weights lie between 0 and 1 by default. The original normalises to 78 before every image, which is
        ``normalize=Normalize(78.0)`` with a run per image.

    Returns
    -------
    Rule
        With the traces "x", "y1", "y2".

    Raises
    ------
    ValueError, TypeError
        As ``Trace`` and ``Rule``.

    Examples
    --------
    >>> rule = DiehlCook()
    >>> rule.post["y2"].tau, rule.params["a_post"]
    (40.0, 0.01)
    """
    check_rule_options("DiehlCook", options)
    for name, tau in (("tau_pre", tau_pre), ("tau_post1", tau_post1), ("tau_post2", tau_post2)):
        number(name, tau, above=0.0)
    before, after, own = orders(order)
    pre = {"x": Trace(tau_pre, "set", before)}
    post = {"y1": Trace(tau_post1, "set", after), "y2": Trace(tau_post2, "set", own)}
    return Rule(change, pre, post, {"a_post": a_post, "a_pre": a_pre}, **options)
