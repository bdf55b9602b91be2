"""Conductances onto a neuron that takes a current alone.

Until it spikes, a step takes the membrane of such a neuron from v to decay v + gain x + constant (see ``membrane``).
In units of a step that is the solution of

    dv/ds = k (x + pull(v)),    pull(v) = constant / gain - held v,    held = (1 - decay) / gain,    k held = -ln(decay)

With conductances g to reversal potentials E there is x + sum g (E - v) in the place of x, and the solution is

    v1 = v + k phi(rate + k g) (x + sum g (E - v) + pull(v)),    phi(y) = (1 - exp(-y)) / y,    rate = k held.

``conducted`` returns the current with which the neuron's own step leads to v1: exact for conductances that are constant
during a step, and between the reversal potentials and the rest however large they are.
"""

from __future__ import annotations

import math
from typing import Any

from ..scalar.exponential import linoid
from ..synapses import Membrane
from .group import Group


def conducted(
    current: float, conductance: float, v: float, rate: float, k: float, share: float, held: float, rest: float
) -> float:
    """The current of a step; ``current`` contains g E of all conductances; ``share`` is phi(rate)'s inverse."""
    much: float = share / linoid(-(rate + k * conductance))
    return much * (current - conductance * v) - (1.0 - much) * (rest - held * v)


def driving_numbers(group: Group) -> tuple[list[float], list[Any]]:
    """What ``conducted`` takes after v, for a group onto which synapses conduct: shared numbers, and those of units."""
    found = group.response if group.driven else None
    if found is None or found.decay is None:
        return [], []
    decay = group.membrane.decay if isinstance(group.membrane, Membrane) else found.decay
    rate = -math.log(max(decay, 1e-300))
    share, rest = linoid(-rate), found.constant / found.gain
    numbers = [rate, share * found.gain, share, (1.0 - decay) / found.gain]
    return (numbers, [rest]) if group.own_rest else ([*numbers, rest], [])
