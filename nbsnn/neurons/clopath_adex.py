"""Adaptive exponential integrate-and-fire neuron whose spikes last, as the rule of Clopath wants to see them.

    C dv/dt = g_leak (v_rest - v) + g_leak sharpness exp((v - theta) / sharpness) - w + z + sum_k g_k (E_k - v) + I
    tau_w dw/dt = a (v - v_rest) - w,    tau_z dz/dt = -z,    tau_theta dtheta/dt = v_threshold - theta
    v >= v_peak:  a spike, v = v_spike and w = w + b, both held for ``lasts``, z = z_spike, theta = theta_spike;
                  then v = v_reset

z is the current after a spike, theta the threshold that a spike raises. Splitting as of ``AdEx``; a spike begins inside
a step, and ends with the step that is nearest. C. Clopath, L. Busing, E. Vasilaki and W. Gerstner 2010,
doi:10.1038/nn.2479; the defaults are those of NEST's example of ``aeif_psc_delta_clopath``. Units: ms, mV, pF, nS, pA.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..scalar.exponential import exp
from .exponential_lif import upstroke
from .units_and_refractory import need


def step(
    x, g, jump, v, w, z, theta, left,
    dt, capacitance, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w, z_spike, decay_z, theta_spike, decay_theta,
    v_peak, v_spike, lasts, v_reset,
):  # fmt: skip
    half = exp(-0.5 * dt / tau_w)
    w_inf = a * (v - v_rest)
    before = w_inf + (w - w_inf) * half
    v1, at = upstroke(
        v, x + z - before + g_leak * v_rest, g_leak + g, g_leak, theta, sharpness, v_peak, dt, capacitance
    )
    held = left > 0.5
    fired = 0.0 if held else (1.0 if at <= 1.0 or v1 + jump >= v_peak else 0.0)
    w_inf = a * (v1 - v_rest)
    after = before + b if fired > 0.5 else w_inf + (before - w_inf) * half
    z = (z_spike if fired > 0.5 else z) * decay_z
    theta = v_threshold + ((theta_spike if fired > 0.5 else theta) - v_threshold) * decay_theta
    left = lasts - (1.0 - at if at <= 1.0 else 0.0) if fired > 0.5 else (left - 1.0 if held else 0.0)
    v = (v_spike if left > 0.5 else v_reset) if held or fired > 0.5 else v1 + jump
    return fired, v, w if held else after, z, theta, left


def ClopathAdEx(
    capacitance: float = 281.0,
    g_leak: float = 30.0,
    v_rest: float = -70.6,
    v_threshold: float = -50.4,
    sharpness: float = 2.0,
    *,
    a: float = 4.0,
    b: float = 0.0805,
    tau_w: float = 144.0,
    z_spike: float = 400.0,
    tau_z: float = 40.0,
    theta_spike: float = 30.4,
    tau_theta: float = 50.0,
    v_peak: float = 33.0,
    v_spike: float = 33.0,
    lasts: float = 2.0,
    v_reset: float = -49.6,
) -> Neuron:
    """Adaptive exponential integrate-and-fire neuron whose spikes last, for ``nbsnn.plasticity.Clopath``.

    Parameters
    ----------
    capacitance, g_leak : float or array, pF and nS
        Of the membrane.
    v_rest, v_threshold : float or array, mV
        Reversal potential of the leak, where a run starts; the threshold at rest.
    sharpness : float or array, mV
        Width of the upstroke's beginning.
    a, b : float or array, nS and pA
        Adaptation to the membrane, and what a spike adds to it.
    tau_w : float or array, ms
        Time constant of adaptation.
    z_spike, tau_z : float or array, pA and ms
        Depolarising current after a spike, and its time constant.
    theta_spike, tau_theta : float or array, mV and ms
        Threshold after a spike, and the time constant with which it falls to ``v_threshold``.
    v_peak : float or array, mV
        Membrane that is a spike.
    v_spike, lasts : float or array, mV and ms
        Where the membrane is held during a spike, and for how long: several steps.
    v_reset : float or array, mV
        Membrane after it.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "w", "z", "theta", "left" (steps of
        the spike that are left). It has no gradient.

    Raises
    ------
    ValueError, TypeError
        If capacitance, g_leak, sharpness, lasts or a time constant is not above 0, or v_reset not below v_peak.

    Examples
    --------
    A spike of 2 ms:

    >>> import nbsnn
    >>> net = nbsnn.Network(dt=0.5, device="python")
    >>> cell = net.population(nbsnn.neurons.ClopathAdEx(), 1)
    >>> current = net.inject(cell, 3000.0)
    >>> net.run(6.0, record={cell: "v"})[cell, "v"][5:, 0].round(0)
    array([-40.,  33.,  33.,  33., -50., -45., -40.], dtype=float32)
    """
    need("ClopathAdEx", real={"v_rest": v_rest, "v_threshold": v_threshold, "theta_spike": theta_spike})
    options = dict(locals())
    need("ClopathAdEx", above={"capacitance": capacitance, "g_leak": g_leak, "sharpness": sharpness, "lasts": lasts})
    need("ClopathAdEx", above={"tau_w": tau_w, "tau_z": tau_z, "tau_theta": tau_theta})
    need("ClopathAdEx", order={"v_reset": v_reset, "v_peak": v_peak})
    return Neuron(
        step,
        state={"v": v_rest, "w": 0.0, "z": 0.0, "theta": v_threshold, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "g_leak": g_leak, "v_rest": v_rest, "v_threshold": v_threshold,
            "sharpness": sharpness, "a": a, "b": b, "tau_w": tau_w, "z_spike": z_spike, "tau_z": tau_z,
            "theta_spike": theta_spike, "tau_theta": tau_theta, "v_peak": v_peak, "v_spike": v_spike, "lasts": lasts,
            "v_reset": v_reset,
        },
        per_step={"dt": "dt", "tau_z": "exp", "tau_theta": "exp", "lasts": "span"},
        inputs=("current", "conductance", "jump"),
        kind="ClopathAdEx",
        options=options,
    )  # fmt: skip
