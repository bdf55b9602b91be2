"""Parameters of a population: what each unit has, read and set at any time with the checks of its model."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import neurons
from ..neuron import Neuron, value_for
from ..scalar.per_step import WAYS, held_in
from ..sparse.values import Distribution
from ..validate import cast, numbers
from .home import Home, Units

Array = np.ndarray


def options_of(neuron: Neuron | None) -> list[str]:
    """Names of what can be set of a model."""
    if neuron is None:
        return []
    own = [name for name, value in neuron.options.items() if _a_number(value)] if _made(neuron) else []
    return [name for name in dict.fromkeys((*neuron.params, *own)) if name not in ("dt", "substeps")]


def _a_number(value: object) -> bool:
    return isinstance(value, (int, float, np.ndarray, np.number)) and not isinstance(value, bool)


def _made(neuron: Neuron) -> bool:
    """True if a function of ``nbsnn.neurons`` made it, which checks its arguments."""
    return callable(getattr(neurons, neuron.kind or " ", None))


def _maker(neuron: Neuron) -> Any:
    return getattr(neurons, neuron.kind)


@functools.cache
def _arguments(maker: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(inspect.signature(maker).parameters)


def per_unit(home: Home, group: Units, name: str, values: object) -> Any:
    """A parameter as a number or one value per unit, from a number, array, distribution or function of the unit."""
    n = group.n
    if isinstance(values, Distribution):
        return values.draw(np.empty(n, np.float64), home.draws.fold("parameter", group.name, name))
    if callable(values):
        given = [values(k) for k in range(n)]
        values = np.array(numbers(f"{name} of {group.name}, a function of the unit,", given))
    array = numbers(f"{name} of {group.name}", values)
    if array.shape not in ((), (1,), (n,)):
        raise ValueError(
            f"{name} of {group.name} must be a number, have shape [{n}], or be a distribution or a function of the "
            f"unit, not {list(array.shape)}"
        )
    return array.item() if array.size == 1 and array.ndim < 1 else np.broadcast_to(array, n).astype(np.float64)


def changed(neuron: Neuron, given: Mapping[str, Any]) -> Neuron:
    """The model with other parameters, checked as if it were made with them."""
    arguments = _arguments(_maker(neuron)) if _made(neuron) else ()
    unknown = [name for name in given if name not in arguments and name not in neuron.params]
    if unknown:
        raise KeyError(f"{neuron!r} has no parameter {unknown[0]!r}; it has {options_of(neuron)}")
    if all(name in arguments for name in given) and neuron.options:
        return _maker(neuron)(**{**neuron.options, **given})
    return neuron.replace(params={**neuron.params, **given})


def same_loop(old: Neuron, new: Neuron) -> bool:
    """True if both are stepped by one code, with other numbers."""
    return (old.step, dict(old.holes), list(old.params), list(old.state), dict(old.per_step), old.compare) == (
        new.step, dict(new.holes), list(new.params), list(new.state), dict(new.per_step), new.compare,
    )  # fmt: skip


def per_step(home: Home, group: Units, neuron: Neuron, name: str) -> Array:
    """A parameter as a step uses it: a number, or one per unit; in float64."""
    n = group.n
    array = np.array(value_for(f"parameter {name}", neuron.params[name], (n,)), np.float64)
    if array.shape not in ((), (1,), (n,)):
        raise ValueError(
            f"parameter {name} of {group.name} must be a number or have shape [{n}], not {list(array.shape)}"
        )
    cast(f"parameter {name}", array, home.dtype)
    way = WAYS[neuron.per_step[name]] if name in neuron.per_step else None
    where = f"{name} of {group.name}"
    if way is None:
        return array
    return np.asarray(held_in(way, way(array, home.dt, where), home.dtype, where))
