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
def compiled(function: Callable[..., Any], dtype: np.dtype, times: int = 0) -> Callable[..., Any]:
    """A template with its holes filled."""
    return kernel(function, dtype=dtype, stationary=stationary, rise=rise, psp=psp, TIMES=times)


def arguments(t: TempotronLike, events: Events) -> tuple[template.Constants, template.Spikes, np.ndarray]:
    """Constants, spikes and weights, as kernels take them."""
    return constants(t), template.Spikes(events.begin, events.end, events.time, events.pre), t.weight


def constants(t: TempotronLike) -> template.Constants:
    """The constants of a Tempotron, in its precision."""
    return template.Constants(t.dtype.type(t.tau), t.dtype.type(t.tau_s), t.dtype.type(t.T))


def cost(t: TempotronLike, events: Events) -> int:
    """Additions of a sweep."""
    return int((events.end - events.begin).sum()) * t.n_outputs


class CpuSweeps:
    """The kernels' calls for one Tempotron, with scratch arrays kept from call to call."""

    def __init__(self) -> None:
        self.parts = np.empty(0)

    def forward(self, t: TempotronLike, events: Events) -> template.Maxima:
        """Maximum without v0, its time, the events before it and the slope at a kink: each [B, O]."""
        found, given, call = _maxima(t, events), arguments(t, events), compiled(template.forward, t.dtype)
        run_threaded(lambda lo, hi: call(lo, hi, *given, found), len(events), 4 * cost(t, events))
        return found

    def crossings(self, t: TempotronLike, events: Events, t_max: np.ndarray, spikes: np.ndarray) -> np.ndarray:
        """First times at the threshold, infinite where ``spikes`` is 0."""
        found, level = np.full(t_max.shape, np.inf, t.dtype), t.dtype.type(t.v_threshold / t.v0)
        given, call = arguments(t, events), compiled(template.crossings, t.dtype)
        run_threaded(lambda lo, hi: call(lo, hi, *given, level, t_max, spikes, found), len(events), 4 * cost(t, events))
        return found

    def reverse(self, t: TempotronLike, answer: Response, g: np.ndarray, times: bool) -> tuple[np.ndarray, np.ndarray]:
        """Derivative of ``sum(g * v_max) / v0`` with respect to the weights and, with ``times``, to each event's time
        (empty without)."""
        found = template.Maxima(answer.v_max, answer.t_max, answer.n_before, answer.left_slope)
        return self._reverse(t, template.reverse, answer.events, (g, found), times, cost(t, answer.events))

    def membrane(self, t: TempotronLike, events: Events, at: np.ndarray) -> np.ndarray:
        """Membranes without v0 [G, B, O]."""
        v = np.empty((len(at), len(events), t.n_outputs), t.dtype)
        given, call = arguments(t, events), compiled(template.membrane, t.dtype)
        run_threaded(lambda lo, hi: call(lo, hi, *given, at, v), len(events), 2 * (cost(t, events) + v.size))
        return v

    def membrane_reverse(
        self, t: TempotronLike, events: Events, at: np.ndarray, g: np.ndarray, times: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """As ``reverse``, of ``sum(g * v) / v0``."""
        return self._reverse(t, template.membrane_reverse, events, (at, g), times, cost(t, events) + g.size)

    def learn(
        self, t: TempotronLike, events: Events, target: np.ndarray, rule: classic.Learning, change: np.ndarray
    ) -> np.ndarray:
        """The classic rule: changes weights and ``change`` in place; returns the maxima without v0 as they were met."""
        found, call = _maxima(t, events), compiled(classic.learn, t.dtype)
        call(*arguments(t, events), target, classic.Learning(*map(t.dtype.type, rule)), change, found)
        return found.v

    def _reverse(
        self, t: TempotronLike, function: Callable[..., Any], events: Events, arrays: tuple[Any, ...], times: bool,
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
            for k in range(lo, hi):
                found[k] = 0.0
                call(*pieces[k], *given, *arrays, found[k], g_time)

        run_threaded(part, len(pieces), 2 * work)
        return found[0].copy() if len(pieces) == 1 else found.sum(axis=0), g_time


def _maxima(t: TempotronLike, events: Events) -> template.Maxima:
    """Room for what ``forward`` finds."""
    v_max, t_max, left_slope = (np.empty((len(events), t.n_outputs), t.dtype) for _ in range(3))
    return template.Maxima(v_max, t_max, np.empty(v_max.shape, np.int64), left_slope)
