"""Batches: the samples of one epoch, in random order, a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..random import Draws
from ..validate import affordable, count, switch


def batches(
    n: int, batch_size: int, draws: Draws | None = None, epoch: int = 0, *, drop_last: bool = False
) -> Iterator[np.ndarray]:
    """Indices of the samples of each batch of an epoch.

    The order is a function of ``draws`` and ``epoch`` alone, so interrupted training resumes as if it had not been.

    Parameters
    ----------
    n : int
        Number of samples.
    batch_size : int
        Samples per batch; the last batch may be smaller.
    draws : Draws, optional
        Randomness of the order; without it samples come in their own order.
    epoch : int, default 0
        Each epoch has its own order.
    drop_last : bool, default False
        Leave out a last batch that is not full.

    Returns
    -------
    iterator of int64 [batch_size]

    Raises
    ------
    ValueError
        If there is no sample, or ``drop_last`` would leave none.

    Examples
    --------
    >>> [list(map(int, batch)) for batch in batches(5, 2)]
    [[0, 1], [2, 3], [4]]
    """
    n, batch_size, epoch = count("n (samples)", n), count("batch_size", batch_size), count("epoch", epoch, least=0)
    if draws is not None and not isinstance(draws, Draws):
        raise TypeError(f"draws must be nbsnn.random.Draws(seed) or None, not {draws!r}")
    if switch("drop_last", drop_last) and n < batch_size:
        raise ValueError(f"with drop_last, batch_size must be at most the number of samples {n}, not {batch_size}")
    affordable(f"an order of n = {n} samples", 32.0 * n)
    order = np.arange(n) if draws is None else draws.fold("batches", epoch).permutation(n)
    stop = n - n % batch_size if drop_last else n
    return (order[i : i + batch_size] for i in range(0, stop, batch_size))
