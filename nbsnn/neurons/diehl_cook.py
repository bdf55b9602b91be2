"""LIF with refractory period and homeostatic threshold, as in the Diehl-Cook network; simulates only.

    u[t]     = v_rest + decay (v[t-1] - v_rest) + x[t]           not while refractory: v is held and input is lost
    s[t]     = spike(u[t] - v_threshold - theta[t-1])
    v[t]     = v_reset where it spiked, u[t] elsewhere
    theta[t] = theta[t-1] - loss theta[t-1] + theta_plus s[t],   loss = 1 - exp(-dt/tau_theta)

With tau_theta = 1e7 the factor 1 - loss cannot be told from 1 in float32 (nor can theta - loss theta from theta), so
theta is kept as a sum of two numbers, theta + theta_low, and only ``loss`` itself is rounded. P. U. Diehl and M. Cook
2015, doi:10.3389/fncom.2015.00099; constants as in BindsNET (Hazan et al. 2018), where synapses are currents.
"""

from __future__ import annotations

from ..neuron import Neuron, Value
from .leak import gain_holes
from .refractory import step as lif_step
from .reset import hard
from .units_and_refractory import need


def step(x, v, left, theta, low, decay, v_threshold, v_reset, v_rest, refractory, theta_plus, theta_loss):
    s, v, left = lif_step(x, v, left, decay, v_threshold + theta, v_reset, v_rest, refractory)
    low = low + (theta_plus * s - theta_loss * theta)
    total = theta + low
    return s, v, left, total, low - (total - theta)


def DiehlCook(
    tau: float = 100.0,
    v_threshold: float = -52.0,
    v_reset: float = -60.0,
    *,
    v_rest: float = -65.0,
    refractory: float = 5.0,
    theta_plus: float = 0.05,
    tau_theta: float = 1e7,
    theta: Value = 0.0,
    compare: str = ">=",
) -> Neuron:
    """Leaky integrate-and-fire neuron whose threshold rises with each of its spikes and hardly falls.

    Parameters
    ----------
    tau : float or array
        Membrane time constant, in the unit of ``dt``.
    v_threshold, v_reset, v_rest : float or array, mV
        Threshold without spikes, membrane after a spike, resting membrane.
    refractory : float or array
        Time after a spike, in the unit of ``dt``, during which the membrane is held and input is lost.
    theta_plus : float or array
        What a spike adds to the threshold, mV.
    tau_theta : float or array
        Time constant with which the raised threshold falls, in the unit of ``dt``.
    theta : float or array
        What is added to the threshold at the start. A run begins there: to keep what was learned, pass the state.
    compare : {">=", ">"}
        Whether a membrane that equals its threshold spikes.

    Returns
    -------
    Neuron
        With the state "v", "left" (refractory steps), "theta" and "theta_low" (what theta lost to rounding). It has no
        gradient.

    Raises
    ------
    ValueError
        If an argument is not finite or a time constant not above 0.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import DiehlCook
    >>> run = nbsnn.Population(DiehlCook(), 1).run(np.full((20, 1, 1), 5.0, np.float32))
    >>> int(run["spikes"].sum()), run["theta"][-1].round(3)
    (3, array([[0.15]], dtype=float32))
    """
    options = {
        "tau": tau, "v_threshold": v_threshold, "v_reset": v_reset, "v_rest": v_rest, "refractory": refractory,
        "theta_plus": theta_plus, "tau_theta": tau_theta, "theta": theta, "compare": compare,
    }  # fmt: skip
    need("DiehlCook", least={"refractory": refractory}, real={"theta": theta})
    return Neuron(
        step,
        state={"v": v_rest, "left": 0.0, "theta": theta, "theta_low": 0.0},
        params={
            "tau": tau, "v_threshold": v_threshold, "v_reset": v_reset, "v_rest": v_rest, "refractory": refractory,
            "theta_plus": theta_plus, "tau_theta": tau_theta,
        },
        per_step={"tau": "exp", "refractory": "steps", "tau_theta": "loss"},
        compare=compare,
        leak="tau",
        holes={"reset": hard, **gain_holes(False)},
        kind="DiehlCook",
        options=options,
    )  # fmt: skip
