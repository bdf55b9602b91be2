"""Rates: spikes per unit and second.

rate = spikes / (n duration),    with durations in ms and rates in Hz
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..validate import number
from .window import Array, bins_of, bins_within, spikes_within


def mean_rate(times: ArrayLike, units: ArrayLike, n: int, stop: float, *, start: float = 0.0) -> float:
    """Spikes per unit and second, in Hz: 0 if there are none.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    stop, start : float
        End and beginning of the time that counts, in ms.

    Returns
    -------
    float
        In Hz.

    Raises
    ------
    TypeError, ValueError
        If these are not spikes as ``nbsnn.statistics`` describes them.

    Examples
    --------
    >>> mean_rate([1.0, 2.0, 700.0], [0, 1, 0], 2, stop=1000.0)
    1.5
    """
    return 1000.0 * len(spikes_within(times, units, n, start, stop)[0]) / (n * (number("stop", stop) - start))


def rates(times: ArrayLike, units: ArrayLike, n: int, stop: float, *, start: float = 0.0) -> Array:
    """The rate of each unit.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    stop, start : float
        End and beginning of the time that counts, in ms.

    Returns
    -------
    float64 array [n]
        In Hz.

    Raises
    ------
    TypeError, ValueError
        As ``mean_rate``.

    Examples
    --------
    >>> rates([1.0, 2.0, 700.0], [0, 1, 0], 3, stop=1000.0)
    array([2., 1., 0.])
    """
    spikes = np.bincount(spikes_within(times, units, n, start, stop)[1], minlength=n)
    return 1000.0 * spikes / (number("stop", stop) - start)


def counts(times: ArrayLike, units: ArrayLike, n: int, stop: float, *, start: float = 0.0, width: float = 1.0) -> Array:
    """Spikes of the whole population in bins of time.

    A rest shorter than a bin is left out. A time on an edge belongs to the bin that begins there.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    stop, start : float
        End and beginning of the time that counts, in ms.
    width : float, default 1.0
        Of a bin, in ms.

    Returns
    -------
    int64 array [bins]

    Raises
    ------
    TypeError, ValueError
        As ``mean_rate``.

    Examples
    --------
    >>> counts([0.0, 0.5, 1.0], [0, 1, 0], 2, stop=3.0)
    array([2, 1, 0])
    """
    bins = bins_within(start, stop, width)
    return np.diff(bins_of(spikes_within(times, units, n, start, stop)[0], start, width, bins))


def population_rate(
    times: ArrayLike,
    units: ArrayLike,
    n: int,
    stop: float,
    *,
    start: float = 0.0,
    width: float = 1.0,
    smooth: float = 0.0,
) -> tuple[Array, Array]:
    """The rate of the population over time.

    Parameters
    ----------
    times, units, n, stop, start
        As ``mean_rate``.
    width : float
        Of a bin, in ms.
    smooth : float
        Standard deviation of a Gaussian window in ms, cut at four of them; 0 leaves the bins as they are. At the ends
        the part of the window that is left has weight 1.

    Returns
    -------
    centres : array [bins]
        In ms.
    rate : array [bins]
        Per unit, in Hz.

    Examples
    --------
    >>> centres, rate = population_rate([0.0, 0.5, 1.0], [0, 1, 0], 2, stop=3.0)
    >>> centres, rate
    (array([0.5, 1.5, 2.5]), array([1000.,  500.,    0.]))
    """
    number("smooth", smooth, least=0.0)
    spikes = counts(times, units, n, stop, start=start, width=width)
    rate = 1000.0 * spikes / (n * width)
    if smooth > 0.0:
        side = min(len(rate) - 1, int(np.ceil(4.0 * smooth / width)))
        window = np.exp(-0.5 * (np.arange(-side, side + 1) * width / smooth) ** 2)
        rate, share = (np.convolve(x, window)[side : len(x) + side] for x in (rate, np.ones(len(rate))))
        rate = rate / share
    return start + (np.arange(len(rate)) + 0.5) * width, rate
