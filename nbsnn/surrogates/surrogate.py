"""Surrogates: definition, and the two holes through which a neuron uses one.

A network spikes with the true step function and learns with ``slope``, the derivative of a smooth stand-in. With
``smooth=True`` it also "spikes" with that stand-in: then it *is* differentiable, and its gradients must equal finite
differences. That one switch makes the whole training engine checkable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..files.pickling import by_name
from ..scalar.hole import hole
from ..validate import scale

MOST = 1e12
"""The largest number that a surrogate is made of: slopes that are made of three of them are finite as float32."""


def positive(name: str, value: float) -> float:
    """A number above 0 of which a surrogate is made, from 1 / MOST to MOST."""
    return scale(name, value, MOST)


@dataclass(frozen=True, eq=False)
class Surrogate:
    """A smooth step and its derivative, both scalar functions of ``u = v - v_threshold``.

    Parameters
    ----------
    name : str
        The function in ``nbsnn.surrogates`` that made it.
    options : mapping
        That function's arguments.
    smooth : callable
        A primitive of ``slope``: what stands in for the step function when a network is checked.
    slope : callable
        What stands in for the derivative of the step function when a network learns.
    support : (float, float)
        Where ``slope`` differs from zero.
    integral : float
        The integral of ``slope`` over its support: 1 for a proper derivative of a unit step.

    Examples
    --------
    >>> import numpy as np, nbsnn
    >>> surrogate = nbsnn.surrogates.atan(2.0)
    >>> surrogate, surrogate.slope(0.0), surrogate.smooth(0.0)
    (atan(alpha=2.0), 1.0, 0.5)
    >>> nbsnn.neurons.LIF(surrogate=surrogate).surrogate is surrogate
    True
    """

    name: str
    options: Mapping[str, Any] = field(repr=False)
    smooth: Callable[[float], float] = field(repr=False)
    slope: Callable[[float], float] = field(repr=False)
    support: tuple[float, float] = (-float("inf"), float("inf"))
    integral: float = 1.0

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.options.items())})"

    def __deepcopy__(self, memo: dict[int, Any]) -> Surrogate:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        from .. import surrogates

        made = getattr(surrogates, self.name, None)
        if callable(made):
            return partial(made, **self.options), ()
        functions = tuple(by_name(f"surrogate {self.name}", f) for f in (self.smooth, self.slope))
        return Surrogate, (self.name, dict(self.options), *functions, self.support, self.integral)


@hole
def spike(u: float) -> float:
    """The step function of a neuron: stands in a custom ``step`` where the neuron spikes.

    Parameters
    ----------
    u : float
        ``v - v_threshold``.

    Returns
    -------
    float
        1.0 if the membrane has reached its threshold, else 0.0; or what ``compare`` of the neuron asks for.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.spike(-0.5), nbsnn.spike(0.0)
    (0.0, 1.0)
    """
    return 1.0 if u >= 0.0 else 0.0


@hole
def dspike(u: float) -> float:
    """The slope of the neuron's surrogate: stands in a custom ``vjp`` for the derivative of ``spike``.

    Parameters
    ----------
    u : float
        ``v - v_threshold``.

    Returns
    -------
    float
        Its slope at u.

    Examples
    --------
    >>> import nbsnn
    >>> nbsnn.dspike(0.0), nbsnn.dspike(1.0)
    (1.0, 0.25)
    """
    return 1.0 / (1.0 + abs(u)) ** 2


def at_or_above(u: float) -> float:
    """The step function that spikes at the threshold: ``compare=">="``.

    Parameters
    ----------
    u : float
        ``v - v_threshold``.

    Returns
    -------
    float
        1.0 or 0.0.

    Examples
    --------
    >>> at_or_above(0.0)
    1.0
    """
    return 1.0 if u >= 0.0 else 0.0


def above(u: float) -> float:
    """The step function that spikes only above the threshold: ``compare=">"``.

    Parameters
    ----------
    u : float
        ``v - v_threshold``.

    Returns
    -------
    float
        1.0 or 0.0.

    Examples
    --------
    >>> above(0.0)
    0.0
    """
    return 1.0 if u > 0.0 else 0.0
