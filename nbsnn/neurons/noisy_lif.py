"""Leaky integrate-and-fire neuron whose membrane is noisy.

    tau dv = (v_rest - v) dt + sigma sqrt(2 tau) dW  + input
    u[t] = v_rest + decay (v[t-1] - v_rest) + gain x[t] + sigma sqrt(1 - exp(-2 dt / tau)) z[t],    z standard normal
    s[t] = spike(u[t] - v_threshold)
    v[t] = v_reset where it spiked or is refractory, u[t] elsewhere

The noise of a step is that of the exact solution (an Ornstein-Uhlenbeck process), so that a membrane that does not
spike has the standard deviation sigma and the correlation time tau whatever dt. What happens between two steps is not
seen: a finer dt finds more crossings. D. T. Gillespie 1996, doi:10.1103/PhysRevE.54.2084.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from ..neuron import Neuron
from ..surrogates import spike
from .leak import charge, gain_holes
from .units_and_refractory import need, reset_where, rest_of


def step(x, normal, v, left, decay, v_threshold, v_reset, v_rest, sigma, variance, refractory):
    u = charge(x, v, decay, v_rest) + sigma * sqrt(variance) * normal
    s = 0.0 if left > 0.0 else spike(u - v_threshold)
    return s, reset_where(left, s, v_reset, u), rest_of(left, s, refractory)


def NoisyLIF(
    tau: float = 20.0,
    v_threshold: float = 1.0,
    v_reset: float = 0.0,
    *,
    sigma: float = 0.2,
    v_rest: float = 0.0,
    refractory: float = 0.0,
    decay_input: bool = False,
    compare: str = ">=",
) -> Neuron:
    """Leaky integrate-and-fire neuron with Gaussian membrane noise.

    Parameters
    ----------
    tau : float or array
        Membrane time constant, in the unit of ``dt``.
    v_threshold, v_reset : float or array
        Membrane at which it spikes, and after a spike.
    sigma : float or array
        Standard deviation of the membrane without spikes, in its unit.
    v_rest : float or array
        Membrane at rest.
    refractory : float or array
        Time after a spike, in the unit of ``dt``, during which the membrane is held at ``v_reset``.
    decay_input, compare
        As in ``LIF``.

    Returns
    -------
    Neuron
        With the state "v", "left". It needs a normal random number per step, so it runs in ``nbsnn.Network`` only.

    Raises
    ------
    ValueError
        If tau is not above 0, or sigma or refractory below 0.

    Examples
    --------
    >>> from nbsnn.neurons import NoisyLIF
    >>> NoisyLIF().inputs
    ('current', 'normal')
    """
    options = dict(locals())
    need("NoisyLIF", above={"tau": tau}, least={"sigma": sigma, "refractory": refractory})
    return Neuron(
        step,
        state={"v": v_rest, "left": 0.0},
        params={
            "tau": tau, "v_threshold": v_threshold, "v_reset": v_reset, "v_rest": v_rest, "sigma": sigma,
            "half_tau": np.multiply(tau, 0.5), "refractory": refractory,
        },
        per_step={"tau": "exp", "half_tau": "loss", "refractory": "steps"},
        compare=compare,
        leak="tau",
        inputs=("current", "normal"),
        holes=gain_holes(decay_input),
        kind="NoisyLIF",
        options=options,
    )  # fmt: skip
