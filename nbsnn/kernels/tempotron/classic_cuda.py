"""The rule of Guetig and Sompolinsky on a GPU: patterns one after another, a block of threads for each output.

All threads of a block find the same maximum, as they read the same events; then they share the inputs' changes.
"""

from typing import Any

import numpy as np
from numba import cuda

from .classic import Learning, psp
from .sweeps_cuda import Constants, Maxima, Spikes, maximum


def learn(
    constants: Constants, spikes: Spikes, weight: np.ndarray, target: np.ndarray, rule: Learning, change: np.ndarray,
    found: Maxima,
) -> None:  # fmt: skip
    """See ``classic.learn``; of ``found`` the maxima alone are filled."""
    tau, tau_s, _ = constants
    begin, _, time, pre = spikes
    numbers: Any = cuda.threadIdx.x, cuda.blockDim.x, cuda.blockIdx.x
    part, parts, o = numbers
    for b in range(target.shape[0]):
        v, at, before, _ = maximum(b, o, constants, spikes, weight)
        if part == 0:
            found.v[b, o] = v
        fired = v >= rule.level
        if fired == (target[b, o] != 0):
            continue
        signed = -rule.rate if fired else rule.rate
        for i in range(part, change.shape[0], parts):
            change[i, o] *= rule.momentum
        cuda.syncthreads()  # type: ignore[call-arg]
        for e in range(begin[b] + part, before, parts):
            cuda.atomic.add(change, (pre[e], o), signed * psp(at - time[e], tau, tau_s))  # type: ignore[call-arg]
        cuda.syncthreads()  # type: ignore[call-arg]
        for i in range(part, change.shape[0], parts):
            weight[i, o] += change[i, o]
        cuda.syncthreads()  # type: ignore[call-arg]
