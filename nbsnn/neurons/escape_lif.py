"""Leaky integrate-and-fire neuron with escape noise: the nearer the threshold, the likelier a spike.

    u[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t]
    s[t] = 1 with probability 1 - exp(-dt rho),   rho = rho0 exp((u[t] - v_threshold) / delta)
    v[t] = v_reset where it spiked or is refractory, u[t] elsewhere

rho is the rate of spikes at u, so that the number of spikes does not depend on dt. With delta towards 0 it is a LIF.
H. E. Plesser and W. Gerstner 2000, doi:10.1162/089976600300015835; W. Gerstner and W. M. Kistler 2002, Spiking Neuron
Models, section 5.3.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..scalar.exponential import exp, expm1
from .leak import charge, gain_holes
from .units_and_refractory import need, reset_where, rest_of


def step(x, uniform, v, left, decay, v_threshold, v_reset, v_rest, rho0, delta, refractory):
    u = charge(x, v, decay, v_rest)
    p = -expm1(-rho0 * exp((u - v_threshold) / delta))
    s = 0.0 if left > 0.0 else (1.0 if uniform < p else 0.0)
    return s, reset_where(left, s, v_reset, u), rest_of(left, s, refractory)


def EscapeLIF(
    tau: float = 20.0,
    v_threshold: float = 1.0,
    v_reset: float = 0.0,
    *,
    v_rest: float = 0.0,
    rho0: float = 1.0,
    delta: float = 0.1,
    refractory: float = 0.0,
    decay: str = "exp",
    decay_input: bool = False,
) -> Neuron:
    """Leaky integrate-and-fire neuron that spikes by chance.

    Parameters
    ----------
    tau : float or array
        Membrane time constant, in the unit of ``dt``.
    v_threshold, v_reset, v_rest : float or array
        Membrane at which it spikes with the rate ``rho0``, membrane after a spike, and at rest.
    rho0 : float or array
        Rate of spikes at the threshold, per unit of ``dt`` (1/ms).
    delta : float or array
        By how much the membrane must rise for the rate to grow by e.
    refractory : float or array
        Time after a spike, in the unit of ``dt``, during which the membrane is held at ``v_reset``.
    decay, decay_input
        As in ``LIF``.

    Returns
    -------
    Neuron
        With the state "v", "left". It needs a uniform random number per step, so it runs in ``nbsnn.Network`` only.

    Raises
    ------
    ValueError
        If delta is not above 0, or rho0 or refractory below 0.

    Examples
    --------
    >>> from nbsnn.neurons import EscapeLIF
    >>> EscapeLIF().inputs
    ('current', 'uniform')
    """
    options = dict(locals())
    need("EscapeLIF", above={"delta": delta}, least={"rho0": rho0, "refractory": refractory})
    return Neuron(
        step,
        state={"v": v_rest, "left": 0.0},
        params={
            "tau": tau, "v_threshold": v_threshold, "v_reset": v_reset, "v_rest": v_rest, "rho0": rho0, "delta": delta,
            "refractory": refractory,
        },
        per_step={"tau": decay, "rho0": "dt", "refractory": "steps"},
        leak="tau",
        inputs=("current", "uniform"),
        holes=gain_holes(decay_input),
        kind="EscapeLIF",
        options=options,
    )  # fmt: skip
