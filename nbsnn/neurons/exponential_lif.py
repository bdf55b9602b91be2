"""Exponential integrate-and-fire neuron: a spike begins smoothly, as sodium channels open with the membrane.

    C dv/dt = g_leak (v_rest - v) + g_leak sharpness exp((v - v_threshold) / sharpness) + sum_k g_k (E_k - v) + I
    v >= v_peak:  a spike, v = v_reset, held there while refractory

Splitting: half a step of the linear part, a step of the exponential one, half a step of the linear part, each solved
exactly. The exponential part alone is linear in z = exp(-(v - v_threshold) / sharpness), which falls by g_leak / C in a
ms and is 0 where v would be infinite: so the upstroke has no error of its own, and says within the step when v has
reached v_peak. There the reset is placed and the refractory period begins (see ``inside_step``). Of second order in dt.

Exponential Euler: the exact solution with the exponential current as it was before the step; of first order in dt. The
last step of the upstroke may overshoot, but not by more than it takes to be a spike, and the reset is at the end of the
step. ``substeps`` divides a step.

N. Fourcaud-Trocme et al. 2003, doi:10.1523/JNEUROSCI.23-37-11628.2003. Units: ms, mV, pF, nS, pA.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..scalar.exponential import exp, expm1
from ..scalar.logarithm import log
from .inside_step import free_of, landed, refractory_of
from .parts import all_parts, in_a_row, in_loop, parts, share
from .units_and_refractory import need, reset_where, rest_of


def rise(v, x, conductance, e_leak, g_leak, v_threshold, sharpness, dt, capacitance):
    """v after a step of dt with the current x at v = 0: the exact solution for a constant exponential current."""
    total = x + g_leak * (e_leak + sharpness * exp((v - v_threshold) / sharpness))
    # Written as what is added to v, so that an exponential beyond the range of floats gives infinity: a spike.
    return v - (total / conductance - v) * expm1(-dt * conductance / capacitance)


def step(x, g, jump, v, left, dt, capacitance, g_leak, v_rest, v_threshold, sharpness, v_peak, v_reset, refractory):
    h = dt * share()
    s = 0.0
    for k in range(parts()):
        v1 = rise(v, x, g_leak + g, v_rest, g_leak, v_threshold, sharpness, h, capacitance)
        v1 = v1 + (jump if k == parts() - 1 else 0.0)  # what arrives, arrives at the end of a step
        s = s if left > 0.0 else (1.0 if v1 >= v_peak else s)
        v = reset_where(left, s, v_reset, v1)
    return s, v, rest_of(left, s, refractory)


def upstroke(v, x, conductance, g_leak, v_threshold, sharpness, v_peak, h, capacitance):
    """v after h with the current x at v = 0, and the share of h at which it reaches v_peak: 2 if it does not."""
    v_inf = x / conductance
    loss = -expm1(-0.5 * h * conductance / capacitance)
    before = v + (v_inf - v) * loss
    fall = h * g_leak / capacitance * exp((before - v_threshold) / sharpness)  # of z, as a share of it
    z = 1.0 - fall
    top = exp((before - v_peak) / sharpness)
    after = before - sharpness * log(z if z > 1e-30 else 1e-30)
    v1 = after + (v_inf - after) * loss
    way = 1.0 - top if top < 1.0 else 0.0
    at = way / (fall if fall > 1e-30 else 1e-30)
    at = at if at < 1.0 else 1.0
    # The linear part of at h / 2, not of h / 2, comes before.
    at = at * exp((1.0 - at) * (before - v) / sharpness)
    at = at if at < 1.0 else 1.0
    return v1, at if z <= top or v1 >= v_peak else 2.0


def part(state, jump, x, g, dt, capacitance, g_leak, v_rest, v_threshold, sharpness, v_peak, v_reset, refractory):
    s, v, left = state
    free = free_of(left, share())
    v1, at = upstroke(
        v, x + g_leak * v_rest, g_leak + g, g_leak, v_threshold, sharpness, v_peak, free * dt, capacitance
    )
    fired, v, left = landed(v1, at, free, share(), jump, s, left, v_peak, v_reset, refractory)
    return s + fired, v, left


def split_step(
    x, g, jump, v, left, dt, capacitance, g_leak, v_rest, v_threshold, sharpness, v_peak, v_reset, refractory
):
    return all_parts(
        (0.0, v, left), jump, x, g,
        dt, capacitance, g_leak, v_rest, v_threshold, sharpness, v_peak, v_reset, refractory,
    )  # fmt: skip


def EIF(
    capacitance: float = 200.0,
    g_leak: float = 10.0,
    v_rest: float = -65.0,
    v_threshold: float = -50.0,
    sharpness: float = 2.0,
    *,
    v_peak: float = 0.0,
    v_reset: float = -60.0,
    refractory: float = 2.0,
    substeps: int = 1,
    method: str = "splitting",
) -> Neuron:
    """Exponential integrate-and-fire neuron.

    Parameters
    ----------
    capacitance, g_leak : float or array, pF and nS
        Of the membrane.
    v_rest, v_threshold : float or array, mV
        Reversal potential of the leak, where a run starts; membrane at which the exponential current has slope g_leak.
    sharpness : float or array, mV
        Width of the upstroke's beginning, often written Delta_T; towards 0 the neuron becomes a LIF.
    v_peak, v_reset : float or array, mV
        Membrane that ends a spike, and membrane after it.
    refractory : float or array, ms
        Time after a spike during which the membrane stays at ``v_reset``.
    substeps : int
        In how many parts a step is computed; there is at most one spike in a step.
    method : {"splitting", "exponential_euler"}
        "splitting" is of second order, with the reset inside the step: at dt = 0.1 ms intervals are within 0.1 % of
        the equations' own. "exponential_euler" is of first order, resets at the end of the step and holds the membrane
        for whole steps.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "left" (refractory steps, or below
        0 the part of a step since the reset). It has no gradient.

    Raises
    ------
    ValueError, TypeError
        If capacitance, g_leak or sharpness is not above 0, v_reset or v_threshold not below v_peak, or the method
        unknown.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import EIF
    >>> run = nbsnn.Population(EIF(), 1, dt=0.1).run(np.full((1000, 1, 1), 250.0, np.float32))
    >>> int(run["spikes"].sum())
    4
    """
    options = dict(locals())
    need("EIF", above={"capacitance": capacitance, "g_leak": g_leak, "sharpness": sharpness})
    need("EIF", least={"refractory": refractory}, order={"v_threshold": v_threshold, "v_peak": v_peak})
    need("EIF", order={"v_reset": v_reset, "v_peak": v_peak})
    count_of = refractory_of(method, "EIF")
    return Neuron(
        split_step if count_of == "span" else step,
        state={"v": v_rest, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "g_leak": g_leak, "v_rest": v_rest, "v_threshold": v_threshold,
            "sharpness": sharpness, "v_peak": v_peak, "v_reset": v_reset, "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": count_of},
        inputs=("current", "conductance", "jump"),
        holes=in_a_row(substeps, part) if count_of == "span" else in_loop(substeps),
        kind="EIF",
        options=options,
    )  # fmt: skip
