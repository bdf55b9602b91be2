"""The rule of Guetig and Sompolinsky, pattern after pattern: each is answered with what the earlier ones have taught.

    error:   change[i] = rate * sum_{t_i < t_max} K(t_max - t_i) + momentum * (change[i] of the last error)
             weight[i] += change[i],       rate < 0 for an output that fired and should not have

The events are those of ``kernels.tempotron.sweeps``. Outputs learn independently of each other.
"""

from typing import NamedTuple

import numpy as np

from ...scalar.hole import hole
from .sweeps import Constants, Maxima, Spikes, scratch, sweep


class Learning(NamedTuple):
    """The membrane, without v0, that who should fire has to reach, and the rule's constants."""

    level: float
    rate: float
    momentum: float


@hole
def psp(t: float, tau: float, tau_s: float) -> float:
    """The potential of one spike; filled."""
    raise NotImplementedError("psp is a hole; compile.kernel fills it")


def learn(
    constants: Constants, spikes: Spikes, weight: np.ndarray, target: np.ndarray, rule: Learning, change: np.ndarray,
    found: Maxima,
) -> None:  # fmt: skip
    """Go through all samples once, in order; ``weight`` and ``change`` [N, O] change in place.

    ``target`` [B, O] says who should fire; ``found`` is as each sample was met.
    """
    work = scratch(weight)
    for b in range(target.shape[0]):
        sweep(b, constants, spikes, weight, work, found)
        for o in range(np.uintp(weight.shape[1])):
            fired = found.v[b, o] >= rule.level
            if fired == (target[b, o] != 0):
                continue
            signed = -rule.rate if fired else rule.rate
            for i in range(change.shape[0]):
                change[i, o] *= rule.momentum
            for e in range(spikes.begin[b], found.n_before[b, o]):
                change[spikes.pre[e], o] += signed * psp(found.t[b, o] - spikes.time[e], constants.tau, constants.tau_s)
            for i in range(change.shape[0]):
                weight[i, o] += change[i, o]
