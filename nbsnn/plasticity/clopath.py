"""The rule of Clopath: depression at presynaptic spikes, potentiation for as long as the membrane is depolarised.

    at a presynaptic spike    w -= A_LTD [u_minus - theta_minus]+
    all the time              dw/dt = A_LTP x [v - theta_plus]+ [u_plus - theta_minus]+

u_plus and u_minus are low-pass filtered membranes, as they were ``delay`` ago, so that the spike itself is not in them;
x is a presynaptic trace to which a spike adds 1 / tau_x, and [..]+ is what is above 0. With homeostasis A_LTD is times
(u_mean / u_ref)^2. C. Clopath, L. Busing, E. Vasilaki and W. Gerstner 2010, Connectivity reflects coding: a model of
voltage-based STDP with homeostasis, doi:10.1038/nn.2479.
"""

from __future__ import annotations

from typing import Any

from ..validate import number
from .membrane import LowPass, MembraneRule
from .rule import check_rule_options
from .trace import Trace


def depress(
    w: float, pre: float, post: float, x: float, v: float, u_plus: float, u_minus: float, u_mean: float, a_ltp: float,
    a_ltd: float, a_mean: float, theta_plus: float, theta_minus: float,
) -> tuple[float, float]:  # fmt: skip
    """Change of a synapse at a presynaptic spike."""
    return 0.0, -(a_ltd + a_mean * u_mean * u_mean) * max(u_minus - theta_minus, 0.0) * pre


def potentiate(
    w: float, x: float, v: float, u_plus: float, u_minus: float, u_mean: float, a_ltp: float, a_ltd: float,
    a_mean: float, theta_plus: float, theta_minus: float,
) -> float:  # fmt: skip
    """Change of a synapse per ms."""
    return a_ltp * x * (v - theta_plus) * (u_plus - theta_minus)


def depolarised(
    v: float, u_plus: float, u_minus: float, u_mean: float, a_ltp: float, a_ltd: float, a_mean: float,
    theta_plus: float, theta_minus: float,
) -> bool:  # fmt: skip
    """True where synapses are potentiated."""
    return v > theta_plus and u_plus > theta_minus


def Clopath(
    a_ltp: float = 8e-5,
    a_ltd: float = 14e-5,
    theta_plus: float = -45.3,
    theta_minus: float = -70.6,
    tau_x: float = 15.0,
    tau_plus: float = 7.0,
    tau_minus: float = 10.0,
    *,
    delay: float = 4.0,
    u_ref: float | None = None,
    tau_mean: float = 1000.0,
    variable: str = "v",
    dendrite: float = 0.0,
    **options: Any,
) -> MembraneRule:
    """The voltage-based rule of Clopath et al. 2010, in a ``Network``.

    Parameters
    ----------
    a_ltp : float, 1 / mV^2
        Amplitude of potentiation; the default, as all others, is of visual cortex.
    a_ltd : float, 1 / mV
        Amplitude of depression.
    theta_plus, theta_minus : float, mV
        What the membrane must exceed for potentiation, and its averages for both.
    tau_x, tau_plus, tau_minus : float, ms, default 15, 7 and 10
        Time constants of the presynaptic trace and of the two averages of the membrane.
    delay : float, ms, default 4.0
        How old the averages are: beyond the duration of a spike.
    u_ref : float, mV, optional
        With it depression is homeostatic: its amplitude is a_ltd (u_mean / u_ref)^2.
    tau_mean : float, ms, default 1000.0
        Time constant of u_mean.
    variable : str
        The variable of the target that is its membrane.
    dendrite : float, ms, default 0.0
        How late the synapse sees the membrane. Of a connection of delay d this is 2 d to be as NEST's
        ``clopath_synapse``, whose delay is all in the dendrite.
    **options
        See ``Rule``; weights lie between 0 and 1 by default.

    Returns
    -------
    MembraneRule
        With the trace "x" and the variables "v", "u_plus", "u_minus", "u_mean".

    Raises
    ------
    ValueError, TypeError
        As ``Trace``, ``LowPass`` and ``Rule``; if ``u_ref`` is 0.

    Notes
    -----
    The rule sees the membrane at the ends of steps, after a reset: the target must stay depolarised during its spike
    for potentiation to see it, as does ``neurons.ClopathAdEx``. The paper's figures are in
    ``examples/15_voltage_rule.py``.

    Examples
    --------
    >>> rule = Clopath(u_ref=70.6, w_max=2.0)
    >>> rule.post["u_minus"], rule.drift.__name__
    (LowPass(variable='v', tau=10.0, delay=4.0), 'potentiate')
    """
    check_rule_options("Clopath", options)
    number("tau_x", tau_x, least=1e-100)
    number("a_ltd", a_ltd)
    if u_ref is not None and abs(number("u_ref", u_ref)) < 1e-9:
        raise ValueError(f"u_ref must not be 0, as depression is measured in it, not {u_ref!r}")
    late = number("dendrite", dendrite, least=0.0)
    averages = {"u_plus": (tau_plus, late + number("delay", delay, least=0.0)), "u_minus": (tau_minus, late + delay)}
    seen = {"v": (0.0, late), **averages, "u_mean": (tau_mean, late)}
    params = {
        "a_ltp": a_ltp, "a_ltd": 0.0 if u_ref else a_ltd, "a_mean": a_ltd / u_ref / u_ref if u_ref else 0.0,
        "theta_plus": theta_plus, "theta_minus": theta_minus,
    }  # fmt: skip
    return MembraneRule(
        depress, {"x": Trace(tau_x, order="decay use add", amount=1.0 / tau_x)},
        {name: LowPass(variable, tau, ago) for name, (tau, ago) in seen.items()}, params,
        drift=potentiate, active=depolarised, **options,
    )  # fmt: skip
