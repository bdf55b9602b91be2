"""Phase code: the binary digits of the value, one per phase, the most significant first.

x ~ sum_k b_k 2^-(1+k),      s[t] = b_(t mod K),      weight of phase k: 2^-(1+k)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..device.buffers import Array
from ..random import Draws
from ..validate import count, switch
from . import steps_cuda
from .coded import ByValue
from .encoder import room, samples


@dataclass(frozen=True, repr=False)
class phase(ByValue):
    """A spike at phase k if binary digit k of the value is 1; the pattern repeats every K steps.

    Parameters
    ----------
    T : int
        Number of time steps.
    K : int, default 8
        Phases, from 1 to 52. A value is cut off after K digits; 1 becomes ``1 - 2^-K``. Eight phases give the very
        bits of an 8-bit pixel p presented as ``p / 255``.
    weighted : bool, default False
        Whether a spike is as large as its weight, so that a period sums to the value; otherwise spikes are 1 and the
        network applies ``weights``.
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, N...]

    Raises
    ------
    ValueError
        If x contains NaN or leaves [0, 1].

    References
    ----------
    Kim, Kim, Huh, Lee and Choi (2018), Deep neural networks with weighted spikes, doi:10.1016/j.neucom.2018.05.087.

    Examples
    --------
    >>> phase(T=4, K=4)(np.float32([[0.625]]))[:, 0, 0]              # 0.625 is 0.1010 in binary
    array([1., 0., 1., 0.], dtype=float32)
    """

    K: int = 8
    weighted: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        switch("weighted", self.weighted)
        if count("K", self.K) > 52:
            raise ValueError(f"K must be at most 52, the binary digits of a float64, not {self.K}")

    @property
    def weights(self) -> np.ndarray:
        """Weight of a spike at each step: ``2^-(1 + t mod K)``, float64 [T]."""
        return 0.5 ** (1 + np.arange(self.T) % self.K)

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Spikes [T, B, N...] of samples [B, N...]."""
        whole = self.codes(x)
        spikes = room(self.T, whole.shape, self.dtype)
        for t, (shift, size) in enumerate(zip(*self._digits(), strict=True)):
            spikes[t] = ((whole >> shift) & 1) * size
        return spikes

    def codes(self, x: np.ndarray) -> np.ndarray:
        """The first K digits of each value as a whole number, int64 [B, N...]."""
        x = samples(self, x, low=0.0, high=1.0)
        return np.minimum(np.floor(x * 2.0**self.K), 2.0**self.K - 1.0).astype(np.int64)

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        return steps_cuda.digits(codes, *self._digits(), self.dtype)

    def _digits(self) -> tuple[np.ndarray, np.ndarray]:
        """Shift of each step's digit, and the size of its spike."""
        shifts = self.K - 1 - np.arange(self.T) % self.K
        return shifts, self.weights if self.weighted else np.ones(self.T)
