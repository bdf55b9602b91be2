"""The spikes of a stretch of time, checked."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..scalar.times import edge
from ..validate import UNITS, affordable, count, number, real

Array = np.ndarray

MOST = 2**31
"""Bins, of which each takes memory."""


def spikes_within(times: ArrayLike, units: ArrayLike, n: int, start: float, stop: float) -> tuple[Array, Array]:
    """Times float64 and units int64 of the spikes with ``start <= time < stop``.

    Raises
    ------
    TypeError, ValueError
        If the arrays differ in length, times are NaN or do not ascend, units are no places of ``n`` units, or
        ``start`` is not before ``stop``.
    """
    count("n", n, most=UNITS)
    affordable(f"statistics of n = {n} units", 8.0 * n)
    times, units = real("times", times), real("units", units)
    if units.size == 0:
        units = units.astype(np.int64)
    if times.ndim != 1 or times.shape != units.shape:
        shapes = f"{list(times.shape)} and {list(units.shape)}"
        raise ValueError(f"times and units must be lists of one length, not of shapes {shapes}")
    if times.dtype.kind not in "fiu" or units.dtype.kind not in "iu":
        raise TypeError(f"times must be numbers and units integers, not {times.dtype} and {units.dtype}")
    if not number("start", start) < (stop if isinstance(stop, float) and stop == math.inf else number("stop", stop)):
        raise ValueError(f"start must be before stop, not {start:g} and {stop:g} ms")
    times = times.astype(np.float64)
    if np.isnan(times).any():
        raise ValueError(f"times contain {int(np.isnan(times).sum())} NaN")
    falls = np.flatnonzero(times[1:] < times[:-1])
    if len(falls):
        at = int(falls[0]) + 1
        raise ValueError(
            f"times must ascend, but at index {at} {times[at]:g} ms follows {times[at - 1]:g} ms: sort them"
        )
    if len(units) and (units.min() < 0 or units.max() >= n):
        raise ValueError(f"units must be from 0 to {n - 1}, but span {units.min()} to {units.max()}")
    first = np.searchsorted(times, edge(start))
    end = len(times) if stop == math.inf else np.searchsorted(times, edge(stop))
    return times[first:end], units[first:end].astype(np.int64)


def bins_within(start: float, stop: float, width: float) -> int:
    """Number of whole bins between two times; the remainder is not counted."""
    number("start", start)
    number("width", width, above=0.0)
    last = max(number("start", start), number("stop", stop), key=abs)
    bins = (stop - start + (last - edge(last))) / width
    affordable(f"{bins:.0f} bins of width {width:g} ms between start={start:g} and stop={stop:g} ms", 8.0 * bins)
    if not 1.0 <= bins < MOST:
        few = bins < 1.0
        why = "does not fit" if few else f"fits more than {MOST} times"
        raise ValueError(f"width: a bin of {width:g} ms {why} between start={start:g} and stop={stop:g} ms")
    return math.floor(bins)


def bins_of(times: Array, start: float, width: float, bins: int) -> Array:
    """Start of each bin among ascending ``times``, and end of the last one: int64 [bins + 1].

    Bin k holds the times[cuts[k] : cuts[k + 1]]; a time on an edge belongs to the bin that begins there.
    """
    return np.searchsorted(times, edge(start + np.arange(bins + 1) * width))
