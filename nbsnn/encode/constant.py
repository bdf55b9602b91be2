"""Constant current: the sample itself at every step.

    I[t] = x

The first layer's neurons make spikes of it (often called direct encoding).
"""

from dataclasses import dataclass

import numpy as np

from ..device.buffers import Array
from ..random import Draws
from .coded import ByValue
from .encoder import samples


@dataclass(frozen=True, repr=False)
class constant(ByValue):
    """Constant current: ``I[t] = x``.

    The result is a read-only view of one step with stride 0 along time: it takes the memory of one step, and a layer
    that notices the stride multiplies by its weights once. It shares memory with ``x`` if ``x`` has its dtype already.

    Parameters
    ----------
    T : int
        Number of time steps.
    dtype : dtype, default float32

    Returns
    -------
    array [T, B, N...]

    Raises
    ------
    ValueError
        If x contains NaN or infinity.

    References
    ----------
    Rueckauer et al. (2017), doi:10.3389/fnins.2017.00682.

    Examples
    --------
    >>> current = constant(T=3)(np.float32([[0.5, 0.25]]))
    >>> current.shape, current.strides[0]
    ((3, 1, 2), 0)
    """

    def __call__(self, x: np.ndarray, draws: Draws | None = None) -> np.ndarray:
        """Currents [T, B, N...] of samples [B, N...]."""
        step = self.codes(x)
        return np.broadcast_to(step, (self.T, *step.shape))

    @property
    def static(self) -> bool:
        return True

    def codes(self, x: np.ndarray) -> np.ndarray:
        """The samples themselves."""
        samples(self, x)
        return np.asarray(x).astype(self.dtype, copy=False)

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        return codes.reshape(1, *codes.shape)
