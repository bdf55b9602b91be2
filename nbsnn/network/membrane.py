"""Subthreshold response of a neuron's membrane to its input, found by trying its step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..compile.fill import kernel
from ..neuron import Neuron

INPUT = {"current": 0.0, "uniform": 1.0, "normal": 0.0}  # of a trial: the draw of least effect


@dataclass(frozen=True)
class Response:
    """A step takes the membrane from v to F(v) + gain x, and changes no other variable by x.

    Attributes
    ----------
    gain : float
    decay : float or None
        If F(v) = decay v + constant; None otherwise.
    constant : float or array [units]
    """

    gain: float
    decay: float | None
    constant: Any


def membrane_of(neuron: Neuron) -> str:
    """The name of the variable that is the membrane, "v" unless the neuron says otherwise."""
    return neuron.membrane if neuron.membrane in neuron.state else "v"


def response(neuron: Neuron, params: dict[str, np.ndarray], units: int) -> Response | None:
    """The membrane's answer to a current, equal for all units but for ``constant``; None if there is none like that.

    ``params`` are the neuron's parameters per step.
    """
    if {"conductance", "jump"} & set(neuron.inputs) or membrane_of(neuron) not in neuron.state:
        return None
    step = kernel(neuron.step, device="python", dtype=np.float64, **neuron.filling())
    first = {name: float(np.ravel(value)[0]) for name, value in params.items()}
    found = _trial(step, neuron, first)
    if found is None:
        return None
    constants = {found.constant}
    for name, values in params.items():
        for value in {float(np.min(values)), float(np.max(values))} - {first[name]}:
            other = _trial(step, neuron, {**first, name: value})
            if other is None or not np.isclose(other.gain, found.gain, rtol=1e-9, atol=0.0):
                return None
            if other.decay is None or found.decay is None or not np.isclose(other.decay, found.decay, rtol=1e-9):
                found = replace(found, decay=None)
            constants.add(other.constant)
    if len(constants) == 1 or found.decay is None:
        return found
    each = [{name: float(np.ravel(v)[k % np.size(v)]) for name, v in params.items()} for k in range(units)]
    tried = [_trial(step, neuron, numbers) for numbers in each]
    return None if None in tried else replace(found, constant=np.array([one.constant for one in tried if one]))


def _trial(step: Callable[..., Any], neuron: Neuron, params: dict[str, float]) -> Response | None:
    """The response of a unit with these parameters."""
    start = {name: float(np.ravel(value)[0]) for name, value in neuron.state.items()}
    name, tried = membrane_of(neuron), list[Response | Literal[False] | None]()
    for below in (0.0, 10.0, 1000.0):  # a resting membrane may lie above the threshold
        v = start[name] - below
        try:
            tried.append(_probe(lambda x, v: _after(step, neuron, x, {**start, name: v}, params), neuron, v))
        except (ArithmeticError, ValueError):  # far from where its equations are meant to be used
            continue
    found = [one for one in tried if one]
    if not found or None in tried or not np.allclose([one.gain for one in found], found[0].gain, 1e-7, 1e-12):
        return None
    decays = [one.decay for one in found if one.decay is not None]
    linear = len(decays) == len(found) and np.allclose(decays, decays[0], 1e-9, 1e-9)
    return found[0] if linear else replace(found[0], decay=None)


def _after(
    step: Callable[..., Any], neuron: Neuron, x: float, state: dict[str, float], params: dict[str, float]
) -> list[float]:
    """Output and state after a step from ``state`` with the current ``x``."""
    inputs = {**INPUT, "current": x}
    return [
        float(value)
        for value in step(*(inputs.get(name, 0.0) for name in neuron.inputs), *state.values(), *params.values())
    ]


def _probe(after: Callable[[float, float], list[float]], neuron: Neuron, v: float) -> Response | Literal[False] | None:
    """The response at ``v``: False if the unit spikes there, None if it is not linear in the current."""
    inputs = ((0.0, 0.0), (0.0, -1.0), (0.0, -2.0), (-1.0, 0.0), (-2.0, 0.0))
    still, moved, further, pushed, twice = (after(x, v + dv) for x, dv in inputs)
    if neuron.output == "spikes" and any(result[0] > 0.5 for result in (still, moved, further, pushed, twice)):
        return False
    place = 1 + list(neuron.state).index(membrane_of(neuron))
    gain = still[place] - pushed[place]
    others = all(np.isclose(a, b) for k, (a, b) in enumerate(zip(still, pushed, strict=True)) if k not in (0, place))
    if not (others and gain > 0.0 and np.isclose(still[place] - twice[place], 2.0 * gain)):
        return None
    decay = still[place] - moved[place]
    straight = np.isclose(still[place] - further[place], 2.0 * decay, rtol=1e-9, atol=1e-9)
    # Without the last digits, which are those of the subtraction.
    gain, decay = float(f"{gain:.11g}"), float(f"{decay:.11g}")
    return Response(gain, decay if straight else None, float(f"{still[place] - decay * v:.11g}"))
