"""Encoders that work on a GPU: a value becomes one number, its code, and a launch makes all steps of it there."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np

from ..device import gpu
from ..device.buffers import Array
from ..random import Draws
from .encoder import Encoder
from .stored_codes import Stored


@dataclass(frozen=True, repr=False)
class ByValue(Encoder):
    """An encoder that makes the steps of a value from its code alone.

    Codes are worked out by NumPy in float64, whatever makes the steps of them, so a GPU makes the very same spikes.

    Parameters
    ----------
    T, dtype
        As in ``Encoder``.

    Examples
    --------
    >>> import nbsnn
    >>> isinstance(nbsnn.encode.latency(T=10), nbsnn.encode.ByValue)
    True
    """

    @abstractmethod
    def codes(self, x: np.ndarray) -> np.ndarray:
        """A number for each value of samples [B, N...], checked; [B, ...] as the result of a call has it."""

    @abstractmethod
    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        """The steps [T, B, ...] of codes that lie on the GPU, one only if ``static``; they stay there."""

    def on_gpu(self, x: np.ndarray, draws: Draws | None = None) -> Array:
        return self.spread(gpu.put(self.codes(x)), draws)

    def store(self, x: np.ndarray) -> Stored:
        """Samples [n, N...] on the GPU as codes, to be shown in any order; for a set that fits into its memory.

        >>> import numpy as np, nbsnn
        >>> encoder = nbsnn.encode.poisson(T=25)
        >>> stored = encoder.store(np.random.default_rng(0).random((100, 64)))      # doctest: +SKIP
        >>> stored([3, 1, 4], nbsnn.random.Draws(0)).shape                          # doctest: +SKIP
        (25, 3, 64)
        """
        return Stored(self, gpu.put(self.codes(x)))
