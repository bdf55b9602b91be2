"""A trace over a window of steps on a GPU: as ``layers.low_pass``, one thread for each unit of each sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...device import gpu
from ...device.buffers import Array, GpuArray
from ..spike_trace import LowPass


@dataclass(frozen=True, eq=False)
class LowPassOnGpu(LowPass):
    """The trace of a signal over a window."""

    def array(self) -> Any:
        """The trace at every step, [T, B, ...]."""
        y = gpu.empty(self.signal.shape, self.signal.dtype)
        if self.before is None:
            gpu.fill(y[0], 0)
        else:
            gpu.copy(self.before, y[0])
        self._run("onward", _lanes(self.signal), _lanes(y))
        return y

    def after(self) -> Any:
        """The trace after the window, [B, ...]."""
        y = gpu.empty(self.signal.shape[1:], self.signal.dtype)
        if self.before is None:
            gpu.fill(y, 0)
        else:
            gpu.copy(self.before, y)
        self._run("last", _lanes(self.signal), gpu.flat(y))
        return y

    def spread(self, g: Array | GpuArray) -> None:
        """Turn errors ``g`` [T, ...] of the trace into those of the signal."""
        self._run("back", _lanes(g))

    def _run(self, name: str, *arrays: Array | GpuArray) -> None:
        dtype = self.signal.dtype
        gpu.launch("arrays.trace_cuda", name, dtype, arrays[0].shape[1], dtype.type(self.decay), *arrays)


def leaky_sums(signal: GpuArray, leak: GpuArray, before: GpuArray | None) -> tuple[Any, Any]:
    """The trace of ``signal`` [T, B, N...] where each unit has its own ``leak`` [N], and where it ends, [B, N...]."""
    y, start = gpu.empty(signal.shape, signal.dtype), before
    if start is None:
        start = gpu.zeros(signal.shape[1:], signal.dtype)
    x = _lanes(signal)
    gpu.launch("arrays.trace_cuda", "leaky", x.dtype, x.shape[1], leak, gpu.flat(start), x, _lanes(y))
    end = gpu.empty(signal.shape[1:], signal.dtype)
    gpu.copy(y[len(y) - 1], end)
    return y, end


def _lanes(x: Array | GpuArray) -> Any:
    return x.reshape(len(x), x.size // len(x))
