"""The rule of Guetig and Sompolinsky on a GPU: patterns one after another, a block of threads for each output.

All threads of a block find the same maximum, as they read the same events; then they share the inputs' changes.
"""

from typing import Any

from numba import cuda

from .classic import psp
from .sweeps_cuda import sweep


def learn(T: float, n_out: int, tau: float, tau_s: float, begin: Any, end: Any, time: Any, pre: Any, weight: Any,
          target: Any, level: float, rate: float, momentum: float, change: Any, v_max: Any) -> None:  # fmt: skip
    """Go through all samples once, in order; ``weight`` and ``change`` [N, O] change in place."""
    numbers: Any = cuda.threadIdx.x, cuda.blockDim.x, cuda.blockIdx.x
    part, parts, o = numbers
    for b in range(begin.shape[0]):
        v, at, before, _ = sweep(begin[b], end[b], T, tau, tau_s, time, pre, weight, o)
        if part == 0:
            v_max[b, o] = v
        fired = v >= level
        if fired == (target[b, o] != 0):
            continue
        signed = -rate if fired else rate
        for i in range(part, change.shape[0], parts):
            change[i, o] *= momentum
        cuda.syncthreads()  # type: ignore[call-arg]
        for e in range(begin[b] + part, before, parts):
            cuda.atomic.add(change, (pre[e], o), signed * psp(at - time[e], tau, tau_s))  # type: ignore[call-arg]
        cuda.syncthreads()  # type: ignore[call-arg]
        for i in range(part, change.shape[0], parts):
            weight[i, o] += change[i, o]
        cuda.syncthreads()  # type: ignore[call-arg]
