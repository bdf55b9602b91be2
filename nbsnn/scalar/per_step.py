"""Conversion of a parameter with a unit of time to the number that a step uses.

A kernel multiplies by a decay factor at every step; people state ``tau``. The peers disagree on the way from one to
the other, and with ``tau`` of two steps the two common ways differ by 21 %, so a neuron names the one that it uses.
Each way carries its derivative, so that ``tau`` itself can be learned.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from .times import nearest

Array = np.ndarray

SHORTEST = 0.1
"""Least time constant in training, in steps: below, hardly anything is left of a value after a step, nor of the
gradient with respect to it."""

ROUNDING = 2.0**-23
"""Relative tolerance of limits: 0.7 in float32 is less than 0.7."""


def _anywhere(dt: float) -> tuple[float, float]:
    """No limits."""
    return -math.inf, math.inf


@dataclass(frozen=True)
class PerStep:
    """A way from a parameter to its value per step: ``value(p, dt)`` and its derivative ``slope(p, dt)``, elementwise.

    Raises ``ValueError`` where ``allowed(p, dt)`` is not true everywhere; ``rule`` says in words what that is.
    Training keeps it within ``limits(dt)``.
    """

    name: str
    value: Callable[[Array, float], Array]
    slope: Callable[[Array, float], Array]
    allowed: Callable[[Array, float], Array]
    rule: str
    limits: Callable[[float], tuple[float, float]] = _anywhere

    def __call__(self, p: Array, dt: float, where: str = "parameter") -> Array:
        if not np.all(self.allowed(p, dt)):
            wrong = float(np.asarray(p)[~self.allowed(p, dt)].flat[0])
            raise ValueError(f"{where} must be {self.rule.format(dt=dt)}, not {wrong:g}")
        return self.value(p, dt)

    def __reduce__(self) -> tuple[Any, ...]:
        return _named, (self.name,)


def _named(name: str) -> PerStep:
    return WAYS[name]


def _sigmoid(w: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * w))


EXP = PerStep(
    "exp",
    lambda tau, dt: np.exp(-dt / tau),
    lambda tau, dt: np.exp(-dt / tau) * dt / tau**2,
    lambda tau, dt: tau > 0.0,
    "a time constant greater than 0",
    lambda dt: (SHORTEST * dt, math.inf),
)
"""Exact solution of a leak over one step: exp(-dt/tau)."""

EULER = PerStep(
    "euler",
    lambda tau, dt: np.maximum(1.0 - dt / tau, 0.0),
    lambda tau, dt: dt / tau**2,
    lambda tau, dt: tau >= dt * (1.0 - ROUNDING),
    'a time constant of at least one step (dt = {dt:g}) with decay="euler", whose factor 1 - dt/tau would be negative',
    lambda dt: (dt, math.inf),
)
"""Forward Euler: 1 - dt/tau."""

LOGIT = PerStep(
    "logit",
    lambda w, dt: 1.0 - _sigmoid(w),
    lambda w, dt: -_sigmoid(w) * (1.0 - _sigmoid(w)),
    lambda w, dt: np.isfinite(w),
    "finite",
)
"""1 - sigmoid(w): any real ``w`` gives a factor between 0 and 1 (Fang et al. 2021, arXiv:2007.05785)."""

STEPS = PerStep(
    "steps",
    lambda period, dt: nearest(period, dt),
    lambda period, dt: np.zeros_like(period),
    lambda period, dt: period >= 0.0,
    "a period of at least 0",
    lambda dt: (0.0, math.inf),
)
"""A period as the nearest whole number of steps; halves go up."""

SPAN = PerStep(
    "span",
    lambda period, dt: period / dt,
    lambda period, dt: np.full_like(period, 1.0 / dt),
    lambda period, dt: period >= 0.0,
    "a period of at least 0",
    lambda dt: (0.0, math.inf),
)
"""A period in steps, not rounded."""

LOSS = PerStep(
    "loss",
    lambda tau, dt: -np.expm1(-dt / tau),
    lambda tau, dt: -np.exp(-dt / tau) * dt / tau**2,
    lambda tau, dt: tau > 0.0,
    "a time constant greater than 0",
    lambda dt: (SHORTEST * dt, math.inf),
)
"""What a leak takes in one step, 1 - exp(-dt/tau): exact where exp(-dt/tau) cannot be told from 1."""

DT = PerStep(
    "dt",
    lambda p, dt: p * dt,
    lambda p, dt: np.full_like(p, dt),
    lambda p, dt: np.isfinite(p),
    "finite",
)
"""p dt: a rate as its share per step; a parameter that is 1.0 becomes the length of a step."""

HZ = PerStep(
    "hz",
    lambda rate, dt: np.minimum(0.001 * rate * dt, 1.0),
    lambda rate, dt: np.full_like(rate, 0.001 * dt),
    lambda rate, dt: (rate >= 0.0) & (0.001 * rate * dt <= 1.0 + ROUNDING),
    "a rate in Hz of at least 0 and at most one per step (dt = {dt:g} ms)",
    lambda dt: (0.0, 1000.0 / dt),
)
"""A rate in Hz as the probability per step, ``dt`` in ms."""

FACTORS = (EXP, EULER, LOGIT)
"""Ways to a factor per step, of a value that fades."""

SLOWEST = 10_000
"""Steps of the longest time constant in float32. A factor is rounded by 3e-8 there, which is 3e-4 of what it takes away
and of all that adds up meanwhile; where it is ten times as long, 3e-3; and 1 - 1e-8 is 1."""


def resolved(where: str, factor: ArrayLike, dtype: DTypeLike) -> Any:
    """``factor`` per step; ``ValueError`` if ``dtype`` has too few digits for what it takes away."""
    if np.dtype(dtype) == np.float32:
        lost = 1.0 - np.asarray(factor, np.float64)
        slow = (lost > 0.0) & (lost < 0.9999 / SLOWEST)
        if np.any(slow):
            raise ValueError(
                f"{where} is about {1.0 / np.min(lost[slow]):.6g} steps, but float32 has too few digits for a time "
                f"constant of more than {SLOWEST} steps: use dtype=np.float64"
            )
    return factor


def held_in(way: PerStep, value: ArrayLike, dtype: DTypeLike, where: str) -> Any:
    """``value`` per step; ``ValueError`` if states of ``dtype`` cannot follow it."""
    if way in FACTORS:
        return resolved(where, value, dtype)
    if way is STEPS and np.dtype(dtype) == np.float32 and np.any(np.asarray(value) > 2**24):
        most = f"{np.max(value):.10g} steps of dt"
        raise ValueError(f"{where} is {most}, but float32 counts to {2**24}: use dtype=np.float64")
    return value


WAYS = {way.name: way for way in (EXP, EULER, LOGIT, STEPS, SPAN, LOSS, DT, HZ)}
