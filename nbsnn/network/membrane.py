"""Whether a neuron's membrane is linear below its threshold, and with which factors: found by trying its step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..compile import kernel
from ..neuron import Neuron
from ..synapses import Membrane


def membrane(neuron: Neuron, params: dict[str, np.ndarray]) -> Membrane | None:
    """The linear membrane of ``neuron``, or None.

    ``params`` are its parameters per step. A neuron counts as linear if it names its ``leak``, takes currents alone,
    and its "v" answers to input and to itself in proportion while its other variables do not answer to the input.
    """
    if not neuron.leak or neuron.inputs != ("current",) or "v" not in neuron.state:
        return None
    if any(np.size(value) > 1 and np.ptp(value) > 0.0 for value in params.values() if value is params[neuron.leak]):
        raise ValueError(
            f"{neuron!r} has several values of {neuron.leak}: how a synapse acts in a step depends on it, so units "
            "with equal ones make a population"
        )
    step = kernel(neuron.step, device="python", dtype=np.float64, **neuron.filling())
    numbers = [float(np.ravel(value)[0]) for value in params.values()]
    start = {name: float(np.ravel(value)[0]) for name, value in neuron.state.items()}

    decay = numbers[list(params).index(neuron.leak)]
    for below in (0.0, 10.0, 1000.0):  # a resting membrane may lie above the threshold
        gain = _gain(lambda x, v: step(x, *{**start, "v": v}.values(), *numbers), neuron, start["v"] - below, decay)
        if gain is not None:
            return Membrane(decay, gain)
    return None


def _gain(step: Callable[[float, float], tuple], neuron: Neuron, v: float, decay: float) -> float | None:
    """How far an input of 1 moves the membrane in a step from ``v``; None if it spikes there, or is not linear."""
    still, moved, pushed, twice = (step(x, v + dv) for x, dv in ((0.0, 0.0), (0.0, -1.0), (-1.0, 0.0), (-2.0, 0.0)))
    if any(result[0] > 0.5 for result in (still, moved, pushed, twice)):
        return None
    place = 1 + list(neuron.state).index("v")
    gain = still[place] - pushed[place]
    straight = np.isclose(still[place] - twice[place], 2.0 * gain)
    others = all(np.isclose(a, b) for k, (a, b) in enumerate(zip(still, pushed, strict=True)) if k not in (0, place))
    if straight and others and gain > 0.0 and np.isclose(still[place] - moved[place], decay):
        return float(f"{gain:.11g}")  # without the last digits, which are those of the subtraction
    return None
