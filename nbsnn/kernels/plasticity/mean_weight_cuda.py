"""Mean weights that units steer against their own activity, on a GPU: one step of ``plasticity.mean_weight``.

``noted`` holds increments, the mean weight that each unit aims at, room for the next, and numbers: the mean of all of
them, the factor of the trace, and how many samples, inputs and units there are.
"""

from typing import Any

import numpy as np

from .dense_cuda import pair_synapses
from .mean_weight import aimed, rescale
from .synapse import Numbers


def aim(
    part: int, parts: int, t: int, pre: np.ndarray, post: np.ndarray, X: np.ndarray, Y: np.ndarray, rule: Numbers,
    w: np.ndarray, noted: tuple[Any, ...],
) -> None:  # fmt: skip
    """Note what the rule asks for at synapses, and what units aim at next, but for a common factor."""
    pair_synapses(part, parts, t, pre, post, X, Y, rule, w, noted)
    m, new, (_, a_pre, batch, _, units) = noted[1], noted[2], noted[3]
    if part < m.shape[0]:
        total = 0.0
        for j in range(m.shape[0]):
            total += trace_of(j, Y, batch)
        for j in range(part, m.shape[0], parts):
            new[j] = aimed(m[j], trace_of(j, Y, batch), total / units, a_pre)


def trace_of(j, Y, batch):
    """The trace of a unit, averaged over samples."""
    total = 0.0
    for b in range(Y.shape[2]):
        total += Y[0, 0, b, j]
    return total / batch


def steer(part: int, parts: int, t: int, w: np.ndarray, rule: Numbers, noted: tuple[Any, ...]) -> None:
    """Bring the mean weight of each unit to where it aims, and add the increments."""
    dw, m, new, (whole, _, _, inputs, units) = noted
    if part < m.shape[0]:
        total = 0.0
        for j in range(m.shape[0]):
            total += new[j]
        for j in range(part, m.shape[0], parts):
            goal = new[j] * (whole / (total / units))
            mean = 0.0
            for i in range(w.shape[0]):
                mean += w[i, j]
            factor = rescale(goal, mean / inputs)
            for i in range(w.shape[0]):
                w[i, j] = w[i, j] * factor + dw[0, i, j]
            m[j] = goal
