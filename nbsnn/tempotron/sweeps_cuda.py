"""Calls of the Tempotron's kernels on a GPU: the functions of ``sweeps``, each of them one launch.

Events stay on the GPU from call to call; weights go there for each call, and answers and derivatives come back.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device import gpu
from .potential import psp, rise, stationary
from .response import Response, TempotronLike
from .spike_times import Events

BLOCK = 64  # threads that share the inputs of one output, for the classic rule


@cache
def compiled(module: str, name: str, dtype: np.dtype, times: int = 0) -> Any:
    """A template with its holes filled."""
    template = getattr(import_module(f"..kernels.{module}", __package__), name)
    return kernel(template, device="cuda", dtype=dtype, stationary=stationary, rise=rise, psp=psp, TIMES=times)


class CudaSweeps:
    """``CpuSweeps`` on a GPU. Spikes of the latest events stay there, for batches that come again and again."""

    def __init__(self) -> None:
        self.known: list[tuple[np.ndarray, Any, Any]] = []

    def __deepcopy__(self, memo: Any) -> CudaSweeps:
        return CudaSweeps()

    def forward(self, t: TempotronLike, events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """See ``CpuSweeps.forward``."""
        shape = (len(events), t.n_outputs)
        v_max, t_max, slope = (gpu.empty(shape, t.dtype) for _ in range(3))
        n_before = gpu.empty(shape, np.int64)
        call = compiled("tempotron.sweeps_cuda", "forward", t.dtype)
        gpu.run(call, v_max.size, t.dtype.type(t.T), *self._given(t, events), v_max, t_max, n_before, slope)
        return gpu.get(v_max), gpu.get(t_max), gpu.get(n_before), gpu.get(slope)

    def crossings(self, t: TempotronLike, events: Events, t_max: np.ndarray, spikes: np.ndarray) -> np.ndarray:
        """See ``CpuSweeps.crossings``."""
        found = gpu.put(np.full(t_max.shape, np.inf, t.dtype))
        more = t.dtype.type(t.v_threshold / t.v0), gpu.put(t_max), gpu.put(spikes), found
        call = compiled("tempotron.sweeps_cuda", "crossings", t.dtype)
        gpu.run(call, t_max.size, t.dtype.type(t.T), *self._given(t, events), *more)
        return gpu.get(found)

    def reverse(self, t: TempotronLike, answer: Response, g: np.ndarray, times: bool) -> tuple[np.ndarray, np.ndarray]:
        """See ``CpuSweeps.reverse``."""
        return self._reverse(t, "reverse", answer.events, (g, answer.t_max, answer.n_before, answer.left_slope), times)

    def membrane(self, t: TempotronLike, events: Events, at: np.ndarray) -> np.ndarray:
        """See ``CpuSweeps.membrane``."""
        v = gpu.empty((len(at), len(events), t.n_outputs), t.dtype)
        gpu.run(
            compiled("tempotron.sweeps_cuda", "membrane", t.dtype), v[0].size, *self._given(t, events), gpu.put(at), v
        )
        return gpu.get(v)

    def membrane_reverse(
        self, t: TempotronLike, events: Events, at: np.ndarray, g: np.ndarray, times: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """See ``CpuSweeps.membrane_reverse``."""
        return self._reverse(t, "membrane_reverse", events, (at, g), times)

    def learn(
        self, t: TempotronLike, events: Events, target: np.ndarray, level: float, rate: float, momentum: float,
        change: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """See ``CpuSweeps.learn``."""
        number = t.dtype.type
        scalars, weight, memory = self._given(t, events), gpu.put(t.weight), gpu.put(change)
        v_max = gpu.empty((len(events), t.n_outputs), t.dtype)
        block = gpu.threads_together(BLOCK)
        gpu.blocks(
            compiled("tempotron.classic_cuda", "learn", t.dtype), t.n_outputs, block, number(t.T), *scalars[:-1],
            weight,
            gpu.put(target.astype(np.uint8)), number(level), number(rate), number(momentum), memory, v_max,
        )  # fmt: skip
        t.weight[...] = gpu.get(weight)
        change[...] = gpu.get(memory)
        return gpu.get(v_max)

    def _given(self, t: TempotronLike, events: Events) -> tuple[Any, ...]:
        """Number of outputs, time constants, events and weights."""
        found = [(time, pre) for key, time, pre in self.known if key is events.time]
        if not found:
            found = [(gpu.put(events.time), gpu.put(events.pre))]
            self.known = [*self.known[-1:], (events.time, *found[0])]
        spikes = gpu.put(events.begin), gpu.put(events.end), *found[0]
        return t.n_outputs, t.dtype.type(t.tau), t.dtype.type(t.tau_s), *spikes, gpu.put(t.weight)

    def _reverse(
        self, t: TempotronLike, name: str, events: Events, arrays: tuple[np.ndarray, ...], times: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        g_weight, g_time = gpu.zeros(t.weight.shape, t.dtype), gpu.zeros(len(events.time) if times else 0, t.dtype)
        call = compiled("tempotron.sweeps_cuda", name, t.dtype, int(times))
        gpu.run(call, len(events) * t.n_outputs, *self._given(t, events), *map(gpu.put, arrays), g_weight, g_time)
        return gpu.get(g_weight), gpu.get(g_time)
