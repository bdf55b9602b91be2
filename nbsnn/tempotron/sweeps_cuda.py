"""Calls of the Tempotron's kernels on a GPU: the functions of ``sweeps``, each of them one launch.

Events stay on the GPU from call to call; weights go there for each call, and answers and derivatives come back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..device import gpu
from ..device.buffers import Array
from ..kernels.tempotron.classic import Learning
from ..kernels.tempotron.sweeps import Constants, Maxima, Spikes
from .potential import psp, rise, stationary
from .response import Response, TempotronLike
from .spike_times import Events
from .sweeps import constants

BLOCK = 64  # threads that share the inputs of one output, for the classic rule


@cache
def compiled(module: str, name: str, dtype: np.dtype, times: int = 0) -> Callable[..., Any]:
    """A template with its holes filled."""
    return gpu.compiled(f"tempotron.{module}", name, dtype, stationary=stationary, rise=rise, psp=psp, TIMES=times)


class CudaSweeps:
    """``CpuSweeps`` on a GPU. Spikes of the latest events stay there, for batches that come again and again."""

    def __init__(self) -> None:
        self.known: list[tuple[Array, Array, Array]] = []

    def __deepcopy__(self, memo: dict[str, Any]) -> CudaSweeps:
        return CudaSweeps()

    def forward(self, t: TempotronLike, events: Events) -> Maxima:
        """See ``CpuSweeps.forward``."""
        found = _maxima(t, events)
        gpu.run(compiled("sweeps_cuda", "forward", t.dtype), found.v.size, *self._given(t, events), found)
        return Maxima(*map(gpu.get, found))

    def crossings(self, t: TempotronLike, events: Events, t_max: Array, spikes: Array) -> Array:
        """See ``CpuSweeps.crossings``."""
        found = gpu.put(np.full(t_max.shape, np.inf, t.dtype))
        more = t.dtype.type(t.v_threshold / t.v0), gpu.put(t_max), gpu.put(spikes), found
        gpu.run(compiled("sweeps_cuda", "crossings", t.dtype), t_max.size, *self._given(t, events), *more)
        return gpu.get(found)

    def reverse(self, t: TempotronLike, answer: Response, g: Array, times: bool) -> tuple[Array, Array]:
        """See ``CpuSweeps.reverse``."""
        t_max = gpu.put(answer.t_max)
        found = Maxima(t_max, t_max, gpu.put(answer.n_before), gpu.put(answer.left_slope))  # how high is not read
        return self._reverse(t, "reverse", answer.events, (gpu.put(g), found), times)

    def membrane(self, t: TempotronLike, events: Events, at: Array) -> Array:
        """See ``CpuSweeps.membrane``."""
        v = gpu.empty((len(at), len(events), t.n_outputs), t.dtype)
        gpu.run(compiled("sweeps_cuda", "membrane", t.dtype), v[0].size, *self._given(t, events), gpu.put(at), v)
        return gpu.get(v)

    def membrane_reverse(
        self, t: TempotronLike, events: Events, at: Array, g: Array, times: bool
    ) -> tuple[Array, Array]:
        """See ``CpuSweeps.membrane_reverse``."""
        return self._reverse(t, "membrane_reverse", events, (gpu.put(at), gpu.put(g)), times)

    def learn(self, t: TempotronLike, events: Events, target: Array, rule: Learning, change: Array) -> Array:
        """See ``CpuSweeps.learn``."""
        *given, weight = self._given(t, events)
        found, memory, wanted = _maxima(t, events), gpu.put(change), gpu.put(target.astype(np.uint8))
        call, block = compiled("classic_cuda", "learn", t.dtype), gpu.threads_together(BLOCK)
        gpu.blocks(call, t.n_outputs, block, *given, weight, wanted, Learning(*map(t.dtype.type, rule)), memory, found)
        t.weight[...] = gpu.get(weight)
        change[...] = gpu.get(memory)
        return gpu.get(found.v)

    def _given(self, t: TempotronLike, events: Events) -> tuple[Constants, Spikes, Array]:
        """Constants, spikes and weights, on the GPU."""
        found = [(time, pre) for key, time, pre in self.known if key is events.time]
        if not found:
            found = [(gpu.put(events.time), gpu.put(events.pre))]
            self.known = [*self.known[-1:], (events.time, *found[0])]
        return constants(t), Spikes(gpu.put(events.begin), gpu.put(events.end), *found[0]), gpu.put(t.weight)

    def _reverse(
        self, t: TempotronLike, name: str, events: Events, arrays: tuple[Any, ...], times: bool
    ) -> tuple[Array, Array]:
        g_weight, g_time = gpu.zeros(t.weight.shape, t.dtype), gpu.zeros(len(events.time) if times else 0, t.dtype)
        call = compiled("sweeps_cuda", name, t.dtype, int(times))
        gpu.run(call, len(events) * t.n_outputs, *self._given(t, events), *arrays, g_weight, g_time)
        return gpu.get(g_weight), gpu.get(g_time)


def _maxima(t: TempotronLike, events: Events) -> Maxima:
    """Room for what ``forward`` finds."""
    shape = len(events), t.n_outputs
    v_max, t_max, left_slope = (gpu.empty(shape, t.dtype) for _ in range(3))
    return Maxima(v_max, t_max, gpu.empty(shape, np.int64), left_slope)
