"""Calls of the Tempotron's kernels: scratch arrays, threads, and the sum of what the threads have found.

Samples are shared out to threads. The derivative by the weights is a sum over samples: it is made in parts, whose
number depends on the data and not on the number of threads, so that this does not change its rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..compile import kernel
from ..device import run_threaded, windows
from ..kernels.cpu import tempotron as template
from . import gpu_sweeps
from .events import Events
from .kernel import rise, stationary

if TYPE_CHECKING:
    from .model import Response, Tempotron

PARTS = 8
"""Largest number of parts; fewer where a part would have less than ``PER_INPUT`` spikes for each row of weights."""

PER_INPUT = 4


@cache
def compiled(function: Callable, dtype: np.dtype, times: int = 0) -> Callable:
    """A template with its holes filled."""
    return kernel(function, dtype=dtype, stationary=stationary, rise=rise, TIMES=times)


def scalars(t: Tempotron, *more: float) -> tuple[Any, ...]:
    """Number of outputs, time constants and ``more`` in the types that kernels want."""
    return np.uintp(t.n_outputs), t.dtype.type(t.tau), t.dtype.type(t.tau_s), *map(t.dtype.type, more)


def cost(t: Tempotron, events: Events) -> int:
    """Additions of a sweep."""
    return int((events.end - events.begin).sum()) * t.n_outputs


def forward(t: Tempotron, events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Maximum without v0, its time, the events before it and the slope at a kink: each [B, O]."""
    if t.device == "cuda":
        return gpu_sweeps.forward(t, events)
    shape = (len(events), t.n_outputs)
    v_max, t_max, slope = np.empty(shape, t.dtype), np.empty(shape, t.dtype), np.empty(shape, t.dtype)
    upto = np.empty(shape, np.int64)
    call = compiled(template.forward, t.dtype)
    spikes = events.begin, events.end, events.time, events.pre, t.weight

    def part(lo: int, hi: int) -> None:
        work = np.empty((4, t.n_outputs), t.dtype)
        call(lo, hi, t.dtype.type(t.T), *scalars(t), *spikes, work, v_max, t_max, upto, slope)

    run_threaded(part, len(events), 4 * cost(t, events))
    return v_max, t_max, upto, slope


def crossings(t: Tempotron, events: Events, t_max: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """First times at the threshold, infinite where ``spikes`` is 0."""
    if t.device == "cuda":
        return gpu_sweeps.crossings(t, events, t_max, spikes)
    found = np.full(t_max.shape, np.inf, t.dtype)
    call = compiled(template.crossings, t.dtype)
    arrays = events.begin, events.end, events.time, events.pre, t.weight
    level = t.dtype.type(t.v_threshold / t.v0)
    run_threaded(
        lambda lo, hi: call(lo, hi, t.dtype.type(t.T), *scalars(t), *arrays, level, t_max, spikes, found),
        len(events),
        4 * cost(t, events),
    )
    return found


def reverse(t: Tempotron, answer: Response, g: np.ndarray, times: bool) -> tuple[np.ndarray, np.ndarray]:
    """Derivative of ``sum(g * v_max) / v0`` by the weights, and by the time of each event (empty without ``times``)."""
    if t.device == "cuda":
        return gpu_sweeps.reverse(t, answer, g, times)
    arrays = g, answer.t_max, answer.upto, answer.slope
    return _reverse(t, template.reverse, answer.events, arrays, times, cost(t, answer.events))


def membrane(t: Tempotron, events: Events, at: np.ndarray) -> np.ndarray:
    """Membranes without v0 [G, B, O]."""
    if t.device == "cuda":
        return gpu_sweeps.membrane(t, events, at)
    v = np.empty((len(at), len(events), t.n_outputs), t.dtype)
    call = compiled(template.membrane, t.dtype)

    def part(lo: int, hi: int) -> None:
        work = np.empty((4, t.n_outputs), t.dtype)
        call(lo, hi, *scalars(t), events.begin, events.end, events.time, events.pre, t.weight, at, work, v)

    run_threaded(part, len(events), 2 * (cost(t, events) + v.size))
    return v


def membrane_reverse(
    t: Tempotron, events: Events, at: np.ndarray, g: np.ndarray, times: bool
) -> tuple[np.ndarray, np.ndarray]:
    """As ``reverse``, of ``sum(g * v) / v0``."""
    if t.device == "cuda":
        return gpu_sweeps.membrane_reverse(t, events, at, g, times)
    return _reverse(t, template.membrane_reverse, events, (at, g), times, cost(t, events) + g.size)


def _reverse(
    t: Tempotron, function: Callable, events: Events, arrays: tuple[np.ndarray, ...], times: bool, work: int
) -> tuple[np.ndarray, np.ndarray]:
    call = compiled(function, t.dtype, int(times))
    spikes_given = int((events.end - events.begin).sum())
    pieces = windows(len(events), max(1, min(PARTS, spikes_given // (PER_INPUT * t.n_inputs))))
    g_time = np.zeros(len(events.time) if times else 0, t.dtype)
    if len(t.scratch) < len(pieces):  # kept: asking the system for it in every step takes longer than the sum
        t.scratch = np.empty((len(pieces), *t.weight.shape), t.dtype)
    found = t.scratch[: len(pieces)]
    spikes = events.begin, events.end, events.time, events.pre, t.weight

    def part(lo: int, hi: int) -> None:
        scratch = np.empty((4, t.n_outputs), t.dtype)
        for k in range(lo, hi):
            found[k] = 0.0
            call(*pieces[k], *scalars(t), *spikes, *arrays, scratch, found[k], g_time)

    run_threaded(part, len(pieces), 2 * work)
    return found[0].copy() if len(pieces) == 1 else found.sum(axis=0), g_time
