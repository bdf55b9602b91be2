"""Izhikevich's simple model: two variables, most firing patterns of the cortex.

    dv/dt = 0.04 v^2 + slope v + constant - u + I,       slope = 5, constant = 140
    du/dt = a (b (v - v_u) - leak_u u),                  v_u = 0, leak_u = 1
    v >= v_peak:  a spike, v = c, u = u + d

Splitting: half a step of u (implicit midpoint), a step of v, whose equation is solved exactly as in ``quadratic_lif``,
half a step of u; of second order in dt, with spike and reset inside the step (see ``inside_step``).

Scheme of the paper's program: Euler, v in ``substeps`` parts of a step (two halves there), then u in one step with the
new v, then what delta synapses add to v, then the spike. The patterns are those of this scheme at this step: a spike's
time and the last spike of a burst depend on dt. Far below rest, where an Euler step would throw v to the other side
(h (0.08 v + slope) < -2), and in conductances it is linearly implicit, so that inhibition does not make spikes. The
time is in ms, v in mV, u and I have no unit that the paper names.

E. M. Izhikevich 2003, Simple model of spiking neurons, doi:10.1109/TNN.2003.820440; the other constants are for
three of the patterns in E. M. Izhikevich 2004, Which model to use for cortical spiking neurons?,
doi:10.1109/TNN.2004.832719.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ..neuron import Neuron
from ..scalar.hole import hole
from ..validate import count
from .inside_step import free_of, landed, refractory_of
from .parts import all_parts, in_a_row, share
from .quadratic_lif import escape
from .units_and_refractory import broadcast, need


def euler(v, u, x, g, slope, constant, h):
    """v after a step of h: Euler's where that is stable, else linearly implicit in v; implicit in the conductance."""
    fall = h * (0.08 * v + slope)
    share = 1.0 + h * g - (fall if fall < -2.0 else 0.0)
    return v + h / share * (0.04 * v * v + slope * v + constant - u + x - g * v)


@hole
def membrane(v, u, x, g, slope, constant, dt):
    return euler(v, u, x, g, slope, constant, dt)


def step(x, g, jump, v, u, dt, a, b, c, d, v_peak, slope, constant, v_u, leak_u):
    v = membrane(v, u, x, g, slope, constant, dt)
    u = u + dt * (a * (b * (v - v_u) - leak_u * u))
    v = v + jump
    s = v >= v_peak
    return 1.0 if s else 0.0, c if s else v, u + d if s else u


def recovered(u, v, a, b, v_u, leak_u, h):
    """u after h with v constant."""
    return u + h * a * (b * (v - v_u) - leak_u * u) / (1.0 + 0.5 * h * a * leak_u)


def part(state, jump, x, g, dt, a, b, c, d, v_peak, slope, constant, v_u, leak_u):
    s, v, u, left = state
    free = free_of(left, share())
    h = free * dt
    u = recovered(u, v, a, b, v_u, leak_u, 0.5 * h)
    v1, at = escape(v, 0.04, slope - g, constant - u + x, h, v_peak)
    early = at <= 1.0
    u = recovered(u, v_peak if early else v1, a, b, v_u, leak_u, h * (at - 0.5) if early else 0.5 * h)
    fired, v, left = landed(v1, at, free, share(), jump, s, left, v_peak, c, 0.0)
    return s + fired, v, u + d * fired, left


def split_step(x, g, jump, v, u, left, dt, a, b, c, d, v_peak, slope, constant, v_u, leak_u):
    return all_parts((0.0, v, u, left), jump, x, g, dt, a, b, c, d, v_peak, slope, constant, v_u, leak_u)


@cache
def in_parts(parts):
    """``membrane`` in ``parts`` Euler steps."""

    share = 1.0 / parts

    def membrane_in_parts(v, u, x, g, slope, constant, dt):
        h = dt * share
        for _ in range(parts):
            v = euler(v, u, x, g, slope, constant, h)
        return v

    return membrane_in_parts


def Izhikevich(
    a: float = 0.02,
    b: float = 0.2,
    c: float = -65.0,
    d: float = 8.0,
    *,
    v_peak: float = 30.0,
    slope: float = 5.0,
    constant: float = 140.0,
    v_u: float = 0.0,
    leak_u: float = 1.0,
    v_start: float | None = None,
    u_start: float | None = None,
    substeps: int = 2,
    method: str = "splitting",
) -> Neuron:
    """Izhikevich's simple model; by default a regular spiking neuron.

    Parameters
    ----------
    a, b : float or array
        Rate of recovery in 1/ms, and its sensitivity to the membrane.
    c, d : float or array
        Membrane after a spike in mV, and what a spike adds to u.
    v_peak : float or array, mV
        Membrane that ends a spike.
    slope, constant, v_u, leak_u : float or array
        Coefficients of the equations that most patterns share.
    v_start, u_start : float or array
        State at the start: by default ``c`` and b (v_start - v_u).
    substeps : int
        In how many parts a step is computed; there is at most one spike in a step.
    method : {"splitting", "euler"}
        "splitting" is of second order, with the reset inside the step: at dt = 0.1 ms intervals are within 0.5 % of
        the equations' own. "euler" is that of the paper's program, with the reset at the end of the step; with it,
        v moves in ``substeps`` parts.

    Returns
    -------
    Neuron
        With the state "v", "u", and for "splitting" "left", below 0 the part of a step since the reset. It has no
        gradient. Presets: ``izhikevich_patterns``.

    Raises
    ------
    ValueError, TypeError
        If c is not below v_peak, substeps not a positive integer, or the method unknown.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import Izhikevich
    >>> run = nbsnn.Population(Izhikevich(), 1).run(np.full((1000, 1, 1), 10.0, np.float32))
    >>> int(run["spikes"].sum())
    23
    """
    need("Izhikevich", real={"c": c})
    v_start = c if v_start is None else v_start
    need("Izhikevich", real={"b": b, "v_start": v_start, "v_u": v_u}, order={"c": c, "v_peak": v_peak})
    if u_start is None:
        broadcast("Izhikevich", {"b": b, "v_start": v_start, "v_u": v_u})
        u_start = np.float64(b) * (np.float64(v_start) - np.float64(v_u))
        u_start = u_start if np.ndim(u_start) else float(u_start)
    options = dict(locals())
    need("Izhikevich", real={"u_start": u_start})
    splits = refractory_of(method, "Izhikevich", ("splitting", "euler")) == "span"
    parts_of_v = {} if splits else {"membrane": in_parts(count("substeps of Izhikevich", substeps, most=1000))}
    return Neuron(
        split_step if splits else step,
        state={"v": v_start, "u": u_start, **({"left": 0.0} if splits else {})},
        params={
            "dt": 1.0, "a": a, "b": b, "c": c, "d": d, "v_peak": v_peak, "slope": slope, "constant": constant,
            "v_u": v_u, "leak_u": leak_u,
        },
        per_step={"dt": "dt"},
        inputs=("current", "conductance", "jump"),
        holes=in_a_row(substeps, part) if splits else parts_of_v,
        kind="Izhikevich",
        options=options,
    )  # fmt: skip
