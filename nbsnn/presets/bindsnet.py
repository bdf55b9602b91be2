"""BindsNET (release 0.3): its learning rules, argument names and defaults, in terms of this package.

===========================  ===================================================================================
BindsNET                     here
===========================  ===================================================================================
nu = (nu_0, nu_1)            factors of the updates at a presynaptic and at a postsynaptic spike
traces_additive=False        a spike sets the trace to ``trace_scale``; True: it adds it
tc_trace                     time constant of the nodes' traces; ``dt`` is that of the run
norm of a connection         ``normalize=Normalize(norm)``: at the end of a run, with absolute values
reduction=torch.sum          ``batch="sum"``; torch.mean is ``batch="mean"``
wmin, wmax                   ``w_min``, ``w_max``
===========================  ===================================================================================

What its names do not say, reproduced here:

* Traces hold the spike of the same step, so coincident spikes depress and potentiate.
* The default rates of BindsNET are zero: a rule without ``nu`` does not learn. Here ``nu`` must be given.
* ``MSTDP`` applies the reward of a step to the eligibility of the step before, as Florian's equations do.
* In ``MSTDP`` and ``MSTDPET`` the amplitudes a_plus and a_minus are arguments of a run, a_minus being negative; here
  they belong to the rule, and ``a_minus`` is negative too.
* ``MSTDPET`` takes one sample at a time there; here a batch has an eligibility per sample.
"""

from __future__ import annotations

from typing import Any

from .. import plasticity
from ..plasticity import Normalize, Rule, Trace
from ..plasticity.pair import pair
from ..plasticity.rule import check_rule_options
from ..validate import number, pair_of, switch


def _bounds(wmin: float, wmax: float) -> None:
    """Raise unless ``wmin`` is below ``wmax``."""
    if not number("wmin", wmin) < number("wmax", wmax):
        raise ValueError(f"wmin must be below wmax, not {wmin!r} with wmax = {wmax!r}")


def PostPre(
    nu: tuple[float, float],
    *,
    tc_trace: float = 20.0,
    traces_additive: bool = False,
    trace_scale: float = 1.0,
    wmin: float = 0.0,
    wmax: float = 1.0,
    norm: float | None = None,
    **options: Any,
) -> Rule:
    """BindsNET's ``PostPre``: pair STDP with coincident spikes counted on both sides.

    Parameters
    ----------
    nu : (float, float)
        Depression at a presynaptic, potentiation at a postsynaptic spike.
    tc_trace : float, unit of ``dt``, default 20.0
        Time constant of both traces.
    traces_additive, trace_scale : bool, float
        Whether a spike adds ``trace_scale`` to its trace, or sets it to that.
    wmin, wmax : float
        Bounds; the original has none by default.
    norm : float, optional
        Sum of absolute weights per postsynaptic unit, enforced at the end of a run.
    **options
        See ``plasticity.Rule``.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.Trace`` and ``plasticity.Rule``.

    Examples
    --------
    >>> from nbsnn.presets.bindsnet import PostPre
    >>> PostPre(nu=(1e-4, 1e-2), norm=78.4).params
    {'a_post': 0.01, 'a_pre': 0.0001}
    """
    check_rule_options("PostPre", options)
    a_pre, a_post = pair_of("nu", nu)
    number("tc_trace", tc_trace, above=0.0)
    number("trace_scale", trace_scale)
    if norm is not None:
        number("norm", norm, above=0.0)
    _bounds(wmin, wmax)
    trace = Trace(
        tc_trace, "add" if switch("traces_additive", traces_additive) else "set", "decay add use", trace_scale
    )
    params, normalize = {"a_post": a_post, "a_pre": a_pre}, Normalize(norm) if norm is not None else None
    return Rule(
        pair, {"x": trace}, {"y": trace}, params, **{"w_min": wmin, "w_max": wmax, "normalize": normalize, **options}
    )


def WeightDependentPostPre(nu: tuple[float, float], **options: Any) -> Rule:
    """BindsNET's ``WeightDependentPostPre``: potentiation times wmax - w, depression times w - wmin.

    Parameters
    ----------
    nu, **options
        As in ``PostPre``.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``PostPre``.

    Examples
    --------
    >>> from nbsnn.presets.bindsnet import WeightDependentPostPre
    >>> WeightDependentPostPre(nu=(1e-4, 1e-2)).bounds
    'soft'
    """
    own = ("tc_trace", "traces_additive", "trace_scale", "wmin", "wmax", "norm")
    check_rule_options("WeightDependentPostPre", options, *own)
    return PostPre(nu, **{"bounds": "soft", **options})


def MSTDP(
    nu: float, *, a_plus: float = 1.0, a_minus: float = -1.0, tc_plus: float = 20.0, tc_minus: float = 20.0,
    wmin: float = 0.0, wmax: float = 1.0, tc_e_trace: float | None = None, **options: Any,
) -> plasticity.Rule:  # fmt: skip
    """BindsNET's ``MSTDP``; with ``tc_e_trace`` (25 there) its ``MSTDPET``.

    Parameters
    ----------
    nu : float
        Factor of all changes.
    a_plus, a_minus : float
        Eligibility of pre before post, and of post before pre (negative).
    tc_plus, tc_minus : float, unit of ``dt``
        Time constants of the traces.
    wmin, wmax : float
        Bounds.
    tc_e_trace : float, unit of ``dt``, optional
        Time constant of the eligibility trace.
    **options
        See ``plasticity.MSTDP``.

    Returns
    -------
    RewardRule

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.MSTDP``.

    Examples
    --------
    >>> from nbsnn.presets.bindsnet import MSTDP
    >>> MSTDP(0.1, a_minus=-0.5).params
    {'a_post': 1.0, 'a_pre': 0.5}
    """
    check_rule_options("MSTDP", options, "order")
    for name, value in (("nu", nu), ("a_plus", a_plus), ("a_minus", a_minus)):
        number(name, value)
    for name, value in (("tc_plus", tc_plus), ("tc_minus", tc_minus), ("tc_e_trace", tc_e_trace)):
        if value is not None or name != "tc_e_trace":
            number(name, value, above=0.0)
    _bounds(wmin, wmax)
    return plasticity.MSTDP(
        nu, a_plus, -float(a_minus), tc_plus, tc_minus, **{"tau_e": tc_e_trace, "w_min": wmin, "w_max": wmax, **options}
    )


def MSTDPET(nu: float, *, tc_e_trace: float = 25.0, **options: Any) -> plasticity.Rule:
    """BindsNET's ``MSTDPET``.

    Parameters
    ----------
    nu, tc_e_trace, **options
        As in ``MSTDP``.

    Returns
    -------
    RewardRule

    Raises
    ------
    ValueError, TypeError
        As ``MSTDP``.

    Examples
    --------
    >>> from nbsnn.presets.bindsnet import MSTDPET
    >>> MSTDPET(0.1).tau_e
    25.0
    """
    check_rule_options("MSTDPET", options, "order", "a_plus", "a_minus", "tc_plus", "tc_minus", "wmin", "wmax")
    return MSTDP(nu, tc_e_trace=number("tc_e_trace", tc_e_trace, above=0.0), **options)
