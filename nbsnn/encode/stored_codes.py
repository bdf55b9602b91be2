"""Samples stored on the GPU as an encoder's codes; a batch is a list of row numbers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from ..device.buffers import Array
from ..random import Draws
from . import steps_cuda


class Spread(Protocol):
    """An encoder that makes steps of codes."""

    def spread(self, codes: Array, draws: Draws | None = None) -> Array:
        """The steps of codes that lie on the GPU."""
        ...


class Stored:
    """Result of ``store`` of an encoder; call it with row numbers.

    Parameters
    ----------
    encoder : ByValue
        Whose codes these are.
    codes : array [n, ...]
        On the GPU.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> encoder = nbsnn.encode.poisson(T=25)
    >>> stored = encoder.store(np.random.default_rng(0).random((100, 64)))      # doctest: +SKIP
    >>> stored([3, 1, 4], nbsnn.random.Draws(0)).shape                          # doctest: +SKIP
    (25, 3, 64)
    """

    def __init__(self, encoder: Spread, codes: Array):
        self.encoder, self.codes = encoder, codes

    def __len__(self) -> int:
        return len(self.codes)

    def __call__(self, index: ArrayLike, draws: Draws | None = None) -> Array:
        """The steps of the samples ``index`` [B], as ``on_gpu`` makes them; only the numbers travel.

        Raises
        ------
        TypeError, ValueError
            If ``index`` does not hold whole numbers of samples, or none.
        """
        index = np.asarray(index)
        if index.ndim != 1 or index.dtype.kind not in "iu":
            raise TypeError(f"index must hold numbers of samples [B], not {index.dtype} {list(index.shape)}")
        if not index.size or index.min() < 0 or index.max() >= len(self):
            spanned = f"from {index.min()} to {index.max()}" if index.size else "none"
            raise ValueError(f"index must hold numbers from 0 to {len(self) - 1}, not {spanned}")
        return self.encoder.spread(steps_cuda.rows(self.codes, index.astype(np.int64)), draws)
