"""Delays: given in ms, kept in whole steps, at least one.

    steps = max(1, nearest(delay / dt)),   delay >= dt / 2,   halves go up

A delay below half a step would become one step, twice or more of what was asked for, so it is refused; unless it comes
from a distribution that is cut at a low bound, where what lies below one step is one step by intention.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..random import Draws
from ..scalar.times import nearest
from ..validate import count, real, scale, switch
from .rows import Rows
from .rule import Stream
from .values import Array, Distribution

CHUNK = 1 << 20  # delays drawn together: their values in ms need no array of their own
LONGEST = 2**31 - 1


def delay_steps(delay: ArrayLike, dt: float, *, cut: bool = False) -> int | Array:
    """Delays as whole steps.

    Parameters
    ----------
    delay : float or array
        In ms.
    dt : float
        Time step in ms.
    cut : bool
        Whether delays from 0 to ``dt / 2`` are one step, instead of an error.

    Returns
    -------
    int, int16 array, or int32 array if one does not fit

    Raises
    ------
    ValueError
        If a delay is NaN, infinite, negative, or below ``dt / 2``.

    Examples
    --------
    >>> delay_steps(1.5, 0.1), delay_steps([0.1, 0.26], 0.1)
    (15, array([1, 3], dtype=int16))
    """
    dt, cut = scale("dt", dt), switch("cut", cut)
    try:
        array = np.asarray(delay)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"a delay must be a number, not {delay!r}")
    steps = nearest(array, dt)
    least = 0.0 if cut else 0.5 * dt * (1.0 - 1e-6)  # half a step in float32 is half a step
    bad = ~((array >= least) & (steps <= LONGEST))
    if bad.any():
        text = f"of at least {'0' if cut else f'half a step (dt = {dt:g} ms)'}, and at most {LONGEST} steps"
        where = f", the first at index {int(np.flatnonzero(bad)[0])}" if array.ndim else ""
        raise ValueError(
            f"a delay must be a time {text}; {int(bad.sum())} of {array.size} are not{where}: {array[bad].flat[0]:g} ms"
        )
    steps = np.maximum(steps, 1.0)
    if not array.ndim:
        return int(steps)
    return steps.astype(np.int16 if steps.max(initial=1.0) < 2**15 else np.int32)


def delays(
    spec: float | Array | Distribution, synapses: int | Rows, *, dt: float, seed: int = 0, stream: Stream = ()
) -> int | Array:
    """The delays of ``synapses`` synapses in steps.

    Parameters
    ----------
    spec : number, array [synapses] or distribution
        In ms; an array is in the order of rows.
    synapses : int or Rows
        A number is for as many targets of one synapse each.
    dt : float
        Time step in ms.
    seed, stream : int, and int, str or tuple of these
        What the random numbers depend on.

    Returns
    -------
    int or int16 or int32 array [synapses]

    Raises
    ------
    ValueError, TypeError
        As ``delay_steps``; and if an array is not one number per synapse.

    Examples
    --------
    >>> from nbsnn.sparse.values import Normal
    >>> delays(Normal(1.5, 0.75, low=0.05), 4, dt=0.1, seed=1).dtype
    dtype('int16')
    """
    rows = synapses
    synapses = len(rows) if isinstance(rows, Rows) else count("synapses", rows, least=0)
    draws = Draws(seed, *(stream if isinstance(stream, tuple) else (stream,)))
    if not isinstance(spec, Distribution):
        array = real("spec", spec)
        if array.ndim and array.shape != (synapses,):
            raise ValueError(f"spec, the delay, must have shape [{synapses}], one per synapse, not {list(array.shape)}")
        return delay_steps(spec if not array.ndim else array, dt)
    units, numbers = (rows.post, rows.numbers()) if isinstance(rows, Rows) else (np.arange(synapses), None)
    steps, ms = np.empty(synapses, np.int16), np.empty(min(CHUNK, synapses))
    for first in range(0, synapses, CHUNK):
        here = slice(first, first + CHUNK)
        part = spec.draw(ms[: synapses - first], draws, units[here], None if numbers is None else numbers[here])
        found = delay_steps(part, dt, cut=getattr(spec, "low", None) is not None)
        if np.asarray(found).dtype == np.int32 and steps.dtype == np.int16:
            steps = steps.astype(np.int32)
        steps[first : first + len(part)] = found
    return steps
