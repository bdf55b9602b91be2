"""Irregularity of spiking, from the inter-spike intervals I_1, I_2, ...

    CV   standard deviation / mean of the intervals             0 regular, 1 Poisson
    CV2  mean of 2 |I_(k+1) - I_k| / (I_(k+1) + I_k)            Holt et al. 1996, doi:10.1152/jn.1996.75.5.1806
    LV   mean of 3 ((I_(k+1) - I_k) / (I_(k+1) + I_k))^2        Shinomoto et al. 2003, doi:10.1162/089976603322518759

The standard deviation is that of the intervals themselves (divided by their number, not by one less). CV2 and LV
compare neighbours, and so are little moved by a rate that changes slowly. Figures for a population are means over
the units with at least ``least`` spikes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..validate import count
from .window import Array, spikes_within

LEAST = 4
"""Units with fewer spikes say little about irregularity and are left out."""


def intervals(
    times: ArrayLike, units: ArrayLike, n: int, *, start: float = 0.0, stop: float = math.inf
) -> tuple[Array, Array]:
    """The intervals between each unit's spikes.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units.
    start, stop : float
        Which time counts, in ms.

    Returns
    -------
    interval : float64 array [intervals]
        In ms, by unit, and within a unit in the order of time.
    unit : int64 array [intervals]

    Raises
    ------
    TypeError, ValueError
        If these are not spikes as ``nbsnn.statistics`` describes them.

    Examples
    --------
    >>> intervals([1.0, 2.0, 4.0, 5.0], [0, 1, 0, 0], 2)
    (array([3., 1.]), array([0, 0]))
    """
    times, units = spikes_within(times, units, n, start, stop)
    order = np.argsort(units, kind="stable")
    times, units = times[order], units[order]
    same = units[1:] == units[:-1]
    return np.diff(times)[same], units[1:][same]


def cv_per_unit(
    times: ArrayLike, units: ArrayLike, n: int, *, start: float = 0.0, stop: float = math.inf, least: int = LEAST
) -> Array:
    """The coefficient of variation of each unit's intervals.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    start, stop : float
        Which time counts, in ms.
    least : int, default 4
        Spikes below which a unit does not count.

    Returns
    -------
    float64 array [n]
        NaN for units of fewer than ``least`` spikes.

    Examples
    --------
    >>> cv_per_unit([0.0, 1.0, 2.0, 3.0, 3.5], [0, 0, 0, 0, 1], 2)
    array([ 0., nan])
    """
    least = count("least", least, least=2)
    interval, unit = intervals(times, units, n, start=start, stop=stop)
    number = np.bincount(unit, minlength=n)
    mean = np.bincount(unit, weights=interval, minlength=n) / np.maximum(number, 1)
    variance = np.bincount(unit, weights=(interval - mean[unit]) ** 2, minlength=n) / np.maximum(number, 1)
    enough = (number >= least - 1) & (mean > 0.0)
    return np.divide(np.sqrt(variance), mean, out=np.full(n, np.nan), where=enough)


def cv(
    times: ArrayLike, units: ArrayLike, n: int, *, start: float = 0.0, stop: float = math.inf, least: int = LEAST
) -> float:
    """The coefficient of variation of intervals, averaged over units.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    start, stop : float
        Which time counts, in ms.
    least : int, default 4
        Spikes below which a unit does not count.

    Returns
    -------
    float
        0 for regular spikes, 1 for a Poisson process; NaN if no unit has enough spikes.

    Raises
    ------
    TypeError, ValueError
        As ``intervals``.

    Examples
    --------
    >>> cv([0.0, 1.0, 2.0, 3.0], [0, 0, 0, 0], 1)
    0.0
    """
    return _mean(cv_per_unit(times, units, n, start=start, stop=stop, least=least))


def cv2(
    times: ArrayLike, units: ArrayLike, n: int, *, start: float = 0.0, stop: float = math.inf, least: int = LEAST
) -> float:
    """CV2, averaged over units.

    The mean of ``2 |I[k+1] - I[k]| / (I[k+1] + I[k])`` over neighbouring intervals; slow changes of the rate
    hardly count.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    start, stop : float
        Which time counts, in ms.
    least : int, default 4
        Spikes below which a unit does not count.

    Returns
    -------
    float
        1 for a Poisson process; NaN if no unit has enough spikes.

    Raises
    ------
    TypeError, ValueError
        As ``intervals``.

    Examples
    --------
    >>> round(cv2([0.0, 1.0, 4.0, 5.0], [0, 0, 0, 0], 1), 6)
    1.0
    """
    change, unit = _changes(times, units, n, start, stop)
    return _mean(_means(2.0 * np.abs(change), unit, n, count("least", least, least=3)))


def lv(
    times: ArrayLike, units: ArrayLike, n: int, *, start: float = 0.0, stop: float = math.inf, least: int = LEAST
) -> float:
    """The local variation, averaged over units.

    The mean of ``3 (I[k+1] - I[k])^2 / (I[k+1] + I[k])^2`` over neighbouring intervals.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    start, stop : float
        Which time counts, in ms.
    least : int, default 4
        Spikes below which a unit does not count.

    Returns
    -------
    float
        1 for a Poisson process; NaN if no unit has enough spikes.

    Raises
    ------
    TypeError, ValueError
        As ``intervals``.

    Examples
    --------
    >>> round(lv([0.0, 1.0, 4.0, 5.0], [0, 0, 0, 0], 1), 6)
    0.75
    """
    change, unit = _changes(times, units, n, start, stop)
    return _mean(_means(3.0 * change**2, unit, n, count("least", least, least=3)))


def _changes(times: ArrayLike, units: ArrayLike, n: int, start: float, stop: float) -> tuple[Array, Array]:
    """(I_(k+1) - I_k) / (I_(k+1) + I_k) of neighbouring intervals, 0 where both are 0, and the unit of each."""
    interval, unit = intervals(times, units, n, start=start, stop=stop)
    same = unit[1:] == unit[:-1]
    total = interval[1:] + interval[:-1]
    change = np.divide(np.diff(interval), total, out=np.zeros(len(total)), where=total > 0.0)
    return change[same], unit[1:][same]


def _means(value: Array, unit: Array, n: int, least: int) -> Array:
    """The mean of each unit's values, NaN where there are fewer than ``least - 2``."""
    number = np.bincount(unit, minlength=n)
    total = np.bincount(unit, weights=value, minlength=n)
    return np.divide(total, number, out=np.full(n, np.nan), where=number >= least - 2)


def _mean(value: Array) -> float:
    known = value[~np.isnan(value)]
    return float(known.mean()) if len(known) else math.nan
