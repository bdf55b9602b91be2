"""Adaptive exponential integrate-and-fire neuron: an upstroke that begins smoothly, and a current that adapts.

    C dv/dt = g_leak (v_rest - v) + g_leak sharpness exp((v - v_threshold) / sharpness) - w + sum_k g_k (E_k - v) + I
    tau_w dw/dt = a (v - v_rest) - w
    v >= v_peak:  a spike, v = v_reset, w = w + b; v is held there while refractory

Splitting: half a step of w, a step of v as in ``exponential_lif``, half a step of w; of second order in dt, with spike
and reset inside the step. Up to a spike, v is v0 - sharpness log(1 - t / T), whose mean exceeds v0 by the sharpness.

Exponential Euler: both equations are solved exactly with w, or v, and the exponential current as they were before the
step; of first order in dt. ``substeps`` divides a step: patterns that hang on the last spike of a burst need short
ones, whatever the scheme.

R. Brette and W. Gerstner 2005, doi:10.1152/jn.00686.2005; the defaults are theirs. Units: ms, mV, pF, nS, pA.
"""

from __future__ import annotations

from ..neuron import Neuron
from ..scalar.exponential import exp
from .exponential_lif import rise, upstroke
from .inside_step import free_of, held_of, landed, refractory_of
from .parts import all_parts, in_a_row, in_loop, parts, share
from .units_and_refractory import need, reset_where, rest_of


def step(
    x, g, jump, v, w, left,
    dt, capacitance, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w, v_peak, v_reset, refractory,
):  # fmt: skip
    h = dt * share()
    decay = exp(-h / tau_w)
    s = 0.0
    for k in range(parts()):
        v1 = rise(v, x - w, g_leak + g, v_rest, g_leak, v_threshold, sharpness, h, capacitance)
        v1 = v1 + (jump if k == parts() - 1 else 0.0)
        w_inf = a * (v - v_rest)
        w = w_inf + (w - w_inf) * decay
        fired = 0.0 if left + s > 0.5 else (1.0 if v1 >= v_peak else 0.0)
        w, s = w + b * fired, s + fired
        v = reset_where(left, s, v_reset, v1)
    return s, v, w, rest_of(left, s, refractory)


def part(
    state, jump, x, g,
    dt, capacitance, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w, v_peak, v_reset, refractory,
):  # fmt: skip
    s, v, w, left = state
    free = free_of(left, share())
    h = free * dt
    w_inf = a * (v - v_rest)
    w = w_inf + (w - w_inf) * exp(-(held_of(left, share()) * dt + 0.5 * h) / tau_w)
    v1, at = upstroke(v, x - w + g_leak * v_rest, g_leak + g, g_leak, v_threshold, sharpness, v_peak, h, capacitance)
    early = at <= 1.0
    w_inf = w_inf if early or free == 0.0 else a * (v1 - v_rest)
    lasts = h * (at - 0.5) if early else 0.5 * h
    w = w_inf + (w - w_inf) * exp(-lasts / tau_w) + (at * h * sharpness * a / tau_w if early else 0.0)
    fired, v, left = landed(v1, at, free, share(), jump, s, left, v_peak, v_reset, refractory)
    return s + fired, v, w + b * fired, left


def split_step(
    x, g, jump, v, w, left,
    dt, capacitance, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w, v_peak, v_reset, refractory,
):  # fmt: skip
    return all_parts(
        (0.0, v, w, left), jump, x, g,
        dt, capacitance, g_leak, v_rest, v_threshold, sharpness, a, b, tau_w, v_peak, v_reset, refractory,
    )  # fmt: skip


def AdEx(
    capacitance: float = 281.0,
    g_leak: float = 30.0,
    v_rest: float = -70.6,
    v_threshold: float = -50.4,
    sharpness: float = 2.0,
    *,
    a: float = 4.0,
    b: float = 80.5,
    tau_w: float = 144.0,
    v_peak: float = 20.0,
    v_reset: float | None = None,
    refractory: float = 0.0,
    w_start: float = 0.0,
    substeps: int = 4,
    method: str = "splitting",
) -> Neuron:
    """Adaptive exponential integrate-and-fire neuron; by default the regular spiking one of the paper.

    Parameters
    ----------
    capacitance, g_leak : float or array, pF and nS
        Of the membrane.
    v_rest, v_threshold : float or array, mV
        Reversal potential of the leak, where a run starts; membrane at which the exponential current has slope g_leak.
    sharpness : float or array, mV
        Width of the upstroke's beginning, often written Delta_T.
    a, b : float or array, nS and pA
        Adaptation to the membrane, and what a spike adds to it.
    tau_w : float or array, ms
        Time constant of adaptation.
    v_peak, v_reset : float or array, mV
        Membrane that ends a spike, and membrane after it (by default ``v_rest``).
    refractory : float or array, ms
        Time after a spike during which the membrane stays at ``v_reset``; adaptation continues.
    w_start : float or array, pA
        Adaptation at the start.
    substeps : int
        In how many parts a step is computed; there is at most one spike in a step. One is enough where a neuron does
        not burst.
    method : {"splitting", "exponential_euler"}
        As in ``EIF``: of second order with the reset inside the step, or of first order with the reset at its end.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "w", "left" (as in ``EIF``). It has
        no gradient. Presets: ``adex_patterns``.

    Raises
    ------
    ValueError, TypeError
        If capacitance, g_leak, sharpness or tau_w is not above 0, v_reset or v_threshold not below
        v_peak, or the method unknown.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import AdEx
    >>> run = nbsnn.Population(AdEx(), 1, dt=0.1).run(np.full((2000, 1, 1), 1000.0, np.float32))
    >>> np.diff(np.flatnonzero(run["spikes"]))[[0, -1]] * 0.1  # the first interval and the last, ms
    array([13.6, 31.9])
    """
    need("AdEx", real={"v_rest": v_rest, "w_start": w_start})
    v_reset = v_rest if v_reset is None else v_reset
    options = dict(locals())
    need("AdEx", above={"capacitance": capacitance, "g_leak": g_leak, "sharpness": sharpness, "tau_w": tau_w})
    need("AdEx", least={"refractory": refractory}, order={"v_threshold": v_threshold, "v_peak": v_peak})
    need("AdEx", order={"v_reset": v_reset, "v_peak": v_peak})
    count_of = refractory_of(method, "AdEx")
    return Neuron(
        split_step if count_of == "span" else step,
        state={"v": v_rest, "w": w_start, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "g_leak": g_leak, "v_rest": v_rest, "v_threshold": v_threshold,
            "sharpness": sharpness, "a": a, "b": b, "tau_w": tau_w, "v_peak": v_peak, "v_reset": v_reset,
            "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": count_of},
        inputs=("current", "conductance", "jump"),
        holes=in_a_row(substeps, part) if count_of == "span" else in_loop(substeps),
        kind="AdEx",
        options=options,
    )  # fmt: skip
