"""Calls of the Tempotron's kernels: scratch arrays, threads, and the sum of what the threads have found.

Samples are shared out to threads. The derivative with respect to the weights is a sum over samples: it is made in
parts, whose number depends on the data and not on the number of threads, so that this does not change its rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..compile.fill import kernel
from ..device.threads import run_threaded, windows
from ..kernels.tempotron import classic
from ..kernels.tempotron import sweeps as template
from .potential import psp, rise, stationary
from .response import Response, TempotronLike
from .spike_times import Events

PARTS = 8
"""Largest number of parts; fewer where a part would have less than ``PER_INPUT`` spikes for each row of weights."""

PER_INPUT = 4


@cache
def compiled(function: Callable, dtype: np.dtype, times: int = 0) -> Callable:
    """A template with its holes filled."""
    return kernel(function, dtype=dtype, stationary=stationary, rise=rise, psp=psp, TIMES=times)


def arguments(t: TempotronLike, events: Events) -> tuple[Any, ...]:
    """Number of outputs, time constants, events and weights, in the types that kernels want."""
    constants = np.uintp(t.n_outputs), t.dtype.type(t.tau), t.dtype.type(t.tau_s)
    return *constants, events.begin, events.end, events.time, events.pre, t.weight


def cost(t: TempotronLike, events: Events) -> int:
    """Additions of a sweep."""
    return int((events.end - events.begin).sum()) * t.n_outputs


class CpuSweeps:
    """The kernels' calls for one Tempotron, with scratch arrays kept from call to call."""

    def __init__(self) -> None:
        self.parts = np.empty(0)

    def forward(self, t: TempotronLike, events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Maximum without v0, its time, the events before it and the slope at a kink: each [B, O]."""
        found, given = _maxima(t, events), arguments(t, events)
        call, T = compiled(template.forward, t.dtype), t.dtype.type(t.T)

        def part(lo: int, hi: int) -> None:
            call(lo, hi, T, *given, np.empty((4, t.n_outputs), t.dtype), *found)

        run_threaded(part, len(events), 4 * cost(t, events))
        return found

    def crossings(self, t: TempotronLike, events: Events, t_max: np.ndarray, spikes: np.ndarray) -> np.ndarray:
        """First times at the threshold, infinite where ``spikes`` is 0."""
        found = np.full(t_max.shape, np.inf, t.dtype)
        call, T, level = compiled(template.crossings, t.dtype), t.dtype.type(t.T), t.dtype.type(t.v_threshold / t.v0)
        given = arguments(t, events)
        run_threaded(
            lambda lo, hi: call(lo, hi, T, *given, level, t_max, spikes, found), len(events), 4 * cost(t, events)
        )
        return found

    def reverse(self, t: TempotronLike, answer: Response, g: np.ndarray, times: bool) -> tuple[np.ndarray, np.ndarray]:
        """Derivative of ``sum(g * v_max) / v0`` with respect to the weights and, with ``times``, to each event's time
        (empty without)."""
        arrays = g, answer.t_max, answer.n_before, answer.left_slope
        return self._reverse(t, template.reverse, answer.events, arrays, times, cost(t, answer.events))

    def membrane(self, t: TempotronLike, events: Events, at: np.ndarray) -> np.ndarray:
        """Membranes without v0 [G, B, O]."""
        v = np.empty((len(at), len(events), t.n_outputs), t.dtype)
        call, given = compiled(template.membrane, t.dtype), arguments(t, events)

        def part(lo: int, hi: int) -> None:
            call(lo, hi, *given, at, np.empty((4, t.n_outputs), t.dtype), v)

        run_threaded(part, len(events), 2 * (cost(t, events) + v.size))
        return v

    def membrane_reverse(
        self, t: TempotronLike, events: Events, at: np.ndarray, g: np.ndarray, times: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``reverse``, of ``sum(g * v) / v0``."""
        return self._reverse(t, template.membrane_reverse, events, (at, g), times, cost(t, events) + g.size)

    def learn(
        self, t: TempotronLike, events: Events, target: np.ndarray, level: float, rate: float, momentum: float,
        change: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """The classic rule: changes weights and ``change`` in place; returns the maxima without v0 as they were met."""
        v_max, *found = _maxima(t, events)
        numbers = map(t.dtype.type, (level, rate, momentum))
        work = np.empty((4, t.n_outputs), t.dtype)
        call = compiled(classic.learn, t.dtype)
        call(t.dtype.type(t.T), *arguments(t, events), target, *numbers, change, work, v_max, *found)
        return v_max

    def _reverse(
        self, t: TempotronLike, function: Callable, events: Events, arrays: tuple[np.ndarray, ...], times: bool,
        work: int,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        call, given = compiled(function, t.dtype, int(times)), arguments(t, events)
        spikes_given = int((events.end - events.begin).sum())
        pieces = windows(len(events), max(1, min(PARTS, spikes_given // (PER_INPUT * t.n_inputs))))
        g_time = np.zeros(len(events.time) if times else 0, t.dtype)
        if len(self.parts) < len(pieces):  # kept: asking the system for it in every step takes longer than the sum
            self.parts = np.empty((len(pieces), *t.weight.shape), t.dtype)
        found = self.parts[: len(pieces)]

        def part(lo: int, hi: int) -> None:
            scratch = np.empty((4, t.n_outputs), t.dtype)
            for k in range(lo, hi):
                found[k] = 0.0
                call(*pieces[k], *given, *arrays, scratch, found[k], g_time)

        run_threaded(part, len(pieces), 2 * work)
        return found[0].copy() if len(pieces) == 1 else found.sum(axis=0), g_time


def _maxima(t: TempotronLike, events: Events) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Room for what ``forward`` finds."""
    v_max, t_max, slope = (np.empty((len(events), t.n_outputs), t.dtype) for _ in range(3))
    return v_max, t_max, np.empty(v_max.shape, np.int64), slope
