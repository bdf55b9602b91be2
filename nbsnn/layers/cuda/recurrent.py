"""A loop in time on a GPU: one population with dense feedback in one launch for all steps, anything else step by step.

A block of threads has a sample there, so the population may have as many units as a block has threads, and what a unit
needs must fit into its share of the block's registers; any other takes some launches for each step.
"""

from __future__ import annotations

import numpy as np

from ...device import gpu
from ...device.buffers import Argument, GpuArray, GpuKernel
from ...kernels.population.loops import Gradients
from ..population_tape import PopulationTape
from .ops import CudaOps
from .population import CudaPopulation

WIDEST = 1024
"""Threads of a block."""


class CudaRecurrent(CudaOps):
    """All steps of one population with dense feedback in one launch."""

    def forward_at_once(self, x: GpuArray, run: PopulationTape) -> bool:
        """Run all steps, if the GPU can; whether it could."""
        if self.layer.population.units > WIDEST:
            return False
        side, params, record = self._side, self.layer.feedback.params, run.record
        x = getattr(x, "array", x)
        x = x.reshape(len(x), x.shape[1], self.layer.population.units)
        c = params.get("bias")
        c = self.layer.arrays.shared_zeros(self.layer.shape, self.dtype) if c is None else c
        arrays = x, params["weight"], c, run.x, run.params, side.states(record), record[0]
        return self._start(
            side.made("forward", "population.recurrent_cuda", SPIKES=self._spikes, **self._block), run, *arrays
        )

    def backward_at_once(self, gy: GpuArray, fed: GpuArray, run: PopulationTape, back: Gradients) -> bool:
        """Run the reverse of all steps, if the GPU can; whether it could. Fills ``fed``, what comes back at first."""
        side, weight = self._side, self.layer.feedback.params["weight"]
        if self.layer.population.units > WIDEST:
            return False
        across = gpu.buffer(run.room, "across", weight.shape, self.dtype)
        arguments = weight.shape[1], gpu.flat(weight), gpu.flat(across)
        gpu.launch("arrays.elementwise_cuda", "across", self.dtype, weight.size, *arguments)
        second = "t, b, n" if back.gV.shape[1] else None
        states = side.states(run.record)
        arrays = run.x, run.params, states, across, gy, *back, fed.reshape(len(fed), across.shape[0])
        return self._start(
            side.made_reverse("backward", "population.recurrent_cuda", second, **self._block), run, *arrays
        )

    @property
    def _side(self) -> CudaPopulation:
        return self.layer.population.cuda

    @property
    def _block(self) -> dict[str, int | None]:
        return {"block": gpu.bound(self.layer.population.units)}

    @property
    def _spikes(self) -> int:
        return int(self.layer.population.neuron.output == "spikes" and not self.layer.setting.smooth)

    def _start(self, compiled: GpuKernel, run: PopulationTape, *arrays: Argument) -> bool:
        """Launch a block for each sample, a thread for each unit, if such a block fits; whether it did."""
        (steps, batch), units = run.x.shape[:2], self.layer.population.units
        if not gpu.fits(compiled, units, steps, units, *arrays):
            return False
        shared = max(3 * 4 * (-(-units // 32)), 2 * np.dtype(self.dtype).itemsize * units)
        gpu.start(compiled, batch * units, steps, units, *arrays, block=units, shared=shared)
        return True
