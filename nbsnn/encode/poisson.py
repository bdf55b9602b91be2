"""Rate code: independent spikes whose probability per step is the value.

    P(s[t] = 1) = gain * x

One Bernoulli draw per step, the discrete form of a Poisson process: at most one spike per step.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..compile import fill
from ..device.buffers import Array
from ..kernels.arrays.encode import bernoulli
from ..random import Draws
from ..validate import count, number
from . import steps_cuda
from .coded import ByValue
from .encoder import room, samples


@dataclass(frozen=True, repr=False)
class poisson(ByValue):
    """Independent spikes with probability ``gain * x`` at each step.

    The draw of step t and unit i (the flat index in the batch) is ``squares32(counter(t, i), draws.key)``; a window of
    steps is therefore exactly that part of the whole.

    Parameters
    ----------
    T : int
        Number of time steps.
    gain : float, default 1.0
        Spikes per step of a value of 1; ``gain * x`` must lie in [0, 1].
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, N...]
        0 or 1.

    Raises
    ------
    TypeError
        If no draws are given.
    ValueError
        If ``gain * x`` leaves [0, 1], or x contains NaN.

    References
    ----------
    Dayan and Abbott (2001), Theoretical Neuroscience, section 1.4.

    Examples
    --------
    >>> encoder = poisson(T=1000)
    >>> spikes = encoder(np.float32([[0.0, 0.2, 1.0]]), Draws(0))
    >>> spikes.mean((0, 1)).round(1)
    array([0. , 0.2, 1. ], dtype=float32)
    """

    gain: float = 1.0

    random: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        number("gain", self.gain, above=0.0)

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Spikes [T, B, N...] of samples [B, N...]."""
        return self.window(x, draws, 0, self.T)

    def window(self, x: np.ndarray, draws: Draws | None, start: int, stop: int) -> np.ndarray:
        """The spikes of the steps from ``start`` to ``stop - 1``: [stop - start, B, N...]."""
        draws = _given(draws)
        start, stop = count("start", start, least=0), count("stop", stop, least=0)
        if not start <= stop <= self.T:
            raise ValueError(f"a window must satisfy start <= stop <= T = {self.T}, not start={start}, stop={stop}")
        threshold = self.thresholds(x).reshape(-1)
        units = self._few(threshold.size)
        spikes = room(stop - start, (units,), self.dtype)
        with np.errstate(over="ignore"):  # interpreted, NumPy warns of products that wrap; compiled, they just wrap
            kernel = _kernel(self.dtype)
            kernel(spikes, threshold, np.uint64(draws.key), np.uint64(start), np.uintp(stop - start), np.uintp(units))
        return spikes.reshape(stop - start, *np.shape(x))

    def thresholds(self, x: np.ndarray) -> np.ndarray:
        """2^32 times the probability of a spike, rounded: uint64 [B, N...]; a draw of 32 bits below it is a spike."""
        x = samples(self, x, low=0.0, high=(1.0 + 1e-6) / self.gain)  # a float32 1/3 times 3 may exceed 1 a little
        return np.minimum(np.rint(x * (self.gain * 2.0**32)), 2.0**32).astype(np.uint64)

    def codes(self, x: np.ndarray) -> np.ndarray:
        """``thresholds``."""
        return self.thresholds(x)

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        self._few(codes.size)
        return steps_cuda.bernoulli(codes, self.T, self.dtype, _given(draws).key)

    def _few(self, units: int) -> int:
        """The number of values in a batch, if each of them has a counter."""
        if max(units, self.T) > 1 << 32:
            raise ValueError(f"a batch has at most 2**32 values and 2**32 steps, not {units} and {self.T}")
        return units


def _given(draws: object) -> Draws:
    if isinstance(draws, Draws):
        return draws
    given = "nothing" if draws is None else type(draws).__name__
    raise TypeError(f"encode.poisson is random: pass nbsnn.random.Draws(seed) as draws, not {given}")


@functools.cache
def _kernel(dtype: np.dtype) -> Callable:
    """The compiled loop; filling the template anew at every call would take as long as drawing 2 million numbers."""
    return fill.kernel(bernoulli, dtype=dtype)
