"""Quadratic integrate-and-fire neuron: what every neuron with a saddle-node becomes near its threshold.

    C dv/dt = k (v - v_rest) (v - v_critical) + sum_k g_k (E_k - v) + I
    v >= v_peak:  a spike, v = v_reset, held there while refractory

The right side is k v^2 + p v + q, constant coefficients during a step, which has the solution

    v1 = v0 + T (k v0^2 + p v0 + q) / (1 - T (k v0 + p / 2)),    T = tan(y) / y h,    h = dt / C,
    y^2 = h^2 (k q - p^2 / 4)

(tanh where y^2 < 0). It goes through infinity where the membrane escapes, and tells when v_peak is reached: there the
reset is placed and the refractory period begins (see ``inside_step``). tan(y) / y is taken as (1 - y^2 / 15) /
(1 - 2 y^2 / 5), exact to the sixth order, and as 1 / |y| where that is less, so that large conductances bring v1 to
their reversal potential. ``substeps`` divides a step.

Kahan's scheme, of second order but for the reset at the end of the step: the mean over the step is taken as
k v0 v1 + p (v0 + v1) / 2 + q, which gives

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

from math import sqrt

from ..neuron import Neuron
from .inside_step import free_of, landed, refractory_of
from .parts import all_parts, in_a_row, share
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


def escape(v, k, p, q, h, v_peak):
    """v after h with dv/dt = k v^2 + p v + q, and the share of h at which it reaches v_peak: 2 if it does not."""
    turn = k * q - 0.25 * p * p
    y = h * h * turn
    y = y if y < 2.4 else 2.4  # a quarter of a turn, within which v goes through infinity
    tan = (1.0 - y * (1.0 / 15.0)) / (1.0 - 0.4 * y)
    most = 1.0 / sqrt(-y if y < -1.0 else 1.0)
    t = h * (tan if tan < most else most)
    below = 1.0 - t * (k * v + 0.5 * p)
    v1 = v + t * (k * v * v + p * v + q) / (below if below > 1e-30 else 1e-30)
    rise = k * v * v_peak + 0.5 * p * (v + v_peak) + q
    way = (v_peak - v) / (rise if rise > 1e-12 else 1e-12)
    y = way * way * turn
    y = y if y > -0.99 else -0.99
    y = y if y < 1e6 else 1e6
    at = way * (1.0 + y * (4.0 / 15.0)) / (1.0 + 0.6 * y) / (h if h > 1e-30 else 1e-30)
    at = at if at < 1.0 else 1.0
    at = at if at > 0.0 else 0.0
    return v1, at if h > 0.0 and (below <= 0.0 or v1 >= v_peak) else 2.0


def part(state, jump, p, q, dt, capacitance, k, v_rest, v_peak, v_reset, refractory):
    s, v, left = state
    free = free_of(left, share())
    # Measured from v_rest, which keeps float32 precise.
    u, at = escape(v - v_rest, k, p, q, free * dt / capacitance, v_peak - v_rest)
    fired, v, left = landed(v_rest + u, at, free, share(), jump, s, left, v_peak, v_reset, refractory)
    return s + fired, v, left


def exact_step(x, g, jump, v, left, dt, capacitance, k, v_rest, v_critical, v_peak, v_reset, refractory):
    p, q = -k * (v_critical - v_rest) - g, x - g * v_rest
    return all_parts((0.0, v, left), jump, p, q, dt, capacitance, k, v_rest, v_peak, v_reset, refractory)


def QIF(
    capacitance: float = 100.0,
    k: float = 0.7,
    v_rest: float = -60.0,
    v_critical: float = -40.0,
    *,
    v_peak: float = 35.0,
    v_reset: float = -50.0,
    refractory: float = 0.0,
    substeps: int | None = None,
    method: str = "exact",
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
    substeps : int
        In how many parts a step is computed, 1 by default; there is at most one spike in a step. For "exact" alone.
    method : {"exact", "kahan"}
        "exact" solves the equation for the input of a step, with the reset inside the step. "kahan" is of second order,
        resets at the end of the step and holds the membrane for whole steps.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "left" (refractory steps, or below
        0 the part of a step since the reset). It has no gradient.

    Raises
    ------
    ValueError
        If capacitance or k is not above 0, the order is not v_rest < v_critical < v_peak and v_reset < v_peak, the
        method unknown, or substeps are asked of "kahan".

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
    count_of = refractory_of(method, "QIF", ("exact", "kahan"))
    if count_of == "steps" and substeps is not None:
        raise ValueError(f'substeps of QIF are those of method="exact"; {method!r} has none')
    return Neuron(
        exact_step if count_of == "span" else step,
        state={"v": v_rest, "left": 0.0},
        params={
            "dt": 1.0, "capacitance": capacitance, "k": k, "v_rest": v_rest, "v_critical": v_critical,
            "v_peak": v_peak, "v_reset": v_reset, "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": count_of},
        inputs=("current", "conductance", "jump"),
        holes=in_a_row(1 if substeps is None else substeps, part) if count_of == "span" else {},
        kind="QIF",
        options=options,
    )  # fmt: skip
