"""Leaky integrate-and-fire neuron with an absolute refractory period.

After a spike the membrane is held at its reset value and input is lost until ``left`` steps have passed:

    left[t-1] > 0    s = 0,  v[t] = v[t-1],  left[t] = left[t-1] - 1
    otherwise        as LIF, and left[t] = refractory where it spiked
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from ..neuron import Neuron
from .leak import charge, charge_vjp
from .reset import fire, fire_vjp


def step(
    x: float, v: float, left: float, decay: float, v_threshold: float, v_reset: float, v_rest: float, refractory: float
) -> tuple[float, float, float]:
    s, free = fire(charge(x, v, decay, v_rest), v_threshold, v_reset)
    if left > 0.0:
        return 0.0, v, left - 1.0
    return s, free, refractory if s > 0.5 else 0.0


def vjp(x, v, left, decay, v_threshold, v_reset, v_rest, refractory, gs, gv, g_left):
    u = charge(x, v, decay, v_rest)
    gu, g_threshold, g_reset = fire_vjp(u, v_threshold, v_reset, gs, gv)
    gx, g_free, g_decay, g_rest = charge_vjp(x, v, decay, v_rest, gu)
    if left > 0.0:
        return 0.0, gv, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    return gx, g_free, 0.0, g_decay, g_threshold, g_reset, g_rest, 0.0


def refractory_lif(lif: Neuron, refractory: ArrayLike) -> Neuron:
    """``lif`` with a refractory period, in the unit of ``dt``; rounded to the nearest step."""
    if "refractory" in lif.learn:
        raise ValueError("the refractory period cannot be learned: the spike train jumps where it changes")
    return lif.replace(
        step=step,
        vjp=vjp,
        state={**lif.state, "left": 0.0},
        params={**lif.params, "refractory": refractory},
        per_step={**lif.per_step, "refractory": "steps"},
    )
