"""Norse (release 1.1.0): its cells under their names, with its parameters, defaults and order of operations.

Cells are functions that return a ``Neuron``. Parameters are Norse's, rates in 1 / s and ``dt`` in seconds:

>>> from nbsnn.presets.norse import LIFCell
>>> import nbsnn
>>> net = nbsnn.Sequential(nbsnn.Dense(4, 3), LIFCell(tau_mem_inv=100.0), seed=0)

=============================  ======================================================================================
Norse                          here
=============================  ======================================================================================
``LIFCell(p=LIFParameters())`` ``LIFCell(tau_syn_inv=..., tau_mem_inv=..., ...)``
``LIFRecurrentCell(n, m)``     ``Dense(n, m, bias=False)``, then ``Recurrent(LIFCell(detach_reset=True))``
``p.method``, ``p.alpha``      ``method=``, ``alpha=``: see ``SURROGATES``; "super" ignores alpha, as there
states v, i, rho, b, a         the same names: ``run["neuron1"]["i"]``
start                          v at v_leak (iaf: at v_reset), all else at 0; b of ``LSNNCell`` at v_th
=============================  ======================================================================================

A membrane spikes only above its threshold (``compare=">"``). In the recurrent forms of LIF, LIFRefrac and LSNN Norse
lets no gradient through the reset, in the others it does: ``detach_reset``. Without ``autapses`` Norse keeps the
diagonal of the recurrent weights at zero; here that is up to whoever sets and trains them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any

from ..neuron import Neuron
from ..neurons import norse as of
from ..neurons.reset import RESETS, through_hole
from ..surrogates import Surrogate, circ, heavi_erfc, no_slope, spike_linear, superspike, tanh
from ..validate import check_options, choice, number, scale

SURROGATES: Mapping[str, Callable[[float], Surrogate]] = {
    "super": lambda alpha: superspike(1.0),
    "heaviside": lambda alpha: no_slope(),
    "triangle": spike_linear,
    "tanh": tanh,
    "circ": circ,
    "heavi_erfc": heavi_erfc,
}
"""Norse's name of a threshold method -> a function of alpha that makes the surrogate."""

LIF = {"tau_syn_inv": 200.0, "tau_mem_inv": 100.0, "v_leak": 0.0, "v_th": 1.0, "v_reset": 0.0}
ADEX = {
    "adaptation_current": 4.0, "adaptation_spike": 0.02, "delta_T": 0.5, "tau_ada_inv": 2.0, "tau_syn_inv": 200.0,
    "tau_mem_inv": 100.0, "v_leak": 0.0, "v_th": 1.0, "v_reset": 0.0,
}  # fmt: skip


def cell(
    name: str, step: Callable, vjp: Callable, state: Mapping[str, str | float], defaults: Mapping[str, float],
    options: dict[str, Any], reset: str = "hard", **more: Any,
) -> Neuron:  # fmt: skip
    """A neuron with Norse's parameters; a state starts at a number or at the parameter of this name."""
    spikes, timed = "v_th" in defaults, "dt" in signature(step).parameters
    chosen: dict[str, Any] = {"learn": (), **({"dt": 0.001} if timed else {})}
    chosen |= {"method": "super", "alpha": 100.0, "detach_reset": False} if spikes else {}
    check_options(name, options, (*defaults, *chosen))
    chosen |= {key: options[key] for key in chosen.keys() & options.keys()}
    params = {key: options.get(key, value) for key, value in defaults.items()}
    starts = {key: params[value] if isinstance(value, str) else value for key, value in state.items()}
    if timed:
        params["dt"] = scale("dt", chosen["dt"])
    if spikes:
        made = SURROGATES[choice("method", chosen["method"], tuple(SURROGATES))]
        forward, reverse = RESETS[reset]
        more["surrogate"] = made(number("alpha", chosen["alpha"]))
        more["holes"] = {"reset": forward, "reset_vjp": reverse, **through_hole(chosen["detach_reset"])}
    return Neuron(step, vjp, state=starts, params=params, learn=chosen["learn"], compare=">", **more)


def LIFCell(**options: Any) -> Neuron:
    """Leaky integrate-and-fire neuron with an exponential synapse: ``LIFCell``, and within ``LIFRecurrentCell``.

    Parameters
    ----------
    **options
        tau_syn_inv, tau_mem_inv : inverse time constants of synapse and membrane, 200 and 100 / s; v_leak, v_th,
        v_reset : potentials of the leak, of the threshold and after a spike, 0, 1 and 0. Each a number or an array
        that broadcasts to the population's shape. method, alpha : the surrogate, see ``SURROGATES``; dt : 0.001 s;
        detach_reset : False, as in the cell without feedback; learn : names of the parameters that are trained.

    Returns
    -------
    Neuron
        With the states "v" and "i".

    Raises
    ------
    ValueError, TypeError
        For other options, and for numbers that are not finite.

    Examples
    --------
    >>> from nbsnn.presets.norse import LIFCell
    >>> list(LIFCell(v_th=0.5).state)
    ['v', 'i']
    """
    return cell("LIFCell", of.lif, of.lif_vjp, {"v": "v_leak", "i": 0.0}, LIF, options)


def LIFBoxCell(*, reset_method: str = "value", **options: Any) -> Neuron:
    """Leaky integrate-and-fire neuron without synapse.

    Parameters
    ----------
    reset_method : {"value", "subtract"}
        To ``v_reset``, or by ``v_th``; then ``v_reset`` has no meaning, as in Norse.
    **options
        As in ``LIFCell``, without ``tau_syn_inv``.

    Returns
    -------
    Neuron
        With the state "v".

    Examples
    --------
    >>> from nbsnn.presets.norse import LIFBoxCell
    >>> list(LIFBoxCell(reset_method="subtract").params)
    ['tau_mem_inv', 'v_leak', 'v_th', 'v_reset', 'dt']
    """
    reset = "hard" if choice("reset_method", reset_method, ("value", "subtract")) == "value" else "soft"
    box = {key: value for key, value in LIF.items() if key != "tau_syn_inv"}
    return cell("LIFBoxCell", of.lif_box, of.lif_box_vjp, {"v": "v_leak"}, box, options, reset)


def LICell(**options: Any) -> Neuron:
    """Leaky integrator with an exponential synapse, a readout: its output is its membrane.

    Parameters
    ----------
    **options
        tau_syn_inv, tau_mem_inv, v_leak, dt and learn, as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the states "v" and "i".

    Examples
    --------
    >>> from nbsnn.presets.norse import LICell
    >>> LICell().output
    'output'
    """
    defaults = {key: LIF[key] for key in ("tau_syn_inv", "tau_mem_inv", "v_leak")}
    return cell("LICell", of.li, of.li_vjp, {"v": "v_leak", "i": 0.0}, defaults, options, output="output")


def LIBoxCell(**options: Any) -> Neuron:
    """Leaky integrator without synapse, a readout: its output is its membrane.

    Parameters
    ----------
    **options
        tau_mem_inv, v_leak, dt and learn, as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the state "v".

    Examples
    --------
    >>> from nbsnn.presets.norse import LIBoxCell
    >>> list(LIBoxCell().state)
    ['v']
    """
    defaults = {key: LIF[key] for key in ("tau_mem_inv", "v_leak")}
    return cell("LIBoxCell", of.li_box, of.li_box_vjp, {"v": "v_leak"}, defaults, options, output="output")


def LIFRefracCell(**options: Any) -> Neuron:
    """``LIFCell`` with a refractory count, during which the membrane is held at its value and the synapse goes on.

    Parameters
    ----------
    **options
        rho_reset : steps without a spike after one, 5; all else as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the states "v", "i" and "rho".

    Examples
    --------
    >>> from nbsnn.presets.norse import LIFRefracCell
    >>> LIFRefracCell().params["rho_reset"]
    5.0
    """
    start = {"v": "v_leak", "i": 0.0, "rho": 0.0}
    return cell("LIFRefracCell", of.lif_refrac, of.lif_refrac_vjp, start, {**LIF, "rho_reset": 5.0}, options)


def LSNNCell(**options: Any) -> Neuron:
    """Leaky integrate-and-fire neuron whose threshold b relaxes to ``v_th`` and rises by ``beta`` at a spike.

    Bellec et al. 2018 (arXiv:1803.09574).

    Parameters
    ----------
    **options
        tau_adapt_inv : inverse time constant of the threshold, 1 / 800 per s; beta : 1.8; all else as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the states "v", "i" and "b".

    Examples
    --------
    >>> from nbsnn.presets.norse import LSNNCell
    >>> list(LSNNCell().state.values())
    [0.0, 0.0, 1.0]
    """
    defaults = {
        "tau_syn_inv": 200.0, "tau_mem_inv": 100.0, "tau_adapt_inv": 1.0 / 800.0, "v_leak": 0.0, "v_th": 1.0,
        "v_reset": 0.0, "beta": 1.8,
    }  # fmt: skip
    return cell("LSNNCell", of.lsnn, of.lsnn_vjp, {"v": "v_leak", "i": 0.0, "b": "v_th"}, defaults, options)


def IAFCell(**options: Any) -> Neuron:
    """Integrate-and-fire neuron; it starts at ``v_reset``, also while that is trained.

    Parameters
    ----------
    **options
        v_th, v_reset : 1 and 0; method, alpha, detach_reset and learn as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the state "v".

    Examples
    --------
    >>> from nbsnn.presets.norse import IAFCell
    >>> list(IAFCell().params)
    ['v_th', 'v_reset']
    """
    defaults = {"v_th": 1.0, "v_reset": 0.0}
    return cell("IAFCell", of.iaf, of.iaf_vjp, {"v": "v_reset"}, defaults, options, starts_at={"v": "v_reset"})


def LIFExCell(**options: Any) -> Neuron:
    """``LIFCell`` with an exponential upswing of width ``delta_T``.

    Parameters
    ----------
    **options
        delta_T : 0.5; all else as in ``LIFCell``.

    Returns
    -------
    Neuron
        With the states "v" and "i".

    Examples
    --------
    >>> from nbsnn.presets.norse import LIFExCell
    >>> LIFExCell().params["delta_T"]
    0.5
    """
    return cell("LIFExCell", of.lif_ex, of.lif_ex_vjp, {"v": "v_leak", "i": 0.0}, {"delta_T": 0.5, **LIF}, options)


def LIFAdExCell(**options: Any) -> Neuron:
    """``LIFExCell`` with an adaptation current that is driven by the membrane before the step, and by spikes.

    Parameters
    ----------
    **options
        adaptation_current, adaptation_spike : 4 and 0.02; tau_ada_inv : 2 / s; all else as in ``LIFExCell``.

    Returns
    -------
    Neuron
        With the states "v", "i" and "a".

    Examples
    --------
    >>> from nbsnn.presets.norse import LIFAdExCell
    >>> list(LIFAdExCell().state)
    ['v', 'i', 'a']
    """
    return cell("LIFAdExCell", of.lif_adex, of.lif_adex_vjp, {"v": "v_leak", "i": 0.0, "a": 0.0}, ADEX, options)
