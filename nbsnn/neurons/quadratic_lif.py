"""Quadratic integrate-and-fire neuron: what every neuron with a saddle-node becomes near its threshold.

    C dv/dt = k (v - v_rest) (v - v_critical) + sum_k g_k (E_k - v) + I
    v >= v_peak:  a spike, v = v_reset, held there while refractory

Scheme: with C dv/dt = k v^2 + p v + q, the mean over the step is taken as k v0 v1 + p (v0 + v1) / 2 + q (W. Kahan's
method for quadratic equations), which gives

    v1 = (v0 + h (p v0 / 2 + q)) / (1 - h (k v0 + p / 2)),    h = dt / C.

It is of second order, and like the exact solution goes through infinity where the membrane escapes: a denominator that
is not above 0 is a spike. Conductances g, which are part of p and q, would let the membrane swing about their reversal
potential where h g exceeds 2: the share h g / 2 of the denominator is h g + 1 / (1 + h g / 2) - 1, which is the same to
second order, and with which v1 stops at the reversal potential however large g.

B. Ermentrout 1996, doi:10.1162/neco.1996.8.5.979; P. E. Latham et al. 2000, doi:10.1152/jn.2000.83.2.808. The defaults
are those of a regular spiking cell in E. M. Izhikevich 2007, Dynamical Systems in Neuroscience, without its recovery.
Units: ms, mV, pF, nS, pA, and nS/mV for k.
"""

from __future__ import annotations

from ..neuron import Neuron
from .units_and_refractory import need, reset_where, rest_of


def step(x, g, jump, v, left, dt, capacitance, k, v_rest, v_critical, v_peak, v_reset, refractory):
    h = dt / capacitance
    # Measured from v_rest, which keeps float32 precise: dv/dt = (k v^2 + p v + q) / C.
    v0 = v - v_rest
    p = -k * (v_critical - v_rest)
    q = x - g * v_rest
    damped = h * g + 1.0 / (1.0 + 0.5 * (h * g))
    below = damped - h * (k * v0 + 0.5 * p)
    v1 = v_rest + (damped * v0 + h * (0.5 * p * v0 + (q - g * v0))) / below + jump
    v1 = v1 if below > 0.0 else v_peak
    s = 0.0 if left > 0.0 else (1.0 if v1 >= v_peak else 0.0)
    return s, reset_where(left, s, v_reset, v1), rest_of(left, s, refractory)


def QIF(
    capacitance: float = 100.0,
    k: float = 0.7,
    v_rest: float = -60.0,
    v_critical: float = -40.0,
    *,
    v_peak: float = 35.0,
    v_reset: float = -50.0,
    refractory: float = 0.0,
) -> Neuron:
    """Quadratic integrate-and-fire neuron.

    Parameters
    ----------
    capacitance, k : float or array, pF and nS/mV
        Of the membrane, and the curvature of its current.
    v_rest, v_critical : float or array, mV
        Membrane at rest, where a run starts, and membrane from which it escapes without input.
    v_peak, v_reset : float or array, mV
        Membrane that ends a spike, and membrane after it.
    refractory : float or array, ms
        Time after a spike during which the membrane stays at ``v_reset``.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "left". It has no gradient.

    Raises
    ------
    ValueError
        If capacitance or k is not above 0, or the order is not v_rest < v_critical < v_peak and v_reset < v_peak.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import QIF
    >>> run = nbsnn.Population(QIF(), 1, dt=0.1).run(np.full((2000, 1, 1), 80.0, np.float32))
    >>> int(run["spikes"].sum())  # at rest below k (v_critical - v_rest)^2 / 4 = 70 pA
    2
    """
    options = dict(locals())
    need("QIF", above={"capacitance": capacitance, "k": k}, least={"refractory": refractory})
    need("QIF", order={"v_rest": v_rest, "v_critical": v_critical, "v_peak": v_peak})
    need("QIF", order={"v_reset": v_reset, "v_peak": v_peak})
    return Neuron(
        step,
        state={"v": v_rest, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "k": k, "v_rest": v_rest, "v_critical": v_critical,
            "v_peak": v_peak, "v_reset": v_reset, "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": "steps"},
        inputs=("current", "conductance", "jump"),
        kind="QIF",
        options=options,
    )  # fmt: skip
