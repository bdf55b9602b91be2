"""A trace over a window of steps, kept as what it is a trace of.

    a[t] = decay a[t-1] + s[t],    t = 0 ... W-1,    a[-1] from the window before

A gradient that sums products of a trace and errors needs no trace at every step, as the decay may act on the errors:

    sum_t a[t] (x) g[t]  =  sum_t s[t] (x) h[t] + decay a[-1] (x) h[0],    h[t] = g[t] + decay h[t+1]

so what is multiplied stays few spikes (Xiao et al. 2022 multiply the traces, which are dense after some steps).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.buffers import Array
from ..device.threads import run_kernel
from ..kernels.arrays import trace as loops


@dataclass(frozen=True, eq=False)
class LowPass:
    """The trace of a signal over a window.

    Attributes
    ----------
    signal : array [T, B, ...]
        What is traced, contiguous.
    decay : float
        Factor per step, the same for all units.
    before : array [B, ...] or None
        The trace before the window; None for zero.
    device : str
        Where it is computed.

    Examples
    --------
    >>> trace = LowPass(np.ones((2, 1, 3)), 0.5, None, "python")
    >>> trace.array()[:, 0, 0].tolist()
    [1.0, 1.5]
    """

    signal: Array
    decay: float
    before: Array | None
    device: str = "cpu"

    def array(self) -> Array:
        """The trace at every step, [T, B, ...]."""
        y = np.empty_like(self.signal)
        y[0] = 0.0 if self.before is None else self.before
        self._run("onward", self.signal.reshape(len(y), -1), y.reshape(len(y), -1))
        return y

    def after(self) -> Array:
        """The trace after the window, [B, ...]."""
        y = np.zeros_like(self.signal[0]) if self.before is None else self.before.copy()
        self._run("last", self.signal.reshape(len(self.signal), -1), y.reshape(-1))
        return y

    def spread(self, g: Array) -> None:
        """Turn errors ``g`` [T, ...] of the trace into those of the signal, h."""
        self._run("back", g.reshape(len(g), -1))

    def reshaped(self, shape: tuple[int, ...]) -> LowPass:
        """Arrange the units in another shape."""
        steps, batch = self.signal.shape[:2]
        before = None if self.before is None else self.before.reshape(batch, *shape)
        return replace(self, signal=self.signal.reshape(steps, batch, *shape), before=before)

    def _run(self, name: str, *arrays: Array) -> None:
        dtype, lanes = self.signal.dtype, arrays[0].shape[1]
        compiled, decay = _compiled(name, dtype, self.device), dtype.type(self.decay)
        if self.device == "python":
            compiled(0, lanes, decay, *arrays)
        else:
            run_kernel(compiled, lanes, arrays[0].size, decay, *arrays)


def as_array(x: Array | LowPass) -> Array:
    """A trace as numbers at every step."""
    return x.array() if isinstance(x, LowPass) else x


def traced(signal: Array, leak: float | Array, before: Array | None, device: str) -> tuple[Array | LowPass, Array]:
    """The trace of ``signal`` [T, B, ...] where each unit has its own ``leak``, or all one; and where it ends.

    Always new arrays: a recurrent connection holds on to what it was given at the step before.
    """
    if len(signal) > 1 and np.ptp(leak) == 0.0:
        window = LowPass(signal, float(np.min(leak)), before, device)
        return window, window.after()
    steps = np.empty_like(signal)
    for step, now in zip(steps, signal, strict=True):
        step[...] = now if before is None else now + leak * before
        before = step
    return steps, steps[-1].copy()


@functools.cache
def _compiled(name: str, dtype: np.dtype, device: str) -> Callable[..., Any]:
    return kernel(getattr(loops, name), dtype=dtype, device="python" if device == "python" else "cpu")
