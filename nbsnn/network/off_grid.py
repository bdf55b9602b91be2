"""Off the grid: which neurons and synapses a network has whose spikes have times inside their steps, and their numbers.

The equations are those of ``kernels.network.off_grid``; here is what they take, with steps as the unit of time.
"""

from __future__ import annotations

import numpy as np

from ..neuron import Neuron, value_for
from ..neurons import refractory
from ..scalar.per_step import SPAN
from ..synapses import Synapse

Array = np.ndarray

KINDS = "Delta", "Exponential", "Alpha", "DoubleExponential"
WHERE = "of a network with off_grid=True"


def refuse(what: object, rather: str) -> None:
    """``ValueError`` about what such a network does not have."""
    raise ValueError(f"a network with off_grid=True does not take {what}: {rather}")


def check_place(on_host: bool, dtype: np.dtype) -> None:
    """Raise unless such a network runs there, with numbers of this type."""
    if not on_host:
        refuse("ranks or a GPU", "it runs in one process, on device='cpu' or 'python'")
    if dtype != np.float64:
        refuse(f"dtype={dtype}", "float32 does not hold times inside steps; it is float64 by default")


def check_neuron(name: str, neuron: Neuron, n: int, dt: float) -> None:
    """Raise unless a population is made of what is solved between events."""
    if neuron.kind == "PoissonNeuron":
        return
    if neuron.kind != "LIF" or neuron.per_step["tau"] != "exp":
        refuse(f"{neuron!r}", 'its neurons are LIF(...), with decay="exp"')
    if neuron.step is not refractory.step or np.min(_raw(neuron, "refractory", n)) < dt * (1.0 - 1e-9):
        raise ValueError(
            f"refractory of {name}, {WHERE}, must be at least one step ({dt:g} ms), in which a unit spikes once at "
            f"most, not {neuron.options['refractory']!r}"
        )


def check_synapse(name: str, neuron: Neuron | None, synapse: Synapse) -> None:
    """Raise unless a synapse, and its target, are solved between events."""
    if synapse.outputs or synapse.kind not in KINDS or synapse.reversal is not None:
        refuse(f"{synapse!r}", f"its synapses are {', '.join(KINDS)}, as currents")
    if neuron is not None and not neuron.state:
        refuse(f"synapses onto {name}", "Poisson units take a rate alone")


def _raw(neuron: Neuron, name: str, n: int) -> Array:
    """A parameter of each unit as it was given."""
    return np.broadcast_to(np.asarray(value_for(name, neuron.params[name], (n,)), np.float64), n)


def parameters_of(neuron: Neuron, values: dict[str, Array], n: int, dt: float) -> list[Array]:
    """The numbers of each unit: leak, threshold, what a reset keeps of the membrane and adds, rest, refractory period.

    Of Poisson units those of their step.
    """
    if not neuron.state:
        return list(values.values())
    threshold, v_reset, v_rest, period = (
        _raw(neuron, name, n) for name in ("v_threshold", "v_reset", "v_rest", "refractory")
    )
    reset = neuron.holes["reset"]
    shift = np.broadcast_to(reset(0.0, 1.0, threshold, v_reset), n)
    keep = reset(1.0, 1.0, threshold, v_reset) - shift
    if neuron.compare == ">":
        threshold = np.nextafter(threshold, np.inf)
    return [dt / _raw(neuron, "tau", n), threshold, keep, shift, v_rest, np.maximum(SPAN(period, dt), 1.0)]


def numbers_of(synapse: Synapse, dt: float) -> list[float]:
    """The numbers of a port: jumps of z and y, a, b, c, and how much of z there is in the output, beside y."""
    if not synapse.variables:
        return [0.0]
    rates = (-np.asarray(synapse.matrix) * dt).tolist()
    if len(rates) == 1:
        return [0.0, 0.0, *synapse.jump, rates[0][0], rates[0][0], 0.0, 0.0]
    return [0.0, *synapse.jump, rates[0][0], rates[1][1], -rates[1][0], synapse.output[0]]
