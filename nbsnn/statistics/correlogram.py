"""Cross-correlograms: at which delays after the spikes of one train those of another come."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..scalar.times import nearest
from ..validate import finite, number, real
from .window import Array

MOST = 10_000_000
"""Bins on either side, at most."""


def cross_correlogram(
    first: ArrayLike, second: ArrayLike | None = None, *, width: float = 1.0, longest: float = 50.0
) -> tuple[Array, Array]:
    """How many pairs of a spike of each train lie how far apart.

    Parameters
    ----------
    first, second : array [spikes]
        Times of two trains in ms, in any order: of two units, or of two populations. Without ``second`` those of
        ``first`` again, an autocorrelogram, without the pairs of a spike with itself.
    width : float, default 1.0
        Of a bin, in ms.
    longest : float, default 50.0
        The largest lag in ms, a whole number of bins.

    Returns
    -------
    lags : float64 array [bins]
        Middles of the bins, from -longest to longest; above 0, ``second`` comes later. A bin holds the lags from
        half a width before its middle on.
    pairs : int64 array [bins]
        Divided by ``len(first) * width / 1000`` it is the rate of ``second`` around a spike of ``first``, in Hz.

    Raises
    ------
    TypeError, ValueError
        If times are no numbers or not finite, or longest is no whole number of bins.

    Examples
    --------
    >>> cross_correlogram([10.0, 20.0], [11.0, 21.0, 19.0], width=1.0, longest=2.0)
    (array([-2., -1.,  0.,  1.,  2.]), array([0, 1, 0, 2, 0]))
    """
    a = _times("first", first)
    b = a if second is None else _times("second", second)
    width, longest = number("width", width, above=0.0), number("longest", longest, least=0.0)
    if longest / width > MOST:
        raise ValueError(f"longest must be at most {MOST} times the width, {width:g} ms, not {longest:g} ms")
    bins = round(longest / width)
    if abs(longest / width - bins) > 1e-6 * max(1, bins):
        raise ValueError(f"longest must be a whole number of bins of {width:g} ms, not {longest:g} ms")
    edge = (bins + 0.5) * width
    low, high = np.searchsorted(b, a - edge * (1.0 + 1e-9)), np.searchsorted(b, a + edge * (1.0 + 1e-9))
    count = high - low
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)
    lag = nearest(b[place] - np.repeat(a, count) + longest, width).astype(np.int64)
    pairs = np.bincount(lag[(lag >= 0) & (lag <= 2 * bins)], minlength=2 * bins + 1)
    if second is None:
        pairs[bins] -= len(a)
    return (np.arange(2 * bins + 1) - bins) * width, pairs


def _times(name: str, train: ArrayLike) -> Array:
    array = np.asarray(real(name, train), np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must be times [spikes], not {list(array.shape)}")
    return np.sort(finite(name, array))
