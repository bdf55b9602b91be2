"""A population's parameters on a GPU: their values per step, and the gradients of those that are learned.

What a kernel reads is worked out by NumPy from the parameters (``scalar.per_step``), and sent only if it has changed.
Learned parameters are read back for that at every run: few numbers, but the only place where training waits for the
GPU before its end.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...device import gpu, gpu_sums
from ...device.buffers import GpuArray
from ..layer import Nested
from .ops import CudaOps


class LearnedOnGpu(CudaOps):
    """Learned values of a population: parameters of its neurons, and initial values."""

    def table(self) -> Any:
        """All parameters as the step uses them, [params, N]."""
        return self._kept("table", self.layer.step_parameters())

    def over_samples(self, lanes: GpuArray, room: Nested) -> Any:
        """The sum of ``lanes`` [B, ...] over samples, [N]."""
        sums = gpu.buffer(room, "g units", (self.layer.units,), self.dtype)
        gpu.fill(sums, 0)
        gpu_sums.add_columns(lanes.reshape(lanes.shape[0], sums.size), sums, room)
        return sums

    def fold(self, name: str, units: GpuArray, slope: np.ndarray | None, grads: Nested) -> None:
        """As ``Population.fold``; ``units`` may be NumPy's."""
        layer, size = self.layer, self.layer.units
        units = units if gpu.on_gpu(units) else gpu.put(np.ascontiguousarray(units, self.dtype))
        value: np.ndarray = layer.params[name]
        place = np.broadcast_to(np.arange(value.size).reshape(value.shape), layer.shape).reshape(size)
        order = np.argsort(place, kind="stable").reshape(value.size, size // value.size)
        factor = np.ones(value.size) if slope is None else slope.reshape(value.size)
        arrays = self._kept(f"order {name}", order), gpu.flat(units), self._kept(f"slope {name}", factor)
        gpu.launch("population.record_cuda", "fold", self.dtype, value.size, *arrays, gpu.flat(grads[name]))

    def _sums(self, room: Nested, batch: int) -> tuple[Any, Any]:
        """Zeros for what the reverse carries, ``gS``, and adds up, ``gP``: lines of one array."""
        layer = self.layer
        states, learned, lanes = len(layer.neuron.state), len(layer.neuron.trained), (batch, layer.units)
        both = gpu.buffer(room, "g", (states + learned, *lanes), self.dtype)
        none = gpu.empty((0, *lanes), self.dtype) if not (states and learned) else None
        if both.size:
            gpu.fill(both, 0)
        return (both[:states] if states else none), (both[states:] if learned else none)

    def _kept(self, name: str, array: np.ndarray) -> Any:
        """``array`` on the GPU, sent only if it is another one than before."""
        before = self.cache.get(name)
        if before is None or not np.array_equal(before[0], array):
            before = self.cache[name] = (array.copy(), gpu.put(array))
        return before[1]
