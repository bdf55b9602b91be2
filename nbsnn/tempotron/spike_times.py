"""Spike times of a batch, in the order in which they arrive.

A Tempotron goes from one input spike to the next. ``Events`` holds, for every sample, its spikes sorted by time, made
once and in linear time from spike times in any of these forms:

==================  ===============================================================================================
array [B, N]        one time per input, or none
array [B, N, k]     up to k times per input, in any order
three arrays [E]    time, input and sample of each spike, in any order: any number of spikes per input
array [T, B, N]     spikes 0 or 1 over time, with ``from_spikes``
==================  ===============================================================================================

A negative or infinite time is no spike. Times lie in [0, T].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ..compile.fill import kernel
from ..device.threads import run_threaded
from ..kernels.tempotron import spike_times as template
from ..validate import UNITS, count, float_dtype, number, real, scale, shaped


@dataclass(frozen=True, eq=False)
class Events:
    """Input spikes of a batch, sorted by time within each sample.

    Made by ``from_times``, ``from_events`` or ``from_spikes``. ``events[indices]`` are the events of these samples;
    it copies no spikes.

    Attributes
    ----------
    n_inputs : int
    T : float
        Length of the time window.
    time : float array [E]
    pre : int32 array [E]
        Number of the input.
    place : int64 array [E]
        Index of each spike in the array that was given, flattened.
    begin, end : int64 arrays [B]
        Sample ``b`` has the events ``begin[b] ... end[b] - 1``.
    given : tuple of int
        Shape of the array that was given.

    Examples
    --------
    >>> events = from_times(np.array([[3.0, -1.0, 1.0], [np.inf, 2.0, 2.0]]), T=10.0)
    >>> events.time.tolist(), events.pre.tolist(), events.begin.tolist(), events.end.tolist()
    ([1.0, 3.0, 2.0, 2.0], [2, 0, 1, 2], [0, 2], [2, 4])
    """

    n_inputs: int
    T: float
    time: np.ndarray
    pre: np.ndarray
    place: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    given: tuple[int, ...]

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.begin)

    def __getitem__(self, indices: slice | ArrayLike) -> Events:
        if not isinstance(indices, slice):
            indices = np.atleast_1d(real("indices", indices))
            indices = indices if indices.size else indices.astype(np.int64)
            if indices.ndim != 1 or indices.dtype.kind not in "iub":
                raise TypeError(
                    f"indices must be integers, a mask or a slice, not {indices.dtype} of {indices.ndim} axes"
                )
        try:
            return replace(self, begin=self.begin[indices], end=self.end[indices])
        except IndexError:
            raise IndexError(f"indices {indices} do not fit {len(self)} samples") from None

    def __repr__(self) -> str:
        spikes = int((self.end - self.begin).sum())
        return f"Events({len(self)} samples, {self.n_inputs} inputs, {spikes} spikes in [0, {self.T:g}])"

    def as_given(self, values: np.ndarray) -> np.ndarray:
        """One value per event, such as a derivative, in the shape that the times were given in; 0 for no spike."""
        result = np.zeros(self.given, values.dtype)
        result.reshape(-1)[self.place] = values
        return result


def from_times(times: ArrayLike, T: float, dtype: DTypeLike = np.float32) -> Events:
    """Events of an array of spike times.

    Parameters
    ----------
    times : array [B, N] or [B, N, k]
        Spike times of each input, in the unit of the time constants; negative or infinite for none.
    T : float
        Length of the time window.
    dtype : dtype, default float32

    Returns
    -------
    Events

    Raises
    ------
    TypeError
        Not real numbers.
    ValueError
        A wrong number of axes, no samples or inputs, NaN, or a time after T.

    Examples
    --------
    >>> from_times(np.array([[[3, 8], [-1, -1]]]), T=10.0)
    Events(1 samples, 2 inputs, 2 spikes in [0, 10])
    """
    times = _real("times", times)
    if times.ndim not in (2, 3):
        raise ValueError(f"times must have shape [B, N] or [B, N, k], not {list(times.shape)}")
    if times.size == 0:
        raise ValueError(f"times of shape {list(times.shape)} are empty; there must be a sample and an input")
    dtype = float_dtype(dtype)
    per_input = times.shape[2] if times.ndim == 3 else 1
    flat = np.ascontiguousarray(times, dtype).reshape(-1)
    first = np.arange(len(times) + 1) * (times.shape[1] * per_input)
    return _sorted("times", flat, first, np.empty(0, np.int32), per_input, times.shape[1], T, times.shape)


def from_events(
    time: ArrayLike, pre: ArrayLike, sample: ArrayLike, *, n_inputs: int, T: float, batch: int | None = None,
    dtype: DTypeLike = np.float32,
) -> Events:  # fmt: skip
    """Events of a list of spikes, in any order.

    Parameters
    ----------
    time : array [E]
        Times; negative or infinite for none.
    pre, sample : integer array [E]
        Number of the input and of the sample.
    n_inputs : int
    T : float
        Length of the time window.
    batch : int, optional
        Number of samples; by default the largest in ``sample`` plus one.
    dtype : dtype, default float32

    Returns
    -------
    Events

    Raises
    ------
    TypeError, ValueError
        As ``from_times``; unequal lengths, or an input or sample out of range.

    Examples
    --------
    >>> events = from_events([5.0, 2.0, 1.0], [0, 0, 1], [1, 1, 0], n_inputs=2, T=10.0)
    >>> events.time.tolist(), events.end.tolist()
    ([1.0, 2.0, 5.0], [1, 3])
    """
    time = shaped("time", _real("time", time), (None,))
    pre = _numbers("pre", pre, len(time), count("n_inputs", n_inputs))
    if batch is None and not len(time):
        raise ValueError("there are no events; say with batch how many samples there are")
    sample = real("sample", sample)
    if sample.size and sample.dtype.kind not in "iu":
        raise TypeError(f"sample must be integers, not {sample.dtype}")
    highest = int(np.max(sample, initial=-1)) + 1 if batch is None else count("batch", batch, most=UNITS)
    sample = _numbers("sample", sample, len(time), highest)
    order = np.argsort(sample, kind="stable")
    first = np.searchsorted(sample[order], np.arange(highest + 1))
    flat = time[order].astype(float_dtype(dtype))
    events = _sorted("time", flat, first, pre[order].astype(np.int32), 1, n_inputs, T, time.shape)
    return replace(events, place=order[events.place])


def from_spikes(spikes: ArrayLike, dt: float = 1.0, T: float | None = None, dtype: DTypeLike = np.float32) -> Events:
    """Events of spike trains: a spike in step ``t`` comes at the time ``t dt``.

    Parameters
    ----------
    spikes : array [T, B, N]
        0 or 1, as encoders and populations make them.
    dt : float, default 1.0
        Length of a step.
    T : float, optional
        Length of the time window; by default that of the array.
    dtype : dtype, default float32

    Returns
    -------
    Events

    Raises
    ------
    TypeError, ValueError
        Wrong axes, empty, or something other than 0 and 1.

    Examples
    --------
    >>> from_spikes(np.eye(3)[:, None, :])
    Events(1 samples, 3 inputs, 3 spikes in [0, 3])
    """
    spikes = shaped("spikes", real("spikes", spikes), (None, None, None))
    if spikes.size == 0 or not np.isin(spikes, (0, 1)).all():
        raise ValueError(f"spikes of shape {list(spikes.shape)} must hold 0 and 1, at least one number")
    dt = scale("dt", dt)
    step, sample, pre = np.nonzero(spikes)
    end = len(spikes) * dt if T is None else T
    return from_events(step * dt, pre, sample, n_inputs=spikes.shape[2], T=end, batch=spikes.shape[1], dtype=dtype)


def _sorted(
    name: str, flat: np.ndarray, first: np.ndarray, of: np.ndarray, per_input: int, n_inputs: int, T: float,
    given: tuple[int, ...],
) -> Events:  # fmt: skip
    last = number("T", T, above=0.0)
    dtype, batch = flat.dtype, len(first) - 1
    end, wrong, limit = np.empty(batch, np.int64), np.empty(batch, np.int64), dtype.type(last)
    _run(template.tally, dtype, batch, flat.size, limit, first, flat, end, wrong)
    if wrong.any():
        at = int(np.argmin((flat <= limit) | (flat == np.inf)))
        where = f" at index {list(map(int, np.unravel_index(at, given)))}" if not of.size else ""
        raise ValueError(
            f"{name} must lie in [0, {last:g}], or be negative or infinite for no spike, not {flat[at]}{where}"
        )
    np.cumsum(end, out=end)
    begin = np.concatenate([[0], end[:-1]])
    time, pre, place = np.empty(end[-1], dtype), np.empty(end[-1], np.int32), np.empty(end[-1], np.int64)
    bits = flat.view(np.int32 if dtype == np.float32 else np.int64)
    _run(
        template.arrange, dtype, batch, 4 * flat.size, limit, first, flat, bits, of, per_input, begin, time, pre, place
    )
    return Events(n_inputs, last, time, pre, place, begin, end, tuple(given))


@cache
def _compiled(function: Callable[..., Any], dtype: np.dtype) -> Callable[..., Any]:
    return kernel(function, dtype=dtype)


def _run(function: Callable[..., Any], dtype: np.dtype, batch: int, work: int, *arguments: Any) -> None:
    run_threaded(lambda lo, hi: _compiled(function, dtype)(lo, hi, *arguments), batch, work)


def _real(name: str, array: ArrayLike) -> np.ndarray:
    array = real(name, array)
    if array.dtype.kind == "b":
        raise TypeError(f"{name} must be an array of real numbers, not {array.dtype}")
    return array


def _numbers(name: str, array: ArrayLike, length: int, limit: int) -> np.ndarray:
    """Integers in 0 .. limit - 1, as many as there are times."""
    array = real(name, array)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name} must be integers, not {array.dtype}")
    shaped(name, array, (length,))
    if array.size and not (array.min() >= 0 and array.max() < limit):
        raise ValueError(f"{name} must be 0 .. {limit - 1}, not {array.min() if array.min() < 0 else array.max()}")
    return array.astype(np.int64)
