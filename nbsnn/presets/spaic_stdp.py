"""SPAIC (release 0.6.3): its STDP learners, in terms of this package.

=============================  =================================================================================
SPAIC                          here
=============================  =================================================================================
learner in a network           ``Plastic(Dense(...), neuron, rule, delay=1, **AS_LEARNER)``: see ``AS_LEARNER``
postpreintstdp in a network    ``Plastic(Dense(...), diehlAndCook(...), rule, delay=1, lag=(0, 0))``
learner on sparse synapses     ``Network.connect(..., plasticity=rule)``: it sees spikes at once, and changes weights so
weights [post, pre]            ``weights`` [n_pre, n_post]
=============================  =================================================================================

What SPAIC does and its names do not say, reproduced here:

* Traces hold the spike of the same step, so coincident spikes depress and potentiate.
* In a network the nearest and the full learner see input and output spikes one step late, and what they ask for in one
  step is applied in the next; what they ask for in the last step of a run is lost (start the next run without it).
* The meta learner sees spikes one step late too, but changes the weights at once.
* The nearest learner normalises in every step and clips afterwards: sums end below ``w_norm`` where a weight is
  clipped.
* ``w_norm`` is fixed at 78.4 there, so that with fewer inputs every weight saturates at 1.
* A postsynaptic unit whose weights are all zero gets NaN; in ``Network.connect`` it is left alone.
* The full learner normalises from step ``total_step`` on, not only at the end of a run; 9 is what a network gets when
  no run time was announced.
* With ``spike`` other than 1 the nearest learner's trace becomes (spike - s) decay a + s: it then decays by
  ``spike * decay`` between spikes, and a spike leaves a remainder.
* ``lr`` is never used by any of these learners, nor ``w_norm`` by the meta learner.
* The meta learner does not change the stored weights: a new run starts from the old ones. Here weights change in place;
  hand in a copy for that.
* Presynaptic spikes of ``postpreintstdp`` potentiate for positive ``nu0``, though they are said to depress.
"""

from __future__ import annotations

import math
from typing import Any

from ..plasticity import MetaNearestSTDP, Normalize, PostPreInt, Rule, Trace
from ..plasticity.pair import pair
from ..validate import count, number

AS_LEARNER: dict[str, Any] = {"lag": (1, 1), "defer": True}
"""Arguments of ``Plastic`` for the nearest and the full learner; the meta learner is not deferred."""


def mixed(a, s, amount):
    """SPAIC's way to put a spike into a trace: sets it to 1 if ``amount`` is 1."""
    return (amount - s) * a + s


def nearest_online_stdp(
    Apost: float = 1e-2,
    Apre: float = 1e-4,
    trace_pre: float = math.exp(-1.0 / 20.0),
    trace_post: float = math.exp(-1.0 / 20.0),
    *,
    spike: float = 1.0,
    w_norm: float = 78.4,
) -> Rule:
    """SPAIC's ``nearest_online_STDP``.

    Parameters
    ----------
    Apost, Apre : float, default 1e-2 and 1e-4
        Potentiation at a postsynaptic, depression at a presynaptic spike.
    trace_pre, trace_post : float, default exp(-1/20)
        Factors of the traces per step.
    spike : float, default 1.0
        What the trace is mixed with.
    w_norm : float, default 78.4
        Sum of the weights of a postsynaptic unit.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.Trace`` and ``plasticity.Rule``.

    Examples
    --------
    >>> from nbsnn.presets.spaic_stdp import nearest_online_stdp
    >>> nearest_online_stdp().normalize
    Normalize(total=78.4, when='every', before_clip=True, guard=False, every=None)
    """
    for name, value in (("trace_pre", trace_pre), ("trace_post", trace_post), ("w_norm", w_norm)):
        number(name, value, least=0.0)
    for name, value in (("Apost", Apost), ("Apre", Apre), ("spike", spike)):
        number(name, value)
    x, y = (Trace(factor, mixed, "decay add use", spike, "factor") for factor in (trace_pre, trace_post))
    normalize = Normalize(w_norm, "every", before_clip=True, guard=False)
    params = {"a_post": Apost, "a_pre": Apre}
    return Rule(pair, {"x": x}, {"y": y}, params, clip="all", normalize=normalize)


def full_online_stdp(
    Apost: float = 1e-2,
    Apre: float = 1e-4,
    trace_decay: float = math.exp(-1.0 / 20.0),
    *,
    total_step: float = 9.0,
    w_norm: float = 78.4,
) -> Rule:
    """SPAIC's ``full_online_STDP``.

    Parameters
    ----------
    Apost, Apre : float, default 1e-2 and 1e-4
        Potentiation at a postsynaptic, depression at a presynaptic spike.
    trace_decay : float, default exp(-1/20)
        Factor of both traces per step.
    total_step : float, default 9.0
        Step from which weights are normalised; there, run time / dt - 1 in floating point.
    w_norm : float, default 78.4
        Sum of the weights of a postsynaptic unit.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.Trace`` and ``plasticity.Rule``.

    Examples
    --------
    >>> from nbsnn.presets.spaic_stdp import full_online_stdp
    >>> full_online_stdp(total_step=11).pre["x"].mode
    'add'
    """
    for name, value in (("Apost", Apost), ("Apre", Apre), ("total_step", total_step)):
        number(name, value)
    number("trace_decay", trace_decay, least=0.0)
    number("w_norm", w_norm, above=0.0)
    trace = Trace(trace_decay, "add", "decay add use", decay="factor")
    normalize = Normalize(w_norm, total_step, before_clip=True, guard=False)
    params = {"a_post": Apost, "a_pre": Apre}
    return Rule(pair, {"x": trace}, {"y": trace}, params, clip="all", normalize=normalize)


def meta_nearest_online_stdp(
    Apost: float = 1e-2,
    Apre: float = 1e-4,
    pre_decay: float = math.exp(-1.0 / 30.0),
    post_decay: float = math.exp(-1.0 / 200.0),
    w_min: float = 0.0,
    w_max: float = 1.0,
) -> Rule:
    """SPAIC's ``Meta_nearest_online_STDP``.

    Parameters
    ----------
    Apost, Apre : float, default 1e-2 and 1e-4
        Potentiation at a postsynaptic, depression at a presynaptic spike.
    pre_decay, post_decay : float, default exp(-1/30) and exp(-1/200)
        Factors of the traces per step.
    w_min, w_max : float
        Where increments fade.

    Returns
    -------
    Rule

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.MetaNearestSTDP``.

    Examples
    --------
    >>> from nbsnn.presets.spaic_stdp import meta_nearest_online_stdp
    >>> meta_nearest_online_stdp(pre_decay=0.8).pre["x"].factor()
    0.8
    """
    for name, value in (("Apost", Apost), ("Apre", Apre)):
        number(name, value)
    for name, value in (("pre_decay", pre_decay), ("post_decay", post_decay)):
        number(name, value, least=0.0)
    return MetaNearestSTDP(Apost, Apre, pre_decay, post_decay, w_min=w_min, w_max=w_max, decay="factor")


def postpreintstdp(
    nu0: int = 14,
    nu1: int = 141,
    shift: int = 14,
    w_min: int = 0,
    w_max: int = 109,
    trace_decay: int = 31169,
    shift_spike_trace: int = 15,
    trace_scale: int = 127,
    max_threshold: int = 4915,
) -> PostPreInt:
    """SPAIC's ``PostPreIntSTDP``.

    Parameters
    ----------
    nu0, nu1, shift, w_min, w_max, trace_decay, shift_spike_trace, trace_scale, max_threshold : int
        As ``nu_pre``, ``nu_post``, ``shift``, ``w_min``, ``w_max``, ``trace_decay``, ``shift_trace``, ``top`` and
        ``max_threshold`` of ``plasticity.PostPreInt``. A ``shift_spike_trace`` of 0 makes spikes set traces to 1.

    Returns
    -------
    PostPreInt

    Raises
    ------
    ValueError, TypeError
        As ``plasticity.PostPreInt``.

    Examples
    --------
    >>> from nbsnn.presets.spaic_stdp import postpreintstdp
    >>> postpreintstdp().nu_pre
    14
    """
    for name, value in (
        ("nu0", nu0),
        ("nu1", nu1),
        ("shift_spike_trace", shift_spike_trace),
        ("trace_scale", trace_scale),
    ):
        count(name, value, least=-(1 << 31), most=(1 << 31) - 1)
    return PostPreInt(nu0, nu1, shift, w_min, w_max, trace_decay, shift_spike_trace, trace_scale, max_threshold)
