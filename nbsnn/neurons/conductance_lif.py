"""Leaky integrate-and-fire neuron with conductances: synapses open channels instead of injecting current.

    C dv/dt = g_leak (v_rest - v) + sum_k g_k (E_k - v) + I  =  G (v_inf - v)
    G = g_leak + sum_k g_k,     v_inf = (g_leak v_rest + sum_k g_k E_k + I) / G

Exponential Euler: the exact solution with the conductances of this step,

    u[t] = v_inf + (v[t-1] - v_inf) exp(-dt G / C)  + jump of delta synapses
    s[t] = spike(u[t] - v_threshold)
    v[t] = v_reset where it spiked or is refractory, u[t] elsewhere

Exact for constant conductances, of first order in dt for conductances that change. Units: ms, mV, pF, nS, pA. The
defaults are those of the conductance-based network of T. P. Vogels and L. F. Abbott 2005,
doi:10.1523/JNEUROSCI.3508-05.2005, as in R. Brette et al. 2007, doi:10.1007/s10827-007-0038-6.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..scalar.exponential import exp
from ..surrogates import spike
from .units_and_refractory import need, reset_where, rest_of


def relax(v, x, conductance, dt, capacitance):
    """v one step later, with the current x at v = 0 and the whole conductance both constant."""
    v_inf = x / conductance
    return v_inf + (v - v_inf) * exp(-dt * conductance / capacitance)


def step(x, g, jump, v, left, dt, capacitance, g_leak, v_rest, v_threshold, v_reset, refractory):
    u = relax(v, x + g_leak * v_rest, g_leak + g, dt, capacitance) + jump
    s = 0.0 if left > 0.0 else spike(u - v_threshold)
    return s, reset_where(left, s, v_reset, u), rest_of(left, s, refractory)


def ConductanceLIF(
    capacitance: float = 200.0,
    g_leak: float = 10.0,
    v_rest: float = -60.0,
    v_threshold: float = -50.0,
    v_reset: float = -60.0,
    refractory: float = 5.0,
    *,
    compare: str = ">",
) -> Neuron:
    """Leaky integrate-and-fire neuron that integrates the conductances of its synapses itself.

    Parameters
    ----------
    capacitance : float or array, pF
        Of the membrane; its time constant at rest is capacitance / g_leak.
    g_leak : float or array, nS
        Leak conductance.
    v_rest, v_threshold, v_reset : float or array, mV
        Reversal potential of the leak, where a run starts; membrane at which the neuron spikes; membrane after a spike.
    refractory : float or array, ms
        Time after a spike during which the membrane stays at ``v_reset``, rounded to the nearest step. Synapses
        continue.
    compare : {">", ">="}
        Whether a membrane that equals its threshold spikes.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "left" (refractory steps). It has
        no gradient.

    Raises
    ------
    ValueError
        If capacitance or g_leak is not above 0, or v_reset not below v_threshold.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import ConductanceLIF
    >>> run = nbsnn.Population(ConductanceLIF(), 1, dt=0.1).run(np.full((1000, 1, 1), 150.0, np.float32))
    >>> int(run["spikes"].sum())  # one in 5 ms + 20 ms ln 3
    3
    """
    options = dict(locals())
    need("ConductanceLIF", above={"capacitance": capacitance, "g_leak": g_leak}, least={"refractory": refractory})
    need("ConductanceLIF", order={"v_reset": v_reset, "v_threshold": v_threshold})
    return Neuron(
        step,
        state={"v": v_rest, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "g_leak": g_leak, "v_rest": v_rest, "v_threshold": v_threshold,
            "v_reset": v_reset, "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": "steps"},
        compare=compare,
        inputs=("current", "conductance", "jump"),
        kind="ConductanceLIF",
        options=options,
    )  # fmt: skip
