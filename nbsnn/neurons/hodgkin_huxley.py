"""Hodgkin-Huxley neuron with the kinetics of Traub and Miles.

    C dv/dt = g_leak (E_leak - v) + g_na m^3 h (E_na - v) + g_k n^4 (E_k - v) + sum_k g_k (E_k - v) + I
    dp/dt = a_p(u) (1 - p) - b_p(u) p,   p = m, h, n,   u = v - v_shift

    a_m = 0.32 (13 - u) / (exp((13 - u) / 4) - 1)        b_m = 0.28 (u - 40) / (exp((u - 40) / 5) - 1)
    a_h = 0.128 exp((17 - u) / 18)                       b_h = 4 / (exp((40 - u) / 5) + 1)
    a_n = 0.032 (15 - u) / (exp((15 - u) / 5) - 1)       b_n = 0.5 exp((10 - u) / 40)

Each of the four is linear in itself, and is solved exactly while the others stand still, which is stable for any dt.
Splitting: half a step of v, a step of the gates, half a step of v, in each of ``substeps`` parts; of second order in
dt. Exponential Euler: a step of all, with the others as they were before it; of first order. Nothing is reset: a spike
is the upstroke of v through v_threshold, unless one has just been counted.

R. D. Traub and R. Miles 1991, Neuronal Networks of the Hippocampus; constants of the benchmark "COBAHH" in R. Brette
et al. 2007, doi:10.1007/s10827-007-0038-6: a cell of 20,000 um^2. Units: ms, mV, pF, nS, pA.
"""

from __future__ import annotations

import numpy as np

from ..neuron import Neuron
from ..scalar.exponential import exp, linoid, logistic
from .conductance_lif import relax
from .inside_step import refractory_of
from .parts import all_parts, in_a_row, share
from .units_and_refractory import broadcast, need, rest_of


def gate(p, a, b, dt):
    """An activation one step later, its rates of opening and closing constant."""
    rate = a + b
    p_inf = a / rate
    return p_inf + (p - p_inf) * exp(-dt * rate)


def grown(x):
    """exp(x), but finite: a rate of exp(60) per ms acts at once, and a quotient of rates stays a number."""
    return exp(60.0 if x > 60.0 else x)


def rates(u):
    """a_m, b_m, a_h, b_h, a_n, b_n in 1/ms."""
    a_m, b_m = 1.28 * linoid(0.25 * (13.0 - u)), 1.4 * linoid(0.2 * (u - 40.0))
    a_h, b_h = 0.128 * grown((17.0 - u) * (1.0 / 18.0)), 4.0 * logistic(0.2 * (u - 40.0))
    a_n, b_n = 0.16 * linoid(0.2 * (15.0 - u)), 0.5 * grown(0.025 * (10.0 - u))
    return a_m, b_m, a_h, b_h, a_n, b_n


def step(
    x, g, jump, v, m, h, n, left,
    dt, capacitance, g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, v_threshold, refractory,
):  # fmt: skip
    u = v - v_shift
    na, k = g_na * (m * m * m * h), g_k * (n * n * n * n)
    v1 = relax(v, x + g_leak * e_leak + na * e_na + k * e_k, g + g_leak + na + k, dt, capacitance) + jump
    a_m, b_m, a_h, b_h, a_n, b_n = rates(u)
    m, h, n = gate(m, a_m, b_m, dt), gate(h, a_h, b_h, dt), gate(n, a_n, b_n, dt)
    s = 1.0 if v1 > v_threshold and v <= v_threshold and left < 0.5 else 0.0
    return s, v1, m, h, n, rest_of(left, s, refractory)


def pull(x, g, m, h, n, g_leak, g_na, g_k, e_leak, e_na, e_k, dt, capacitance):
    """Where v goes while the gates stand still, and the share of its distance that is left after dt."""
    na, k = g_na * (m * m * m * h), g_k * (n * n * n * n)
    total = g + g_leak + na + k
    return (x + g_leak * e_leak + na * e_na + k * e_k) / total, exp(-dt * total / capacitance)


def part(
    state, jump, x, g,
    dt, capacitance, g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, v_threshold, refractory,
):  # fmt: skip
    s, v, m, h, n, left, v_inf, stays = state
    lasts, half = dt * share(), 0.5 * dt * share()
    mid = v_inf + (v - v_inf) * stays
    a_m, b_m, a_h, b_h, a_n, b_n = rates(mid - v_shift)
    m, h, n = gate(m, a_m, b_m, lasts), gate(h, a_h, b_h, lasts), gate(n, a_n, b_n, lasts)
    v_inf, stays = pull(x, g, m, h, n, g_leak, g_na, g_k, e_leak, e_na, e_k, half, capacitance)
    u = v_inf + (mid - v_inf) * stays
    at = (v_threshold - v) / (u - v) if u > v_threshold and v <= v_threshold else 1.0
    u = u + jump
    fired = 1.0 if u > v_threshold and v <= v_threshold and left <= at * share() and s < 0.5 else 0.0
    rest = refractory - (1.0 - at) * share() if fired > 0.5 else left - share()
    return s + fired, u, m, h, n, rest if rest > 0.0 else 0.0, v_inf, stays


def split_step(
    x, g, jump, v, m, h, n, left,
    dt, capacitance, g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, v_threshold, refractory,
):  # fmt: skip
    v_inf, stays = pull(x, g, m, h, n, g_leak, g_na, g_k, e_leak, e_na, e_k, 0.5 * dt * share(), capacitance)
    s, v, m, h, n, left, _, _ = all_parts(
        (0.0, v, m, h, n, left, v_inf, stays), jump, x, g,
        dt, capacitance, g_leak, g_na, g_k, e_leak, e_na, e_k, v_shift, v_threshold, refractory,
    )  # fmt: skip
    return s, v, m, h, n, left


def HodgkinHuxley(
    capacitance: float = 200.0,
    g_leak: float = 10.0,
    g_na: float = 20000.0,
    g_k: float = 6000.0,
    *,
    e_leak: float = -60.0,
    e_na: float = 50.0,
    e_k: float = -90.0,
    v_shift: float = -63.0,
    v_threshold: float = -20.0,
    refractory: float = 3.0,
    v_start: float | None = None,
    substeps: int | None = None,
    method: str = "splitting",
) -> Neuron:
    """Hodgkin-Huxley neuron of Traub and Miles.

    Parameters
    ----------
    capacitance : float or array, pF
        Of the membrane.
    g_leak, g_na, g_k : float or array, nS
        Leak conductance, greatest conductances of sodium and potassium channels.
    e_leak, e_na, e_k : float or array, mV
        Reversal potentials.
    v_shift : float or array, mV
        Shift of all rates: what the papers call V_T.
    v_threshold : float or array, mV
        Where an upstroke counts as a spike. It does not act on the membrane.
    refractory : float or array, ms
        Time after a spike without another one; the equations continue.
    v_start : float or array, mV
        Membrane at the start, ``e_leak`` by default; m, h and n start in equilibrium with it. (The benchmark starts
        at m = h = n = 0.)
    substeps : int
        In how many parts a step is computed, 8 by default; there is at most one spike in a step. For "splitting" alone.
    method : {"splitting", "exponential_euler"}
        "splitting" is of second order: at dt = 0.1 ms intervals are within 0.5 % of the equations' own.
        "exponential_euler", which is that of Brian 2's COBAHH, computes a step at once; it is of first order, 9 % off
        at dt = 0.1 ms, and counts the refractory period in whole steps.

    Returns
    -------
    Neuron
        Input in pA; conductance in nS where the simulator supplies one. State "v", "m", "h", "n", "left". It has no
        gradient.

    Raises
    ------
    ValueError
        If capacitance or g_leak is not above 0, another conductance or refractory below 0, the method unknown, or
        substeps are asked of "exponential_euler".

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> from nbsnn.neurons import HodgkinHuxley
    >>> run = nbsnn.Population(HodgkinHuxley(), 1, dt=0.05).run(np.full((2000, 1, 1), 300.0, np.float32))
    >>> int(run["spikes"].sum()), bool(run["v"].max() > 20.0)
    (6, True)
    """
    need("HodgkinHuxley", real={"e_leak": e_leak})
    v_start = e_leak if v_start is None else v_start
    options = dict(locals())
    need("HodgkinHuxley", above={"capacitance": capacitance, "g_leak": g_leak})
    need("HodgkinHuxley", real={"v_start": v_start, "v_shift": v_shift})
    broadcast("HodgkinHuxley", {"v_start": v_start, "v_shift": v_shift})
    need("HodgkinHuxley", least={"g_na": g_na, "g_k": g_k, "refractory": refractory})
    a_m, b_m, a_h, b_h, a_n, b_n = np.vectorize(rates, otypes=[float] * 6)(np.float64(v_start) - np.float64(v_shift))
    if not np.isfinite([a_m + b_m, a_h + b_h, a_n + b_n]).all():
        raise ValueError(f"v_start of HodgkinHuxley lies too far from v_shift: {v_start!r} and {v_shift!r}")
    count_of = refractory_of(method, "HodgkinHuxley")
    if count_of == "steps" and substeps is not None:
        raise ValueError(f'substeps of HodgkinHuxley are those of method="splitting"; {method!r} has none')
    start = {"v": v_start, "m": a_m / (a_m + b_m), "h": a_h / (a_h + b_h), "n": a_n / (a_n + b_n), "left": 0.0}
    return Neuron(
        split_step if count_of == "span" else step,
        state=start,
        params={
            "dt": 1.0, "capacitance": capacitance, "g_leak": g_leak, "g_na": g_na, "g_k": g_k, "e_leak": e_leak,
            "e_na": e_na, "e_k": e_k, "v_shift": v_shift, "v_threshold": v_threshold, "refractory": refractory,
        },
        per_step={"dt": "dt", "refractory": count_of},
        compare=">",
        inputs=("current", "conductance", "jump"),
        holes=in_a_row(8 if substeps is None else substeps, part) if count_of == "span" else {},
        kind="HodgkinHuxley",
        options=options,
    )  # fmt: skip
