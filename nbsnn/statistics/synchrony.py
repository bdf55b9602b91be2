"""Synchrony and correlation, from spike counts x_i[b] of unit i in bins b.

    Fano factor   var_b(sum_i x_i) / mean_b(sum_i x_i)            1 for independent Poisson units
    chi           sqrt(var_b(mean_i x_i) / mean_i var_b(x_i))     1 if all do the same, about 1 / sqrt(n) if independent
    correlation   cov_b(x_i, x_j) / sqrt(var_b(x_i) var_b(x_j))   over pairs of units

Variances are divided by the number of bins. Chi: D. Golomb (2007), doi:10.4249/scholarpedia.1347.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..random import Draws
from ..validate import count, finite, real
from .rates import counts
from .window import Array, bins_of, bins_within, spikes_within


def fano(times: ArrayLike, units: ArrayLike, n: int, stop: float, *, start: float = 0.0, width: float = 5.0) -> float:
    """The Fano factor of the population's spike count in bins: its variance by its mean.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    stop, start : float
        End and beginning of the time that counts, in ms.
    width : float, default 5.0
        Of a bin, in ms.

    Returns
    -------
    float
        1 for a Poisson process; NaN if there is no spike.

    Raises
    ------
    TypeError, ValueError
        As ``mean_rate``.

    Examples
    --------
    >>> fano([0.0, 5.0, 10.0], [0, 0, 0], 1, stop=15.0)
    0.0
    """
    spikes = counts(times, units, n, stop, start=start, width=width)
    return float(spikes.var() / spikes.mean()) if spikes.any() else math.nan


def synchrony(
    times: ArrayLike, units: ArrayLike, n: int, stop: float, *, start: float = 0.0, width: float = 5.0
) -> float:
    """Golomb's chi of spike counts in bins.

    Parameters
    ----------
    times, units : array [spikes]
        Spikes: ms, ascending; places of units.
    n : int
        Number of units, silent ones included.
    stop, start : float
        End and beginning of the time that counts, in ms.
    width : float, default 5.0
        Of a bin, in ms.

    Returns
    -------
    float
        From 0 (asynchronous) to 1; NaN if no unit's count changes from bin to bin.

    Raises
    ------
    TypeError, ValueError
        As ``mean_rate``.

    Examples
    --------
    >>> synchrony([0.0, 0.0, 10.0, 10.0], [0, 1, 0, 1], 2, stop=20.0)
    1.0
    """
    bins, place, unit = _binned(times, units, n, start, stop, width)
    # Pairs of unit and bin that hold spikes, and how many each holds: the matrix itself could be large.
    _, number = np.unique(unit * bins + place, return_counts=True)
    own = (number.astype(np.float64) ** 2).sum() / (n * bins) - ((np.bincount(unit, minlength=n) / bins) ** 2).mean()
    everyone = np.bincount(place, minlength=bins).var() / n**2
    return _chi(everyone, own)


def synchrony_of(states: ArrayLike) -> float:
    """Golomb's chi of a state, such as the membrane potential.

    Parameters
    ----------
    states : array [T, N]
        A state of N units over time.

    Returns
    -------
    float
        From 0 (asynchronous) to 1; NaN if no unit changes.

    Examples
    --------
    >>> round(synchrony_of(np.random.default_rng(0).normal(size=(1000, 100))), 1)
    0.1
    """
    array = real("states", states).astype(np.float64)
    if array.ndim != 2 or not array.size:
        raise ValueError(f"states must have shape [T, N], not {list(array.shape)}")
    finite("states", array)
    return _chi(float(array.mean(axis=1).var()), float(array.var(axis=0).mean()))


def correlations(
    times: ArrayLike,
    units: ArrayLike,
    n: int,
    stop: float,
    *,
    start: float = 0.0,
    width: float = 5.0,
    sample: int = 200,
    seed: int = 0,
) -> Array:
    """Correlation coefficients of pairs of units.

    Parameters
    ----------
    times, units, n, stop, start, width
        As ``fano``.
    sample : int
        Number of units, drawn from those whose count changes from bin to bin; all their pairs are taken.
    seed : int
        Of the draw.

    Returns
    -------
    float64 array [pairs]
        Empty if fewer than two units' counts change.

    Raises
    ------
    TypeError, ValueError
        As ``mean_rate``.

    Examples
    --------
    >>> correlations([0.0, 0.0, 5.0], [0, 1, 2], 3, stop=10.0).round(6)
    array([ 1., -1., -1.])
    """
    sample = count("sample", sample, least=2)
    bins, place, unit = _binned(times, units, n, start, stop, width)
    pair, number = np.unique(unit * bins + place, return_counts=True)
    total, squares = (np.bincount(pair // bins, weights=number**k, minlength=n) for k in (1, 2))
    active = np.flatnonzero(bins * squares > total**2)  # whole numbers, so that equality is exact
    if len(active) < 2:
        return np.zeros(0)
    chosen = np.sort(active[Draws(seed, "correlation").permutation(len(active))[:sample]])
    inside = np.isin(unit, chosen)
    row = np.searchsorted(chosen, unit[inside])
    x = np.bincount(row * bins + place[inside], minlength=len(chosen) * bins).reshape(len(chosen), bins)
    return np.asarray(np.corrcoef(x))[np.triu_indices(len(x), 1)]


def correlation(times: ArrayLike, units: ArrayLike, n: int, stop: float, **options: Any) -> float:
    """The mean correlation coefficient of pairs of units.

    Parameters
    ----------
    times, units, n, stop
        As in ``correlations``.
    **options
        ``start``, ``width``, ``sample`` and ``seed`` of ``correlations``.

    Returns
    -------
    float
        From -1 to 1; NaN if fewer than two units' counts change.

    Raises
    ------
    ValueError
        As ``correlations``.

    Examples
    --------
    >>> correlation([0.0, 0.0, 5.0], [0, 1, 0], 2, stop=20.0, width=5.0) > 0.5
    True
    """
    found = correlations(times, units, n, stop, **options)
    return float(found.mean()) if len(found) else math.nan


def _binned(
    times: ArrayLike, units: ArrayLike, n: int, start: float, stop: float, width: float
) -> tuple[int, Array, Array]:
    """Number of bins, and each spike's bin and unit."""
    bins = bins_within(start, stop, width)
    times, units = spikes_within(times, units, n, start, stop)
    cuts = bins_of(times, start, width, bins)
    return bins, np.repeat(np.arange(bins), np.diff(cuts)), units[cuts[0] : cuts[-1]]


def _chi(everyone: float, own: float) -> float:
    return float(np.sqrt(everyone / own)) if own > 0.0 else math.nan
