"""The rule of Guetig and Sompolinsky, pattern after pattern: each is answered with what the earlier ones have taught.

    error:   change[i] = rate * sum_{t_i < t_max} K(t_max - t_i) + momentum * (change[i] of the last error)
             weight[i] += change[i],       rate < 0 for an output that fired and should not have

The events are those of ``kernels.tempotron.sweeps``. Outputs learn independently of each other.
"""

from typing import Any

from ...scalar.hole import hole
from .sweeps import sweep


@hole
def psp(t: float, tau: float, tau_s: float) -> float:
    """The potential of one spike; filled."""
    raise NotImplementedError("psp is a hole; compile.kernel fills it")


def learn(T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any, weight: Any,
          target: Any, level: float, rate: float, momentum: float, change: Any, work: Any, v_max: Any, t_max: Any,
          upto: Any, slope: Any) -> None:  # fmt: skip
    """Go through all samples once, in order; ``weight`` and ``change`` [N, O] change in place.

    ``target`` [B, O] says who should fire, that is reach ``level``; ``v_max`` and ``t_max`` are as each sample was met.
    """
    for b in range(begin.shape[0]):
        sweep(b, begin[b], end[b], T, n_out, tau, tau_s, time, pre, weight, work, v_max, t_max, upto, slope)
        for o in range(n_out):
            fired = v_max[b, o] >= level
            if fired == target[b, o]:
                continue
            signed = -rate if fired else rate
            for i in range(change.shape[0]):
                change[i, o] *= momentum
            for e in range(begin[b], upto[b, o]):
                change[pre[e], o] += signed * psp(t_max[b, o] - time[e], tau, tau_s)
            for i in range(change.shape[0]):
                weight[i, o] += change[i, o]
