"""Triplet rule: potentiation needs two postsynaptic spikes, depression may need two presynaptic ones.

    at a postsynaptic spike   w += r1 (a2_plus + a3_plus o2)
    at a presynaptic spike    w -= o1 (a2_minus + a3_minus r2)

r1 and r2 are presynaptic traces (tau_plus, tau_x), o1 and o2 postsynaptic ones (tau_minus, tau_y), all as they are just
before the spike. J.-P. Pfister and W. Gerstner 2006, Triplets of spikes in a model of spike timing-dependent
plasticity, doi:10.1523/JNEUROSCI.1425-06.2006.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..validate import choice, number
from .pair import orders
from .rule import Rule, check_rule_options
from .trace import Trace

TAU_PLUS, TAU_MINUS = 16.8, 33.7


class Constants(NamedTuple):
    """A row of the paper's tables: amplitudes per spike, slow time constants in ms."""

    a2_plus: float
    a3_plus: float
    a2_minus: float
    a3_minus: float
    tau_x: float
    tau_y: float


PUBLISHED = {
    ("visual", "all", "full"): Constants(5e-10, 6.2e-3, 7e-3, 2.3e-4, 101.0, 125.0),
    ("visual", "all", "minimal"): Constants(0.0, 6.5e-3, 7.1e-3, 0.0, 101.0, 114.0),
    ("visual", "nearest", "full"): Constants(8.8e-11, 5.3e-2, 6.6e-3, 3.1e-3, 714.0, 40.0),
    ("visual", "nearest", "minimal"): Constants(0.0, 5e-2, 8e-3, 0.0, 714.0, 40.0),
    ("hippocampal", "all", "full"): Constants(6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 946.0, 27.0),
    ("hippocampal", "all", "minimal"): Constants(5.3e-3, 8e-3, 3.5e-3, 0.0, 946.0, 40.0),
    ("hippocampal", "nearest", "full"): Constants(4.6e-3, 9.1e-3, 3e-3, 7.5e-9, 575.0, 47.0),
    ("hippocampal", "nearest", "minimal"): Constants(4.6e-3, 9.1e-3, 3e-3, 0.0, 575.0, 48.0),
}
"""(data, interaction, model) -> constants, as in the paper's tables 3 and 4. A minimal model has no r2: its tau_x is
that of the full model and has no effect."""


def triplet(
    w: float, pre: float, post: float, r1: float, r2: float, o1: float, o2: float, a2_plus: float, a3_plus: float,
    a2_minus: float, a3_minus: float,
) -> tuple[float, float]:  # fmt: skip
    """Change of a synapse at a postsynaptic and at a presynaptic spike."""
    return post * r1 * (a2_plus + a3_plus * o2), -pre * o1 * (a2_minus + a3_minus * r2)


def TripletSTDP(
    data: str = "visual",
    interaction: str = "all",
    model: str = "full",
    *,
    rate: float = 1.0,
    order: str = "decay use add",
    **options: Any,
) -> Rule:
    """The triplet rule of Pfister and Gerstner with its published constants.

    Parameters
    ----------
    data : {"visual", "hippocampal"}
        Which experiments the constants fit: visual cortex (Sjoestroem et al. 2001) or hippocampal culture (Wang et al.
        2005).
    interaction : {"all", "nearest"}
        Whether all spikes count or the nearest alone.
    model : {"full", "minimal"}
        The minimal models do without the terms that the fit does not need.
    rate : float
        Factor of all amplitudes.
    order : str
        What two spikes of one step do, see ``PairSTDP``; by default, and as "nest", all traces are as they are just
        before the spike. With "causal", "brian" or "post_sees_pre" r1 holds the spike of the same step, with
        "pre_sees_post" o1, and with "both" each; r2 and o2, which spikes of their own side meet, never do.
    **options
        See ``Rule``.

    Returns
    -------
    Rule
        With the traces "r1", "r2", "o1", "o2". Time constants are in ms: ``dt`` must be too.

    Raises
    ------
    ValueError, TypeError
        If a name is not among those above; as ``Rule``.

    Examples
    --------
    >>> TripletSTDP("hippocampal", model="minimal").params
    {'a2_plus': 0.0053, 'a3_plus': 0.008, 'a2_minus': 0.0035, 'a3_minus': 0.0}
    """
    for k, (name, value) in enumerate({"data": data, "interaction": interaction, "model": model}.items()):
        choice(name, value, sorted({key[k] for key in PUBLISHED}))
    check_rule_options("TripletSTDP", options)
    number("rate", rate)
    *amplitudes, tau_x, tau_y = PUBLISHED[data, interaction, model]
    mode = "add" if interaction == "all" else "set"
    taus = {"r1": TAU_PLUS, "r2": tau_x, "o1": TAU_MINUS, "o2": tau_y}
    r1, o1, own = orders(order)
    traces = {name: Trace(tau, mode, {"r1": r1, "o1": o1}.get(name, own)) for name, tau in taus.items()}
    params = {name: rate * a for name, a in zip(Constants._fields, amplitudes, strict=False)}
    return Rule(triplet, {k: traces[k] for k in ("r1", "r2")}, {k: traces[k] for k in ("o1", "o2")}, params, **options)
